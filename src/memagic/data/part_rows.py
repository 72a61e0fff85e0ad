"""The design of a model whose data are in parts: what is found in each part, and put together here.

Which rows are in the sample is told in each part by itself. Levels of factor variables, perfect
predictors, collinear columns and the values of the response are those of all parts together: parts tell
what they have in summaries, which are added up in order. Then each part makes its own rows of the design
with the columns that all have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.data.coded import Moments, coded_terms, dense, moments
from memagic.data.design import Design, assemble, fixed_matrix
from memagic.data.factors import factor_levels
from memagic.data.perfect import Extremes, extremes
from memagic.data.sample import ALL, Dropped, Rows, selected_rows
from memagic.data.terms import Column, values_of
from memagic.data.variables import Variables
from memagic.spec.tree import Command, Factor

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]
Values = tuple[tuple[Column, float], ...]

__all__ = [
    "PartRows",
    "PartSummary",
    "factors_of",
    "merged_levels",
    "open_part",
    "part_design",
    "part_extremes",
    "part_moments",
    "part_summary",
    "with_levels",
]

# Values of a response that is ordinal: more are refused.
_MOST_VALUES = 200


@dataclass(frozen=True, slots=True)
class PartRows:
    """A part of the data, with the rows that are in the sample. It stays where the part is."""

    variables: Variables
    rows: Rows


@dataclass(frozen=True, slots=True)
class PartSummary:
    """What all have to know of a part.

    Attributes
    ----------
    n : int
        Rows in the sample.
    dropped : Dropped
    levels : dict of str to ndarray
        The values of each factor variable.
    labels : dict of str to dict
        Words for the values of the variables that have them.
    tops : ndarray
        The values of the highest level's group variable, each once; empty without random effects.
    response : ndarray, shape (m, 2)
        Some rows of response and number of trials, by which all that is asked of a response can be told.
    """

    n: int
    dropped: Dropped
    levels: dict[str, Array]
    labels: dict[str, dict[float, str]]
    tops: NDArray[Any]
    response: Array


def open_part(frame: pd.DataFrame, command: Command, trials: float | str | None) -> PartRows:
    """A part of the data, and which of its rows are in the sample.

    Raises
    ------
    CommandError
        As `memagic.data.sample.estimation_sample`.
    """
    variables = Variables(frame)
    return PartRows(variables, selected_rows(command, variables, trials))


def factors_of(command: Command) -> list[Factor]:
    """The factor variables of all equations, each once."""
    terms = [*command.fixed.terms, *(term for equation in command.random for term in equation.terms)]
    found: dict[str, Factor] = {}
    for factor in (factor for term in terms for factor in term.operands if factor.kind == "i"):
        found.setdefault(factor.variable, factor)
    return list(found.values())


def part_summary(part: PartRows, command: Command, trials: float | str | None) -> PartSummary:
    """What all have to know of a part.

    Raises
    ------
    CommandError
        Factor variables with values that they may not have, r(452).
    """
    variables, sample = part.variables, part.rows.sample
    top = command.random[0].level if command.random else ALL
    names = [*part.rows.numeric]
    return PartSummary(
        n=int(np.count_nonzero(sample)),
        dropped=part.rows.dropped,
        levels={f.variable: factor_levels(variables, f, sample) for f in factors_of(command)},
        labels={name: labels for name in names if (labels := variables.value_labels(name))},
        tops=np.empty(0) if top == ALL else np.asarray(variables.series(top)[sample].drop_duplicates()),
        response=_telling(variables.numbers(command.depvar.variable)[sample], _trials(part, trials)),
    )


def _trials(part: PartRows, trials: float | str | None) -> Array:
    sample = part.rows.sample
    if isinstance(trials, str):
        return part.variables.numbers(trials)[sample]
    return np.full(int(np.count_nonzero(sample)), float(trials or 1.0))


def _telling(y: Array, r: Array) -> Array:
    """Rows that show every value a response has, if these are few, and else every kind of value."""
    values, first = np.unique(y, return_index=True)
    kinds = [y != np.floor(y), y == 0.0, y != 0.0, r != np.floor(r), y > r, y != r, r <= 0.0]
    rows = [np.flatnonzero(kind)[:1] for kind in kinds]
    rows.append(first if len(values) <= _MOST_VALUES else np.r_[first[:_MOST_VALUES], first[-1:]])
    at = np.unique(np.concatenate(rows))
    return np.column_stack([y[at], r[at]])


def merged_levels(summaries: Sequence[PartSummary]) -> dict[str, Array]:
    """The levels of factor variables in all parts."""
    names = dict.fromkeys(name for summary in summaries for name in summary.levels)
    return {name: np.unique(np.concatenate([s.levels[name] for s in summaries])) for name in names}


def with_levels(part: PartRows, levels: Mapping[str, Array]) -> PartRows:
    """The part, which knows what levels there are in all parts."""
    variables = copy(part.variables)
    variables.levels = levels
    return PartRows(variables, part.rows)


def part_extremes(part: PartRows, depvar: str, columns: Sequence[Column], left_out: Values) -> Extremes:
    """The least and largest values of columns, by outcome."""
    sample = _without(part, left_out)
    outcome = part.variables.numbers(depvar)[sample] != 0.0
    return extremes(outcome, dense(coded_terms(part.variables, columns, sample), len(outcome)))


def part_moments(part: PartRows, columns: Sequence[Column], left_out: Values, centre: bool) -> Moments:
    """Sums of squares and products of columns."""
    sample = _without(part, left_out)
    terms = coded_terms(part.variables, columns, sample)
    return moments(terms, int(np.count_nonzero(sample)), len(columns), centre=centre)


def part_design(
    part: PartRows,
    command: Command,
    trials: float | str | None,
    fixed: tuple[Column, ...],
    left_out: Values,
) -> Design | None:
    """A part's rows of the design; None where it has none.

    Raises
    ------
    CommandError
        As `memagic.data.design.assemble`.
    """
    sample = _without(part, left_out)
    if not sample.any():
        return None
    x = fixed_matrix(part.variables, fixed, sample)
    return assemble(command, part.variables, sample, part.rows.codes, trials, fixed, x)


def _without(part: PartRows, left_out: Values) -> Mask:
    """The sample without the rows that perfect predictors take away."""
    sample = part.rows.sample
    for column, value in left_out:
        sample = sample & (values_of(part.variables, column, slice(None)) != value)
    return sample
