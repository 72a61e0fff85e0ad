"""Newton-Raphson with a modified Marquardt step, step halving, and the manual's stopping rules.

Source: manual [R] Maximize. Where -H is not positive definite its diagonal is inflated until it is
('not concave'); a step that lowers the log likelihood is halved ('backed up'). Converged means that
the gradient is small on the scale of the Hessian, g'(-H)^-1 g < nrtolerance, at a concave point, and
either the coefficients (tolerance) or the log likelihood (ltolerance) no longer change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from memagic.engine.events import Iteration, Listener
from memagic.engine.objective import Evaluation, Objective

Array = NDArray[np.float64]

__all__ = ["Maximum", "Stopping", "maximize"]

_MAX_HALVINGS = 40
# Newton's method converges quadratically: from here one more step leaves rounding alone.
_POLISHED = 1e-16
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


def maximize(objective: Objective, start: Array, stopping: Stopping, listener: Listener) -> Maximum:
    """Maximize from `start`, telling `listener` of every iteration.

    Parameters
    ----------
    objective : Objective
    start : ndarray, shape (d,)
        Feasible: the log likelihood there is finite.
    stopping : Stopping
    listener : callable
    """
    theta, current = start, objective.evaluate(start)
    log = [current.value]
    step = _newton_step(current)
    converged = False
    number = 0
    listener(Iteration(0, current.value, not_concave=not step.concave))
    while number < stopping.iterate and not converged:
        trial_theta, trial, backed_up = _search(objective, theta, current, step)
        number += 1
        next_step = _newton_step(trial)
        change = float(np.max(np.abs(trial_theta - theta) / (np.abs(theta) + 1.0), initial=0.0))
        gain = abs(trial.value - current.value) / (abs(current.value) + 1.0)
        small_gradient = (
            stopping.nrtolerance is None or next_step.scaled_gradient < stopping.nrtolerance
        )
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
    """(-H)^-1 g, with the diagonal of -H inflated where that is not positive definite."""
    gradient, information = at.gradient, -at.hessian
    if len(gradient) == 0:
        return _Step(gradient, True, 0.0)
    diagonal = np.abs(np.diag(information))
    diagonal = np.maximum(diagonal, 1e-10 * diagonal.max(initial=1e-300))
    scale = 1.0 / np.sqrt(diagonal)
    correlation = information * np.outer(scale, scale)
    scaled = gradient * scale
    lift = 0.0
    if not np.isfinite(correlation).all():
        return _Step(scale * scaled, False, np.inf)
    least = float(np.linalg.eigvalsh(correlation)[0])
    concave = least > 1e-12
    if not concave:
        lift = max(-1.1 * least, 0.0) + 1e-3
    try:
        solved = cho_solve(cho_factor(correlation + lift * np.eye(len(scale))), scaled)
    except LinAlgError:
        return _Step(scale * scaled, False, np.inf)
    return _Step(scale * solved, concave, abs(float(scaled @ solved)))


def _search(
    objective: Objective, theta: Array, current: Evaluation, step: _Step
) -> tuple[Array, Evaluation, bool]:
    """The first point along the step that does not lower the log likelihood, by halving."""
    # Held nodes give the root of the gradient at re-adapted nodes, where the value may lie a trifle
    # below its maximum: that much is no reason to back up.
    floor = current.value - _SLACK * (1.0 + abs(current.value))
    length = 1.0
    for halving in range(_MAX_HALVINGS):
        trial_theta = theta + length * step.direction
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value = objective.value(trial_theta)
            if np.isfinite(value) and value >= floor:
                trial = objective.evaluate(trial_theta)
                if np.isfinite(trial.hessian).all() and np.isfinite(trial.scores).all():
                    return trial_theta, trial, halving > 0
        length *= 0.5
    return theta, current, True


def _polish(
    objective: Objective, theta: Array, current: Evaluation, step: _Step
) -> tuple[Array, Evaluation]:
    """One more full Newton step after convergence, kept if the gradient is smaller there."""
    trial_theta = theta + step.direction
    trial = objective.evaluate(trial_theta)
    if np.isfinite(trial.value) and _newton_step(trial).scaled_gradient < step.scaled_gradient:
        return trial_theta, trial
    return theta, current
