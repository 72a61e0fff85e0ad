"""Log likelihood by the Laplacian approximation, with the exact gradient of the approximation.

    log L_j = log f(y_j | v_j) - v_j'v_j / 2 - log|H_j| / 2,    H_j = I + L'Z_j'W_j Z_j L,

at the mode v_j, with W the observed weights -d^2 log f / d eta^2. The mode's dependence on the
parameters enters by implicit differentiation; the log determinant needs the third derivative of
log f. The Hessian is the central difference of this gradient: modes are found to machine precision,
so that nothing but rounding limits it. On the way to the maximum its outline does, that of a quadrature
by few nodes at the modes.

Source: manual [ME] meglm, Methods and formulas, 'Laplacian approximation'.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

import numpy as np
from numpy.typing import NDArray

from memagic.engine.blocks import Block, arrange
from memagic.engine.chains import at_lowest
from memagic.engine.held import evaluate_block
from memagic.engine.modes import Modes, find_modes, zeros
from memagic.engine.nodes import Placement
from memagic.engine.objective import Evaluation
from memagic.engine.pool import in_order
from memagic.engine.problem import Parameters, Problem
from memagic.engine.rules import path_rule

Array = NDArray[np.float64]

__all__ = ["LaplaceObjective"]

# The cube root of the double's precision balances truncation and rounding of central differences.
_STEP = 6e-6
# Values of a row that are held at once: blocks are as small as if these were nodes.
_VALUES = 8
# Nodes of the outline at most: with more, differences of the gradient cost less.
_MOST_NODES = 32


class LaplaceObjective:
    """The Laplacian approximation over theta = (beta, omega, phi).

    Blocks are worked on by `threads` at once, by one if that is left open: much of the work is in short
    steps. The sums over blocks do not depend on how many there are.
    """

    def __init__(self, problem: Problem, threads: int = 0) -> None:
        if problem.weighted:
            raise ValueError("the Laplacian approximation takes no weights")
        self._problem = problem
        self._threads = threads or 1
        self._blocks = arrange(problem, _VALUES)
        self._constant = problem.constant
        self._modes = [zeros(block) for block in self._blocks]
        square = np.concatenate(
            [np.einsum("ij,ij->j", problem.x, problem.x) / len(problem.x), self._omega_square()]
        )
        # Changes of this size move the linear predictor by about one.
        self._unit = 1.0 / np.sqrt(np.where(square > 0.0, square, 1.0))

    def _omega_square(self) -> Array:
        """Mean square of the column of Z that each element of omega multiplies, shape (m,)."""
        assert self._problem.structure is not None
        rows = [int(np.argwhere(e)[0, 0]) for e in self._problem.structure.basis]
        return self._problem.mean_square_z[rows]

    @property
    def memory(self) -> tuple[tuple[Array, ...], ...]:
        """The modes found last: what the next search starts from."""
        return tuple(self._modes)

    def recalling(self, memory: tuple[tuple[Array, ...], ...]) -> LaplaceObjective:
        """A twin that starts from the memory of another one; this one stays as it is."""
        twin = copy(self)
        twin._modes = list(memory)
        return twin

    def value(self, theta: Array) -> float:
        parameters = self._problem.unpack(theta)

        def value(i: int) -> float:
            return float(_log_likelihood(self._find(i, parameters)).sum())

        total = self._constant
        for part in in_order(value, len(self._blocks), self._threads):
            total += part
        return total

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The clusters' log likelihoods, less constants; there are no nodes to be held."""

        def values(theta: Array) -> Array:
            parameters = self._problem.unpack(theta)
            by_cluster = np.empty(self._problem.n_clusters)
            for i, block in enumerate(self._blocks):
                by_cluster[block.clusters] = _log_likelihood(self._find(i, parameters))
            return by_cluster

        return values

    def scores(self, theta: Array) -> tuple[float, Array]:
        """The log likelihood and the clusters' contributions to its gradient, shape (M, d)."""
        parameters = self._problem.unpack(theta)

        scores = np.empty((self._problem.n_clusters, len(theta)))

        def evaluated(i: int) -> float:
            block, modes = self._blocks[i], self._find(i, parameters)
            scores[block.clusters] = _block_scores(self._problem, block, parameters, modes)
            return float(_log_likelihood(modes).sum())

        total = self._constant
        for value in in_order(evaluated, len(self._blocks), self._threads):
            total += value
        return total, scores

    def evaluate(self, theta: Array) -> Evaluation:
        value, scores = self.scores(theta)
        d = len(theta)
        hessian = np.empty((d, d))
        centre = list(self._modes)
        scale = np.ones(d)
        scale[: len(self._unit)] = self._unit
        if self._problem.family.closed_form:
            scale[: len(self._unit)] *= np.exp(theta[-1])  # the residual standard deviation
        for a in range(d):
            step = np.zeros(d)
            step[a] = _STEP * scale[a]
            self._modes = list(centre)
            above = self.scores(theta + step)[1].sum(axis=0)
            # On the other side the modes lie as far, to the square of the step.
            self._modes = [
                tuple(2.0 * c - v for c, v in zip(*both, strict=True))
                for both in zip(centre, self._modes, strict=True)
            ]
            below = self.scores(theta - step)[1].sum(axis=0)
            hessian[a] = (above - below) / (2.0 * step[a])
        self._modes = centre
        return Evaluation(value, scores, 0.5 * (hessian + hessian.T))

    def outline(self, theta: Array) -> Array:
        """Roughly the Hessian, shape (d, d): that of adaptive quadrature by few nodes.

        Raises
        ------
        numpy.linalg.LinAlgError
            The posterior is not concave at its mode.
        """
        dims = tuple(level.structure.q for level in self._problem.levels)
        n_points = next((k for k in (3, 2) if k ** sum(dims) <= _MOST_NODES), 0)
        if not n_points:
            return self.evaluate(theta).hessian
        parameters, rule = self._problem.unpack(theta), path_rule(n_points, dims)
        hessian = np.zeros((len(theta), len(theta)))
        for i, block in enumerate(self._blocks):
            modes = self._find(i, parameters)
            if not np.isfinite(modes.elimination.log_det).all():
                raise np.linalg.LinAlgError("the posterior is not concave")
            placement = Placement(modes.v, modes.elimination.roots(block))
            hessian += evaluate_block(self._problem, block, rule, placement, parameters).hessian
        return hessian

    def _find(self, i: int, parameters: Parameters) -> Modes:
        problem, block = self._problem, self._blocks[i]
        assert problem.structure is not None
        modes = find_modes(
            block,
            problem.family,
            block.fixed_part(parameters.beta),
            problem.structure.factor(parameters.omega),
            parameters.phi,
            self._modes[i],
        )
        if all(np.isfinite(v).all() for v in modes.v):
            self._modes[i] = modes.v
        return modes


def _log_likelihood(modes: Modes) -> Array:
    """Log L by top-level cluster, shape (M_1,); nan where the posterior is not concave at its mode."""
    return modes.log_posterior - 0.5 * modes.elimination.log_det


def _block_scores(problem: Problem, block: Block, parameters: Parameters, modes: Modes) -> Array:
    """Gradient of log L by top-level cluster, shape (M_1, d)."""
    structure, family = problem.structure, problem.family
    assert structure is not None
    p, m = problem.p, structure.size
    factor = structure.factor(parameters.omega)
    chains = at_lowest(block, modes.v)
    root = _chain_roots(block, modes)
    inverse = root @ root.transpose(0, 2, 1)  # the blocks of H^-1 along the chains

    # h_i = z_i' L H^-1 L' z_i, once a cell.
    spread = factor @ inverse @ factor.T
    if block.n_lowest == 1:
        h_cell = np.einsum("cq,cq->c", block.z @ spread[0], block.z)
    else:
        h_cell = np.einsum("cq,cqr,cr->c", block.z, spread[block.cluster_of_cell], block.z)
    h = h_cell[block.cell_of_row][:, None]
    third = family.third(modes.eta, block.y, block.trials, parameters.phi)
    c = 0.5 * h * third  # -h w'/2 with w' = -third

    # u = H^-1 L'Z'c, e = Z L u: what the shift of the mode does to the log determinant.
    z_c = block.z_sums(block.sum_cells @ c)[:, 0, :]
    u = at_lowest(block, modes.elimination.solve(block, z_c @ factor))
    e = block.along_z((u @ factor.T)[:, :, None])[block.cell_of_row]
    row_score = modes.first + c + modes.second * e

    scores = np.empty((block.n_lowest, p + m + family.n_phi))
    scores[:, :p] = block.x_sums(row_score)
    z_score = block.z_sums(block.sum_cells @ row_score)[:, 0, :]
    # Everything that multiplies the elements of dL: shape (M_L, Q, Q), row of Z by column of v.
    core = np.einsum("jc,je->jce", z_score, chains)
    core += np.einsum("jc,je->jce", modes.z_first, u)
    core -= modes.z_second_z @ factor @ inverse
    scores[:, p : p + m] = np.einsum("ace,jce->ja", structure.basis, core)
    if family.n_phi:
        own = family.phi_derivatives(modes.eta, block.y, block.trials, parameters.phi)
        for a in range(family.n_phi):
            rows = own.score[a] + 0.5 * h * own.curvature[a] + e * own.cross[a]
            scores[:, p + m + a] = (block.sum_clusters @ (block.sum_cells @ rows))[:, 0]
    return np.asarray(block.sum_top @ scores)


def _chain_roots(block: Block, modes: Modes) -> Array:
    """Cholesky factors of the chains' posterior covariances, shape (M_L, Q, Q)."""
    rows = modes.elimination.roots(block)
    q = block.z.shape[1]
    roots = np.zeros((block.n_lowest, q, q))
    first = 0
    for part, index in zip(rows, block.ancestors, strict=True):
        last = first + part.shape[1]
        roots[:, first:last, : part.shape[2]] = part[index]
        first = last
    return roots
