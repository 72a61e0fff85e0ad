"""Posterior modes of the standardized random effects, by Newton's method on all clusters at once.

Source: manual [ME] meglm, Methods and formulas, 'Laplacian approximation'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.families import Family
from memagic.engine.problem import Block

Array = NDArray[np.float64]

__all__ = ["Modes", "curvature", "find_modes"]

_MAX_STEPS = 100
_MAX_HALVINGS = 30


@dataclass(frozen=True, slots=True)
class Modes:
    """Modes of h(v) = log f(y | v) - v'v/2 and the curvature there.

    Attributes
    ----------
    v : ndarray, shape (M, q)
    precision : ndarray, shape (M, q, q)
        -d^2 h / dv dv', observed information.
    log_posterior : ndarray, shape (M,)
        h at the mode, less the family's constant.
    eta : ndarray, shape (n, 1)
        Linear predictors at the modes.
    first, second : ndarray, shape (n, 1)
        Derivatives of log f in eta at the modes.
    z_first : ndarray, shape (M, q)
        Z' d log f / d eta.
    z_second_z : ndarray, shape (M, q, q)
        Z' W Z with W = -second.
    """

    v: Array
    precision: Array
    log_posterior: Array
    eta: Array
    first: Array
    second: Array
    z_first: Array
    z_second_z: Array


def curvature(block: Block, weight: Array) -> Array:
    """Z' W Z within clusters, shape (M, q, q), of row weights of shape (n, 1)."""
    at_cells = block.sum_cells @ weight
    q = block.z.shape[1]
    total = np.empty((block.n_clusters, q, q))
    for c in range(q):
        for d in range(c + 1):
            product = at_cells * (block.z[:, c] * block.z[:, d])[:, None]
            total[:, c, d] = total[:, d, c] = (block.sum_clusters @ product)[:, 0]
    return total


def find_modes(block: Block, family: Family, fixed: Array, factor: Array, phi: Array, start: Array) -> Modes:
    """Newton's method with step halving by cluster, to machine precision.

    Parameters
    ----------
    block : Block
    family : Family
    fixed : ndarray, shape (n,)
        X beta + offset.
    factor : ndarray, shape (q, q)
        L.
    phi : ndarray, shape (n_phi,)
    start : ndarray, shape (M, q)
        Where to begin.
    """
    v = start
    state = _state(block, family, fixed, factor, phi, v)
    for _ in range(_MAX_STEPS):
        gradient = state.z_first @ factor - v
        step = np.linalg.solve(_definite(state.precision), gradient[:, :, None])[:, :, 0]
        # Half the squared Newton decrement is what a full step gains.
        gain = 0.5 * np.einsum("jq,jq->j", gradient, step)
        if not np.isfinite(gain).all() or gain.max() < 1e-24 * max(1.0, np.abs(v).max() ** 2):
            break
        length = np.ones(len(v))
        for _ in range(_MAX_HALVINGS):
            trial = _state(block, family, fixed, factor, phi, v + length[:, None] * step)
            slack = 1e-13 * np.abs(state.log_posterior) + 1e-13
            worse = ~(trial.log_posterior >= state.log_posterior - slack)
            if not worse.any():
                break
            length[worse] *= 0.5
        v, state = trial.v, trial
        if gain.max() < 1e-13:
            # Quadratic convergence: the step just taken leaves an error of the order of its square.
            break
    return state


def _definite(precision: Array) -> Array:
    """The curvature where it is positive definite, else lifted until it is (log f not concave)."""
    if precision.shape[1] == 1:
        return np.maximum(precision, 0.5)
    least = np.linalg.eigvalsh(precision)[:, 0]
    lift = np.maximum(0.5 - least, 0.0)
    return np.asarray(precision + lift[:, None, None] * np.eye(precision.shape[1]))


def _state(block: Block, family: Family, fixed: Array, factor: Array, phi: Array, v: Array) -> Modes:
    """The posterior and its derivatives at given values of v."""
    eta = block.eta(fixed, (v @ factor.T)[:, None, :])
    logf, first, second = family.derivatives(eta, block.y, block.trials, phi)
    z_first = block.z_sums(block.sum_cells @ first)[:, 0, :]
    z_second_z = curvature(block, -second)
    precision = factor.T @ z_second_z @ factor + np.eye(len(factor))
    log_posterior = (block.sum_clusters @ (block.sum_cells @ logf))[:, 0] - 0.5 * np.einsum("jq,jq->j", v, v)
    return Modes(v, precision, log_posterior, eta, first, second, z_first, z_second_z)
