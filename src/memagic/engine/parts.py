"""The log likelihood as a sum over parts of the data, each of whole top-level clusters.

Parts live somewhere: with the tasks of an executor, or on the workers that have the data. An evaluation
sends theta there and brings back the value, the gradient, the products of the clusters' scores and the
Hessian. What an objective has learnt on the way, such as where its nodes were last, is its memory: it
goes from one task on a part to the next, so that results do not depend on which worker has which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from memagic.engine.objective import Evaluation, Objective, ScoredObjective, Total
from memagic.engine.problem import Level, Problem

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Hosted", "PartedObjective", "Task", "cut", "step"]

# Parts do not depend on how many workers there are, so that estimates do not. Most machines have fewer.
_PARTS = 32
# Rows below which a part is not worth a message.
_LEAST_ROWS = 500

Task = Callable[..., Any]
"""What is done where a part lives: its first argument is what is hosted there."""


class Hosted(Protocol):
    """Something of every part, where the part lives."""

    def each(self, task: Task, *arguments: object) -> list[Any]:
        """What `task` gives for each part, in order. The task and what it is given can be pickled."""


@runtime_checkable
class Recalling(Protocol):
    """An objective that remembers where it was last."""

    @property
    def memory(self) -> Any: ...

    def recalling(self, memory: Any) -> Any:
        """A twin with another memory."""


def step(hosted: Any, memory: Any, task: Task, arguments: Sequence[object]) -> tuple[Any, Any]:
    """A task on what is hosted, which recalls `memory`: the result, and the memory after it."""
    if isinstance(hosted, Recalling):
        # Always a twin: a task that was given up may still be at work on what is hosted.
        hosted = hosted.recalling(hosted.memory if memory is None else memory)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        result = task(hosted, *arguments)
    return result, hosted.memory if isinstance(hosted, Recalling) else None


class PartedObjective:
    """The log likelihood over parts; sums are taken in their order.

    Parameters
    ----------
    objectives : Hosted
        The objective of each part.
    """

    def __init__(self, objectives: Hosted) -> None:
        self._objectives = objectives

    def value(self, theta: Array) -> float:
        return float(sum(self._objectives.each(_value, theta)))

    def evaluate(self, theta: Array) -> Total:
        parts: list[Total] = self._objectives.each(_total, theta)
        value, gradient, products = 0.0, np.zeros(len(theta)), np.zeros((len(theta), len(theta)))
        hessian = np.zeros_like(products)
        for part in parts:
            value += part.value
            gradient += part.gradient
            products += part.products
            hessian += part.hessian
        return Total(value, gradient, products, hessian, sum(part.n_scores for part in parts))

    def scored(self) -> ScoredObjective:
        """The same log likelihood, which also brings the scores of all clusters here."""
        return _Scored(self._objectives)


class _Scored:
    """See `PartedObjective.scored`."""

    def __init__(self, objectives: Hosted) -> None:
        self._objectives = objectives

    def value(self, theta: Array) -> float:
        return float(sum(self._objectives.each(_value, theta)))

    def evaluate(self, theta: Array) -> Evaluation:
        parts: list[Evaluation] = self._objectives.each(_evaluation, theta)
        value, hessian = 0.0, np.zeros((len(theta), len(theta)))
        for part in parts:
            value += part.value
            hessian += part.hessian
        return Evaluation(value, np.concatenate([part.scores for part in parts]), hessian)


def _value(objective: Objective, theta: Array) -> float:
    return objective.value(theta)


def _total(objective: ScoredObjective, theta: Array) -> Total:
    at = objective.evaluate(theta)
    return Total(at.value, at.gradient, at.products, at.hessian, at.n_scores)


def _evaluation(objective: ScoredObjective, theta: Array) -> Evaluation:
    return objective.evaluate(theta)


def cut(problem: Problem) -> list[Problem]:
    """Parts of about equal numbers of rows, of whole top-level clusters in their order.

    Cuts depend on the data alone. A problem that is too small to be cut is one part.
    """
    sizes = np.bincount(problem.levels[0].cluster)
    n_parts = min(_PARTS, len(sizes), max(1, len(problem.y) // _LEAST_ROWS))
    # A cluster belongs to the part that its middle row is in.
    middle = np.cumsum(sizes) - 0.5 * sizes
    part = np.minimum((middle * (n_parts / len(problem.y))).astype(np.intp), n_parts - 1)
    of_row = part[problem.levels[0].cluster]
    return [_rows(problem, np.flatnonzero(of_row == number)) for number in np.unique(part)]


def _rows(problem: Problem, rows: Index) -> Problem:
    """The problem of some rows, which are those of whole top-level clusters."""
    trials = problem.trials
    return Problem(
        family=problem.family,
        y=problem.y[rows],
        x=np.ascontiguousarray(problem.x[rows]),
        offset=None if problem.offset is None else problem.offset[rows],
        trials=trials if isinstance(trials, float) else trials[rows],
        levels=tuple(_level(level, rows) for level in problem.levels),
        weight=None if problem.weight is None else problem.weight[rows],
    )


def _level(level: Level, rows: Index) -> Level:
    present, codes = np.unique(level.cluster[rows], return_inverse=True)
    weight = None if level.weight is None else level.weight[present]
    return Level(codes.reshape(len(rows)).astype(np.intp), level.z[rows], level.structure, weight)
