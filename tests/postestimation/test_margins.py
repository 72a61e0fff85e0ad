"""margins: brute force for means, differences for derivatives and Jacobians, statsmodels without effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

import memagic
from memagic import CommandError, Session
from memagic.engine.space import from_reported
from memagic.postestimation.margins_result import Margins
from memagic.postestimation.typed import run_margins
from memagic.results import MEResults
from memagic.results.estimates import Estimates

Fitted = Callable[[str, str], MEResults]


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """Sixty groups of ten; every response depends on x, a factor variable and a random slope."""
    rng = np.random.default_rng(12)
    n = 600
    g = np.repeat(np.arange(60), 10)
    x, arm = rng.normal(0.5, 1.0, size=n), rng.integers(0, 3, size=n)
    u, v = 0.9 * rng.normal(size=60)[g], 0.8 * rng.normal(size=60)[g]
    eta = -0.2 + 0.4 * x + 0.5 * (arm == 1) - 0.3 * (arm == 2) * x + u + v * x
    frame = pd.DataFrame(
        {"g": g, "x": x, "arm": arm, "side": rng.integers(0, 2, n), "off": 0.2 * rng.normal(size=n)}
    )
    frame["win"] = (eta + rng.logistic(size=n) > 0).astype(int)
    frame["count"] = rng.poisson(np.exp(0.5 * eta))
    frame["k"] = rng.binomial(4, expit(eta))
    frame["cat"] = 2 * (np.digitize(eta + rng.logistic(size=n), [-0.8, 1.0]) + 1)
    frame["real"] = eta + rng.normal(size=n)
    return frame


COMMANDS = {
    "logit": "melogit win i.arm##c.x || g: x, covariance(unstructured)",
    "probit": "meprobit win i.arm##c.x || g: x, covariance(unstructured)",
    "cloglog": "mecloglog win i.arm##c.x || g: x",
    "poisson": "mepoisson count i.arm c.x##c.x, offset(off) || g: x",
    "nbinomial": "menbreg count i.arm x || g:",
    "binomial": "melogit k i.arm##c.x, binomial(4) || g: x",
    "ordinal": "meologit cat i.arm##c.x || g: x, covariance(exchangeable)",
    "linear": "meglm real i.arm##c.x || g: x, covariance(unstructured)",
}


@pytest.fixture(scope="module")
def fits(data: pd.DataFrame) -> Callable[[str], MEResults]:
    made: dict[str, MEResults] = {}

    def fit(name: str) -> MEResults:
        if name not in made:
            made[name] = memagic.run(COMMANDS[name], data=data)
        return made[name]

    return fit


# --- margins by brute force --------------------------------------------------------------------


def moved(estimates: Estimates, k: int, step: float) -> Estimates:
    """The estimates with one element of b moved."""
    values = estimates.fit.estimates.copy()
    values[estimates.positions[k]] += step
    theta = from_reported(estimates.problem, values)
    return replace(estimates, fit=replace(estimates.fit, estimates=values, theta=theta))


OPTIONS = [
    "",
    "arm",
    "arm, at(x=(-1 2))",
    ", dydx(*)",
    "arm, dydx(x) at(x=.5)",
    ", eyex(x)",
    ", dyex(x)",
    ", eydx(*)",
    ", atmeans dydx(x)",
    "arm, predict(mu conditional(fixedonly))",
    ", dydx(x) predict(xb)",
]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_jacobians_are_those_of_differences(fits: Callable[[str], MEResults], name: str) -> None:
    estimates = fits(name).estimates
    h = 1e-5
    # Logarithms of a response that may be negative have no value.
    kept = [options for options in OPTIONS if name != "linear" or ", ey" not in options]
    for options in kept if name in ("logit", "linear", "ordinal") else kept[2:9]:
        text = f"margins {options}"
        found = run_margins(text, estimates)
        numerical = np.array(
            [
                (run_margins(text, moved(estimates, k, h)).b - run_margins(text, moved(estimates, k, -h)).b)
                / (2 * h)
                for k in range(len(estimates.parameters))
            ]
        ).T
        np.testing.assert_allclose(found.jacobian, numerical, rtol=2e-5, atol=2e-7, err_msg=options)
        np.testing.assert_allclose(found.v, found.jacobian @ estimates.v @ found.jacobian.T, rtol=1e-12)


@pytest.mark.parametrize("name", ["logit", "probit", "cloglog", "poisson", "binomial"])
def test_marginal_means_are_averages_of_draws_of_the_effects(
    fits: Callable[[str], MEResults], data: pd.DataFrame, name: str
) -> None:
    """Gauss-Hermite over both random effects, in place of the one normal linear predictor."""
    fit = fits(name)
    b = fit.params
    shifted = data.assign(arm=1, x=data.x + 0.3)
    eta = _eta(b, shifted) + (shifted.off if name == "poisson" else 0.0)
    names = ["/var(_cons[g])", "/var(x[g])", "/cov(x[g],_cons[g])"]
    var_cons, var_x = b[names[0]], b[names[1]]
    cov = b.get(names[2], 0.0)
    chol = np.linalg.cholesky(np.array([[var_cons, cov], [cov, var_x]]))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    inverse = {"probit": stats.norm.cdf, "cloglog": lambda t: -np.expm1(-np.exp(t)), "poisson": np.exp}.get(
        name, expit
    )
    total = 0.0
    for e1, w1 in zip(nodes, weights, strict=True):
        for e2, w2 in zip(nodes, weights, strict=True):
            u, v = chol @ np.array([e1, e2])
            total += w1 * w2 * float(np.mean(inverse(eta + u + v * shifted.x)))
    found = fit.margins("1.arm, at(x=generate(x + .3))", data)
    assert found.b[0] == pytest.approx(total * (4 if name == "binomial" else 1), rel=1e-6)


def _eta(b: pd.Series, frame: pd.DataFrame) -> pd.Series:
    eta = b["_cons"] + b["x"] * frame.x
    for level in (1, 2):
        eta = eta + b[f"{level}.arm"] * (frame.arm == level)
        eta = eta + b.get(f"{level}.arm#c.x", 0.0) * (frame.arm == level) * frame.x
    return eta + b.get("c.x#c.x", 0.0) * frame.x**2


@pytest.mark.parametrize("name", ["logit", "poisson", "linear"])
def test_derivatives_are_those_of_differences(
    fits: Callable[[str], MEResults], data: pd.DataFrame, name: str
) -> None:
    fit, h = fits(name), 1e-4
    found = fit.margins(", dydx(x)").b[0]
    up, down = (fit.margins(f", at(x=generate(x + {s!r}))", data).b[0] for s in (h, -h))
    assert found == pytest.approx((up - down) / (2 * h), rel=1e-6)
    high, low = fit.margins("2.arm 0.arm").b
    change = fit.margins(", dydx(arm)")
    assert change.rows[1].level == 2.0
    assert change.b[1] == pytest.approx(high - low)


def test_probabilities_of_outcomes_sum_to_one(fits: Callable[[str], MEResults]) -> None:
    fit = fits("ordinal")
    found = fit.margins("arm")
    assert len(found.predictions) == 3
    assert len(found.b) == 9
    by_arm = found.b.reshape(3, 3).sum(axis=0)
    np.testing.assert_allclose(by_arm, 1.0)
    text = str(found)
    assert "2._predict: Marginal predicted Pr(cat==4), predict(outcome(4))" in text
    assert "_predict#arm" in text
    one = fit.margins("arm, predict(pr outcome(#2))")
    np.testing.assert_allclose(one.b, found.b[3:6])
    np.testing.assert_allclose(fit.margins("arm, predict(outcome(4))").b, found.b[3:6])
    effects = fit.margins(", dydx(x)")
    assert effects.b.sum() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("method", ["dydx", "eyex", "dyex", "eydx"])
def test_statsmodels_without_random_effects(data: pd.DataFrame, method: str) -> None:
    import statsmodels.api as sm

    fit = memagic.run("melogit win x off", data=data)
    other = sm.Logit(data.win, sm.add_constant(data[["x", "off"]])).fit(disp=0)
    expected = other.get_margeff(method=method)
    found = fit.margins(f", {method}(*)")
    np.testing.assert_allclose(found.b, expected.margeff, rtol=1e-6)
    np.testing.assert_allclose(found.se, expected.margeff_se, rtol=1e-5)
    at_means = other.get_margeff(at="mean", method=method)
    found = fit.margins(f", {method}(*) atmeans")
    np.testing.assert_allclose(found.b, at_means.margeff, rtol=1e-6)
    assert found.title == "Conditional marginal effects"


def test_linear_margins_are_lincom(fits: Callable[[str], MEResults], data: pd.DataFrame) -> None:
    fit = fits("linear")
    found = fit.margins("2.arm, at(x=1.5) level(90)")
    by_hand = fit.lincom("_cons + 2.arm + 1.5*x + 1.5*2.arm#c.x, level(90)")
    for name in ("b", "se", "z", "p", "lower", "upper"):
        assert getattr(found, name)[0] == pytest.approx(getattr(by_hand, name)[0]), name
    assert found.title == "Adjusted predictions"
    xb = fit.margins("2.arm, at(x=1.5) predict(xb)")
    assert xb.b[0] == pytest.approx(by_hand.b[0])


# --- what is set to what -----------------------------------------------------------------------


def test_statistics(fits: Callable[[str], MEResults], data: pd.DataFrame) -> None:
    fit = fits("linear")
    expected = {
        "mean": data.x.mean(),
        "median": data.x.median(),
        "p10": np.quantile(data.x, 0.1, method="averaged_inverted_cdf"),
        "min": data.x.min(),
        "max": data.x.max(),
        "zero": 0.0,
    }
    for word, value in expected.items():
        found = fit.margins(f", at(({word}) x)").r["at"].loc["r1", "x"]
        assert found == pytest.approx(value), word
    by_arm = fit.margins(", over(side) at((mean) x arm=0)", data)
    overall = fit.margins(", over(side) at((omean) x arm=0)", data)
    b = fit.params
    means = data.groupby("side").x.mean()
    np.testing.assert_allclose(by_arm.b, b["_cons"] + b["x"] * means)
    np.testing.assert_allclose(overall.b, b["_cons"] + b["x"] * data.x.mean())


def test_points_override_from_left_to_right(fits: Callable[[str], MEResults]) -> None:
    fit = fits("linear")
    assert fit.margins(", at((mean) _all x=2)").r["at"].loc["r1", "x"] == 2.0
    assert fit.margins(", at(x=2 (zero) x)").r["at"].loc["r1", "x"] == 0.0
    found = fit.margins(", at(x=(0(1)2) arm=(0 1)) at((base) _factor)")
    assert len(found.b) == 7
    assert [row.at for row in found.rows] == list(range(7))
    assert fit.margins(", atmeans at((asobserved) x)").r["at"].columns.tolist() == ["0.arm", "1.arm", "2.arm"]


def test_factors_at_shares(fits: Callable[[str], MEResults], data: pd.DataFrame) -> None:
    fit = fits("linear")
    b = fit.params
    third = b["_cons"] + (b["1.arm"] + b["2.arm"]) / 3
    assert fit.margins(", at((asbalanced) arm x=0)").b[0] == pytest.approx(third)
    assert fit.margins(", asbalanced at(x=0)").b[0] == pytest.approx(third)
    shares = data.arm.value_counts(normalize=True)
    mean = b["_cons"] + b["1.arm"] * shares[1] + b["2.arm"] * shares[2]
    assert fit.margins(", at((mean) arm x=0)").b[0] == pytest.approx(mean)
    assert fit.margins(", at((base) arm x=0)").b[0] == pytest.approx(b["_cons"])


def test_over_and_if(fits: Callable[[str], MEResults], data: pd.DataFrame) -> None:
    fit = fits("logit")
    found = fit.margins(", over(side)", data)
    for k, side in enumerate((0, 1)):
        one = fit.margins(f"if side == {side}", data)
        assert found.b[k] == pytest.approx(one.b[0])
        assert one.n_obs == int((data.side == side).sum())
    share = (data.side == 1).mean()
    assert fit.margins().b[0] == pytest.approx((1 - share) * found.b[0] + share * found.b[1])
    with pytest.raises(CommandError) as error:
        fit.margins(", over(off)", data)
    assert error.value.rc == 459


def test_weights_count(data: pd.DataFrame) -> None:
    frame = data.assign(w=1 + data.side)
    weighted = memagic.run("melogit win x [fw=w]", data=frame)
    doubled = memagic.run("melogit win x", data=pd.concat([frame, frame[frame.side == 1]]))
    a, b = weighted.margins(", dydx(x)"), doubled.margins(", dydx(x)")
    assert a.b[0] == pytest.approx(b.b[0])
    assert a.se[0] == pytest.approx(b.se[0])
    assert a.n_obs == b.n_obs == int(frame.w.sum())


# --- words -------------------------------------------------------------------------------------


def test_text_of_the_manual(fits: Callable[[str], MEResults]) -> None:
    found = fits("probit").margins("i.arm, at(x=(-1 1))")
    lines = str(found).split("\n")
    assert lines[:7] == [
        f"{'Adjusted predictions':<58} Number of obs = 600",
        "Model VCE: OIM",
        "",
        "Expression: Marginal predicted mean, predict()",
        "",
        "1._at: x = -1",
        "2._at: x =  1",
    ]
    assert lines[8:15] == [
        "-" * 78,
        "             |            Delta-method",
        "             |     Margin   std. err.      z    P>|z|     [95% conf. interval]",
        "-" * 13 + "+" + "-" * 64,
        "     _at#arm |",
        lines[13],
        lines[14],
    ]
    assert lines[13].startswith("        1 0  |   ")
    assert found.names[0] == "1._at#0.arm"
    assert found.r["table"].loc["b", "1._at#0.arm"] == found.b[0]
    assert "Number of obs = 600" in found.to_html()


def test_effects_in_words(fits: Callable[[str], MEResults]) -> None:
    text = str(fits("probit").margins(", dydx(*)"))
    assert text.startswith("Average marginal effects ")
    assert "dy/dx wrt:  1.arm 2.arm x" in text
    assert text.endswith("Note: dy/dx for factor levels is the discrete change from the base level.")


@pytest.mark.parametrize(
    ("text", "rc"),
    [
        ("nothere", 322),
        ("x", 322),
        ("7.arm", 322),
        (", dydx(nothere)", 322),
        (", eyex(arm)", 198),
        (", dydx(x) eyex(x)", 198),
        ("arm, dydx(arm)", 198),
        (", at(x)", 198),
        (", at(y=1)", 322),
        (", at(arm=5)", 322),
        (", at((mode) x)", 198),
        (", at((base) x)", 198),
        (", predict(stdp)", 198),
        (", predict(mu conditional(ebmeans))", 198),
        (", predict(outcome(2))", 198),
        (", over(nothere)", 111),
        ("if x > 1000", 2000),
        (", vce(unconditional)", 198),
        (", level(5)", 198),
    ],
)
def test_what_is_refused(fits: Callable[[str], MEResults], text: str, rc: int) -> None:
    with pytest.raises(CommandError) as error:
        fits("probit").margins(text)
    assert error.value.rc == rc


def test_probabilities_are_for_some_families_only(fits: Callable[[str], MEResults]) -> None:
    for name, text in (("poisson", ", predict(pr)"), ("ordinal", ", predict(outcome(3))")):
        with pytest.raises(CommandError):
            fits(name).margins(text)


def test_the_command(data: pd.DataFrame) -> None:
    session = Session(data=data)
    with pytest.raises(CommandError) as error:
        session.run("margins")
    assert error.value.rc == 301
    session.run(COMMANDS["logit"])
    found = session.run("margins, over(side)")
    assert isinstance(found, Margins)
    assert len(found.b) == 2


def test_crossed_factors_have_their_variance(data: pd.DataFrame) -> None:
    fit = memagic.run("melogit win x || _all: R.side || g:", data=data)
    found = fit.margins(", at(x=0)").b[0]
    s2 = fit.params.filter(like="/var").sum()
    nodes = np.linspace(-9, 9, 4001)
    weights = stats.norm.pdf(nodes) * (nodes[1] - nodes[0])
    assert found == pytest.approx(float(weights @ expit(fit.params["_cons"] + np.sqrt(s2) * nodes)), rel=1e-7)


def test_factors_of_the_random_part_only(data: pd.DataFrame) -> None:
    fit = memagic.run("meprobit win x || g: i.side", data=data)
    b = fit.params
    for side in (0, 1):
        s2 = b["/var(_cons[g])"] + side * b["/var(1.side[g])"]
        expected = stats.norm.cdf((b["_cons"] + b["x"]) / np.sqrt(1 + s2))
        assert fit.margins(f", at(x=1 side={side})").b[0] == pytest.approx(expected)
    change = fit.margins(", dydx(side) at(x=1)")
    low, high = fit.margins("side, at(x=1)").b
    assert change.b[0] == pytest.approx(high - low)
