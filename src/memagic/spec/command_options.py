"""Options of the commands after estimation: names that may be abbreviated, with or without an argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from memagic.errors import CommandError, closest
from memagic.spec.numlist import signed_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Span

__all__ = [
    "Allowed",
    "Given",
    "chosen_word",
    "confidence_level",
    "number_of",
    "read_options",
    "split_options",
]

_LOWEST, _HIGHEST = 10.0, 99.99


@dataclass(frozen=True, slots=True)
class Allowed:
    """An option that a command has.

    Attributes
    ----------
    least : int
        How many letters of its name must be typed.
    argument : {"none", "required", "optional"}
    repeated : bool
        Whether it may be given more than once.
    """

    least: int
    argument: Literal["none", "required", "optional"] = "none"
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """An option as it was typed; `inner` is what stands in its parentheses."""

    name: str
    span: Span
    inner: Cursor | None = None


def split_options(cursor: Cursor, allowed: Mapping[str, Allowed]) -> tuple[Cursor, tuple[Given, ...]]:
    """What stands before the comma, and the options after it.

    Raises
    ------
    CommandError
        An option that the command does not have, or one given twice, r(198).
    """
    comma = cursor.find(",")
    body = cursor.part(cursor.position, comma)
    rest = cursor.part(min(comma + 1, cursor.stop), cursor.stop)
    return body, read_options(rest, allowed)


def read_options(rest: Cursor, allowed: Mapping[str, Allowed]) -> tuple[Given, ...]:
    """Options, perhaps with commas between them: what stands after the comma, or in parentheses.

    Raises
    ------
    CommandError
        As of `split_options`.
    """
    given: list[Given] = []
    while not rest.done:
        if rest.at(","):
            rest.take()
            continue
        option = _option(rest, allowed)
        if not allowed[option.name].repeated and any(other.name == option.name for other in given):
            raise CommandError(198, f"option {option.name} specified more than once", span=option.span)
        given.append(option)
    return tuple(given)


def _option(rest: Cursor, allowed: Mapping[str, Allowed]) -> Given:
    first = rest.position
    typed = rest.take()
    # An exact name goes before abbreviations of longer ones.
    names = [typed.text] if typed.text in allowed else []
    names += [n for n, a in allowed.items() if len(typed.text) >= a.least and n.startswith(typed.text)]
    if not names:
        hint = closest(typed.text, allowed)
        raise CommandError(198, f"option {typed.text} not allowed", span=typed.span, hint=hint)
    name = names[0]
    wants = allowed[name].argument
    if rest.at("(") and wants != "none":
        inner = rest.inside()
        return Given(name, rest.span_from(first), inner)
    if rest.at("(") or wants == "required":
        usage = name if wants == "none" else f"{name}()"
        hint = f"type {name}" if wants == "none" else f"type {name}(...)"
        raise CommandError(198, f"option {usage} incorrectly specified", span=typed.span, hint=hint)
    return Given(name, typed.span)


def number_of(option: Given, *, whole: bool = False, least: float | None = None) -> float:
    """The one number that an option has as its argument.

    Raises
    ------
    CommandError
        No number, not a whole one, or one below `least`, r(198).
    """
    inner = option.inner
    value = None if inner is None else signed_number(inner)
    bad = value is None or inner is None or not inner.done
    if bad or (whole and value != int(value or 0)) or (least is not None and (value or 0.0) < least):
        kind = "a whole number" if whole else "a number"
        hint = f"type {kind}" + ("" if least is None else f" of {least:g} or more")
        raise CommandError(198, f"option {option.name}() incorrectly specified", span=option.span, hint=hint)
    assert value is not None
    return value


def confidence_level(options: Iterable[Given]) -> float:
    """What `level()` says, in percent; 95 without it.

    Raises
    ------
    CommandError
        Out of its limits, r(198).
    """
    for option in options:
        if option.name == "level":
            level = number_of(option)
            if not _LOWEST <= level <= _HIGHEST:
                message = f"level() must be between {_LOWEST:g} and {_HIGHEST:g} inclusive"
                raise CommandError(198, message, span=option.span)
            return level
    return 95.0


def chosen_word(option: Given, words: Mapping[str, int], default: str) -> str:
    """The word in an option's parentheses, which may be abbreviated; `default` without parentheses.

    Raises
    ------
    CommandError
        Another word, r(198).
    """
    if option.inner is None:
        return default
    typed = option.inner.words()
    for word, least in words.items():
        if len(typed) >= least and word.startswith(typed):
            return word
    hint = f"type {option.name}({' | '.join(words)})"
    raise CommandError(198, f"option {option.name}() incorrectly specified", span=option.span, hint=hint)
