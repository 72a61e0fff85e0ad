"""Positive definite matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dtrtri

Array = NDArray[np.float64]

__all__ = ["inverse_root"]


def inverse_root(matrix: Array) -> Array | None:
    """X = L^-1 of a matrix L L', its inverse being X'X; None unless it is positive definite.

    Parameters
    ----------
    matrix : ndarray, shape (d, d)
        Of at least one row; its lower triangle is read.

    Returns
    -------
    ndarray, shape (d, d)
        Lower triangular.
    """
    root, failed = dpotrf(matrix, lower=1)
    if failed or not np.isfinite(root.diagonal()).all():
        return None
    return np.asarray(dtrtri(root, lower=1)[0])
