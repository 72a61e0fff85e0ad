"""The commands `tsset`, `xtset` and `set`, as they are typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memagic.errors import CommandError, closest
from memagic.spec.cursor import Cursor
from memagic.spec.numlist import signed_number

if TYPE_CHECKING:
    from memagic.spec.tree import Span

__all__ = ["TimeCommand", "parse_set", "parse_tsset"]

_OPTIONS = ("clear", "delta", "noquery")
_SWITCH = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class TimeCommand:
    """What to set.

    Attributes
    ----------
    name : str
        The command, whose one variable is that of time for `tsset` and of the panel for `xtset`.
    names : tuple of str
        The time variable, or the panel variable and the time variable; none to show what is set.
    spans : tuple of (int, int)
        Where they stand.
    delta : float
        Time between observations.
    clear : bool
        Whether to forget what is set.
    """

    name: str
    names: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    delta: float = 1.0
    clear: bool = False


def parse_tsset(text: str) -> TimeCommand:
    """Read ``tsset [panelvar] timevar [, delta(#) clear]``.

    Raises
    ------
    CommandError
        r(198).
    """
    try:
        return _tsset(Cursor(text))
    except CommandError as error:
        error.located(text)
        raise


def _tsset(cursor: Cursor) -> TimeCommand:
    word = cursor.take().text
    names: list[str] = []
    spans: list[Span] = []
    while cursor.at_kind("name"):
        token = cursor.take()
        names.append(token.text)
        spans.append(token.span)
    if len(names) > 2:
        raise CommandError(198, "too many variables specified", span=spans[2], hint=_usage(word))
    delta, clear = 1.0, False
    if cursor.at(","):
        cursor.take()
        while not cursor.done:
            option = cursor.take()
            if option.kind != "name" or option.text not in _OPTIONS:
                hint = closest(option.text, _OPTIONS) or f"{word} takes delta() and clear"
                raise CommandError(198, f"option {option.text} not allowed", span=option.span, hint=hint)
            if option.text == "delta":
                delta = _delta(cursor, option.span)
            clear = clear or option.text == "clear"
    if not cursor.done:
        raise cursor.invalid(hint=_usage(word))
    if clear and names:
        raise CommandError(198, "clear goes without variables", span=spans[0], hint=f"type {word}, clear")
    if delta != 1.0 and not names:
        raise CommandError(198, "delta() goes with variables", span=cursor.here(), hint=_usage(word))
    return TimeCommand(word, tuple(names), tuple(spans), delta, clear)


def _usage(word: str) -> str:
    return f"type {word} timevar or {word} panelvar timevar"


def _delta(cursor: Cursor, span: Span) -> float:
    if not cursor.at("("):
        raise CommandError(198, "option delta() incorrectly specified", span=span, hint="type delta(#)")
    inner = cursor.inside()
    value = signed_number(inner)
    if value is None or value <= 0 or not inner.done:
        raise CommandError(
            198, "option delta() incorrectly specified", span=inner.here(), hint="type delta(#)"
        )
    return value


def parse_set(text: str) -> bool:
    """Read ``set varabbrev on|off``.

    Raises
    ------
    CommandError
        Another setting, or another word, r(198).
    """
    try:
        cursor = Cursor(text)
        cursor.take()
        setting, value = cursor.peek(), cursor.peek(1)
        if setting is None or setting.text != "varabbrev":
            shown = "set" if setting is None else f"set {setting.text}"
            raise CommandError(
                198,
                f"{shown} not allowed",
                span=cursor.here(),
                hint="type set varabbrev on or set varabbrev off",
            )
        cursor.take()
        if value is None or value.text not in _SWITCH or cursor.peek(1) is not None:
            raise cursor.invalid(hint="type set varabbrev on or set varabbrev off")
    except CommandError as error:
        error.located(text)
        raise
    return _SWITCH[value.text]
