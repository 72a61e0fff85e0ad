"""What a likelihood returns to the maximizer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

__all__ = [
    "Derivatives",
    "Evaluation",
    "NotFeasible",
    "Objective",
    "ScoredObjective",
    "Total",
    "value_or_nan",
]


class NotFeasible(Exception):
    """The log likelihood or its derivatives cannot be computed at the starting values."""


class Derivatives(Protocol):
    """A log likelihood and what a maximizer asks of its derivatives, at one theta of length d."""

    @property
    def value(self) -> float: ...

    @property
    def hessian(self) -> Array:
        """Shape (d, d)."""

    @property
    def gradient(self) -> Array:
        """Shape (d,)."""

    @property
    def products(self) -> Array:
        """Sum of the outer products of the clusters' scores, shape (d, d)."""

    @property
    def n_scores(self) -> int:
        """How many clusters (observations, without clusters) there are."""

    def carried(self, slope: Array, hessian: Array) -> Derivatives:
        """Those in gamma of shape (f,), where `slope` is d theta / d gamma and `hessian` the one in gamma."""


@dataclass(frozen=True)
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

    @cached_property
    def gradient(self) -> Array:
        """Shape (d,)."""
        # With few columns and many rows several times as fast as a sum along the first axis.
        return np.asarray(np.einsum("jd->d", self.scores))

    @property
    def products(self) -> Array:
        """Sum of the outer products of the scores, shape (d, d)."""
        return np.asarray(self.scores.T @ self.scores)

    @property
    def n_scores(self) -> int:
        return len(self.scores)

    def carried(self, slope: Array, hessian: Array) -> Evaluation:
        """The same in gamma; see `Derivatives`."""
        return Evaluation(self.value, self.scores @ slope, hessian)


@dataclass(frozen=True, slots=True)
class Total:
    """An evaluation without the single scores, which stay where the clusters are.

    Attributes
    ----------
    value : float
    gradient : ndarray, shape (d,)
    products : ndarray, shape (d, d)
        Sum of the outer products of the clusters' scores.
    hessian : ndarray, shape (d, d)
    n_scores : int
        Number of clusters.
    """

    value: float
    gradient: Array
    products: Array
    hessian: Array
    n_scores: int

    def carried(self, slope: Array, hessian: Array) -> Total:
        """The same in gamma; see `Derivatives`."""
        products = slope.T @ self.products @ slope
        return Total(self.value, self.gradient @ slope, products, hessian, self.n_scores)


class Objective(Protocol):
    """A log likelihood to be maximized over theta."""

    def value(self, theta: Array) -> float:
        """The log likelihood; -inf or nan where theta is not feasible."""

    def evaluate(self, theta: Array) -> Derivatives:
        """The log likelihood with its gradient and Hessian."""


class ScoredObjective(Protocol):
    """A log likelihood that tells the clusters' scores."""

    def value(self, theta: Array) -> float:
        """As of `Objective`."""

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
