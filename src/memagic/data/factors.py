"""The levels of factor variables, and which of them is the base.

Source: [U] 11.4.3 Factor variables.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.tree import Factor

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

__all__ = ["chosen_base", "distinct", "factor_levels"]

_LARGEST_LEVEL = 32740


def factor_levels(variables: Variables, factor: Factor, sample: Mask) -> Array:
    """Distinct values of a factor variable in the estimation sample, in order.

    Raises
    ------
    CommandError
        Not numeric, r(109), negative or not whole, r(452).
    """
    if factor.variable in variables.levels:
        return variables.levels[factor.variable]
    levels = distinct(variables.numbers(factor.variable, factor.span)[sample])
    if len(levels) == 0:
        return levels
    if np.any(levels != np.floor(levels)):
        raise CommandError(
            452,
            f"{factor.name}:  factor variables may not contain noninteger values",
            span=factor.span,
            hint=f"c.{factor.name} enters it as a continuous variable",
        )
    if levels[0] < 0:
        raise CommandError(
            452,
            f"{factor.name}:  factor variables may not contain negative values",
            span=factor.span,
            hint=f"c.{factor.name} enters it as a continuous variable",
        )
    if levels[-1] > _LARGEST_LEVEL:
        raise CommandError(
            452,
            f"{factor.name}:  factor variables may not contain values above {_LARGEST_LEVEL}",
            span=factor.span,
            hint=f"c.{factor.name} enters it as a continuous variable",
        )
    return levels


def distinct(values: Array) -> Array:
    """Sorted distinct values; by counting where they are small whole numbers."""
    if len(values) and values.min() >= 0 and values.max() <= _LARGEST_LEVEL:
        whole = values.astype(np.int32)
        if np.array_equal(whole, values):
            return np.flatnonzero(np.bincount(whole)).astype(float)
    return np.unique(values)


def chosen_base(variables: Variables, factor: Factor, levels: Array, sample: Mask) -> float | None:
    """The level that is left out, None for `ibn.`.

    Raises
    ------
    CommandError
        The base asked for is not a level of the variable, r(198).
    """
    chosen = factor.base
    if chosen is None or isinstance(chosen, str):
        return _named_base(variables, factor.variable, chosen or "first", levels, sample)
    if isinstance(chosen, tuple):
        order = chosen[1]
        if not 1 <= order <= len(levels):
            raise CommandError(
                198, f"{factor.name} has {len(levels)} levels, no level #{order}", span=factor.span
            )
        return float(levels[order - 1])
    if chosen not in levels:
        shown = ", ".join(f"{level:g}" for level in levels[:10])
        raise CommandError(
            198,
            f"{factor.name}: base level {chosen:g} is not in the estimation sample",
            span=factor.span,
            hint=f"its levels are {shown}{', ...' if len(levels) > 10 else ''}",
        )
    return float(chosen)


def _named_base(variables: Variables, name: str, chosen: str, levels: Array, sample: Mask) -> float | None:
    if chosen == "none":
        return None
    if chosen == "freq":
        values = variables.numbers(name)[sample]
        return float(np.argmax(np.bincount(values.astype(np.int32))))
    return float(levels[-1 if chosen == "last" else 0])
