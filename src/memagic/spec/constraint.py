"""Linear constraints: ``[c_use]age = 0``, ``1.children = 2*2.children``, ``/var(_cons[g]) = 1``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from memagic.errors import CommandError
from memagic.spec.cursor import Cursor
from memagic.spec.numlist import read_numlist

if TYPE_CHECKING:
    from memagic.spec.tree import Span

__all__ = [
    "Address",
    "Constraint",
    "ConstraintCommand",
    "parse_constraint",
    "parse_constraint_command",
    "read_address",
    "read_linear",
]

_LARGEST = 1999
_DEEPEST = 20
_USAGE = "type constraint 1 x1 = x2, constraint dir, or constraint drop 1"


@dataclass(frozen=True, slots=True)
class Address:
    """A parameter as it was named.

    Attributes
    ----------
    name : str
        ``age``, ``1.urban``, ``/var(_cons[district])``.
    equation : str or None
        The dependent variable, where it was given.
    """

    name: str
    equation: str | None = None
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Constraint:
    """sum of coefficient x parameter = value.

    Attributes
    ----------
    terms : tuple of (float, Address)
    value : float
    text : str
        As it was typed.
    """

    terms: tuple[tuple[float, Address], ...]
    value: float
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ConstraintCommand:
    """What to do with which constraints.

    Attributes
    ----------
    action : {"define", "dir", "drop"}
    numbers : tuple of int
        None stands for all.
    constraint : Constraint or None
        The one that is defined.
    """

    action: Literal["define", "dir", "drop"]
    numbers: tuple[int, ...] = ()
    constraint: Constraint | None = None


@dataclass(slots=True)
class _Linear:
    """A linear expression."""

    terms: list[tuple[float, Address]]
    constant: float

    def times(self, factor: float) -> _Linear:
        return _Linear([(factor * c, address) for c, address in self.terms], factor * self.constant)

    def plus(self, other: _Linear) -> _Linear:
        return _Linear(self.terms + other.terms, self.constant + other.constant)


def parse_constraint(text: str) -> Constraint:
    """Read one constraint, such as ``"[c_use]age = 0"``.

    Raises
    ------
    CommandError
        r(198) for a syntax error, or a product of parameters.
    """
    try:
        return _constraint(Cursor(text, fragment=True))
    except CommandError as error:
        raise error.located(text) from None


def parse_constraint_command(text: str) -> ConstraintCommand:
    """Read ``constraint 1 ...``, ``constraint dir`` or ``constraint drop ...``.

    Parameters
    ----------
    text : str
        The whole command.

    Raises
    ------
    CommandError
        r(198) for a syntax error, r(121) for what is no list of numbers.
    """
    try:
        cursor = Cursor(text)
        cursor.take()
        if cursor.at("dir", "list", "drop"):
            action: Literal["dir", "drop"] = "drop" if cursor.take().text == "drop" else "dir"
            if cursor.at("_all"):
                cursor.take()
                if not cursor.done:
                    raise cursor.invalid()
                return ConstraintCommand(action)
            if cursor.done and action == "dir":
                return ConstraintCommand(action)
            return ConstraintCommand(action, _numbers(cursor))
        if cursor.at("define", "def"):
            cursor.take()
        if not cursor.at_kind("digits"):
            raise cursor.invalid(hint=_USAGE)
        number = _numbers(cursor.part(cursor.position, cursor.position + 1))
        cursor.position += 1
        return ConstraintCommand("define", number, _constraint(cursor))
    except CommandError as error:
        raise error.located(text) from None


def read_linear(cursor: Cursor) -> Constraint:
    """Read the longest linear expression at the cursor: ``2*x1 - x2 + 3``, whose constant is `value`.

    Raises
    ------
    CommandError
        r(198) for a syntax error, or a product of parameters.
    """
    first = cursor.position
    try:
        total = _sum(cursor, _DEEPEST)
    except CommandError as error:
        # Constraints and tests are read alike, and each has its own word for what is wrong.
        if error.message == "a constraint must be linear":
            error.message = "not possible with test" if cursor.tokens[0].text == "test" else "invalid syntax"
            error.hint = "nonlinear expressions are for nlcom and testnl"
        raise
    if not all(math.isfinite(c) for c in (total.constant, *(c for c, _ in total.terms))):
        raise CommandError(198, "a number that is too large", span=cursor.span_from(first))
    return Constraint(tuple(total.terms), total.constant)


def read_address(cursor: Cursor) -> Address:
    """Read a parameter's name: ``age``, ``[c_use]age``, ``_b[age]``, ``/cut1``."""
    return _address(cursor)


def _numbers(cursor: Cursor) -> tuple[int, ...]:
    first = cursor.position
    numbers = read_numlist(cursor)
    if any(not 1 <= number <= _LARGEST or number != int(number) for number in numbers):
        message = f"constraint numbers are integers between 1 and {_LARGEST}"
        raise CommandError(198, message, span=cursor.span_from(first))
    return tuple(int(number) for number in numbers)


def _constraint(cursor: Cursor) -> Constraint:
    """An equation; without an equals sign, what stands there is zero."""
    if cursor.done:
        raise cursor.invalid(hint="a constraint is expected here, for example x1 = x2")
    first = cursor.position
    text = cursor.words().strip()
    left = _sum(cursor, _DEEPEST)
    if cursor.at("=", "=="):
        cursor.take()
        left = left.plus(_sum(cursor, _DEEPEST).times(-1.0))
    if not cursor.done:
        raise cursor.invalid(hint="a constraint is an equation between sums, such as x1 - 2*x2 = 3")
    if not left.terms:
        raise CommandError(198, "a constraint without parameters", span=cursor.span_from(first))
    if not all(math.isfinite(c) for c in (left.constant, *(c for c, _ in left.terms))):
        raise CommandError(198, "a number that is too large", span=cursor.span_from(first))
    return Constraint(tuple(left.terms), 0.0 - left.constant, text)


def _sum(cursor: Cursor, depth: int) -> _Linear:
    total = _product(cursor, depth)
    while cursor.at("+", "-"):
        sign = 1.0 if cursor.take().text == "+" else -1.0
        total = total.plus(_product(cursor, depth).times(sign))
    return total


def _product(cursor: Cursor, depth: int) -> _Linear:
    first = cursor.position
    total = _operand(cursor, depth)
    while cursor.at("*", "/"):
        divides = cursor.take().text == "/"
        other = _operand(cursor, depth)
        if divides and (other.terms or other.constant == 0.0):
            hint = "divide by a number other than zero"
            raise CommandError(198, "a constraint must be linear", span=cursor.span_from(first), hint=hint)
        if other.terms and total.terms:
            hint = "parameters are multiplied by numbers only"
            raise CommandError(198, "a constraint must be linear", span=cursor.span_from(first), hint=hint)
        if divides:
            total = total.times(1.0 / other.constant)
        elif other.terms:
            total = other.times(total.constant)
        else:
            total = total.times(other.constant)
    return total


def _operand(cursor: Cursor, depth: int) -> _Linear:
    """A number, a parameter, or a sum in parentheses, with signs before it."""
    if depth == 0:
        raise CommandError(198, "constraint too complicated", span=cursor.here())
    if cursor.at("-", "+"):
        sign = -1.0 if cursor.take().text == "-" else 1.0
        return _operand(cursor, depth - 1).times(sign)
    if cursor.at("("):
        inner = cursor.inside()
        total = _sum(inner, depth - 1)
        if not inner.done:
            raise inner.invalid()
        return total
    if not _at_level(cursor):
        value = cursor.number()
        if value is not None:
            return _Linear([], value)
    return _Linear([(1.0, _address(cursor))], 0.0)


def _at_level(cursor: Cursor) -> bool:
    """Whether digits start a name here, as in ``1.urban`` and ``1b.urban``."""
    if not cursor.at_kind("digits"):
        return False
    ahead = 2 if cursor.at_kind("name", ahead=1) and cursor.joined() else 1
    if not (cursor.at(".", ahead=ahead) and cursor.joined(ahead)):
        return False
    return cursor.at_kind("name", ahead=ahead + 1) and cursor.joined(ahead + 1)


def _address(cursor: Cursor) -> Address:
    """``age``, ``[c_use]age``, ``_b[age]``, ``_b[c_use:age]``, ``/cut1``."""
    first = cursor.position
    if cursor.at("_b") and cursor.at("[", ahead=1):
        cursor.take()
        inner = cursor.inside()
        equation = None
        if inner.find(":") < inner.stop:
            equation = _level_and_variable(inner)
            if not inner.at(":"):
                raise inner.invalid(hint="the name of an equation is expected here")
            inner.take()
        name = _name(inner)
        if not inner.done:
            raise inner.invalid()
        return Address(name, equation, cursor.span_from(first))
    equation = None
    if cursor.at("["):
        inner = cursor.inside()
        if not inner.at("/") and not inner.at_kind("name") and not _at_level(inner):
            raise inner.invalid(hint="the name of an equation is expected here")
        # Equations of posted margins are derivatives, which may be in a level.
        equation = inner.take().text if inner.at("/") else _level_and_variable(inner)
        if not inner.done:
            raise inner.invalid(hint="the name of an equation is expected here")
    if equation == "/":
        # Parameters outside the equation, as tables of constraints have them: [/]cut1.
        return Address("/" + _free(cursor), None, cursor.span_from(first))
    return Address(_name(cursor), equation, cursor.span_from(first))


def _name(cursor: Cursor) -> str:
    """A parameter's name, as one word."""
    if cursor.at("/"):
        cursor.take()
        return "/" + _free(cursor)
    if cursor.at("var", "cov") and cursor.at("(", ahead=1):
        hint = f"type /{cursor.tokens[cursor.position].text}(...)"
        raise cursor.invalid(hint=hint)
    parts = [_level_and_variable(cursor)]
    while cursor.at("#"):
        cursor.take()
        parts.append(_level_and_variable(cursor))
    if cursor.at("@"):
        # A contrast of margins that was posted, and where: r1vs0.urban@2._at.
        cursor.take()
        return f"{'#'.join(parts)}@{_name(cursor)}"
    if len(parts) == 1 and cursor.at("(") and cursor.joined(0):
        raise cursor.invalid(hint="parameters are named as in the table of estimates")
    return "#".join(parts)


def _free(cursor: Cursor) -> str:
    """``cut1``, ``lnalpha``, ``var(_cons[school>class])``: what follows the stroke."""
    if not cursor.at_kind("name"):
        raise cursor.invalid(hint="the name of a parameter is expected here")
    word = cursor.take().text
    if not cursor.at("("):
        return word
    inside = cursor.inside().words()
    return f"{word}({','.join(part.strip() for part in inside.split(','))})"


def _level_and_variable(cursor: Cursor) -> str:
    """``age``, ``1.urban``, ``1b.urban``, ``c.age``."""
    level = ""
    while not cursor.at(".") and cursor.joined() and (cursor.at_kind("digits") or cursor.at_kind("name")):
        if not (cursor.at(".", ahead=1) or cursor.at_kind("name", ahead=1)):
            break
        level += cursor.take().text
    if level:
        if not cursor.at(".") or not cursor.at_kind("name", ahead=1) or not cursor.joined():
            raise cursor.invalid(hint="a level and a variable are joined by a period: 1.urban")
        cursor.take()
        level += "."
    if not cursor.at_kind("name"):
        raise cursor.invalid(hint="a parameter or a number is expected here")
    return level + cursor.take().text
