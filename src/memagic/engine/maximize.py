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

__all__ = ["Maximum", "Stopping", "maximize", "unlimited"]

_MAX_HALVINGS = 40
# Newton's method converges quadratically: from here one more step leaves rounding alone.
_POLISHED = 1e-16
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
    concave: bool
    scaled_gradient: float


def unlimited(theta: Array) -> Array:
    """Steps of any length."""
    return np.full(theta.shape, np.inf)


def maximize(
    objective: Objective,
    start: Array,
    stopping: Stopping,
    listener: Listener,
    limit: Callable[[Array], Array] = unlimited,
) -> Maximum:
    """Maximize from `start`, telling `listener` of every iteration.

    Parameters
    ----------
    objective : Objective
    start : ndarray, shape (d,)
        Feasible: the log likelihood there is finite.
    stopping : Stopping
    listener : callable
    limit : callable
        The largest change of each parameter in one step from a given theta. Away from the maximum
        the likelihood of a variance is far from quadratic: an unlimited step can end where every
        evaluation is slow.
    """
    theta, current = start, objective.evaluate(start)
    log = [current.value]
    step = _newton_step(current)
    converged = False
    number = 0
    listener(Iteration(0, current.value, not_concave=not step.concave))
    while number < stopping.iterate and not converged:
        trial_theta, trial, backed_up = _search(objective, theta, current, step, limit(theta))
        number += 1
        next_step = _newton_step(trial)
        change = float(np.max(np.abs(trial_theta - theta) / (np.abs(theta) + 1.0), initial=0.0))
        gain = abs(trial.value - current.value) / (abs(current.value) + 1.0)
        small_gradient = stopping.nrtolerance is None or next_step.scaled_gradient < stopping.nrtolerance
        settled = change <= stopping.tolerance or gain <= stopping.ltolerance
        converged = next_step.concave and small_gradient and settled
        theta, current, step = trial_theta, trial, next_step
        log.append(current.value)
        listener(
            Iteration(
                number, current.value, not_concave=not step.concave and not converged, backed_up=backed_up
            )
        )
        if backed_up and gain == 0.0 and change == 0.0:
            break
    if converged and step.scaled_gradient > _POLISHED:
        theta, current = _polish(objective, theta, current, step)
    return Maximum(theta, current, converged, step.concave, number, tuple(log))


def _newton_step(at: Evaluation) -> _Step:
    """(-H)^-1 g; where -H is not positive definite its eigenvalues are replaced by their sizes.

    Done on the scale on which -H has a unit diagonal. At a saddle point, as where a variance of
    zero is not the maximum, the gradient along a direction of negative curvature may vanish: a step
    of at least `_LEAST_ESCAPE` standard errors is taken along it.
    """
    gradient, information = at.gradient, -at.hessian
    if len(gradient) == 0:
        return _Step(gradient, True, 0.0)
    diagonal = np.abs(np.diag(information))
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    along = (gradient * scale) @ vectors
    if values[0] > _CONCAVE:
        step = along / values
        return _Step(scale * (vectors @ step), True, float(along @ step))
    step = along / np.maximum(np.abs(values), _LEAST_CURVATURE)
    escape = (values < -_LEAST_CURVATURE) & (np.abs(step) < _LEAST_ESCAPE)
    step = np.where(escape, np.where(along < 0.0, -_LEAST_ESCAPE, _LEAST_ESCAPE), step)
    return _Step(scale * (vectors @ step), False, float(along @ step))


def _search(
    objective: Objective, theta: Array, current: Evaluation, step: _Step, limit: Array
) -> tuple[Array, Evaluation, bool]:
    """The first point along the step that does not lower the log likelihood, by halving."""
    # Held nodes give the root of the gradient at re-adapted nodes, where the value may lie a trifle
    # below its maximum: that much is no reason to back up.
    floor = current.value - _SLACK * (1.0 + abs(current.value))
    with np.errstate(divide="ignore"):
        length = min(1.0, float(np.min(limit / np.abs(step.direction), initial=1.0)))
    for halving in range(_MAX_HALVINGS):
        trial_theta = theta + length * step.direction
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            # Most full steps are accepted: their derivatives are worth having at once.
            if halving == 0 or objective.value(trial_theta) >= floor:
                trial = objective.evaluate(trial_theta)
                if trial.value >= floor and np.isfinite(trial.hessian).all() and np.isfinite(trial.value):
                    return trial_theta, trial, halving > 0
        length *= 0.5
    return theta, current, True


def _polish(objective: Objective, theta: Array, current: Evaluation, step: _Step) -> tuple[Array, Evaluation]:
    """One more full Newton step after convergence, kept if the gradient is smaller there."""
    trial_theta = theta + step.direction
    trial = objective.evaluate(trial_theta)
    if np.isfinite(trial.value) and _newton_step(trial).scaled_gradient < step.scaled_gradient:
        return trial_theta, trial
    return theta, current
