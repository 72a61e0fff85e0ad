"""Maximization with a Hessian learnt from gradients, where the exact one takes many of them.

At each point an outline of the Hessian, cheap and roughly right, is corrected by what the gradients of
the points before have told (BFGS). At the end the exact Hessian judges; where it disagrees, Newton's
method goes on with it.

Source: Nocedal and Wright (2006), Numerical Optimization, 6.1 and 7.2.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from memagic.engine.events import Event, Iteration, Listener
from memagic.engine.maximize import Maximum, Search, StoppedMaximum, Stopping, maximize
from memagic.engine.objective import Evaluation, Objective
from memagic.engine.space import Space
from memagic.engine.steps import newton_step

Array = NDArray[np.float64]

# The outline follows the first points; after those, which are the far ones, it stays.
_OUTLINES = 4
# Cosine between the changes of parameters and gradient below which nothing is learnt from them.
_LEAST_COSINE = 1e-8
# Scaled gradient at which secants leave the last step to the exact Hessian, which takes it without a
# look: it is a share of 3e-6 of the standard errors, and what it leaves is the square of that.
_POLISHED = 1e-11
_SETTLED = 1e-9

__all__ = ["Outlined", "OutlinedObjective", "maximize_outlined"]


class OutlinedObjective(Protocol):
    """A log likelihood whose gradient is much cheaper than its Hessian."""

    def value(self, theta: Array) -> float:
        """The log likelihood."""

    def scores(self, theta: Array) -> tuple[float, Array]:
        """The log likelihood and the clusters' contributions to its gradient, shape (M, d)."""

    def outline(self, theta: Array) -> Array:
        """Roughly the Hessian, negative definite, shape (d, d)."""

    def evaluate(self, theta: Array) -> Evaluation:
        """With the exact Hessian."""


class Outlined:
    """The log likelihood with its Hessian by outline and secants."""

    def __init__(self, objective: OutlinedObjective) -> None:
        self._objective = objective
        self._points: list[tuple[Array, Array]] = []
        self._information: Array | None = None

    def value(self, theta: Array) -> float:
        return self._objective.value(theta)

    def evaluate(self, theta: Array) -> Evaluation:
        value, scores = self._objective.scores(theta)
        information, changes = self._information, 1
        if information is None or len(self._points) < _OUTLINES:
            # What the points before have told is told anew to each outline.
            information, changes = -self._objective.outline(theta), len(self._points)
        self._points.append((theta.copy(), np.einsum("jd->d", scores)))
        for (before, slope_before), (after, slope_after) in pairwise(self._points[-changes - 1 :]):
            information = _learnt(information, after - before, slope_before - slope_after)
        self._information = information
        return Evaluation(value, scores, -information)


def _learnt(information: Array, step: Array, change: Array) -> Array:
    """The BFGS update, left out where the likelihood is not concave along the step."""
    product = float(step @ change)
    if not product > _LEAST_COSINE * math.sqrt(float(step @ step) * float(change @ change)):
        return information
    along = information @ step
    curvature = float(step @ along)
    if not curvature > 0.0:
        return information
    learnt = information - along[:, None] * (along / curvature)
    learnt += change[:, None] * (change / product)
    return np.asarray(learnt)


def maximize_outlined(
    objective: OutlinedObjective,
    space: Space,
    gamma: Array,
    stopping: Stopping,
    listener: Listener,
    search: Search,
) -> Maximum:
    """Maximize by secants and confirm by the exact Hessian.

    Parameters
    ----------
    objective : OutlinedObjective
        Of theta.
    space : Space
        What is maximized over.
    gamma : ndarray, shape (f,)
        The start.
    stopping, listener, search
        As for `maximize`.

    Raises
    ------
    StoppedMaximum
        On a keyboard interrupt, once there is an iteration.
    """
    coordinates = space.coordinates(gamma)
    quick = space.objective(Outlined(objective))
    first = maximize(quick, gamma, stopping, space.listener(listener), coordinates, search, _POLISHED)
    exact = space.objective(objective)
    evaluation = exact.evaluate(first.theta)
    step = newton_step(evaluation, coordinates)
    found = replace(first, evaluation=evaluation, concave=step.concave)
    left = stopping.iterate - first.iterations
    if left <= 0:
        return found
    if first.converged and step.concave and step.scaled_gradient <= _SETTLED:
        return _after(found, step.direction, quick)
    try:
        renumbered = space.listener(_Renumbered(listener, first.iterations))
        last = maximize(exact, first.theta, replace(stopping, iterate=left), renumbered, coordinates)
    except StoppedMaximum as stop:
        raise StoppedMaximum(_joined(first, stop.so_far)) from None
    return _joined(first, last)


def _after(found: Maximum, direction: Array, quick: Objective) -> Maximum:
    """The maximum after a last small step, with the Hessian from before it."""
    theta, evaluation = found.theta + direction, found.evaluation
    if evaluation.n_scores > 1:
        # Variances by scores are as exact as the estimates.
        evaluation = quick.evaluate(theta).carried(np.eye(len(theta)), evaluation.hessian)
    return replace(found, theta=theta, evaluation=evaluation)


class _Renumbered:
    """Tells of iterations that follow others."""

    def __init__(self, listener: Listener, before: int) -> None:
        self._listener = listener
        self._before = before

    def __call__(self, event: Event) -> None:
        if not isinstance(event, Iteration):
            self._listener(event)
        elif event.number > 0:
            self._listener(replace(event, number=event.number + self._before))


def _joined(first: Maximum, last: Maximum) -> Maximum:
    return replace(last, iterations=first.iterations + last.iterations, log=(*first.log, *last.log[1:]))
