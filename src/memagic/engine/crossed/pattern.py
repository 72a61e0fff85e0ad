"""Where the entries of the system over all effects go when the largest term is eliminated.

Nothing here depends on parameters: it is done once. Columns are the effects of all other terms, group
by group; an entry is a column that a group of the eliminated term is linked to. What remains of the
columns after elimination falls into the connected pieces of the design, each a dense matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from memagic.engine.crossed.rows import Rows

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Pairs", "Pattern", "Pieces"]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The connected pieces of the columns, in order of size, and where their matrices lie.

    The matrices follow each other in one array; entry (r, c), r >= c, of a piece of s columns is at
    its start + r s + c, as in a matrix in row-major order with its lower triangle.

    Attributes
    ----------
    of_column : ndarray of int, shape (N,)
    place : ndarray of int, shape (N,)
        Of a column within its piece.
    start, size : ndarray of int, shape (number of pieces,)
    order : ndarray of int, shape (N,)
        The columns piece by piece.
    """

    of_column: Index
    place: Index
    start: Index
    size: Index
    order: Index

    @property
    def length(self) -> int:
        """Elements of all matrices."""
        return int((self.size**2).sum())

    def position(self, left: Index, right: Index) -> Index:
        """Where the entry of two columns of one piece lies, in its lower triangle."""
        row, column = self.place[left], self.place[right]
        piece = self.of_column[left]
        size = self.size[piece]
        return np.asarray(self.start[piece] + np.maximum(row, column) * size + np.minimum(row, column))


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of entries of one group, P of them, those of an entry with itself included.

    Attributes
    ----------
    entry : ndarray of int, shape (P,)
        The later entry; sorted.
    other : ndarray of int, shape (P,)
        The earlier one, or the same.
    position : ndarray of int, shape (P,)
        Where their columns meet among the pieces.
    last : ndarray of int, shape (E,)
        The pair of each entry with itself.
    """

    entry: Index
    other: Index
    position: Index
    last: Index


class Pattern:
    """The places of a `Curvature` in the system.

    Parameters
    ----------
    rows : Rows

    Attributes
    ----------
    first : int
        The term that is eliminated, with q effects in each of M groups.
    offsets : dict of int to int
        The first column of each other term.
    n_columns : int
    group, column : ndarray of int, shape (E,)
        Of the entries; sorted by group, then by column.
    begins : ndarray of int, shape (M + 1,)
        The first entry of each group.
    pieces : Pieces
    own : dict of int to ndarray, shape (M_t, q_t, q_t)
        Where the blocks of the other terms lie among the pieces.
    shared : dict of (int, int) to ndarray, shape (K, q_t, q_u)
        Likewise, for links between other terms.
    """

    def __init__(self, rows: Rows) -> None:
        self.first = rows.first
        self.q = rows.terms[rows.first].q
        self.n_groups = rows.terms[rows.first].size
        self.offsets: dict[int, int] = {}
        self.n_columns = 0
        for t, term in enumerate(rows.terms):
            if t != self.first:
                self.offsets[t] = self.n_columns
                self.n_columns += term.size * term.q
        self._shapes = {t: (len(rows.links[self.first, t].first), rows.terms[t].q) for t in self.offsets}
        groups, columns = [], []
        for t in self.offsets:
            link = rows.links[self.first, t]
            q = rows.terms[t].q
            groups.append(np.repeat(link.first, q))
            columns.append(self._columns(t, link.second, q).ravel())
        none = np.zeros(0, dtype=np.intp)
        group, column = np.concatenate([none, *groups]), np.concatenate([none, *columns])
        # Entries of one term are in order already.
        several = len(self.offsets) > 1
        self._order = np.lexsort((column, group)) if several else np.arange(len(group))
        self.group, self.column = group[self._order], column[self._order]
        self.begins = np.searchsorted(self.group, np.arange(self.n_groups + 1))
        self.pieces = self._pieces(rows)
        self.own, self.shared = {}, {}
        for t in self.offsets:
            q = rows.terms[t].q
            at = self._columns(t, np.arange(rows.terms[t].size), q)
            self.own[t] = self.pieces.position(at[:, :, None], at[:, None, :])
        for (t, u), link in rows.links.items():
            if t != self.first:
                left = self._columns(t, link.first, rows.terms[t].q)
                right = self._columns(u, link.second, rows.terms[u].q)
                self.shared[t, u] = self.pieces.position(left[:, :, None], right[:, None, :])

    @property
    def n_pairs(self) -> int:
        degree = np.diff(self.begins)
        return int((degree * (degree + 1) // 2).sum())

    @cached_property
    def pairs(self) -> Pairs:
        nth = np.arange(len(self.group)) - self.begins[self.group]
        counts = nth + 1
        last = np.cumsum(counts) - 1
        entry = np.repeat(np.arange(len(nth)), counts)
        other = np.arange(len(entry)) - np.repeat(last - nth, counts) + np.repeat(self.begins[self.group], counts)
        return Pairs(entry, other, self.pieces.position(self.column[entry], self.column[other]), last)

    def entries(self, shared: dict[tuple[int, int], Array]) -> Array:
        """Blocks that link the first term with others, by entry, shape (E, q)."""
        parts = [
            shared[self.first, t].transpose(0, 2, 1).reshape(-1, self.q) for t in self.offsets
        ]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([np.zeros((0, self.q)), *parts])[self._order]

    def blocks(self, entries: Array) -> dict[tuple[int, int], Array]:
        """What `entries` has made entries of, each shape (K, q, q_t)."""
        back = np.empty_like(entries)
        back[self._order] = entries
        found, start = {}, 0
        for t, (links, q) in self._shapes.items():
            part = back[start : start + links * q]
            found[self.first, t] = part.reshape(links, q, self.q).transpose(0, 2, 1)
            start += links * q
        return found

    def _columns(self, term: int, group: Index, q: int) -> Index:
        """Columns of the effects of groups, shape (len(group), q)."""
        return np.asarray(self.offsets[term] + group[:, None] * q + np.arange(q))

    def _pieces(self, rows: Rows) -> Pieces:
        n, m = self.n_columns, self.n_groups
        left, right = [self.group + n], [self.column]
        for t in self.offsets:
            at = self._columns(t, np.arange(rows.terms[t].size), rows.terms[t].q)
            left.append(np.repeat(at[:, 0], at.shape[1]))
            right.append(at.ravel())
        for (t, u), link in rows.links.items():
            if t != self.first:
                left.append(self._columns(t, link.first, rows.terms[t].q)[:, 0])
                right.append(self._columns(u, link.second, rows.terms[u].q)[:, 0])
        edge = (np.concatenate(left), np.concatenate(right))
        graph = coo_array((np.ones(len(edge[0]), dtype=np.int8), edge), shape=(n + m, n + m))
        label = connected_components(graph, directed=False)[1][:n]
        found, piece = np.unique(label, return_inverse=True)
        size = np.bincount(piece, minlength=len(found))
        by_size = np.argsort(size, kind="stable")
        rank = np.empty(len(found), dtype=np.intp)
        rank[by_size] = np.arange(len(found))
        piece, size = rank[piece], size[by_size]
        order = np.argsort(piece, kind="stable")
        before = np.cumsum(size) - size
        place = np.empty(n, dtype=np.intp)
        place[order] = np.arange(n) - before[piece[order]]
        return Pieces(piece, place, np.cumsum(size**2) - size**2, size, order)
