"""The last estimates in the expressions of a command: ``_b[x]``, ``_se[x]``, ``e(N)``, ``e(sample)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from memagic.errors import CommandError, closest
from memagic.results.addresses import addresses_of
from memagic.spec.tree import Command, Estimated, Expression
from memagic.spec.walk import nodes_of, with_leaves

if TYPE_CHECKING:
    from memagic.results import MEResults

__all__ = ["expression_with_estimates", "with_estimates"]


def with_estimates(command: Command, last: MEResults | None, n_rows: int) -> Command:
    """The command with the values that its condition and its weight take from the last estimates.

    Parameters
    ----------
    command : Command
    last : MEResults, optional
        The last estimates.
    n_rows : int
        How many rows the data have that the command is for.

    Raises
    ------
    CommandError
        ``last estimates not found``, r(301); a name that they do not have, r(111); ``e(sample)`` of
        other data, r(322).
    """
    fixed = command.fixed
    if fixed.condition is not None:
        fixed = replace(fixed, condition=expression_with_estimates(fixed.condition, last, n_rows))
    if fixed.weight is not None:
        expression = expression_with_estimates(fixed.weight.expression, last, n_rows)
        fixed = replace(fixed, weight=replace(fixed.weight, expression=expression))
    return replace(command, fixed=fixed)


def expression_with_estimates(tree: Expression, last: MEResults | None, n_rows: int) -> Expression:
    """The expression with the values that it takes from the last estimates, as in `with_estimates`.

    Raises
    ------
    CommandError
        There are none, r(301), or they have no such value, r(111); they are of other data, r(322).
    """
    if not any(isinstance(node, Estimated) for node in nodes_of(tree)):
        return tree

    def fill(node: Expression) -> Expression:
        if not isinstance(node, Estimated):
            return node
        if last is None:
            raise CommandError(301, "last estimates not found", span=node.span)
        return replace(node, value=_value(node, last, n_rows))

    return with_leaves(tree, fill)


def _value(node: Estimated, last: MEResults, n_rows: int) -> float | Sequence[float]:
    if node.kind == "e":
        return _stored(node, last, n_rows)
    depvar = last.estimates.command.depvar.variable
    name = node.name.removeprefix(f"{depvar}:")
    addresses = addresses_of(last.estimates.parameters)
    if name not in addresses:
        hint = closest(name, addresses)
        raise CommandError(111, f"[{node.name}] not found", span=node.span, hint=hint)
    column = last.params if node.kind == "_b" else last.bse
    return float(column.iloc[addresses[name]])


def _stored(node: Estimated, last: MEResults, n_rows: int) -> float | Sequence[float]:
    if node.name == "sample":
        sample = last.estimates.design.sample
        if len(sample) != n_rows:
            hint = f"they are of {len(sample):,} rows, the data have {n_rows:,}"
            raise CommandError(322, "the last estimates are of other data", span=node.span, hint=hint)
        return sample.astype(np.float64)  # type: ignore[return-value]
    value = last.e.get(node.name)
    if not isinstance(value, Real):
        near = closest(node.name, [name for name, one in last.e.items() if isinstance(one, Real)])
        raise CommandError(111, f"e({node.name}) is no number", span=node.span, hint=near)
    return float(value)
