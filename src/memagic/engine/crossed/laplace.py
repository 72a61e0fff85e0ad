"""Log likelihood of crossed effects by the Laplacian approximation, with its exact gradient.

    log L = log f(y | v) - v'v/2 - log|H|/2,    H = I + L'Z'WZL,

at the mode v over all effects at once. The gradient needs the inverse of H only where groups share
rows: h_i = z_i'L H^-1 L'z_i. With c_i = -h_i w_i'/2, w' the derivative of w in eta, the shift of the mode
enters by one more solve, e = Z L H^-1 L'Z'c; then d log L / d beta = X'(r + c - W e), and likewise for
L and the family's parameters. The Hessian is the difference of this gradient.

Source: manual [ME] meglm, Methods and formulas, 'Laplacian approximation'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine import _kernel
from memagic.engine.crossed.difference import differenced
from memagic.engine.crossed.modes import Mode, Model, Place, find_mode, model_of
from memagic.engine.crossed.outline import outline
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.products import gram, transposed
from memagic.engine.crossed.rows import Rows
from memagic.engine.crossed.system import Factored
from memagic.engine.objective import Evaluation
from memagic.engine.problem import Parameters

Array = NDArray[np.float64]

__all__ = ["CrossedLaplace", "posterior_mode"]


@dataclass(frozen=True, slots=True)
class _Found:
    """The mode at one theta, and where it was looked for."""

    theta: Array
    place: Place
    mode: Mode


class CrossedLaplace:
    """The Laplacian approximation over theta = (beta, omega, phi).

    Each evaluation starts from the modes of the last one.
    """

    def __init__(self, problem: CrossedProblem) -> None:
        self._problem = problem
        self._model = model_of(problem)
        self._top = _ByTop(self._model.rows.top, problem.n_clusters, self._model.rows.own)
        self._constant = float(problem.family.constant(problem.y, problem.trials).sum())
        self._v = np.zeros(self._model.rows.n_columns)
        self._factored: Factored | None = None
        self._last: _Found | None = None
        self._last_scores: tuple[_Found, Array] | None = None

    def value(self, theta: Array) -> float:
        return self._value(self._find(theta).mode)

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The log likelihood, less the constant, as one cluster's; there are no nodes to be held."""
        return lambda theta: np.array([self.value(theta) - self._constant])

    def scores(self, theta: Array) -> tuple[float, Array]:
        """The log likelihood and the contributions of the highest level's groups to its gradient.

        Raises
        ------
        numpy.linalg.LinAlgError
            The posterior is not concave at its mode.
        """
        found = self._find(theta)
        if found.mode.factored is None:
            raise np.linalg.LinAlgError("the posterior is not concave")
        if self._last_scores is None or self._last_scores[0] is not found:
            self._last_scores = found, _scores(self._problem, self._model, self._top, found)
        return self._value(found.mode), self._last_scores[1]

    def evaluate(self, theta: Array) -> Evaluation:
        value, scores = self.scores(theta)
        v, factored = self._v, self._factored

        def gradient(at: Array, start: Array = v) -> Array:
            self._v, self._factored = start, factored
            return np.asarray(np.einsum("jd->d", self.scores(at)[1]))

        def opposite(at: Array) -> Array:
            # The mode lies as far on the other side, to the square of the step.
            return gradient(at, 2.0 * v - self._v)

        hessian = differenced(self._problem, gradient, theta, scores.sum(axis=0), opposite)
        self._v, self._factored = v, factored
        return Evaluation(value, scores, hessian)

    def outline(self, theta: Array) -> Array:
        """An approximation of the Hessian that costs less than a gradient, shape (d, d)."""
        found = self._find(theta)
        return outline(self._problem, self._model, found.place, found.mode)

    def _find(self, theta: Array) -> _Found:
        if self._last is not None and np.array_equal(self._last.theta, theta):
            return self._last
        place = _place(self._problem, self._model.rows, self._problem.unpack(theta))
        mode = find_mode(self._model, place, self._v, self._factored)
        if mode.factored is not None and np.isfinite(mode.log_posterior):
            self._v, self._factored = mode.v, mode.factored
        self._last = _Found(theta.copy(), place, mode)
        return self._last

    def _value(self, mode: Mode) -> float:
        if mode.factored is None:
            return float("nan")
        return self._constant + mode.log_posterior - 0.5 * mode.factored.log_det


def _place(problem: CrossedProblem, rows: Rows, parameters: Parameters) -> Place:
    assert problem.structure is not None
    factor = problem.structure.factor(parameters.omega)
    terms = problem.family.terms(rows.y, rows.trials, parameters.phi)
    return Place(
        rows.fixed_part(parameters.beta),
        tuple(factor[part, part] for part in rows.own),
        rows.loadings(factor),
        parameters.phi,
        terms.arguments(rows.y.shape),
    )


def _scores(problem: CrossedProblem, model: Model, top: _ByTop, found: _Found) -> Array:
    """Contributions of the highest level's groups to the gradient, shape (M, d)."""
    rows, system, family = model.rows, model.system, model.family
    place, mode = found.place, found.mode
    assert mode.factored is not None
    # H^-1 L'z of a row in the columns of its own groups, h = z'L H^-1 L'z, c, and L'Z'c.
    by_effect, h, c = np.empty(rows.z.shape), np.empty(rows.n), np.empty(rows.n)
    sums = np.zeros(rows.n_columns)
    inverse = system.invert(mode.factored).flat
    third = family.third(mode.eta, rows.y, rows.trials, place.phi)
    _kernel.spread(model.places, rows.index, place.loadings, inverse, third, by_effect, h, c, sums)
    u = system.solve(mode.factored, sums)
    e, score = np.empty(rows.n), np.empty(rows.n)
    _kernel.by_loading(rows.index, place.loadings, mode.v, u, mode.first, mode.second, c, by_effect, e, score)

    assert problem.structure is not None
    blocks = top.blocks(rows.z, by_effect)
    basis = problem.structure.basis.reshape(problem.n_omega, -1)
    columns = [top.products(score, rows.x), blocks.reshape(len(blocks), -1) @ basis.T]
    if family.n_phi:
        own_phi = family.phi_derivatives(mode.eta, rows.y, rows.trials, place.phi)
        for a in range(family.n_phi):
            by_row = own_phi.score[a] + 0.5 * h * own_phi.curvature[a] + e * own_phi.cross[a]
            columns.append(top.sums(by_row)[:, None])
    return np.concatenate(columns, axis=1)


class _ByTop:
    """Sums of rows within the groups of the highest level.

    Parameters
    ----------
    code : ndarray of int, shape (n,)
        Group by row, 0..size-1.
    size : int
        M, the number of groups.
    own : tuple of slice
        As in `Rows`.
    """

    def __init__(self, code: NDArray[np.intp], size: int, own: tuple[slice, ...]) -> None:
        self._code = code
        self._size = size
        self._own = own

    def sums(self, row: Array) -> Array:
        if self._size == 1:
            return np.array([row.sum()])
        return np.asarray(np.bincount(self._code, row, minlength=self._size), dtype=float)

    def products(self, row: Array, x: Array) -> Array:
        """X'r, shape (M, p)."""
        if self._size == 1:
            return transposed(x, row)[None]
        return np.column_stack([np.zeros((self._size, 0)), *(self.sums(row * c) for c in x.T)])

    def blocks(self, z: Array, values: Array) -> Array:
        """Z'B, shape (M, Q, Q); of several groups, those of its elements that are in a term's own columns."""
        if self._size == 1:
            return gram(z, values)[None]
        found = np.zeros((self._size, z.shape[1], z.shape[1]))
        for part in self._own:
            for a in range(part.start, part.stop):
                for b in range(part.start, part.stop):
                    found[:, a, b] = self.sums(z[:, a] * values[:, b])
        return found


def posterior_mode(
    problem: CrossedProblem, theta: Array
) -> tuple[tuple[Array, ...], list[Array], tuple[Array, ...]]:
    """L, the modes v and the diagonal blocks of H^-1 there, by level.

    Raises
    ------
    numpy.linalg.LinAlgError
        The posterior is not concave at its mode.
    """
    model = model_of(problem)
    rows, system = model.rows, model.system
    place = _place(problem, rows, problem.unpack(theta))
    mode = find_mode(model, place, np.zeros(rows.n_columns), None)
    if mode.factored is None:
        raise np.linalg.LinAlgError("the posterior is not concave")
    return place.factors, rows.by_term(mode.v), system.blocks(system.invert(mode.factored)).own
