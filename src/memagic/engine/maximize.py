"""Newton-Raphson with a modified step, step halving, and the manual's stopping rules.

Source: manual [R] Maximize. Where -H is not positive definite ('not concave') its eigenvalues are
replaced by their sizes, which turns away from saddle points; a step that lowers the log likelihood
is halved ('backed up'). Converged means that the gradient is small on the scale of the Hessian,
g'(-H)^-1 g < nrtolerance, at a concave point, and either the coefficients (tolerance) or the log
likelihood (ltolerance) no longer change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.events import Iteration, Listener
from memagic.engine.objective import Evaluation, Objective

Array = NDArray[np.float64]

__all__ = ["Coordinates", "Maximum", "Stopping", "maximize"]

_MAX_HALVINGS = 40
# After convergence, further steps are taken while they bring the scaled gradient down to this.
_POLISHED = 1e-16
_MAX_POLISHING = 20
# Relative change of the log likelihood that its printed digits show.
_VISIBLE = 1e-8
# Scaled gradient below which a step may be judged by the gradient it leads to.
_NEAR = 0.1
# Steps in a row that had to be halved and brought nothing, after which there is no way on.
_MAX_STALLED = 5
# Eigenvalues of -H scaled to a unit diagonal: below the first the point is not concave, below the
# second in size a direction counts as flat.
_CONCAVE = 1e-12
_LEAST_CURVATURE = 1e-2
_LEAST_ESCAPE = 0.3
# Relative fall of the log likelihood that a step may bring.
_SLACK = 1e-8


@dataclass(frozen=True, slots=True)
class Stopping:
    """When to stop, as the maximize options of the manual say.

    Attributes
    ----------
    iterate : int
        Largest number of iterations.
    tolerance, ltolerance : float
        Relative changes of the coefficients and of the log likelihood.
    nrtolerance : float or None
        Scaled gradient; None where it is not asked for.
    """

    iterate: int = 300
    tolerance: float = 1e-6
    ltolerance: float = 1e-7
    nrtolerance: float | None = 1e-5


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where the maximizer stopped.

    Attributes
    ----------
    theta : ndarray, shape (d,)
    evaluation : Evaluation
        At theta.
    converged : bool
    concave : bool
        Whether -H is positive definite at theta.
    iterations : int
    log : tuple of float
        The log likelihood at each iteration.
    """

    theta: Array
    evaluation: Evaluation
    converged: bool
    concave: bool
    iterations: int
    log: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    direction: Array
    gamma: Array
    concave: bool
    scaled_gradient: float


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Directions of like effect, in which steps are measured and limited.

    Newton's method does not depend on coordinates, but what replaces it where the likelihood is not
    concave does, and so does a sensible length of a step.

    Attributes
    ----------
    directions : ndarray, shape (d, d)
        One a column: theta = directions @ gamma.
    limit : callable
        The largest change of each gamma in one step from a given theta. Away from the maximum the
        likelihood of a variance is far from quadratic: an unlimited step can end where every
        evaluation is slow.
    """

    directions: Array
    limit: Callable[[Array], Array]


def plain_coordinates(d: int) -> Coordinates:
    """The parameters themselves, with steps of any length."""
    return Coordinates(np.eye(d), lambda theta: np.full(d, np.inf))


def maximize(
    objective: Objective,
    start: Array,
    stopping: Stopping,
    listener: Listener,
    coordinates: Coordinates | None = None,
) -> Maximum:
    """Maximize from `start`, telling `listener` of every iteration.

    Parameters
    ----------
    objective : Objective
    start : ndarray, shape (d,)
        Feasible: the log likelihood there is finite.
    stopping : Stopping
    listener : callable
    coordinates : Coordinates, optional
        The parameters themselves if not given.
    """
    if coordinates is None:
        coordinates = plain_coordinates(len(start))
    state = _State(start, objective.evaluate(start), coordinates)
    log = [state.value]
    converged = False
    number = stalled = 0
    listener(Iteration(0, state.value, not_concave=not state.step.concave))
    while number < stopping.iterate and not converged and stalled < _MAX_STALLED:
        trial, backed_up = _search(objective, state)
        number += 1
        change = float(np.max(np.abs(trial.theta - state.theta) / (np.abs(state.theta) + 1.0), initial=0.0))
        gain = abs(trial.value - state.value) / (abs(state.value) + 1.0)
        small = stopping.nrtolerance is None or trial.step.scaled_gradient < stopping.nrtolerance
        settled = change <= stopping.tolerance or gain <= stopping.ltolerance
        converged = trial.step.concave and small and settled
        stalled = stalled + 1 if backed_up and gain <= stopping.ltolerance else 0
        state = trial
        log.append(state.value)
        not_concave = not state.step.concave and not converged
        listener(Iteration(number, state.value, not_concave=not_concave, backed_up=backed_up))
    if converged and number < stopping.iterate:
        state = _polish(objective, state)
        if abs(state.value - log[-1]) > _VISIBLE * (1.0 + abs(log[-1])):
            number += 1
            log.append(state.value)
            listener(Iteration(number, state.value))
    return Maximum(state.theta, state.evaluation, converged, state.step.concave, number, tuple(log))


class _State:
    """A point with its derivatives and the step they ask for."""

    def __init__(self, theta: Array, evaluation: Evaluation, coordinates: Coordinates) -> None:
        self.theta = theta
        self.evaluation = evaluation
        self.coordinates = coordinates
        self.step = _newton_step(evaluation, coordinates)

    @property
    def value(self) -> float:
        return self.evaluation.value


def _newton_step(at: Evaluation, coordinates: Coordinates) -> _Step:
    """(-H)^-1 g; where -H is not positive definite its eigenvalues are replaced by their sizes.

    Done in the given coordinates, scaled so that -H has a unit diagonal. At a saddle point, as where
    a variance of zero is not the maximum, the gradient along a direction of negative curvature may
    vanish: a step of at least `_LEAST_ESCAPE` standard errors is taken along it.
    """
    turn = coordinates.directions
    gradient, information = turn.T @ at.gradient, -turn.T @ at.hessian @ turn
    if len(gradient) == 0:
        return _Step(gradient, gradient, True, 0.0)
    diagonal = np.abs(np.diag(information))
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    along = (gradient * scale) @ vectors
    concave = bool(values[0] > _CONCAVE)
    if concave:
        step = along / values
    else:
        step = along / np.maximum(np.abs(values), _LEAST_CURVATURE)
        escape = (values < -_LEAST_CURVATURE) & (np.abs(step) < _LEAST_ESCAPE)
        step = np.where(escape, np.where(along < 0.0, -_LEAST_ESCAPE, _LEAST_ESCAPE), step)
    gamma = scale * (vectors @ step)
    return _Step(turn @ gamma, gamma, concave, float(along @ step))


def _search(objective: Objective, state: _State) -> tuple[_State, bool]:
    """The first point along the step that is good enough, by halving; and whether it was halved.

    The value must not fall. Close to the maximum, where the gradient is that at held nodes and its
    root need not be where the re-adapted value is largest, a smaller gradient will do instead.
    """
    floor = state.value - _SLACK * (1.0 + abs(state.value))
    direction = state.step.direction
    near = state.step.concave and state.step.scaled_gradient < _NEAR
    with np.errstate(divide="ignore"):
        limit = state.coordinates.limit(state.theta)
        length = min(1.0, float(np.min(limit / np.abs(state.step.gamma), initial=1.0)))
    for halving in range(_MAX_HALVINGS):
        theta = state.theta + length * direction
        # Most full steps are accepted: their derivatives are worth having at once.
        if halving == 0 or _value(objective, theta) >= floor:
            trial = _evaluated(objective, theta, state.coordinates)
            if trial is not None:
                better = trial.step.concave and trial.step.scaled_gradient < state.step.scaled_gradient
                if trial.value >= floor or (near and halving == 0 and better):
                    return trial, halving > 0
        length *= 0.5
    return state, True


def _value(objective: Objective, theta: Array) -> float:
    """The log likelihood, nan where it cannot be computed."""
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return objective.value(theta)
    except np.linalg.LinAlgError:
        return float("nan")


def _evaluated(objective: Objective, theta: Array, coordinates: Coordinates) -> _State | None:
    """The state at theta, None where the log likelihood or a derivative is not finite."""
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            evaluation = objective.evaluate(theta)
    except np.linalg.LinAlgError:
        return None
    if not (np.isfinite(evaluation.value) and np.isfinite(evaluation.hessian).all()):
        return None
    return _State(theta, evaluation, coordinates) if np.isfinite(evaluation.gradient).all() else None


def _polish(objective: Objective, state: _State) -> _State:
    """Full Newton steps after convergence, for as long as each at least halves the gradient."""
    for _ in range(_MAX_POLISHING):
        if state.step.scaled_gradient <= _POLISHED:
            break
        trial = _evaluated(objective, state.theta + state.step.direction, state.coordinates)
        if trial is None or not trial.step.concave:
            break
        if trial.step.scaled_gradient > 0.5 * state.step.scaled_gradient:
            break
        state = trial
    return state
