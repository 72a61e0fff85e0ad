"""Rows and their groups: sums over groups, and over the pairs of groups that occur together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.products import along_columns

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Pairs of codes are numbered by a table of all possible ones up to so many times the rows.
_TABLE_SHARE = 32

__all__ = ["Curvature", "Links", "Rows", "Term"]


@dataclass(frozen=True, slots=True)
class Term:
    """The effects of one level.

    Attributes
    ----------
    code : ndarray of int, shape (n,)
        Group by row, 0..size-1.
    z : tuple of (ndarray, shape (n,), or None)
        Columns of Z; None for one that is one in every row.
    size : int
        Number of groups, M_t.
    """

    code: Index
    z: tuple[Array | None, ...]
    size: int

    @property
    def q(self) -> int:
        return len(self.z)


@dataclass(frozen=True, slots=True)
class Links:
    """Pairs of groups of two terms that share rows, K of them.

    Attributes
    ----------
    first, second : ndarray of int, shape (K,)
        The groups; sorted by the first, then by the second.
    of_row : ndarray of int, shape (n,)
    """

    first: Index
    second: Index
    of_row: Index


@dataclass(frozen=True, slots=True)
class Curvature:
    """Blocks of a symmetric matrix over the effects, where groups share rows.

    Attributes
    ----------
    own : tuple of ndarray, each shape (M_t, q_t, q_t)
        By term.
    shared : dict of (int, int) to ndarray, shape (K, q_t, q_u)
        By pair of terms, one block a link.
    """

    own: tuple[Array, ...]
    shared: dict[tuple[int, int], Array]


class Rows:
    """The rows of a problem, in the order of the groups of the term with the most effects.

    Parameters
    ----------
    problem : CrossedProblem

    Attributes
    ----------
    first : int
        That term, which is eliminated first.
    terms : tuple of Term
    links : dict of (int, int) to Links
        By pair of terms: of `first` with every other, and of the others in their order.
    y, x, offset, trials, top
        As in the problem.
    """

    def __init__(self, problem: CrossedProblem) -> None:
        sizes = [level.n_clusters * level.structure.q for level in problem.levels]
        self.first = int(np.argmax(sizes))
        keys = [level.cluster for t, level in enumerate(problem.levels) if t != self.first]
        order = np.lexsort((*keys, problem.levels[self.first].cluster))
        trials = problem.trials
        self.y = problem.y[order]
        self.x = problem.x[order]
        self.offset = None if problem.offset is None else problem.offset[order]
        self.trials = trials if isinstance(trials, float) else trials[order]
        self.top = problem.top[order]
        self.terms = tuple(
            Term(
                level.cluster[order],
                tuple(None if np.all(z == 1.0) else np.ascontiguousarray(z[order]) for z in level.z.T),
                level.n_clusters,
            )
            for level in problem.levels
        )
        others = [t for t in range(len(self.terms)) if t != self.first]
        pairs = [(self.first, t) for t in others] + list(combinations(others, 2))
        self.links = {(t, u): _links(self.terms[t], self.terms[u]) for t, u in pairs}

    @property
    def n(self) -> int:
        return len(self.y)

    def fixed_part(self, beta: Array) -> Array:
        """X beta + offset, shape (n,)."""
        eta = along_columns(self.x, beta)
        return np.asarray(eta if self.offset is None else eta + self.offset)

    def along(self, effects: list[Array]) -> Array:
        """Z u, shape (n,), of effects by term, each shape (M_t, q_t)."""
        total = np.zeros(self.n)
        for term, values in zip(self.terms, effects, strict=True):
            for a, z in enumerate(term.z):
                part = np.take(values[:, a], term.code)
                total += part if z is None else part * z
        return total

    def sums(self, row: Array) -> list[Array]:
        """Z'r by term, each shape (M_t, q_t), of `row` of shape (n,)."""
        return [
            np.stack([np.bincount(t.code, _times(row, z), minlength=t.size) for z in t.z], axis=1)
            for t in self.terms
        ]

    def curvature(self, weight: Array) -> Curvature:
        """Z'WZ of row weights, shape (n,)."""
        own = []
        for term in self.terms:
            block = np.empty((term.size, term.q, term.q))
            for a in range(term.q):
                weighted = _times(weight, term.z[a])
                for b in range(a + 1):
                    sums = np.bincount(term.code, _times(weighted, term.z[b]), minlength=term.size)
                    block[:, a, b] = block[:, b, a] = sums
            own.append(block)
        shared = {}
        for (t, u), link in self.links.items():
            single = len(link.first) == self.n  # then links are in the order of the rows, or a permutation
            block = np.empty((len(link.first), self.terms[t].q, self.terms[u].q))
            for a, z_a in enumerate(self.terms[t].z):
                weighted = _times(weight, z_a)
                for b, z_b in enumerate(self.terms[u].z):
                    values = _times(weighted, z_b)
                    if single:
                        block[link.of_row, a, b] = values
                    else:
                        block[:, a, b] = np.bincount(link.of_row, values, minlength=len(block))
            shared[t, u] = block
        return Curvature(tuple(own), shared)


def _times(row: Array, z: Array | None) -> Array:
    return row if z is None else row * z


def _links(left: Term, right: Term) -> Links:
    n = len(left.code)
    key = left.code * right.size + right.code
    possible = left.size * right.size
    if possible <= _TABLE_SHARE * n:
        present = np.zeros(possible, dtype=bool)
        present[key] = True
        found = np.flatnonzero(present)
        number = np.cumsum(present) - 1
        of_row = number[key]
    else:
        found, of_row = np.unique(key, return_inverse=True)
    return Links(found // right.size, found % right.size, of_row.reshape(n))
