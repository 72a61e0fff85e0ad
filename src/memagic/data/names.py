"""Variables by what was typed for them: names, abbreviations, patterns and ranges.

Source: [U] 11.4 varname and varlists.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence

from memagic.data.unknown import unknown_hint
from memagic.errors import CommandError

Span = tuple[int, int]

__all__ = ["is_list", "match_name", "match_names"]

# In a variable list: every variable of the data.
_ALL_VARIABLES = "_all"

_WILD = re.compile(r"[*?~]")
# Of the candidates of an ambiguous abbreviation as many are listed.
_MOST_LISTED = 10


def is_list(typed: str) -> bool:
    """Whether the text may stand for several variables."""
    return typed == _ALL_VARIABLES or "-" in typed or _WILD.search(typed) is not None


def match_name(
    typed: str,
    names: Sequence[str],
    span: Span | None = None,
    *,
    abbreviations: bool = True,
    columns: Iterable[Hashable] | None = None,
) -> str:
    """The one variable that a name or an abbreviation means.

    Parameters
    ----------
    typed : str
    names : sequence of str
        The variables of the data, in their order.
    span : tuple of int, optional
        The place of `typed`, for the error.
    abbreviations : bool
        Whether the first letters are enough where no other variable starts with them.
    columns : iterable, optional
        All columns of the data, also those whose names no command can have, for the hint.

    Raises
    ------
    CommandError
        ``variable x not found`` or ``x ambiguous abbreviation``, r(111).
    """
    if typed in names:
        return typed
    begun = [name for name in names if name.startswith(typed)]
    if abbreviations and len(begun) == 1:
        return begun[0]
    if abbreviations and begun:
        raise CommandError(
            111, f"{typed} ambiguous abbreviation", span=span, hint=f"it may be {_some(begun)}"
        )
    if begun:
        hint: str | None = f"abbreviations are off (set varabbrev off); it may be {_some(begun)}"
    else:
        hint = unknown_hint(typed, names if columns is None else columns)
    raise CommandError(111, f"variable {typed} not found", span=span, hint=hint)


def match_names(
    typed: str, names: Sequence[str], span: Span | None = None, *, abbreviations: bool = True
) -> list[str]:
    """The variables that a name, a pattern, a range or `_all` stands for, in the order of the data.

    Raises
    ------
    CommandError
        No variable is meant, or several by an abbreviation or by ``x~y``, r(111).
    """
    if typed in names:
        return [typed]
    if typed == _ALL_VARIABLES:
        return list(names)
    if _WILD.search(typed):
        return _matching(typed, names, span)
    if "-" in typed:
        first, last = (match_name(end, names, span, abbreviations=abbreviations) for end in typed.split("-"))
        at, to = names.index(first), names.index(last)
        if at > to:
            hint = f"{last} comes before {first} in the data; type {last}-{first}"
            raise CommandError(111, f"{typed}: variables out of order", span=span, hint=hint)
        return list(names[at : to + 1])
    return [match_name(typed, names, span, abbreviations=abbreviations)]


def _matching(typed: str, names: Sequence[str], span: Span | None) -> list[str]:
    """The variables of a pattern."""
    # Pieces between stars are found one after the other: one pattern for all of them could try
    # every way to divide a name.
    pieces = [
        re.compile("".join("." if c == "?" else re.escape(c) for c in piece), re.DOTALL)
        for piece in re.split(r"[*~]", typed)
    ]
    found = [name for name in names if _fits(pieces, name)]
    if not found:
        parts = typed.split("*")
        product = len(parts) == 2 and all(part in names for part in parts)
        hint = f"interactions are {'#'.join(parts)}, or {'##'.join(parts)}" if product else None
        if "**" in typed:
            hint = "powers are products: c.x#c.x is the square of x"
        raise CommandError(111, f"variable {typed} not found", span=span, hint=hint)
    if "~" in typed and len(found) > 1:
        raise CommandError(
            111, f"{typed} ambiguous abbreviation", span=span, hint=f"it may be {_some(found)}"
        )
    return found


def _fits(pieces: list[re.Pattern[str]], name: str) -> bool:
    """Whether a name is these pieces, each of a fixed length, with anything between them."""
    first, *others = pieces
    if not others:
        return first.fullmatch(name) is not None
    start = first.match(name)
    position = None if start is None else start.end()
    for piece in others[:-1]:
        found = None if position is None else piece.search(name, position)
        position = None if found is None else found.end()
    if position is None:
        return False
    return any(others[-1].fullmatch(name, k) for k in range(position, len(name) + 1))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_LISTED])
    return f"{shown} and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else shown
