"""Columns of a design matrix that earlier columns determine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

__all__ = ["dependent_columns"]

# Share of a column's squared length that must be its own. Products of doubles are good to about
# 1e-16 of it, and powers of one variable that are still worth keeping leave some 1e-9.
_OWN_SHARE = 1e-12


def dependent_columns(x: Array, constant: bool) -> NDArray[np.bool_]:
    """Which columns are linear combinations of those before them (and of a constant).

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Without the constant's column.
    constant : bool
        Whether the equation has a constant: it is kept before all else.

    Returns
    -------
    ndarray of bool, shape (p,)
    """
    p = x.shape[1]
    dependent = np.zeros(p, dtype=bool)
    if p == 0:
        return dependent
    length = np.einsum("ij,ij->j", x, x)
    centred = x - x.mean(axis=0) if constant else x
    own = np.einsum("ij,ij->j", centred, centred)
    flat = (own <= _OWN_SHARE * length) | (length == 0.0)
    scale = 1.0 / np.sqrt(np.where(flat, 1.0, own))
    gram = (centred.T @ centred) * np.outer(scale, scale)
    # A Cholesky factorization without pivoting, which skips the columns that add nothing.
    factor = np.zeros((p, p))
    for j in range(p):
        remainder = gram[j:, j] - factor[j:, :j] @ factor[j, :j]
        if flat[j] or remainder[0] <= _OWN_SHARE:
            dependent[j] = True
            continue
        factor[j:, j] = remainder / np.sqrt(remainder[0])
    return dependent
