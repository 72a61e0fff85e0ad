r"""Matrices: ``(1, . \ 0, 1)``, ``I(2)``, ``J(2, 2, .)``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from memagic.errors import CommandError, closest
from memagic.spec.cursor import Cursor
from memagic.spec.numlist import signed_number

if TYPE_CHECKING:
    from memagic.spec.tree import Span

__all__ = ["MatrixCommand", "Rows", "parse_matrix_command"]

Rows = tuple[tuple[float, ...], ...]

_LARGEST = 100
_USAGE = r"type matrix A = (1, . \ 0, 1)"


@dataclass(frozen=True, slots=True)
class MatrixCommand:
    """What to do with which matrices.

    Attributes
    ----------
    action : {"define", "list", "dir", "drop"}
    names : tuple of str
        None stands for all.
    rows : tuple of tuple of float
        Of a matrix that is defined; nan for missing values.
    spans : tuple of (int, int)
        The places of the names.
    """

    action: Literal["define", "list", "dir", "drop"]
    names: tuple[str, ...] = ()
    rows: Rows = ()
    spans: tuple[Span, ...] = field(default=(), compare=False)


def parse_matrix_command(text: str) -> MatrixCommand:
    """Read ``matrix A = ...``, ``matrix list A``, ``matrix dir`` or ``matrix drop A``.

    Parameters
    ----------
    text : str
        The whole command.

    Raises
    ------
    CommandError
        r(198), r(503) where the rows differ in length.
    """
    try:
        cursor = Cursor(text)
        cursor.take()
        if not cursor.at("=", ahead=1):
            if cursor.at("list", "drop"):
                return _names(cursor)
            if cursor.at("dir"):
                cursor.take()
                _end(cursor)
                return MatrixCommand("dir")
            if cursor.at("define", "def", "input"):
                cursor.take()
        return _definition(cursor)
    except CommandError as error:
        raise error.located(text) from None


def _names(cursor: Cursor) -> MatrixCommand:
    action: Literal["list", "drop"] = "list" if cursor.take().text == "list" else "drop"
    names, spans = [], []
    while cursor.at_kind("name"):
        token = cursor.take()
        names.append(token.text)
        spans.append(token.span)
    _end(cursor)
    if not names:
        raise cursor.invalid(hint="the name of a matrix is expected here")
    if action == "drop" and names == ["_all"]:
        return MatrixCommand("drop")
    return MatrixCommand(action, tuple(names), (), tuple(spans))


def _definition(cursor: Cursor) -> MatrixCommand:
    if not cursor.at_kind("name"):
        raise cursor.invalid(hint=_USAGE)
    name = cursor.take()
    if not cursor.at("="):
        raise cursor.invalid(hint=_USAGE)
    cursor.take()
    rows = _value(cursor)
    _end(cursor)
    return MatrixCommand("define", (name.text,), rows, (name.span,))


def _value(cursor: Cursor) -> Rows:
    if cursor.at("("):
        inner = cursor.inside()
        return _rows(inner)
    if cursor.at_kind("name"):
        return _function(cursor)
    number = _element(cursor)
    return ((number,),)


def _rows(cursor: Cursor) -> Rows:
    rows: list[tuple[float, ...]] = []
    while True:
        first = cursor.position
        row = [_element(cursor)]
        while cursor.at(","):
            cursor.take()
            row.append(_element(cursor))
        if rows and len(row) != len(rows[0]):
            raise CommandError(
                503,
                "conformability error",
                span=cursor.span_from(first),
                hint=f"the first row has {len(rows[0])} elements, this one {len(row)}",
            )
        rows.append(tuple(row))
        if cursor.done:
            return tuple(rows)
        if not cursor.at("\\"):
            raise cursor.invalid(hint="elements are separated by commas, rows by backslashes")
        cursor.take()


def _element(cursor: Cursor) -> float:
    """A number or a missing value."""
    number = signed_number(cursor)
    if number is not None:
        return number
    if cursor.at("."):
        cursor.take()
        return math.nan
    raise cursor.invalid(hint="a number or a period, for a missing value, is expected here")


def _function(cursor: Cursor) -> Rows:
    """``I(n)``, the identity matrix, or ``J(r, c, z)``, a constant one."""
    name = cursor.take()
    if name.text not in ("I", "J") or not cursor.at("("):
        hint = closest(name.text.upper(), ("I", "J")) or _USAGE
        raise CommandError(198, f"invalid '{name.text}'", span=name.span, hint=hint)
    inner = cursor.inside()
    if name.text == "I":
        n = _size(inner)
        _end(inner)
        return tuple(tuple(float(r == c) for c in range(n)) for r in range(n))
    n_rows = _size(inner)
    _comma(inner)
    n_columns = _size(inner)
    _comma(inner)
    value = _element(inner)
    _end(inner)
    return ((value,) * n_columns,) * n_rows


def _size(cursor: Cursor) -> int:
    first = cursor.position
    number = _element(cursor)
    if not (1 <= number <= _LARGEST and number == int(number)):
        raise CommandError(
            198, f"a size must be an integer between 1 and {_LARGEST}", span=cursor.span_from(first)
        )
    return int(number)


def _comma(cursor: Cursor) -> None:
    if not cursor.at(","):
        raise cursor.invalid(hint="type J(rows, columns, value)")
    cursor.take()


def _end(cursor: Cursor) -> None:
    if not cursor.done:
        raise cursor.invalid()
