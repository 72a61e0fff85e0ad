"""What a likelihood returns to the maximizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

__all__ = ["Evaluation", "NotFeasible", "Objective", "value_or_nan"]


class NotFeasible(Exception):
    """The log likelihood or its derivatives cannot be computed at the starting values."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A log likelihood and its derivatives at one theta of length d.

    Attributes
    ----------
    value : float
    scores : ndarray, shape (M, d)
        Contributions of the clusters (of the observations, without clusters) to the gradient.
    hessian : ndarray, shape (d, d)
    """

    value: float
    scores: Array
    hessian: Array

    @property
    def gradient(self) -> Array:
        """Shape (d,)."""
        return np.asarray(self.scores.sum(axis=0))


class Objective(Protocol):
    """A log likelihood to be maximized over theta."""

    def value(self, theta: Array) -> float:
        """The log likelihood; -inf or nan where theta is not feasible."""

    def evaluate(self, theta: Array) -> Evaluation:
        """The log likelihood with its scores and Hessian."""


def value_or_nan(objective: Objective, theta: Array) -> float:
    """The log likelihood; nan wherever it cannot be computed or is not finite."""
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value = objective.value(theta)
    except (np.linalg.LinAlgError, OverflowError):
        return float("nan")
    return value if np.isfinite(value) else float("nan")
