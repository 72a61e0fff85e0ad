"""Iterations of Newton-Raphson or another technique, step halving, and the manual's stopping rules.

Source: manual [R] Maximize. A step that lowers the log likelihood is halved ('backed up'). Converged
means that the gradient is small on the scale of the Hessian, g'(-H)^-1 g < nrtolerance, at a concave
point, and either the coefficients (tolerance) or the log likelihood (ltolerance) no longer change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.events import Detail, Iteration, Listener, TechniqueSet
from memagic.engine.objective import Derivatives, NotFeasible, Objective
from memagic.engine.steps import Coordinates, NewtonStep, Search, Steps, newton_step, plain_coordinates

Array = NDArray[np.float64]

__all__ = ["Coordinates", "Maximum", "Search", "StoppedMaximum", "Stopping", "maximize"]

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
    evaluation : Derivatives
        At theta.
    converged : bool
    concave : bool
        Whether -H is positive definite at theta.
    iterations : int
    log : tuple of float
        The log likelihood at each iteration.
    """

    theta: Array
    evaluation: Derivatives
    converged: bool
    concave: bool
    iterations: int
    log: tuple[float, ...]


class StoppedMaximum(KeyboardInterrupt):
    """The user interrupted the maximization; `so_far` is where it stood."""

    def __init__(self, so_far: Maximum) -> None:
        super().__init__()
        self.so_far = so_far


def maximize(
    objective: Objective,
    start: Array,
    stopping: Stopping,
    listener: Listener,
    coordinates: Coordinates | None = None,
    search: Search | None = None,
    polished: float = _POLISHED,
) -> Maximum:
    """Maximize from `start`, telling `listener` of every iteration.

    Whatever the technique, convergence is judged with the Hessian, and at the end Newton's steps
    polish the estimates.

    Parameters
    ----------
    objective : Objective
    start : ndarray, shape (d,)
        Feasible: the log likelihood there is finite.
    stopping : Stopping
    listener : callable
    coordinates : Coordinates, optional
        The parameters themselves if not given.
    search : Search, optional
        Newton-Raphson if not given.
    polished : float
        After convergence, further steps are taken while they bring the scaled gradient down to this.

    Raises
    ------
    NotFeasible
        A derivative at the start is not finite.
    StoppedMaximum
        On a keyboard interrupt, once there is an iteration.
    """
    if coordinates is None:
        coordinates = plain_coordinates(len(start))
    if search is None:
        search = Search()
    steps = Steps(search, coordinates)
    points = _Points(objective, coordinates, search.difficult)
    state = points.first(start)
    log = [state.value]
    converged = False
    number = stalled = 0
    technique = steps.technique(0)
    if len(search.techniques) > 1:
        listener(TechniqueSet(technique, first=True))
    try:
        listener(Iteration(0, state.value, not_concave=not state.step.concave, detail=state.detail()))
        while number < stopping.iterate and not converged and stalled < _MAX_STALLED:
            if steps.technique(number) != technique:
                technique = steps.technique(number)
                listener(TechniqueSet(technique, first=False))
            gamma = steps.gamma(technique, state.theta, state.evaluation, state.step)
            trial, trials = points.search(state, gamma)
            backed_up = len(trials) > 1
            number += 1
            change = float(
                np.max(np.abs(trial.theta - state.theta) / (np.abs(state.theta) + 1.0), initial=0.0)
            )
            gain = abs(trial.value - state.value) / (abs(state.value) + 1.0)
            small = stopping.nrtolerance is None or trial.step.scaled_gradient < stopping.nrtolerance
            settled = change <= stopping.tolerance or gain <= stopping.ltolerance
            converged = trial.step.concave and small and settled
            stalled = stalled + 1 if backed_up and gain <= stopping.ltolerance else 0
            state = trial
            log.append(state.value)
            not_concave = not state.step.concave and not converged
            detail = state.detail(change, gain, trials)
            listener(
                Iteration(number, state.value, not_concave=not_concave, backed_up=backed_up, detail=detail)
            )
        if converged and number < stopping.iterate:
            state = points.polish(state, polished)
            if abs(state.value - log[-1]) > _VISIBLE * (1.0 + abs(log[-1])):
                number += 1
                log.append(state.value)
                listener(Iteration(number, state.value, detail=state.detail()))
    except KeyboardInterrupt:
        stopped = Maximum(state.theta, state.evaluation, False, state.step.concave, len(log) - 1, tuple(log))
        raise StoppedMaximum(stopped) from None
    return Maximum(state.theta, state.evaluation, converged, state.step.concave, number, tuple(log))


@dataclass(frozen=True, slots=True)
class _State:
    """A point with its derivatives and Newton's step from it."""

    theta: Array
    evaluation: Derivatives
    step: NewtonStep

    @property
    def value(self) -> float:
        return self.evaluation.value

    def detail(
        self,
        change: float = float("nan"),
        gain: float = float("nan"),
        trials: tuple[tuple[float, float], ...] = (),
    ) -> Detail:
        at = self.evaluation
        return Detail(self.theta, at.gradient, at.hessian, self.step.scaled_gradient, change, gain, trials)


class _Points:
    """Where the objective is evaluated, on the way along a step."""

    def __init__(self, objective: Objective, coordinates: Coordinates, difficult: bool) -> None:
        self._objective = objective
        self._coordinates = coordinates
        self._difficult = difficult

    def first(self, theta: Array) -> _State:
        state = self._evaluated(theta)
        if state is None:
            raise NotFeasible
        return state

    def search(self, state: _State, gamma: Array) -> tuple[_State, tuple[tuple[float, float], ...]]:
        """The first point along the step that is good enough, by halving; and what was tried.

        The value must not fall. Close to the maximum, where the gradient is that at held nodes and
        its root need not be where the re-adapted value is largest, a smaller gradient will do instead.
        """
        floor = state.value - _SLACK * (1.0 + abs(state.value))
        direction = self._coordinates.directions @ gamma
        near = state.step.concave and state.step.scaled_gradient < _NEAR
        with np.errstate(divide="ignore", invalid="ignore"):
            limit = self._coordinates.limit(state.theta)
            length = min(1.0, float(np.fmin.reduce(limit / np.abs(gamma), initial=1.0)))
        trials: list[tuple[float, float]] = []
        for halving in range(_MAX_HALVINGS):
            theta = state.theta + length * direction
            # Most full steps are accepted: their derivatives are worth having at once.
            trial = self._evaluated(theta) if halving == 0 else None
            value = self._value(theta) if trial is None else trial.value
            trials.append((length, value))
            if trial is None and value >= floor and halving > 0:
                trial = self._evaluated(theta)
            if trial is not None:
                better = trial.step.concave and trial.step.scaled_gradient < state.step.scaled_gradient
                if trial.value >= floor or (near and halving == 0 and better):
                    return trial, tuple(trials)
            length *= 0.5
        return state, tuple(trials)

    def polish(self, state: _State, polished: float) -> _State:
        """Full Newton steps after convergence, for as long as each at least halves the gradient."""
        for _ in range(_MAX_POLISHING):
            if state.step.scaled_gradient <= polished:
                break
            trial = self._evaluated(state.theta + state.step.direction)
            if trial is None or not trial.step.concave:
                break
            if trial.step.scaled_gradient > 0.5 * state.step.scaled_gradient:
                break
            state = trial
        return state

    def _value(self, theta: Array) -> float:
        """The log likelihood, nan where it cannot be computed."""
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                return self._objective.value(theta)
        except (np.linalg.LinAlgError, OverflowError):
            return float("nan")

    def _evaluated(self, theta: Array) -> _State | None:
        """The state at theta, None where the log likelihood or a derivative is not finite."""
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                evaluation = self._objective.evaluate(theta)
        except (np.linalg.LinAlgError, OverflowError):
            return None
        if not (np.isfinite(evaluation.value) and np.isfinite(evaluation.hessian).all()):
            return None
        if not np.isfinite(evaluation.gradient).all():
            return None
        try:
            return self._state(theta, evaluation)
        except np.linalg.LinAlgError:
            return None

    def _state(self, theta: Array, evaluation: Derivatives) -> _State:
        return _State(theta, evaluation, newton_step(evaluation, self._coordinates, self._difficult))
