"""Posterior modes of crossed effects by Newton's method, with factorizations used as long as they serve.

A step with the factorization of a nearby point costs a pass over the rows and a solve; it brings the
mode closer by a factor of the order of the distance. A new factorization is made when a step brought
too little.

Source: manual [ME] meglm, Methods and formulas, 'Laplacian approximation'; for the steps, Ortega and
Rheinboldt (1970), Iterative Solution of Nonlinear Equations in Several Variables, 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine import _kernel
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.products import dot
from memagic.engine.crossed.rows import Rows
from memagic.engine.crossed.system import Factored, System
from memagic.engine.families import Family

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Mode", "Model", "Place", "find_mode", "model_of"]

_MAX_STEPS = 200
_MAX_HALVINGS = 30
# Half the squared distance to the mode, in posterior standard deviations of all effects: what is left
# below it is rounding.
_ENOUGH = 1e-24
# A step that leaves more of that than this share calls for a new factorization.
_SLOW = 1e-3
# Below this distance no progress means that rounding has been reached.
_ROUNDING = 1e-15


@dataclass(frozen=True, slots=True)
class Place:
    """The parameters as far as modes depend on them.

    Attributes
    ----------
    fixed : ndarray, shape (n,)
        X beta + offset.
    factors : tuple of ndarray, each shape (q_t, q_t)
        L by term.
    loadings : ndarray, shape (n, Q)
        The rows of A = ZL.
    phi : ndarray, shape (n_phi,)
    density : tuple
        `Terms.arguments` of log f.
    """

    fixed: Array
    factors: tuple[Array, ...]
    loadings: Array
    phi: Array
    density: tuple[int, Array, Array]


@dataclass(frozen=True, slots=True)
class _Point:
    """The posterior at values of v, with derivatives by row, and its slope in v."""

    v: Array
    log_posterior: float
    eta: Array
    first: Array
    second: Array
    slope: Array


@dataclass(frozen=True, slots=True)
class Mode:
    """The mode of h(v) = log f(y | v) - v'v/2, and the system there.

    Attributes
    ----------
    v : ndarray, shape (N,)
    log_posterior : float
        h at the mode, less the family's constant.
    eta, first, second : ndarray, shape (n,)
        Linear predictors, and derivatives of log f in them.
    factored : Factored or None
        Of -d^2 h / dv dv'; None where that is not positive definite.
    """

    v: Array
    log_posterior: float
    eta: Array
    first: Array
    second: Array
    factored: Factored | None


@dataclass(frozen=True, slots=True)
class Model:
    """Rows with their places in the system.

    Attributes
    ----------
    places : ndarray of int
        As in `System.row_places`.
    """

    rows: Rows
    system: System
    family: Family
    places: Index


def model_of(problem: CrossedProblem) -> Model:
    """The rows of a problem and their system."""
    rows = Rows(problem)
    system = System(rows)
    return Model(rows, system, problem.family, system.row_places(rows))


def find_mode(model: Model, place: Place, start: Array, factored: Factored | None) -> Mode:
    """Climb from `start`, at first with a factorization of nearby parameters if there is one."""
    rows, system = model.rows, model.system
    point = _point(rows, place, start)
    fresh = False
    before = np.inf
    for _ in range(_MAX_STEPS):
        if factored is None:
            factored, fresh, before = _factor_anyhow(model, place, point), True, np.inf
        step = system.solve(factored, point.slope)
        gain = 0.5 * dot(point.slope, step)
        if not gain >= _ENOUGH:
            break
        if gain > _SLOW * before and not fresh:
            if gain < _ROUNDING and gain > 0.1 * before:
                break
            factored = None
            continue
        trial = _point(rows, place, point.v + step)
        slack = 1e-13 * abs(point.log_posterior) + 1e-13
        if not trial.log_posterior >= point.log_posterior - slack:
            if not fresh:
                factored = None
                continue
            shorter = _halved(rows, place, point, step, slack)
            if shorter is None:
                break
            trial, gain = shorter, np.inf
        # The share that the step has left is known after the next one only: for a new factorization it
        # is taken for the square of the distance.
        left = gain * min(1.0, gain if before == np.inf else gain / before)
        point, before, fresh = trial, gain, False
        if left < _ENOUGH:
            break
    try:
        final = system.factor_weighted(model.places, place.loadings, -point.second)
    except np.linalg.LinAlgError:
        final = None
    return Mode(point.v, point.log_posterior, point.eta, point.first, point.second, final)


def _factor_anyhow(model: Model, place: Place, point: _Point) -> Factored:
    """The factored system; where log f is not concave, without rows that curve the wrong way."""
    try:
        return model.system.factor_weighted(model.places, place.loadings, -point.second)
    except np.linalg.LinAlgError:
        bounded = np.maximum(-point.second, 0.0)
        return model.system.factor_weighted(model.places, place.loadings, bounded)


def _point(rows: Rows, place: Place, v: Array) -> _Point:
    eta, first, second = np.empty(rows.n), np.empty(rows.n), np.empty(rows.n)
    slope = np.zeros(rows.n_columns)
    log_posterior = _kernel.posterior(
        *place.density, rows.index, place.loadings, place.fixed, v, eta, first, second, slope
    )
    return _Point(v, log_posterior, eta, first, second, slope)


def _halved(rows: Rows, place: Place, point: _Point, step: Array, slack: float) -> _Point | None:
    """The first point on the way that is not worse; None where there is no way up."""
    length = 1.0
    for _ in range(_MAX_HALVINGS):
        length *= 0.5
        trial = _point(rows, place, point.v + length * step)
        if trial.log_posterior >= point.log_posterior - slack:
            return trial
    return None
