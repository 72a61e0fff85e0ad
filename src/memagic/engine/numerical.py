"""A likelihood with numerical derivatives, for models whose analytic ones are in doubt.

Differences are central, and taken with the integration's nodes held where they are at the centre:
across a re-adaptation they would measure its tolerance.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from memagic.engine.objective import Evaluation
from memagic.engine.problem import Problem

Array = NDArray[np.float64]

__all__ = ["Differentiable", "NumericalObjective"]

# Changes of the linear predictor that balance truncation and rounding of first and second differences.
_FIRST = 1e-4
_SECOND = 1e-3


class Differentiable(Protocol):
    """A log likelihood that can be evaluated by cluster around a point."""

    def value(self, theta: Array) -> float:
        """The log likelihood."""

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The clusters' log likelihoods as a function of theta, nodes held as they are at `theta`."""


class NumericalObjective:
    """The same log likelihood with central differences for its derivatives."""

    def __init__(self, problem: Problem, objective: Differentiable) -> None:
        self._problem = problem
        self._objective = objective
        square = np.einsum("ij,ij->j", problem.x, problem.x) / len(problem.x)
        if problem.structure is not None:
            rows = [int(np.argwhere(e)[0, 0]) for e in problem.structure.basis]
            square = np.concatenate([square, problem.mean_square_z[rows]])
        # Changes of this size move the linear predictor by about one.
        self._unit = 1.0 / np.sqrt(np.where(square > 0.0, square, 1.0))

    @property
    def memory(self) -> Any:
        """That of the log likelihood it differences, if it has one."""
        return getattr(self._objective, "memory", None)

    def recalling(self, memory: Any) -> NumericalObjective:
        """A twin that starts from the memory of another one."""
        twin = copy(self)
        if hasattr(self._objective, "recalling"):
            twin._objective = self._objective.recalling(memory)
        return twin

    def value(self, theta: Array) -> float:
        return self._objective.value(theta)

    def evaluate(self, theta: Array) -> Evaluation:
        values = self._objective.around(theta)
        d = len(theta)
        unit = np.ones(d)
        unit[: len(self._unit)] = self._unit
        if self._problem.family.closed_form:
            unit[: len(self._unit)] *= np.exp(theta[-1])  # the residual standard deviation
        centre = values(theta)
        scores = np.empty((len(centre), d))
        hessian = np.empty((d, d))
        for a in range(d):
            step = np.zeros(d)
            step[a] = _FIRST * unit[a]
            scores[:, a] = (values(theta + step) - values(theta - step)) / (2.0 * step[a])
        steps = np.diag(_SECOND * unit)
        for a in range(d):
            above, below = values(theta + steps[a]), values(theta - steps[a])
            # Clusters are differenced one by one: their sum would lose digits.
            hessian[a, a] = float(((above - centre) + (below - centre)).sum()) / steps[a, a] ** 2
            for b in range(a):
                same = values(theta + steps[a] + steps[b]) + values(theta - steps[a] - steps[b])
                apart = values(theta + steps[a] - steps[b]) + values(theta - steps[a] + steps[b])
                mixed = float((same - apart).sum()) / (4.0 * steps[a, a] * steps[b, b])
                hessian[a, b] = hessian[b, a] = mixed
        return Evaluation(self._objective.value(theta), scores, hessian)
