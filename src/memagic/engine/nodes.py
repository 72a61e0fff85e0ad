"""Where the quadrature nodes of a cluster lie, by integration method.

Nodes are v_jk = mean_j + scale_j z_k for a standard rule z_k. Mean and scale are the moments of the
posterior by the rule itself (mvaghermite), its mode and curvature (mcaghermite), or those of the
prior (ghermite).

Source: manual [ME] meglm, Methods and formulas, 'Adaptive Gauss-Hermite quadrature'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memagic.engine.families import Family
from memagic.engine.modes import find_modes
from memagic.engine.problem import Block
from memagic.engine.rules import Rule

Array = NDArray[np.float64]
Method = Literal["mvaghermite", "mcaghermite", "ghermite", "laplace"]

__all__ = ["Method", "Placement", "place_mode_curvature", "place_prior", "refine_moments"]

# What the adaptation may still change in log L, relative to it, when it stops.
_SETTLED = 1e-11
_MAX_ADAPTATIONS = 100


@dataclass(frozen=True, slots=True)
class Placement:
    """Location and scale of the nodes.

    Attributes
    ----------
    mean : ndarray, shape (M, q)
    scale : ndarray, shape (M, q, q)
        Lower triangular.
    """

    mean: Array
    scale: Array

    def nodes(self, rule: Rule) -> Array:
        """Nodes on the scale of v, shape (M, K, q)."""
        return self.mean[:, None, :] + rule.nodes @ self.scale.transpose(0, 2, 1)

    def log_weights(self, rule: Rule, nodes: Array) -> Array:
        """Log weights for integrals against the prior of v, shape (M, K)."""
        diagonal = np.abs(np.einsum("jqq->jq", self.scale))
        return np.asarray(
            rule.log_lebesgue
            + np.log(diagonal).sum(axis=1)[:, None]
            - 0.5 * np.einsum("jkq,jkq->jk", nodes, nodes)
        )


def place_prior(n_clusters: int, q: int) -> Placement:
    """Nodes of the prior."""
    return Placement(np.zeros((n_clusters, q)), np.broadcast_to(np.eye(q), (n_clusters, q, q)))


def place_mode_curvature(
    block: Block, family: Family, fixed: Array, factor: Array, phi: Array, start: Array
) -> Placement:
    """Nodes at the posterior mode, scaled by the curvature there."""
    modes = find_modes(block, family, fixed, factor, phi, start)
    return Placement(modes.v, _inverse_root(modes.precision))


def _inverse_root(precision: Array) -> Array:
    """Lower Cholesky factors of the inverses; the prior's where a precision is not definite."""
    q = precision.shape[1]
    if q == 1:
        return np.asarray(1.0 / np.sqrt(np.where(precision > 0.0, precision, 1.0)))
    definite = np.linalg.eigvalsh(precision)[:, 0] > 0.0
    precision = np.where(definite[:, None, None], precision, np.eye(q))
    return np.linalg.cholesky(np.linalg.inv(precision))


def refine_moments(
    block: Block,
    family: Family,
    fixed: Array,
    factor: Array,
    phi: Array,
    rule: Rule,
    start: Placement,
) -> Placement:
    """Replace mean and scale by the posterior moments under the rule, until log L settles.

    The map contracts at a steady rate, some 1e-4 from mode and curvature with seven points. The
    rate is read off the moments' displacements, and the updates stop when what is left of the
    change in log L, by that rate, is below the tolerance.
    """
    placement = start
    last = np.full(block.n_clusters, np.inf)
    last_shift = np.inf
    for _ in range(_MAX_ADAPTATIONS):
        nodes = placement.nodes(rule)
        logf = log_likelihood_at(block, family, fixed, factor, phi, nodes)
        logf += placement.log_weights(rule, nodes)
        peak = logf.max(axis=1)
        weight = np.exp(logf - peak[:, None])
        total = weight.sum(axis=1)
        weight /= total[:, None]
        log_l = np.log(total) + peak
        moved = _moments(nodes, weight, placement)
        shift = _displacement(placement, moved)
        placement = moved
        change = float(np.abs(log_l - last).sum())
        rate = shift / last_shift if last_shift > 0.0 else 0.0
        if not np.isfinite(log_l).all():
            break
        if shift == 0.0 or (rate < 0.9 and change * rate <= _SETTLED * float(np.abs(log_l).sum())):
            break
        last, last_shift = log_l, shift
    return placement


def _displacement(before: Placement, after: Placement) -> float:
    """The largest move of a node, in units of the posterior's standard deviations."""
    size = np.abs(np.einsum("jqq->jq", before.scale))
    mean = np.abs(after.mean - before.mean) / size
    scale = np.abs(after.scale - before.scale).max(axis=2) / size
    return float(max(mean.max(), scale.max()))


def _moments(nodes: Array, weight: Array, old: Placement) -> Placement:
    """Posterior mean and Cholesky factor of the posterior covariance under the weights."""
    mean = np.einsum("jk,jkq->jq", weight, nodes)
    centred = nodes - mean[:, None, :]
    covariance = (centred * weight[:, :, None]).transpose(0, 2, 1) @ centred
    if covariance.shape[1] == 1:
        scale = np.sqrt(covariance)
        good = scale[:, 0, 0] > 0.0
    else:
        least = np.linalg.eigvalsh(covariance)[:, 0]
        good = least > 1e-14 * np.einsum("jqq->j", covariance)
        scale = np.linalg.cholesky(np.where(good[:, None, None], covariance, np.eye(covariance.shape[1])))
    return Placement(np.where(good[:, None], mean, old.mean), np.where(good[:, None, None], scale, old.scale))


def log_likelihood_at(
    block: Block, family: Family, fixed: Array, factor: Array, phi: Array, nodes: Array
) -> Array:
    """Log f(y_j | v_jk) summed within clusters, shape (M, K), of nodes of shape (M, K, q)."""
    eta = block.eta(fixed, nodes @ factor.T)
    logf = family.log_density(eta, block.y, block.trials, phi)
    return np.asarray(block.sum_clusters @ (block.sum_cells @ logf))
