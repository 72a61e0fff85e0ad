"""What the engine tells while it works, as values; who listens decides how to show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = [
    "Detail",
    "Event",
    "GridNode",
    "Iteration",
    "Listener",
    "StageStarted",
    "TechniqueSet",
    "silent",
]

Stage = Literal["constant", "fixed", "grid", "full"]


@dataclass(frozen=True, slots=True)
class StageStarted:
    """The constant-only, the fixed-effects or the full model, or the search for a better start begins."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class TechniqueSet:
    """A maximizer that changes between techniques begins with this one, or goes over to it."""

    technique: str
    first: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """Where a maximizer is, and how it came there.

    Attributes
    ----------
    theta, gradient : ndarray, shape (d,)
    hessian : ndarray, shape (d, d)
    scaled_gradient : float
        g'(-H)^-1 g, which `nrtolerance` is compared with.
    change, gain : float
        Relative changes of the parameters and of the log likelihood; nan at the start.
    trials : tuple of (float, float)
        Share of the step and log likelihood of every trial, the last one taken.
    free : ndarray of int or None, shape (f,)
        Under constraints, which parameters these leave free: the derivatives are in them.
    """

    theta: Array
    gradient: Array
    hessian: Array
    scaled_gradient: float
    change: float = float("nan")
    gain: float = float("nan")
    trials: tuple[tuple[float, float], ...] = ()
    free: Index | None = None


@dataclass(frozen=True, slots=True)
class Iteration:
    """One iteration of a maximizer; the flags describe the step that is taken from here."""

    number: int
    value: float
    not_concave: bool = False
    backed_up: bool = False
    detail: Detail | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class GridNode:
    """The log likelihood at one of `total` sets of starting variances, the first one at number 0."""

    number: int
    value: float
    total: int = 1


Event = StageStarted | TechniqueSet | Iteration | GridNode
Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """Listen to nothing."""
