"""Reports of the manual's examples, from the printed numbers."""

from __future__ import annotations

from math import nan

import pytest

from memagic.display.report import (
    Block,
    CoefficientTable,
    ComparisonTest,
    GroupSummary,
    Header,
    Report,
    Row,
    SurveyDesign,
    WaldTest,
)

DISTRICT = GroupSummary("district", 60, 2, 32.2333, 118)


def est(
    label: str,
    b: float,
    se: float,
    z: float | None,
    p: float | None,
    lower: float,
    upper: float,
    *,
    name: str = "",
    indented: bool = False,
) -> Row:
    return Row("estimate", label, name or label, b, se, z, p, lower, upper, indented=indented)


def level(label: str, factor: str, *numbers: float) -> Row:
    b, se, z, p, lower, upper = numbers
    return est(label, b, se, z, p, lower, upper, name=f"{label}.{factor}", indented=True)


def var(label: str, b: float, se: float, lower: float, upper: float, group: str) -> Row:
    return est(label, b, se, None, None, lower, upper, name=f"/{label[:-1]}[{group}])")


def melogit_header(chi2: float, df: int, ll: float) -> Header:
    return Header(
        title="Mixed-effects logistic regression",
        model=(),
        n_obs=1934,
        groups=(DISTRICT,),
        integration=("mvaghermite", 7),
        wald=WaldTest(df, chi2, 1e-20),
        ll_label="Log likelihood",
        ll=ll,
    )


def melogit_table(*blocks: Block, title: str = "Coefficient") -> CoefficientTable:
    return CoefficientTable("c_use", title, "Std. err.", "z", 95.0, blocks)


MELOGIT_1 = Report(
    header=melogit_header(109.60, 5, -1206.8322),
    table=melogit_table(
        Block(
            (
                est("1.urban", 0.7322765, 0.1194857, 6.13, 0.0, 0.4980888, 0.9664641),
                est("age", -0.0264981, 0.0078916, -3.36, 0.001, -0.0419654, -0.0110309),
                Row("heading", "children"),
                level("1", "children", 1.116001, 0.1580921, 7.06, 0.0, 0.8061465, 1.425856),
                level("2", "children", 1.365895, 0.1746691, 7.82, 0.0, 1.02355, 1.70824),
                level("3", "children", 1.344031, 0.1796549, 7.48, 0.0, 0.9919139, 1.696148),
                est("_cons", -1.68929, 0.1477591, -11.43, 0.0, -1.978892, -1.399687),
            )
        ),
        Block(
            (var("var(_cons)", 0.215618, 0.0733222, 0.1107208, 0.4198954, "district"),),
            title="district",
            flush=True,
        ),
    ),
    comparison=ComparisonTest("logistic", 43.39, 1, 1e-11, True),
)

MELOGIT_2 = Report(
    header=melogit_header(97.50, 5, -1199.315),
    table=melogit_table(
        Block(
            (
                est("1.urban", 0.8157875, 0.1715519, 4.76, 0.0, 0.4795519, 1.152023),
                est("age", -0.026415, 0.008023, -3.29, 0.001, -0.0421398, -0.0106902),
                Row("heading", "children"),
                level("1", "children", 1.13252, 0.1603285, 7.06, 0.0, 0.818282, 1.446758),
                level("2", "children", 1.357739, 0.1770522, 7.67, 0.0, 1.010723, 1.704755),
                level("3", "children", 1.353827, 0.1828801, 7.40, 0.0, 0.9953882, 1.712265),
                est("_cons", -1.71165, 0.1605618, -10.66, 0.0, -2.026345, -1.396954),
            )
        ),
        Block(
            (
                var("var(1.urban)", 0.6663237, 0.3224689, 0.258074, 1.720387, "district"),
                var("var(_cons)", 0.3897448, 0.1292463, 0.203473, 0.7465413, "district"),
            ),
            title="district",
            flush=True,
        ),
        Block(
            (est("cov(1.urban,_cons)", -0.4058861, 0.1755414, -2.31, 0.021, -0.7499408, -0.0618313),),
            title="district",
            flush=True,
        ),
    ),
    comparison=ComparisonTest("logistic", 58.42, 3, 1e-12, False),
)

MELOGIT_3 = Report(
    header=melogit_header(120.24, 6, -1199.315),
    constraints=("( 1)  [c_use]_cons = 0",),
    table=melogit_table(
        Block(
            (
                Row("heading", "urban"),
                level("0", "urban", -1.711652, 0.1605617, -10.66, 0.0, -2.026347, -1.396956),
                level("1", "urban", -0.8958623, 0.1704954, -5.25, 0.0, -1.230027, -0.5616974),
                est("age", -0.026415, 0.008023, -3.29, 0.001, -0.0421398, -0.0106903),
                Row("heading", "children"),
                level("1", "children", 1.13252, 0.1603285, 7.06, 0.0, 0.8182819, 1.446758),
                level("2", "children", 1.357739, 0.1770522, 7.67, 0.0, 1.010724, 1.704755),
                level("3", "children", 1.353827, 0.18288, 7.40, 0.0, 0.9953883, 1.712265),
                Row("state", "_cons", "_cons", 0.0, note="(omitted)"),
            )
        ),
        Block(
            (
                var("var(0.urban)", 0.3897485, 0.1292403, 0.2034823, 0.7465212, "district"),
                var("var(1.urban)", 0.2442899, 0.1450625, 0.0762871, 0.7822759, "district"),
            ),
            title="district",
            flush=True,
        ),
        Block(
            (est("cov(0.urban,1.urban)", -0.0161411, 0.1057462, -0.15, 0.879, -0.2233999, 0.1911177),),
            title="district",
            flush=True,
        ),
    ),
    comparison=ComparisonTest("logistic", 58.42, 3, 1e-12, False),
)

MEGLM_1 = Report(
    header=Header(
        title="Mixed-effects GLM",
        model=(("Family", "Gaussian"), ("Link", "Identity")),
        n_obs=432,
        groups=(GroupSummary("id", 48, 9, 9.0, 9),),
        integration=("mvaghermite", 7),
        wald=WaldTest(1, 25337.48, 0.0),
        ll_label="Log likelihood",
        ll=-1014.92679,
    ),
    table=CoefficientTable(
        "weight",
        "Coefficient",
        "Std. err.",
        "z",
        95.0,
        (
            Block(
                (
                    est("week", 6.209896, 0.0390124, 159.18, 0.0, 6.133433, 6.286359),
                    est("_cons", 19.35561, 0.5974047, 32.40, 0.0, 18.18472, 20.52651),
                )
            ),
            Block(
                (var("var(_cons)", 14.81745, 3.124202, 9.801687, 22.39989, "id"),),
                title="id",
                flush=True,
            ),
            Block(
                (est("var(e.weight)", 4.383264, 0.3163349, None, None, 3.805112, 5.049261),),
                flush=True,
            ),
        ),
    ),
    comparison=ComparisonTest("linear", 472.65, 1, 0.0, True),
)

MEGLM_3 = Report(
    header=Header(
        title="Mixed-effects GLM",
        model=(("Family", "Ordinal"), ("Link", "Logit")),
        n_obs=1600,
        groups=(
            GroupSummary("school", 28, 18, 57.142857, 137),
            GroupSummary("class", 135, 1, 11.851852, 28),
        ),
        integration=("mvaghermite", 7),
        wald=WaldTest(4, 124.39, 0.0),
        ll_label="Log likelihood",
        ll=-2114.58812,
    ),
    table=CoefficientTable(
        "thk",
        "Coefficient",
        "Std. err.",
        "z",
        95.0,
        (
            Block(
                (
                    est("prethk", 0.4085273, 0.039616, 10.31, 0.0, 0.3308814, 0.4861731),
                    est("1.cc", 0.8844369, 0.2099124, 4.21, 0.0, 0.4730161, 1.295858),
                    est("1.tv", 0.236448, 0.2049065, 1.15, 0.249, -0.1651614, 0.6380575),
                    Row("heading", "cc#tv"),
                    est(
                        "1 1",
                        -0.3717699,
                        0.2958887,
                        -1.26,
                        0.209,
                        -0.951701,
                        0.2081612,
                        name="1.cc#1.tv",
                        indented=True,
                    ),
                )
            ),
            Block(
                (
                    est("/cut1", -0.0959459, 0.1688988, None, None, -0.4269815, 0.2350896),
                    est("/cut2", 1.177478, 0.1704946, None, None, 0.8433151, 1.511642),
                    est("/cut3", 2.383672, 0.1786736, None, None, 2.033478, 2.733865),
                )
            ),
            Block(
                (var("var(_cons)", 0.0448735, 0.0425387, 0.0069997, 0.2876749, "school"),),
                title="school",
                flush=True,
            ),
            Block(
                (var("var(_cons)", 0.1482157, 0.0637521, 0.063792, 0.3443674, "school>class"),),
                title="school>class",
                flush=True,
            ),
        ),
    ),
    comparison=ComparisonTest("ologit", 21.03, 2, 0.0000271, False),
)

SALAMANDER = Report(
    notes_before=("note: crossed random-effects model specified; option intmethod(laplace) implied.",),
    log=("", "Fitting fixed-effects model:", "", "Iteration 0:  Log likelihood = -223.13998"),
    header=Header(
        title="Mixed-effects GLM",
        model=(("Family", "Bernoulli"), ("Link", "Logit")),
        n_obs=360,
        groups=(GroupSummary("_all", 1, 360, 360.0, 360),),
        integration=("laplace", None),
        wald=WaldTest(3, 42.59, 0.0),
        ll_label="Log likelihood",
        ll=-209.276586,
    ),
    table=CoefficientTable(
        "y",
        "Odds ratio",
        "Std. err.",
        "z",
        95.0,
        (
            Block(
                (
                    est("1.wsm", 0.4955657, 0.2293702, -1.52, 0.129, 0.2000446, 1.227653),
                    Row("heading", "wsm#wsf"),
                    est("1 1", 36.17797, 22.01912, 5.90, 0.0, 10.97424, 119.2652, indented=True),
                    est("_cons", 2.740748, 1.062625, 2.60, 0.009, 1.281878, 5.859918),
                )
            ),
            Block(
                (var("var(_cons)", 1.041005, 0.4998442, 0.4062035, 2.667853, "_all>male"),),
                title="_all>male",
                flush=True,
            ),
            Block(
                (var("var(_cons)", 1.35e-32, 2.47e-17, nan, nan, "_all>female"),),
                title="_all>female",
                flush=True,
            ),
        ),
    ),
    notes=(
        "Note: Estimates are transformed only in the first equation to odds ratios.",
        "Note: _cons estimates baseline odds (conditional on zero random effects).",
    ),
    comparison=ComparisonTest("logistic", 0.0, 0, nan, False),
)

PISA_SVY = Report(
    header=Header(
        title="Survey: Mixed-effects GLM",
        model=(),
        n_obs=2069,
        groups=(),
        integration=None,
        wald=None,
        ll_label="",
        ll=nan,
        survey=SurveyDesign(1, 148, 346373.74, 147, 10.51, (8, 140), 0.0),
    ),
    table=CoefficientTable(
        "pass_read",
        "Coefficient",
        "Linearized\nstd. err.",
        "t",
        95.0,
        (Block((est("female", 0.6221369, 0.1540088, 4.04, 0.0, 0.3177796, 0.9264943),)),),
    ),
)

PISA = Report(
    header=Header(
        title="Mixed-effects GLM",
        model=(("Family", "Bernoulli"), ("Link", "Logit")),
        n_obs=2069,
        groups=(GroupSummary("id_school", 148, 1, 13.98, 28),),
        integration=("mvaghermite", 7),
        wald=WaldTest(8, 88.30, 0.0),
        ll_label="Log pseudolikelihood",
        ll=-197395.978,
        vce="(Std. err. adjusted for 148 clusters in id_school)",
    ),
    table=CoefficientTable(
        "pass_read",
        "Coefficient",
        "Robust\nstd. err.",
        "z",
        95.0,
        (Block((est("female", 0.6221369, 0.1540088, 4.04, 0.0, 0.3202852, 0.9239887),)),),
    ),
)

EXAMPLES = {
    "melogit-1": MELOGIT_1,
    "melogit-2": MELOGIT_2,
    "melogit-3": MELOGIT_3,
    "meglm-1": MEGLM_1,
    "meglm-3": MEGLM_3,
    "meglm-4": SALAMANDER,
    "meglm-5": PISA,
    "meglm-6": PISA_SVY,
}


@pytest.fixture(scope="session")
def examples() -> dict[str, Report]:
    """Reports by the example's name; the zero variance and its test in meglm-4 are made up."""
    return EXAMPLES


@pytest.fixture(params=EXAMPLES)
def report(request: pytest.FixtureRequest) -> Report:
    """Each of the examples in turn."""
    return EXAMPLES[request.param]
