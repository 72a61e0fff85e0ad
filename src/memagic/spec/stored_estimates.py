"""The grammar of `estimates`: which of its commands, names of results, and options.

Source: [R] estimates store, estimates replay, estimates save, estimates stats, estimates table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from memagic.errors import CommandError, closest
from memagic.spec.numlist import read_numlist

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Span

__all__ = ["EstimatesCommand", "read_estimates_command"]

Action: TypeAlias = Literal[
    "store", "restore", "drop", "clear", "replay", "dir", "table", "stats", "save", "use"
]
Name: TypeAlias = "tuple[str, Span]"

# How many letters of each must be typed. A lone r is replay.
_ACTIONS: dict[str, int] = {
    "store": 3,
    "replay": 1,
    "restore": 3,
    "dir": 3,
    "drop": 4,
    "clear": 5,
    "table": 3,
    "stats": 4,
    "save": 4,
    "use": 3,
}
_OPTIONS: dict[str, dict[str, int]] = {
    "store": {"title": 5},
    "table": {
        "b": 1,
        "se": 2,
        "t": 1,
        "p": 1,
        "star": 4,
        "stats": 1,
        "eform": 2,
        "keep": 4,
        "drop": 4,
    },
    "stats": {"n": 1},
    "save": {"replace": 7, "remove_data": 11},
}
_STARS = (0.05, 0.01, 0.001)
# Options with something in parentheses, as an example shows it.
_VALUES = {
    "title": "title(text)",
    "stats": "stats(ll N aic bic)",
    "b": "b(%9.4f)",
    "se": "se(%9.4f)",
    "t": "t(%7.2f)",
    "p": "p(%7.4f)",
    "keep": "keep(age 1.urban)",
    "drop": "drop(_cons)",
    "n": "n(#)",
}
# Those whose parentheses have a format, and may be left out.
_FORMATTED = ("b", "se", "t", "p")
# Widths below eight have no room for a number in general format.
_FORMAT = re.compile(r"%[1-9][0-9]?\.[0-9]fc?|%(?:[89]|[1-9][0-9])\.0g")


@dataclass(frozen=True, slots=True)
class EstimatesCommand:
    """What was typed after `estimates`.

    Attributes
    ----------
    action : str
    names : tuple of (str, span)
        A point stands for the last estimates.
    all_names : bool
        Whether ``_all`` was typed in place of names.
    title : str
    se, t, p, eform : bool
    formats : mapping of str to str
        The formats of ``b``, ``se``, ``t`` and ``p`` that were typed, ``%9.4f``.
    keep, drop : tuple of (str, span)
        Names of the parameters that a table has, or has not.
    stars : tuple of float
        Levels of significance, the largest first.
    statistics : tuple of (str, span)
    n : float or None
        The number of observations for BIC.
    file : str
        As typed, without quotes.
    file_span : span
    replace, remove_data : bool
    """

    action: Action
    names: tuple[Name, ...] = ()
    all_names: bool = False
    title: str = ""
    se: bool = False
    eform: bool = False
    stars: tuple[float, ...] = ()
    statistics: tuple[Name, ...] = ()
    t: bool = False
    p: bool = False
    formats: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[Name, ...] = ()
    drop: tuple[Name, ...] = ()
    n: float | None = None
    file: str = ""
    file_span: Span = (0, 0)
    replace: bool = False
    remove_data: bool = False


def read_estimates_command(cursor: Cursor) -> EstimatesCommand:
    """Read ``estimates action [names] [, options]``.

    Raises
    ------
    CommandError
        r(198) for what has no place; r(100) without a name where there has to be one.
    """
    cursor.take()
    action = _action(cursor)
    file, place = _file(cursor, action) if action in ("save", "use") else ("", (0, 0))
    names, every = _names(cursor, action)
    found: dict[str, tuple[object, Span]] = {}
    if cursor.at(","):
        cursor.take()
        while not cursor.done:
            _read_option(cursor, action, found)
    if not cursor.done:
        raise cursor.invalid(hint=_wanted(action))
    for first, second in (("se", "star"), ("t", "star"), ("p", "star"), ("keep", "drop")):
        if first in found and second in found:
            span = max(found[first][1], found[second][1])
            raise CommandError(198, f"options {first} and {second} may not be combined", span=span)
    value = {name: given for name, (given, _) in found.items()}
    return EstimatesCommand(
        action,
        names,
        every,
        title=cast("str", value.get("title", "")),
        se="se" in value,
        eform="eform" in value,
        stars=cast("tuple[float, ...]", value.get("star", ())),
        statistics=cast("tuple[Name, ...]", value.get("stats", ())),
        t="t" in value,
        p="p" in value,
        formats={name: given for name in _FORMATTED if isinstance(given := value.get(name), str)},
        keep=cast("tuple[Name, ...]", value.get("keep", ())),
        drop=cast("tuple[Name, ...]", value.get("drop", ())),
        n=cast("float | None", value.get("n")),
        file=file,
        file_span=place,
        replace="replace" in value,
        remove_data="remove_data" in value,
    )


def _action(cursor: Cursor) -> Action:
    if cursor.done:
        hint = f"type one of {', '.join(_ACTIONS)} after estimates"
        raise CommandError(198, "subcommand required", span=cursor.here(), hint=hint)
    token = cursor.take()
    for name, minimum in _ACTIONS.items():
        if len(token.text) >= minimum and name.startswith(token.text):
            return cast("Action", name)
    hint = closest(token.text, _ACTIONS) or f"subcommands are {', '.join(_ACTIONS)}"
    raise CommandError(198, f"invalid subcommand {token.text}", span=token.span, hint=hint)


def _file(cursor: Cursor, action: Action) -> tuple[str, Span]:
    """A file's name and its place: between quotes, or all that stands before the comma."""
    if cursor.done or cursor.at(","):
        raise CommandError(100, "filename required", span=cursor.here(), hint=_wanted(action))
    first = cursor.position
    cursor.position = cursor.find(",")
    span = cursor.span_from(first)
    if cursor.tokens[first].kind != "string":
        return cursor.text[slice(*span)], span
    if cursor.position > first + 1:
        raise cursor.invalid(cursor.tokens[first + 1].span, _wanted(action))
    token = cursor.tokens[first]
    quotes = 2 if token.text.startswith("`") else 1
    return token.text[quotes:-quotes].strip(), span


def _names(cursor: Cursor, action: Action) -> tuple[tuple[Name, ...], bool]:
    """The names, and whether ``_all`` or ``*`` stands for them."""
    names: list[Name] = []
    every: Span | None = None
    while not cursor.done and not cursor.at(","):
        token = cursor.peek()
        assert token is not None
        if cursor.at("_all", "*") and action in ("drop", "table", "stats"):
            every = token.span
        elif token.kind == "name" or (token.text == "." and action in ("replay", "table", "stats")):
            if token.text == "_all":
                raise CommandError(198, "_all invalid name", span=token.span)
            names.append((token.text, token.span))
        else:
            raise cursor.invalid(hint="names are letters, digits and underscores")
        cursor.take()
    if every is not None and names:
        raise CommandError(198, "_all may not be combined with names", span=every)
    if action in ("store", "restore", "drop") and not names and every is None:
        raise CommandError(100, "name required", span=cursor.here(), hint=_wanted(action))
    most = {"store": 1, "restore": 1, "replay": 1, "dir": 0, "clear": 0, "save": 0, "use": 0}.get(action)
    if most is not None and len(names) > most:
        raise cursor.invalid(names[most][1], _wanted(action))
    return tuple(names), every is not None


def _wanted(action: Action) -> str:
    words = {
        "store": "estimates store name [, title(...)]",
        "restore": "estimates restore name",
        "drop": "estimates drop names, or estimates drop _all",
        "replay": "estimates replay [name]",
        "table": "estimates table [names] [, b() se() t() p() star stats() eform keep() drop()]",
        "stats": "estimates stats [names] [, n(#)]",
        "save": 'estimates save "file" [, replace remove_data]',
        "use": 'estimates use "file"',
    }
    return f"type {words.get(action, f'estimates {action}')}"


def _read_option(cursor: Cursor, action: Action, found: dict[str, tuple[object, Span]]) -> None:
    """Read one option into `found`."""
    if cursor.at(","):
        cursor.take()
        return
    token = cursor.take()
    known = _OPTIONS.get(action, {})
    name = next(
        (n for n, least in known.items() if len(token.text) >= least and n.startswith(token.text)), ""
    )
    if not name:
        hint = closest(token.text, known) or _wanted(action)
        raise CommandError(198, f"option {token.text} not allowed", span=token.span, hint=hint)
    if name in found:
        raise CommandError(198, f"option {name} specified more than once", span=token.span)
    if not cursor.at("("):
        if name in _VALUES and name not in _FORMATTED:
            message = f"option {name}() incorrectly specified"
            raise CommandError(198, message, span=token.span, hint=f"type {_VALUES[name]}")
        found[name] = (_STARS if name == "star" else True, token.span)
        return
    if name not in _VALUES and name != "star":
        raise CommandError(198, f"option {name} incorrectly specified", span=token.span, hint=f"type {name}")
    found[name] = (_value(cursor, name), token.span)


def _value(cursor: Cursor, name: str) -> object:
    """What stands in an option's parentheses."""
    opening = cursor.tokens[cursor.position]
    inner = cursor.inside()
    if name == "star":
        return _stars(inner)
    if name == "stats":
        return _words(inner)
    first, stop = opening.end, cursor.tokens[cursor.position - 1].start
    words = cursor.text[first:stop]
    if name in ("keep", "drop") and words.strip():
        places = ((first + match.start(), first + match.end()) for match in re.finditer(r"\S+", words))
        return tuple({cursor.text[slice(*place)]: place for place in places}.items())
    words = words.strip()
    if name == "title":
        quoted = len(words) > 1 and words[0] == words[-1] == '"'
        return words[1:-1] if quoted else words
    if name in _FORMATTED and _FORMAT.fullmatch(words):
        return words
    if name == "n" and inner.number() is not None and inner.done:
        return float(words)
    message = f"option {name}() incorrectly specified"
    raise CommandError(198, message, span=(first, max(stop, first + 1)), hint=f"type {_VALUES[name]}")


def _stars(inner: Cursor) -> tuple[float, ...]:
    first = inner.position
    levels = tuple(float(level) for level in read_numlist(inner))
    falling = all(a > b for a, b in pairwise(levels))
    if not 1 <= len(levels) <= 3 or not falling or not all(0.0 < level < 1.0 for level in levels):
        hint = "type up to three levels from large to small: star(.05 .01 .001)"
        raise CommandError(198, "option star() incorrectly specified", span=inner.span_from(first), hint=hint)
    return levels


def _words(inner: Cursor) -> tuple[Name, ...]:
    words: list[Name] = []
    while not inner.done:
        if not inner.at_kind("name"):
            raise inner.invalid(hint="type stats(ll N aic bic)")
        token = inner.take()
        words.append((token.text, token.span))
    if not words:
        raise CommandError(198, "option stats() incorrectly specified", span=inner.here())
    return tuple(dict(words).items())
