"""Rows, responses and families that the compiled kernel is tried on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.families import (
    BinomialCloglog,
    BinomialLogit,
    BinomialProbit,
    Family,
    GammaLog,
    GaussianIdentity,
    GaussianLog,
    NegativeBinomialConstant,
    NegativeBinomialMean,
    OrdinalCloglog,
    OrdinalLogit,
    OrdinalProbit,
    PoissonLog,
)

Array = NDArray[np.float64]

FAMILIES: dict[str, tuple[Family, float | None]] = {
    "bernoulli": (BinomialLogit(), 1.0),
    "binomial": (BinomialLogit(), None),
    "probit": (BinomialProbit(), 1.0),
    "cloglog": (BinomialCloglog(), None),
    "poisson": (PoissonLog(), 1.0),
    "gaussian": (GaussianIdentity(), 1.0),
    "gaussian-log": (GaussianLog(), 1.0),
    "gamma": (GammaLog(), 1.0),
    "nbinomial": (NegativeBinomialMean(), 1.0),
    "nbinomial-constant": (NegativeBinomialConstant(), 1.0),
    "ordinal": (OrdinalLogit(3), 1.0),
    "ordinal-probit": (OrdinalProbit(3), 1.0),
    "ordinal-cloglog": (OrdinalCloglog(3), 1.0),
}


@dataclass(frozen=True)
class Rows:
    """Rows as a block has them."""

    x: Array
    z: Array
    cell_of_row: NDArray[np.intp]
    cluster_of_row: NDArray[np.intp]
    weight: Array | None
    n_lowest: int


def rows(weighted: bool, sizes: list[int], q: int) -> Rows:
    """Clusters of the given sizes, each of one cell, of two, or of as many as it has rows."""
    rng = np.random.default_rng(7)
    n, cluster = sum(sizes), np.repeat(np.arange(len(sizes)), sizes)
    begins = np.r_[True, cluster[1:] != cluster[:-1]] | (cluster % 3 == 2)
    begins |= (cluster % 3 == 1) & (rng.random(n) < 0.3)
    cell = np.cumsum(begins) - 1
    z = rng.normal(size=(cell[-1] + 1, q))
    weight = rng.uniform(0.2, 3.0, size=(n, 1)) if weighted else None
    return Rows(rng.normal(size=(n, 3)), z, cell, cluster, weight, len(sizes))


def response(name: str, n: int) -> tuple[Array, Array | float]:
    """Y and the trials that a family of `FAMILIES` takes, shape (n, 1)."""
    rng = np.random.default_rng(3)
    r: Array | float = rng.integers(1, 6, size=(n, 1)).astype(float) if FAMILIES[name][1] is None else 1.0
    if name.startswith("ordinal"):
        return rng.integers(0, 3, size=(n, 1)).astype(float), r
    if name in ("bernoulli", "probit", "binomial", "cloglog"):
        return np.floor(rng.random((n, 1)) * (r + 1.0)), r
    if name.startswith("ga"):
        return rng.uniform(0.1, 3.0, size=(n, 1)), r
    return rng.poisson(4.0, size=(n, 1)).astype(float), r
