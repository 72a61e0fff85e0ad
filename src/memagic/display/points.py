"""Cells of an HTML table whose decimal points stand below each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

__all__ = ["decimals", "number_cell"]

_LONGEST_SHIFT = 9  # the largest that the style sheet knows

# Fixed notation, perhaps with stars; the places after the point count.
_FIXED = re.compile(r"-?[\d,]*(?:\.(?P<places>\d*\**))?")


def decimals(numbers: Iterable[str]) -> int:
    """Most places after the point among the numbers of a column."""
    return max((_places(number) or 0 for number in numbers), default=0)


def number_cell(number: str, deepest: int) -> str:
    """A ``td`` that is moved left by as many digits as its column has more places after the point.

    Parameters
    ----------
    number : str
        What is no number in fixed notation is not moved.
    deepest : int
        The column's places after the point.
    """
    places = _places(number)
    # A whole number lacks the point too, which is about as wide as half a digit.
    shift = 0 if places is None else min(deepest - places, _LONGEST_SHIFT)
    mark = f' class="memagic-s{shift}"' if shift else ""
    return f"<td{mark}>{escape(number)}</td>"


def _places(number: str) -> int | None:
    match = _FIXED.fullmatch(number.rstrip()) if number else None
    return None if match is None else len(match["places"] or "")
