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

from memagic.engine import _kernel
from memagic.engine.blocks import Block

Array = NDArray[np.float64]

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
        above, m, q = sum(block.dims[:level]), block.sizes[level], block.dims[level]
        inverse, slope, log_pivot = np.empty((m, q, q)), np.empty((m, q, above)), np.empty(m)
        up = np.empty((m, above * above))
        curvature = np.ascontiguousarray(curvature)
        if _kernel.eliminate_level(curvature, None, inverse, slope, up, log_pivot):
            # Log f is not concave there.
            lift = _lift(curvature[:, above:, above:], np.isnan(inverse[:, 0, 0]))
            _kernel.eliminate_level(curvature, lift, inverse, slope, up, log_pivot)
        inverses.append(inverse)
        slopes.append(slope)
        if level:
            log_det += np.bincount(block.tops[level], weights=log_pivot, minlength=len(log_det))
            summed = block.sum_up[level - 1] @ block.counted(up, level)
            curvature = summed.reshape(-1, above, above)
        else:
            log_det += log_pivot
    return Elimination(tuple(inverses[::-1]), tuple(slopes[::-1]), log_det)


def at_lowest(block: Block, values: tuple[Array, ...]) -> Array:
    """Chains of the lowest-level clusters, shape (M_L, Q), of values by level."""
    if len(values) == 1:
        return values[0]
    return np.concatenate([v[a] for v, a in zip(values, block.ancestors, strict=True)], axis=1)


def _lift(pivots: Array, bad: NDArray[np.bool_]) -> Array:
    """What is added to the diagonals of bad pivots, so that their least eigenvalue is 1/2, shape (M,)."""
    lift = np.zeros(len(pivots))
    lifted = np.flatnonzero(bad & np.isfinite(pivots).all(axis=(1, 2)))
    lift[lifted] = -0.5 - np.linalg.eigvalsh(pivots[lifted])[:, 0]
    return lift


def _times(matrix: Array, vector: Array) -> Array:
    return np.asarray(np.einsum("jqr,jr->jq", matrix, vector))
