"""From the design of a command to the arrays of the engine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from memagic.data.design import Design, DesignLevel
from memagic.engine import covariance
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.families import Family
from memagic.engine.problem import Level, Problem

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["engine_problem"]

_STRUCTURES = {
    "independent": covariance.independent,
    "identity": covariance.identity,
    "exchangeable": covariance.exchangeable,
    "unstructured": covariance.unstructured,
    # Unstructured ones with constraints on their elements.
    "fixed": covariance.unstructured,
    "pattern": covariance.unstructured,
}


def engine_problem(design: Design, family: Family, y: Array) -> Problem:
    """The problem of a design, with a level of its own for every crossed factor.

    Parameters
    ----------
    design : Design
    family : Family
    y : ndarray, shape (n,)
        The response as the family takes it.
    """
    found = [pair for level in design.levels for pair in _levels(level)]
    levels = tuple(level for level, _ in found)
    within = tuple(outer for _, outer in found)
    if all(outer is None for outer in within):
        return Problem(family, y, design.x, design.offset, design.trials, levels)
    return CrossedProblem(family, y, design.x, design.offset, design.trials, levels, within)


def _levels(level: DesignLevel) -> Iterator[tuple[Level, Index | None]]:
    """The ordinary equations that follow each other together, and every factor by itself."""
    first = 0
    structures: list[covariance.CovarianceStructure] = []
    for equation in (*level.equations, None):
        if equation is None or equation.codes is not None:
            q = sum(structure.q for structure in structures)
            if structures:
                joint = structures[0] if len(structures) == 1 else covariance.block_diagonal(structures)
                yield Level(level.grouping.codes, level.z[:, first : first + q], joint), None
            first += q
            structures = []
        if equation is not None and equation.codes is not None:
            yield (
                Level(equation.codes, level.z[:, first : first + 1], covariance.identity(1)),
                level.grouping.codes,
            )
            first += 1
        elif equation is not None:
            structures.append(_STRUCTURES[equation.covariance](len(equation.columns)))
