"""The compiled placing and weighing of quadrature nodes; its source is src/native/nodes.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine import _kernel

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["chain_nodes", "join", "moments", "weigh"]


def chain_nodes(
    upper: Array | None, parents: Index, mean: Array, root: Array, paths: Array, log_lebesgue: Array
) -> tuple[Array, Array]:
    """Nodes of the chains down to a level, shape (M, Q, K), and their log weights against the prior, (M, K).

    Parameters
    ----------
    upper : ndarray, shape (M_up, Q - q, K_up), or None
        Chains of the level above.
    parents : ndarray of int, shape (M,)
        Clusters of the level above.
    mean : ndarray, shape (M, q)
    root : ndarray, shape (M, q, Q)
        The last q columns are lower triangular.
    paths : ndarray, shape (Q, K)
        Nodes of the standard rule.
    log_lebesgue : ndarray, shape (K,)
    """
    m, _, n_chain = root.shape
    chains, log_weights = np.empty((m, n_chain, paths.shape[1])), np.empty((m, paths.shape[1]))
    _kernel.chain_nodes(
        upper,
        parents,
        np.ascontiguousarray(mean),
        np.ascontiguousarray(root),
        paths,
        log_lebesgue,
        chains,
        log_weights,
        m,
        0 if upper is None else len(upper),
    )
    return chains, log_weights


def weigh(logf: Array, log_weights: Array, n_upper: int) -> Array:
    """Integrate over the nodes of a level: logs of the integrals, shape (M, K_up).

    Parameters
    ----------
    logf : ndarray, shape (M, K)
        Overwritten by the weights of the nodes given those above.
    log_weights : ndarray, shape (M, K)
    n_upper : int
        K_up.
    """
    log_l = np.empty((len(logf), n_upper))
    _kernel.weigh(logf, log_weights, log_l, len(logf))
    return log_l


def join(upper: Array, parents: Index, conditional: Array) -> Array:
    """Weights of paths, shape (M, K): those of the paths above, (M_up, K_up), times the conditional ones."""
    out = np.empty(conditional.shape)
    _kernel.join(upper, parents, conditional, out, len(upper))
    return out


def moments(weights: Array, chains: Array, mean: Array, root: Array) -> tuple[Array, Array, float]:
    """Means and rows of Cholesky factors of the posterior by its weights, and how far from those given.

    Where a covariance is singular, mean and root stay as they are. How far is the largest move of a
    node, in standard deviations.

    Parameters
    ----------
    weights : ndarray, shape (M, K)
    chains : ndarray, shape (M, Q, K)
    mean : ndarray, shape (M, q)
    root : ndarray, shape (M, q, Q)
    """
    mean, root = np.ascontiguousarray(mean), np.ascontiguousarray(root)
    new_mean, new_root = np.empty(mean.shape), np.empty(root.shape)
    shift = _kernel.moments(weights, chains, mean, root, new_mean, new_root, len(mean))
    return new_mean, new_root, shift
