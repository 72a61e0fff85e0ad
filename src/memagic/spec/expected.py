"""What may be typed at a place of a command, and where in the command's brackets that place is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from memagic.errors import CommandError
from memagic.spec.scanner import Token, scan

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Before", "Expected", "Place", "Source", "WordKind", "before_cursor", "place", "tokens_of"]

Source: TypeAlias = Literal["variable", "data", "result", "matrix", "constraint", "topic"]
WordKind: TypeAlias = Literal["command", "option", "value", "operator", "function"]

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Expected:
    """What may be typed at a place.

    Attributes
    ----------
    fragment : str
        What has been typed of it: the text just before the place.
    words : tuple of str
        Words of the language, with the opening parenthesis of an option that takes something.
    kind : str
        What kind of words they are.
    sources : tuple of str
        Where names come from that only the session knows: variables of the data, data sets, results,
        matrices, numbers of constraints, topics of the help.
    levels_of : str or None
        A variable whose values may stand here.
    quoted : bool
        Whether those values may be text between quotes, as in a condition, or are levels of a factor.
    """

    fragment: str = ""
    words: tuple[str, ...] = ()
    kind: WordKind = "value"
    sources: tuple[Source, ...] = ()
    levels_of: str | None = None
    quoted: bool = False

    def after(self, fragment: str) -> Expected:
        """The same where `fragment` has been typed."""
        return replace(self, fragment=fragment)


@dataclass(frozen=True, slots=True)
class Before:
    """The text before a place.

    Attributes
    ----------
    tokens : tuple of Token
        Those that are complete.
    fragment : str
        The word that is being typed.
    start : int
        Where it starts.
    rest : str
        The text after the place.
    """

    tokens: tuple[Token, ...]
    fragment: str
    start: int
    rest: str

    def joined(self, index: int) -> bool:
        """Whether nothing stands between a token and what follows it."""
        following = self.tokens[index + 1].start if index + 1 < len(self.tokens) else self.start
        return self.tokens[index].end == following


def before_cursor(text: str, cursor: int) -> Before | None:
    """The tokens before a place; None in a comment, in a string, and after what no command has."""
    tokens = tokens_of(text[:cursor])
    if tokens is None:
        return None
    end = tokens[-1].end if tokens else 0
    gap = _COMMENT.sub("", text[end:cursor])
    last_line = gap[gap.rfind("\n") + 1 :]
    if "//" in last_line or (not tokens and last_line.lstrip().startswith("*")):
        return None
    start = cursor
    # A name after digits without a blank, `2nd`, is one wrong word.
    while tokens and tokens[-1].kind in ("name", "digits") and tokens[-1].end == start:
        start = tokens.pop().start
    return Before(tuple(tokens), text[start:cursor], start, text[cursor:])


def tokens_of(text: str) -> list[Token] | None:
    """The tokens of a text, or None where it is not one of tokens."""
    try:
        return list(scan(text))
    except CommandError:
        return None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the end of some tokens is, in parts, options and brackets.

    Attributes
    ----------
    part : int
        How many ``||`` stand before it.
    start : int
        The index of the part's first token.
    comma : int or None
        The index of the part's first comma.
    opened : tuple of int
        The indexes of the brackets that are open, the outermost first.
    """

    part: int
    start: int
    comma: int | None
    opened: tuple[int, ...]


def place(tokens: Sequence[Token]) -> Place:
    """Where the end of these tokens is."""
    part, start = 0, 0
    comma: int | None = None
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.text in ("(", "["):
            opened.append(index)
        elif token.text in (")", "]"):
            del opened[-1:]
        elif not opened and token.text == "||":
            part, start, comma = part + 1, index + 1, None
        elif not opened and token.text == "," and comma is None:
            comma = index
    return Place(part, start, comma, tuple(opened))
