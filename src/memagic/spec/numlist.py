"""Number lists: ``1 2 3``, ``1/3``, ``1(2)9``, ``1 2 to 4``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.spec.cursor import Cursor

if TYPE_CHECKING:
    from memagic.spec.tree import Span

__all__ = ["parse_numlist", "read_numlist", "signed_number"]

# The manual's limit. It also bounds the memory that a mistyped range could take.
_MOST = 2500


def parse_numlist(text: str) -> tuple[float, ...]:
    """Expand a number list.

    Parameters
    ----------
    text : str
        For example ``"1/3 10 15 to 30"``.

    Returns
    -------
    tuple of float
        Every number, in the order of the text.

    Raises
    ------
    CommandError
        r(121) if it is not a number list, r(123) if it has more than 2,500 numbers.
    """
    try:
        return read_numlist(Cursor(text, fragment=True))
    except CommandError as error:
        error.located(text)
        raise


def read_numlist(cursor: Cursor) -> tuple[float, ...]:
    """Expand the number list that the rest of `cursor` is.

    Raises
    ------
    CommandError
        No list of numbers, r(121); none at all, r(122); too many, r(123).
    """
    numbers: list[float] = []
    first = cursor.position
    if cursor.done:
        raise CommandError(122, "invalid numlist has too few elements", span=cursor.here())
    while not cursor.done:
        if numbers and cursor.at(","):
            cursor.take()
        here = cursor.position
        if cursor.at("to", ":"):
            cursor.take()
            span = cursor.span_from(first)
            if len(numbers) < 2:
                raise _invalid(span, "give two numbers before it: 1 2 to 4")
            step, start, last = numbers[-1] - numbers[-2], numbers.pop(), _number(cursor)
            more = _steps(start, step, last, cursor.span_from(here))
        else:
            start = _number(cursor)
            if cursor.at("/"):
                cursor.take()
                last = _number(cursor)
                more = _steps(start, 1.0 if last >= start else -1.0, last, cursor.span_from(here))
            elif cursor.at("(", "["):
                inner = cursor.inside()
                step = _number(inner)
                if not inner.done:
                    raise _invalid(inner.here())
                last = _number(cursor)
                more = _steps(start, step, last, cursor.span_from(here))
            else:
                more = [start]
        numbers.extend(more)
        if len(numbers) > _MOST:
            raise CommandError(123, "invalid numlist has too many elements", span=cursor.span_from(first))
    return tuple(numbers)


def signed_number(cursor: Cursor) -> float | None:
    """Take a number with an optional sign, if there is one here."""
    before = cursor.position
    sign = -1.0 if cursor.at("-") else 1.0
    if cursor.at("-", "+"):
        cursor.take()
    value = cursor.number()
    if value is None:
        cursor.position = before
        return None
    # Adding zero keeps -0 out of labels.
    return sign * value + 0.0


def _number(cursor: Cursor) -> float:
    value = signed_number(cursor)
    if value is None:
        raise _invalid(cursor.here())
    return value


def _steps(start: float, step: float, last: float, span: Span) -> list[float]:
    """The numbers from `start` by `step` up to `last`, which need not be hit."""
    ratio = (last - start) / step if step else math.nan
    if not ratio >= 0:
        raise _invalid(span, "the step does not lead from the first number to the last")
    if ratio >= _MOST:
        raise CommandError(123, "invalid numlist has too many elements", span=span)
    # Steps such as .1 are not exact in binary: without the allowance 0(.1).3 would stop at .2.
    return [start + k * step for k in range(math.floor(ratio + 1e-9) + 1)]


def _invalid(span: Span, hint: str | None = None) -> CommandError:
    return CommandError(121, "invalid numlist", span=span, hint=hint)
