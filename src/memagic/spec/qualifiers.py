"""What restricts or weights the observations: ``in 1/10`` and ``[pweight=w]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from memagic.errors import CommandError
from memagic.spec.expression import read_expression, unexpected
from memagic.spec.slips import quoted_hint
from memagic.spec.tree import RowRange, Weight

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Command, Span

__all__ = ["WEIGHTS", "check_weights", "read_rows", "read_weight"]

WEIGHTS = ("fweight", "iweight", "pweight")

_WEIGHTS: tuple[tuple[str, int, Literal["fweight", "iweight", "pweight"]], ...] = (
    ("fweight", 2, "fweight"),
    ("frequency", 2, "fweight"),
    ("iweight", 2, "iweight"),
    ("pweight", 2, "pweight"),
)
# More digits than any data set has rows; also what int() reads at once.
_LONGEST = 15


def read_rows(cursor: Cursor) -> RowRange:
    """Read `in` and its range: ``in 5``, ``in 1/10``, ``in -10/l``."""
    first = cursor.position
    cursor.take()
    start = last = _row(cursor)
    if cursor.at("/"):
        cursor.take()
        last = _row(cursor)
    return RowRange(start, last, cursor.span_from(first))


def _row(cursor: Cursor) -> int:
    first = cursor.position
    if cursor.at("f", "F"):
        cursor.take()
        return 1
    if cursor.at("l", "L"):
        cursor.take()
        return -1
    sign = -1 if cursor.at("-") else 1
    if cursor.at("-"):
        cursor.take()
    if not cursor.at_kind("digits"):
        bracketed = cursor.at("(", "[")
        raise cursor.invalid(hint="type inlist(x, 1, 2) in a condition" if bracketed else "type in 1/10")
    digits = cursor.take().text.lstrip("0")
    if not digits or len(digits) > _LONGEST:
        raise CommandError(198, "observation numbers out of range", span=cursor.span_from(first))
    return sign * int(digits)


def read_weight(cursor: Cursor) -> Weight:
    """Read a weight in brackets: ``[pw=w]``.

    Raises
    ------
    CommandError
        A syntax error, r(198); weights that are not supported, r(101).
    """
    first = cursor.position
    inner = cursor.inside()
    if not (inner.at_kind("name") and inner.at("=", ahead=1)):
        column = inner.peek()
        if column is not None and column.kind == "string":
            raise inner.invalid(hint=quoted_hint(column.text))
        raise inner.invalid(hint="type the kind of weight: [pweight=varname]")
    word = inner.take()
    kind = next(
        (k for name, least, k in _WEIGHTS if len(word.text) >= least and name.startswith(word.text)), None
    )
    if kind is None:
        if len(word.text) > 1 and "aweight".startswith(word.text):
            raise CommandError(101, "aweights not allowed", span=word.span)
        hint = "weights are fweight, iweight and pweight"
        raise CommandError(101, "weights not allowed", span=word.span, hint=hint)
    inner.take()
    expression = read_expression(inner)
    if not inner.done:
        raise unexpected(inner)
    return Weight(kind, expression, cursor.span_from(first))


def check_weights(command: Command) -> None:
    """Refuse weights of several types, and weights where the manual has none.

    Raises
    ------
    CommandError
        r(198).
    """
    given = _given(command)
    if not given:
        return
    kind, span = given[0]
    for other, place in given[1:]:
        if other != kind:
            hint = f"use {kind} at all levels, or {other}"
            raise CommandError(198, "only one type of weight may be specified", span=place, hint=hint)
    if any(equation.factor is not None for equation in command.random):
        raise CommandError(198, "weights are not supported for crossed models", span=span)
    method = command.options.get("intmethod")
    if method is not None and method.value in ("laplace", "pclaplace"):
        hint = "weights need quadrature: leave out intmethod() for mvaghermite"
        raise CommandError(
            198, f"weights are not supported with intmethod({method.value})", span=span, hint=hint
        )


def _given(command: Command) -> list[tuple[str, Span]]:
    """The types of all weights of a command and their places, in the order of the text."""
    weight = command.fixed.weight
    found: list[tuple[str, Span]] = [] if weight is None else [(weight.kind, weight.span)]
    for equation in command.random:
        options = [equation.options[name] for name in WEIGHTS if name in equation.options]
        found += [(option.name, option.span) for option in sorted(options, key=lambda o: o.span)]
    return found
