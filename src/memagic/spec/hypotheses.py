"""The grammar of `test`, `lincom`, `testnl`, `nlcom` and `lrtest`.

Source: [R] test, lincom, testnl, nlcom, lrtest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.spec.command_options import Allowed, Given, split_options
from memagic.spec.constraint import Address, Constraint, read_address, read_linear
from memagic.spec.expression import read_expression, unexpected
from memagic.spec.tree import Binary, Number

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Expression, Span

__all__ = [
    "LEVEL",
    "Combination",
    "Equation",
    "Hypotheses",
    "Named",
    "read_combination",
    "read_equations",
    "read_expressions",
    "read_hypotheses",
]

LEVEL = Allowed(1, "required")


@dataclass(frozen=True, slots=True)
class Hypotheses:
    """Linear hypotheses.

    Attributes
    ----------
    constraints : tuple of Constraint
    equations : tuple of str
        Equations all of whose coefficients are tested: ``test [c_use]``.
    """

    constraints: tuple[Constraint, ...]
    equations: tuple[tuple[str, Span], ...] = ()


@dataclass(frozen=True, slots=True)
class Combination:
    """A linear expression, whose constant is the constraint's value."""

    expression: Constraint
    text: str


@dataclass(frozen=True, slots=True)
class Named:
    """An expression with the name of its row."""

    name: str
    expression: Expression
    text: str


@dataclass(frozen=True, slots=True)
class Equation:
    """A hypothesis that a nonlinear expression is zero, and how it was typed."""

    difference: Expression
    text: str


def _parts(cursor: Cursor) -> list[Cursor]:
    """The specifications: what is in parentheses where there is nothing else, or the whole."""
    parts: list[Cursor] = []
    probe = cursor.part(cursor.position, cursor.stop)
    while not probe.done:
        if not probe.at("("):
            return [cursor]
        parts.append(probe.inside())
    return parts


def read_hypotheses(cursor: Cursor, allowed: dict[str, Allowed]) -> tuple[Hypotheses, tuple[Given, ...]]:
    """Read what follows ``test``: coefficients, equations, or either in parentheses.

    Raises
    ------
    CommandError
        r(198) for a syntax error.
    """
    body, options = split_options(cursor, allowed)
    constraints: list[Constraint] = []
    equations: list[tuple[str, Span]] = []
    for part in _parts(body):
        if part.done:
            raise part.invalid(hint="a coefficient or an equation is expected here")
        if part.find("=", "==") < part.stop:
            constraints += _chain(part)
        else:
            _coefficients(part, constraints, equations)
    return Hypotheses(tuple(constraints), tuple(equations)), options


def _chain(part: Cursor) -> list[Constraint]:
    """``a = b = c``: the first is equal to each of the others."""
    left = read_linear(part)
    found: list[Constraint] = []
    while part.at("=", "=="):
        part.take()
        right = read_linear(part)
        terms = (*left.terms, *((-c, address) for c, address in right.terms))
        found.append(Constraint(terms, right.value - left.value))
    if not part.done:
        raise part.invalid(hint="an equation between sums is expected, such as x1 - 2*x2 = 3")
    return found


def _coefficients(part: Cursor, constraints: list[Constraint], equations: list[tuple[str, Span]]) -> None:
    equation: str | None = None
    while not part.done:
        first = part.position
        if part.at("[") and (part.at_kind("name", ahead=1) or part.at_kind("digits", ahead=1)):
            inner = part.part(part.position, part.stop)
            name = inner.inside()
            alone = inner.done or inner.at("[")
            if alone or inner.at(":"):
                part.position = inner.position
                word = name.words()
                if inner.at(":"):
                    part.take()
                    equation = word
                else:
                    equations.append((word, part.span_from(first)))
                continue
        if part.at(","):
            part.take()
            continue
        found = read_address(part)
        if found.equation is None and equation is not None:
            found = Address(found.name, equation, found.span)
        constraints.append(Constraint(((1.0, found),), 0.0))


def read_combination(cursor: Cursor, allowed: dict[str, Allowed]) -> tuple[Combination, tuple[Given, ...]]:
    """Read what follows ``lincom``.

    Raises
    ------
    CommandError
        r(198) for a syntax error.
    """
    body, options = split_options(cursor, allowed)
    if body.done:
        raise body.invalid(hint="a linear expression is expected here: lincom x1 - x2")
    text = body.words()
    found = read_linear(body)
    if not body.done:
        raise body.invalid(hint="sums of coefficients times numbers: lincom x1 - 2*x2")
    return Combination(found, text), options


def read_expressions(
    cursor: Cursor, allowed: dict[str, Allowed]
) -> tuple[tuple[Named, ...], tuple[Given, ...]]:
    """Read what follows ``nlcom``: one expression, or ``(name: expression)`` once or more."""
    body, options = split_options(cursor, allowed)
    if body.done:
        raise body.invalid(hint="an expression is expected here: nlcom _b[x1]/_b[x2]")
    named: list[Named] = []
    for part in _parts(body):
        name = f"_nl_{len(named) + 1}"
        if part.at_kind("name") and part.at(":", ahead=1):
            name = part.take().text
            part.take()
        text = part.words()
        named.append(Named(name, _whole(part), text))
    names = [one.name for one in named]
    for name in names:
        if names.count(name) > 1:
            raise CommandError(110, f"{name} is there more than once")
    return tuple(named), options


def read_equations(
    cursor: Cursor, allowed: dict[str, Allowed]
) -> tuple[tuple[Equation, ...], tuple[Given, ...]]:
    """Read what follows ``testnl``: ``exp = exp [= exp]``, once or more in parentheses."""
    body, options = split_options(cursor, allowed)
    if body.done:
        raise body.invalid(hint="an equation is expected here: testnl _b[x1]*_b[x2] = 1")
    found: list[Equation] = []
    for part in _parts(body):
        sides: list[tuple[Expression, str]] = []
        while not part.done:
            first = part.position
            tree = read_expression(part)
            sides.append((tree, part.part(first, part.position).words()))
            if part.at("="):
                part.take()
                if part.done:
                    raise part.invalid(hint="an expression is expected after the equals sign")
            elif not part.done:
                raise unexpected(part)
        if len(sides) < 2:
            raise part.invalid(hint="an equation is expected here: testnl _b[x1]*_b[x2] = 1")
        (left, words), *others = sides
        for right, other in others:
            zero = isinstance(right, Number) and right.value == 0.0
            difference = left if zero else Binary("-", left, right)
            found.append(Equation(difference, f"{words} = {other}"))
    return tuple(found), options


def _whole(part: Cursor) -> Expression:
    tree = read_expression(part)
    if not part.done:
        raise unexpected(part)
    return tree
