"""Where the quadrature nodes lie, by integration method.

Nodes of a chain are v_k = mean + root z_k for a standard rule z_k over all its effects, with root a
Cholesky factor, so that the nodes of a lower level follow those of the level above: mean and scale
are conditional on the upper node. They are the moments of the posterior by the rule itself
(mvaghermite, see adaptation.py), its mode and curvature (mcaghermite), or those of the prior (ghermite).

Source: manual [ME] meglm, Methods and formulas, 'Adaptive Gauss-Hermite quadrature'; for nested
levels Rabe-Hesketh, Skrondal and Pickles (2005), J. Econometrics 128, 301-323.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memagic.engine.blocks import Block
from memagic.engine.families import Family
from memagic.engine.kernel import look
from memagic.engine.modes import Limits, modes_within, zeros
from memagic.engine.rules import PathRule

Array = NDArray[np.float64]
Method = Literal["mvaghermite", "mcaghermite", "ghermite", "laplace"]

__all__ = [
    "Method",
    "Placement",
    "Posterior",
    "chain_nodes",
    "log_likelihood_at",
    "place_mode_curvature",
    "place_prior",
    "posterior",
]


@dataclass(frozen=True, slots=True)
class Placement:
    """Location and scale of the nodes, by level, highest first.

    Attributes
    ----------
    mean : tuple of ndarray, each shape (M_l, q_l)
    root : tuple of ndarray, each shape (M_l, q_l, Q_l)
        Rows of the chains' Cholesky factors; the last q_l columns are lower triangular.
    """

    mean: tuple[Array, ...]
    root: tuple[Array, ...]

    def nodes(self, rule: PathRule) -> tuple[Array, ...]:
        """Nodes on the scale of v, each shape (M_l, K_1...K_l, q_l)."""
        return tuple(
            mean[:, None, :] + path @ root.transpose(0, 2, 1)
            for mean, root, path in zip(self.mean, self.root, rule.paths, strict=True)
        )

    def log_weights(self, rule: PathRule, nodes: tuple[Array, ...]) -> tuple[Array, ...]:
        """Log weights for integrals against the prior of v, each shape (M_l, K_1...K_l)."""
        result = []
        for root, node, lebesgue in zip(self.root, nodes, rule.log_lebesgue, strict=True):
            diagonal = np.abs(np.einsum("jqq->jq", root[:, :, root.shape[2] - root.shape[1] :]))
            weights = lebesgue + np.log(diagonal).sum(axis=1)[:, None]
            weights -= 0.5 * np.einsum("jkq,jkq->jk", node, node)
            result.append(weights)
        return tuple(result)


@dataclass(frozen=True, slots=True)
class Posterior:
    """Weights of the nodes given the data.

    Attributes
    ----------
    log_l : ndarray, shape (M_1,)
        Log likelihood of the top-level clusters, less the family's constant; their own weights are not
        in it, those within them are.
    conditional : tuple of ndarray, each shape (M_l, K_1...K_l)
        Of a level's nodes given those above.
    joint : tuple of ndarray, each shape (M_l, K_1...K_l)
        Of a path of nodes down to a level.
    """

    log_l: Array
    conditional: tuple[Array, ...]
    joint: tuple[Array, ...]


def chain_nodes(block: Block, nodes: tuple[Array, ...], level: int) -> Array:
    """Nodes of the chains down to a level, shape (M_l, K_1...K_l, Q_l)."""
    if level == 0:
        return nodes[0]
    n_paths = nodes[level].shape[1]
    parts = [nodes[level]]
    index = block.parents[level]
    for upper in reversed(range(level)):
        repeated = np.repeat(nodes[upper], n_paths // nodes[upper].shape[1], axis=1)
        parts.append(repeated[index])
        if upper:
            index = block.parents[upper][index]
    return np.concatenate(parts[::-1], axis=2)


def posterior(block: Block, logf: Array, log_weights: tuple[Array, ...]) -> Posterior:
    """Integrate level by level from the bottom, and weigh the nodes on the way back.

    Parameters
    ----------
    logf : ndarray, shape (M_L, K_1...K_L)
        Log f(y | path) of the lowest-level clusters; overwritten.
    log_weights : tuple of ndarray, each shape (M_l, K_1...K_l)
    """
    conditional: list[Array] = []
    n_levels = len(log_weights)
    for level in reversed(range(n_levels)):
        logf += log_weights[level]
        n_upper = log_weights[level - 1].shape[1] if level else 1
        by_upper = logf.reshape(len(logf), n_upper, -1)
        peak = by_upper.max(axis=2)
        weight = np.exp(by_upper - peak[:, :, None])
        total = weight.sum(axis=2)
        weight /= total[:, :, None]
        conditional.append(weight.reshape(logf.shape))
        log_l = np.log(total) + peak
        if level:
            logf = block.sum_up[level - 1] @ block.counted(log_l, level)
    conditional.reverse()
    joint = [conditional[0]]
    for level in range(1, n_levels):
        upper = joint[-1][block.parents[level]]
        ratio = conditional[level].shape[1] // upper.shape[1]
        joint.append(np.repeat(upper, ratio, axis=1) * conditional[level])
    return Posterior(log_l[:, 0], tuple(conditional), tuple(joint))


def log_likelihood_at(
    block: Block, family: Family, fixed: Array, factor: Array, phi: Array, nodes: tuple[Array, ...]
) -> Array:
    """Log f(y | path) summed within lowest-level clusters, shape (M_L, K_1...K_L)."""
    chains = chain_nodes(block, nodes, len(nodes) - 1)
    terms = family.terms(block.y, block.trials, phi)
    return look(block, terms, fixed, factor @ chains.transpose(0, 2, 1))


def place_prior(block: Block) -> Placement:
    """Nodes of the prior."""
    roots = []
    for level, (m, q) in enumerate(zip(block.sizes, block.dims, strict=True)):
        above = sum(block.dims[:level])
        root = np.concatenate([np.zeros((q, above)), np.eye(q)], axis=1)
        roots.append(np.broadcast_to(root, (m, *root.shape)))
    return Placement(zeros(block), tuple(roots))


def place_mode_curvature(
    block: Block,
    family: Family,
    fixed: Array,
    factor: Array,
    phi: Array,
    start: tuple[Array, ...],
    enough: float | None = None,
    limits: Limits | None = None,
) -> Placement:
    """Nodes at the posterior mode, scaled by the curvature there; `enough` as in `find_modes`."""
    limits = limits or Limits(tolerance=enough)
    modes = modes_within(block, family, fixed, factor, phi, limits, start)
    return Placement(modes.v, modes.elimination.roots(block))
