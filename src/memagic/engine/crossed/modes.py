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

from memagic.engine.crossed.products import dot
from memagic.engine.crossed.rows import Curvature, Rows
from memagic.engine.crossed.system import Factored, System
from memagic.engine.families import Family

Array = NDArray[np.float64]

__all__ = ["Mode", "Place", "find_mode", "scaled"]

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
    phi : ndarray, shape (n_phi,)
    """

    fixed: Array
    factors: tuple[Array, ...]
    phi: Array


@dataclass(frozen=True, slots=True)
class _Point:
    """The posterior at values of v, with derivatives by row."""

    v: list[Array]
    log_posterior: float
    eta: Array
    first: Array
    second: Array


@dataclass(frozen=True, slots=True)
class Mode:
    """The mode of h(v) = log f(y | v) - v'v/2, and the system there.

    Attributes
    ----------
    v : list of ndarray, each shape (M_t, q_t)
    log_posterior : float
        h at the mode, less the family's constant.
    eta, first, second : ndarray, shape (n,)
        Linear predictors, and derivatives of log f in them.
    factored : Factored or None
        Of -d^2 h / dv dv'; None where that is not positive definite.
    """

    v: list[Array]
    log_posterior: float
    eta: Array
    first: Array
    second: Array
    factored: Factored | None


def scaled(curvature: Curvature, factors: tuple[Array, ...]) -> Curvature:
    """L'KL."""
    own = tuple(_sandwich(f, block, f) for f, block in zip(factors, curvature.own, strict=True))
    shared = {(t, u): _sandwich(factors[t], b, factors[u]) for (t, u), b in curvature.shared.items()}
    return Curvature(own, shared)


def find_mode(
    rows: Rows, system: System, family: Family, place: Place, start: list[Array], factored: Factored | None
) -> Mode:
    """Climb from `start`, at first with a factorization of nearby parameters if there is one."""
    point = _point(rows, family, place, start)
    fresh = False
    before = np.inf
    for _ in range(_MAX_STEPS):
        if factored is None:
            factored, fresh, before = _factor_anyhow(rows, system, place, point), True, np.inf
        slope = _slope(rows, place, point)
        step = system.solve(factored, slope)
        gain = 0.5 * sum(dot(a, b) for a, b in zip(slope, step, strict=True))
        if not gain >= _ENOUGH:
            break
        if gain > _SLOW * before and not fresh:
            if gain < _ROUNDING and gain > 0.1 * before:
                break
            factored = None
            continue
        trial = _point(rows, family, place, [v + s for v, s in zip(point.v, step, strict=True)])
        slack = 1e-13 * abs(point.log_posterior) + 1e-13
        if not trial.log_posterior >= point.log_posterior - slack:
            if not fresh:
                factored = None
                continue
            shorter = _halved(rows, family, place, point, step, slack)
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
        final = system.factor(scaled(rows.curvature(-point.second), place.factors))
    except np.linalg.LinAlgError:
        final = None
    return Mode(point.v, point.log_posterior, point.eta, point.first, point.second, final)


def _factor_anyhow(rows: Rows, system: System, place: Place, point: _Point) -> Factored:
    """The factored system; where log f is not concave, without rows that curve the wrong way."""
    try:
        return system.factor(scaled(rows.curvature(-point.second), place.factors))
    except np.linalg.LinAlgError:
        bounded = np.maximum(-point.second, 0.0)
        return system.factor(scaled(rows.curvature(bounded), place.factors))


def _point(rows: Rows, family: Family, place: Place, v: list[Array]) -> _Point:
    eta = rows.along([values @ f.T for values, f in zip(v, place.factors, strict=True)])
    eta += place.fixed
    logf, first, second = family.derivatives(eta, rows.y, rows.trials, place.phi)
    log_posterior = float(logf.sum()) - 0.5 * sum(dot(a, a) for a in v)
    return _Point(v, log_posterior, eta, first, second)


def _slope(rows: Rows, place: Place, point: _Point) -> list[Array]:
    """Dh/dv."""
    sums = rows.sums(point.first)
    return [s @ f - v for s, f, v in zip(sums, place.factors, point.v, strict=True)]


def _halved(
    rows: Rows, family: Family, place: Place, point: _Point, step: list[Array], slack: float
) -> _Point | None:
    """The first point on the way that is not worse; None where there is no way up."""
    length = 1.0
    for _ in range(_MAX_HALVINGS):
        length *= 0.5
        trial = _point(rows, family, place, [v + length * s for v, s in zip(point.v, step, strict=True)])
        if trial.log_posterior >= point.log_posterior - slack:
            return trial
    return None


def _sandwich(left: Array, block: Array, right: Array) -> Array:
    if left.size == 1 and right.size == 1:
        return np.asarray(block * (left[0, 0] * right[0, 0]))
    return np.asarray(left.T @ block @ right)
