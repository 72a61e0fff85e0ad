"""A command as typed to one that names the variables of the data in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from memagic.data.names import is_list, match_name, match_names
from memagic.data.sample import ALL
from memagic.errors import CommandError
from memagic.spec.options import OPTIONS
from memagic.spec.tree import (
    Command,
    Expression,
    Factor,
    Indexed,
    Name,
    Option,
    RandomEquation,
    Term,
    TimeSettings,
    VarianceEstimator,
)
from memagic.spec.walk import fold, nodes_of, of_parts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["resolve"]

_MOST_TERMS = 10_000
# Options that take one variable of the data.
_VARNAMES = {spec.name for spec in OPTIONS if spec.kind == "varname"} | {"binomial"}


def resolve(
    command: Command, frame: pd.DataFrame, *, abbreviations: bool = True, time: TimeSettings | None = None
) -> Command:
    """The command with its patterns, ranges and abbreviations written out.

    Parameters
    ----------
    command : Command
    frame : DataFrame
        Its columns are the variables, in this order.
    abbreviations : bool
        Whether the first letters of a name are enough.
    time : TimeSettings, optional
        What the time-series operators refer to.

    Raises
    ------
    CommandError
        A variable is not there or a name is ambiguous, r(111); a list where one variable is due, or
        too many terms, r(103).
    """
    typeable = tuple(name for name in frame.columns if isinstance(name, str) and name.isidentifier())
    names = _Names(typeable, abbreviations, frame.columns)
    fixed = command.fixed
    condition, weight = fixed.condition, fixed.weight
    return replace(
        command,
        depvar=names.factor(command.depvar),
        fixed=replace(
            fixed,
            terms=names.terms(fixed.terms),
            condition=None if condition is None else names.expression(condition),
            weight=None
            if weight is None
            else replace(weight, expression=names.expression(weight.expression)),
            options=names.options(fixed.options),
        ),
        random=tuple(map(names.equation, command.random)),
        options=names.options(command.options),
        time=time,
    )


@dataclass(frozen=True, slots=True)
class _Names:
    """The variables of the data."""

    names: Sequence[str]
    abbreviations: bool
    columns: Iterable[Hashable]

    def one(self, typed: str, span: tuple[int, int] | None) -> str:
        return match_name(typed, self.names, span, abbreviations=self.abbreviations, columns=self.columns)

    def factor(self, factor: Factor) -> Factor:
        """An operand that is one variable."""
        return replace(factor, name=self.one(factor.name, factor.span))

    def terms(self, terms: tuple[Term, ...]) -> tuple[Term, ...]:
        """The terms of one variable list, each once."""
        if all(f.name in self.names for term in terms for f in term.operands):
            return terms
        found: dict[frozenset[tuple[Factor, int]], Term] = {}
        for term in terms:
            for operands in product(*map(self._factors, term.operands)):
                found.setdefault(frozenset(Counter(operands).items()), Term(operands, term.span))
                if len(found) > _MOST_TERMS:
                    raise CommandError(103, "too many variables specified", span=term.span)
        return tuple(found.values())

    def _factors(self, factor: Factor) -> list[Factor]:
        if not is_list(factor.name):
            return [self.factor(factor)]
        found = match_names(factor.name, self.names, factor.span, abbreviations=self.abbreviations)
        return [replace(factor, name=name) for name in found]

    def equation(self, equation: RandomEquation) -> RandomEquation:
        level = equation.level if equation.level == ALL else self.one(equation.level, equation.level_span)
        factor = equation.factor
        return replace(
            equation,
            level=level,
            terms=self.terms(equation.terms),
            factor=None if factor is None else self.one(factor, equation.factor_span),
            options=self.options(equation.options),
        )

    def options(self, options: dict[str, Option]) -> dict[str, Option]:
        """The options, those that take a variable with its full name."""
        return {name: self._option(option) for name, option in options.items()}

    def _option(self, option: Option) -> Option:
        value = option.value
        if option.name in _VARNAMES and isinstance(value, str):
            return replace(option, value=self.one(value, option.argument_span))
        if option.name == "family" and isinstance(value, tuple) and value[0] == "binomial" and len(value) > 1:
            trials = value[1]
            if isinstance(trials, str):
                return replace(option, value=(value[0], self.one(trials, option.argument_span)))
        if isinstance(value, VarianceEstimator) and value.cluster is not None:
            cluster = self.one(value.cluster, option.argument_span)
            return replace(option, value=replace(value, cluster=cluster))
        return option

    def expression(self, tree: Expression) -> Expression:
        """An expression with full names; ranges and patterns are none of its forms."""
        typed = {node.name: node.span for node in nodes_of(tree) if isinstance(node, Name | Indexed)}
        full = {
            name: self.one(name, span)
            for name, span in typed.items()
            # _n, _N and their like are no variables.
            if name not in self.names and not name.startswith("_")
        }
        return _renamed(tree, full) if full else tree


def _renamed(tree: Expression, full: dict[str, str]) -> Expression:
    """The expression with other names."""

    def rebuilt(node: Expression, parts: list[Expression]) -> Expression:
        made = of_parts(node, parts)
        return (
            replace(made, name=full.get(made.name, made.name)) if isinstance(made, Name | Indexed) else made
        )

    return fold(tree, rebuilt)
