"""How a model is fitted."""

from __future__ import annotations

from dataclasses import dataclass, field

from memagic.engine.maximize import Search, Stopping
from memagic.engine.nodes import Method
from memagic.engine.sandwich import Variance
from memagic.engine.start import StartSettings

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to integrate, where to start, how to maximize and when to stop.

    Attributes
    ----------
    method : str
    n_points : int
    stopping : Stopping
    search : Search
    start : StartSettings
    numerical : bool
        Numerical derivatives rather than analytic ones.
    estimate : bool
        False for the starting values as they are, after any grid search.
    variance : Variance
        Of the estimators.
    threads : int
        How many blocks of the data are worked on at once, 0 for as many as suit; results do not depend
        on it.
    """

    method: Method = "mvaghermite"
    n_points: int = 7
    stopping: Stopping = field(default_factory=Stopping)
    search: Search = field(default_factory=Search)
    start: StartSettings = field(default_factory=StartSettings)
    numerical: bool = False
    estimate: bool = True
    variance: Variance = field(default_factory=Variance)
    threads: int = 0
