"""What to type for a name that is no variable of the data."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from memagic.errors import closest
from memagic.spec.options import OPTIONS
from memagic.spec.slips import column_hint

__all__ = ["unknown_hint"]

_MISSING = {"nan", "na", "null", "none", "nat"}
_TRUTHS = {"true": "1", "false": "0"}


def unknown_hint(name: str, columns: Iterable[Hashable]) -> str | None:
    """A hint for ``variable name not found``, or None where nothing is near.

    Parameters
    ----------
    name : str
        As typed.
    columns : iterable
        The names of the data's columns, of any type.
    """
    columns = list(columns)
    names = [column for column in columns if isinstance(column, str)]
    if columns and not names:
        return 'the columns have numbers for names; rename them: df.add_prefix("x")'
    for column in names:
        # `my` of the column `my var`, `x` of `x.1`.
        if column.startswith(name) and len(column) > len(name) and not column.isidentifier():
            return column_hint(column)
    others = {column.lower(): column for column in reversed(names)}
    if name.lower() in others:
        return f"did you mean {others[name.lower()]}?"
    near = closest(name, names)
    if near is not None:
        return near
    if name.lower() in _MISSING:
        return "a missing value is a period: type x == . or missing(x)"
    if name.lower() in _TRUTHS:
        return f"true is 1 and false is 0: type x == {_TRUTHS[name.lower()]}"
    for spec in OPTIONS:
        if spec.kind == "flag" and len(name) >= spec.minimum and spec.name.startswith(name):
            return f"{spec.name} is an option, and options follow a comma"
    return None
