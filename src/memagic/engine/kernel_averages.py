"""The compiled averages over quadrature nodes; their source is src/native/averages.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine import _kernel
from memagic.engine.kernel import Rows

Array = NDArray[np.float64]

__all__ = ["average_rows", "average_rows_and_effects", "conditional_means", "second_moments"]


def average_rows(rows: Rows, values: Array, weights: Array, chains: Array) -> Array:
    """Averages over the nodes of s x_c and, after these, of s z_c v_e, shape (n, p + Q^2).

    Parameters
    ----------
    rows : Rows
    values : ndarray, shape (n, K)
        S by row and node.
    weights : ndarray, shape (M, K)
        Of the nodes.
    chains : ndarray, shape (M, Q, K)
        Nodes v of the clusters.
    """
    return _averaged(rows, values, weights, chains, None)


def average_rows_and_effects(rows: Rows, values: Array, weights: Array, chains: Array) -> tuple[Array, Array]:
    """The same, and the averages of (z_c v_e) s (z_d v_f) summed over rows, shape (Q^2, Q^2)."""
    q = rows.z.shape[1]
    by_effects = np.zeros((q * q, q * q))
    return _averaged(rows, values, weights, chains, by_effects), by_effects


def _averaged(rows: Rows, values: Array, weights: Array, chains: Array, by_effects: Array | None) -> Array:
    cells, q = rows.z.shape
    by_column = np.empty((len(values), rows.x.shape[1] + q * q))
    _kernel.average_rows(
        np.ascontiguousarray(values),
        weights,
        chains,
        rows.x,
        rows.z,
        rows.cell_of_row,
        rows.cluster_of_row,
        by_column,
        by_effects,
        rows.n_lowest,
        cells,
    )
    return by_column


def second_moments(values: Array, weights: Array) -> Array:
    """Weighted sum of v v' over clusters and nodes, shape (d, d).

    Parameters
    ----------
    values : ndarray, shape (M, d, K)
    weights : ndarray, shape (M, K)
    """
    out = np.empty((values.shape[1], values.shape[1]))
    _kernel.second_moments(values, np.ascontiguousarray(weights), out, len(values))
    return out


def conditional_means(values: Array, conditional: Array, n_upper: int) -> Array:
    """Averages over the nodes that belong to one of the level above, shape (M, d, K_up).

    Parameters
    ----------
    values : ndarray, shape (M, d, K)
    conditional : ndarray, shape (M, K)
        Weights of the nodes given those above.
    n_upper : int
        K_up.
    """
    out = np.empty((*values.shape[:2], n_upper))
    _kernel.conditional_means(values, conditional, out, len(values), n_upper)
    return out
