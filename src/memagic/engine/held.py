"""One block's log likelihood with the nodes held, and its derivatives.

With the nodes held, Fisher's and Louis' identities give, for cluster j with posterior weights p_k
and complete-data scores s_k and Hessians h_k at node k,

    g_j = sum_k p_k s_k,    H_j = sum_k p_k (h_k + s_k s_k') - g_j g_j'.

With several levels the same is applied from the lowest level upwards: the conditional means of the
scores are summed within the groups of the level above, and play the part of s_k there.

Weights: log f of an observation, and log L of a group at any level, count with their weights in the
sums that the level above integrates over (Rabe-Hesketh and Skrondal 2006, JRSS A 169, 805-827, eq. 3).

Source: Louis (1982), JRSS B 44, 226-233.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.adaptation import Look, look_at
from memagic.engine.blocks import Block
from memagic.engine.kernel import look_with_derivatives, over_nodes
from memagic.engine.nodes import Placement, Posterior, RowDensity, lay, posterior, posterior_at, row_density
from memagic.engine.objective import Evaluation
from memagic.engine.problem import Parameters, Problem
from memagic.engine.rules import PathRule

Array = NDArray[np.float64]

__all__ = ["derivatives_look", "evaluate_block", "value_block"]


def value_block(
    problem: Problem, block: Block, rule: PathRule, placement: Placement, parameters: Parameters
) -> Array:
    """Log L_j of the block's top-level clusters, weighted, shape (M_1,), less the family's constant."""
    density = row_density(problem, block, parameters)
    log_l = posterior_at(block, density, lay(block, placement, rule)).log_l
    return log_l * block.level_weights[0] if block.level_weights else log_l


def evaluate_block(
    problem: Problem, block: Block, rule: PathRule, placement: Placement, parameters: Parameters
) -> Evaluation:
    """Value, scores of the top-level clusters and Hessian of one block, nodes held at `placement`."""
    density = row_density(problem, block, parameters)
    evaluation = derivatives_look(problem, block, rule, placement, parameters, density).evaluation
    assert evaluation is not None
    return evaluation


def derivatives_look(
    problem: Problem,
    block: Block,
    rule: PathRule,
    placement: Placement,
    parameters: Parameters,
    density: RowDensity,
) -> Look:
    """A look at the nodes with the derivatives of `evaluate_block`; `density` is that of the parameters."""
    structure, family = problem.structure, problem.family
    assert structure is not None
    p, m, q = problem.p, structure.size, structure.q
    n_lowest, n_paths = block.n_lowest, rule.n_paths
    d = p + m + family.n_phi
    nodes = lay(block, placement, rule)
    chains = nodes.chains[-1]
    effects = density.factor @ chains
    sums = look_with_derivatives(block, density.terms, density.fixed, effects, d)
    weights = posterior(block, sums.logf, nodes)
    measures = _measures(block, weights)
    weight = measures[-1]
    scores = sums.scores
    # X' first is there; an element of omega has the derivative of all the elements of L that it makes up.
    for a, row, column in np.argwhere(structure.basis):
        product = sums.z_first[:, row] * chains[:, column]
        if structure.basis[a, row, column] != 1.0:
            product *= structure.basis[a, row, column]
        scores[:, p + a] += product

    # The posterior mean of the complete-data Hessian. Averages over the paths, by row: of the second
    # derivative by itself, times each coordinate of the nodes, and times each product of two.
    hessian = np.zeros((d, d))
    products = [(e, f) for e in range(q) for f in range(e, q)]
    moments = np.empty((n_lowest, 1 + q + len(products), n_paths))
    moments[:, 0] = weight
    np.multiply(chains, weight[:, None, :], out=moments[:, 1 : 1 + q])
    for at, (e, f) in enumerate(products, start=1 + q):
        np.multiply(moments[:, 1 + e], chains[:, f], out=moments[:, at])
    rows = over_nodes(block, sums.second, moments)
    hessian[:p, :p] = block.x.T @ (block.x * rows[:, :1])
    hessian[p : p + m, :p] = _omega_cross(block, structure.basis, rows[:, 1 : 1 + q])
    at_cells = block.sum_cells @ rows[:, 1 + q :]
    hessian[p : p + m, p : p + m] = _omega_curvature(block, structure.basis, products, at_cells)

    if family.n_phi:
        eta = block.eta(density.fixed, effects)
        own = family.phi_derivatives(eta, block.y, block.trials, parameters.phi)
        if block.weight is not None:
            own = own.times(block.weight)
        row_weight = np.take(weight, block.cluster_of_row, axis=0, mode="clip")
        for a in range(family.n_phi):
            scores[:, p + m + a] = block.sum_clusters @ (block.sum_cells @ own.score[a])
            rows = over_nodes(block, own.cross[a], moments[:, : 1 + q])
            hessian[p + m + a, :p] = rows[:, 0] @ block.x
            outer = block.z.T @ (block.sum_cells @ rows[:, 1:])
            hessian[p + m + a, p : p + m] = np.tensordot(structure.basis, outer, axes=2)
            for b in range(family.n_phi):
                hessian[p + m + a, p + m + b] = float((own.hessian[a, b] * row_weight).sum())
        hessian[p : p + m, p + m :] = hessian[p + m :, p : p + m].T
    hessian[:p, p:] = hessian[p:, :p].T

    gradients, between = _average_scores(block, scores, weights, measures)
    log_l = weights.log_l * block.level_weights[0] if block.level_weights else weights.log_l
    evaluation = Evaluation(float(log_l.sum()), gradients, hessian + between)
    return look_at(nodes, weights, placement, evaluation)


def _measures(block: Block, weights: Posterior) -> tuple[Array, ...]:
    """Posterior weights of the nodes times the clusters' own, each shape (M_l, K_1...K_l).

    A cluster counts with its weight and those of all groups that it lies in.
    """
    if not block.level_weights:
        return weights.joint
    return tuple(
        joint * (chain * block.level_weights[0][top])[:, None]
        for joint, chain, top in zip(weights.joint, block.chain_weights, block.tops, strict=True)
    )


def _average_scores(
    block: Block, scores: Array, weights: Posterior, measures: tuple[Array, ...]
) -> tuple[Array, Array]:
    """Posterior means of the scores by top-level cluster, and the posterior variance of the scores.

    Given the nodes above, clusters are independent: the variance is the sum, over levels, of the
    expected conditional variances of the conditional means.

    Parameters
    ----------
    scores : ndarray, shape (M_L, d, K_1...K_L)
    measures : tuple of ndarray
        Weights of the nodes with those of the clusters.

    Returns
    -------
    means : ndarray, shape (M_1, d)
        Times the clusters' weights.
    variance : ndarray, shape (d, d)
    """
    d = scores.shape[1]
    variance = np.zeros((d, d))
    for level in reversed(range(len(weights.joint))):
        variance += _second_moment(scores, measures[level])
        n, n_upper = len(scores), measures[level - 1].shape[1] if level else 1
        conditional = weights.conditional[level].reshape(n, n_upper, -1)
        means = np.einsum("jdur,jur->jdu", scores.reshape(n, d, n_upper, -1), conditional)
        if not level:
            break
        variance -= _second_moment(means, block.counted(measures[level - 1][block.parents[level]], level))
        summed = block.sum_up[level - 1] @ block.counted(means.reshape(n, -1), level)
        scores = summed.reshape(-1, d, n_upper)
    gradients = means[:, :, 0]
    weighted = block.counted(gradients, 0)
    return weighted, variance - gradients.T @ weighted


def _second_moment(scores: Array, weight: Array) -> Array:
    """Weighted sum of s s' over clusters and paths, shape (d, d)."""
    return np.asarray(((scores * weight[:, None, :]) @ scores.transpose(0, 2, 1)).sum(axis=0))


def _omega_cross(block: Block, basis: Array, rows: Array) -> Array:
    """Sum of second (z'E_a v) x' over rows and paths, shape (m, p).

    Parameters
    ----------
    rows : ndarray, shape (n, Q)
        Second derivatives times each coordinate of v, averaged over the paths.
    """
    cross = np.empty((basis.shape[1], basis.shape[2], block.x.shape[1]))
    z = block.z if len(block.z) == len(rows) else np.take(block.z, block.cell_of_row, axis=0, mode="clip")
    for e in range(basis.shape[2]):
        cross[:, e] = (z * rows[:, e, None]).T @ block.x
    return np.asarray(np.tensordot(basis, cross, axes=2))


def _omega_curvature(block: Block, basis: Array, products: list[tuple[int, int]], cells: Array) -> Array:
    """Sum of second (z'E_a v)(z'E_b v) over cells and paths, shape (m, m).

    Parameters
    ----------
    products : list of (int, int)
    cells : ndarray, shape (C, len(products))
        Second derivatives times these products of coordinates of v, averaged over the paths and summed
        within cells.
    """
    q = basis.shape[1]
    core = np.empty((q, q, q, q))  # c, e, d, f
    for at, (d, f) in enumerate(products):
        core[:, :, d, f] = core[:, :, f, d] = (block.z * cells[:, at, None]).T @ block.z
    flat = basis.reshape(len(basis), q * q)
    return np.asarray(flat @ core.transpose(0, 2, 1, 3).reshape(q * q, q * q) @ flat.T)
