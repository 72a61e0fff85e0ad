"""Log likelihood of a two-level model by Gauss-Hermite quadrature, with analytic derivatives.

With the nodes held, Fisher's and Louis' identities give, for cluster j with posterior weights p_k
and complete-data scores s_k and Hessians h_k at node k,

    g_j = sum_k p_k s_k,    H_j = sum_k p_k (h_k + s_k s_k') - g_j g_j'.

Newton's method with these converges to the root of g at re-adapted nodes.

Source: manual [ME] meglm, Methods and formulas, 'Adaptive Gauss-Hermite quadrature'; Louis (1982),
JRSS B 44, 226-233.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.nodes import (
    Method,
    Placement,
    log_likelihood_at,
    place_mode_curvature,
    place_prior,
    refine_moments,
)
from memagic.engine.objective import Evaluation
from memagic.engine.problem import Block, Parameters, Problem, arrange
from memagic.engine.rules import Rule, product_rule

Array = NDArray[np.float64]

__all__ = ["QuadratureObjective", "evaluate_block", "value_block"]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A block's placement and the parameters that it belongs to."""

    at: Parameters
    placement: Placement


class QuadratureObjective:
    """Log likelihood over theta = (beta, omega, phi); nodes are placed anew at every theta.

    The search for the modes starts at the means found last. It is only a start: what is returned
    depends on theta alone, to the tolerance of the adaptation.
    """

    def __init__(self, problem: Problem, method: Method, n_points: int) -> None:
        assert problem.structure is not None
        self._problem = problem
        self._method = method
        self._q = problem.structure.q
        self._rule = product_rule(n_points, self._q)
        self._blocks = arrange(problem, len(self._rule.nodes))
        self._constant = float(problem.family.constant(problem.y, problem.trials).sum())
        self._placements: list[_Placed | None] = [None] * len(self._blocks)
        self._theta: Array | None = None
        self._last: Parameters

    @property
    def blocks(self) -> list[Block]:
        return self._blocks

    @property
    def rule(self) -> Rule:
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

    def evaluate(self, theta: Array) -> Evaluation:
        parameters = self._parameters(theta)
        d = len(theta)
        value = self._constant
        scores = np.empty((self._problem.n_clusters, d))
        hessian = np.zeros((d, d))
        for i, block in enumerate(self._blocks):
            placement = self._place(i, parameters)
            part = evaluate_block(self._problem, block, self._rule, placement, parameters)
            value += part.value
            scores[block.clusters] = part.scores
            hessian += part.hessian
        return Evaluation(value, scores, hessian)

    def _parameters(self, theta: Array) -> Parameters:
        """The parts of theta; the same object as last time where theta is the same."""
        if self._theta is None or not np.array_equal(theta, self._theta):
            self._theta = theta.copy()
            self._last = self._problem.unpack(self._theta)
        return self._last

    def _place(self, i: int, parameters: Parameters) -> Placement:
        problem, block = self._problem, self._blocks[i]
        assert problem.structure is not None
        if self._method == "ghermite":
            return place_prior(block.n_clusters, self._q)
        last = self._placements[i]
        if last is not None and last.at is parameters:
            return last.placement
        family, phi = problem.family, parameters.phi
        fixed = block.fixed_part(parameters.beta)
        factor = problem.structure.factor(parameters.omega)
        start = np.zeros((block.n_clusters, self._q)) if last is None else last.placement.mean
        placement = place_mode_curvature(block, family, fixed, factor, phi, start)
        if self._method == "mvaghermite":
            placement = refine_moments(block, family, fixed, factor, phi, self._rule, placement)
        if np.isfinite(placement.mean).all() and np.isfinite(placement.scale).all():
            self._placements[i] = _Placed(parameters, placement)
        return placement


def value_block(
    problem: Problem, block: Block, rule: Rule, placement: Placement, parameters: Parameters
) -> Array:
    """Log L_j of the block's clusters, shape (M,), less the family's constant."""
    assert problem.structure is not None
    factor = problem.structure.factor(parameters.omega)
    nodes = placement.nodes(rule)
    fixed = block.fixed_part(parameters.beta)
    logf = log_likelihood_at(block, problem.family, fixed, factor, parameters.phi, nodes)
    logf += placement.log_weights(rule, nodes)
    peak = logf.max(axis=1)
    return np.asarray(np.log(np.exp(logf - peak[:, None]).sum(axis=1)) + peak)


def evaluate_block(
    problem: Problem, block: Block, rule: Rule, placement: Placement, parameters: Parameters
) -> Evaluation:
    """Value, cluster scores and Hessian of one block with its nodes held at `placement`."""
    structure, family = problem.structure, problem.family
    assert structure is not None
    p, m, q = problem.p, structure.size, structure.q
    n_clusters, n_nodes = block.n_clusters, len(rule.nodes)
    d = p + m + family.n_phi
    nodes = placement.nodes(rule)
    factor = structure.factor(parameters.omega)
    eta = block.eta(block.fixed_part(parameters.beta), nodes @ factor.T)
    logf, first, second = family.derivatives(eta, block.y, block.trials, parameters.phi)

    log_weight = block.sum_clusters @ (block.sum_cells @ logf)
    log_weight += placement.log_weights(rule, nodes)
    peak = log_weight.max(axis=1)
    weight = np.exp(log_weight - peak[:, None])
    total = weight.sum(axis=1)
    weight /= total[:, None]
    value = float((np.log(total) + peak).sum())

    # Complete-data scores at every node, and what of the complete-data Hessian is left to sum.
    scores = np.empty((n_clusters, d, n_nodes))
    scores[:, :p] = (block.x_by_cluster @ first).reshape(n_clusters, p, n_nodes)
    z_first = block.z_sums(block.sum_cells @ first)
    moment = np.einsum("jkc,jkd->cdjk", z_first, nodes)
    scores[:, p : p + m] = np.tensordot(structure.basis, moment, axes=([1, 2], [0, 1])).transpose(1, 0, 2)

    hessian = np.zeros((d, d))
    row_weight = np.take(weight, block.cluster_of_row, axis=0, mode="clip")
    second_at_cells = block.sum_cells @ second
    second *= row_weight
    hessian[:p, :p] = block.x.T @ (block.x * second.sum(axis=1)[:, None])
    for e in range(q):
        # (Z_c v_e second)'X for every c, at once over the nodes.
        at_rows = _along_nodes(second, nodes[:, :, e], block)
        for c in range(q):
            cross = (at_rows * block.z[block.cell_of_row, c]) @ block.x
            hessian[p : p + m, :p] += structure.basis[:, c, e, None] * cross
    second_at_cells *= weight if block.sum_cells.shape[0] == n_clusters else weight[block.cluster_of_cell]
    hessian[p : p + m, p : p + m] = _omega_curvature(block, structure.basis, nodes, second_at_cells)

    if family.n_phi:
        own = family.phi_derivatives(eta, block.y, block.trials, parameters.phi)
        for a in range(family.n_phi):
            scores[:, p + m + a] = block.sum_clusters @ (block.sum_cells @ own.score[a])
            cross_rows = own.cross[a] * row_weight
            hessian[p + m + a, :p] = cross_rows.sum(axis=1) @ block.x
            z_cross = block.z_sums(block.sum_cells @ cross_rows)
            outer = np.einsum("jkc,jke->ce", z_cross, nodes)
            hessian[p + m + a, p : p + m] = np.tensordot(structure.basis, outer, axes=2)
            for b in range(family.n_phi):
                hessian[p + m + a, p + m + b] = float((own.hessian[a, b] * row_weight).sum())
        hessian[p : p + m, p + m :] = hessian[p + m :, p : p + m].T
    hessian[:p, p:] = hessian[p:, :p].T

    weighted = scores * weight[:, None, :]
    gradients = weighted.sum(axis=2)
    hessian += np.tensordot(weighted, scores, axes=([0, 2], [0, 2]))
    hessian -= gradients.T @ gradients
    return Evaluation(value, gradients, hessian)


def _along_nodes(weighted: Array, node: Array, block: Block) -> Array:
    """Sum over the nodes of row values times a coordinate of the nodes, shape (n,)."""
    at_rows = np.take(node, block.cluster_of_row, axis=0, mode="clip")
    return np.asarray(np.einsum("ik,ik->i", weighted, at_rows))


def _omega_curvature(block: Block, basis: Array, nodes: Array, second: Array) -> Array:
    """Sum of second (z'E_a v)(z'E_b v) over cells and nodes, shape (m, m).

    Parameters
    ----------
    second : ndarray, shape (C, K)
        Posterior-weighted second derivatives, summed within cells.
    """
    q = basis.shape[1]
    # moment[c, e] = (sum over cells) z_c z_e second, by cluster and node.
    moment = np.empty((q, q, *nodes.shape[:2]))
    for c in range(q):
        for e in range(c + 1):
            product = second * (block.z[:, c] * block.z[:, e])[:, None]
            moment[c, e] = moment[e, c] = block.sum_clusters @ product
    outer = np.einsum("jkd,jkf->dfjk", nodes, nodes)
    core = np.tensordot(moment, outer, axes=([2, 3], [2, 3]))  # c, e, d, f
    return np.asarray(np.einsum("acd,bef,cedf->ab", basis, basis, core))
