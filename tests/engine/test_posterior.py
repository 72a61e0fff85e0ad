"""Posterior means and modes against sums over fine grids, closed forms and a general optimizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import approx_fprime

from memagic.engine import families
from memagic.engine.posterior import EffectMoments, linear_predictor, posterior_means, posterior_modes
from memagic.engine.problem import Problem

Array = NDArray[np.float64]
Model = Callable[..., tuple[Problem, Array]]
# So many points a dimension give ten digits, as does the trapezoid rule on a fine grid.
POINTS = 45


def log_joint(problem: Problem, theta: Array, rows: NDArray[np.bool_], u: list[Array]) -> Array:
    """Log f(y | u) of some rows, u by level, each shape (K, q): shape (K,)."""
    parts = problem.unpack(theta)
    eta = np.repeat(problem.fixed_part(parts.beta)[rows, None], len(u[0]), axis=1)
    for level, values in zip(problem.levels, u, strict=True):
        eta += level.z[rows] @ values.T
    trials = problem.trials if isinstance(problem.trials, float) else problem.trials[rows, None]
    logf = problem.family.log_density(eta, problem.y[rows, None], trials, parts.phi)
    return np.asarray(logf.sum(axis=0))


def on_grid(problem: Problem, theta: Array, points: int, reach: float = 8.5) -> EffectMoments:
    """The moments of a model with one level, by the trapezoid rule in every dimension of v."""
    assert problem.structure is not None
    factor = problem.structure.factor(problem.unpack(theta).omega)
    q = len(factor)
    line = np.linspace(-reach, reach, points)
    v = np.array(list(product(line, repeat=q)))
    level = problem.levels[0]
    means, covariances = [], []
    for j in range(level.n_clusters):
        weight = log_joint(problem, theta, level.cluster == j, [v @ factor.T]) - 0.5 * (v * v).sum(axis=1)
        weight = np.exp(weight - weight.max())
        weight /= weight.sum()
        u = v @ factor.T
        mean = weight @ u
        means.append(mean)
        covariances.append((u - mean).T @ ((u - mean) * weight[:, None]))
    return EffectMoments((np.array(means),), (np.array(covariances),))


def agree(found: EffectMoments, expected: EffectMoments, tolerance: float) -> None:
    for a, b in zip(found.value, expected.value, strict=True):
        np.testing.assert_allclose(a, b, atol=tolerance, rtol=0)
    for a, b in zip(found.covariance, expected.covariance, strict=True):
        np.testing.assert_allclose(a, b, atol=tolerance, rtol=0)


@pytest.mark.parametrize(
    ("family", "points"),
    [
        ("bernoulli-logit", POINTS),
        ("binomial-logit", POINTS),
        ("bernoulli-probit", POINTS),
        ("binomial-cloglog", POINTS),
        ("poisson-log", POINTS),
        # Its density is no power series that converges fast.
        ("gaussian-log", 115),
    ],
)
def test_means_are_those_of_a_fine_grid(model: Model, family: str, points: int) -> None:
    problem, theta = model(family)
    found = posterior_means(problem, theta, "mvaghermite", points)
    agree(found, on_grid(problem, theta, 2001), 1e-8)


@pytest.mark.parametrize(
    ("family", "phi"),
    [
        (families.NegativeBinomialMean(), [-0.5]),
        (families.NegativeBinomialConstant(), [0.2]),
        (families.GammaLog(), [-0.4]),
        (families.OrdinalLogit(3), [-0.5, 0.9]),
        (families.OrdinalCloglog(3), [-0.5, 0.9]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_families_with_parameters_of_their_own(
    model: Model, family: families.Family, phi: list[float]
) -> None:
    counts, theta = model("poisson-log")
    y = counts.y + 0.3 if isinstance(family, families.GammaLog) else counts.y
    y = np.minimum(y, 2.0) if len(phi) == 2 else y
    problem = replace(counts, family=family, y=y)
    theta = np.concatenate([theta, phi])
    found = posterior_means(problem, theta, "mvaghermite", POINTS)
    agree(found, on_grid(problem, theta, 2001), 1e-8)


@pytest.mark.parametrize("method", ["mcaghermite", "ghermite"])
def test_other_rules_have_the_same_limit(model: Model, method: str) -> None:
    problem, theta = model("bernoulli-logit")
    found = posterior_means(problem, theta, method, 91)  # type: ignore[arg-type]
    agree(found, on_grid(problem, theta, 2001), 1e-8)


@pytest.mark.parametrize("structure", ["unstructured", "exchangeable"])
def test_means_in_two_dimensions(model: Model, structure: str) -> None:
    problem, theta = model("bernoulli-logit", structure, 2)
    found = posterior_means(problem, theta, "mvaghermite", POINTS)
    agree(found, on_grid(problem, theta, 201), 1e-8)


def test_seven_points_are_near(model: Model) -> None:
    problem, theta = model("bernoulli-logit")
    found = posterior_means(problem, theta, "mvaghermite", 7)
    agree(found, on_grid(problem, theta, 2001), 1e-4)


def test_three_levels_against_a_grid(nested: Model) -> None:
    """A top group of two groups: a sum over three dimensions."""
    problem, theta = nested("bernoulli-logit", (("independent", 1), ("independent", 1)), tree=((2, 3), (4,)))
    found = posterior_means(problem, theta, "mvaghermite", 25)
    parts = problem.unpack(theta)
    top, low = parts.omega
    line = np.linspace(-8.0, 8.0, 121)
    up, down = problem.levels
    for j in range(2):
        groups = np.unique(down.cluster[up.cluster == j])
        # log f of every lower group over (upper, lower): given the upper effect they are independent.
        v = np.array(list(product(line, repeat=2)))
        logs = []
        for group in groups:
            u = [top * v[:, :1], low * v[:, 1:]]
            logf = log_joint(problem, theta, down.cluster == group, u).reshape(len(line), -1)
            logs.append(logf - 0.5 * line**2)
        marginal = [np.log(np.exp(part).sum(axis=1)) for part in logs]
        weight = np.exp(sum(marginal) - 0.5 * line**2)
        weight /= weight.sum()
        mean = top * float(weight @ line)
        assert found.value[0][j, 0] == pytest.approx(mean, abs=1e-8)
        spread = top**2 * float(weight @ line**2) - mean**2
        assert found.covariance[0][j, 0, 0] == pytest.approx(spread, abs=1e-8)
        for group, part in zip(groups, logs, strict=True):
            inner = np.exp(part)
            inner /= inner.sum(axis=1, keepdims=True)
            mean = low * float(weight @ (inner @ line))
            assert found.value[1][group, 0] == pytest.approx(mean, abs=1e-8)
            spread = low**2 * float(weight @ (inner @ line**2)) - mean**2
            assert found.covariance[1][group, 0, 0] == pytest.approx(spread, abs=1e-8)


def dense(problem: Problem, theta: Array) -> tuple[Array, Array, list[slice]]:
    """Z of all effects of all groups, their prior covariance, and the columns of each level."""
    blocks, sigmas, places = [], [], []
    first = at = 0
    omega = problem.unpack(theta).omega
    for level in problem.levels:
        q, m = level.structure.q, level.structure.size
        sigma = level.structure.sigma(omega[first : first + m])
        first += m
        z = np.zeros((len(problem.y), level.n_clusters * q))
        for i, cluster in enumerate(level.cluster):
            z[i, cluster * q : (cluster + 1) * q] = level.z[i]
        blocks.append(z)
        sigmas.append(np.kron(np.eye(level.n_clusters), sigma))
        places.append(slice(at, at + z.shape[1]))
        at += z.shape[1]
    prior = np.zeros((at, at))
    for place, sigma in zip(places, sigmas, strict=True):
        prior[place, place] = sigma
    return np.concatenate(blocks, axis=1), prior, places


@pytest.mark.parametrize(
    "effects",
    [(("unstructured", 2),), (("independent", 1), ("unstructured", 2)), (("independent", 1),) * 3],
)
def test_gaussian_means_and_modes_are_the_blup(nested: Model, effects: tuple[tuple[str, int], ...]) -> None:
    problem, theta = nested("gaussian-identity", effects)
    z, prior, places = dense(problem, theta)
    parts = problem.unpack(theta)
    v = z @ prior @ z.T + np.exp(2 * parts.phi[0]) * np.eye(len(z))
    gain = prior @ z.T @ np.linalg.inv(v)
    value = gain @ (problem.y - problem.fixed_part(parts.beta))
    spread = prior - gain @ z @ prior
    for found in (posterior_means(problem, theta, "mvaghermite", 7), posterior_modes(problem, theta)):
        for level, place, u, cov in zip(problem.levels, places, found.value, found.covariance, strict=True):
            q = level.structure.q
            np.testing.assert_allclose(u.ravel(), value[place], atol=1e-10)
            own = spread[place, place]
            for j in range(level.n_clusters):
                at = slice(j * q, (j + 1) * q)
                np.testing.assert_allclose(cov[j], own[at, at], atol=1e-10)


@pytest.mark.parametrize("family", ["bernoulli-probit", "poisson-log"])
def test_modes_are_where_the_posterior_is_flat(nested: Model, family: str) -> None:
    problem, theta = nested(family, (("independent", 1), ("unstructured", 2)))
    z, prior, places = dense(problem, theta)
    parts = problem.unpack(theta)
    found = posterior_modes(problem, theta)
    precision = np.linalg.inv(prior)

    def slope(u: Array) -> Array:
        eta = problem.fixed_part(parts.beta) + z @ u
        first = problem.family.derivatives(eta, problem.y, problem.trials, parts.phi)[1]
        return np.asarray(z.T @ first - precision @ u)

    u = np.concatenate([values.ravel() for values in found.value])
    np.testing.assert_allclose(slope(u), 0.0, atol=1e-9)
    inverse = np.linalg.inv(-approx_fprime(u, slope, 1e-6))
    for level, place, cov in zip(problem.levels, places, found.covariance, strict=True):
        q = level.structure.q
        own = inverse[place, place]
        for j in range(level.n_clusters):
            at = slice(j * q, (j + 1) * q)
            np.testing.assert_allclose(cov[j], own[at, at], rtol=1e-5, atol=1e-7)


def test_one_point_and_laplace_give_modes(model: Model) -> None:
    problem, theta = model("bernoulli-logit")
    modes = posterior_modes(problem, theta)
    for method, points in (("laplace", 7), ("mcaghermite", 1)):
        agree(posterior_means(problem, theta, method, points), modes, 0.0)  # type: ignore[arg-type]


def test_no_variance_no_effect(model: Model) -> None:
    problem, theta = model("bernoulli-logit", "unstructured", 2)
    theta = theta.copy()
    theta[problem.p : problem.p + 3] = [0.8, 0.0, 0.0]
    found = posterior_means(problem, theta, "mvaghermite", 15)
    assert np.all(found.value[0][:, 1] == 0.0)
    assert np.all(found.se[0][:, 1] == 0.0)
    assert np.all(found.se[0][:, 0] > 0.0)


def test_linear_predictor_is_that_of_dense_matrices(nested: Model) -> None:
    problem, theta = nested("poisson-log", (("independent", 1), ("unstructured", 2)))
    rng = np.random.default_rng(5)
    effects = tuple(rng.normal(size=(level.n_clusters, level.structure.q)) for level in problem.levels)
    z, _, _ = dense(problem, theta)
    beta = problem.unpack(theta).beta
    expected = problem.fixed_part(beta) + z @ np.concatenate([u.ravel() for u in effects])
    np.testing.assert_allclose(linear_predictor(problem, beta, effects), expected, atol=1e-12)
