"""Rows and their groups: sums over groups, and over the pairs of groups that occur together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from memagic.engine import _kernel
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.products import along_columns, joint

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

    def scaled(self, factors: tuple[Array, ...]) -> Curvature:
        """F'KF."""
        own = tuple(_sandwich(f, block, f) for f, block in zip(factors, self.own, strict=True))
        shared = {(t, u): _sandwich(factors[t], b, factors[u]) for (t, u), b in self.shared.items()}
        return Curvature(own, shared)


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
    columns : tuple of slice
        The places of a term's effects in one vector of all effects, group by group.
    n_columns : int
        N, the number of these.
    own : tuple of slice
        The places of a term's effects among those of a row, Q in all.
    index : ndarray of int, shape (n, Q)
        The places of the effects of a row's own groups.
    z : ndarray, shape (n, Q)
    """

    def __init__(self, problem: CrossedProblem) -> None:
        sizes = [level.n_clusters * level.structure.q for level in problem.levels]
        self.first = int(np.argmax(sizes))
        keys = [level.cluster for t, level in enumerate(problem.levels) if t != self.first]
        order = _sorted_by([*keys, problem.levels[self.first].cluster])
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
        self.columns, self.n_columns = _columns(self.terms)
        ends = accumulate((term.q for term in self.terms), initial=0)
        self.own = tuple(slice(a, b) for a, b in pairwise(ends))
        self.index, self.z = _joined(self.terms, self.columns)

    @property
    def n(self) -> int:
        return len(self.y)

    def fixed_part(self, beta: Array) -> Array:
        """X beta + offset, shape (n,)."""
        eta = along_columns(self.x, beta)
        return np.asarray(eta if self.offset is None else eta + self.offset)

    def by_term(self, values: Array) -> list[Array]:
        """Views of the terms' parts, each shape (M_t, q_t, ...), of values for all effects."""
        return [
            values[part].reshape(term.size, term.q, *values.shape[1:])
            for part, term in zip(self.columns, self.terms, strict=True)
        ]

    def times(self, factors: tuple[Array, ...], values: Array, transpose: bool = False) -> Array:
        """F u, or F'u, of factors by term and values for all effects, shape (N,) or (N, k)."""
        result = np.empty_like(values)
        for factor, to, part in zip(factors, self.by_term(result), self.by_term(values), strict=True):
            if factor.size == 1:
                np.multiply(part, factor[0, 0], out=to)
            else:
                np.einsum("ab,mb...->ma...", factor.T if transpose else factor, part, out=to)
        return result

    def loadings(self, factor: Array) -> Array:
        """Rows of A = ZL, shape (n, Q), of L of all terms together, shape (Q, Q)."""
        if len(self.terms) == len(factor):
            return np.asarray(self.z * factor.diagonal())
        return joint(self.z, factor)

    def along(self, loadings: Array, values: Array, base: Array) -> Array:
        """Base + A v, shape (n,), of values for all effects, shape (N,)."""
        out = np.empty(self.n)
        _kernel.along(self.index, loadings, values, base, out)
        return out

    def sums(self, loadings: Array, row: Array) -> Array:
        """A'r, shape (N,), of `row` of shape (n,)."""
        out = np.zeros(self.n_columns)
        _kernel.sums(self.index, loadings, row, out)
        return out

    def own_curvature(self, weight: Array) -> tuple[Array, ...]:
        """The blocks of Z'WZ within groups, each shape (M_t, q_t, q_t)."""
        found = []
        for term in self.terms:
            block = np.empty((term.size, term.q, term.q))
            for a in range(term.q):
                weighted = _times(weight, term.z[a])
                for b in range(a + 1):
                    sums = np.bincount(term.code, _times(weighted, term.z[b]), minlength=term.size)
                    block[:, a, b] = block[:, b, a] = sums
            found.append(block)
        return tuple(found)

    def curvature(self, weight: Array) -> Curvature:
        """Z'WZ of row weights, shape (n,)."""
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
        return Curvature(self.own_curvature(weight), shared)


def _times(row: Array, z: Array | None) -> Array:
    return row if z is None else row * z


def _columns(terms: tuple[Term, ...]) -> tuple[tuple[slice, ...], int]:
    """The places of the terms' effects in one vector of all, group by group, and its length."""
    ends = np.cumsum([0] + [term.size * term.q for term in terms])
    return tuple(slice(int(a), int(b)) for a, b in pairwise(ends)), int(ends[-1])


def _joined(terms: tuple[Term, ...], columns: tuple[slice, ...]) -> tuple[Index, Array]:
    """The effects of a row and its elements of Z, each shape (n, Q)."""
    n, q = len(terms[0].code), sum(term.q for term in terms)
    index, z = np.empty((n, q), dtype=np.intp), np.ones((n, q))
    k = 0
    for term, part in zip(terms, columns, strict=True):
        for a, values in enumerate(term.z):
            np.multiply(term.code, term.q, out=index[:, k])
            index[:, k] += part.start + a
            if values is not None:
                z[:, k] = values
            k += 1
    return index, z


def _sorted_by(keys: list[Index]) -> Index:
    """The order by several codes, the last of them first; digit by digit, which is sorted by counting."""
    order = np.arange(len(keys[0]))
    for key in keys:
        for shift in range(0, max(int(key.max(initial=0)).bit_length(), 1), 16):
            digit = (key[order] >> shift).astype(np.uint16)
            order = order[np.argsort(digit, kind="stable")]
    return order


def _links(left: Term, right: Term) -> Links:
    n = len(left.code)
    key = left.code * right.size + right.code
    possible = left.size * right.size
    if (key[1:] >= key[:-1]).all():
        begins = np.ones(n, dtype=bool)
        np.not_equal(key[1:], key[:-1], out=begins[1:])
        found, of_row = key[begins], np.cumsum(begins) - 1
    elif possible <= _TABLE_SHARE * n:
        present = np.zeros(possible, dtype=bool)
        present[key] = True
        found = np.flatnonzero(present)
        number = np.cumsum(present) - 1
        of_row = number[key]
    else:
        found, of_row = np.unique(key, return_inverse=True)
    return Links(found // right.size, found % right.size, of_row.reshape(n))


def _sandwich(left: Array, block: Array, right: Array) -> Array:
    if left.size == 1 and right.size == 1:
        return np.asarray(block * (left[0, 0] * right[0, 0]))
    return np.asarray(left.T @ block @ right)
