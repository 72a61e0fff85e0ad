"""What commands may not ask for where data are in partitions."""

from __future__ import annotations

from collections.abc import Iterator

from memagic.commands.integration import is_crossed
from memagic.data.sample import ALL
from memagic.errors import CommandError
from memagic.spec.tree import Command, Expression, Factor, Indexed, Name, VarianceEstimator
from memagic.spec.walk import nodes_of

__all__ = ["refuse_in_parts"]

Span = tuple[int, int]


def refuse_in_parts(command: Command) -> None:
    """Refuse what needs all rows in one place.

    Raises
    ------
    CommandError
        r(198).
    """
    for what, span in _needs(command):
        hint = "df.compute() brings the rows of a Dask DataFrame here"
        raise CommandError(198, f"{what}: this needs data in one place", span=span, hint=hint)


def _needs(command: Command) -> Iterator[tuple[str, Span | None]]:
    if is_crossed(command):
        yield "crossed effects", next(e.factor_span for e in command.random if e.factor is not None)
    if any(equation.level == ALL for equation in command.random):
        yield "one group of all observations", command.random[0].level_span
    if command.fixed.rows is not None:
        yield "in range", command.fixed.rows.span
    for factor in _factors(command):
        if factor.time:
            yield "time-series operators", factor.span
        if factor.base == "freq":
            yield "the most frequent level as a base", factor.span
    weight = command.fixed.weight
    for tree in (command.fixed.condition, None if weight is None else weight.expression):
        yield from () if tree is None else _of_rows(tree)
    option = command.options.get("vce")
    if option is not None and isinstance(option.value, VarianceEstimator):
        if option.value.cluster is not None:
            yield "vce(cluster)", option.span
        counted = weight is not None and weight.kind == "fweight"
        counted |= any("fweight" in equation.options for equation in command.random)
        if counted and option.value.kind != "oim":
            yield f"vce({option.value.kind}) with frequency weights", option.span


def _factors(command: Command) -> Iterator[Factor]:
    yield command.depvar
    terms = [*command.fixed.terms, *(term for equation in command.random for term in equation.terms)]
    yield from (factor for term in terms for factor in term.operands)


def _of_rows(tree: Expression) -> Iterator[tuple[str, Span | None]]:
    """What an expression asks of the order of rows."""
    for node in nodes_of(tree):
        if isinstance(node, Indexed) or (isinstance(node, Name) and node.name in ("_n", "_N")):
            yield "numbers of rows", node.span
