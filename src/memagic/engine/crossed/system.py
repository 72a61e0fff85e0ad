"""The system over all effects, I + K: its factorization, solutions, and entries of its inverse.

The term with the most effects is eliminated first. While the groups of another term are then still
not coupled with each other, as where each group of the first lies in one of the other, it is next. What
is left falls into the connected pieces of the design, each a dense matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine import _kernel
from memagic.engine.crossed.elimination import Eliminated, Elimination, Rest
from memagic.engine.crossed.pieces import Pieces, Trace
from memagic.engine.crossed.rows import Curvature, Rows

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Up to so many columns are left to dense matrices without looking for another term to eliminate.
_FEW_COLUMNS = 256

# Elements of what is left, 3.2 GB, of which there are three at a time.
_MOST_ELEMENTS = 400_000_000

__all__ = ["Factored", "Inverse", "System", "TooLarge"]

Factored = Eliminated


class TooLarge(Exception):
    """Eliminating the largest term leaves more columns coupled with each other than memory has room for."""

    def __init__(self, columns: int) -> None:
        super().__init__(columns)
        self.columns = columns


@dataclass(frozen=True, slots=True)
class Inverse:
    """(I + K)^-1 where groups share rows.

    Attributes
    ----------
    flat : ndarray, shape (n_entries,)
        In the places of the system.
    trace : Trace or None
        Of the inverse of what is left without the first term; None where more terms are eliminated.
    """

    flat: Array
    trace: Trace | None


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns of the effects of a term: `offset` + group q + effect."""

    offset: int
    size: int
    q: int

    def of(self, group: Index) -> Index:
        """Shape (len(group), q)."""
        if self.q == 1:
            return np.asarray(self.offset + group[:, None])
        return np.asarray(self.offset + group[:, None] * self.q + np.arange(self.q))


class System:
    """Factors, solves and inverts.

    Parameters
    ----------
    rows : Rows

    Raises
    ------
    TooLarge
        There is no room for what is left.
    """

    def __init__(self, rows: Rows) -> None:
        self._columns: list[_Columns] = []
        offset = 0
        for term in rows.terms:
            self._columns.append(_Columns(offset, term.size, term.q))
            offset += term.size * term.q
        self._n_columns = offset
        links = {pair: (link.first, link.second) for pair, link in rows.links.items()}
        self._piece = self._connected(links)
        self._matrix = self._arranged(rows.first, links)
        self._own = []
        for columns in self._columns:
            at = columns.of(np.arange(columns.size))
            self._own.append(self._matrix.position(at[:, :, None], at[:, None, :]))
        self._diagonal = np.concatenate([np.diagonal(at, axis1=1, axis2=2).ravel() for at in self._own])
        self._shared = {}
        for (t, u), (first, second) in links.items():
            left, right = self._columns[t].of(first), self._columns[u].of(second)
            self._shared[t, u] = self._matrix.position(left[:, :, None], right[:, None, :])

    def row_places(self, rows: Rows) -> Index:
        """Places of the pairs of effects of each row, (0, 0), (1, 0), (1, 1) and so on, shape (n, ...)."""
        blocks: dict[tuple[int, int], Index] = {}
        for t, term in enumerate(rows.terms):
            blocks[t, t] = np.take(self._own[t], term.code, axis=0)
        for (t, u), link in rows.links.items():
            blocks[t, u] = np.take(self._shared[t, u], link.of_row, axis=0)
            blocks[u, t] = blocks[t, u].transpose(0, 2, 1)
        effects = [(t, a) for t, term in enumerate(rows.terms) for a in range(term.q)]
        pairs = [(k, j) for k in range(len(effects)) for j in range(k + 1)]
        found = np.empty((rows.n, len(pairs)), dtype=np.intp)
        for column, (k, j) in enumerate(pairs):
            (t, a), (u, b) = effects[k], effects[j]
            found[:, column] = blocks[t, u][:, a, b]
        return found

    def factor(self, curvature: Curvature) -> Factored:
        """Factor I + K, K the given blocks.

        Raises
        ------
        numpy.linalg.LinAlgError
            The matrix is not positive definite.
        """
        flat = np.zeros(self._matrix.length)
        for at, block in zip(self._own, curvature.own, strict=True):
            flat[at] = block
        for pair, at in self._shared.items():
            flat[at] = curvature.shared[pair]
        flat[self._diagonal] += 1.0
        return self._matrix.factor(flat)

    def factor_weighted(self, places: Index, loadings: Array, weight: Array) -> Factored:
        """Factor I + A'WA of the rows of A.

        Parameters
        ----------
        places : ndarray of int
            `row_places`.
        loadings : ndarray, shape (n, Q)
        weight : ndarray, shape (n,)

        Raises
        ------
        numpy.linalg.LinAlgError
            The matrix is not positive definite.
        """
        flat = np.zeros(self._matrix.length)
        flat[self._diagonal] = 1.0
        _kernel.curvature(places, loadings, weight, flat)
        return self._matrix.factor(flat)

    def solve(self, factored: Factored, rhs: Array) -> Array:
        """(I + K)^-1 r, of r of shape (N,) or (N, k)."""
        solution = rhs.copy()
        self._matrix.solve(factored, solution[:, None] if solution.ndim == 1 else solution)
        return solution

    def invert(self, factored: Factored) -> Inverse:
        """(I + K)^-1 where groups share rows."""
        flat = np.empty(self._matrix.length)
        return Inverse(flat, self._matrix.invert(factored, flat))

    def blocks(self, inverse: Inverse) -> Curvature:
        """By terms and links."""
        own = tuple(np.take(inverse.flat, at) for at in self._own)
        return Curvature(own, {pair: np.take(inverse.flat, at) for pair, at in self._shared.items()})

    def _connected(self, links: dict[tuple[int, int], tuple[Index, Index]]) -> Index:
        """The connected piece of every column."""
        left, right = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=np.intp)]
        for columns in self._columns:
            at = columns.of(np.arange(columns.size))
            left.append(np.repeat(at[:, 0], columns.q))
            right.append(at.ravel())
        for (t, u), (first, second) in links.items():
            left.append(self._columns[t].of(first)[:, 0])
            right.append(self._columns[u].of(second)[:, 0])
        label = np.empty(self._n_columns, dtype=np.intp)
        _kernel.connect(np.concatenate(left), np.concatenate(right), label)
        return label

    def _arranged(self, term: int, links: dict[tuple[int, int], tuple[Index, Index]]) -> Elimination:
        """The elimination of `term` and of what may follow.

        Parameters
        ----------
        links : dict
            By pair of terms that are there, the groups that are coupled.
        """
        own = self._columns[term]
        coupled = {}
        for (t, u), (first, second) in links.items():
            if t == term:
                coupled[u] = first, second
            elif u == term:
                coupled[t] = second, first
        groups, columns = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=np.intp)]
        for u, (first, second) in coupled.items():
            groups.append(np.repeat(first, self._columns[u].q))
            columns.append(self._columns[u].of(second).ravel())
        rest = self._rest(links, coupled, own.size)
        shape = (own.size, own.q)
        return Elimination(
            own.offset, shape, np.concatenate(groups), np.concatenate(columns), rest, self._n_columns
        )

    def _rest(
        self,
        links: dict[tuple[int, int], tuple[Index, Index]],
        coupled: dict[int, tuple[Index, Index]],
        size: int,
    ) -> Rest:
        """What is left without a term of `size` groups, coupled with others by (own, other) groups."""
        n_left = sum(self._columns[u].size * self._columns[u].q for u in coupled)
        # Each group of the term is coupled with one group of these at most.
        single = [u for u, (first, _) in coupled.items() if len(first) <= size and _all_differ(first, size)]
        if n_left <= _FEW_COLUMNS or not single:
            none = np.zeros(0, dtype=np.intp)
            columns = [self._columns[u].of(np.arange(self._columns[u].size)).ravel() for u in coupled]
            pieces = Pieces(np.sort(np.concatenate([none, *columns])), self._piece)
            if pieces.length > _MOST_ELEMENTS:
                raise TooLarge(int(pieces.size.max()))
            return pieces
        following = max(single, key=lambda u: self._columns[u].size * self._columns[u].q)
        image = np.full(size, -1, dtype=np.intp)
        image[coupled[following][0]] = coupled[following][1]
        left = {}
        for u, (first, second) in coupled.items():
            if u != following:
                # Those that share a group of the eliminated term are coupled now.
                through = image[first]
                found = [np.stack([through[through >= 0], second[through >= 0]])]
                found += [np.stack(pair) for pair in _between(links, following, u)]
                left[following, u] = _unique_pairs(np.concatenate(found, axis=1), self._columns[u].size)
        left |= {
            pair: link for pair, link in links.items() if following not in pair and set(pair) <= set(coupled)
        }
        return self._arranged(following, left)


def _all_differ(group: Index, size: int) -> bool:
    return bool(np.bincount(group, minlength=size).max(initial=0) <= 1)


def _between(links: dict[tuple[int, int], tuple[Index, Index]], t: int, u: int) -> list[tuple[Index, Index]]:
    """Links of t with u, groups of t first; none where the pair is not there."""
    found = []
    if (t, u) in links:
        found.append(links[t, u])
    if (u, t) in links:
        first, second = links[u, t]
        found.append((second, first))
    return found


def _unique_pairs(pairs: Index, size: int) -> tuple[Index, Index]:
    key = np.unique(pairs[0] * size + pairs[1])
    return key // size, key % size
