"""What must be equal: two ways to the same likelihood, and models that are each other's rewriting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.integrate import quad
from scipy.special import expit, logsumexp

import memagic
from memagic.engine import blocks as blocks_module
from memagic.engine.covariance import CovarianceStructure, exchangeable, identity, independent, unstructured
from memagic.engine.fit import Settings, fit, make_objective
from memagic.engine.laplace import LaplaceObjective
from memagic.engine.linear import LinearObjective
from memagic.engine.nodes import Method
from memagic.engine.problem import Level, Problem
from memagic.engine.quadrature import QuadratureObjective
from memagic.engine.rules import product_rule

Array = NDArray[np.float64]
Maker = Callable[..., tuple[Problem, Array]]

FAMILIES = (
    "bernoulli-logit",
    "binomial-logit",
    "binomial-probit",
    "binomial-cloglog",
    "poisson-log",
    "gaussian-identity",
    "gaussian-log",
)
# With a small residual variance the posterior is narrow, and few fixed nodes fall on it.
NARROW = ("gaussian-identity", "gaussian-log")
METHODS: tuple[Method, ...] = ("mvaghermite", "mcaghermite", "ghermite", "laplace")


def log_density(family: str, problem: Problem, eta: Array, phi: Array) -> Array:
    """The complete log density by scipy.stats; eta has one row an observation."""
    y = problem.y[:, None]
    if family == "poisson-log":
        return np.asarray(stats.poisson.logpmf(y, np.exp(eta)))
    if family.startswith("gaussian"):
        mean = np.exp(eta) if family.endswith("log") else eta
        return np.asarray(stats.norm.logpdf(y, mean, np.exp(phi[0])))
    link = family.split("-")[1]
    if link == "logit":
        success = expit(eta)
    elif link == "probit":
        success = stats.norm.cdf(eta)
    else:
        success = -np.expm1(-np.exp(eta))
    trials = problem.trials if isinstance(problem.trials, float) else problem.trials[:, None]
    return np.asarray(stats.binom.logpmf(y, trials, success))


def joint(family: str, problem: Problem, theta: Array, j: int, v: Array) -> Array:
    """Log f(y_j | v) + log phi(v) at values of v of shape (K, q)."""
    (level,) = problem.levels
    parameters = problem.unpack(theta)
    effects = v @ level.structure.factor(parameters.omega).T
    eta = problem.fixed_part(parameters.beta)[:, None] + level.z @ effects.T
    rows = level.cluster == j
    logf = log_density(family, problem, eta, parameters.phi)[rows].sum(axis=0)
    return np.asarray(logf + stats.norm.logpdf(v).sum(axis=1))


@pytest.mark.parametrize("family", FAMILIES)
def test_quadrature_is_the_integral(family: str, model: Maker) -> None:
    problem, theta = model(family, sizes=(1, 3, 2))

    def integrand(v: float, j: int) -> float:
        return float(np.exp(joint(family, problem, theta, j, np.array([[v]]))[0]))

    whole = [quad(integrand, -9.0, 9.0, (j,), epsabs=0.0, epsrel=1e-11, limit=200)[0] for j in range(3)]
    exact = float(np.log(whole).sum())
    for method in ("mvaghermite", "mcaghermite"):
        assert QuadratureObjective(problem, method, 61).value(theta) == pytest.approx(exact, rel=1e-9)
    fixed = QuadratureObjective(problem, "ghermite", 101).value(theta)
    assert fixed == pytest.approx(exact, rel=1e-5 if family in NARROW else 1e-9)


@pytest.mark.parametrize("structure", ["independent", "identity", "exchangeable", "unstructured"])
@pytest.mark.parametrize("family", ["binomial-logit", "poisson-log"])
def test_quadrature_is_the_integral_in_two_dimensions(family: str, structure: str, model: Maker) -> None:
    problem, theta = model(family, structure, 2, sizes=(1, 3, 2))
    # The trapezoidal rule converges faster than any power of the step for such integrands.
    axis = np.linspace(-8.0, 8.0, 129)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    cell = 2.0 * np.log(axis[1] - axis[0])
    exact = sum(float(logsumexp(joint(family, problem, theta, j, grid))) + cell for j in range(3))
    assert QuadratureObjective(problem, "mvaghermite", 21).value(theta) == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize(("structure", "q"), [("independent", 1), ("unstructured", 2)])
@pytest.mark.parametrize("family", FAMILIES)
def test_one_point_is_laplace(family: str, structure: str, q: int, model: Maker) -> None:
    problem, theta = model(family, structure, q)
    laplace = LaplaceObjective(problem)
    one_point = QuadratureObjective(problem, "mcaghermite", 1)
    assert one_point.value(theta) == pytest.approx(laplace.value(theta), rel=1e-12)
    assert isinstance(
        make_objective(replace(problem), Settings("mcaghermite", 1)),
        LinearObjective if problem.family.closed_form else LaplaceObjective,
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_adaptive_and_fixed_nodes_agree(family: str, model: Maker) -> None:
    problem, theta = model(family)
    fixed = QuadratureObjective(problem, "ghermite", 101).evaluate(theta)
    adaptive = QuadratureObjective(problem, "mvaghermite", 61).evaluate(theta)
    assert adaptive.value == pytest.approx(fixed.value, rel=1e-5 if family in NARROW else 1e-9)
    # Derivatives of an integral to fewer digits than the integral itself.
    scale = 1.0 + np.abs(fixed.hessian).max()
    tolerance = 5e-3 if family in NARROW else 1e-7
    assert np.abs(adaptive.scores - fixed.scores).max() < tolerance * scale
    assert np.abs(adaptive.hessian - fixed.hessian).max() < tolerance * scale


@pytest.mark.parametrize(
    ("structure", "q"),
    [("independent", 1), ("independent", 2), ("identity", 2), ("exchangeable", 2), ("unstructured", 3)],
)
def test_closed_form_is_the_multivariate_normal(structure: str, q: int, model: Maker) -> None:
    problem, theta = model("gaussian-identity", structure, q)
    (level,) = problem.levels
    parameters = problem.unpack(theta)
    sigma = level.structure.sigma(parameters.omega)
    exact = 0.0
    for j in range(problem.n_clusters):
        rows = level.cluster == j
        z = level.z[rows]
        covariance = z @ sigma @ z.T + np.exp(2.0 * parameters.phi[0]) * np.eye(len(z))
        mean = problem.fixed_part(parameters.beta)[rows]
        exact += float(stats.multivariate_normal.logpdf(problem.y[rows], mean, covariance))
    linear = LinearObjective(problem).evaluate(theta)
    assert linear.value == pytest.approx(exact, rel=1e-12)
    # The rule is exact for a normal posterior, the Laplacian approximation too.
    scale = 1.0 + np.abs(linear.hessian).max()
    laplace = LaplaceObjective(problem).evaluate(theta)
    assert laplace.value == pytest.approx(exact, rel=1e-12)
    assert np.abs(laplace.scores - linear.scores).max() < 1e-9 * scale
    assert np.abs(laplace.hessian - linear.hessian).max() < 1e-7 * scale
    # Of derivatives with nodes held, polynomials in v of degree four, from three points on; the moment
    # updates stop at 1e-11 of the log likelihood.
    quadrature = QuadratureObjective(problem, "mvaghermite", 5).evaluate(theta)
    assert quadrature.value == pytest.approx(exact, rel=1e-10)
    assert np.abs(quadrature.scores - linear.scores).max() < 1e-6 * scale
    assert np.abs(quadrature.hessian - linear.hessian).max() < 1e-6 * scale


@pytest.mark.parametrize("n_points", [1, 2, 7, 20, 101])
def test_rule_integrates_polynomials(n_points: int) -> None:
    rule = product_rule(n_points, 1)
    weights = np.exp(rule.log_weights)
    assert weights.sum() == pytest.approx(1.0, rel=1e-14)
    moment = 1.0
    for power in range(2, min(2 * n_points, 20), 2):
        moment *= power - 1
        assert weights @ rule.nodes[:, 0] ** power == pytest.approx(moment, rel=1e-11)
        assert weights @ rule.nodes[:, 0] ** (power - 1) == pytest.approx(0.0, abs=1e-11 * moment)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", ["binomial-logit", "poisson-log"])
def test_order_and_labels_of_groups_do_not_matter(family: str, method: Method, model: Maker) -> None:
    problem, theta = model(family, "unstructured", 2)
    assert problem.offset is not None
    (level,) = problem.levels
    rng = np.random.default_rng(3)
    rows = rng.permutation(len(problem.y))
    relabel = rng.permutation(problem.n_clusters)
    trials = problem.trials if isinstance(problem.trials, float) else problem.trials[rows]
    other = replace(
        problem,
        y=problem.y[rows],
        x=problem.x[rows],
        offset=problem.offset[rows],
        trials=trials,
        levels=(Level(relabel[level.cluster[rows]], level.z[rows], level.structure),),
    )
    settings = Settings(method, 5)
    here = make_objective(problem, settings).evaluate(theta)
    there = make_objective(other, settings).evaluate(theta)
    scale = 1.0 + np.abs(here.hessian).max()
    assert there.value == pytest.approx(here.value, rel=1e-10)
    assert np.abs(there.scores[relabel] - here.scores).max() < 1e-10 * scale
    assert np.abs(there.hessian - here.hessian).max() < (1e-6 if method == "laplace" else 1e-10) * scale


@pytest.mark.parametrize("elements", [1, 40, 200])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", ["binomial-probit", "gaussian-identity", "gaussian-log"])
def test_block_size_does_not_matter(
    family: str, method: Method, elements: int, model: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, theta = model(family, "independent", 2, sizes=(1, 4, 7, 2, 5, 9, 1, 3))
    settings = Settings(method, 5)
    whole = make_objective(problem, settings).evaluate(theta)
    monkeypatch.setattr(blocks_module, "_BLOCK_ELEMENTS", elements)
    if elements == 1:
        assert len(blocks_module.arrange(problem, 5)) == problem.n_clusters
    cut = make_objective(problem, settings).evaluate(theta)
    # The adaptation of the nodes stops for a block as a whole, at 1e-11 of its log likelihood.
    scale = 1.0 + np.abs(whole.hessian).max()
    assert cut.value == pytest.approx(whole.value, rel=1e-10)
    assert np.abs(cut.scores - whole.scores).max() < 1e-7 * scale
    assert np.abs(cut.hessian - whole.hessian).max() < 1e-6 * scale


def with_structure(problem: Problem, structure: CovarianceStructure) -> Problem:
    """The problem with another covariance structure of its one level."""
    (level,) = problem.levels
    return replace(problem, levels=(replace(level, structure=structure),))


@pytest.mark.parametrize("family", ["binomial-logit", "poisson-log", "gaussian-identity"])
def test_structures_of_one_effect_are_one(family: str, model: Maker) -> None:
    problem, theta = model(family)
    values = [
        make_objective(with_structure(problem, structure(1)), Settings()).value(theta)
        for structure in (independent, identity, exchangeable, unstructured)
    ]
    assert values == pytest.approx([values[0]] * 4, rel=1e-12)


def test_structures_of_two_effects_nest(model: Maker) -> None:
    problem, theta = model("poisson-log", "independent", 2)
    p = problem.p

    def value(structure: Callable[[int], CovarianceStructure], *omega: float) -> float:
        at = np.concatenate([theta[:p], omega])
        return QuadratureObjective(with_structure(problem, structure(2)), "mvaghermite", 9).value(at)

    same = value(identity, 0.7)
    assert value(independent, 0.7, 0.7) == pytest.approx(same, rel=1e-11)
    assert value(unstructured, 0.7, 0.0, 0.7) == pytest.approx(same, rel=1e-11)
    assert value(exchangeable, 0.7, 0.7) == pytest.approx(same, rel=1e-9)
    # Variance .29 and covariance .2 twice: the nodes of the two factors are turned against each other.
    mean, difference = np.sqrt(0.29 + 0.2), np.sqrt(0.29 - 0.2)
    factor = np.linalg.cholesky(np.array([[0.29, 0.2], [0.2, 0.29]]))
    whole = value(unstructured, factor[0, 0], factor[1, 0], factor[1, 1])
    assert value(exchangeable, float(difference), float(mean)) == pytest.approx(whole, rel=1e-7)


def test_the_likelihood_knows_no_sign_of_a_deviation(model: Maker) -> None:
    problem, theta = model("binomial-cloglog")
    objective = QuadratureObjective(problem, "mvaghermite", 7)
    mirrored = theta.copy()
    mirrored[problem.p] *= -1.0
    assert objective.value(mirrored) == pytest.approx(objective.value(theta), rel=1e-12)


def test_more_points_converge(model: Maker) -> None:
    problem, _ = model("binomial-logit", sizes=(6,) * 25, seed=5)
    best = fit(problem, Settings("mvaghermite", 41))
    errors = []
    for n_points in (3, 5, 7, 11, 15):
        fitted = fit(problem, Settings("mvaghermite", n_points))
        assert fitted.converged
        errors.append(float(np.abs(fitted.estimates - best.estimates).max()))
    assert errors[-1] < 1e-6
    assert errors[-1] < 0.1 * errors[0]
    assert fit(problem, Settings("mcaghermite", 25)).estimates == pytest.approx(best.estimates, abs=1e-6)
    assert fit(problem, Settings("ghermite", 101)).estimates == pytest.approx(best.estimates, abs=1e-6)


def counts(seed: int = 8) -> pd.DataFrame:
    """Binomial counts in groups, with the number of trials."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(30), 4)
    x = rng.normal(size=120)
    trials = rng.integers(2, 9, size=120)
    y = rng.binomial(trials, expit(0.5 * x - 0.3 + 0.7 * rng.normal(size=30)[g]))
    return pd.DataFrame({"y": y, "n": trials, "x": x, "g": g})


@pytest.mark.parametrize("options", ["", "intmethod(laplace)", "intmethod(mcaghermite)"])
def test_counts_are_their_trials(options: str) -> None:
    frame = counts()
    rows = np.repeat(np.arange(len(frame)), frame["n"])
    long = frame.iloc[rows].reset_index(drop=True)
    position = long.groupby(rows).cumcount()
    long["success"] = (position < long["y"]).astype(int)
    collapsed = memagic.run(f"melogit y x || g:, binomial(n) {options}", data=frame)
    expanded = memagic.run(f"melogit success x || g:, {options}", data=long)
    # Both are maximized to a scaled gradient of 1e-16 or less, estimates to 1e-8 of a standard error.
    assert collapsed.params.to_numpy() == pytest.approx(expanded.params.to_numpy(), rel=1e-7)
    assert collapsed.bse.to_numpy() == pytest.approx(expanded.bse.to_numpy(), rel=1e-6)
    combinations = stats.binom.logpmf(frame["y"], frame["n"], 0.5).sum() + frame["n"].sum() * np.log(2.0)
    assert collapsed.llf - expanded.llf == pytest.approx(combinations, rel=1e-9)


def test_an_indicator_for_each_level_or_a_base_and_a_contrast(
    fitted: Callable[[str, str], memagic.results.MEResults],
) -> None:
    contrast = fitted(
        "melogit c_use i.urban age i.children, nofvlabel || district: i.urban, covariance(unstructured)",
        "bangladesh",
    )
    levels = fitted(
        "melogit c_use ibn.urban age i.children, noconstant nofvlabel"
        " || district: ibn.urban, noconstant cov(unstructured)",
        "bangladesh",
    )
    # The nodes of the two lie along other axes: equal up to the error of seven points.
    assert levels.llf == pytest.approx(contrast.llf, abs=1e-5)
    a, b = contrast.params, levels.params
    slope, cons, both = (
        a["/var(1.urban[district])"],
        a["/var(_cons[district])"],
        a["/cov(1.urban[district],_cons[district])"],
    )
    assert b["0.urban"] == pytest.approx(a["_cons"], rel=1e-4)
    assert b["1.urban"] == pytest.approx(a["_cons"] + a["1.urban"], rel=1e-4)
    assert b["/var(0.urban[district])"] == pytest.approx(cons, rel=1e-4)
    assert b["/var(1.urban[district])"] == pytest.approx(slope + cons + 2.0 * both, rel=1e-4)
    covariance = b["/cov(0.urban[district],1.urban[district])"]
    assert covariance == pytest.approx(cons + both, abs=1e-4)


@pytest.mark.parametrize("options", ["", "intmethod(laplace)"])
def test_an_offset_is_a_coefficient_that_is_known(options: str) -> None:
    frame = counts()
    free = memagic.run(f"melogit y x || g:, binomial(n) {options}", data=frame)
    frame["known"] = free.params["x"] * frame["x"]
    held = memagic.run(f"melogit y, offset(known) || g:, binomial(n) {options}", data=frame)
    assert held.llf == pytest.approx(free.llf, abs=1e-9)
    names = ["_cons", "/var(_cons[g])"]
    assert held.params[names].to_numpy() == pytest.approx(free.params[names].to_numpy(), rel=1e-6)
    # With x at another value the log likelihood is lower, by the quadratic approximation.
    frame["known"] = (free.params["x"] + 0.1 * free.bse["x"]) * frame["x"]
    beside = memagic.run(f"melogit y, offset(known) || g:, binomial(n) {options}", data=frame)
    assert free.llf - beside.llf == pytest.approx(0.5 * 0.1**2, rel=0.02)


def test_exposure_is_the_offset_of_its_logarithm() -> None:
    rng = np.random.default_rng(12)
    frame = pd.DataFrame({"g": np.repeat(np.arange(20), 5), "x": rng.normal(size=100)})
    frame["time"] = rng.uniform(0.5, 3.0, size=100)
    frame["lt"] = np.log(frame["time"])
    frame["y"] = rng.poisson(frame["time"] * np.exp(0.3 * frame["x"] + 0.5 * rng.normal(size=20)[frame["g"]]))
    by_time = memagic.run("mepoisson y x, exposure(time) || g:", data=frame)
    by_log = memagic.run("mepoisson y x, offset(lt) || g:", data=frame)
    assert by_time.llf == by_log.llf
    assert (by_time.params == by_log.params).all()
