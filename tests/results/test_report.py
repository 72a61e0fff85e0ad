"""From estimates to the report: every row and line with numbers computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, isnan, log, sqrt
from typing import Literal

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic.display.report import CoefficientTable, Report, Row
from memagic.errors import CommandError
from memagic.results import MEResults
from memagic.results.display_options import DisplayOptions, check_scale
from memagic.results.estimates import Estimates
from memagic.results.inference import wald_test
from memagic.results.replay import Replay
from memagic.results.report import comparison, make_report

Make = Callable[..., Estimates]
Run = Callable[[str], MEResults]

Z95 = 1.959963984540054
Z90 = 1.6448536269514722


def table(estimates: Estimates, options: DisplayOptions | None = None) -> CoefficientTable:
    found = make_report(estimates, options or DisplayOptions(), log=False).table
    assert found is not None
    return found


def rows(found: CoefficientTable) -> dict[str, Row]:
    return {row.name or row.label: row for block in found.blocks for row in block.rows}


def shape(found: CoefficientTable) -> list[tuple[str, str, str]]:
    """Kind, label and note of the rows of the fixed-effects equation."""
    return [(row.kind, row.label, row.note) for row in found.blocks[0].rows]


def test_rows(estimates_of: Make) -> None:
    made = estimates_of("melogit win x || g:", [0.5, -1.0, 0.25], [0.2, 0.5, 0.1])
    found = table(made)
    assert (found.depvar, found.estimate_title, found.se_title) == ("win", "Coefficient", "Std. err.")
    assert (found.statistic, found.level) == ("z", 95.0)
    first = rows(found)["x"]
    assert (first.label, first.b, first.z) == ("x", 0.5, pytest.approx(2.5))
    assert first.se == pytest.approx(0.2)
    assert first.p == pytest.approx(0.0124193306515523)
    assert (first.lower, first.upper) == (pytest.approx(0.5 - Z95 * 0.2), pytest.approx(0.5 + Z95 * 0.2))
    variance = rows(found)["/var(_cons[g])"]
    assert (variance.label, variance.z, variance.p) == ("var(_cons)", None, None)
    assert variance.lower == pytest.approx(0.25 * exp(-Z95 * 0.1 / 0.25))
    assert variance.upper == pytest.approx(0.25 * exp(Z95 * 0.1 / 0.25))
    assert [(block.title, block.flush) for block in found.blocks] == [(None, False), ("g", True)]


@pytest.mark.parametrize(
    ("command", "scale", "title", "words"),
    [
        ("melogit win", "or", "Odds ratio", ("odds ratios", "odds")),
        ("mepoisson count", "irr", "IRR", ("incidence-rate ratios", "incidence rate")),
        ("meprobit win", "eform", "exp(b)", ("exponentiated coefficients", "")),
    ],
)
def test_exponentiated(
    estimates_of: Make, command: str, scale: str, title: str, words: tuple[str, str]
) -> None:
    made = estimates_of(f"{command} x || g:", [0.5, -1.0, 0.25], [0.2, 0.5, 0.1])
    options = DisplayOptions(exponentiated="or" if scale == "or" else "irr" if scale == "irr" else "eform")
    report = make_report(made, options, log=False)
    assert report.table is not None
    assert report.table.estimate_title == title
    first = rows(report.table)["x"]
    assert first.b == pytest.approx(exp(0.5))
    assert first.se == pytest.approx(exp(0.5) * 0.2)
    assert first.z == pytest.approx(2.5)
    assert first.p == pytest.approx(0.0124193306515523)
    assert first.lower == pytest.approx(exp(0.5 - Z95 * 0.2))
    assert first.upper == pytest.approx(exp(0.5 + Z95 * 0.2))
    assert rows(report.table)["/var(_cons[g])"] == rows(table(made))["/var(_cons[g])"]
    assert report.notes[0] == f"Note: Estimates are transformed only in the first equation to {words[0]}."
    baseline = f"Note: _cons estimates baseline {words[1]} (conditional on zero random effects)."
    assert report.notes[1:] == ((baseline,) if words[1] else ())


def test_exponentiated_without_constant_or_random_effects(estimates_of: Make) -> None:
    options = DisplayOptions(exponentiated="or")
    report = make_report(
        estimates_of("melogit win x, noconstant || g:", [0.5, 0.25], [0.2, 0.1]), options, log=False
    )
    assert report.notes == ("Note: Estimates are transformed only in the first equation to odds ratios.",)
    plain = make_report(estimates_of("melogit win x", [0.5, 0.1], [0.2, 0.1], plain=None), options, log=False)
    assert plain.notes == ("Note: _cons estimates baseline odds.",)


def test_level(estimates_of: Make) -> None:
    made = estimates_of("melogit win x || g:", [0.5, -1.0, 0.25], [0.2, 0.5, 0.1])
    found = table(made, DisplayOptions(level=90.0))
    assert found.level == 90.0
    assert rows(found)["x"].lower == pytest.approx(0.5 - Z90 * 0.2)
    assert rows(found)["/var(_cons[g])"].upper == pytest.approx(0.25 * exp(Z90 * 0.4))


def test_factors_with_and_without_labels(estimates_of: Make) -> None:
    made = estimates_of("melogit win i.sex i.arm x || g:", [0.1, 0.2, 0.3, 0.4, 0.5, 1.0], [0.1] * 6)
    assert shape(table(made)) == [
        ("estimate", "1.sex", ""),
        ("heading", "arm", ""),
        ("estimate", "low dose", ""),
        ("estimate", "high dose", ""),
        ("estimate", "x", ""),
        ("estimate", "_cons", ""),
    ]
    assert shape(table(made, DisplayOptions(labels=False))) == [
        ("estimate", "1.sex", ""),
        ("heading", "arm", ""),
        ("estimate", "1", ""),
        ("estimate", "2", ""),
        ("estimate", "x", ""),
        ("estimate", "_cons", ""),
    ]
    assert [row.name for row in table(made).blocks[0].rows] == ["1.sex", "", "1.arm", "2.arm", "x", "_cons"]
    assert [row.indented for row in table(made).blocks[0].rows] == [False, False, True, True, False, False]


def test_one_level_with_a_label(estimates_of: Make) -> None:
    made = estimates_of("melogit win 2.arm || g:", [0.1, 0.2, 0.3], [0.1] * 3)
    assert shape(table(made))[:2] == [("heading", "arm", ""), ("estimate", "high dose", "")]
    assert shape(table(made, DisplayOptions(labels=False)))[0] == ("estimate", "2.arm", "")


def test_interactions(estimates_of: Make) -> None:
    made = estimates_of("melogit win arm#sex || g:", list(np.arange(7.0)), [0.1] * 7)
    assert shape(table(made))[:6] == [
        ("heading", "arm#sex", ""),
        ("estimate", "placebo#1", ""),
        ("estimate", "low dose#0", ""),
        ("estimate", "low dose#1", ""),
        ("estimate", "high dose#0", ""),
        ("estimate", "high dose#1", ""),
    ]
    plain = shape(table(made, DisplayOptions(labels=False)))
    assert [label for _, label, _ in plain[:6]] == ["arm#sex", "0 1", "1 0", "1 1", "2 0", "2 1"]
    slopes = estimates_of("melogit win c.x#sex c.x#c.z || g:", list(np.arange(5.0)), [0.1] * 5)
    labels = [label for _, label, _ in shape(table(slopes))]
    assert labels == ["c.x#sex", "0", "1", "c.x#c.z", "_cons"]


def test_rows_that_are_held(estimates_of: Make) -> None:
    made = estimates_of("mepoisson count x c.x, exposure(expo) || g:", [0.5, 0.1, 0.2], [0.1] * 3)
    assert shape(table(made))[-1] == ("state", "ln(expo)", "(exposure)")
    assert table(made).blocks[0].rows[-1].b == 1.0
    offset = estimates_of("mepoisson count x, offset(off) || g:", [0.5, 0.1, 0.2], [0.1] * 3)
    assert shape(table(offset))[-1] == ("state", "off", "(offset)")


def test_no_constant(estimates_of: Make) -> None:
    made = estimates_of("melogit win x, noconstant || g:", [0.5, 0.2], [0.1] * 2)
    report = make_report(made, DisplayOptions(), log=False)
    assert report.constraints == ("( 1)  [win]_cons = 0",)
    assert report.table is not None
    last = report.table.blocks[0].rows[-1]
    assert (last.kind, last.label, last.b, last.note) == ("state", "_cons", 0.0, "(omitted)")
    assert make_report(made, DisplayOptions(table=False), log=False).constraints == ()


def test_omitted_and_empty(estimates_of: Make) -> None:
    text = "melogit win arm##sex ibn.sex if !(arm == 2 & sex == 1) || g:"
    made = estimates_of(text, [0.1] * 6, [0.1] * 6)
    found = rows(table(made))
    assert (found["2.arm#1.sex"].note, found["2.arm#1.sex"].b) == ("(empty)", 0.0)
    assert found["0.sex"].note == "(omitted)"
    exponentiated = rows(table(made, DisplayOptions(exponentiated="or")))
    assert exponentiated["0.sex"].b == 1.0


def test_header(estimates_of: Make) -> None:
    made = estimates_of("meglm win x i.sex || g:, family(bernoulli)", [0.5, 0.2, 1, 0.2], [0.1] * 4)
    header = make_report(made, DisplayOptions(), log=False).header
    assert header is not None
    assert header.title == "Mixed-effects GLM"
    assert header.model == (("Family", "Bernoulli"), ("Link", "Logit"))
    assert header.n_obs == 120
    (group,) = header.groups
    assert (group.name, group.n_groups, group.minimum, group.average, group.maximum) == ("g", 12, 10, 10, 10)
    assert header.integration == ("mvaghermite", 7)
    assert header.wald is not None
    assert (header.wald.df, header.wald.chi2) == (2, pytest.approx(25 + 4))
    assert (header.ll_label, header.ll) == ("Log likelihood", -100.0)
    bare = make_report(made, DisplayOptions(group=False), log=False).header
    assert bare is not None
    assert bare.groups == ()


def test_parts_that_are_left_out(estimates_of: Make) -> None:
    made = estimates_of("melogit win x || g:", [0.5, -1.0, 0.25], [0.2, 0.5, 0.1])
    assert make_report(made, DisplayOptions(header=False), log=False).header is None
    short = make_report(made, DisplayOptions(table=False, exponentiated="or"), log=False)
    assert (short.table, short.notes, short.comparison) == (None, (), None)
    assert make_report(made, DisplayOptions(), log=False).log == ()
    (line,) = make_report(made, DisplayOptions(), log=True).log
    assert line.startswith("Iteration 0:")


# --- the likelihood-ratio test ---------------------------------------------------------------


def test_one_variance_has_half_the_tail(estimates_of: Make) -> None:
    made = estimates_of("melogit win x || g:", [0.5, 1.0, 0.25], [0.1] * 3, ll=-100, plain=-101.920729410347)
    found = comparison(made)
    assert found is not None
    assert (found.model, found.df, found.boundary) == ("logistic", 1, True)
    assert found.chi2 == pytest.approx(3.841458820694)
    assert found.p == pytest.approx(0.025)


@pytest.mark.parametrize("plain", [-100.0, -99.9999999])
def test_one_variance_at_zero(estimates_of: Make, plain: float) -> None:
    made = estimates_of(
        "melogit win x || g:", [0.5, 1.0, 0.0], [0.1, 0.1, 0.0], ll=-100, plain=plain, at_zero=(True,)
    )
    found = comparison(made)
    assert found is not None
    assert (found.chi2, found.p) == (0.0, 1.0)
    variance = rows(table(made))["/var(_cons[g])"]
    assert variance.lower is not None
    assert isnan(variance.lower)
    (warning,) = make_report(made, DisplayOptions(), log=False).warnings
    assert warning.startswith("Note: var(_cons) estimated at zero, the boundary of its range.\n")


def test_several_components(estimates_of: Make) -> None:
    text = "melogit win x || g: x, covariance(unstructured)"
    made = estimates_of(text, [0.5, 1.0, 0.2, 0.3, 0.1], [0.1] * 5, ll=-100, plain=-103.907364160806)
    found = comparison(made)
    assert found is not None
    assert (found.df, found.boundary) == (3, False)
    assert found.chi2 == pytest.approx(7.814728321612)
    assert found.p == pytest.approx(0.05)
    covariance = rows(table(made))["/cov(x[g],_cons[g])"]
    assert (covariance.label, covariance.z) == ("cov(x,_cons)", pytest.approx(1.0))
    assert (covariance.lower, covariance.upper) == (
        pytest.approx(0.1 - Z95 * 0.1),
        pytest.approx(0.1 + Z95 * 0.1),
    )


def test_components_at_zero_do_not_count(estimates_of: Make) -> None:
    """A variance of zero takes its covariance with it."""
    text = "melogit win x || g: x, covariance(unstructured)"
    made = estimates_of(
        text, [0.5, 1.0, 0.0, 0.3, 0.0], [0.1, 0.1, 0, 0.1, 0], plain=-102.0, at_zero=(True, False, False)
    )
    found = comparison(made)
    assert found is not None
    assert found.df == 1
    covariance = rows(table(made))["/cov(x[g],_cons[g])"]
    assert covariance.z is not None
    assert isnan(covariance.z)
    assert covariance.lower is not None
    assert isnan(covariance.lower)
    none = estimates_of(
        text, [0.5, 1.0, 0.0, 0.0, 0.0], [0.1, 0.1, 0, 0, 0], plain=-100.0, at_zero=(True, True, False)
    )
    found = comparison(none)
    assert found is not None
    assert (found.df, found.chi2) == (0, 0.0)
    assert isnan(found.p)


def test_no_comparison_without_random_effects(estimates_of: Make) -> None:
    assert comparison(estimates_of("melogit win x", [0.5, 0.1], [0.1] * 2, plain=None)) is None


@pytest.mark.parametrize(
    ("covariance", "labels"),
    [
        ("independent", ["var(x)", "var(_cons)"]),
        ("identity", ["var(x _cons)"]),
        ("exchangeable", ["var(x _cons)", "cov(x _cons)"]),
        ("unstructured", ["var(x)", "var(_cons)", "cov(x,_cons)"]),
    ],
)
def test_labels_of_components(estimates_of: Make, covariance: str, labels: list[str]) -> None:
    numbers = [0.5, 1.0, *[0.3] * len(labels), 2.0]
    made = estimates_of(f"meglm y x || g: x, covariance({covariance})", numbers, [0.1] * len(numbers))
    blocks = table(made).blocks[1:]
    assert [row.label for block in blocks for row in block.rows] == [*labels, "var(e.y)"]
    assert [block.title for block in blocks] == ["g", None] if len(blocks) == 2 else ["g", "g", None]


def test_nested_levels(estimates_of: Make) -> None:
    text = "meglm y x || g: x, covariance(unstructured) || sub:"
    made = estimates_of(text, [0.5, 1.0, 0.2, 0.3, 0.4, 0.1, 2.0], [0.1] * 7)
    names = [parameter.name for parameter in made.parameters]
    assert names == [
        "x",
        "_cons",
        "/var(x[g])",
        "/var(_cons[g])",
        "/var(_cons[g>sub])",
        "/cov(x[g],_cons[g])",
        "/var(e.y)",
    ]
    blocks = table(made).blocks[1:]
    assert [(block.title, [row.label for row in block.rows]) for block in blocks] == [
        ("g", ["var(x)", "var(_cons)"]),
        ("g>sub", ["var(_cons)"]),
        ("g", ["cov(x,_cons)"]),
        (None, ["var(e.y)"]),
    ]
    header = make_report(made, DisplayOptions(), log=False).header
    assert header is not None
    assert [(group.name, group.n_groups, group.minimum, group.maximum) for group in header.groups] == [
        ("g", 12, 10, 10),
        ("sub", 36, 2, 4),
    ]
    test = comparison(made)
    assert test is not None
    assert (test.df, test.boundary) == (4, False)


def test_equations_of_one_level(estimates_of: Make) -> None:
    text = "melogit win x || g: x z, covariance(exchangeable) noconstant || g: i.sex, covariance(identity)"
    made = estimates_of(text, [0.5, 1.0, 0.2, 0.3, 0.1], [0.1] * 5)
    blocks = table(made).blocks[1:]
    assert [(block.title, [row.label for row in block.rows]) for block in blocks] == [
        ("g", ["var(x z)", "var(1.sex _cons)"]),
        ("g", ["cov(x z)"]),
    ]


@pytest.mark.parametrize(
    ("covariance", "numbers", "noted"),
    [
        ("unstructured", [0.04, 0.09, 0.06], True),
        ("unstructured", [0.04, 0.09, -0.06], True),
        ("unstructured", [0.04, 0.09, 0.0599], False),
        ("exchangeable", [0.04, -0.04], True),
        ("exchangeable", [0.04, 0.03], False),
    ],
)
def test_perfect_correlation(estimates_of: Make, covariance: str, numbers: list[float], noted: bool) -> None:
    b = [0.5, 1.0, *numbers]
    made = estimates_of(f"melogit win x || g: x, covariance({covariance})", b, [0.1] * len(b))
    label = made.parameters[-1].label
    note = f"Note: {label} estimated at the boundary of its range: the correlation is perfect."
    warnings = make_report(made, DisplayOptions(), log=False).warnings
    assert [warning.splitlines()[0] for warning in warnings] == ([note] if noted else [])


@pytest.mark.parametrize(("link", "family", "scale"), [("probit", "bernoulli", "or"), ("logit", "x", "irr")])
def test_scale_that_is_not_the_models(link: str, family: str, scale: str) -> None:
    with pytest.raises(CommandError) as caught:
        check_scale(link, family, "or" if scale == "or" else "irr", (3, 5))
    assert (caught.value.rc, caught.value.message) == (198, f"option {scale} not allowed")
    assert caught.value.span == (3, 5)


# --- the Wald test, warnings -----------------------------------------------------------------


def test_wald_against_brute_force(fit: Run) -> None:
    found = fit("melogit win x i.arm c.x#i.sex || g:")
    tested = [name for name in found.params.index if name[0] not in "/_"]
    b = found.params[tested].to_numpy()
    v = found.cov_params().loc[tested, tested].to_numpy()
    result = wald_test(found.estimates)
    assert result.df == len(tested) == found.df_model
    assert result.chi2 == pytest.approx(float(b @ np.linalg.solve(v, b)), rel=1e-9)


def test_wald_on_scales_far_apart(estimates_of: Make) -> None:
    made = estimates_of("melogit win x z || g:", [1e6, 2e-6, 1.0, 0.2], [1e6, 1e-6, 0.1, 0.1])
    assert wald_test(made).df == 2
    assert wald_test(made).chi2 == pytest.approx(1 + 4)


def test_wald_without_covariates(estimates_of: Make) -> None:
    result = wald_test(estimates_of("melogit win || g:", [1.0, 0.2], [0.1] * 2))
    assert result.df == 0
    assert isnan(result.chi2)


def test_warnings(estimates_of: Make) -> None:
    numbers = ([0.5, -1.0, 0.25], [0.2, 0.5, 0.1])
    made = estimates_of("melogit win x || g:", *numbers, converged=False)
    report: Report = make_report(made, DisplayOptions(), log=False)
    assert [warning.splitlines()[0] for warning in report.warnings] == ["Warning: convergence not achieved"]
    flat = estimates_of("melogit win x || g:", *numbers, concave=False)
    (warning,) = make_report(flat, DisplayOptions(), log=False).warnings
    assert warning.splitlines()[0] == "Warning: the log likelihood is not concave at the estimates"


def test_limits_of_variances_contain_the_estimate(fit: Run) -> None:
    found = fit("meglm y x || g: x, covariance(unstructured)")
    limits = found.conf_int()
    for name in ("/var(x[g])", "/var(_cons[g])", "/var(e.y)"):
        b, se = found.params[name], found.bse[name]
        assert limits.loc[name].to_numpy() == pytest.approx(
            [exp(log(b) - Z95 * se / b), exp(log(b) + Z95 * se / b)]
        )
        assert sqrt(limits.loc[name, 0] * limits.loc[name, 1]) == pytest.approx(b)


LABELS = "a label that is far too long for the narrow column"


@pytest.fixture(scope="module")
def factors() -> MEResults:
    """Bases, an empty cell and an omitted variable, with one long label."""
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"a": np.arange(200) % 2, "b": np.arange(200) // 2 % 3, "x": rng.normal(size=200)})
    frame = frame[(frame["a"] == 0) | (frame["b"] != 2)].assign(y=lambda f: f["x"] + rng.normal(size=len(f)))
    frame["twice"] = 2 * frame["x"]
    frame.attrs["value_labels"] = {"b": {0: "none", 1: "some", 2: LABELS}}
    return memagic.run("meglm y a##b x twice", data=frame)


def notes_of(found: Replay) -> list[tuple[str, str]]:
    lines = [line for line in str(found).splitlines() if line.endswith(")") and "|" in line]
    return [(line.partition("|")[0].strip(), line.rpartition("  ")[2]) for line in lines]


def test_which_held_rows_are_shown(factors: MEResults) -> None:
    assert [note for _, note in notes_of(factors.replay())] == ["(empty)", "(omitted)"]
    assert notes_of(factors.replay(noemptycells=True)) == [("twice", "(omitted)")]
    assert [note for _, note in notes_of(factors.replay(noomitted=True))] == ["(empty)"]
    assert notes_of(factors.replay(noemptycells=True, noomitted=True)) == []
    every = [label for label, note in notes_of(factors.replay(allbaselevels=True)) if note == "(base)"]
    assert every == ["0", "none", "0#none", "0#some", "0#a label that is far too lon~n", "1#none"]


def test_blank_lines_can_be_left_out(factors: MEResults) -> None:
    blank = [line.replace(" ", "") == "|" for line in str(factors.replay()).splitlines()]
    assert sum(blank) == 3
    assert not any(line.replace(" ", "") == "|" for line in str(factors.replay(vsquish=True)).splitlines())


@pytest.mark.parametrize(
    ("lines", "on", "expected"),
    [
        (1, "word", ["a label that is far too long ~n"]),
        (2, "word", ["a label that is far too long", "for the narrow column"]),
        (2, "width", ["a label that is far too long fo", "r the narrow column"]),
        (9, "word", ["a label that is far too long", "for the narrow column"]),
    ],
)
def test_long_labels_are_wrapped(
    factors: MEResults, lines: int, on: Literal["word", "width"], expected: list[str]
) -> None:
    text = [line for line in str(factors.replay(fvwrap=lines, fvwrapon=on)).splitlines() if "|" in line]
    labels = [line.partition("|")[0].strip() for line in text]
    at = labels.index(expected[0])
    assert labels[at : at + len(expected)] == expected
    # The numbers are on the last line, and the bars below each other.
    filled = [bool(line.partition("|")[2].strip()) for line in text[at : at + len(expected)]]
    assert filled == [False] * (len(expected) - 1) + [True]
    assert len({line.index("|") for line in text}) == 1


def test_names_in_e_b_have_signs(factors: MEResults) -> None:
    names = "0b.a 1.a 0b.b 1.b 2.b 0b.a#0b.b 0b.a#1o.b 0b.a#2o.b 1o.a#0b.b 1.a#1.b 1o.a#2o.b x o.twice _cons"
    assert factors.e["b"].columns.tolist() == [*names.split(), "/var(e.y)"]
    held = [name for name in names.split() if "b." in name or "o." in name]
    assert (factors.e["b"][held] == 0.0).all(axis=None)
    assert (factors.e["V"].loc[held] == 0.0).all(axis=None)
    free = [name for name in factors.e["b"] if name not in held]
    np.testing.assert_array_equal(factors.e["b"].loc["y1", free], factors.params)
    np.testing.assert_array_equal(factors.e["V"].loc[free, free], factors.cov_params())


def test_estimates_with_their_bases_are_a_start(factors: MEResults) -> None:
    frame = pd.DataFrame({"y": np.arange(24) % 5, "g": np.arange(24) % 3, "x": np.arange(24) ** 0.5})
    first = memagic.run("meglm y g##c.x", data=frame)
    for option in ("from(b)", "from(b, copy)"):
        again = memagic.run(f"meglm y g##c.x, {option}", data=frame, matrices={"b": first.e["b"]})
        assert again.e["ic"] <= 1
        assert again.llf == pytest.approx(first.llf)


def test_what_was_dropped() -> None:
    frame = pd.DataFrame(
        {"y": [0, 1, 1, 0, 1, 0, 1, 0] * 4, "x": np.arange(32.0), "g": np.repeat(list("abcd"), 8)},
        index=[f"row {k}" for k in range(32)],
    )
    frame.loc["row 2", "x"] = np.nan
    frame.loc["row 3", ["x", "g"]] = None
    frame.loc["row 20", "g"] = None
    found = memagic.run("meglm y x if x > 0 in 1/30 || g:", data=frame)
    assert found.dropped is not None
    assert found.dropped.rows == 32
    assert found.dropped.reasons == (
        ("the condition after if is not true", 1),
        ("outside of the range after in", 2),
        ("x is missing", 2),
        ("g is missing", 1),
    )
    assert found.dropped.used == found.nobs == 26
    assert str(found.dropped).splitlines()[0] == "32  rows in the data"
    assert str(found.dropped).splitlines()[3] == "-2  not used: x is missing"
    sample = found.e["sample"]
    assert sample.dtype == bool
    assert sample.index.equals(frame.index)
    assert sample[~sample].index.tolist() == [f"row {k}" for k in (0, 2, 3, 20, 30, 31)]
    assert len(frame[sample]) == 26


def test_perfectly_predicted_rows_are_dropped() -> None:
    frame = pd.DataFrame({"y": [0, 1] * 10 + [1] * 5, "g": [0, 1, 1, 0] * 5 + [2] * 5})
    found = memagic.run("melogit y i.g", data=frame)
    assert found.dropped is not None
    assert found.dropped.reasons == (("perfectly predicted", 5),)
    assert found.e["sample"].tolist() == [True] * 20 + [False] * 5


def test_base_levels(estimates_of: Make) -> None:
    made = estimates_of("melogit win i.arm 1.sex x || g:", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.1] * 6)
    assert shape(table(made, DisplayOptions(bases=True)))[:5] == [
        ("heading", "arm", ""),
        ("state", "placebo", "(base)"),
        ("estimate", "low dose", ""),
        ("estimate", "high dose", ""),
        ("estimate", "1.sex", ""),
    ]
    assert rows(table(made, DisplayOptions(bases=True)))["0.arm"].b == 0.0
    assert rows(table(made, DisplayOptions(bases=True, exponentiated="or")))["0.arm"].b == 1.0
    assert "0.arm" not in rows(table(made))
    # A factor with two levels has a block of its own, too.
    two = estimates_of("melogit win i.sex || g:", [0.1, 0.2, 0.3], [0.1] * 3)
    assert shape(table(two, DisplayOptions(bases=True, labels=False)))[:3] == [
        ("heading", "sex", ""),
        ("state", "0", "(base)"),
        ("estimate", "1", ""),
    ]


def test_columns_that_are_left_out(estimates_of: Make) -> None:
    made = estimates_of("melogit win x || g:", [0.5, 0.1, 0.2], [0.1] * 3)
    found = table(made, DisplayOptions(intervals=False, p_values=False))
    assert (found.intervals, found.p_values) == (False, False)
    assert rows(found)["x"] == rows(table(made))["x"]
