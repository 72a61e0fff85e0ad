"""Dense matrices over the connected pieces of a design: what is left when nothing sparse is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from memagic.engine.crossed.products import dot
from memagic.engine.crossed.threads import dense_threads, several_threads

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Pieces up to this size are factored many at a time.
_SMALL = 48

__all__ = ["FactoredPieces", "Pieces", "Trace"]


@dataclass(frozen=True, slots=True)
class FactoredPieces:
    """Cholesky factors, inverted for small pieces.

    Attributes
    ----------
    roots : ndarray, shape (length,)
        Lower triangles, in the places of the matrices.
    log_det : float
    """

    roots: Array
    log_det: float


@dataclass(frozen=True, slots=True)
class Trace:
    """Traces of an inverse P of a matrix of N columns.

    Attributes
    ----------
    size : int
        N.
    first, second : float
        Tr P and tr P^2.
    """

    size: int
    first: float
    second: float


class Pieces:
    """A symmetric matrix that couples only columns of one piece.

    The pieces follow each other in order of size; entry (r, c), r >= c, of one of s columns is at its
    start + r s + c, as in a matrix in row-major order with its lower triangle.

    Parameters
    ----------
    columns : ndarray of int, shape (N,)
        Which of all columns these are, ascending.
    piece : ndarray of int, shape (number of all columns,)
        The piece of every column.

    Attributes
    ----------
    length : int
        Elements of all matrices.
    columns : ndarray of int, shape (N,)
        Piece by piece.
    of_column, place : ndarray of int, shape (number of all columns,)
        The piece of a column and its place within; arbitrary for columns that are not here.
    start, size : ndarray of int, shape (number of pieces,)
    threads : int
        For dense products and factorizations.
    """

    def __init__(self, columns: Index, piece: Index) -> None:
        found, label = np.unique(piece[columns], return_inverse=True)
        size = np.bincount(label, minlength=len(found))
        by_size = np.argsort(size, kind="stable")
        rank = np.empty(len(found), dtype=np.intp)
        rank[by_size] = np.arange(len(found))
        label, self.size = rank[label], size[by_size]
        order = np.argsort(label, kind="stable")
        self.columns = columns[order]
        self.start = np.cumsum(self.size**2) - self.size**2
        self.length = int((self.size**2).sum())
        before = np.cumsum(self.size) - self.size
        self.of_column = np.zeros(len(piece), dtype=np.intp)
        self.of_column[columns] = label
        self.place = np.zeros(len(piece), dtype=np.intp)
        self.place[self.columns] = np.arange(len(order)) - before[label[order]]
        sizes, counts = np.unique(self.size, return_counts=True)
        self.threads = dense_threads(int(sizes[-1])) if len(sizes) else 1
        self._stacks = [(int(s), int(k)) for s, k in zip(sizes, counts, strict=True)]

    def position(self, left: Index, right: Index) -> Index:
        """Where the entry of two columns of one piece lies."""
        row, column = self.place[left], self.place[right]
        if len(self.size) == 1:
            return np.asarray(np.maximum(row, column) * self.size[0] + np.minimum(row, column))
        piece = self.of_column[left]
        return np.asarray(
            self.start[piece] + np.maximum(row, column) * self.size[piece] + np.minimum(row, column)
        )

    def row_and_place(self, column: Index) -> tuple[Index, Index]:
        """The start of a column's row, and its place: the position of an entry is the sum of these.

        For a column and an earlier one of its piece, or itself.
        """
        place, piece = self.place[column], self.of_column[column]
        return self.start[piece] + place * self.size[piece], place

    def matrix(self, flat: Array, piece: int) -> Array:
        """One piece's matrix, a view."""
        start, size = int(self.start[piece]), int(self.size[piece])
        return flat[start : start + size * size].reshape(size, size)

    def factor(self, flat: Array) -> FactoredPieces:
        """Overwrite the matrices by their factors.

        Raises
        ------
        numpy.linalg.LinAlgError
            One is not positive definite.
        """
        log_det = 0.0
        for stack, _ in self._stacked(flat):
            size = stack.shape[1]
            if size == 1:
                if not (stack > 0.0).all():
                    raise np.linalg.LinAlgError("a piece is not positive definite")
                np.sqrt(stack, out=stack)
            elif size <= _SMALL:
                stack[:] = np.linalg.cholesky(stack)
            else:
                # In Fortran's order the lower triangle is the upper one.
                with several_threads(self.threads):
                    failed = any(dpotrf(matrix.T, lower=0, clean=0, overwrite_a=1)[1] for matrix in stack)
                if failed:
                    raise np.linalg.LinAlgError("a piece is not positive definite")
            log_det += 2.0 * float(np.log(np.diagonal(stack, axis1=1, axis2=2)).sum())
            if size == 1:
                np.divide(1.0, stack, out=stack)
            elif size <= _SMALL:
                stack[:] = np.linalg.inv(stack)
        return FactoredPieces(flat, log_det)

    def solve(self, factored: FactoredPieces, rhs: Array) -> None:
        """Overwrite the rows of `rhs`, shape (number of all columns, k), that belong here."""
        ordered = rhs[self.columns]
        for stack, columns in self._stacked(factored.roots):
            count, size, _ = stack.shape
            part = ordered[columns].reshape(count, size, -1)
            if size == 1:
                part *= stack**2
            elif size <= _SMALL:
                part[:] = stack.transpose(0, 2, 1) @ (stack @ part)
            else:
                for matrix, block in zip(stack, part, strict=True):
                    block[:] = dpotrs(matrix.T, block, lower=0)[0]
        rhs[self.columns] = ordered

    def invert(self, factored: FactoredPieces, out: Array) -> Trace:
        """Write the inverse to the same places of `out`, lower triangles."""
        out[:] = factored.roots
        first = second = 0.0
        for stack, _ in self._stacked(out):
            size = stack.shape[1]
            if size == 1:
                np.multiply(stack, stack, out=stack)
            elif size <= _SMALL:
                stack[:] = stack.transpose(0, 2, 1) @ stack
            else:
                with several_threads(self.threads):
                    for matrix in stack:
                        dpotri(matrix.T, lower=0, overwrite_c=1)
            diagonal = np.diagonal(stack, axis1=1, axis2=2)
            first += float(diagonal.sum())
            if size <= _SMALL:
                second += dot(stack, stack)
            else:
                # Above the diagonal there are zeros.
                second += 2.0 * dot(stack, stack) - float((diagonal**2).sum())
        return Trace(len(self.columns), first, second)

    def _stacked(self, flat: Array) -> Iterator[tuple[Array, slice]]:
        """Pieces of one size, shape (count, size, size), and where their columns are."""
        start = first = 0
        for size, count in self._stacks:
            stop, last = start + count * size**2, first + count * size
            yield flat[start:stop].reshape(count, size, size), slice(first, last)
            start, first = stop, last
