"""Terms of an equation to columns: levels, base levels, and the names that `_b[]` uses.

Source: [U] 11.4.3 Factor variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import product
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memagic.data.factors import chosen_base, factor_levels
from memagic.data.variables import Variables, check_size
from memagic.errors import CommandError
from memagic.spec.tree import Factor, Term

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

__all__ = ["Column", "State", "constant", "expand", "expand_with_bases", "values_of"]

# More columns than any command of the manual takes.
_MOST_COLUMNS = 65_532

State = Literal["estimated", "omitted", "empty", "base"]


@dataclass(frozen=True, slots=True)
class Column:
    """One coefficient of an equation.

    Attributes
    ----------
    name : str
        Its address in `_b[]`: ``age``, ``1.urban``, ``1.cc#1.tv``, ``2.g#c.x``, ``L.x``, ``_cons``.
    heading : str
        The variables of a factor or interaction, ``cc#tv``; empty for plain variables.
    factors : tuple of (str, float or None)
        Each operand's variable, with its time-series operator, and level; None for a continuous one.
    state : {"estimated", "omitted", "empty", "base"}
        Omitted columns are collinear or left out by `o.`, empty ones have no observation, and base
        ones are no columns of the design: a table may show them, and e(b) has them.
    bases : tuple of {"", "b", "bn"}
        By operand, whether its level is the base: ``bn`` is the first level where there is none.
    implied : bool
        Of a base, whether the variables' own terms show it already.
    span : tuple of int, optional
        The place of its term in the command.
    """

    name: str
    heading: str
    factors: tuple[tuple[str, float | None], ...]
    state: State = "estimated"
    bases: tuple[str, ...] = field(default=(), compare=False)
    implied: bool = field(default=False, compare=False)
    span: tuple[int, int] | None = field(default=None, compare=False)

    def omitted(self, state: Literal["omitted", "empty", "base"]) -> Column:
        """The same column, held at zero."""
        return replace(self, state=state)

    @property
    def stripe(self) -> str:
        """Its name in e(b), which has signs for bases and what is held: ``1b.g``, ``3o.g``, ``o.x``."""
        if not self.factors:
            return self.name
        held = self.state != "estimated"
        single = len(self.factors) == 1
        bases = self.bases or ("",) * len(self.factors)
        return "#".join(
            _operand_name(variable, level, single, base or ("o" if held else ""))
            for (variable, level), base in zip(self.factors, bases, strict=True)
        )


def _operand_name(variable: str, level: float | None, single: bool, mark: str = "") -> str:
    """``2L.g``, ``2b.g``, ``c.x`` in an interaction, ``x`` and ``L.x`` alone."""
    operator, _, name = variable.rpartition(".")
    if level is not None:
        return f"{level:g}{mark}{operator}.{name}"
    prefix = f"{'' if single else 'c'}{mark}{operator}"
    return f"{prefix}.{name}" if prefix else name


def constant() -> Column:
    """The intercept."""
    return Column("_cons", "", ())


@dataclass(frozen=True, slots=True)
class _Operand:
    """A factor with the levels it contributes, its base, and what stands for that in e(b)."""

    factor: Factor
    levels: tuple[float | None, ...]
    base: float | None
    first: float | None = None

    def mark(self, level: float | None) -> str:
        """The sign of a base in e(b)."""
        if level is None:
            return ""
        return "b" if level == self.base else "bn" if level == self.first else ""

    def is_held(self, level: float | None) -> bool:
        """Whether `o.` leaves the level or the variable out."""
        omitted = self.factor.omitted
        return omitted is not None and (level is None or level in omitted)


def _operand(variables: Variables, factor: Factor, sample: Mask, known: dict[str, Array]) -> _Operand:
    if factor.kind == "c":
        variables.numbers(factor.variable, factor.span)
        return _Operand(factor, (None,), None)
    if factor.variable not in known:
        known[factor.variable] = factor_levels(variables, factor, sample)
    levels = known[factor.variable]
    if len(levels) == 0:
        return _Operand(factor, (), None)
    if factor.levels is not None:
        # Levels that were named have no base among them, unless one is given too.
        base = None if factor.base is None else chosen_base(variables, factor, levels, sample)
        return _Operand(factor, tuple(factor.levels), base)
    base = None if factor.omitted is not None else chosen_base(variables, factor, levels, sample)
    first = float(levels[0]) if factor.base == "none" else None
    return _Operand(factor, tuple(map(float, levels)), base, first)


def expand(variables: Variables, terms: Sequence[Term], sample: Mask) -> list[Column]:
    """Columns of an equation without its constant, in the order of `e(b)`; see `expand_with_bases`."""
    return [column for column in expand_with_bases(variables, terms, sample) if column.state != "base"]


def expand_with_bases(variables: Variables, terms: Sequence[Term], sample: Mask) -> list[Column]:
    """Columns of an equation without its constant, in the order of `e(b)`, bases among them.

    A combination of levels with some operands at their base is a base itself when the other operands
    have a term of their own with these levels, or when there are no others: its column would be a
    sum of theirs. A base that is chosen once in the list is the variable's base throughout it.

    Raises
    ------
    CommandError
        A variable is not there, r(111), or no factor variable, r(109) or r(452); its base is not a
        level, r(198); more columns than are supported, r(103).
    """
    terms = _with_common_bases(terms)
    present: dict[tuple[tuple[str, str], ...], list[tuple[Factor, ...]]] = {}
    for term in terms:
        present.setdefault(_key(term.operands), []).append(term.operands)
    known: dict[str, Array] = {}
    columns: dict[str, Column] = {}
    for term in terms:
        operands = [_operand(variables, factor, sample, known) for factor in term.operands]
        if len(columns) + prod(len(operand.levels) for operand in operands) > _MOST_COLUMNS:
            hint = f"at most {_MOST_COLUMNS:,} coefficients are supported; c. enters a variable as continuous"
            raise CommandError(103, "too many variables specified", span=term.span, hint=hint)
        implied = len(operands) > 1 and all(
            _key([factor]) in present for factor in term.operands if factor.kind == "i"
        )
        for levels in product(*(operand.levels for operand in operands)):
            column = _column(term, operands, levels)
            if column.state == "estimated" and _is_base(operands, levels, present):
                columns.setdefault(column.name, replace(column, state="base", implied=implied))
            elif column.name not in columns:
                columns[column.name] = column
            elif columns[column.name].state == "base" and column.state == "estimated":
                # What one term has as its base and another by name is in the second one's place.
                del columns[column.name]
                columns[column.name] = column
    return list(columns.values())


def _is_base(
    operands: Sequence[_Operand],
    levels: tuple[float | None, ...],
    present: dict[tuple[tuple[str, str], ...], list[tuple[Factor, ...]]],
) -> bool:
    """Whether a cell's column would be a sum of others."""
    others = [
        (o.factor, level)
        for o, level in zip(operands, levels, strict=True)
        if o.base is None or level != o.base
    ]
    return len(others) < len(operands) and _has_own_term(others, present)


def _with_common_bases(terms: Sequence[Term]) -> list[Term]:
    """The terms with the base that is chosen for a variable wherever it has none of its own."""
    chosen: dict[str, Factor] = {}
    for factor in (factor for term in terms for factor in term.operands):
        # `ibn.` asks for all levels in its place, and is no base.
        if factor.base is not None and factor.base != "none":
            chosen.setdefault(factor.variable, factor)

    def completed(factor: Factor) -> Factor:
        given = chosen.get(factor.variable)
        if given is None or factor.kind != "i" or factor.base is not None or not _has_all_levels(factor):
            return factor
        # A base that does not exist is an error where it is typed.
        return replace(factor, base=given.base, span=given.span)

    return [replace(term, operands=tuple(map(completed, term.operands))) for term in terms]


def _has_all_levels(factor: Factor) -> bool:
    return factor.levels is None and factor.omitted is None


def _key(factors: Sequence[Factor]) -> tuple[tuple[str, str], ...]:
    """What two terms have in common that are products of the same variables."""
    return tuple(sorted((factor.variable, factor.kind) for factor in factors))


def _has_own_term(
    others: list[tuple[Factor, float | None]],
    present: dict[tuple[tuple[str, str], ...], list[tuple[Factor, ...]]],
) -> bool:
    """Whether a term of just these operands has these levels; none at all have the constant."""
    if not others:
        return True
    level_of = {factor.variable: level for factor, level in others}
    return any(
        all(_has_level(factor, level_of[factor.variable]) for factor in operands)
        for operands in present.get(_key([factor for factor, _ in others]), [])
    )


def _has_level(factor: Factor, level: float | None) -> bool:
    if factor.kind == "c" and factor.omitted is not None:
        return False
    if level is None or _has_all_levels(factor):
        return True
    if factor.levels is not None:
        return level in factor.levels
    return factor.omitted is None or level not in factor.omitted


def _column(term: Term, operands: Sequence[_Operand], levels: tuple[float | None, ...]) -> Column:
    single = len(operands) == 1
    variables = [factor.variable for factor in term.operands]
    heads = [_operand_name(v, None, level is not None) for v, level in zip(variables, levels, strict=True)]
    held = any(operand.is_held(level) for operand, level in zip(operands, levels, strict=True))
    return Column(
        name="#".join(_operand_name(v, level, single) for v, level in zip(variables, levels, strict=True)),
        heading="" if all(level is None for level in levels) else "#".join(heads),
        factors=tuple(zip(variables, levels, strict=True)),
        state="omitted" if held else "estimated",
        bases=tuple(operand.mark(level) for operand, level in zip(operands, levels, strict=True)),
        span=term.span,
    )


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
