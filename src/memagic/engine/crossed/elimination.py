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

from memagic.engine import _kernel
from memagic.engine.crossed.pieces import SMALL, FactoredPieces, Pieces, Trace
from memagic.engine.crossed.products import joint
from memagic.engine.crossed.threads import several_threads

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# A pair of entries takes as long as so many multiplications of dense products. Few are never too many.
_DENSE_WORK = 16.0
_LITTLE_WORK = 5e6
# Elements of the dense rows that are formed at a time.
_CHUNK = 4_000_000

__all__ = ["Eliminated", "Elimination", "Rest"]


class Rest(Protocol):
    """A symmetric matrix with places for its entries in one flat array."""

    @property
    def length(self) -> int: ...

    def position(self, left: Index, right: Index) -> Index:
        """Where the entry of two columns lies."""

    def row_and_place(self, column: Index) -> tuple[Index, Index] | None:
        """Two numbers for each column whose sum is the position of an entry.

        The first that of the later column, the second that of the earlier one; None where there are
        no such numbers.
        """

    def factor(self, flat: Array) -> Any:
        """Factor the matrix, which may be overwritten; the result has a `log_det`."""

    def solve(self, factored: Any, rhs: Array) -> None:
        """Overwrite the rows of `rhs` that belong here, shape (number of all columns, k)."""

    def invert(self, factored: Any, out: Array) -> Trace | None:
        """Write the inverse to the same places of `out`; traces, unless they are not known."""


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
        self._sparse = self._is_sparse()
        self._pairs = self._make_pairs()
        # With these the compiled kernel does all of it in one call.
        few = self._sparse and self._q <= SMALL
        self._small = rest if few and isinstance(rest, Pieces) and rest.all_small else None
        self._chunks = [] if self._sparse else self._make_chunks()

    def position(self, left: Index, right: Index) -> Index:
        """Where the entry of two columns lies; two of the term's own must be of one group."""
        own_left, own_right = self._own(left), self._own(right)
        # As a rule all columns are of one term, on either side.
        if _alike(own_left) and _alike(own_right):
            return self._position(left, right, bool(own_left.any()), bool(own_right.any()))
        left, right, own_left, own_right = np.broadcast_arrays(left, right, own_left, own_right)
        result = np.empty(left.shape, dtype=np.intp)
        for a, b in ((True, True), (True, False), (False, True), (False, False)):
            some = (own_left == a) & (own_right == b)
            result[some] = self._position(left[some], right[some], a, b)
        return result

    def _own(self, column: Index) -> NDArray[np.bool_]:
        """Which columns are the term's."""
        return np.asarray((column >= self._offset) & (column < self._offset + self._m * self._q))

    def _position(self, left: Index, right: Index, own_left: bool, own_right: bool) -> Index:
        """Positions where all columns on the left are the term's or none is, and so on the right."""
        if own_right and not own_left:
            return self._position(right, left, True, False)
        if not own_left:
            return self._rest_at + self._rest.position(left, right)
        group, a = np.divmod(left - self._offset, self._q)
        if own_right:
            b = (right - self._offset) % self._q
            return np.asarray((group * self._q + np.maximum(a, b)) * self._q + np.minimum(a, b))
        entry = np.searchsorted(self._key, group * self._n_columns + right)
        return np.asarray(self._entries_at + entry * self._q + a)

    def factor(self, flat: Array) -> Eliminated:
        """Factor the matrix, which is overwritten.

        Raises
        ------
        numpy.linalg.LinAlgError
            It is not positive definite.
        """
        q = self._q
        entries = flat[self._entries_at : self._rest_at].reshape(-1, q)
        solved = np.empty_like(entries)
        left = flat[self._rest_at :]
        if self._small is not None:
            inverse, sizes = np.empty((self._m, q, q)), self._small.size
            found = _kernel.factor(*self._pairs, q, flat, inverse, solved, sizes, len(left))
            if found is None:
                raise np.linalg.LinAlgError("the matrix is not positive definite")
            return Eliminated(inverse, entries, solved, FactoredPieces(left, found[1]), sum(found))
        inverse, log_det = self._invert_own(flat[: self._entries_at])
        _kernel.eliminate(*self._pairs, q, inverse, entries, solved, left if self._sparse else None)
        if not self._sparse:
            self._eliminate_densely(left, entries, inverse)
        rest = self._rest.factor(left)
        return Eliminated(inverse, entries, solved, rest, log_det + rest.log_det)

    def solve(self, factored: Eliminated, rhs: Array) -> None:
        """Overwrite `rhs`, shape (number of all columns, k), by the solution."""
        design = (self._begins, self._column, self._column, None, self._q)
        inverse, entries, solved, sides = factored.inverse, factored.entries, factored.solved, rhs.shape[1]
        if self._small is not None:
            small = self._small.small(factored.rest)
            _kernel.solutions(*design, inverse, entries, solved, *small, rhs, self._offset, sides)
            return
        _kernel.forwards(*design, inverse, entries, rhs, self._offset, sides)
        self._rest.solve(factored.rest, rhs)
        _kernel.backwards(*design, solved, rhs, self._offset, sides)

    def row_and_place(self, column: Index) -> None:
        """There are no such numbers: entries with the term's own columns and others lie apart."""
        return None

    def invert(self, factored: Eliminated, out: Array) -> Trace | None:
        """Write the inverse to the places of the matrix in `out`, shape (length,).

        The traces are those of S^-1, None unless nothing but one term is eliminated.
        """
        if self._small is not None:
            sizes, roots, traces = self._small.size, factored.rest.roots, np.zeros(2)
            inverse, solved = factored.inverse, factored.solved
            _kernel.inverses(*self._pairs, self._q, inverse, solved, sizes, roots, out, traces)
            return Trace(len(self._small.columns), float(traces[0]), float(traces[1]))
        rest = out[self._rest_at :]
        trace = self._rest.invert(factored.rest, rest)
        across = out[self._entries_at : self._rest_at].reshape(-1, self._q)
        if not self._sparse:
            across[:] = self._across_densely(factored.solved, rest)
        corner = out[: self._entries_at]
        given = rest if self._sparse else None
        _kernel.invert(*self._pairs, self._q, factored.inverse, factored.solved, given, across, corner)
        return trace if isinstance(self._rest, Pieces) else None

    def _invert_own(self, own: Array) -> tuple[Array, float]:
        """D^-1 and log|D|; D, given with its lower triangles, is overwritten."""
        shape = (self._m, self._q, self._q)
        if self._q > SMALL:
            roots = np.linalg.inv(np.linalg.cholesky(own.reshape(shape)))
            log_det = -2.0 * float(np.log(np.diagonal(roots, axis1=1, axis2=2)).sum())
            return roots.transpose(0, 2, 1) @ roots, log_det
        inverse = np.empty(shape)
        found = _kernel.equal_inverses(self._q, own, inverse)
        if found is None:
            raise np.linalg.LinAlgError("D is not positive definite")
        return inverse, found

    def _is_sparse(self) -> bool:
        """Whether entries are multiplied pair by pair rather than as dense rows."""
        if not isinstance(self._rest, Pieces):
            return True
        degree = np.diff(self._begins)
        n_pairs = int((degree * (degree + 1) // 2).sum())
        pieces = self._rest
        linked = np.flatnonzero(degree)
        size = pieces.size[pieces.of_column[self._column[self._begins[linked]]]]
        work = max(float((size**2.0).sum()), _LITTLE_WORK)
        return n_pairs * _DENSE_WORK <= work

    def _make_pairs(self) -> tuple[Index, Index, Index, Index | None]:
        """Entries by group and where pairs of them are in the rest, as the kernel has them."""
        if not self._sparse:
            return self._begins, self._column, self._column, None
        found = self._rest.row_and_place(self._column)
        if found is not None:
            return self._begins, *found, None
        nth = np.arange(len(self._group)) - self._begins[self._group]
        later = np.repeat(np.arange(len(nth)), nth + 1)
        ends = np.cumsum(nth + 1)
        earlier = np.arange(len(later)) - np.repeat(ends - 1 - nth - self._begins[self._group], nth + 1)
        listed = self._rest.position(self._column[later], self._column[earlier])
        return self._begins, self._column, self._column, listed

    def _eliminate_densely(self, left: Array, entries: Array, inverse: Array) -> None:
        """Take C'D^-1 C from what is left, in its places."""
        assert isinstance(self._rest, Pieces)
        roots = np.asarray(np.linalg.cholesky(inverse), dtype=float)
        half = _by_group(roots.transpose(0, 2, 1), entries, self._group)
        for piece, chunk, at in self._chunks:
            matrix = self._rest.matrix(left, piece)
            dense = self._dense(half, chunk, at, len(matrix))
            # In Fortran's order the lower triangle is the upper one.
            with several_threads(self._rest.threads):
                dsyrk(-1.0, dense.T, beta=1.0, c=matrix.T, overwrite_c=1)

    def _across_densely(self, solved: Array, rest: Array) -> Array:
        """D^-1 C S^-1 by entry, shape (E, q)."""
        result = np.empty_like(solved)
        assert isinstance(self._rest, Pieces)
        for piece, chunk, at in self._chunks:
            matrix = self._rest.matrix(rest, piece)
            dense = self._dense(solved, chunk, at, len(matrix))
            with several_threads(self._rest.threads):
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


def _alike(flags: NDArray[np.bool_]) -> bool:
    return bool(flags.all() or not flags.any())


def _by_group(matrices: Array, entries: Array, group: Index) -> Array:
    """The matrix of each entry's group times the entry, shape (E, q)."""
    if entries.shape[1] == 1:
        return np.asarray(matrices[group, 0] * entries)
    return np.asarray(np.einsum("eab,eb->ea", matrices[group], entries))
