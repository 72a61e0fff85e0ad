"""The system over all effects: its factorization, solutions, and the inverse where groups share rows.

The negative Hessian I + L'Z'WZL has a block-diagonal part D for the term with the most effects. That is
eliminated; what is left, S = A - C'D^-1 C, is factored piece by piece. The inverse is needed only where
groups share rows:

    (H^-1)_RR = S^-1,   (H^-1)_ER = -D^-1 C S^-1,   (H^-1)_EE = D^-1 + D^-1 C S^-1 C'D^-1.

Source: Bates, Maechler, Bolker and Walker (2015), Journal of Statistical Software 67(1), for the
blocked factorization.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from memagic.engine.crossed.pattern import Pattern
from memagic.engine.crossed.rows import Curvature, Rows

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Pieces up to this size are factored many at a time.
_SMALL = 48
# Pairs of entries are listed up to so many, and as long as that is less work than dense products.
_MOST_PAIRS = 8_000_000
_DENSE_WORK = 330
# Elements of the dense rows that are formed at a time.
_CHUNK = 4_000_000

__all__ = ["Factored", "System"]


@dataclass(frozen=True, slots=True)
class Factored:
    """The factored system at one set of parameters.

    Attributes
    ----------
    inverse : ndarray, shape (M, q, q)
        D^-1.
    entries : ndarray, shape (E, q)
        C by entry.
    solved : ndarray, shape (E, q)
        D^-1 C.
    roots : ndarray, shape (length of the pieces,)
        Cholesky factors of S, lower triangles; inverted for small pieces.
    log_det : float
    """

    inverse: Array
    entries: Array
    solved: Array
    roots: Array
    log_det: float


class System:
    """Factors, solves and inverts.

    Parameters
    ----------
    rows : Rows
    """

    def __init__(self, rows: Rows) -> None:
        self.pattern = Pattern(rows)
        pieces = self.pattern.pieces
        work = float((np.bincount(self._piece_of_group(), minlength=len(pieces.size)) * pieces.size**2.0).sum())
        sizes, counts = np.unique(pieces.size, return_counts=True)
        self._sizes = [(int(s), int(k)) for s, k in zip(sizes, counts, strict=True)]
        n_pairs = self.pattern.n_pairs
        self._listed = n_pairs <= _MOST_PAIRS and n_pairs * _DENSE_WORK <= max(work, 1e8)

    def _piece_of_group(self) -> Index:
        """The piece of each group of the eliminated term that has entries."""
        pattern = self.pattern
        linked = pattern.begins[1:] > pattern.begins[:-1]
        return np.asarray(pattern.pieces.of_column[pattern.column[pattern.begins[:-1][linked]]])

    def factor(self, curvature: Curvature) -> Factored:
        """Factor I + K, K the given blocks.

        Raises
        ------
        numpy.linalg.LinAlgError
            The matrix is not positive definite.
        """
        pattern = self.pattern
        diagonal = curvature.own[pattern.first] + np.eye(pattern.q)
        inverse, log_det = _inverse(diagonal)
        entries = pattern.entries(curvature.shared)
        solved = _by_group(inverse, entries, pattern.group)
        rest = self._eliminated(entries, solved, inverse)
        for t, at in pattern.own.items():
            q = at.shape[1]
            # Of two symmetric places one is meant.
            for a in range(q):
                rest[at[:, a, : a + 1]] += curvature.own[t][:, a, : a + 1]
                rest[at[:, a, a]] += 1.0
        for pair, at in pattern.shared.items():
            rest[at] += curvature.shared[pair]
        log_det += self._factor_pieces(rest)
        return Factored(inverse, entries, solved, rest, log_det)

    def solve(self, factored: Factored, rhs: list[Array]) -> list[Array]:
        """(I + K)^-1 r by term, each shape (M_t, q_t)."""
        pattern = self.pattern
        own = np.einsum("mab,mb->ma", factored.inverse, rhs[pattern.first])
        rest = self._joined(rhs)
        for a in range(pattern.q):
            up = factored.entries[:, a] * own[pattern.group, a]
            rest -= np.bincount(pattern.column, up, minlength=len(rest))
        rest = self._solve_pieces(factored.roots, rest)
        for a in range(pattern.q):
            down = factored.solved[:, a] * rest[pattern.column]
            own[:, a] -= np.bincount(pattern.group, down, minlength=len(own))
        return self._parted(own, rest)

    def invert(self, factored: Factored) -> Curvature:
        """Blocks of (I + K)^-1 where groups share rows."""
        pattern = self.pattern
        rest = self._invert_pieces(factored.roots)
        across = -self._across(factored.solved, rest)
        own: dict[int, Array] = {}
        corner = factored.inverse.copy()
        for a in range(pattern.q):
            for b in range(a + 1):
                down = np.bincount(
                    pattern.group, across[:, a] * factored.solved[:, b], minlength=pattern.n_groups
                )
                corner[:, a, b] -= down
                if a != b:
                    corner[:, b, a] -= down
        own[pattern.first] = corner
        own |= {t: rest[at] for t, at in pattern.own.items()}
        shared = pattern.blocks(across)
        shared |= {pair: rest[at] for pair, at in pattern.shared.items()}
        return Curvature(tuple(own[t] for t in range(len(own))), shared)

    def own_sums(self, factored: Factored) -> list[Array]:
        """Sums over groups of the blocks of (I + K)^-1 by term, each shape (q_t, q_t)."""
        pattern = self.pattern
        rest = self._invert_pieces(factored.roots)
        found = {t: rest[at].sum(axis=0) for t, at in pattern.own.items()}
        found[pattern.first] = factored.inverse.sum(axis=0) + self._corner(factored.solved, rest)
        return [found[t] for t in range(len(found))]

    def _joined(self, values: list[Array]) -> Array:
        """The values of all terms but the first in one array, shape (N,), a copy."""
        return np.concatenate([np.zeros(0), *(values[t].ravel() for t in self.pattern.offsets)])

    def _parted(self, own: Array, rest: Array) -> list[Array]:
        parts = {self.pattern.first: own}
        for t, at in self.pattern.own.items():
            start = self.pattern.offsets[t]
            parts[t] = rest[start : start + at.shape[0] * at.shape[1]].reshape(at.shape[:2])
        return [parts[t] for t in range(len(parts))]

    def _eliminated(self, entries: Array, solved: Array, inverse: Array) -> Array:
        """- C'D^-1 C among the pieces, lower triangles."""
        pieces = self.pattern.pieces
        if self._listed:
            pairs = self.pattern.pairs
            product = np.zeros(len(pairs.entry))
            for a in range(self.pattern.q):
                product -= entries[pairs.entry, a] * solved[pairs.other, a]
            return np.bincount(pairs.position, product, minlength=pieces.length)
        rest = np.zeros(pieces.length)
        half = _by_group(np.linalg.cholesky(inverse).transpose(0, 2, 1), entries, self.pattern.group)
        for piece, chunk, at in self._chunks():
            matrix = _matrix(rest, pieces.start[piece], pieces.size[piece])
            dense = self._dense(half, chunk, at, pieces.size[piece])
            dsyrk(-1.0, dense.T, beta=1.0, c=matrix.T, overwrite_c=1)
        return rest

    def _across(self, solved: Array, rest: Array) -> Array:
        """D^-1 C S^-1 by entry, shape (E, q)."""
        pattern, pieces = self.pattern, self.pattern.pieces
        result = np.empty_like(solved)
        if self._listed:
            pairs = pattern.pairs
            value = rest[pairs.position]
            begins = np.r_[0, pairs.last[:-1] + 1] if len(pairs.last) else pairs.last
            for a in range(pattern.q):
                if not len(solved):
                    break
                column = solved[:, a]
                result[:, a] = np.add.reduceat(column[pairs.other] * value, begins)
                result[:, a] += np.bincount(pairs.other, column[pairs.entry] * value, minlength=len(column))
                result[:, a] -= column * value[pairs.last]  # an entry with itself was there twice
            return result
        for piece, chunk, at in self._chunks():
            matrix = _matrix(rest, pieces.start[piece], pieces.size[piece])
            dense = self._dense(solved, chunk, at, pieces.size[piece])
            product = dense @ (np.tril(matrix) + np.tril(matrix, -1).T)
            place = pieces.place[pattern.column[chunk]]
            for a in range(pattern.q):
                result[chunk, a] = product[at * pattern.q + a, place]
        return result

    def _corner(self, solved: Array, rest: Array) -> Array:
        """D^-1 C S^-1 C'D^-1, its diagonal blocks summed, shape (q, q)."""
        q = self.pattern.q
        if not self._listed or not len(solved):
            return np.asarray(self._across(solved, rest).T @ solved)
        pairs = self.pattern.pairs
        value = rest[pairs.position]
        value[pairs.last] *= 0.5  # all others stand for two
        total = np.empty((q, q))
        for a in range(q):
            weighted = solved[pairs.entry, a] * value
            for b in range(q):
                total[a, b] = weighted @ solved[pairs.other, b]
        return total + total.T

    def _chunks(self) -> list[tuple[int, Index, Index]]:
        """Entries of some groups of one piece: the piece, the entries, the numbers of their groups."""
        pattern, pieces = self.pattern, self.pattern.pieces
        linked = np.flatnonzero(pattern.begins[1:] > pattern.begins[:-1])
        of_group = self._piece_of_group()
        found = []
        for piece in range(len(pieces.size)):
            groups = linked[of_group == piece]
            step = max(1, _CHUNK // (int(pieces.size[piece]) * pattern.q))
            for first in range(0, len(groups), step):
                some = groups[first : first + step]
                degree = pattern.begins[some + 1] - pattern.begins[some]
                at = np.repeat(np.arange(len(some)), degree)
                offset = np.arange(len(at)) - np.repeat(np.cumsum(degree) - degree, degree)
                found.append((piece, pattern.begins[some][at] + offset, at))
        return found

    def _dense(self, entries: Array, chunk: Index, at: Index, size: int) -> Array:
        q = self.pattern.q
        dense = np.zeros((int(at[-1] + 1) * q, size))
        place = self.pattern.pieces.place[self.pattern.column[chunk]]
        for a in range(q):
            dense[at * q + a, place] = entries[chunk, a]
        return dense

    def _factor_pieces(self, rest: Array) -> float:
        """Overwrite S by its Cholesky factors, those of small pieces inverted; its log determinant."""
        log_det = 0.0
        for stack, _ in self._stacked(rest):
            size = stack.shape[1]
            if size == 1:
                if not (stack > 0.0).all():
                    raise np.linalg.LinAlgError("S is not positive definite")
                np.sqrt(stack, out=stack)
            elif size <= _SMALL:
                stack[:] = np.linalg.cholesky(stack)
            else:
                for matrix in stack:
                    # In Fortran's order the lower triangle is the upper one.
                    if dpotrf(matrix.T, lower=0, clean=0, overwrite_a=1)[1]:
                        raise np.linalg.LinAlgError("S is not positive definite")
            log_det += 2.0 * float(np.log(np.diagonal(stack, axis1=1, axis2=2)).sum())
            if size == 1:
                np.divide(1.0, stack, out=stack)
            elif size <= _SMALL:
                stack[:] = np.linalg.inv(stack)
        return log_det

    def _solve_pieces(self, roots: Array, rhs: Array) -> Array:
        pieces = self.pattern.pieces
        ordered = rhs[pieces.order]
        for stack, columns in self._stacked(roots):
            count, size, _ = stack.shape
            part = ordered[columns].reshape(count, size)
            if size == 1:
                part *= stack[:, :, 0] ** 2
            elif size <= _SMALL:
                half = stack @ part[:, :, None]
                part[:] = (stack.transpose(0, 2, 1) @ half)[:, :, 0]
            else:
                for matrix, vector in zip(stack, part, strict=True):
                    dpotrs(matrix.T, vector, lower=0, overwrite_b=1)
        result = np.empty_like(rhs)
        result[pieces.order] = ordered
        return result

    def _invert_pieces(self, roots: Array) -> Array:
        """S^-1 in the same places, lower triangles."""
        result = roots.copy()
        for stack, _ in self._stacked(result):
            size = stack.shape[1]
            if size == 1:
                np.multiply(stack, stack, out=stack)
            elif size <= _SMALL:
                stack[:] = stack.transpose(0, 2, 1) @ stack
            else:
                for matrix in stack:
                    dpotri(matrix.T, lower=0, overwrite_c=1)
        return result

    def _stacked(self, flat: Array) -> Iterator[tuple[Array, slice]]:
        """Pieces of one size, shape (count, size, size), and where their columns are."""
        start = first = 0
        for size, count in self._sizes:
            stop, last = start + count * size**2, first + count * size
            yield flat[start:stop].reshape(count, size, size), slice(first, last)
            start, first = stop, last


def _matrix(flat: Array, start: int, size: int) -> Array:
    return flat[start : start + size * size].reshape(size, size)


def _by_group(matrices: Array, entries: Array, group: Index) -> Array:
    """The matrix of each entry's group times the entry, shape (E, q)."""
    if entries.shape[1] == 1:
        return np.asarray(matrices[group, 0] * entries)
    return np.asarray(np.einsum("eab,eb->ea", matrices[group], entries))


def _inverse(diagonal: Array) -> tuple[Array, float]:
    """Inverses of positive definite blocks, and their log determinant in all."""
    if diagonal.shape[1] == 1:
        if not (diagonal > 0.0).all():
            raise np.linalg.LinAlgError("D is not positive definite")
        return 1.0 / diagonal, float(np.log(diagonal).sum())
    roots = np.linalg.cholesky(diagonal)
    log_det = 2.0 * float(np.log(np.diagonal(roots, axis1=1, axis2=2)).sum())
    return np.linalg.inv(diagonal), log_det
