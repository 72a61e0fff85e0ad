"""Small simulated problems for the engine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from memagic.engine import covariance, families
from memagic.engine.problem import Level, Problem

Array = NDArray[np.float64]

FAMILIES: dict[str, families.Family] = {
    "bernoulli-logit": families.BinomialLogit(),
    "binomial-logit": families.BinomialLogit(),
    "bernoulli-probit": families.BinomialProbit(),
    "binomial-probit": families.BinomialProbit(),
    "bernoulli-cloglog": families.BinomialCloglog(),
    "binomial-cloglog": families.BinomialCloglog(),
    "poisson-log": families.PoissonLog(),
    "gaussian-identity": families.GaussianIdentity(),
    "gaussian-log": families.GaussianLog(),
}
STRUCTURES: dict[str, Callable[[int], covariance.CovarianceStructure]] = {
    "independent": covariance.independent,
    "identity": covariance.identity,
    "exchangeable": covariance.exchangeable,
    "unstructured": covariance.unstructured,
}
# Values of omega away from the start, so that no derivative vanishes by symmetry.
OMEGA = {
    ("independent", 1): [0.8],
    ("identity", 1): [0.8],
    ("exchangeable", 1): [0.8],
    ("unstructured", 1): [0.8],
    ("independent", 2): [0.5, 0.9],
    ("identity", 2): [0.7],
    ("exchangeable", 2): [0.5, 0.9],
    ("unstructured", 2): [0.6, -0.3, 0.7],
    ("unstructured", 3): [0.6, -0.3, 0.2, 0.7, 0.1, 0.5],
}


def _mean(family: str, eta: Array) -> Array:
    link = family.split("-")[1]
    if link == "logit":
        return np.asarray(1.0 / (1.0 + np.exp(-eta)))
    if link == "probit":
        return np.asarray(1.0 / (1.0 + np.exp(-1.7 * eta)))
    if link == "cloglog":
        return -np.expm1(-np.exp(eta))
    return np.exp(eta) if link == "log" else eta


def simulate(
    family: str,
    structure: str = "independent",
    q: int = 1,
    sizes: tuple[int, ...] = (1, 4, 7, 2, 5),
    seed: int = 1,
) -> tuple[Problem, Array]:
    """A problem with an offset and clusters of unequal sizes in mixed order, and a theta to look at."""
    rng = np.random.default_rng(seed)
    cluster = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n = len(cluster)
    x = np.column_stack([rng.normal(size=n), np.ones(n)])
    z = np.column_stack([rng.normal(size=n), rng.integers(0, 2, size=n), np.ones(n)])[:, 3 - q :]
    kind = STRUCTURES[structure](q)
    omega = np.array(OMEGA[structure, q])
    effects = rng.normal(size=(len(sizes), q)) @ kind.factor(omega).T
    offset = 0.1 * rng.normal(size=n)
    beta = np.array([0.4, -0.2])
    mu = _mean(family, x @ beta + offset + (z * effects[cluster]).sum(axis=1))
    trials: Array | float = 1.0
    if family.startswith("binomial"):
        trials = rng.integers(1, 6, size=n).astype(float)
        y = rng.binomial(trials.astype(int), mu).astype(float)
    elif family.startswith("bernoulli"):
        y = rng.binomial(1, mu).astype(float)
    elif family.startswith("poisson"):
        y = rng.poisson(mu).astype(float)
    else:
        y = mu + 0.6 * rng.normal(size=n)
    density = FAMILIES[family]
    phi = np.full(density.n_phi, np.log(0.6))
    problem = Problem(density, y, x, offset, trials, (Level(cluster, z, kind),))
    return problem, np.concatenate([beta + 0.1, omega, phi])


@pytest.fixture(scope="session")
def model() -> Callable[..., tuple[Problem, Array]]:
    """`simulate`, for test files."""
    return simulate
