"""Dense matrices over the connected pieces of a design: what is left when nothing sparse is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from memagic.engine import _kernel
from memagic.engine.crossed.products import dot
from memagic.engine.crossed.threads import dense_threads, several_threads

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Matrices up to this size are factored without LAPACK.
SMALL = min(48, _kernel.MOST_SMALL)

__all__ = ["SMALL", "FactoredPieces", "Pieces", "Trace"]


@dataclass(frozen=True, slots=True)
class FactoredPieces:
    """Cholesky factors, inverted for small pieces, and with zeros above the diagonal for others.

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
        The piece of every column, by the number of one of its columns.

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
    all_small : bool
        Whether no piece is left to LAPACK.
    """

    def __init__(self, columns: Index, piece: Index) -> None:
        own = piece[columns]
        present = np.zeros(len(piece), dtype=bool)
        present[own] = True
        label = (np.cumsum(present) - 1)[own]
        size = np.bincount(label)
        by_size = np.argsort(size, kind="stable")
        rank = np.empty(len(size), dtype=np.intp)
        rank[by_size] = np.arange(len(size))
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
        self.threads = dense_threads(int(self.size.max(initial=0)))
        self._small = self.size[self.size <= SMALL]
        self._small_columns = self.columns[: int(self._small.sum())]
        self._small_length = int((self._small**2).sum())
        self.all_small = len(self._small) == len(self.size)

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
        log_det = _kernel.small_roots(self._small, flat[: self._small_length])
        if log_det is None:
            raise np.linalg.LinAlgError("a piece is not positive definite")
        if not self.all_small:
            log_det += self._factor_large(flat)
        return FactoredPieces(flat, log_det)

    def solve(self, factored: FactoredPieces, rhs: Array) -> None:
        """Overwrite the rows of `rhs`, shape (number of all columns, k), that belong here."""
        _kernel.small_solutions(*self.small(factored), rhs, rhs.shape[1])
        for matrix, columns in self._large(factored.roots):
            rhs[columns] = dpotrs(matrix.T, rhs[columns], lower=0)[0]

    def small(self, factored: FactoredPieces) -> tuple[Index, Index, Array]:
        """Of the small pieces, the sizes, the columns, and the inverted factors."""
        return self._small, self._small_columns, factored.roots[: self._small_length]

    def invert(self, factored: FactoredPieces, out: Array) -> Trace:
        """Write the inverse to the same places of `out`, lower triangles."""
        small, traces = self._small_length, np.zeros(2)
        _kernel.small_inverses(self._small, factored.roots[:small], out[:small], traces)
        if not self.all_small:
            out[small:] = factored.roots[small:]
            traces += self._invert_large(out)
        return Trace(len(self.columns), float(traces[0]), float(traces[1]))

    def _factor_large(self, flat: Array) -> float:
        """The logarithm of their determinants."""
        # In Fortran's order the lower triangle is the upper one.
        with several_threads(self.threads):
            failed = any(dpotrf(m.T, lower=0, clean=0, overwrite_a=1)[1] for m, _ in self._large(flat))
        if failed:
            raise np.linalg.LinAlgError("a piece is not positive definite")
        return 2.0 * sum(float(np.log(np.diagonal(m)).sum()) for m, _ in self._large(flat))

    def _invert_large(self, out: Array) -> Array:
        """Overwrite their factors by inverses P; the sums of tr P and of tr P^2."""
        with several_threads(self.threads):
            for matrix, _ in self._large(out):
                dpotri(matrix.T, lower=0, overwrite_c=1)
        traces = np.zeros(2)
        for matrix, _ in self._large(out):
            diagonal = np.diagonal(matrix)
            # Above the diagonal there are zeros.
            traces += diagonal.sum(), 2.0 * dot(matrix, matrix) - float((diagonal**2).sum())
        return traces

    def _large(self, flat: Array) -> Iterator[tuple[Array, Index]]:
        """Matrices that are not small, with their columns."""
        first = len(self._small_columns)
        for piece in range(len(self._small), len(self.size)):
            last = first + int(self.size[piece])
            yield self.matrix(flat, piece), self.columns[first:last]
            first = last
