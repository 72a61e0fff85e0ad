"""Columns of a design matrix that earlier columns determine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.data.coded import Moments

__all__ = ["dependent_columns"]

# Share of a column's squared length that must be its own. Products of doubles are good to about
# 1e-16 of it, and powers of one variable that are still worth keeping leave some 1e-9.
_OWN_SHARE = 1e-12
# Rounding adds up over columns: what should be nothing was seen to be 2e-12 with a hundred of them.
_COLUMNS = 10


def dependent_columns(sums: Moments) -> NDArray[np.bool_]:
    """Which columns are linear combinations of those before them.

    Parameters
    ----------
    sums : Moments
        Of p columns; of their deviations from means where the equation has a constant, which is kept
        before all else.

    Returns
    -------
    ndarray of bool, shape (p,)
    """
    p = len(sums.length)
    share = _OWN_SHARE * max(1.0, p / _COLUMNS)
    dependent = np.zeros(p, dtype=bool)
    own = np.diag(sums.products)
    # Columns whose squares underflow are zero to any fit.
    flat = (own <= _OWN_SHARE * sums.length) | (own < np.finfo(float).tiny)
    scale = 1.0 / np.sqrt(np.where(flat, 1.0, own))
    gram = sums.products * np.outer(scale, scale)
    # A Cholesky factorization without pivoting, which skips the columns that add nothing.
    factor = np.zeros((p, p))
    for j in range(p):
        remainder = gram[j:, j] - factor[j:, :j] @ factor[j, :j]
        if flat[j] or remainder[0] <= share:
            dependent[j] = True
            continue
        factor[j:, j] = remainder / np.sqrt(remainder[0])
    return dependent
