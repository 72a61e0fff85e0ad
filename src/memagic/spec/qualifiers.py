"""What restricts or weights the observations: ``in 1/10`` and ``[pweight=w]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from memagic.errors import CommandError
from memagic.spec.expression import read_expression, unexpected
from memagic.spec.tree import RowRange, Weight

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor

__all__ = ["read_rows", "read_weight"]

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
    """Read a weight in brackets: ``[pw=w]``."""
    first = cursor.position
    inner = cursor.inside()
    if not (inner.at_kind("name") and inner.at("=", ahead=1)):
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
