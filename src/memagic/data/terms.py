"""Terms of an equation to columns: levels, base levels, and the names that `_b[]` uses.

Source: [U] 11.4.3 Factor variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.tree import Factor, Term

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

__all__ = ["Column", "constant", "expand", "factor_levels", "values_of"]

_LARGEST_LEVEL = 32740


@dataclass(frozen=True, slots=True)
class Column:
    """One coefficient of an equation.

    Attributes
    ----------
    name : str
        Its address in `_b[]`: ``age``, ``1.urban``, ``1.cc#1.tv``, ``2.g#c.x``, ``_cons``.
    heading : str
        The variables of a factor or interaction, ``cc#tv``; empty for plain variables.
    factors : tuple of (str, float or None)
        Each operand's variable and level, None for a continuous one.
    state : {"estimated", "omitted", "empty"}
        Omitted columns are collinear, empty ones have no observation.
    """

    name: str
    heading: str
    factors: tuple[tuple[str, float | None], ...]
    state: Literal["estimated", "omitted", "empty"] = "estimated"

    def omitted(self, state: Literal["omitted", "empty"]) -> Column:
        """The same column, held at zero."""
        return replace(self, state=state)


def constant() -> Column:
    """The intercept."""
    return Column("_cons", "", ())


def factor_levels(variables: Variables, factor: Factor, sample: Mask) -> Array:
    """Distinct values of a factor variable in the estimation sample, in order.

    Raises
    ------
    CommandError
        Not numeric, r(109), negative or not whole, r(452).
    """
    values = variables.numbers(factor.name, factor.span)[sample]
    levels = _distinct(values)
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
            452, f"{factor.name}:  factor variables may not contain negative values", span=factor.span
        )
    if levels[-1] > _LARGEST_LEVEL:
        raise CommandError(
            452,
            f"{factor.name}:  factor variables may not contain values above {_LARGEST_LEVEL}",
            span=factor.span,
            hint=f"c.{factor.name} enters it as a continuous variable",
        )
    return levels


def _distinct(values: Array) -> Array:
    """Sorted distinct values; by counting where they are small whole numbers."""
    if len(values) and values.min() >= 0 and values.max() <= _LARGEST_LEVEL:
        whole = values.astype(np.int32)
        if np.array_equal(whole, values):
            return np.flatnonzero(np.bincount(whole)).astype(float)
    return np.unique(values)


def _base(variables: Variables, factor: Factor, levels: Array, sample: Mask) -> float | None:
    """The level that is left out, None for `ibn.`.

    Raises
    ------
    CommandError
        The base asked for is not a level of the variable, r(198).
    """
    chosen = factor.base
    if chosen == "none":
        return None
    if chosen is None or chosen == "first":
        return float(levels[0])
    if chosen == "last":
        return float(levels[-1])
    if chosen == "freq":
        values = variables.numbers(factor.name)[sample]
        counts = [(values == level).sum() for level in levels]
        return float(levels[int(np.argmax(counts))])
    if isinstance(chosen, tuple):
        order = chosen[1]
        if not 1 <= order <= len(levels):
            raise CommandError(
                198, f"{factor.name} has {len(levels)} levels, no level #{order}", span=factor.span
            )
        return float(levels[order - 1])
    if isinstance(chosen, str):
        raise ValueError(chosen)
    if chosen not in levels:
        shown = ", ".join(f"{level:g}" for level in levels[:10])
        raise CommandError(
            198,
            f"{factor.name}: base level {chosen:g} is not in the estimation sample",
            span=factor.span,
            hint=f"its levels are {shown}{', ...' if len(levels) > 10 else ''}",
        )
    return float(chosen)


@dataclass(frozen=True, slots=True)
class _Operand:
    """A factor with the levels it contributes and its base."""

    factor: Factor
    levels: tuple[float | None, ...]
    base: float | None


def _operand(variables: Variables, factor: Factor, sample: Mask) -> _Operand:
    if factor.kind == "c":
        variables.numbers(factor.name, factor.span)
        return _Operand(factor, (None,), None)
    levels = factor_levels(variables, factor, sample)
    if len(levels) == 0:
        return _Operand(factor, (), None)
    if factor.levels is not None:
        # Levels that were named have no base among them, unless one is given too.
        base = None if factor.base is None else _base(variables, factor, levels, sample)
        return _Operand(factor, tuple(factor.levels), base)
    kept = [float(v) for v in levels if factor.omitted is None or v not in factor.omitted]
    base = None if factor.omitted is not None else _base(variables, factor, levels, sample)
    return _Operand(factor, tuple(kept), base)


def expand(variables: Variables, terms: Sequence[Term], sample: Mask) -> list[Column]:
    """Columns of an equation without its constant, in the order of `e(b)`.

    A combination of levels with some operands at their base is left out when the other operands
    have a term of their own, or when there are no others: its column would be a sum of theirs.
    """
    present = {_key(term.operands) for term in terms}
    columns: list[Column] = []
    seen: set[str] = set()
    for term in terms:
        operands = [_operand(variables, factor, sample) for factor in term.operands]
        for levels in product(*(operand.levels for operand in operands)):
            at_base = [
                o.base is not None and level == o.base for o, level in zip(operands, levels, strict=True)
            ]
            others = tuple(o.factor for o, base in zip(operands, at_base, strict=True) if not base)
            if any(at_base) and (not others or _key(others) in present):
                continue
            column = _column(term, levels)
            if column.name not in seen:
                seen.add(column.name)
                columns.append(column)
    return columns


def _key(factors: Sequence[Factor]) -> frozenset[tuple[str, str]]:
    return frozenset((factor.name, factor.kind) for factor in factors)


def _column(term: Term, levels: tuple[float | None, ...]) -> Column:
    parts, heads = [], []
    single = len(term.operands) == 1
    for factor, level in zip(term.operands, levels, strict=True):
        if level is None:
            parts.append(factor.name if single else f"c.{factor.name}")
            heads.append(f"c.{factor.name}")
        else:
            parts.append(f"{level:g}.{factor.name}")
            heads.append(factor.name)
    heading = "" if all(level is None for level in levels) else "#".join(heads)
    named = tuple((f.name, level) for f, level in zip(term.operands, levels, strict=True))
    return Column("#".join(parts), heading, named)


def values_of(variables: Variables, column: Column, rows: Mask | NDArray[np.intp] | slice) -> Array:
    """The values of a column in the given rows, shape (n,)."""
    if not column.factors:
        return np.ones(len(variables.frame))[rows]
    product_: Array | None = None
    for name, level in column.factors:
        values = variables.numbers(name)[rows]
        part = values if level is None else (values == level).astype(float)
        product_ = part if product_ is None else product_ * part
    assert product_ is not None
    return product_
