"""The last estimates in the expressions of a command: ``_b[x]``, ``_se[x]``, ``e(N)``, ``e(sample)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from memagic.data.same_rows import gone_note, sample_rows
from memagic.errors import CommandError, closest
from memagic.results.addresses import addresses_of
from memagic.spec.tree import Command, Estimated, Expression
from memagic.spec.walk import nodes_of, with_leaves

if TYPE_CHECKING:
    import pandas as pd

    from memagic.results import MEResults

Notes = tuple[str, ...]

__all__ = ["expression_with_estimates", "with_estimates"]


def with_estimates(
    command: Command, last: MEResults | None, frame: pd.DataFrame | None
) -> tuple[Command, Notes]:
    """The command with the values that its condition and its weight take from the last estimates.

    Parameters
    ----------
    command : Command
    last : MEResults, optional
        The last estimates.
    frame : DataFrame or None
        The data that the command is for; None where they are in parts.

    Returns
    -------
    command : Command
    notes : tuple of str
        About observations of `e(sample)` that the data do not have any more.

    Raises
    ------
    CommandError
        ``last estimates not found``, r(301); a name that they do not have, r(111); ``e(sample)`` of
        other data, or of rows that cannot be told apart, r(322).
    """
    fixed, notes = command.fixed, dict[str, None]()
    if fixed.condition is not None:
        condition, found = expression_with_estimates(fixed.condition, last, frame)
        fixed = replace(fixed, condition=condition)
        notes |= dict.fromkeys(found)
    if fixed.weight is not None:
        expression, found = expression_with_estimates(fixed.weight.expression, last, frame)
        fixed = replace(fixed, weight=replace(fixed.weight, expression=expression))
        notes |= dict.fromkeys(found)
    return replace(command, fixed=fixed), tuple(notes)


def expression_with_estimates(
    tree: Expression, last: MEResults | None, frame: pd.DataFrame | None
) -> tuple[Expression, Notes]:
    """The expression with the values that it takes from the last estimates, and notes on them.

    As in `with_estimates`.

    Raises
    ------
    CommandError
        There are none, r(301), or they have no such value, r(111); they are of other data, r(322).
    """
    if not any(isinstance(node, Estimated) for node in nodes_of(tree)):
        return tree, ()
    notes = dict[str, None]()

    def fill(node: Expression) -> Expression:
        if not isinstance(node, Estimated):
            return node
        if last is None:
            raise CommandError(301, "last estimates not found", span=node.span)
        if node.kind != "e" or node.name != "sample":
            return replace(node, value=_value(node, last))
        value, found = _sample(node, last, frame)
        notes.update(dict.fromkeys(found))
        return replace(node, value=value)

    return with_leaves(tree, fill), tuple(notes)


def _value(node: Estimated, last: MEResults) -> float:
    if node.kind == "e":
        return _stored(node, last)
    depvar = last.estimates.command.depvar.variable
    name = node.name.removeprefix(f"{depvar}:")
    addresses = addresses_of(last.estimates.parameters)
    if name not in addresses:
        hint = closest(name, addresses)
        raise CommandError(111, f"[{node.name}] not found", span=node.span, hint=hint)
    column = last.params if node.kind == "_b" else last.bse
    return float(column.iloc[addresses[name]])


def _sample(node: Estimated, last: MEResults, frame: pd.DataFrame | None) -> tuple[Sequence[float], Notes]:
    """1 for the rows of the data that are in the estimation sample, else 0; rows added later are not."""
    if frame is None:
        hint = "e(sample) is for data in one place, whose rows have an order"
        raise CommandError(322, "the last estimates are of other data", span=node.span, hint=hint)
    try:
        at = sample_rows(last.estimates.design, last.estimates.command, frame)
    except CommandError as error:
        error.span = node.span
        raise
    values = np.zeros(len(frame))
    values[at[at >= 0]] = 1.0
    return values, gone_note(at)  # type: ignore[return-value]


def _stored(node: Estimated, last: MEResults) -> float:
    value = last.e.get(node.name)
    if not isinstance(value, Real):
        near = closest(node.name, [name for name, one in last.e.items() if isinstance(one, Real)])
        raise CommandError(111, f"e({node.name}) is no number", span=node.span, hint=near)
    return float(value)
