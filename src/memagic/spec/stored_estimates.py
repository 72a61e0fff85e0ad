"""The grammar of `estimates`: which of its commands, names of results, and options.

Source: [R] estimates store, estimates replay, estimates table.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from memagic.errors import CommandError, closest
from memagic.spec.numlist import read_numlist

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Span

__all__ = ["EstimatesCommand", "read_estimates_command"]

Action: TypeAlias = Literal["store", "restore", "drop", "clear", "replay", "dir", "table"]
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
}
_OPTIONS: dict[str, dict[str, int]] = {
    "store": {"title": 5},
    "table": {"se": 2, "star": 4, "stats": 1, "eform": 2},
}
_STARS = (0.05, 0.01, 0.001)


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
    se, eform : bool
    stars : tuple of float
        Levels of significance, the largest first.
    statistics : tuple of (str, span)
    """

    action: Action
    names: tuple[Name, ...] = ()
    all_names: bool = False
    title: str = ""
    se: bool = False
    eform: bool = False
    stars: tuple[float, ...] = ()
    statistics: tuple[Name, ...] = ()


def read_estimates_command(cursor: Cursor) -> EstimatesCommand:
    """Read ``estimates action [names] [, options]``.

    Raises
    ------
    CommandError
        r(198) for what has no place; r(100) without a name where there has to be one.
    """
    cursor.take()
    action = _action(cursor)
    names, every = _names(cursor, action)
    found: dict[str, tuple[object, Span]] = {}
    if cursor.at(","):
        cursor.take()
        while not cursor.done:
            _read_option(cursor, action, found)
    if not cursor.done:
        raise cursor.invalid(hint=_wanted(action))
    if "star" in found and "se" in found:
        span = max(found["star"][1], found["se"][1])
        raise CommandError(198, "options se and star may not be combined", span=span)
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


def _names(cursor: Cursor, action: Action) -> tuple[tuple[Name, ...], bool]:
    """The names, and whether ``_all`` or ``*`` stands for them."""
    names: list[Name] = []
    every: Span | None = None
    while not cursor.done and not cursor.at(","):
        token = cursor.peek()
        assert token is not None
        if cursor.at("_all", "*") and action in ("drop", "table"):
            every = token.span
        elif token.kind == "name" or (token.text == "." and action in ("replay", "table")):
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
    most = {"store": 1, "restore": 1, "replay": 1, "dir": 0, "clear": 0}.get(action)
    if most is not None and len(names) > most:
        raise cursor.invalid(names[most][1], _wanted(action))
    return tuple(names), every is not None


def _wanted(action: Action) -> str:
    words = {
        "store": "estimates store name [, title(...)]",
        "restore": "estimates restore name",
        "drop": "estimates drop names, or estimates drop _all",
        "replay": "estimates replay [name]",
        "table": "estimates table [names] [, se star stats() eform]",
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
        if name in ("title", "stats"):
            hint = "type title(text)" if name == "title" else "type stats(ll N aic bic)"
            raise CommandError(198, f"option {name}() incorrectly specified", span=token.span, hint=hint)
        found[name] = (_STARS if name == "star" else True, token.span)
        return
    if name in ("se", "eform"):
        raise CommandError(198, f"option {name} incorrectly specified", span=token.span, hint=f"type {name}")
    opening = cursor.position
    inner = cursor.inside()
    if name == "title":
        closing = cursor.tokens[cursor.position - 1]
        words = cursor.text[cursor.tokens[opening].end : closing.start].strip()
        quoted = len(words) > 1 and words[0] == words[-1] == '"'
        found[name] = (words[1:-1] if quoted else words, token.span)
    else:
        found[name] = (_stars(inner) if name == "star" else _words(inner), token.span)


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
