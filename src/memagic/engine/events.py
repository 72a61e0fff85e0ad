"""What the engine tells while it works, as values; who listens decides how to show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Event", "GridNode", "Iteration", "Listener", "StageStarted", "silent"]

Stage = Literal["fixed", "grid", "full"]


@dataclass(frozen=True, slots=True)
class StageStarted:
    """The fixed-effects model, the refinement of starting values, or the full model begins."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Iteration:
    """One iteration of a maximizer; the flags describe the step that is taken from here."""

    number: int
    value: float
    not_concave: bool = False
    backed_up: bool = False


@dataclass(frozen=True, slots=True)
class GridNode:
    """The log likelihood at one set of starting variances."""

    number: int
    value: float


Event = StageStarted | Iteration | GridNode
Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """Listen to nothing."""
