"""Positive definite matrices."""

from __future__ import annotations

from math import isfinite

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dtrtri

Array = NDArray[np.float64]

__all__ = ["POSITIVE", "clear_inverse_root", "inverse_root", "inverse_where_positive"]

POSITIVE = 1e-12
"""Eigenvalues of a matrix scaled to a unit diagonal that are no more than this do not count as positive."""


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
    # What is not a number anywhere is none in the last pivot.
    if failed or not isfinite(root[-1, -1]):
        return None
    return np.asarray(dtrtri(root, lower=1)[0])


def clear_inverse_root(matrix: Array) -> Array | None:
    """The same where all eigenvalues are clearly positive, else None: the eigenvalues may still tell.

    Parameters
    ----------
    matrix : ndarray, shape (d, d)
        Scaled to a unit diagonal.
    """
    root = inverse_root(matrix)
    # The trace of the inverse is no less than the inverse of the least eigenvalue: mostly that settles it.
    return root if root is not None and POSITIVE * float(np.vdot(root, root)) < 1.0 else None


def inverse_where_positive(matrix: Array) -> Array:
    """The inverse on the directions in which a matrix is positive, zero on the others, shape (d, d).

    Parameters
    ----------
    matrix : ndarray, shape (d, d)
    """
    if len(matrix) == 0:
        return matrix
    scale = 1.0 / np.sqrt(np.maximum(np.abs(matrix.diagonal()), 1e-300))
    scales = np.outer(scale, scale)
    root = clear_inverse_root(matrix * scales)
    if root is not None:
        return np.asarray(root.T @ root * scales)
    values, vectors = np.linalg.eigh(matrix * scales)
    inverse = np.where(values > POSITIVE, 1.0 / np.where(values > POSITIVE, values, 1.0), 0.0)
    return np.asarray((vectors * inverse) @ vectors.T * scales)
