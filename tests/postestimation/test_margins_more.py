"""margins: expressions, comparisons, unconditional variances, nested groups, and margins as estimates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import memagic
from memagic import CommandError, Session
from memagic.engine.space import from_reported
from memagic.postestimation.margins_result import Margins
from memagic.postestimation.typed import run_margins
from memagic.results import MEResults
from memagic.results.estimates import Estimates
from memagic.results.posted import Posted


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 400
    frame = pd.DataFrame(
        {
            "g": np.repeat(np.arange(40), 10),
            "income": rng.normal(0.4, 1.0, size=n),
            "arm": rng.integers(0, 3, n),
            "z": rng.uniform(1.0, 2.0, n),
        }
    )
    frame["half"] = np.where(frame.arm == 0, 0, 1)
    u = 0.8 * rng.normal(size=40)[frame.g]
    eta = 0.5 * frame.income + 0.6 * (frame.arm == 1) + u
    frame["win"] = (eta + rng.logistic(size=n) > 0).astype(int)
    frame["real"] = eta + rng.normal(size=n)
    return frame


@pytest.fixture(scope="module")
def fit(data: pd.DataFrame) -> MEResults:
    return memagic.run("melogit win income i.arm || g:, intpoints(5)", data=data)


@pytest.fixture(scope="module")
def robust(data: pd.DataFrame) -> MEResults:
    return memagic.run("melogit win income i.arm || g:, intpoints(5) vce(robust)", data=data)


def moved(estimates: Estimates, k: int, step: float) -> Estimates:
    """The same with one parameter of e(b) moved."""
    where = int(estimates.positions[k])
    reported = estimates.fit.estimates.copy()
    reported[where] += step
    theta = from_reported(estimates.problem, reported)
    return replace(estimates, fit=replace(estimates.fit, theta=theta, estimates=reported))


# --- expression() -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "arm, expression(exp(predict(mu)*2) / (1 + xb()^2))",
        ", expression(ln(predict())*_b[income] + income^2*z) dydx(income arm)",
        ", expression(sqrt(predict(mu conditional(fixedonly)))) eyex(income) at(arm=(0 2))",
        ", expression(normal(xb()) - normalden(xb(), 2) + invnormal(predict())) dydx(income)",
        ", expression(invlogit(xb()) * _b[/var(_cons[g])]) dyex(income)",
    ],
)
def test_jacobians_of_expressions_are_those_of_differences(
    fit: MEResults, data: pd.DataFrame, text: str
) -> None:
    found = fit.margins(text, data)
    h = 1e-5
    numerical = np.empty_like(found.jacobian)
    for k in range(len(fit.params)):
        up, down = (run_margins(f"margins {text}", moved(fit.estimates, k, step), data) for step in (h, -h))
        numerical[:, k] = (np.asarray(up.r["b"]) - np.asarray(down.r["b"]))[0] / (2 * h)
    np.testing.assert_allclose(found.jacobian, numerical, rtol=2e-6, atol=2e-7)


def test_expressions_by_hand(fit: MEResults, data: pd.DataFrame) -> None:
    plain = fit.margins("arm, at(income=(0 1))")
    found = fit.margins("arm, expression(100*predict(mu)) at(income=(0 1))")
    np.testing.assert_allclose(found.b, 100 * plain.b)
    np.testing.assert_allclose(found.v, 1e4 * plain.v)
    assert "Expression: 100*predict(mu)" in str(found)
    by_hand = np.mean(data.z * (np.asarray(fit.predict("xb")) + data.income))
    assert fit.margins(", expression(z*(xb() + income))", data).b[0] == pytest.approx(by_hand)
    h = 1e-5
    slope = fit.margins(", expression(exp(predict(mu))*income) dydx(income)").b[0]
    up, down = (
        fit.margins(f", expression(exp(predict(mu))*income) at(income=generate(income+{s}))").b[0]
        for s in (h, -h)
    )
    assert slope == pytest.approx((up - down) / (2 * h), rel=1e-7)


def test_the_probit_scale_of_a_marginal_mean(fit: MEResults, data: pd.DataFrame) -> None:
    # E(normal(xb)) by hand, and its slope: the density times the coefficient.
    xb = np.asarray(fit.predict("xb"))
    found = fit.margins(", expression(normal(xb()))")
    assert found.b[0] == pytest.approx(stats.norm.cdf(xb).mean())
    slope = fit.margins(", expression(normal(xb())) dydx(income)")
    assert slope.b[0] == pytest.approx(stats.norm.pdf(xb).mean() * fit.params["income"])


# --- names --------------------------------------------------------------------------------------


def test_abbreviations(fit: MEResults) -> None:
    short, full = fit.margins("ar, dydx(inc) at(inc=1)"), fit.margins("arm, dydx(income) at(income=1)")
    np.testing.assert_array_equal(short.b, full.b)
    assert short.names == full.names
    np.testing.assert_array_equal(fit.margins(", dydx(inc* ar)").b, fit.margins(", dydx(income arm)").b)


def test_time_series_names(data: pd.DataFrame) -> None:
    session = Session(data=data.assign(t=np.tile(np.arange(10), 40)))
    session.run("tsset g t")
    fit = session.run("meglm real L.income income || g:")
    assert isinstance(fit, MEResults)
    for text in ("L.income", "L1.income", "l.inc"):
        found = fit.margins(f", dydx({text})")
        assert found.b[0] == pytest.approx(fit.params["L.income"])
    at = fit.margins(", at(L.income=(0 1))")
    assert at.b[1] - at.b[0] == pytest.approx(fit.params["L.income"])


# --- comparisons --------------------------------------------------------------------------------


def test_contrasts_are_differences_of_margins(fit: MEResults) -> None:
    plain = fit.margins("arm, at(income=(0 1))")
    found = fit.compare_margins("r.arm, at(income=(0 1))")
    c = np.kron(np.eye(2), [[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    np.testing.assert_allclose(found.comparisons.b, c @ plain.b)
    np.testing.assert_allclose(found.v, c @ plain.v @ c.T)
    names = [test.term for test in found.tests]
    assert names == ["arm@_at 1", "arm@_at 2", "arm@_at Joint"]
    difference = (c @ plain.b)[:2]
    chi2 = difference @ np.linalg.solve((c @ plain.v @ c.T)[:2, :2], difference)
    assert (found.tests[0].df, found.tests[0].statistic) == (2, pytest.approx(chi2))
    across = fit.compare_margins("ar.arm, at(income=(0 1)) contrast(atcontrast(r) nowald)")
    c = np.kron([[-1.0, 1.0]], [[-1.0, 1.0, 0.0], [0.0, -1.0, 1.0]])
    np.testing.assert_allclose(across.comparisons.b, c @ plain.b)
    assert across.tests == ()
    assert across.comparisons.labels[0] == "(2 vs 1) (1 vs 0)"


def test_contrasts_of_effects(fit: MEResults) -> None:
    plain = fit.margins("arm, dydx(income)")
    found = fit.compare_margins("arm, dydx(income) contrast(effects)")
    np.testing.assert_allclose(found.comparisons.b, plain.b[1:] - plain.b[0])
    assert found.tests[0].term == "income: arm"


def test_pairs_of_margins(fit: MEResults) -> None:
    plain = fit.margins("arm, at(income=(0 1))")
    found = fit.compare_margins("arm, at(income=(0 1)) pwcompare(effects) mcompare(bonferroni)")
    assert len(found.comparisons.b) == 15
    assert found.comparisons.labels[0] == "(1 1) vs (1 0)"
    assert found.comparisons.b[0] == pytest.approx(plain.b[1] - plain.b[0])
    assert found.counts == (("_at#arm", 15),)
    alone = fit.compare_margins("arm, at(income=(0 1)) pwcompare(effects)")
    np.testing.assert_allclose(found.comparisons.p, np.minimum(1.0, 15 * alone.comparisons.p))
    linear = fit.compare_margins("arm, predict(xb) pwcompare").comparisons
    known = fit.pwcompare("arm").comparisons
    np.testing.assert_allclose(linear.b, known.b)
    np.testing.assert_allclose(linear.se, known.se)


# --- groups -------------------------------------------------------------------------------------


def test_within_has_the_levels_of_its_group(fit: MEResults, data: pd.DataFrame) -> None:
    found = fit.margins("arm, within(half)", data)
    assert [(row.over[0][1], row.cell[0][1]) for row in found.rows] == [(0, 0), (1, 1), (1, 2)]
    over = fit.margins("arm, over(half)", data)
    np.testing.assert_allclose(found.b, over.b[[0, 4, 5]])
    balanced = fit.margins(", within(half) asbalanced predict(xb)", data)
    cells = fit.margins("arm, within(half) predict(xb)", data).b
    np.testing.assert_allclose(balanced.b, [cells[0], cells[1:].mean()])
    assert "Within:     half" in str(found)


def test_a_subpopulation(fit: MEResults, data: pd.DataFrame) -> None:
    found = fit.margins("arm, subpop(half if z > 1.5)", data)
    np.testing.assert_allclose(found.b, fit.margins("arm if half & z > 1.5", data).b)
    assert (found.n_obs, found.n_subpopulation) == (400, int(((data.half == 1) & (data.z > 1.5)).sum()))


# --- vce(unconditional) -------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "name"), [("meglm", "real"), ("melogit", "win")])
def test_the_mean_of_a_canonical_model_varies_as_the_response(
    data: pd.DataFrame, command: str, name: str
) -> None:
    # The scores of the constant make the mean prediction the mean response.
    fit = memagic.run(f"{command} {name} income i.arm, vce(robust)", data=data)
    found = fit.margins(", vce(unconditional)")
    assert found.b[0] == pytest.approx(data[name].mean(), rel=1e-6)
    assert found.se[0] == pytest.approx(data[name].std() / np.sqrt(len(data)), rel=1e-5)
    assert fit.margins("").se[0] < found.se[0]
    part = fit.margins("if arm == 1, vce(unconditional)")
    assert part.se[0] == pytest.approx(
        np.sqrt(((data[name] - part.b[0])[data.arm == 1] ** 2).sum() / 399 * 400) / (data.arm == 1).sum(),
        rel=1e-5,
    )


def test_unconditional_variances_are_near_the_jackknife(data: pd.DataFrame, robust: MEResults) -> None:
    text = "arm, vce(unconditional)"
    found = robust.margins(text)
    left_out = np.array(
        [
            memagic.run("melogit win income i.arm || g:, intpoints(5)", data=data[data.g != g])
            .margins("arm")
            .b
            for g in range(40)
        ]
    )
    jackknife = np.sqrt(39 / 40 * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    np.testing.assert_allclose(found.se, jackknife, rtol=0.06)
    assert "Unconditional" in str(found)


def test_unconditional_needs_robust(fit: MEResults) -> None:
    with pytest.raises(CommandError, match="requires robust") as error:
        fit.margins(", vce(unconditional)")
    assert error.value.rc == 198


# Rows with frequency weights are those rows repeated, each with the standard errors of the repetition.


def test_unconditional_with_frequency_weights_is_that_of_the_rows_repeated(data: pd.DataFrame) -> None:
    rng = np.random.default_rng(8)
    weighted = data.assign(f=rng.integers(1, 4, len(data)))
    repeated = weighted.loc[weighted.index.repeat(weighted.f)].reset_index(drop=True)
    text = "arm, at(income=(0 1)) vce(unconditional)"
    short = memagic.run("melogit win income i.arm [fw=f], vce(robust)", data=weighted)
    long = memagic.run("melogit win income i.arm, vce(robust)", data=repeated)
    found, expected = short.margins("arm, vce(unconditional)"), long.margins("arm, vce(unconditional)")
    np.testing.assert_allclose(found.b, expected.b, rtol=1e-6)
    np.testing.assert_allclose(found.v, expected.v, rtol=1e-5)
    assert found.n_obs == expected.n_obs == len(repeated)
    assert short.margins(text).se == pytest.approx(long.margins(text).se, rel=1e-5)
    # The rows as such have other errors.
    assert memagic.run("melogit win income i.arm, vce(robust)", data=weighted).margins(
        "arm, vce(unconditional)"
    ).se != pytest.approx(found.se, rel=0.05)


def test_unconditional_with_frequency_weights_of_groups_is_that_of_the_groups_repeated(
    data: pd.DataFrame,
) -> None:
    rng = np.random.default_rng(9)
    copies = rng.integers(1, 4, 40)
    weighted = data.assign(h=copies[data.g], f=rng.integers(1, 3, len(data)))
    rows = weighted.loc[weighted.index.repeat(weighted.f)]
    parts = [rows[rows.g == g].assign(g=100 * g + k) for g in range(40) for k in range(copies[g])]
    repeated = pd.concat(parts, ignore_index=True)
    command = "melogit win income i.arm"
    short = memagic.run(f"{command} [fw=f] || g:, fweight(h) intpoints(5) vce(robust)", data=weighted)
    long = memagic.run(f"{command} || g:, intpoints(5) vce(robust)", data=repeated)
    found, expected = short.margins("arm, vce(unconditional)"), long.margins("arm, vce(unconditional)")
    np.testing.assert_allclose(found.b, expected.b, rtol=1e-5)
    np.testing.assert_allclose(found.v, expected.v, rtol=1e-4)


@pytest.fixture(scope="module")
def surveyed(data: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(10)
    return data.assign(psu=data.g // 2, stratum=data.g // 10, w=rng.uniform(0.5, 3.0, len(data)))


def linearized(frame: pd.DataFrame, moved: np.ndarray, strata: str | None) -> float:
    """The standard error of the sum of what the rows move, by the units within strata ([SVY] eq. 1)."""
    one = pd.DataFrame({"z": moved, "psu": frame.psu, "stratum": 0 if strata is None else frame[strata]})
    total = 0.0
    for _, units in one.groupby("stratum"):
        sums = units.groupby("psu").z.sum()
        total += len(sums) / (len(sums) - 1) * ((sums - sums.mean()) ** 2).sum()
    return float(np.sqrt(total))


@pytest.mark.parametrize("strata", [None, "stratum"])
def test_unconditional_under_a_survey_is_the_variance_of_a_weighted_mean(
    surveyed: pd.DataFrame, strata: str | None
) -> None:
    # As for the canonical model above, the mean prediction is the weighted mean of the response.
    session = Session(data=surveyed)
    session.run("svyset psu [pw=w]" + (f", strata({strata})" if strata else ""))
    fit = session.run("svy: melogit win income i.arm")
    assert isinstance(fit, MEResults)
    found = fit.margins(", vce(unconditional)")
    share = surveyed.w / surveyed.w.sum()
    mean = float(share @ surveyed.win)
    assert found.b[0] == pytest.approx(mean, rel=1e-6)
    moved = np.asarray(share * (surveyed.win - mean))
    assert found.se[0] == pytest.approx(linearized(surveyed, moved, strata), rel=1e-5)
    # By levels of a factor of the model the means are those of the levels, too.
    over = fit.margins(", over(arm) vce(unconditional)")
    for k, level in enumerate((0, 1, 2)):
        inside = surveyed.arm == level
        part = surveyed.w * inside / surveyed.w[inside].sum()
        moved = np.asarray(part * (surveyed.win - part @ surveyed.win))
        assert over.se[k] == pytest.approx(linearized(surveyed, moved, strata), rel=1e-5)
    # Limits by the design's degrees of freedom.
    df = 20 - (1 if strata is None else 4)
    half = stats.t.ppf(0.975, df) * found.se[0]
    assert found.upper[0] - found.b[0] == pytest.approx(half)


def test_unconditional_under_a_survey_of_one_stratum_is_that_of_clusters(surveyed: pd.DataFrame) -> None:
    session = Session(data=surveyed.assign(one=1.0))
    session.run("svyset psu, weight(one) || _n, weight(w)")
    text = "arm, vce(unconditional)"
    survey = session.run("svy: melogit win income i.arm || psu:, intpoints(5)")
    cluster = session.run("melogit win income i.arm [pw=w] || psu:, intpoints(5)")
    assert isinstance(survey, MEResults)
    assert isinstance(cluster, MEResults)
    np.testing.assert_allclose(survey.margins(text).v, cluster.margins(text).v, rtol=1e-4)
    assert survey.margins(text).statistic == "t"


# --- post ---------------------------------------------------------------------------------------


@pytest.fixture
def session(data: pd.DataFrame, fit: MEResults) -> Session:
    made = Session(data=data)
    made.stored["m"] = fit
    made.run("estimates restore m")
    return made


def test_posted_margins_are_estimates(session: Session, fit: MEResults) -> None:
    found = fit.margins("arm")
    session.run("margins arm, post")
    lincom = session.run("lincom 1.arm - 0.arm")
    contrast = fit.compare_margins("r.arm").comparisons
    assert (lincom.b[0], lincom.se[0]) == (pytest.approx(contrast.b[0]), pytest.approx(contrast.se[0]))  # type: ignore[union-attr]
    ratio = session.run("nlcom _b[1.arm]/_b[0.arm]")
    assert ratio.b[0] == pytest.approx(found.b[1] / found.b[0])  # type: ignore[union-attr]
    test = session.run("test 0.arm = 1.arm = 2.arm")
    assert test.statistic == pytest.approx(fit.compare_margins("arm, contrast").tests[0].statistic)  # type: ignore[union-attr]
    session.run("estimates store mm")
    table = str(session.run("estimates table mm m, stats(N ll)"))
    assert "1.arm" in table
    assert session.last is None
    with pytest.raises(CommandError) as error:
        session.run("predict p")
    assert error.value.rc == 301
    assert str(session.run("estimates replay mm")) == str(found)
    session.run("estimates restore m")
    assert session.last is fit


def test_posted_contrasts_are_estimates(session: Session, fit: MEResults) -> None:
    shown = fit.compare_margins("r.arm")
    session.run("margins r.arm, post")
    one = session.run("lincom r1vs0.arm")
    compared = shown.comparisons
    assert (one.b[0], one.se[0]) == (pytest.approx(compared.b[0]), pytest.approx(compared.se[0]))  # type: ignore[union-attr]
    # The difference of two contrasts is that of two margins.
    margins = fit.margins("arm")
    two = session.run("lincom _b[r2vs0.arm] - _b[r1vs0.arm]")
    assert two.b[0] == pytest.approx(margins.b[2] - margins.b[1])  # type: ignore[union-attr]
    row = np.array([0.0, -1.0, 1.0])
    assert two.se[0] == pytest.approx(np.sqrt(row @ margins.v @ row))  # type: ignore[union-attr]
    assert session.run("test r1vs0.arm r2vs0.arm").statistic == pytest.approx(shown.tests[0].statistic)  # type: ignore[union-attr]
    assert session.last is None
    assert str(session.run("estimates replay")) == str(shown)


def test_joint_tests_alone_are_posted_with_their_contrasts(session: Session, fit: MEResults) -> None:
    session.run("margins arm, contrast post at(income=(0 1))")
    names = "r1vs0.arm@1._at r2vs0.arm@1._at"
    expected = fit.compare_margins("arm, contrast at(income=(0 1))").tests[0]
    assert session.run(f"test {names}").statistic == pytest.approx(expected.statistic)  # type: ignore[union-attr]
    with pytest.raises(CommandError) as error:
        session.run("test r1vs0.arm")
    assert error.value.rc == 111
    assert "r1vs0.arm@" in str(error.value.hint)


@pytest.mark.parametrize("text", ["arm, post", "r.arm, post"])
def test_a_result_alone_posts_nothing(fit: MEResults, text: str) -> None:
    ask = fit.compare_margins if text.startswith("r.") else fit.margins
    with pytest.raises(CommandError, match="option post not allowed") as error:
        ask(text)
    assert error.value.rc == 198
    assert error.value.hint is not None
    assert "Session.run" in error.value.hint
    assert error.value.span is not None
    assert f"margins {text}"[slice(*error.value.span)] == "post"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ar.arm", ["ar1vs0.arm", "ar2vs1.arm"]),
        ("a.arm", ["a0vs1.arm", "a1vs2.arm"]),
        ("g.arm", ["g0vsmean.arm", "g1vsmean.arm", "g2vsmean.arm"]),
        ("rb2.arm", ["r0vs2.arm", "r1vs2.arm"]),
        (", at(income=(0 1 2)) contrast(atcontrast(r))", ["r2vs1._at", "r3vs1._at"]),
        ("arm, at(income=(0 1)) contrast(atcontrast(r))", ["r2vs1._at#r1vs0.arm", "r2vs1._at#r2vs0.arm"]),
        ("r.arm, dydx(income)", ["income:r1vs0.arm", "income:r2vs0.arm"]),
        ("r.arm, over(half)", ["r1vs0.arm@0.half", "r2vs0.arm@0.half", "r1vs0.arm@1.half"]),
    ],
)
def test_names_of_posted_contrasts(session: Session, text: str, names: list[str]) -> None:
    session.run(f"margins {text}{',' if ',' not in text else ''} post")
    found = session._shelf().latest()
    assert isinstance(found, Posted)
    assert list(found.names)[: len(names)] == names
    for k, name in enumerate(found.names):
        assert session.run(f"nlcom _b[{name}]").b[0] == pytest.approx(found.b[k])  # type: ignore[union-attr]


def test_the_margins_of_pairs_are_posted(session: Session, fit: MEResults) -> None:
    shown = fit.compare_margins("arm, pwcompare")
    session.run("margins arm, pwcompare post")
    margins = fit.margins("arm")
    found = session.run("lincom 2.arm - 1.arm")
    assert found.b[0] == pytest.approx(margins.b[2] - margins.b[1])  # type: ignore[union-attr]
    assert found.se[0] == pytest.approx(shown.comparisons.se[2])  # type: ignore[union-attr]
    assert str(session.run("estimates replay")) == str(shown)


def test_abbreviations_are_a_setting(session: Session, fit: MEResults) -> None:
    # `margins` takes first letters of the model's variables unless they are switched off.
    short = ("ar", ", dydx(inc)", ", at(inc=1)", ", over(ar)")
    full = ("arm", ", dydx(income)", ", at(income=1)", ", over(arm)")
    for one, other in zip(short, full, strict=True):
        assert str(session.run(f"margins {one}")) == str(session.run(f"margins {other}"))
    session.run("set varabbrev off")
    for text in short:
        with pytest.raises(CommandError, match="not found"):
            session.run(f"margins {text}")
    for text in full:
        session.run(f"margins {text}")
    session.run("margins, dydx(inc*)")


def test_equations_of_posted_effects(session: Session, fit: MEResults) -> None:
    found = fit.margins(", dydx(income arm) at(income=(0 1))")
    session.run("margins, dydx(income arm) at(income=(0 1)) post")
    difference = session.run("lincom [income]1._at - [1.arm]2._at")
    assert difference.b[0] == pytest.approx(found.b[0] - found.b[3])  # type: ignore[union-attr]
    assert session.run("nlcom _b[1.arm:2._at]^2").b[0] == pytest.approx(found.b[3] ** 2)  # type: ignore[union-attr]
    assert session.run("test [income]").df == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "rc"),
    [
        (", expression(predict(mu)) predict(mu)", 198),
        (", expression(predict(stdp))", 198),
        (", expression(nothere*2)", 111),
        (", expression(ln(0*xb()))", 459),
        (", mcompare(sidak)", 198),
        (", contrast", 198),
        ("arm, contrast pwcompare", 198),
        ("r.arm, pwcompare", 198),
        ("arm, contrast(atcontrast(r))", 198),
        ("rb7.arm", 198),
        (", over(arm) within(arm)", 198),
        (", vce(bootstrap)", 198),
        (", subpop(if z > 5)", 2000),
    ],
)
def test_what_is_refused(fit: MEResults, data: pd.DataFrame, text: str, rc: int) -> None:
    with pytest.raises(CommandError) as error:
        run_margins(f"margins {text}", fit.estimates, data)
    assert error.value.rc == rc


# --- the rows of the frame ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def some(data: pd.DataFrame) -> MEResults:
    """Of some rows of the data."""
    return memagic.run("melogit win income if z < 1.8 || g:, intpoints(3)", data=data)


@pytest.mark.parametrize("text", [", over(half)", "if half == 1", ", expression(predict() * z)"])
def test_rows_in_another_order(some: MEResults, data: pd.DataFrame, text: str) -> None:
    """Variables that the model has not are those of the sample's rows."""
    expected = some.margins(text, data)
    for changed in (data.sort_values("income"), pd.concat([data, data.set_index(data.index + 400)])):
        found = some.margins(text, changed)
        np.testing.assert_allclose(found.b, expected.b, rtol=1e-12)
        np.testing.assert_allclose(found.v, expected.v, rtol=1e-10)


@pytest.mark.parametrize(
    ("text", "place"),
    [(", over(half)", "half"), ("if half == 1", "half"), (", expression(predict() * z)", "z")],
)
def test_rows_that_are_others(some: MEResults, data: pd.DataFrame, text: str, place: str) -> None:
    shuffled = data.sample(frac=1.0, random_state=1, ignore_index=True)
    for changed in (shuffled, data.iloc[50:], data.sort_values("income", ignore_index=True)):
        with pytest.raises(CommandError, match=r"have changed since estimation|of other data") as caught:
            some.margins(text, changed)
        error = caught.value
        assert error.rc == 322
        assert error.text is not None
        assert error.span is not None
        assert place in error.text[slice(*error.span)]
    # The model's own variables are known without a frame.
    assert some.margins("if income > 0", shuffled).n_obs == int(((data.income > 0) & (data.z < 1.8)).sum())


def test_margins_follow_a_session_of_other_data(data: pd.DataFrame) -> None:
    session = Session(data)
    session.run("melogit win income || g:, intpoints(3)", data=data[data.z < 1.5])
    found = session.run("margins, over(half)")
    inside = data[data.z < 1.5]
    assert isinstance(found, Margins)
    assert found.n_obs == len(inside)
    session.use(data.iloc[::-1].reset_index(drop=True))
    with pytest.raises(CommandError, match="of other data"):
        session.run("margins, over(half)")
