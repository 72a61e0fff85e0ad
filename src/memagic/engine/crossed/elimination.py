"""Elimination of the effects of one term, whose groups are not coupled with each other.

With D the blocks of its groups, C what couples them with other columns and A the rest, what is left to
do is S = A - C'D^-1 C. Of the inverse those entries are wanted that have a place in the matrix:

    (H^-1)_RR = S^-1,   (H^-1)_ER = -D^-1 C S^-1,   (H^-1)_EE = D^-1 + D^-1 C S^-1 C'D^-1.

Source: Bates, Maechler, Bolker and Walker (2015), Journal of Statistical Software 67(1); for entries
of the inverse, Takahashi, Fagan and Chin (1973).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

from memagic.engine.crossed.pieces import Pieces
from memagic.engine.crossed.products import joint

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Pairs of entries are listed up to so many, and as long as that is less work than dense products.
_MOST_PAIRS = 8_000_000
_DENSE_WORK = 330
_LITTLE_WORK = 1e8
# Elements of the dense rows that are formed at a time.
_CHUNK = 4_000_000

__all__ = ["Eliminated", "Elimination", "Rest"]


class Rest(Protocol):
    """A symmetric matrix with places for its entries in one flat array."""

    @property
    def length(self) -> int: ...

    def position(self, left: Index, right: Index) -> Index:
        """Where the entry of two columns lies."""

    def factor(self, flat: Array) -> Any:
        """Factor the matrix, which may be overwritten; the result has a `log_det`."""

    def solve(self, factored: Any, rhs: Array) -> None:
        """Overwrite the elements of `rhs` that belong here, shape (number of all columns,)."""

    def invert(self, factored: Any, out: Array) -> None:
        """Write the inverse to the same places of `out`."""


@dataclass(frozen=True, slots=True)
class Eliminated:
    """The factored matrix.

    Attributes
    ----------
    inverse : ndarray, shape (M, q, q)
        D^-1.
    entries, solved : ndarray, shape (E, q)
        C and D^-1 C by entry.
    rest : object
        The factored S.
    log_det : float
    """

    inverse: Array
    entries: Array
    solved: Array
    rest: Any
    log_det: float


@dataclass(frozen=True, slots=True)
class _Pairs:
    """All pairs of entries of one group, P of them, those of an entry with itself included.

    Attributes
    ----------
    entry : ndarray of int, shape (P,)
        The later entry; sorted.
    other : ndarray of int, shape (P,)
        The earlier one, or the same.
    position : ndarray of int, shape (P,)
        Where their columns meet in the rest.
    last : ndarray of int, shape (E,)
        The pair of each entry with itself.
    """

    entry: Index
    other: Index
    position: Index
    last: Index


class Elimination:
    """A matrix of which one term is eliminated.

    Its places: the blocks D of M groups with q effects, in row-major order with their lower triangles,
    then C, entry by entry, then those of the rest.

    Parameters
    ----------
    offset : int
        The first column of the term.
    shape : tuple of int
        (M, q).
    group, column : ndarray of int, shape (E,)
        Entries: columns that a group is coupled with. In no order, without repetition.
    rest : Rest
    n_columns : int
        Number of all columns, the term's and others.
    """

    def __init__(
        self, offset: int, shape: tuple[int, int], group: Index, column: Index, rest: Rest, n_columns: int
    ) -> None:
        self._m, self._q = shape
        self._offset = offset
        self._rest = rest
        self._n_columns = n_columns
        key = np.sort(group * n_columns + column)
        self._group, self._column = key // n_columns, key % n_columns
        self._key = key
        self._begins = np.searchsorted(self._group, np.arange(self._m + 1))
        self._entries_at = self._m * self._q**2
        self._rest_at = self._entries_at + len(key) * self._q
        self.length = self._rest_at + rest.length
        self._pairs = _pairs(self._begins, self._group, self._column, rest) if self._is_sparse() else None
        self._chunks = self._make_chunks() if self._pairs is None else []

    def position(self, left: Index, right: Index) -> Index:
        """Where the entry of two columns lies; two of the term's own must be of one group."""
        left, right = np.broadcast_arrays(left, right)
        first, last = self._offset, self._offset + self._m * self._q
        own_left = (left >= first) & (left < last)
        own_right = (right >= first) & (right < last)
        result = np.empty(left.shape, dtype=np.intp)
        both = own_left & own_right
        group, a = np.divmod(left[both] - first, self._q)
        b = (right[both] - first) % self._q
        result[both] = (group * self._q + np.maximum(a, b)) * self._q + np.minimum(a, b)
        one = own_left ^ own_right
        own = np.where(own_left, left, right)[one]
        other = np.where(own_left, right, left)[one]
        group, a = np.divmod(own - first, self._q)
        entry = np.searchsorted(self._key, group * self._n_columns + other)
        result[one] = self._entries_at + entry * self._q + a
        none = ~(own_left | own_right)
        result[none] = self._rest_at + self._rest.position(left[none], right[none])
        return result

    def factor(self, flat: Array) -> Eliminated:
        """Factor the matrix, which is overwritten.

        Raises
        ------
        numpy.linalg.LinAlgError
            It is not positive definite.
        """
        q = self._q
        lower = flat[: self._entries_at].reshape(self._m, q, q)
        inverse, log_det = _inverse(lower)
        entries = flat[self._entries_at : self._rest_at].reshape(-1, q)
        solved = _by_group(inverse, entries, self._group)
        left = flat[self._rest_at :]
        self._eliminate(left, entries, solved, inverse)
        rest = self._rest.factor(left)
        return Eliminated(inverse, entries, solved, rest, log_det + rest.log_det)

    def solve(self, factored: Eliminated, rhs: Array) -> None:
        """Overwrite `rhs`, shape (number of all columns,), by the solution."""
        own = rhs[self._offset : self._offset + self._m * self._q].reshape(self._m, self._q)
        own[:] = np.einsum("mab,mb->ma", factored.inverse, own)
        for a in range(self._q):
            up = factored.entries[:, a] * np.take(own[:, a], self._group)
            rhs -= np.bincount(self._column, up, minlength=self._n_columns)
        self._rest.solve(factored.rest, rhs)
        for a in range(self._q):
            down = factored.solved[:, a] * np.take(rhs, self._column)
            own[:, a] -= np.bincount(self._group, down, minlength=self._m)

    def invert(self, factored: Eliminated, out: Array) -> None:
        """Write the inverse to the places of the matrix in `out`, shape (length,)."""
        rest = out[self._rest_at :]
        self._rest.invert(factored.rest, rest)
        across = self._across(factored.solved, rest)
        corner = out[: self._entries_at].reshape(factored.inverse.shape)
        corner[:] = factored.inverse
        for a in range(self._q):
            for b in range(a + 1):
                down = across[:, a] * factored.solved[:, b]
                corner[:, a, b] += np.bincount(self._group, down, minlength=self._m)
        np.negative(across.ravel(), out=out[self._entries_at : self._rest_at])

    def _is_sparse(self) -> bool:
        """Whether pairs of entries are listed rather than multiplied as dense rows."""
        if not isinstance(self._rest, Pieces):
            return True
        degree = np.diff(self._begins)
        n_pairs = int((degree * (degree + 1) // 2).sum())
        pieces = self._rest
        linked = np.flatnonzero(degree)
        size = pieces.size[pieces.of_column[self._column[self._begins[linked]]]]
        work = max(float((size**2.0).sum()), _LITTLE_WORK)
        return n_pairs <= _MOST_PAIRS and n_pairs * _DENSE_WORK <= work

    def _eliminate(self, left: Array, entries: Array, solved: Array, inverse: Array) -> None:
        """Take C'D^-1 C from what is left, in its places."""
        if self._pairs is not None:
            pairs = self._pairs
            product = np.take(entries[:, 0], pairs.entry) * np.take(solved[:, 0], pairs.other)
            for a in range(1, self._q):
                product += entries[pairs.entry, a] * solved[pairs.other, a]
            left -= np.bincount(pairs.position, product, minlength=len(left))
            return
        assert isinstance(self._rest, Pieces)
        roots = np.asarray(np.linalg.cholesky(inverse), dtype=float)
        half = _by_group(roots.transpose(0, 2, 1), entries, self._group)
        for piece, chunk, at in self._chunks:
            matrix = self._rest.matrix(left, piece)
            dense = self._dense(half, chunk, at, len(matrix))
            # In Fortran's order the lower triangle is the upper one.
            dsyrk(-1.0, dense.T, beta=1.0, c=matrix.T, overwrite_c=1)

    def _across(self, solved: Array, rest: Array) -> Array:
        """D^-1 C S^-1 by entry, shape (E, q)."""
        result = np.empty_like(solved)
        if not len(solved):
            return result
        if self._pairs is not None:
            pairs = self._pairs
            value = np.take(rest, pairs.position)
            begins = np.r_[0, pairs.last[:-1] + 1]
            for a in range(self._q):
                column = solved[:, a]
                result[:, a] = np.add.reduceat(np.take(column, pairs.other) * value, begins)
                result[:, a] += np.bincount(pairs.other, np.take(column, pairs.entry) * value, len(column))
                result[:, a] -= column * value[pairs.last]  # an entry with itself was there twice
            return result
        assert isinstance(self._rest, Pieces)
        for piece, chunk, at in self._chunks:
            matrix = self._rest.matrix(rest, piece)
            dense = self._dense(solved, chunk, at, len(matrix))
            product = joint(dense, np.tril(matrix) + np.tril(matrix, -1).T)
            place = self._rest.place[self._column[chunk]]
            for a in range(self._q):
                result[chunk, a] = product[at * self._q + a, place]
        return result

    def _make_chunks(self) -> list[tuple[int, Index, Index]]:
        """Entries of some groups of one piece: the piece, the entries, the numbers of their groups."""
        assert isinstance(self._rest, Pieces)
        linked = np.flatnonzero(np.diff(self._begins))
        of_group = self._rest.of_column[self._column[self._begins[linked]]]
        found = []
        for piece, size in enumerate(self._rest.size):
            groups = linked[of_group == piece]
            step = max(1, _CHUNK // (int(size) * self._q))
            for first in range(0, len(groups), step):
                some = groups[first : first + step]
                degree = self._begins[some + 1] - self._begins[some]
                at = np.repeat(np.arange(len(some)), degree)
                offset = np.arange(len(at)) - np.repeat(np.cumsum(degree) - degree, degree)
                found.append((piece, self._begins[some][at] + offset, at))
        return found

    def _dense(self, entries: Array, chunk: Index, at: Index, size: int) -> Array:
        assert isinstance(self._rest, Pieces)
        dense = np.zeros((int(at[-1] + 1) * self._q, size))
        place = self._rest.place[self._column[chunk]]
        for a in range(self._q):
            dense[at * self._q + a, place] = entries[chunk, a]
        return dense


def _pairs(begins: Index, group: Index, column: Index, rest: Rest) -> _Pairs:
    nth = np.arange(len(group)) - begins[group]
    counts = nth + 1
    last = np.cumsum(counts) - 1
    entry = np.repeat(np.arange(len(nth)), counts)
    other = np.arange(len(entry)) - np.repeat(last - nth - begins[group], counts)
    return _Pairs(entry, other, rest.position(column[entry], column[other]), last)


def _by_group(matrices: Array, entries: Array, group: Index) -> Array:
    """The matrix of each entry's group times the entry, shape (E, q)."""
    if entries.shape[1] == 1:
        return np.asarray(matrices[group, 0] * entries)
    return np.asarray(np.einsum("eab,eb->ea", matrices[group], entries))


def _inverse(lower: Array) -> tuple[Array, float]:
    """Inverses of positive definite blocks, and their log determinant in all."""
    if lower.shape[1] == 1:
        if not (lower > 0.0).all():
            raise np.linalg.LinAlgError("D is not positive definite")
        return 1.0 / lower, float(np.log(lower).sum())
    roots = np.linalg.cholesky(lower)
    log_det = 2.0 * float(np.log(np.diagonal(roots, axis1=1, axis2=2)).sum())
    halves = np.linalg.inv(roots)
    return halves.transpose(0, 2, 1) @ halves, log_det
