"""Columns of a design matrix that earlier columns determine, and what is said of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.data.coded import Moments
from memagic.data.terms import Column, constant

__all__ = ["dependent_columns", "judged"]

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


def judged(
    columns: list[Column], sums: Moments, has_constant: bool, notes: list[str], keep: bool
) -> tuple[Column, ...]:
    """All columns with their states, the constant last.

    Columns that others determine are omitted unless `keep` is set; columns that are zero, in any case.

    Parameters
    ----------
    columns : list of Column
        Without the constant.
    sums : Moments
        Of those of them that are not omitted yet, from their means where there is a constant.
    has_constant : bool
    notes : list of str
        What there is to say is added.
    keep : bool
    """
    found = list(columns)
    used = [k for k, column in enumerate(columns) if column.state == "estimated"]
    dependent = sums.length == 0.0 if keep else dependent_columns(sums)
    for place, k in enumerate(used):
        if not dependent[place]:
            continue
        column = columns[k]
        if column.heading and sums.length[place] == 0.0:
            found[k] = column.omitted("empty")
            notes.append(f"note: {column.name} identifies no observations in the sample.")
        else:
            found[k] = column.omitted("omitted")
            notes.append(f"note: {column.name} omitted because of collinearity.")
    last = constant() if has_constant else constant().omitted("omitted")
    return (*found, last)
