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
from memagic.engine.kernel import Terms, look
from memagic.engine.kernel_nodes import chain_nodes, join, weigh
from memagic.engine.modes import Limits, find_modes, zeros
from memagic.engine.problem import Parameters, Problem
from memagic.engine.rules import PathRule

Array = NDArray[np.float64]
Method = Literal["mvaghermite", "mcaghermite", "ghermite", "laplace"]

__all__ = [
    "Method",
    "Nodes",
    "Placement",
    "Posterior",
    "RowDensity",
    "apart",
    "lay",
    "log_likelihood_at",
    "place_mode_curvature",
    "place_prior",
    "posterior",
    "posterior_at",
    "row_density",
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


def apart(first: Placement, second: Placement) -> float:
    """The largest move of a mean from one placement to another, in standard deviations of the first."""
    largest = 0.0
    for before, after, root in zip(first.mean, second.mean, first.root, strict=True):
        scale = root[:, :, -root.shape[1] :].diagonal(axis1=1, axis2=2)
        largest = max(largest, float(np.abs((after - before) / scale).max(initial=0.0)))
    return largest


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes on the scale of v.

    Attributes
    ----------
    chains : tuple of ndarray, each shape (M_l, Q_l, K_1...K_l)
        By level, of the effects of its clusters and, before them, of those that these lie in.
    log_weights : tuple of ndarray, each shape (M_l, K_1...K_l)
        Of a level's own nodes, for integrals against the prior of v.
    """

    chains: tuple[Array, ...]
    log_weights: tuple[Array, ...]


def lay(block: Block, placement: Placement, rule: PathRule) -> Nodes:
    """The nodes of a rule, where they are placed."""
    chains: list[Array] = []
    log_weights = []
    for level, (mean, root) in enumerate(zip(placement.mean, placement.root, strict=True)):
        upper = chains[-1] if level else None
        chain, weights = chain_nodes(
            upper, block.parents[level], mean, root, rule.paths[level], rule.log_lebesgue[level]
        )
        chains.append(chain)
        log_weights.append(weights)
    return Nodes(tuple(chains), tuple(log_weights))


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


def posterior(block: Block, logf: Array, nodes: Nodes) -> Posterior:
    """Integrate level by level from the bottom, and weigh the nodes on the way back.

    Parameters
    ----------
    logf : ndarray, shape (M_L, K_1...K_L)
        Log f(y | path) of the lowest-level clusters; overwritten.
    """
    conditional: list[Array] = []
    for level in reversed(range(len(nodes.chains))):
        n_upper = nodes.log_weights[level - 1].shape[1] if level else 1
        log_l = weigh(logf, nodes.log_weights[level], n_upper)
        conditional.append(logf)
        if level:
            logf = block.sum_up[level - 1] @ block.counted(log_l, level)
    conditional.reverse()
    joint = [conditional[0]]
    for level in range(1, len(conditional)):
        joint.append(join(joint[-1], block.parents[level], conditional[level]))
    return Posterior(log_l[:, 0], tuple(conditional), tuple(joint))


@dataclass(frozen=True, slots=True)
class RowDensity:
    """The density of a block's rows given the random effects, at given parameters: what all nodes share.

    Attributes
    ----------
    fixed : ndarray, shape (n,)
        X beta + offset.
    factor : ndarray, shape (Q, Q)
        L.
    terms : Terms
        Of the family.
    """

    fixed: Array
    factor: Array
    terms: Terms


def row_density(problem: Problem, block: Block, parameters: Parameters) -> RowDensity:
    """What is the same at all nodes of a block; arrays as in `RowDensity`."""
    assert problem.structure is not None
    return RowDensity(
        block.fixed_part(parameters.beta),
        problem.structure.factor(parameters.omega),
        problem.family.terms(block.y, block.trials, parameters.phi),
    )


def log_likelihood_at(block: Block, density: RowDensity, chains: Array) -> Array:
    """Log f(y | path) by lowest-level cluster, shape (M_L, K), at `chains` of shape (M_L, Q, K)."""
    return look(block, density.terms, density.fixed, density.factor @ chains)


def posterior_at(block: Block, density: RowDensity, nodes: Nodes) -> Posterior:
    """The weights of the nodes given the data."""
    return posterior(block, log_likelihood_at(block, density, nodes.chains[-1]), nodes)


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
    start: tuple[Array, ...] | None = None,
    limits: Limits | None = None,
) -> Placement:
    """Nodes at the posterior mode, scaled by the curvature there; parameters as of `find_modes`."""
    modes = find_modes(block, family, fixed, factor, phi, start, limits)
    return Placement(modes.v, modes.elimination.roots(block))
