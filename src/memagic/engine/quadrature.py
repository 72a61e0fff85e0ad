"""Log likelihood by Gauss-Hermite quadrature over nested levels, with analytic derivatives.

With the nodes held, Fisher's and Louis' identities give, for cluster j with posterior weights p_k
and complete-data scores s_k and Hessians h_k at node k,

    g_j = sum_k p_k s_k,    H_j = sum_k p_k (h_k + s_k s_k') - g_j g_j'.

With several levels the same is applied from the lowest level upwards: the conditional means of the
scores are summed within the groups of the level above, and play the part of s_k there.

Weights: log f of an observation, and log L of a group at any level, count with their weights in the
sums that the level above integrates over (Rabe-Hesketh and Skrondal 2006, JRSS A 169, 805-827, eq. 3).

Newton's method with these converges to the root of g at re-adapted nodes.

Source: manual [ME] meglm, Methods and formulas, 'Adaptive Gauss-Hermite quadrature'; Louis (1982),
JRSS B 44, 226-233.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.adaptation import Experience, Look, adapt, likely_last, look_at
from memagic.engine.blocks import Block, arrange
from memagic.engine.modes import zeros
from memagic.engine.nodes import (
    Method,
    Placement,
    Posterior,
    chain_nodes,
    log_likelihood_at,
    place_mode_curvature,
    place_prior,
    posterior,
)
from memagic.engine.objective import Evaluation
from memagic.engine.problem import Parameters, Problem
from memagic.engine.rules import PathRule, path_rule

Array = NDArray[np.float64]

__all__ = ["QuadratureObjective", "evaluate_block", "value_block"]


# Nodes an observation beyond which a fit takes hours where seven points in one dimension take a
# second, and nodes times the observations of a group beyond which an array takes a gigabyte.
_MOST_NODES = 1_000_000
_MOST_ELEMENTS = 100_000_000
# Where moments are refined in any case, modes to within some hundredths of a standard deviation do.
_SEED, _EXACT = 1e-3, 1e-13
# A shift, in standard deviations of the posterior, from which on nodes are placed by the mode instead.
_ASTRAY = 1.0


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where a block's nodes lie at given parameters, and what was learnt on the way there.

    `pace` is the move of the nodes when theta changes by one.
    """

    at: Parameters
    theta: Array
    placement: Placement
    experience: Experience
    pace: float


class QuadratureObjective:
    """Log likelihood over theta = (beta, omega, phi); nodes are placed anew at every theta.

    The search for the modes starts at the means found last. It is only a start: what is returned
    depends on theta alone, to the tolerance of the adaptation.
    """

    def __init__(self, problem: Problem, method: Method, n_points: int) -> None:
        self._problem = problem
        self._method = method
        self._rule = path_rule(n_points, tuple(level.structure.q for level in problem.levels))
        self._blocks = arrange(problem, self._rule.n_paths)
        self._constant = problem.constant
        self._placed: list[_Placed | None] = [None] * len(self._blocks)
        self._theta = np.full(0, np.nan)
        self._last: Parameters

    @property
    def blocks(self) -> list[Block]:
        return self._blocks

    @property
    def rule(self) -> PathRule:
        return self._rule

    def place(self, theta: Array) -> list[Placement]:
        """Where the nodes of every block lie at theta."""
        parameters = self._parameters(theta)
        return [self._place(i, parameters) for i in range(len(self._blocks))]

    def value(self, theta: Array) -> float:
        parameters = self._parameters(theta)
        total = self._constant
        for i, block in enumerate(self._blocks):
            placement = self._place(i, parameters)
            total += float(value_block(self._problem, block, self._rule, placement, parameters).sum())
        return total

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The clusters' log likelihoods, less constants, with the nodes held as they are at theta."""
        placements = self.place(theta)

        def values(theta: Array) -> Array:
            parameters = self._problem.unpack(theta)
            by_cluster = np.empty(self._problem.n_clusters)
            for block, placement in zip(self._blocks, placements, strict=True):
                part = value_block(self._problem, block, self._rule, placement, parameters)
                by_cluster[block.clusters] = part
            return by_cluster

        return values

    def evaluate(self, theta: Array) -> Evaluation:
        parameters = self._parameters(theta)
        d = len(theta)
        value = self._constant
        scores = np.empty((self._problem.n_clusters, d))
        hessian = np.zeros((d, d))
        for i, block in enumerate(self._blocks):
            part = self._evaluated(i, parameters)
            value += part.value
            scores[block.clusters] = part.scores
            hessian += part.hessian
        return Evaluation(value, scores, hessian)

    def _parameters(self, theta: Array) -> Parameters:
        """The parts of theta; the same object as last time where theta is the same."""
        if not hasattr(self, "_last") or not np.array_equal(theta, self._theta):
            self._theta = theta.copy()
            self._last = self._problem.unpack(self._theta)
        return self._last

    def _place(self, i: int, parameters: Parameters) -> Placement:
        """Where the nodes of a block lie."""
        if self._method == "ghermite":
            return place_prior(self._blocks[i])
        last = self._placed[i]
        if last is not None and last.at is parameters:
            return last.placement
        if self._method == "mcaghermite":
            placement = self._near_modes(i, parameters, _EXACT)
            self._keep(i, _Placed(parameters, self._theta, placement, Experience(), float("nan")))
            return placement
        return self._adapted(i, parameters, self._looking(i, parameters)).placement

    def _evaluated(self, i: int, parameters: Parameters) -> Evaluation:
        """The derivatives of a block, in the look that settles its nodes where that can be told before."""
        problem, block, rule = self._problem, self._blocks[i], self._rule
        last = self._placed[i]
        if self._method != "mvaghermite" or (last is not None and last.at is parameters):
            placement = self._place(i, parameters)
            return evaluate_block(problem, block, rule, placement, parameters)
        look = self._looking(i, parameters)

        def derive_last(placement: Placement, is_last: bool) -> Look:
            if is_last:
                return derivatives_look(problem, block, rule, placement, parameters)
            return look(placement, is_last)

        settled = self._adapted(i, parameters, derive_last)
        if settled.evaluation is not None:
            return settled.evaluation
        return evaluate_block(problem, block, rule, settled.placement, parameters)

    def _looking(self, i: int, parameters: Parameters) -> Callable[[Placement, bool], Look]:
        """Looks at the nodes of a block, without derivatives."""
        problem, block, rule = self._problem, self._blocks[i], self._rule
        assert problem.structure is not None
        fixed = block.fixed_part(parameters.beta)
        factor = problem.structure.factor(parameters.omega)

        def look(placement: Placement, is_last: bool) -> Look:
            nodes = placement.nodes(rule)
            logf = log_likelihood_at(block, problem.family, fixed, factor, parameters.phi, nodes)
            weights = posterior(block, logf, placement.log_weights(rule, nodes))
            return look_at(block, nodes, weights, placement)

        return look

    def _adapted(self, i: int, parameters: Parameters, look: Callable[[Placement, bool], Look]) -> Look:
        """The look that finds the nodes of a block settled, from where they were last."""
        last, theta = self._placed[i], self._theta
        first, experience, pace = None, Experience(), float("nan")
        if last is not None:
            distance = float(np.abs(theta - last.theta).max(initial=0.0))
            experience = last.experience
            first = look(last.placement, likely_last(last.pace * distance, experience))
            pace = first.shift / max(distance, 1e-300)
        if first is None or not first.shift <= _ASTRAY:
            first = look(self._near_modes(i, parameters, _SEED), False)
        settled = adapt(look, first, experience)
        self._keep(i, _Placed(parameters, theta, settled.last.placement, settled.experience, pace))
        return settled.last

    def _near_modes(self, i: int, parameters: Parameters, enough: float) -> Placement:
        problem, block, last = self._problem, self._blocks[i], self._placed[i]
        assert problem.structure is not None
        fixed = block.fixed_part(parameters.beta)
        factor = problem.structure.factor(parameters.omega)
        start = zeros(block) if last is None else last.placement.mean
        return place_mode_curvature(block, problem.family, fixed, factor, parameters.phi, start, enough)

    def _keep(self, i: int, placed: _Placed) -> None:
        """Start from there next time, unless the likelihood has no moments there."""
        if all(np.isfinite(part).all() for part in (*placed.placement.mean, *placed.placement.root)):
            self._placed[i] = placed


def affordable(problem: Problem, n_points: int) -> bool:
    """Whether a rule of so many points a dimension can be evaluated in the time and memory there is.

    A top-level group is integrated as a whole: its observations times the nodes are held at once.
    """
    assert problem.structure is not None
    nodes: int = n_points**problem.structure.q
    largest = int(np.bincount(problem.levels[0].cluster).max())
    return bool(nodes <= _MOST_NODES and nodes * largest <= _MOST_ELEMENTS)


def value_block(
    problem: Problem, block: Block, rule: PathRule, placement: Placement, parameters: Parameters
) -> Array:
    """Log L_j of the block's top-level clusters, weighted, shape (M_1,), less the family's constant."""
    assert problem.structure is not None
    factor = problem.structure.factor(parameters.omega)
    nodes = placement.nodes(rule)
    fixed = block.fixed_part(parameters.beta)
    logf = log_likelihood_at(block, problem.family, fixed, factor, parameters.phi, nodes)
    log_l = posterior(block, logf, placement.log_weights(rule, nodes)).log_l
    return log_l * block.level_weights[0] if block.level_weights else log_l


def evaluate_block(
    problem: Problem, block: Block, rule: PathRule, placement: Placement, parameters: Parameters
) -> Evaluation:
    """Value, scores of the top-level clusters and Hessian of one block, nodes held at `placement`."""
    evaluation = derivatives_look(problem, block, rule, placement, parameters).evaluation
    assert evaluation is not None
    return evaluation


def derivatives_look(
    problem: Problem, block: Block, rule: PathRule, placement: Placement, parameters: Parameters
) -> Look:
    """A look at the nodes with the derivatives of `evaluate_block`."""
    structure, family = problem.structure, problem.family
    assert structure is not None
    p, m, q = problem.p, structure.size, structure.q
    n_lowest, n_paths = block.n_lowest, rule.n_paths
    d = p + m + family.n_phi
    nodes = placement.nodes(rule)
    chains = chain_nodes(block, nodes, len(nodes) - 1)
    factor = structure.factor(parameters.omega)
    eta = block.eta(block.fixed_part(parameters.beta), chains @ factor.T)
    logf, first, second = family.derivatives(eta, block.y, block.trials, parameters.phi)
    if block.weight is not None:
        for part in (logf, first, second):
            part *= block.weight
    by_path = block.sum_clusters @ (block.sum_cells @ logf)
    weights = posterior(block, by_path, placement.log_weights(rule, nodes))
    measures = _measures(block, weights)
    weight = measures[-1]

    # Complete-data scores of the lowest-level clusters along every path.
    scores = np.empty((n_lowest, d, n_paths))
    scores[:, :p] = (block.x_by_cluster @ first).reshape(n_lowest, p, n_paths)
    z_first = block.z_sums(block.sum_cells @ first)
    moment = np.einsum("jkc,jkd->cdjk", z_first, chains)
    scores[:, p : p + m] = np.tensordot(structure.basis, moment, axes=([1, 2], [0, 1])).transpose(1, 0, 2)

    # The posterior mean of the complete-data Hessian.
    hessian = np.zeros((d, d))
    row_weight = np.take(weight, block.cluster_of_row, axis=0, mode="clip")
    single = len(block.cluster_of_cell) == n_lowest
    cell_weight = weight if single else weight[block.cluster_of_cell]
    second_at_cells = (block.sum_cells @ second) * cell_weight
    second *= row_weight
    hessian[:p, :p] = block.x.T @ (block.x * second.sum(axis=1)[:, None])
    for e in range(q):
        at_rows = _along_paths(second, chains[:, :, e], block)
        for c in np.flatnonzero(structure.basis[:, :, e].any(axis=0)):
            cross = (at_rows * block.z[block.cell_of_row, c]) @ block.x
            hessian[p : p + m, :p] += structure.basis[:, c, e, None] * cross
    hessian[p : p + m, p : p + m] = _omega_curvature(block, structure.basis, chains, second_at_cells)

    if family.n_phi:
        own = family.phi_derivatives(eta, block.y, block.trials, parameters.phi)
        if block.weight is not None:
            own = own.times(block.weight)
        for a in range(family.n_phi):
            scores[:, p + m + a] = block.sum_clusters @ (block.sum_cells @ own.score[a])
            cross_rows = own.cross[a] * row_weight
            hessian[p + m + a, :p] = cross_rows.sum(axis=1) @ block.x
            z_cross = block.z_sums(block.sum_cells @ cross_rows)
            outer = np.einsum("jkc,jke->ce", z_cross, chains)
            hessian[p + m + a, p : p + m] = np.tensordot(structure.basis, outer, axes=2)
            for b in range(family.n_phi):
                hessian[p + m + a, p + m + b] = float((own.hessian[a, b] * row_weight).sum())
        hessian[p : p + m, p + m :] = hessian[p + m :, p : p + m].T
    hessian[:p, p:] = hessian[p:, :p].T

    gradients, between = _average_scores(block, scores, weights, measures)
    log_l = weights.log_l * block.level_weights[0] if block.level_weights else weights.log_l
    evaluation = Evaluation(float(log_l.sum()), gradients, hessian + between)
    return look_at(block, nodes, weights, placement, evaluation)


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
        conditional = weights.conditional[level].reshape(n, 1, n_upper, -1)
        means = (scores.reshape(n, d, n_upper, -1) * conditional).sum(axis=3)
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
    return np.tensordot(scores * weight[:, None, :], scores, axes=([0, 2], [0, 2]))


def _along_paths(weighted: Array, node: Array, block: Block) -> Array:
    """Sum over the paths of row values times a coordinate of the nodes, shape (n,)."""
    at_rows = np.take(node, block.cluster_of_row, axis=0, mode="clip")
    return np.asarray(np.einsum("ik,ik->i", weighted, at_rows))


def _omega_curvature(block: Block, basis: Array, chains: Array, second: Array) -> Array:
    """Sum of second (z'E_a v)(z'E_b v) over cells and paths, shape (m, m).

    Parameters
    ----------
    second : ndarray, shape (C, K)
        Posterior-weighted second derivatives, summed within cells.
    """
    q = basis.shape[1]
    # moment[c, e] = (sum over cells) z_c z_e second, by cluster and path.
    moment = np.empty((q, q, *chains.shape[:2]))
    for c in range(q):
        for e in range(c + 1):
            product = second * (block.z[:, c] * block.z[:, e])[:, None]
            moment[c, e] = moment[e, c] = block.sum_clusters @ product
    outer = np.einsum("jkd,jkf->dfjk", chains, chains)
    core = np.tensordot(moment, outer, axes=([2, 3], [2, 3]))  # c, e, d, f
    flat = basis.reshape(len(basis), q * q)
    return np.asarray(flat @ core.transpose(0, 2, 1, 3).reshape(q * q, q * q) @ flat.T)
