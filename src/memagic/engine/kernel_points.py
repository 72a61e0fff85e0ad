"""The compiled posterior at one value of the random effects; its source is src/native/points.h."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine import _kernel
from memagic.engine.kernel import Rows, Terms

Array = NDArray[np.float64]

__all__ = ["Point", "point", "z_products"]


@dataclass(frozen=True, slots=True)
class Point:
    """Log densities of rows and their derivatives, all weighted as the rows are.

    Attributes
    ----------
    logf : ndarray, shape (M,)
        Summed within clusters.
    z_first : ndarray, shape (M, Q)
        Z' first.
    eta : ndarray, shape (n, 1)
        Linear predictors, not weighted.
    first, second : ndarray, shape (n, 1)
    """

    logf: Array
    z_first: Array
    eta: Array
    first: Array
    second: Array


def point(rows: Rows, terms: Terms, fixed: Array, effects: Array) -> Point:
    """The densities at one value of each cluster's effects.

    Parameters
    ----------
    terms : Terms
        With columns of shape (n, 1).
    fixed : ndarray, shape (n,)
    effects : ndarray, shape (M, Q)
    """
    n, m = len(fixed), rows.n_lowest
    cells, q = rows.z.shape
    at = Point(np.zeros(m), np.zeros((m, q)), np.empty((n, 1)), np.empty((n, 1)), np.empty((n, 1)))
    _kernel.point(
        *terms.arguments((n, 1)),
        fixed,
        np.ascontiguousarray(effects),
        rows.z,
        rows.cell_of_row,
        rows.cluster_of_row,
        rows.weight,
        at.logf,
        at.z_first,
        at.eta,
        at.first,
        at.second,
        m,
        cells,
    )
    return at


def z_products(rows: Rows, weights: Array) -> Array:
    """Z'WZ within clusters, shape (M, Q, Q), of row weights of shape (n, 1)."""
    cells, q = rows.z.shape
    out = np.zeros((rows.n_lowest, q, q))
    _kernel.z_products(weights, rows.z, rows.cell_of_row, rows.cluster_of_row, out, rows.n_lowest, cells)
    return out
