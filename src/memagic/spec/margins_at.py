"""The grammar of `at()` in margins.

Source: [R] margins, option at().
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.spec.expression import read_expression, unexpected
from memagic.spec.numlist import read_numlist, signed_number
from memagic.spec.operators import prefix_end, read_operator

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Expression, Span

__all__ = ["AtItem", "read_at"]

_STATISTIC = re.compile(r"o?(mean|median|p[1-9][0-9]?|min|max|zero|base|asobserved|asbalanced)")
_USAGE = "type at(x=1), at(x=(1 2 3)), at(x=(0(10)50)), at((mean) _all) or at(x=generate(x+1))"


@dataclass(frozen=True, slots=True)
class AtItem:
    """One part of `at()`: values of a variable, an expression for it, or a statistic of several.

    Attributes
    ----------
    names : tuple of str
        ``_all``, ``_factor`` and ``_continuous`` stand for lists.
    values : tuple of float
        Empty for the others.
    statistic : str
        ``mean``, ``p25``, with the prefix o over all observations; empty for the others.
    expression : Expression or None
    """

    names: tuple[str, ...]
    values: tuple[float, ...] = ()
    statistic: str = ""
    expression: Expression | None = None
    text: str = ""
    span: Span = (0, 0)


def read_at(inner: Cursor) -> tuple[AtItem, ...]:
    """Read what stands in ``at()``.

    Raises
    ------
    CommandError
        r(198) for a syntax error, r(121) for a list of numbers that is none.
    """
    items: list[AtItem] = []
    while not inner.done:
        items.append(_statistic(inner) if inner.at("(") else _values(inner))
    return tuple(items)


def _statistic(inner: Cursor) -> AtItem:
    first = inner.position
    word = inner.inside().words().replace(" ", "")
    match = _STATISTIC.fullmatch(word)
    if match is None:
        hint = "statistics are mean, median, p1 to p99, min, max, zero, base, asobserved, asbalanced"
        raise CommandError(198, f"{word} invalid statistic", span=inner.span_from(first), hint=hint)
    names: list[str] = []
    while not inner.done and not inner.at("("):
        ahead = inner.part(inner.position, inner.stop)
        name = read_variable(ahead)
        if ahead.at("="):
            break
        names.append(name)
        inner.position = ahead.position
    if not names:
        raise inner.invalid(hint="type at((mean) _all), at((median) x z)")
    return AtItem(tuple(names), statistic=word, span=inner.span_from(first))


def _values(inner: Cursor) -> AtItem:
    first = inner.position
    name = read_variable(inner)
    if not inner.at("="):
        raise inner.invalid(hint=_USAGE)
    inner.take()
    if inner.at("generate", "gen") and inner.at("(", ahead=1):
        inner.take()
        part = inner.inside()
        text = part.words()
        expression = read_expression(part)
        if not part.done:
            raise unexpected(part)
        return AtItem((name,), expression=expression, text=text, span=inner.span_from(first))
    if inner.at("("):
        values = read_numlist(inner.inside())
    else:
        value = signed_number(inner)
        if value is None:
            raise inner.invalid(hint=_USAGE)
        values = (value,)
    return AtItem((name,), values=values, span=inner.span_from(first))


def read_variable(inner: Cursor) -> str:
    """A variable's name, perhaps with a time-series operator: ``L2.x``."""
    end = prefix_end(inner)
    time = ""
    if end is not None:
        operator = read_operator(inner, end)
        if len(operator.times) > 1 or operator.kind == "i":
            raise inner.invalid(operator.span, "one variable is expected here: x, L.x")
        time = f"{operator.times[0]}." if operator.in_time else ""
    if not inner.at_kind("name"):
        raise inner.invalid(hint=_USAGE)
    return time + inner.take().text
