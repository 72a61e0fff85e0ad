"""Small simulated problems for the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from memagic.engine import covariance, families
from memagic.engine.problem import Level, Problem

Array = NDArray[np.float64]
Index = NDArray[np.intp]

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


def _response(family: str, eta: Array, rng: np.random.Generator) -> tuple[Array, Array | float]:
    """Responses at given linear predictors, with the numbers of trials."""
    mu, n = _mean(family, eta), len(eta)
    if family.startswith("binomial"):
        trials = rng.integers(1, 6, size=n).astype(float)
        return rng.binomial(trials.astype(int), mu).astype(float), trials
    if family.startswith("bernoulli"):
        return rng.binomial(1, mu).astype(float), 1.0
    if family.startswith("poisson"):
        return rng.poisson(mu).astype(float), 1.0
    return mu + 0.6 * rng.normal(size=n), 1.0


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
    y, trials = _response(family, x @ beta + offset + (z * effects[cluster]).sum(axis=1), rng)
    density = FAMILIES[family]
    phi = np.full(density.n_phi, np.log(0.6))
    problem = Problem(density, y, x, offset, trials, (Level(cluster, z, kind),))
    return problem, np.concatenate([beta + 0.1, omega, phi])


# Sizes of the lowest groups, within those of the level above, and so on: by number of levels.
Tree = tuple[Any, ...]
TREES: dict[int, Tree] = {
    1: (1, 4, 7, 2, 5),
    2: ((2, 3), (1, 4, 2), (5,), (1, 1)),
    3: (((2, 1), (3,)), ((1, 4, 2), (2, 1)), ((5,),)),
    4: ((((2, 1), (3,)), ((1, 2),)), ((((1, 4), (2,)), ((2, 1),)))),
}


def _codes(tree: Tree, n_levels: int) -> list[Index]:
    """Codes by level, highest first, counted through the whole tree."""
    rows: list[tuple[int, ...]] = []
    counts = [0] * n_levels

    def walk(groups: Tree, above: tuple[int, ...]) -> None:
        for group in groups:
            level = len(above)
            path = (*above, counts[level])
            counts[level] += 1
            if level == n_levels - 1:
                rows.extend([path] * group)
            else:
                walk(group, path)

    walk(tree, ())
    return list(np.array(rows, dtype=np.intp).T)


def simulate_nested(
    family: str, effects: tuple[tuple[str, int], ...], tree: Tree | None = None, seed: int = 1
) -> tuple[Problem, Array]:
    """A problem with several levels, its rows in mixed order, and a theta to look at.

    Parameters
    ----------
    family : str
    effects : tuple of (structure, q)
        By level, highest first.
    tree : tuple, optional
        Sizes of the groups.
    """
    rng = np.random.default_rng(seed)
    codes = _codes(TREES[len(effects)] if tree is None else tree, len(effects))
    n = len(codes[0])
    order = rng.permutation(n)
    x = np.column_stack([rng.normal(size=n), np.ones(n)])
    offset = 0.1 * rng.normal(size=n)
    beta = np.array([0.4, -0.2])
    eta = x @ beta + offset
    levels, omegas = [], []
    for code, (structure, q) in zip(codes, effects, strict=True):
        cluster = code[order]
        z = np.column_stack([rng.normal(size=n), rng.integers(0, 2, size=n), np.ones(n)])[:, 3 - q :]
        kind = STRUCTURES[structure](q)
        # Smaller than with one level: the variances add up.
        omega = 0.7 * np.array(OMEGA[structure, q])
        values = rng.normal(size=(int(cluster.max()) + 1, q)) @ kind.factor(omega).T
        eta += (z * values[cluster]).sum(axis=1)
        levels.append(Level(cluster, z, kind))
        omegas.append(omega)
    y, trials = _response(family, eta, rng)
    density = FAMILIES[family]
    phi = np.full(density.n_phi, np.log(0.6))
    problem = Problem(density, y, x, offset, trials, tuple(levels))
    return problem, np.concatenate([beta + 0.1, *omegas, phi])


@pytest.fixture(scope="session")
def model() -> Callable[..., tuple[Problem, Array]]:
    """`simulate`, for test files."""
    return simulate


@pytest.fixture(scope="session")
def nested() -> Callable[..., tuple[Problem, Array]]:
    """`simulate_nested`, for test files."""
    return simulate_nested
