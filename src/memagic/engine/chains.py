"""Block elimination over the tree of clusters: solving with the Hessian of the joint posterior.

The negative Hessian of h(v) = log f(y | v) - v'v/2 couples a cluster's effects only with those of
the groups it lies in. Eliminating the lowest level first leaves, level by level, one small matrix a
cluster: no matrix over all effects is ever formed. The same elimination gives the Gaussian
approximation of the posterior as conditional moments from the top down, which is what nodes need.

A group's weight multiplies all that it contributes to the level above, and nothing within it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.blocks import Block

Array = NDArray[np.float64]

# Smallest eigenvalue of a pivot, whose share from the prior is one, that counts as definite.
_DEFINITE = 1e-3

__all__ = ["Elimination", "at_lowest", "eliminate"]


@dataclass(frozen=True, slots=True)
class Elimination:
    """The factored negative Hessian of a block, by level, highest first.

    Attributes
    ----------
    inverse : tuple of ndarray, each shape (M_l, q_l, q_l)
        Conditional covariance of a cluster's effects given those above it.
    slope : tuple of ndarray, each shape (M_l, q_l, Q_{l-1})
        Minus the regression of a cluster's effects on those above it.
    log_det : ndarray, shape (M_1,)
        Log determinant by top-level cluster; nan where the Hessian is not definite.
    """

    inverse: tuple[Array, ...]
    slope: tuple[Array, ...]
    log_det: Array

    def solve(self, block: Block, rhs: Array) -> tuple[Array, ...]:
        """H^-1 r by level, each shape (M_l, q_l).

        Parameters
        ----------
        rhs : ndarray, shape (M_L, Q)
            What each lowest-level cluster contributes to r along its chain.
        """
        own = self.reduce(block, rhs, tuple(np.zeros((len(d), d.shape[1])) for d in self.inverse))
        return self.back(block, [_times(d, b) for d, b in zip(self.inverse, own, strict=True)])

    def reduce(self, block: Block, rhs: Array, own: tuple[Array, ...]) -> list[Array]:
        """Right-hand sides after elimination, by level, each shape (M_l, q_l).

        Parameters
        ----------
        rhs : ndarray, shape (M_L, Q)
            What each lowest-level cluster contributes along its chain.
        own : tuple of ndarray, each shape (M_l, q_l)
            What each cluster contributes by itself.
        """
        reduced: list[Array] = []
        for level in reversed(range(len(block.dims))):
            above = sum(block.dims[:level])
            reduced.append(rhs[:, above:] + own[level])
            if level:
                up = rhs[:, :above] - np.einsum("jqu,jq->ju", self.slope[level], reduced[-1])
                rhs = block.sum_up[level - 1] @ block.counted(up, level)
        return reduced[::-1]

    def back(self, block: Block, solved: list[Array]) -> tuple[Array, ...]:
        """Back substitution, from the top down."""
        result: list[Array] = [solved[0]]
        chain = solved[0]
        for level in range(1, len(block.dims)):
            upper = chain[block.parents[level]]
            result.append(solved[level] - np.einsum("jqu,ju->jq", self.slope[level], upper))
            chain = np.concatenate([upper, result[-1]], axis=1)
        return tuple(result)

    def roots(self, block: Block) -> tuple[Array, ...]:
        """Rows of the Cholesky factors of the chains' covariances, each shape (M_l, q_l, Q_l)."""
        rows: list[Array] = []
        chain: Array | None = None
        for level, inverse in enumerate(self.inverse):
            root: Array = (
                np.sqrt(inverse) if inverse.shape[1] == 1 else np.linalg.cholesky(inverse).astype(float)
            )
            if chain is None:
                rows.append(root)
                chain = root
                continue
            upper = chain[block.parents[level]]
            rows.append(np.concatenate([-self.slope[level] @ upper, root], axis=2))
            padded = np.concatenate([upper, np.zeros((*upper.shape[:2], root.shape[2]))], axis=2)
            chain = np.concatenate([padded, rows[-1]], axis=1)
        return tuple(rows)


def eliminate(block: Block, curvature: Array) -> Elimination:
    """Factor the negative Hessian.

    Parameters
    ----------
    curvature : ndarray, shape (M_L, Q, Q)
        L'Z'W Z L of each lowest-level cluster; the prior's identity is added here.
    """
    inverses: list[Array] = []
    slopes: list[Array] = []
    log_det = np.zeros(block.n_clusters)
    for level in reversed(range(len(block.dims))):
        above = sum(block.dims[:level])
        q = block.dims[level]
        pivot = curvature[:, above:, above:] + np.eye(q)
        sign, log_pivot = _log_det(pivot)
        log_det += np.bincount(
            block.tops[level], weights=np.where(sign > 0.0, log_pivot, np.nan), minlength=len(log_det)
        )
        inverse = _inverse(_definite(pivot))
        slope = inverse @ curvature[:, above:, :above]
        inverses.append(inverse)
        slopes.append(slope)
        if level:
            up = curvature[:, :above, :above] - curvature[:, :above, above:] @ slope
            summed = block.sum_up[level - 1] @ block.counted(up.reshape(len(up), -1), level)
            curvature = summed.reshape(-1, above, above)
    return Elimination(tuple(inverses[::-1]), tuple(slopes[::-1]), log_det)


def at_lowest(block: Block, values: tuple[Array, ...]) -> Array:
    """Chains of the lowest-level clusters, shape (M_L, Q), of values by level."""
    if len(values) == 1:
        return values[0]
    return np.concatenate([v[a] for v, a in zip(values, block.ancestors, strict=True)], axis=1)


def _log_det(matrix: Array) -> tuple[Array, Array]:
    if matrix.shape[1] == 1:
        value = matrix[:, 0, 0]
        return np.sign(value), np.log(np.abs(value))
    sign, log_abs = np.linalg.slogdet(matrix)
    return sign, log_abs


def _inverse(matrix: Array) -> Array:
    return np.asarray(1.0 / matrix if matrix.shape[1] == 1 else np.linalg.inv(matrix))


def _definite(matrix: Array) -> Array:
    """The matrices where they are positive definite, else lifted until they are (log f not concave)."""
    if matrix.shape[1] == 1:
        return np.where(matrix > _DEFINITE, matrix, 0.5)
    least = np.linalg.eigvalsh(matrix)[:, 0]
    lift = np.where(least > _DEFINITE, 0.0, 0.5 - least)
    if not lift.any():
        return matrix
    return np.asarray(matrix + lift[:, None, None] * np.eye(matrix.shape[1]))


def _times(matrix: Array, vector: Array) -> Array:
    return np.asarray(np.einsum("jqr,jr->jq", matrix, vector))
