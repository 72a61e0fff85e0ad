"""The factor variables of a model: their levels, bases and words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError, closest
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]

__all__ = ["base_level", "factor_names", "level_word", "levels_of"]


def factor_names(estimates: Estimates) -> tuple[str, ...]:
    """The factor variables of both equations, in the order of the model."""
    design = estimates.design
    columns = [*design.with_bases, *design.fixed]
    for level in design.levels:
        for equation in level.equations:
            columns += [] if equation.factor else equation.columns
    return tuple(dict.fromkeys(name for c in columns for name, level in c.factors if level is not None))


def levels_of(estimates: Estimates, name: str, span: tuple[int, int] | None = None) -> Array:
    """The levels of a factor variable in the estimation sample.

    Raises
    ------
    CommandError
        ``factor x not found in list of covariates``, r(322).
    """
    names = factor_names(estimates)
    if name not in names:
        hint = closest(name, names) or (f"factor variables are {', '.join(names)}" if names else None)
        raise CommandError(322, f"factor {name} not found in list of covariates", span=span, hint=hint)
    return np.unique(estimates.design.covariates[name])


def base_level(estimates: Estimates, name: str) -> float:
    """The base of a factor variable; the first level where it has none."""
    for column in estimates.design.with_bases:
        if column.state == "base" and len(column.factors) == 1 and column.factors[0][0] == name:
            level = column.factors[0][1]
            if level is not None:
                return level
    return float(levels_of(estimates, name)[0])


def level_word(estimates: Estimates, name: str, level: float) -> str:
    """The value label of a level, or its number."""
    return estimates.value_labels.get(name, {}).get(level) or f"{level:g}"
