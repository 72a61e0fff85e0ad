"""Linear constraints on the reported parameters, and what they leave free.

The constraints R tau = r are on tau = (beta, the reported elements of Sigma, the family's reported
parameters). They are solved as tau = T gamma + t by elimination, so that gamma are d - k of the
parameters themselves: what is held has its value exactly, and what is equal is equal to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

__all__ = ["InconsistentConstraints", "LinearConstraints", "Solution", "combined", "solve"]

# Of the largest coefficient of a constraint: what is left of it after elimination and counts as nothing.
_NOTHING = 1e-10


class InconsistentConstraints(Exception):
    """No parameters satisfy the constraints.

    Attributes
    ----------
    row : int
        The first constraint that contradicts those before it.
    """

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


@dataclass(frozen=True, slots=True)
class LinearConstraints:
    """R tau = r.

    Attributes
    ----------
    matrix : ndarray, shape (k, d)
    values : ndarray, shape (k,)
    """

    matrix: Array
    values: Array

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, kept: tuple[int, ...]) -> LinearConstraints:
        """Some of the constraints."""
        return LinearConstraints(self.matrix[list(kept)], self.values[list(kept)])

    def within(self, columns: Mask) -> LinearConstraints:
        """The constraints on nothing but the parameters that `columns` marks, on these alone."""
        alone = ~self.matrix[:, ~columns].any(axis=1)
        return LinearConstraints(self.matrix[np.ix_(alone, columns)], self.values[alone])


@dataclass(frozen=True, slots=True)
class Solution:
    """All tau with R tau = r, as T gamma + t.

    Attributes
    ----------
    basis : ndarray, shape (d, f)
        T.
    point : ndarray, shape (d,)
        t.
    free : ndarray of int, shape (f,)
        Which elements of tau the gamma are.
    kept : tuple of int
        The constraints that are not implied by those before them.
    """

    basis: Array
    point: Array
    free: Index
    kept: tuple[int, ...]

    def nearest(self, tau: Array) -> Array:
        """The gamma whose tau is nearest to the given one, shape (f,)."""
        return np.asarray(np.linalg.lstsq(self.basis, tau - self.point, rcond=None)[0])


def combined(*parts: LinearConstraints) -> LinearConstraints:
    """Several sets of constraints on the same parameters, one after the other."""
    return LinearConstraints(
        np.concatenate([part.matrix for part in parts]), np.concatenate([part.values for part in parts])
    )


def solve(constraints: LinearConstraints) -> Solution:
    """Solve constraints by Gauss-Jordan elimination, in their order.

    Parameters
    ----------
    constraints : LinearConstraints
        A constraint that follows from those before it is dropped.

    Raises
    ------
    InconsistentConstraints
        A constraint contradicts those before it.
    """
    d = constraints.matrix.shape[1]
    rows = np.empty((0, d + 1))
    pivots: list[int] = []
    kept: list[int] = []
    for number, (coefficients, value) in enumerate(zip(constraints.matrix, constraints.values, strict=True)):
        size = float(np.abs(coefficients).max(initial=0.0))
        row = np.append(coefficients, value) / (size or 1.0)
        row = row - row[pivots] @ rows
        # Each pivot has a one in its own row and zeros in the others.
        row[pivots] = 0.0
        row[:d][np.abs(row[:d]) < _NOTHING] = 0.0
        if size == 0.0 or not row[:d].any():
            if abs(row[d]) > _NOTHING * (1.0 + abs(value) / (size or 1.0)):
                raise InconsistentConstraints(number)
            continue
        # Of coefficients of one size the last is solved for: b in a - b = 0.
        pivot = d - 1 - int(np.argmax(np.abs(row[:d])[::-1]))
        row = row / row[pivot]
        rows = rows - np.outer(rows[:, pivot], row)
        rows = np.vstack([rows, row])
        pivots.append(pivot)
        kept.append(number)
    free = np.setdiff1d(np.arange(d), pivots)
    basis = np.zeros((d, len(free)))
    basis[free, np.arange(len(free))] = 1.0
    point = np.zeros(d)
    if pivots:
        # Adding zero makes -0 a zero.
        basis[pivots] = -rows[:, free] + 0.0
        point[pivots] = rows[:, d]
    return Solution(basis, point, free, tuple(kept))
