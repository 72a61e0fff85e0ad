"""Terms of an equation to columns: levels, base levels, and the names that `_b[]` uses.

Source: [U] 11.4.3 Factor variables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memagic.data.variables import Variables, check_size
from memagic.errors import CommandError
from memagic.spec.tree import Factor, Term

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

__all__ = ["Column", "constant", "expand", "expand_with_bases", "factor_levels", "values_of"]

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
    state : {"estimated", "omitted", "empty", "base"}
        Omitted columns are collinear, empty ones have no observation, base ones are no columns of the
        design: a table may show them.
    span : tuple of int, optional
        The place of its term in the command.
    """

    name: str
    heading: str
    factors: tuple[tuple[str, float | None], ...]
    state: Literal["estimated", "omitted", "empty", "base"] = "estimated"
    span: tuple[int, int] | None = field(default=None, compare=False)

    def omitted(self, state: Literal["omitted", "empty", "base"]) -> Column:
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
    if chosen is None or isinstance(chosen, str):
        return _named_base(variables, factor.name, chosen or "first", levels, sample)
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
        counts = [(values == level).sum() for level in levels]
        return float(levels[int(np.argmax(counts))])
    return float(levels[-1 if chosen == "last" else 0])


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
    have a term of their own with these levels, or when there are no others: its column would be a
    sum of theirs. A base that is chosen once in the list is the variable's base throughout it.
    """
    return [column for column in expand_with_bases(variables, terms, sample) if column.state != "base"]


def expand_with_bases(variables: Variables, terms: Sequence[Term], sample: Mask) -> list[Column]:
    """The same columns, with the base levels in their places that option `baselevels` shows.

    These are the bases of factor variables, and those of interactions of which some factor variable has
    no term of its own to show its base.
    """
    terms = _with_common_bases(terms)
    present: dict[tuple[tuple[str, str], ...], list[tuple[Factor, ...]]] = {}
    for term in terms:
        present.setdefault(_key(term.operands), []).append(term.operands)
    columns: dict[str, Column] = {}
    for term in terms:
        operands = [_operand(variables, factor, sample) for factor in term.operands]
        shows_base = _shows_base(term.operands, present)
        for levels in product(*(operand.levels for operand in operands)):
            others = [
                (o.factor, level)
                for o, level in zip(operands, levels, strict=True)
                if o.base is None or level != o.base
            ]
            column = _column(term, levels)
            if len(others) < len(operands) and _has_own_term(others, present):
                if shows_base:
                    columns.setdefault(column.name, column.omitted("base"))
                continue
            if column.name in columns and columns[column.name].state == "base":
                del columns[column.name]
            columns.setdefault(column.name, column)
    return list(columns.values())


def _shows_base(
    operands: Sequence[Factor], present: Mapping[tuple[tuple[str, str], ...], list[tuple[Factor, ...]]]
) -> bool:
    """Whether a term's bases cannot be told from those of the terms of its factor variables alone."""
    factors = [factor for factor in operands if factor.kind == "i"]
    return len(operands) == 1 or any(_key([factor]) not in present for factor in factors)


def _with_common_bases(terms: Sequence[Term]) -> list[Term]:
    """The terms with the base that is chosen for a variable wherever it has none of its own."""
    chosen: dict[str, Factor] = {}
    for factor in (factor for term in terms for factor in term.operands):
        # `ibn.` asks for all levels in its place, and is no base.
        if factor.base is not None and factor.base != "none":
            chosen.setdefault(factor.name, factor)

    def completed(factor: Factor) -> Factor:
        given = chosen.get(factor.name)
        if given is None or factor.kind != "i" or factor.base is not None or not _has_all_levels(factor):
            return factor
        # A base that does not exist is an error where it is typed.
        return replace(factor, base=given.base, span=given.span)

    return [replace(term, operands=tuple(map(completed, term.operands))) for term in terms]


def _has_all_levels(factor: Factor) -> bool:
    return factor.levels is None and factor.omitted is None


def _key(factors: Sequence[Factor]) -> tuple[tuple[str, str], ...]:
    """What two terms have in common that are products of the same variables."""
    return tuple(sorted((factor.name, factor.kind) for factor in factors))


def _has_own_term(
    others: list[tuple[Factor, float | None]],
    present: dict[tuple[tuple[str, str], ...], list[tuple[Factor, ...]]],
) -> bool:
    """Whether a term of just these operands has these levels; none at all have the constant."""
    if not others:
        return True
    level_of = {factor.name: level for factor, level in others}
    return any(
        all(_has_level(factor, level_of[factor.name]) for factor in operands)
        for operands in present.get(_key([factor for factor, _ in others]), [])
    )


def _has_level(factor: Factor, level: float | None) -> bool:
    if level is None or _has_all_levels(factor):
        return True
    if factor.levels is not None:
        return level in factor.levels
    return factor.omitted is None or level not in factor.omitted


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
    return Column("#".join(parts), heading, named, span=term.span)


def values_of(variables: Variables, column: Column, rows: Mask | NDArray[np.intp] | slice) -> Array:
    """The values of a column in the given rows, shape (n,).

    Raises
    ------
    CommandError
        Products are too large, r(459).
    """
    if not column.factors:
        return np.ones(len(variables.frame))[rows]
    parts = []
    for name, level in column.factors:
        values = variables.numbers(name)[rows]
        parts.append(values if level is None else (values == level).astype(float))
    if len(parts) == 1:
        return parts[0]
    # What is infinite here is refused by the next line; infinity times zero is no number.
    with np.errstate(over="ignore", invalid="ignore"):
        values = reduce(np.multiply, parts)
    check_size(values, column.name, column.span)
    return values
