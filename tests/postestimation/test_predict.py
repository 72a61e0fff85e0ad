"""Predictions against brute-force integration, statsmodels, differences of the likelihood, and each other."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit

import memagic
from memagic import CommandError
from memagic.engine.fit import make_objective
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]
Data = Callable[[str], pd.DataFrame]

INTERCEPT = "melogit c_use i.urban age i.children || district:"
SLOPE = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"
CROSSED = "meglm attain_gt_6 sex, family(bernoulli) || _all: R.sid || pid:"


def made(seed: int = 4, n: int = 360) -> pd.DataFrame:
    """Responses of every kind in schools and classes within them."""
    rng = np.random.default_rng(seed)
    school, room = np.arange(n) % 12, (np.arange(n) // 12) % 3
    x, size = rng.normal(size=n), rng.integers(3, 9, n)
    eta = 0.3 + 0.5 * x + 0.6 * rng.normal(size=12)[school]
    eta += 0.4 * rng.normal(size=(12, 3))[school, room]
    ordinal = np.digitize(eta + rng.logistic(size=n), [-0.5, 0.5, 1.5])
    return pd.DataFrame(
        {
            "school": school,
            "room": room,
            "x": x,
            "arm": pd.Categorical.from_codes(rng.integers(0, 3, n), ["none", "low", "high"]),
            "size": size,
            "days": rng.uniform(0.5, 2.0, n),
            "y": eta + rng.normal(size=n),
            "count": rng.poisson(np.exp(eta - 0.5)),
            "success": rng.binomial(size, expit(eta)),
            "won": (eta + rng.logistic(size=n) > 0).astype(int),
            "time": rng.gamma(2.0, np.exp(eta) / 2.0),
            "grade": 10 * ordinal,
        },
        index=pd.Index([f"r{k}" for k in range(n)], name="row"),
    )


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return made()


@pytest.fixture(scope="module")
def run(frame: pd.DataFrame) -> Callable[[str], MEResults]:
    results: dict[str, MEResults] = {}

    def fit(command: str) -> MEResults:
        if command not in results:
            results[command] = memagic.run(command, data=frame)
        return results[command]

    return fit


Run = Callable[[str], MEResults]

MODELS = [
    "meglm y x i.arm || school: || room:",
    "meglm y x, family(gaussian) link(log) || school:",
    "mepoisson count x, exposure(days) || school: x",
    "menbreg count x i.arm || school:",
    "menbreg count x, dispersion(constant) || school:",
    "melogit success x, binomial(size) || school: || room:",
    "meprobit won x || school: x, covariance(unstructured)",
    "mecloglog won x || school:",
    "meologit grade x || school: || room:",
    "meglm time x, family(gamma) || school:",
]


# --- the sample and other rows -------------------------------------------------------------------


@pytest.mark.parametrize("command", MODELS)
def test_the_frame_again_gives_the_sample(command: str, run: Run, frame: pd.DataFrame) -> None:
    """Columns made from other rows are the design's own."""
    fit = run(command)
    shuffled = frame.sample(frac=1, random_state=np.random.default_rng(2))
    for which in ("mu", "eta", "xb", "stdp", "density", "distribution", "reffects", "reses"):
        for options in ({}, {"marginal": True}) if which in ("mu", "density") else ({},):
            own, other = fit.predict(which, **options), fit.predict(which, shuffled, **options)
            assert own.index.equals(frame.index)
            assert other.index.equals(shuffled.index)
            compare = pd.testing.assert_frame_equal if own.ndim == 2 else pd.testing.assert_series_equal
            compare(other.loc[own.index], own, rtol=1e-9)  # type: ignore[operator]


def test_few_rows_have_the_columns_of_all(run: Run, frame: pd.DataFrame) -> None:
    """Bases are those of the estimation, also where rows have one level, or words in another order."""
    fit = run("meglm y x i.arm || school: || room:")
    high = frame[frame["arm"] == "high"].head(3)
    expected = fit.predict("xb").loc[high.index]
    pd.testing.assert_series_equal(fit.predict("xb", high), expected)
    for arm in (
        pd.Categorical(high["arm"].astype(str), ["high", "low"]),
        high["arm"].astype(str),
        pd.Series(3, index=high.index),
    ):
        pd.testing.assert_series_equal(fit.predict("xb", high.assign(arm=arm)), expected)
    with pytest.raises(CommandError, match="arm has values that the data of the estimates do not have: mid"):
        fit.predict("xb", high.assign(arm="mid"))


def test_levels_not_seen_are_refused(fitted: Fitted, shared_data: Data) -> None:
    frame = shared_data("bangladesh").head(4)
    with pytest.raises(CommandError) as raised:
        fitted(SLOPE, "bangladesh").predict("xb", frame.assign(children=[0, 1, 7, 9]))
    assert raised.value.rc == 459
    assert raised.value.message == "children has levels that are not in the estimation sample: 7, 9"


def test_missing_gives_missing(fitted: Fitted, shared_data: Data) -> None:
    frame = shared_data("bangladesh").head(4).astype(float)
    fit = fitted(SLOPE, "bangladesh")
    holes = frame.assign(
        age=[np.nan, *frame["age"][1:]],
        district=[1, np.nan, 1, 1],
        urban=[1, 1, np.nan, 1],
        c_use=[0, 0, 0, np.nan],
    )
    missing = [
        ("mu", {}, [1, 1, 1, 0]),
        ("mu", {"conditional": "fixedonly"}, [1, 0, 1, 0]),
        ("mu", {"marginal": True}, [1, 0, 1, 0]),
        ("density", {}, [1, 1, 1, 1]),
        ("xb", {}, [1, 0, 1, 0]),
    ]
    for which, options, expected in missing:
        found = fit.predict(which, holes, **options)  # type: ignore[arg-type]
        assert found.isna().tolist() == [bool(k) for k in expected], which
    assert fit.predict("reffects", holes).isna().all(axis=1).tolist() == [False, True, False, False]


def test_new_groups_have_the_prior_mean(run: Run, frame: pd.DataFrame) -> None:
    fit = run("meglm y x i.arm || school: || room:")
    rows = frame.iloc[:3].assign(school=[0, 99, 1], room=[0, 0, 99])
    with pytest.warns(UserWarning, match="not in the estimation sample") as caught:
        found = fit.predict("eta", rows)
    assert [str(w.message).split(" not in")[0] for w in caught] == [
        "1 observation has a value of school",
        "2 observations have values of school>room",
    ]
    u = fit.random_effects
    inner = u["school>room"]["_cons"]
    added = [u["school"]["_cons"][0] + inner[0, 0], 0.0, u["school"]["_cons"][1]]
    np.testing.assert_allclose(found - fit.predict("xb", rows), added, atol=1e-12)
    with pytest.warns(UserWarning, match="prior mean"):
        se = fit.predict("reses", rows)
    deviation = np.sqrt(fit.params[["/var(_cons[school])", "/var(_cons[school>room])"]])
    np.testing.assert_allclose(se.iloc[1], deviation, rtol=1e-10)
    assert se.iloc[2, 0] < deviation.iloc[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit.predict("mu", rows, marginal=True)
        fit.predict("mu", rows.drop(columns=["school", "room"]), conditional="fixedonly")
    with pytest.raises(CommandError, match="variable school not found") as raised:
        fit.predict("mu", rows.drop(columns="school"))
    assert raised.value.hint == "conditional(fixedonly) and marginal do without groups"


def test_crossed_factors(fitted: Fitted, shared_data: Data) -> None:
    fit = fitted(CROSSED, "fifeschool")
    frame = shared_data("fifeschool")
    effects = fit.random_effects
    expected = fit.predict("xb") + effects["_all>sid"]["_cons"][frame["sid"]].to_numpy()
    expected += effects["pid"]["_cons"][frame["pid"]].to_numpy()
    np.testing.assert_allclose(fit.predict("eta"), expected, rtol=1e-10)
    found = fit.predict("reffects")
    assert list(found.columns) == ["_cons[_all>sid]", "_cons[pid]"]
    np.testing.assert_allclose(found.sum(axis=1) + fit.predict("xb"), expected, rtol=1e-10)
    new = frame.head(2).assign(sid=[99, frame["sid"].iloc[1]])
    with pytest.warns(UserWarning, match="1 observation has a value of sid not"):
        some = fit.predict("reffects", new)
    assert some.iloc[0, 0] == 0.0
    np.testing.assert_allclose(some.iloc[1], found.iloc[1])
    # The prior of a new value is that of the others.
    np.testing.assert_allclose(
        fit.predict("mu", new, marginal=True), fit.predict("mu", marginal=True).head(2), rtol=1e-12
    )


# --- against other computations ------------------------------------------------------------------


def _nodes(sigma: np.ndarray, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """A product rule over u ~ N(0, Sigma)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    q = len(sigma)
    grid = np.stack(np.meshgrid(*[nodes] * q, indexing="ij"), axis=-1).reshape(-1, q)
    weight = np.prod(np.stack(np.meshgrid(*[weights] * q, indexing="ij"), axis=-1).reshape(-1, q), axis=1)
    return grid @ np.linalg.cholesky(sigma).T, weight / weight.sum()


def test_marginal_predictions_by_brute_force(fitted: Fitted, shared_data: Data) -> None:
    """Two correlated random effects integrated in two dimensions."""
    fit, frame = fitted(SLOPE, "bangladesh"), shared_data("bangladesh")
    p = fit.params
    v1, v0, c = p[
        ["/var(1.urban[district])", "/var(_cons[district])", "/cov(1.urban[district],_cons[district])"]
    ]
    u, w = _nodes(np.array([[v1, c], [c, v0]]))
    eta = fit.predict("xb").to_numpy()[:, None] + np.outer(frame["urban"], u[:, 0]) + u[:, 1]
    np.testing.assert_allclose(fit.predict(marginal=True), expit(eta) @ w, rtol=1e-9)
    chosen = np.where(frame["c_use"].to_numpy()[:, None] == 1, expit(eta), expit(-eta)) @ w
    np.testing.assert_allclose(fit.predict("density", marginal=True), chosen, rtol=1e-9)
    np.testing.assert_allclose(fit.predict("eta", marginal=True), fit.predict("xb"))
    few = fit.predict(marginal=True, intpoints=3)
    assert 1e-8 < (few - fit.predict(marginal=True)).abs().max() < 1e-3


def test_marginal_counts_and_categories(run: Run, frame: pd.DataFrame) -> None:
    fit = run("mepoisson count x, exposure(days) || school: x")
    p = fit.params
    v = p["/var(_cons[school])"] + frame["x"] ** 2 * p["/var(x[school])"]
    mean = frame["days"] * np.exp(p["_cons"] + p["x"] * frame["x"] + v / 2)
    np.testing.assert_allclose(fit.predict(marginal=True), mean, rtol=1e-12)
    np.testing.assert_allclose(fit.predict(marginal=True, offset=False), mean / frame["days"], rtol=1e-12)
    fit = run("meologit grade x || school: || room:")
    p = fit.params
    sd = np.sqrt(p["/var(_cons[school])"] + p["/var(_cons[school>room])"])
    z, w = np.polynomial.hermite_e.hermegauss(80)
    at = p["/cut2"] - p["x"] * frame["x"].to_numpy()[:, None] - sd * z
    pr = fit.predict("pr", marginal=True)
    np.testing.assert_allclose(pr[[0, 10]].sum(axis=1), expit(at) @ (w / w.sum()), rtol=1e-9)
    np.testing.assert_allclose(pr.sum(axis=1), 1.0, rtol=1e-12)


def test_posterior_means_by_brute_force(fitted: Fitted, shared_data: Data) -> None:
    fit, frame = fitted(INTERCEPT + ", intpoints(15)", "bangladesh"), shared_data("bangladesh")
    rows = frame["district"] == 11
    u = np.linspace(-3, 3, 4001)
    eta = fit.predict("xb")[rows].to_numpy()[:, None] + u
    sign = 2.0 * frame.loc[rows, "c_use"].to_numpy()[:, None] - 1.0
    log_posterior = np.log(expit(sign * eta)).sum(axis=0) - u**2 / 2 / fit.params["/var(_cons[district])"]
    weight = np.exp(log_posterior - log_posterior.max())
    mean = (weight @ u) / weight.sum()
    sd = np.sqrt((weight @ (u - mean) ** 2) / weight.sum())
    np.testing.assert_allclose(fit.predict("reffects")[rows], mean, rtol=1e-6)
    np.testing.assert_allclose(fit.predict("reses")[rows], sd, rtol=1e-6)
    np.testing.assert_allclose(fit.predict()[rows], expit(fit.predict("xb")[rows] + mean), rtol=1e-7)
    mode = u[np.argmax(weight)]
    np.testing.assert_allclose(fit.predict("reffects", conditional="ebmodes")[rows], mode, atol=2e-3)
    assert abs(mode - mean) > 5e-3


@pytest.mark.parametrize(
    ("command", "family"),
    [
        ("mepoisson count x", sm.families.Poisson()),
        ("melogit won x", sm.families.Binomial()),
        ("meglm y x", sm.families.Gaussian()),
        ("meglm time x, family(gamma)", sm.families.Gamma(sm.families.links.Log())),
    ],
)
def test_residuals_of_models_without_random_effects(
    command: str, family: object, run: Run, frame: pd.DataFrame
) -> None:
    fit = run(command)
    y = frame[command.split()[1]]
    other = sm.GLM(y, sm.add_constant(frame[["x"]]), family=family).fit(tol=1e-12)
    # The scale is no part of the residuals.
    close = {"rtol": 2e-5, "atol": 1e-6}
    np.testing.assert_allclose(fit.predict(), other.fittedvalues, **close)
    np.testing.assert_allclose(fit.predict("pearson"), other.resid_pearson, **close)
    np.testing.assert_allclose(fit.predict("deviance"), other.resid_deviance, **close)
    np.testing.assert_allclose(fit.predict("anscombe"), other.resid_anscombe_unscaled, **close)
    np.testing.assert_allclose(
        fit.predict("stdp"),
        np.sqrt(
            np.einsum("ij,jk,ik->i", fit.estimates.design.x, fit.estimates.v[:2, :2], fit.estimates.design.x)
        ),
        rtol=1e-10,
    )
    np.testing.assert_allclose(np.log(fit.predict("density")).sum(), fit.llf, rtol=1e-10)


def test_raw_residuals(run: Run, frame: pd.DataFrame) -> None:
    fit = run("meglm y x i.arm || school: || room:")
    np.testing.assert_allclose(fit.predict("residuals"), frame["y"] - fit.predict(), rtol=1e-12)
    v = fit.params[["/var(_cons[school])", "/var(_cons[school>room])", "/var(e.y)"]].sum()
    z = fit.predict("residuals", marginal=True) / np.sqrt(v)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi * v)
    np.testing.assert_allclose(fit.predict("density", marginal=True), density, rtol=1e-10)


@pytest.mark.parametrize(
    "command", ["melogit success x, binomial(size) || school: || room:", "menbreg count x"]
)
def test_scores_are_differences_of_the_log_likelihood(command: str, run: Run, frame: pd.DataFrame) -> None:
    """By top-level group, in the reported parameters, away from the maximum's own zero."""
    fit = run(command)
    found = fit.predict("scores")
    assert list(found.columns) == list(fit.params.index)
    np.testing.assert_allclose(found.sum(), 0.0, atol=1e-4)
    estimates = fit.estimates
    objective = make_objective(estimates.problem, estimates.settings)
    own = objective.around(estimates.fit.theta)  # type: ignore[attr-defined]
    theta, p = estimates.fit.theta, estimates.problem.p
    by_group = found.groupby(frame["school"].to_numpy()).sum() if "school" in command else found
    m = estimates.problem.n_omega
    for k, name in enumerate(found.columns):
        j = int(estimates.positions[k])
        step = np.zeros(len(theta))
        step[j] = 1e-5
        slope = (own(theta + step) - own(theta - step)) / 2e-5
        if p <= j < p + m:
            # A variance is the square of what theta has.
            slope = slope / (2.0 * theta[j])
        np.testing.assert_allclose(by_group[name], slope, atol=2e-5, err_msg=name)


# --- what was asked for --------------------------------------------------------------------------


def test_categories(run: Run, frame: pd.DataFrame) -> None:
    fit = run("meologit grade x || school: || room:")
    pr = fit.predict("pr")
    assert list(pr.columns) == [0, 10, 20, 30]
    pd.testing.assert_frame_equal(fit.predict(), pr)
    pd.testing.assert_series_equal(fit.predict("pr", outcome=20), pr[20], check_names=False)
    pd.testing.assert_series_equal(fit.predict("pr", outcome="#3"), pr[20], check_names=False)
    own = np.take_along_axis(pr.to_numpy(), frame["grade"].to_numpy()[:, None] // 10, axis=1)[:, 0]
    np.testing.assert_allclose(fit.predict("density"), own)
    for outcome in ("#5", 15, "often"):
        with pytest.raises(CommandError, match=r"outcome\(.*\) not found"):
            fit.predict(outcome=outcome)


def test_probabilities_and_counts_of_successes(run: Run, frame: pd.DataFrame) -> None:
    fit = run("melogit success x, binomial(size) || school: || room:")
    np.testing.assert_allclose(fit.predict("pr"), expit(fit.predict("eta")), rtol=1e-12)
    np.testing.assert_allclose(fit.predict(), frame["size"] * fit.predict("pr"), rtol=1e-12)


def test_notes(fitted: Fitted) -> None:
    fit = fitted(INTERCEPT, "bangladesh")
    means = "(predictions based on fixed effects and posterior means of random effects)"
    assert fit.predict().attrs["notes"] == (means, "(using 7 quadrature points)")
    assert fit.predict(intpoints=5).attrs["notes"] == (means, "(using 5 quadrature points)")
    assert fit.predict(conditional="ebmodes").attrs["notes"] == (means.replace("means", "modes"),)
    assert fit.predict(marginal=True).attrs["notes"] == ()
    assert fit.predict("reffects").attrs["notes"][0] == "(calculating posterior means of random effects)"


def test_the_search_for_effects_has_limits(fitted: Fitted) -> None:
    fit = fitted(INTERCEPT, "bangladesh")
    modes = fit.predict("reffects", conditional="ebmodes")
    none = fit.predict("reffects", conditional="ebmodes", iterate=0)
    one = fit.predict("reffects", conditional="ebmodes", iterate=1)
    assert (none == 0.0).all(axis=None)
    assert 1e-6 < (one - modes).abs().max().max() < 0.5
    rough = fit.predict("reffects", conditional="ebmodes", tolerance=1e-2)
    assert 1e-12 < (rough - modes).abs().max().max() < 0.05
    means = fit.predict("reffects")
    assert 1e-12 < (fit.predict("reffects", iterate=1) - means).abs().max().max() < 1e-2
    assert 1e-9 < (fit.predict("reffects", intpoints=3) - means).abs().max().max() < 1e-2


@pytest.mark.parametrize(
    ("command", "which", "options", "message"),
    [
        ("meglm y x", "pr", {}, "pr is allowed for binary and ordinal responses only"),
        ("mepoisson count x", "residuals", {}, "residuals is allowed for Gaussian responses only"),
        ("meologit grade x || school: || room:", "pearson", {}, "pearson is not allowed for ordinal"),
        ("menbreg count x, dispersion(constant) || school:", "anscombe", {}, "anscombe is not defined"),
        ("meglm y x", "mu", {"outcome": 1}, r"outcome\(\) is allowed for ordinal responses only"),
        ("meglm y x", "reffects", {}, "the model has no random effects"),
        ("meglm y x", "fitted", {}, "statistic fitted not allowed"),
    ],
)
def test_refused(command: str, which: str, options: dict[str, object], message: str, run: Run) -> None:
    with pytest.raises(CommandError, match=message) as raised:
        run(command).predict(which, **options)
    assert raised.value.rc == 198


def test_starting_values_predict_nothing(frame: pd.DataFrame) -> None:
    fit = memagic.run("melogit won x || school:, noestimate", data=frame)
    with pytest.raises(CommandError, match="last estimates not found"):
        fit.predict()
    with pytest.raises(CommandError, match="last estimates not found"):
        fit.simulate()
    with pytest.raises(CommandError, match="last estimates not found"):
        fit.estat("ic")


def test_scores_of_other_rows_are_refused(run: Run, frame: pd.DataFrame) -> None:
    with pytest.raises(CommandError, match="the last estimates are of other data") as raised:
        run("meglm y x").predict("scores", frame.set_index(pd.Index([f"row {k}" for k in range(len(frame))])))
    assert raised.value.rc == 322


def test_scores_of_rows_in_another_order(run: Run, frame: pd.DataFrame) -> None:
    fit = run("meglm y x")
    whole = fit.predict("scores")
    assert isinstance(whole, pd.DataFrame)
    for rows in (frame.sort_values("x"), frame.head(5)):
        found = fit.predict("scores", rows)
        pd.testing.assert_frame_equal(found, whole.loc[rows.index], check_like=True)
    assert "are not in the data" in found.attrs["notes"][0]


def test_scores_of_crossed_effects(fitted: Fitted) -> None:
    """All observations are one group: its scores stand at the last of them."""
    fit = fitted(CROSSED, "fifeschool")
    found = fit.predict("scores")
    assert (found.iloc[:-1] == 0.0).all(axis=None)
    np.testing.assert_allclose(found.iloc[-1], fit.e["gradient"].iloc[0][found.columns], atol=1e-4)
