"""From the design of a command to the arrays of the engine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from memagic.data.design import Design, DesignLevel
from memagic.engine.covariance import identity
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.families import Family
from memagic.engine.problem import Level, Problem
from memagic.models import covariance_structure

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["engine_problem"]


def engine_problem(design: Design, family: Family, y: Array) -> Problem:
    """The problem of a design, with a level of its own for every crossed factor.

    Parameters
    ----------
    design : Design
    family : Family
    y : ndarray, shape (n,)
        The response as the family takes it.
    """
    weights = design.weights
    of_level = (None,) * len(design.levels) if weights is None else weights.levels
    found = [pair for level, w in zip(design.levels, of_level, strict=True) for pair in _levels(level, w)]
    levels = tuple(level for level, _ in found)
    within = tuple(outer for _, outer in found)
    own = None if weights is None or (weights.observations == 1.0).all() else weights.observations
    if all(outer is None for outer in within):
        return Problem(family, y, design.x, design.offset, design.trials, levels, own)
    # With weights these have been refused.
    return CrossedProblem(family, y, design.x, design.offset, design.trials, levels, within=within)


def _levels(level: DesignLevel, weight: Array | None) -> Iterator[tuple[Level, Index | None]]:
    """The ordinary equations that follow each other together, and every factor by itself."""
    first = 0
    ordinary: list[tuple[str, int]] = []
    for equation in (*level.equations, None):
        if equation is None or equation.codes is not None:
            q = sum(size for _, size in ordinary)
            if ordinary:
                z = level.z[:, first : first + q]
                yield Level(level.grouping.codes, z, covariance_structure(ordinary), weight), None
            first += q
            ordinary = []
        if equation is not None and equation.codes is not None:
            z = level.z[:, first : first + 1]
            yield Level(equation.codes, z, identity(1)), level.grouping.codes
            first += 1
        elif equation is not None:
            ordinary.append((equation.covariance, len(equation.columns)))
