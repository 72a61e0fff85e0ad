"""The operators before a variable's period: ``i.``, ``ib2.``, ``o3.``, ``L2D.``, ``iL.``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from typing import TYPE_CHECKING, Literal

from memagic.errors import CommandError
from memagic.spec.numlist import read_numlist
from memagic.spec.slips import frame_hint
from memagic.spec.tree import TimeOperator

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Span

__all__ = ["Operator", "combined", "not_allowed", "prefix_end", "read_operator", "time_operator"]

LARGEST_LEVEL = 32_740
_LARGEST_SHIFT = 32_740
# Each difference is a pass over the data, and its coefficients are binomial ones.
_MOST_DIFFERENCES = 100
_MOST_OPERATORS = 2500

# Every parenthesis and what is in it is one "(" here. Only factor operators need lower case.
_PARTS = re.compile(
    r"(?P<before>(?:[LFDSlfds](?:[0-9]+|\()?)*)"
    r"(?P<factor>c|co|(?P<indicator>i?)(?P<role>[bo]?)(?P<value>[0-9]+|n|\(|))"
    r"(?P<after>(?:[LFDSlfds](?:[0-9]+|\()?)*)"
)
_TIME = re.compile(r"([LFDSlfds])([0-9]+|\()?")


@dataclass(frozen=True, slots=True)
class Operator:
    """What stands before the period; `kind` None stands for no factor-variable operator.

    `times` has several operators for a number list, ``L(0/3).``.
    """

    kind: Literal["c", "i"] | None = None
    base: float | str | tuple[str, int] | None = None
    levels: tuple[float, ...] | None = None
    omitted: tuple[float, ...] | None = None
    times: tuple[TimeOperator, ...] = (TimeOperator(),)
    span: Span = field(default=(0, 0))

    @property
    def in_time(self) -> bool:
        """Whether there is a time-series operator, perhaps one that does nothing."""
        return self.times != (TimeOperator(),)


def prefix_end(cursor: Cursor) -> int | None:
    """The index after an operator's period, or None where no operator starts here."""
    index = cursor.position
    while index < cursor.stop:
        token = cursor.tokens[index]
        if index > cursor.position and cursor.tokens[index - 1].end != token.start:
            return None
        if token.text == "." and index > cursor.position:
            return index + 1
        if token.text == "(" and index > cursor.position:
            index = cursor.partner[index] + 1
        elif token.kind in ("name", "digits"):
            index += 1
        else:
            return None
    return None


def read_operator(cursor: Cursor, end: int) -> Operator:
    """Read the operator whose period is the token before index `end`; the cursor moves there.

    Raises
    ------
    CommandError
        r(198) for what is no operator or takes no such argument.
    """
    first = cursor.position
    span = (cursor.tokens[first].start, cursor.tokens[end - 1].end)
    text, arguments = _pieces(cursor, end)
    match = _PARTS.fullmatch(text)
    if match is None or (match["before"] and match["after"] and match["factor"]):
        raise not_allowed(cursor, span, _hint(text) or frame_hint(cursor, end))
    before, own = match["before"].count("("), match["factor"].count("(")
    times = _times(
        cursor, match["before"] + match["after"], [*arguments[:before], *arguments[before + own :]], span
    )
    factor = match["factor"]
    if not factor:
        return Operator(times=times, span=span)
    if factor in ("c", "co"):
        return Operator("c", omitted=() if factor == "co" else None, times=times, span=span)
    if factor == "o":
        return Operator("c", omitted=(), times=times, span=span)
    if any(time.difference or time.seasonal for time in times):
        raise not_allowed(cursor, span, "a factor variable takes lags and leads, L. and F., only")
    argument = arguments[before] if own else None
    return _indicators(cursor, match, argument, times, span)


def _pieces(cursor: Cursor, end: int) -> tuple[str, list[Cursor]]:
    """The operator's letters and digits, with "(" for each parenthesis, and what these enclose."""
    text = ""
    arguments: list[Cursor] = []
    while cursor.position < end - 1:
        if cursor.at("("):
            text += "("
            arguments.append(cursor.inside())
        else:
            text += cursor.take().text
    cursor.position = end
    return text, arguments


def _hint(text: str) -> str | None:
    if text in ("R", "r"):
        return "type R.varname alone after a level: || _all: R.varname"
    return f"did you mean {text.lower()}.?" if text in ("I", "C") else None


def _indicators(
    cursor: Cursor,
    match: re.Match[str],
    argument: Cursor | None,
    times: tuple[TimeOperator, ...],
    span: Span,
) -> Operator:
    """The operator of a factor variable: which levels it has, and its base."""
    role, value = match["role"], match["value"]
    if value == "n":
        if role == "b":
            return Operator("i", base="none", times=times, span=span)
        raise not_allowed(cursor, span)
    if role == "b":
        base = _base(cursor, argument, span) if argument else _level(value, span) if value else None
        if base is None:
            raise not_allowed(cursor, span, "type ib2. or ib(last). to choose the base")
        return Operator("i", base=base, times=times, span=span)
    levels = _levels(argument) if argument else (_level(value, span),) if value else None
    if role == "o":
        if levels is None:
            hint = "type io2. to omit level 2, or o. before a continuous variable to omit that"
            raise not_allowed(cursor, span, hint)
        return Operator("i", omitted=levels, times=times, span=span)
    return Operator("i", levels=levels, times=times, span=span)


def _base(cursor: Cursor, argument: Cursor, span: Span) -> float | str | tuple[str, int]:
    """The base in ``ib( ).``: a value, ``#k`` for the k-th, or first, last, freq."""
    if argument.at("first", "last", "freq", "none"):
        base: float | str | tuple[str, int] = argument.take().text
    elif argument.at("#") and argument.at_kind("digits", ahead=1):
        argument.take()
        base = ("order", int(_level(argument.take().text, span)))
        if base[1] == 0:
            raise not_allowed(cursor, span, "#1 is the lowest value")
    elif argument.at_kind("digits"):
        base = _level(argument.take().text, span)
    else:
        raise not_allowed(cursor, span, "type ib2., ib(#2)., ib(first)., ib(last)., ib(freq). or ibn.")
    if not argument.done:
        raise argument.invalid()
    return base


def _level(digits: str, span: Span) -> float:
    value = float(digits)
    if value > LARGEST_LEVEL:
        raise _outside(span)
    return value


def _levels(argument: Cursor) -> tuple[float, ...]:
    first = argument.position
    levels = tuple(dict.fromkeys(read_numlist(argument)))
    if any(level < 0 or level > LARGEST_LEVEL or level != int(level) for level in levels):
        raise _outside(argument.span_from(first))
    return levels


def _outside(span: Span) -> CommandError:
    message = f"levels of factor variables are integers from 0 to {LARGEST_LEVEL}"
    return CommandError(198, message, span=span)


# --- time ------------------------------------------------------------------------------------


def time_operator(text: str) -> TimeOperator:
    """The operator of a canonical text such as ``L2D``."""
    operator = TimeOperator()
    for letter, digits in _TIME.findall(text):
        operator = combined(operator, _single(letter, int(digits or 1)))
    return operator


def _single(letter: str, count: int) -> TimeOperator:
    match letter.upper():
        case "L":
            return TimeOperator(lag=count)
        case "F":
            return TimeOperator(lag=-count)
        case "D":
            return TimeOperator(difference=count)
        case _:
            # A seasonal difference over one period is a difference.
            return TimeOperator(difference=1) if count == 1 else TimeOperator(seasonal=(count,))


def combined(first: TimeOperator, second: TimeOperator) -> TimeOperator:
    """One operator after the other; their order does not matter."""
    return TimeOperator(
        first.lag + second.lag,
        first.difference + second.difference,
        tuple(sorted(first.seasonal + second.seasonal)),
    )


def _times(cursor: Cursor, text: str, arguments: list[Cursor], span: Span) -> tuple[TimeOperator, ...]:
    """Every operator that the text stands for: ``L(0/3)`` are four."""
    waiting = iter(arguments)
    common = TimeOperator()
    choices: list[list[TimeOperator]] = []
    count = 1
    for letter, value in _TIME.findall(text):
        numbers = read_numlist(next(waiting)) if value == "(" else (float(value or 1),)
        operators = [_counted(cursor, letter, number, span) for number in numbers]
        if len(operators) == 1:
            common = _checked(cursor, combined(common, operators[0]), span)
            continue
        choices.append(operators)
        count *= len(operators)
        if count > _MOST_OPERATORS:
            raise not_allowed(cursor, span, "these are too many lags at once")
    found: dict[TimeOperator, None] = {}
    for combination in product(*choices):
        found.setdefault(_checked(cursor, reduce(combined, combination, common), span))
    return tuple(found)


def _counted(cursor: Cursor, letter: str, number: float, span: Span) -> TimeOperator:
    if number != int(number) or abs(number) > _LARGEST_SHIFT:
        raise not_allowed(cursor, span, f"lags are whole numbers up to {_LARGEST_SHIFT}")
    count = int(number)
    if letter in "DdSs" and (count < 0 or (count == 0 and letter in "Ss")):
        raise not_allowed(cursor, span, "differences are over one period or more")
    if letter in "Dd" and count > _MOST_DIFFERENCES:
        raise _too_many(cursor, span)
    return _single(letter, count)


def _checked(cursor: Cursor, time: TimeOperator, span: Span) -> TimeOperator:
    """Refuse operators that are too large once they are combined."""
    if time.difference > _MOST_DIFFERENCES or len(time.seasonal) > _MOST_DIFFERENCES:
        raise _too_many(cursor, span)
    if abs(time.lag) > _LARGEST_SHIFT:
        raise not_allowed(cursor, span, f"lags are whole numbers up to {_LARGEST_SHIFT}")
    return time


def _too_many(cursor: Cursor, span: Span) -> CommandError:
    return not_allowed(cursor, span, f"at most {_MOST_DIFFERENCES} differences can be taken")


def not_allowed(cursor: Cursor, span: Span, hint: str | None = None) -> CommandError:
    """The error at an operator that does not exist, or not there."""
    operator = cursor.text[span[0] : span[1]]
    return CommandError(198, f"{operator} operator not allowed", span=span, hint=hint)
