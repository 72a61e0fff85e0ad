"""The design of a model: estimation sample, response, columns of both equations, groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.data.collinear import dependent_columns
from memagic.data.evaluate import condition_mask, row_range_mask
from memagic.data.perfect import prune_perfect
from memagic.data.terms import Column, constant, expand, values_of
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.tree import Command, Covariance, Factor, Option, RandomEquation

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

__all__ = ["Design", "DesignLevel", "Grouping", "RandomEffects", "make_design"]

ALL = "_all"


@dataclass(frozen=True, slots=True)
class Grouping:
    """One level of groups in the estimation sample.

    Attributes
    ----------
    name : str
        The group variable, or ``_all``.
    path : str
        The group variables from the highest level down to this one: ``school>class``.
    codes : ndarray of int, shape (n,)
        0..M-1 by observation; groups are counted within those of the level above.
    sizes : ndarray of int, shape (M,)
        Observations in each group.
    """

    name: str
    path: str
    codes: Index
    sizes: Index


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """The columns of one random-effects equation, and the structure of their covariance."""

    columns: tuple[Column, ...]
    covariance: str


@dataclass(frozen=True, slots=True)
class DesignLevel:
    """One level of a model.

    Attributes
    ----------
    grouping : Grouping
    equations : tuple of RandomEffects
        In the order typed; the effects of different equations are independent.
    z : ndarray, shape (n, q)
        The columns of all equations.
    """

    grouping: Grouping
    equations: tuple[RandomEffects, ...]
    z: Array

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for equation in self.equations for column in equation.columns)


@dataclass(frozen=True, slots=True)
class Design:
    """Arrays over the n observations of the estimation sample, and the names that go with them.

    Attributes
    ----------
    sample : ndarray of bool, shape (N,)
        Which rows of the frame are in the estimation sample.
    y : ndarray, shape (n,)
    x : ndarray, shape (n, p)
        Columns of the fixed-effects equation that are estimated, the constant last.
    fixed : tuple of Column
        All columns of that equation, the omitted ones among them.
    offset : ndarray, shape (n,), or None
    trials : ndarray, shape (n,), or float
    levels : tuple of DesignLevel
        Highest first.
    notes : tuple of str
        What the data made necessary, in the manual's words.
    """

    sample: Mask
    y: Array
    x: Array
    fixed: tuple[Column, ...]
    offset: Array | None
    trials: Array | float
    levels: tuple[DesignLevel, ...]
    notes: tuple[str, ...]


def make_design(
    command: Command,
    frame: pd.DataFrame,
    trials: float | str | None,
    *,
    binary: bool = False,
    cutpoints: bool = False,
) -> Design:
    """The design of `command` on `frame`.

    Parameters
    ----------
    command : Command
    frame : DataFrame
        Not changed.
    trials : float or str, optional
        Number of trials of a binomial response, or the variable that holds it.
    binary : bool
        Whether the response is a success wherever it is not zero; perfect predictors of it are then
        left out, unless the command says `asis`.
    cutpoints : bool
        Whether the model has cutpoints, which take the place of the constant.

    Raises
    ------
    CommandError
        A variable is not there, r(111), or of the wrong type, r(109) or r(452); no observations are
        left, r(2000); a random-effects equation has no effects, r(198).
    """
    variables = Variables(frame)
    terms = [*command.fixed.terms, *(term for equation in command.random for term in equation.terms)]
    offset_option = command.fixed.options.get("offset")
    exposure_option = command.fixed.options.get("exposure")

    numeric = [command.depvar, *(factor for term in terms for factor in term.operands)]
    sample = _selected(command, frame)
    for factor in numeric:
        sample = sample & ~np.isnan(variables.numbers(factor.name, factor.span))
    for option in (offset_option, exposure_option):
        if option is not None:
            sample = sample & ~np.isnan(variables.numbers(str(option.value), option.argument_span))
    if isinstance(trials, str):
        sample = sample & ~np.isnan(variables.numbers(trials, _trials_span(command)))
    codes: dict[str, Index] = {}
    for equation in command.random:
        if equation.level != ALL and equation.level not in codes:
            codes[equation.level], _ = variables.groups(equation.level, equation.level_span)
            sample = sample & (codes[equation.level] >= 0)
    n = int(np.count_nonzero(sample))
    if n == 0:
        raise CommandError(2000, "no observations", hint=_why_empty(command, variables, numeric))

    notes: list[str] = []
    columns = expand(variables, command.fixed.terms, sample)
    if binary and "asis" not in command.fixed.options:
        sample = _without_perfect(variables, command.depvar.name, columns, sample, notes)
        n = int(np.count_nonzero(sample))
    rows: Mask | slice = slice(None) if n == len(frame) else sample
    offset = _offset(variables, rows, offset_option, exposure_option)
    has_constant = "noconstant" not in command.fixed.options
    keep = "collinear" in command.options
    x, fixed = _fixed_columns(variables, columns, rows, n, has_constant or cutpoints, notes, keep)
    if cutpoints:
        x, fixed = np.ascontiguousarray(x[:, :-1]), fixed[:-1]

    return Design(
        sample=sample,
        y=variables.numbers(command.depvar.name)[rows],
        x=x,
        fixed=fixed,
        offset=offset,
        trials=variables.numbers(trials)[rows] if isinstance(trials, str) else float(trials or 1.0),
        levels=_levels(variables, command.random, codes, sample, rows),
        notes=tuple(notes),
    )


def _selected(command: Command, frame: pd.DataFrame) -> Mask:
    """Rows that `if` and `in` leave."""
    sample = np.ones(len(frame), dtype=bool)
    if command.fixed.condition is not None:
        sample &= condition_mask(command.fixed.condition, frame)
    if command.fixed.rows is not None:
        sample &= row_range_mask(command.fixed.rows, len(frame))
    return sample


def _trials_span(command: Command) -> tuple[int, int] | None:
    for name in ("binomial", "family"):
        if name in command.options:
            return command.options[name].argument_span
    return None


def _why_empty(command: Command, variables: Variables, numeric: Iterable[Factor]) -> str | None:
    """A hint that names a variable that is missing throughout."""
    for factor in numeric:
        values = variables.numbers(factor.name)
        if len(values) and np.isnan(values).all():
            return f"{factor.name} is missing in every observation"
    if command.fixed.condition is not None or command.fixed.rows is not None:
        return "no observation satisfies if and in and has all variables"
    return None


def _offset(
    variables: Variables, rows: Mask | slice, offset: Option | None, exposure: Option | None
) -> Array | None:
    if offset is not None and exposure is not None:
        raise CommandError(198, "only one of offset() or exposure() may be specified", span=exposure.span)
    if offset is not None:
        return variables.numbers(str(offset.value))[rows]
    if exposure is not None:
        values = variables.numbers(str(exposure.value))[rows]
        if np.any(values <= 0.0):
            raise CommandError(459, "exposure() must be greater than zero", span=exposure.argument_span)
        return np.log(values)
    return None


def _without_perfect(
    variables: Variables, depvar: str, columns: list[Column], sample: Mask, notes: list[str]
) -> Mask:
    """The sample without perfectly predicted rows; their columns are marked in `columns`."""
    outcome = variables.numbers(depvar)[sample] != 0.0
    if outcome.all() or not outcome.any() or not columns:
        return sample
    x = np.column_stack([values_of(variables, column, sample) for column in columns])
    pruned = prune_perfect(outcome, x, [column.name for column in columns])
    if not pruned.notes:
        return sample
    notes += pruned.notes
    for j in np.flatnonzero(~pruned.columns):
        columns[j] = columns[j].omitted("omitted")
    kept = sample.copy()
    kept[sample] = pruned.rows
    return kept


def _fixed_columns(
    variables: Variables,
    columns: list[Column],
    rows: Mask | slice,
    n: int,
    has_constant: bool,
    notes: list[str],
    keep: bool,
) -> tuple[Array, tuple[Column, ...]]:
    """The estimated columns as a matrix, and all columns with their states.

    Columns that others determine are omitted unless `keep` is set; columns that are zero, in any case.
    """
    x = np.empty((n, len(columns) + 1))
    for j, column in enumerate(columns):
        x[:, j] = values_of(variables, column, rows) if column.state == "estimated" else 0.0
    x[:, -1] = 1.0
    dependent = ~x[:, :-1].any(axis=0) if keep else dependent_columns(x[:, :-1], has_constant)
    for k in np.flatnonzero(dependent):
        if columns[k].state == "omitted":
            continue
        column = columns[k]
        if column.heading and not x[:, k].any():
            columns[k] = column.omitted("empty")
            notes.append(f"note: {column.name} identifies no observations in the sample.")
        else:
            columns[k] = column.omitted("omitted")
            notes.append(f"note: {column.name} omitted because of collinearity.")
    kept = np.append(~dependent, has_constant)
    last = constant() if has_constant else constant().omitted("omitted")
    matrix = x if kept.all() else np.ascontiguousarray(x[:, kept])
    return matrix, (*columns, last)


def _levels(
    variables: Variables,
    equations: tuple[RandomEquation, ...],
    codes: dict[str, Index],
    sample: Mask,
    rows: Mask | slice,
) -> tuple[DesignLevel, ...]:
    """The levels, highest first; equations that follow each other at one level share it."""
    levels: list[DesignLevel] = []
    groups = [list(members) for _, members in groupby(equations, key=lambda equation: equation.level)]
    for members in groups:
        name = members[0].level
        upper = levels[-1].grouping if levels else None
        if any(level.grouping.name == name for level in levels):
            raise CommandError(
                198,
                f"level {name} is there twice, with another level between",
                span=members[0].level_span,
                hint=f"put the equations of {name} next to each other",
            )
        grouping = _grouping(name, codes.get(name), rows, upper, int(np.count_nonzero(sample)))
        effects = []
        for equation in members:
            columns = expand(variables, equation.terms, sample)
            # Among equations of one level only the last has an intercept.
            if "noconstant" not in equation.options and equation is members[-1]:
                columns.append(constant())
            if not columns:
                raise CommandError(
                    198,
                    "random-effects equation has no random effects",
                    span=equation.span,
                    hint="leave out noconstant or name a variable",
                )
            effects.append(RandomEffects(tuple(columns), _covariance(equation)))
        level = DesignLevel(
            grouping,
            tuple(effects),
            np.column_stack(
                [values_of(variables, column, rows) for effect in effects for column in effect.columns]
            ),
        )
        _check_effects(level, members[0].span)
        levels.append(level)
    return tuple(levels)


def _covariance(equation: RandomEquation) -> str:
    option = equation.options.get("covariance")
    if option is None:
        return "independent"
    assert isinstance(option.value, Covariance)
    return option.value.kind


def _grouping(name: str, codes: Index | None, rows: Mask | slice, upper: Grouping | None, n: int) -> Grouping:
    used = np.zeros(n, dtype=np.intp) if codes is None else codes[rows]
    if upper is not None:
        used = upper.codes * (int(used.max()) + 1) + used
        used = np.unique(used, return_inverse=True)[1].reshape(n)
    counts = np.bincount(used)
    present = counts > 0
    if not present.all():
        rank = np.cumsum(present) - 1
        used = rank[used]
    path = name if upper is None else f"{upper.path}>{name}"
    return Grouping(name, path, used, counts[present])


def _check_effects(level: DesignLevel, span: tuple[int, int]) -> None:
    """Refuse random effects that touch no observation: nothing is known of their variance."""
    for k, column in enumerate(level.columns):
        if not level.z[:, k].any():
            raise CommandError(
                459,
                f"{column.name} is zero in every observation: its random effect is not identified",
                span=span,
                hint=f"leave {column.name} out of the random-effects equation",
            )
