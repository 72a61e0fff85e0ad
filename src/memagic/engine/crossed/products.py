"""Products of long arrays by SciPy's BLAS, which factors the systems too.

NumPy and SciPy each bring a BLAS with threads of its own, and these keep a processor busy for a while
after each call: products by the one would slow down factorizations by the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dgemm, dgemv

from memagic.engine import _kernel

Array = NDArray[np.float64]

__all__ = ["along_columns", "dot", "gram", "joint", "transposed"]


def dot(left: Array, right: Array) -> float:
    """The sum of products of all elements."""
    return _kernel.dot(np.ascontiguousarray(left), np.ascontiguousarray(right))


def along_columns(x: Array, beta: Array) -> Array:
    """X beta, shape (n,)."""
    if not x.size:
        return np.zeros(len(x))
    return np.asarray(dgemv(1.0, x.T, beta, trans=1))


def transposed(x: Array, r: Array) -> Array:
    """X'r, shape (p,)."""
    if not x.size:
        return np.zeros(x.shape[1])
    return np.asarray(dgemv(1.0, x.T, r))


def gram(left: Array, right: Array) -> Array:
    """A'B of arrays with equally many rows."""
    if not (left.size and right.size):
        return np.zeros((left.shape[1], right.shape[1]))
    return np.asarray(dgemm(1.0, left.T, right.T, trans_b=1))


def joint(left: Array, right: Array) -> Array:
    """A B in row-major order."""
    return np.asarray(dgemm(1.0, right.T, left.T).T)
