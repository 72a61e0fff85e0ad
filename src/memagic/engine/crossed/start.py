"""Variances to start a Gaussian response with crossed effects from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.crossed.problem import CrossedProblem

Array = NDArray[np.float64]

# Least share of the residuals' variance.
_LEAST = 1e-2
_LEAST_RESIDUAL = 0.1

__all__ = ["one_way_variances"]


def one_way_variances(problem: CrossedProblem, residual: Array) -> tuple[Array, float]:
    """A variance of the groups' mean residuals for every effect, shape (Q,), and what is left of a row's.

    Each level by itself, without the share of a mean's variance that its rows' own variation is.
    """
    total = float(residual.var())
    parts = []
    for level in problem.levels:
        size = np.bincount(level.cluster)
        means = np.bincount(level.cluster, weights=residual) / size
        own = float(means.var() - total * np.mean(1.0 / size))
        parts.append(np.full(level.structure.q, max(own, _LEAST * total)))
    between = sum(float(part[0]) for part in parts)
    return np.concatenate(parts), max(total - between, _LEAST_RESIDUAL * total)
