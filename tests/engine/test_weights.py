"""Weights in the likelihood: whole weights are copies of rows, groups, and groups of groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import expit

from memagic.engine import families
from memagic.engine.covariance import CovarianceStructure, identity, independent, unstructured
from memagic.engine.fit import Settings, fit, make_objective
from memagic.engine.laplace import LaplaceObjective
from memagic.engine.linear import LinearObjective
from memagic.engine.nodes import Method
from memagic.engine.numerical import NumericalObjective
from memagic.engine.plain import PlainObjective
from memagic.engine.problem import Level, Problem

Array = NDArray[np.float64]
Index = NDArray[np.intp]

FAMILIES: dict[str, tuple[families.Family, list[float]]] = {
    "logit": (families.BinomialLogit(), []),
    "poisson": (families.PoissonLog(), []),
    "gaussian": (families.GaussianIdentity(), [-0.3]),
    "negative binomial": (families.NegativeBinomialMean(), [-0.4]),
    "ordinal": (families.OrdinalLogit(3), [-0.5, 0.7]),
}


def three_levels(family: str, seed: int = 3) -> tuple[Problem, Array, list[Array]]:
    """A small problem, a theta, and whole weights of the top level, the lower level and the rows."""
    rng = np.random.default_rng(seed)
    density, phi = FAMILIES[family]
    top = np.repeat([0, 1, 2, 3], [5, 9, 4, 7])
    low = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 5, 6, 7, 7, 7, 8, 8, 8])
    n = len(top)
    x = np.column_stack([rng.normal(size=n), np.ones(n)])
    if family == "ordinal":
        x = x[:, :1]
    z = np.column_stack([rng.normal(size=n), np.ones(n)])
    y = {
        "logit": rng.integers(0, 2, n),
        "poisson": rng.poisson(1.5, n),
        "gaussian": rng.normal(size=n),
        "negative binomial": rng.poisson(2.0, n),
        "ordinal": rng.integers(0, 3, n),
    }[family].astype(float)
    levels = (Level(top, z, unstructured(2)), Level(low, np.ones((n, 1)), independent(1)))
    problem = Problem(density, y, x, levels=levels)
    theta = np.array([0.4, -0.2, 0.7, 0.3, 0.5, 0.6, *phi])[2 - x.shape[1] :]
    weights = [
        rng.integers(1, 4, 4).astype(float),
        rng.integers(1, 4, 9).astype(float),
        rng.integers(1, 4, n).astype(float),
    ]
    return problem, theta, weights


def weighted(problem: Problem, weights: list[Array]) -> Problem:
    upper, lower = problem.levels
    levels = (replace(upper, weight=weights[0]), replace(lower, weight=weights[1]))
    return replace(problem, levels=levels, weight=weights[2])


def copied(problem: Problem, weights: list[Array]) -> Problem:
    """The data with every row, every lower group and every top group as often as its weight says."""
    upper, lower = problem.levels
    rows: list[int] = []
    tops: list[tuple[int, int]] = []
    lows: list[tuple[int, int, int, int]] = []
    for i, (t, c) in enumerate(zip(upper.cluster, lower.cluster, strict=True)):
        for a in range(int(weights[0][t])):
            for b in range(int(weights[1][c])):
                for _ in range(int(weights[2][i])):
                    rows.append(i)
                    tops.append((t, a))
                    lows.append((t, a, c, b))
    return replace(
        problem,
        y=problem.y[rows],
        x=problem.x[rows],
        levels=(
            replace(upper, cluster=codes(tops), z=upper.z[rows]),
            replace(lower, cluster=codes(lows), z=lower.z[rows]),
        ),
    )


def codes(keys: list[Any]) -> Index:
    found = {key: k for k, key in enumerate(sorted(set(keys)))}
    return np.array([found[key] for key in keys], dtype=np.intp)


@pytest.mark.parametrize("method", ["mvaghermite", "mcaghermite", "ghermite"])
@pytest.mark.parametrize("family", FAMILIES)
def test_whole_weights_are_copies(family: str, method: Method) -> None:
    problem, theta, weights = three_levels(family)
    settings = Settings(method=method, n_points=5)
    one = make_objective(weighted(problem, weights), settings).evaluate(theta)
    many = make_objective(copied(problem, weights), settings).evaluate(theta)
    # A Gaussian response without weights is in closed form, whatever the rule.
    assert one.value == pytest.approx(many.value, rel=1e-11)
    np.testing.assert_allclose(one.gradient, many.gradient, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(one.hessian, many.hessian, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_level_by_itself(which: int) -> None:
    problem, theta, weights = three_levels("logit")
    chosen = [w if k == which else np.ones_like(w) for k, w in enumerate(weights)]
    upper, lower = problem.levels
    only = [
        replace(problem, levels=(replace(upper, weight=weights[0]), lower)),
        replace(problem, levels=(upper, replace(lower, weight=weights[1]))),
        replace(problem, weight=weights[2]),
    ][which]
    one = make_objective(only, Settings()).evaluate(theta)
    many = make_objective(copied(problem, chosen), Settings()).evaluate(theta)
    assert one.value == pytest.approx(many.value, rel=1e-11)
    np.testing.assert_allclose(one.hessian, many.hessian, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("family", ["logit", "ordinal", "negative binomial"])
def test_derivatives_are_differences_at_held_nodes(family: str) -> None:
    problem, theta, _ = three_levels(family)
    rng = np.random.default_rng(5)
    fractions = [rng.uniform(0.3, 2.5, size) for size in (4, 9, 25)]
    problem = weighted(problem, fractions)
    objective = make_objective(problem, Settings(n_points=5))
    analytic = objective.evaluate(theta)
    numerical = make_objective(problem, Settings(n_points=5, numerical=True))
    assert isinstance(numerical, NumericalObjective)
    differences = numerical.evaluate(theta)
    np.testing.assert_allclose(analytic.scores, differences.scores, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(analytic.hessian, differences.hessian, rtol=1e-4, atol=1e-4)


def test_a_fraction_is_a_power_of_the_density() -> None:
    """One group, by direct integration of the product of powers."""
    y, w = np.array([1.0, 0.0, 1.0]), np.array([0.3, 1.7, 0.9])
    level = Level(np.zeros(3, dtype=np.intp), np.ones((3, 1)), identity(1), weight=np.array([2.5]))
    problem = Problem(families.BinomialLogit(), y, np.ones((3, 1)), levels=(level,), weight=w)

    def integrand(v: float) -> float:
        p = expit(0.2 + 0.8 * v)
        return float(np.prod((p**y * (1 - p) ** (1 - y)) ** w) * np.exp(-(v**2) / 2) / np.sqrt(2 * np.pi))

    exact = 2.5 * np.log(quad(integrand, -12, 12, epsabs=1e-14)[0])
    value = make_objective(problem, Settings(n_points=21)).value(np.array([0.2, 0.8]))
    assert value == pytest.approx(exact, rel=1e-11)


def random_intercepts(structure: CovarianceStructure) -> Problem:
    rng = np.random.default_rng(8)
    cluster = np.repeat(np.arange(12), 5)
    x = np.column_stack([rng.normal(size=60), np.ones(60)])
    y = x @ [0.5, 1.0] + rng.normal(size=12)[cluster] + 0.7 * rng.normal(size=60)
    return Problem(families.GaussianIdentity(), y, x, levels=(Level(cluster, np.ones((60, 1)), structure),))


def test_a_weighted_gaussian_response_is_exact() -> None:
    """With unit weights, the rule for weighted data gives the closed form's value and derivatives."""
    problem = random_intercepts(independent(1))
    theta = np.array([0.3, 0.8, 0.9, -0.4])
    closed = LinearObjective(problem).evaluate(theta)
    unit = make_objective(replace(problem, weight=np.ones(60)), Settings()).evaluate(theta)
    assert unit.value == pytest.approx(closed.value, rel=1e-13)
    np.testing.assert_allclose(unit.gradient, closed.gradient, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(unit.hessian, closed.hessian, rtol=1e-9, atol=1e-9)


def test_estimates_do_not_depend_on_the_scale_of_the_top_weights() -> None:
    problem, _, _ = three_levels("logit", seed=4)
    rng = np.random.default_rng(2)
    rows = np.tile(np.arange(len(problem.y)), 12)
    copy = np.repeat(np.arange(12), len(problem.y))
    upper, lower = problem.levels
    y = rng.integers(0, 2, len(rows)).astype(float)
    levels = (
        Level(upper.cluster[rows] + 4 * copy, np.ones((len(rows), 1)), independent(1)),
        replace(lower, cluster=lower.cluster[rows] + 9 * copy, z=lower.z[rows]),
    )
    x = rng.normal(size=(len(rows), 1))
    w = rng.uniform(0.5, 2.0, 48)

    def estimates(scale: float) -> Array:
        top = replace(levels[0], weight=scale * w)
        return fit(Problem(families.BinomialLogit(), y, x, levels=(top, levels[1])), Settings()).estimates

    np.testing.assert_allclose(estimates(1.0), estimates(37.0), rtol=1e-7, atol=1e-9)


def test_the_plain_model_has_the_products_of_the_weights() -> None:
    problem, theta, weights = three_levels("negative binomial")
    plain = np.r_[theta[: problem.p], theta[-1:]]
    one = PlainObjective(weighted(problem, weights)).evaluate(plain)
    many = PlainObjective(copied(problem, weights)).evaluate(plain)
    assert one.value == pytest.approx(many.value, rel=1e-12)
    np.testing.assert_allclose(one.gradient, many.gradient, rtol=1e-10)
    np.testing.assert_allclose(one.hessian, many.hessian, rtol=1e-10)


def test_laplace_has_no_weights() -> None:
    problem, _, weights = three_levels("logit")
    with pytest.raises(ValueError, match="weights"):
        LaplaceObjective(weighted(problem, weights))
