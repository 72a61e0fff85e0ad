"""Which elements of `e(b)` are the variances and covariances of which random effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.data.sample import ALL
from memagic.results.estimates import Estimates

Index = NDArray[np.intp]

__all__ = ["Effect", "component_positions", "effects_of", "is_crossed", "residual_position"]


@dataclass(frozen=True, slots=True)
class Effect:
    """One random effect of a level, or all indicators of a crossed factor.

    Attributes
    ----------
    level : int
        0 for the highest.
    name : str
        ``_cons``, ``1.urban``.
    factor : str
        The variable of `R.varname`, or nothing.
    position : int
        Of its variance in `e(b)`; effects of one variance share it.
    """

    level: int
    name: str
    factor: str
    position: int


def component_positions(estimates: Estimates) -> Index:
    """Where `e(b)` has the reported elements of Sigma, in the order of the structure's entries."""
    roles = ("variance", "covariance")
    return np.array([k for k, p in enumerate(estimates.parameters) if p.role in roles], dtype=np.intp)


def effects_of(estimates: Estimates) -> tuple[Effect, ...]:
    """The random effects, level by level."""
    structure = estimates.problem.structure
    if structure is None:
        return ()
    positions = component_positions(estimates)
    variance = {r: int(k) for (r, c), k in zip(structure.entries, positions, strict=True) if r == c}
    found: list[Effect] = []
    first = 0
    for number, level in enumerate(estimates.design.levels):
        for equation in level.equations:
            names = ["_cons"] if equation.factor else [column.name for column in equation.columns]
            for k, name in enumerate(names):
                # Effects with one variance have it under the first of them.
                found.append(Effect(number, name, equation.factor, variance.get(first + k, variance[first])))
            first += len(equation.columns)
    return tuple(found)


def is_crossed(estimates: Estimates) -> bool:
    """Whether there is a factor whose values are crossed with groups."""
    levels = estimates.design.levels
    return any(level.grouping.name == ALL or any(e.factor for e in level.equations) for level in levels)


def residual_position(estimates: Estimates) -> int | None:
    """Where `e(b)` has the residual variance, if there is one."""
    return next((k for k, p in enumerate(estimates.parameters) if p.role == "residual"), None)
