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

from memagic.engine.crossed.difference import differenced
from memagic.engine.crossed.modes import Mode, Place, find_mode
from memagic.engine.crossed.outline import outline
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.products import transposed
from memagic.engine.crossed.rows import Curvature, Rows
from memagic.engine.crossed.system import Factored, System
from memagic.engine.objective import Evaluation
from memagic.engine.problem import Parameters

Array = NDArray[np.float64]

__all__ = ["CrossedLaplace", "posterior_mode"]


class CrossedLaplace:
    """The Laplacian approximation over theta = (beta, omega, phi).

    Each evaluation starts from the modes of the last one.
    """

    def __init__(self, problem: CrossedProblem) -> None:
        self._problem = problem
        self._rows = Rows(problem)
        self._system = System(self._rows)
        self._constant = float(problem.family.constant(problem.y, problem.trials).sum())
        self._v = [np.zeros((term.size, term.q)) for term in self._rows.terms]
        self._factored: Factored | None = None
        self._last: tuple[Array, Mode] | None = None
        self._last_scores: tuple[Mode, Array] | None = None

    def value(self, theta: Array) -> float:
        return self._value(self._find(theta))

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The log likelihood, less the constant, as one cluster's; there are no nodes to be held."""
        return lambda theta: np.array([self._value(self._find(theta)) - self._constant])

    def scores(self, theta: Array) -> tuple[float, Array]:
        """The log likelihood and the contributions of the highest level's groups to its gradient.

        Raises
        ------
        numpy.linalg.LinAlgError
            The posterior is not concave at its mode.
        """
        mode = self._find(theta)
        if mode.factored is None:
            raise np.linalg.LinAlgError("the posterior is not concave")
        if self._last_scores is None or self._last_scores[0] is not mode:
            inverse = self._system.invert(mode.factored)
            scores = _scores(self._problem, self._rows, self._system, theta, mode, inverse)
            self._last_scores = mode, scores
        return self._value(mode), self._last_scores[1]

    def evaluate(self, theta: Array) -> Evaluation:
        value, scores = self.scores(theta)
        centre = self._v, self._factored

        def gradient(theta: Array) -> Array:
            self._v, self._factored = centre
            return np.asarray(self.scores(theta)[1].sum(axis=0))

        hessian = differenced(self._problem, gradient, theta, scores.sum(axis=0))
        self._v, self._factored = centre
        return Evaluation(value, scores, hessian)

    def outline(self, theta: Array) -> Array:
        """An approximation of the Hessian that costs less than a gradient, shape (d, d)."""
        mode = self._find(theta)
        return outline(self._problem, self._rows, self._system, self._problem.unpack(theta), mode)

    def _find(self, theta: Array) -> Mode:
        if self._last is not None and np.array_equal(self._last[0], theta):
            return self._last[1]
        parameters = self._problem.unpack(theta)
        place = _place(self._problem, self._rows, parameters)
        mode = find_mode(self._rows, self._system, self._problem.family, place, self._v, self._factored)
        if mode.factored is not None and np.isfinite(mode.log_posterior):
            self._v, self._factored = mode.v, mode.factored
        self._last = theta.copy(), mode
        return mode

    def _value(self, mode: Mode) -> float:
        if mode.factored is None:
            return float("nan")
        return self._constant + mode.log_posterior - 0.5 * mode.factored.log_det


def _place(problem: CrossedProblem, rows: Rows, parameters: Parameters) -> Place:
    return Place(rows.fixed_part(parameters.beta), _factors(problem, parameters.omega), parameters.phi)


def _factors(problem: CrossedProblem, omega: Array) -> tuple[Array, ...]:
    """L by term."""
    found, first = [], 0
    for level in problem.levels:
        m = level.structure.size
        found.append(level.structure.factor(omega[first : first + m]))
        first += m
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Spread:
    """What the inverse of H says of a row.

    Attributes
    ----------
    h : ndarray, shape (n,)
        z'L H^-1 L'z.
    by_term : tuple of ndarray, each shape (n, q_t)
        H^-1 L'z of the row's own group.
    """

    h: Array
    by_term: tuple[Array, ...]


def _spread(rows: Rows, factors: tuple[Array, ...], inverse: Curvature) -> _Spread:
    scaled = [_row_factors(term.z, f, rows.n) for term, f in zip(rows.terms, factors, strict=True)]
    by_term = [
        _apply(block, term.code, z) for block, term, z in zip(inverse.own, rows.terms, scaled, strict=True)
    ]
    for (t, u), block in inverse.shared.items():
        of_row = rows.links[t, u].of_row
        by_term[t] += _apply(block, of_row, scaled[u])
        by_term[u] += _apply(block.transpose(0, 2, 1), of_row, scaled[t])
    h = np.zeros(rows.n)
    for z, k in zip(scaled, by_term, strict=True):
        h += z[:, 0] * k[:, 0] if z.shape[1] == 1 else np.einsum("na,na->n", z, k)
    return _Spread(h, tuple(by_term))


def _row_factors(z: tuple[Array | None, ...], factor: Array, n: int) -> Array:
    """L'z of every row, shape (n, q); one row for all where Z is an intercept."""
    if len(z) == 1 and z[0] is None:
        return np.broadcast_to(factor[0], (n, 1))
    columns = np.column_stack([np.ones(n) if column is None else column for column in z])
    return np.asarray(columns @ factor)


def _apply(blocks: Array, of_row: NDArray[np.intp], z: Array) -> Array:
    """Block times z by row, shape (n, a)."""
    if blocks.shape[1:] == (1, 1):
        return np.asarray(np.take(blocks[:, 0, 0], of_row)[:, None] * z)
    return np.asarray(np.einsum("nab,nb->na", blocks[of_row], z))


def _scores(
    problem: CrossedProblem, rows: Rows, system: System, theta: Array, mode: Mode, inverse: Curvature
) -> Array:
    """Contributions of the highest level's groups to the gradient, shape (M, d)."""
    family, parameters = problem.family, problem.unpack(theta)
    factors = _factors(problem, parameters.omega)
    spread = _spread(rows, factors, inverse)
    c = 0.5 * spread.h * family.third(mode.eta, rows.y, rows.trials, parameters.phi)
    assert mode.factored is not None
    rhs = [s @ f for s, f in zip(rows.sums(c), factors, strict=True)]
    u = system.solve(mode.factored, rhs)
    e = rows.along([values @ f.T for values, f in zip(u, factors, strict=True)])
    row_score = mode.first + c + mode.second * e

    total = _ByTop(rows.top, problem.n_clusters)
    columns = [total.products(row_score, rows.x)]
    for t, (level, term) in enumerate(zip(problem.levels, rows.terms, strict=True)):
        q = term.q
        core = np.empty((problem.n_clusters, q, q))
        for b in range(q):
            own = row_score * np.take(mode.v[t][:, b], term.code)
            own += mode.first * np.take(u[t][:, b], term.code)
            own += mode.second * spread.by_term[t][:, b]
            for a, z in enumerate(term.z):
                core[:, a, b] = total.sums(own if z is None else own * z)
        columns.append(np.einsum("wab,jab->jw", level.structure.basis, core))
    if family.n_phi:
        own_phi = family.phi_derivatives(mode.eta, rows.y, rows.trials, parameters.phi)
        for a in range(family.n_phi):
            by_row = own_phi.score[a] + 0.5 * spread.h * own_phi.curvature[a] + e * own_phi.cross[a]
            columns.append(total.sums(by_row)[:, None])
    return np.concatenate(columns, axis=1)


class _ByTop:
    """Sums of rows within the groups of the highest level."""

    def __init__(self, code: NDArray[np.intp], size: int) -> None:
        self._code = code
        self._size = size

    def sums(self, row: Array) -> Array:
        if self._size == 1:
            return np.array([row.sum()])
        return np.asarray(np.bincount(self._code, row, minlength=self._size), dtype=float)

    def products(self, row: Array, x: Array) -> Array:
        """X'r, shape (M, p)."""
        if self._size == 1:
            return transposed(x, row)[None]
        return np.column_stack([np.zeros((self._size, 0)), *(self.sums(row * c) for c in x.T)])


def posterior_mode(
    problem: CrossedProblem, theta: Array
) -> tuple[tuple[Array, ...], list[Array], tuple[Array, ...]]:
    """L, the modes v and the diagonal blocks of H^-1 there, by level.

    Raises
    ------
    numpy.linalg.LinAlgError
        The posterior is not concave at its mode.
    """
    rows = Rows(problem)
    system = System(rows)
    parameters = problem.unpack(theta)
    place = _place(problem, rows, parameters)
    start = [np.zeros((term.size, term.q)) for term in rows.terms]
    mode = find_mode(rows, system, problem.family, place, start, None)
    if mode.factored is None:
        raise np.linalg.LinAlgError("the posterior is not concave")
    return place.factors, mode.v, system.invert(mode.factored).own
