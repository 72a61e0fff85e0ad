"""Weights of observations, and of the groups of higher levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from memagic.data.evaluate import evaluate
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.qualifiers import WEIGHTS
from memagic.spec.tree import Command, Name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memagic.spec.tree import Option, RandomEquation

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Span = tuple[int, int]
WeightType = Literal["fweight", "iweight", "pweight"]

__all__ = ["Weights", "make_weights", "weighted_rows"]


class Groups(Protocol):
    """What weights need to know of a level: see `memagic.data.levels.Grouping`."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def codes(self) -> NDArray[np.intp]: ...
    @property
    def sizes(self) -> NDArray[np.intp]: ...


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a model over its estimation sample.

    Attributes
    ----------
    kind : {"fweight", "iweight", "pweight"}
        Of all levels: manual [ME] meglm, Syntax.
    observations : ndarray, shape (n,)
        Of the observations; ones where only groups have weights.
    levels : tuple of (ndarray of shape (M,), or None)
        Of the groups of each level, highest first; None for a level without weights.
    """

    kind: WeightType
    observations: Array
    levels: tuple[Array | None, ...]


def weighted_rows(command: Command, variables: Variables, selected: Mask) -> Mask:
    """The selected rows in which every weight is known and more than zero.

    Parameters
    ----------
    command : Command
    variables : Variables
    selected : ndarray of bool, shape (N,)
        Rows that `if` and `in` leave; what weights are elsewhere does not matter.

    Returns
    -------
    ndarray of bool, shape (N,)

    Raises
    ------
    CommandError
        Text, r(109), unknown variables, r(111), negative weights, r(402), or frequency weights that
        are no integers, r(401).
    """
    kept = selected.copy()
    for kind, values, span in _all_weights(command, variables):
        used = values[selected]
        used = used[~np.isnan(used)]
        if (used < 0.0).any():
            raise CommandError(402, "negative weights encountered", span=span)
        if kind == "fweight" and (used != np.floor(used)).any():
            hint = "frequency weights count observations; others are iweight and pweight"
            raise CommandError(401, "may not use noninteger frequency weights", span=span, hint=hint)
        # A missing weight is not greater than zero either.
        kept &= values > 0.0
    return kept


def make_weights(
    command: Command, variables: Variables, sample: Mask, groupings: Sequence[Groups]
) -> Weights | None:
    """The weights over the estimation sample.

    Parameters
    ----------
    command : Command
    variables : Variables
    sample : ndarray of bool, shape (N,)
        Without the rows that `weighted_rows` leaves out.
    groupings : sequence of Groups
        Of the levels, highest first.

    Returns
    -------
    Weights or None
        None for a command without weights.

    Raises
    ------
    CommandError
        Weights that differ within a group, r(459); several for one level, r(198).
    """
    given = _all_weights(command, variables)
    if not given:
        return None
    n = int(np.count_nonzero(sample))
    weight = command.fixed.weight
    observations = np.ones(n) if weight is None else given[0][1][sample]
    levels = tuple(_level_weights(command, variables, sample, grouping) for grouping in groupings)
    return Weights(cast("WeightType", given[0][0]), observations, levels)


def _all_weights(command: Command, variables: Variables) -> list[tuple[str, Array, Span]]:
    """Type, values in all rows, and place of every weight, the observations' first."""
    found: list[tuple[str, Array, Span]] = []
    weight = command.fixed.weight
    if weight is not None:
        values = evaluate(weight.expression, variables)
        if values.dtype == object:
            name = weight.expression.name if isinstance(weight.expression, Name) else "weight"
            message = f"type mismatch: {name} is a string variable"
            raise CommandError(109, message, span=weight.expression.span)
        found.append((weight.kind, values, weight.span))
    for equation in command.random:
        for option in _options(equation):
            values = variables.numbers(str(option.value), option.argument_span)
            found.append((option.name, np.where(np.isinf(values), np.nan, values), option.span))
    return found


def _options(equation: RandomEquation) -> list[Option]:
    return [equation.options[name] for name in WEIGHTS if name in equation.options]


def _level_weights(command: Command, variables: Variables, sample: Mask, grouping: Groups) -> Array | None:
    """One weight for each group of a level, shape (M,)."""
    options = [
        option
        for equation in command.random
        if equation.level == grouping.name
        for option in _options(equation)
    ]
    if not options:
        return None
    option = options[0]
    for other in options[1:]:
        if other.value != option.value:
            message = f"level {grouping.name} has more than one {option.name}()"
            raise CommandError(198, message, span=other.span)
    values = variables.numbers(str(option.value), option.argument_span)[sample]
    first = np.full(len(grouping.sizes), np.nan)
    # Assigned backwards, so that the first observation of each group is the last word.
    first[grouping.codes[::-1]] = values[::-1]
    differs = values != first[grouping.codes]
    if differs.any():
        row = int(np.flatnonzero(sample)[np.flatnonzero(differs)[0]]) + 1
        message = f"{option.name}({option.value}) is not constant within groups of {grouping.path}"
        hint = f"observation {row} is the first to differ from its group"
        raise CommandError(459, message, span=option.span, hint=hint)
    return first
