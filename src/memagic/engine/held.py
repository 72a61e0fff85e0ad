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
from memagic.engine.kernel import look_with_derivatives
from memagic.engine.kernel_averages import (
    average_rows,
    average_rows_and_effects,
    conditional_means,
    second_moments,
)
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
    return block.counted(posterior_at(block, density, lay(block, placement, rule)).log_l, 0)


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
    for a, row, column, value in structure.elements:
        product = sums.z_first[:, row] * chains[:, column]
        if value != 1.0:
            product *= value
        scores[:, p + a] += product

    # The posterior mean of the complete-data Hessian.
    hessian = np.zeros((d, d))
    rows, by_effects = average_rows_and_effects(block, sums.second, weight, chains)
    flat = structure.basis.reshape(m, q * q)
    products = rows.T @ block.x
    hessian[:p, :p] = products[:p]
    hessian[p : p + m, :p] = flat @ products[p:]
    hessian[p : p + m, p : p + m] = flat @ by_effects @ flat.T

    if family.n_phi:
        eta = block.eta(density.fixed, effects)
        own = family.phi_derivatives(eta, block.y, block.trials, parameters.phi)
        if block.weight is not None:
            own = own.times(block.weight)
        row_weight = np.take(weight, block.cluster_of_row, axis=0, mode="clip")
        for a in range(family.n_phi):
            scores[:, p + m + a] = block.sum_clusters @ (block.sum_cells @ own.score[a])
            columns = average_rows(block, own.cross[a], weight, chains).sum(axis=0)
            hessian[p + m + a, :p] = columns[:p]
            hessian[p + m + a, p : p + m] = flat @ columns[p:]
            for b in range(family.n_phi):
                hessian[p + m + a, p + m + b] = float((own.hessian[a, b] * row_weight).sum())
        hessian[p : p + m, p + m :] = hessian[p + m :, p : p + m].T
    hessian[:p, p:] = hessian[p:, :p].T

    gradients, between = _average_scores(block, scores, weights, measures)
    log_l = block.counted(weights.log_l, 0)
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
        variance += second_moments(scores, measures[level])
        n_upper = measures[level - 1].shape[1] if level else 1
        means = conditional_means(scores, weights.conditional[level], n_upper)
        if not level:
            break
        variance -= second_moments(means, block.counted(measures[level - 1][block.parents[level]], level))
        summed = block.sum_up[level - 1] @ block.counted(means.reshape(len(means), -1), level)
        scores = summed.reshape(-1, d, n_upper)
    gradients = means[:, :, 0]
    weighted = block.counted(gradients, 0)
    return weighted, variance - gradients.T @ weighted
