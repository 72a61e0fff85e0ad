"""Text to tokens, each with its place in the text. Comments and line ends are white space."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from memagic.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memagic.spec.tree import Span

__all__ = ["Token", "scan"]

_PASTED_PROMPT = re.compile(r"\.(?=[ \t]|$)", re.MULTILINE)
_PASTED_CONTINUATION = re.compile(r"^>(?=[ \t]|$)", re.MULTILINE)
_BLANKS = re.compile(r"\s+")
_DIGITS = re.compile(r"[0-9]+")
_OTHER_QUOTES = "'`\u2018\u2019\u201c\u201d"
_MARKS = ("||", "##", "==", "!=", "~=", "<=", ">=")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a run of digits, a string with its quotes, or a mark such as ``||``.

    Digits are not numbers yet: only the grammar knows whether ``2.x`` is a level or starts a number.
    """

    kind: Literal["name", "digits", "string", "mark"]
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        return (self.start, self.end)


def scan(text: str, *, fragment: bool = False) -> Iterator[Token]:
    """Read the tokens of one command.

    Parameters
    ----------
    text : str
        The command; what a manual's page puts before a line (``. `` and ``> ``) may still be there.
    fragment : bool
        Whether `text` is a part of a command, where ``*`` and ``.`` at the start mean themselves.

    Yields
    ------
    Token
        In the order of the text.

    Raises
    ------
    CommandError
        At a quote or a comment that does not end, or a character that no command has.
    """
    # Blanks of the same length, so that positions stay those of the text.
    source = _PASTED_CONTINUATION.sub(" ", text)
    position = 0
    started = fragment
    line_start = True
    while position < len(source):
        character = source[position]
        if blanks := _BLANKS.match(source, position):
            line_start = line_start or "\n" in blanks[0]
            position = blanks.end()
        elif not started and line_start and _is_prompt(source, position):
            position += 1
        elif source.startswith("//", position) or (not started and line_start and character == "*"):
            # `///` needs no case of its own: a line end is white space anyway.
            position = _end_of_line(source, position)
        elif source.startswith("/*", position):
            end = source.find("*/", position + 2)
            if end < 0:
                raise CommandError(
                    198, "comment without an end", span=(position, position + 2), hint="type */"
                )
            position = end + 2
            line_start = False
        else:
            token = _token(source, position)
            yield token
            position = token.end
            started = True
            line_start = False


def _is_prompt(source: str, position: int) -> bool:
    at_line_start = position == 0 or source[position - 1] == "\n"
    return at_line_start and _PASTED_PROMPT.match(source, position) is not None


def _end_of_line(source: str, position: int) -> int:
    end = source.find("\n", position)
    return len(source) if end < 0 else end


def _token(source: str, start: int) -> Token:
    """The token that starts at a character that is neither blank nor comment."""
    character = source[start]
    if character.isidentifier():
        end = start + 1
        # "a" + c tells the characters that may go on a word (digits, combining accents).
        while end < len(source) and ("a" + source[end]).isidentifier():
            end += 1
        return Token("name", source[start:end], start, end)
    if digits := _DIGITS.match(source, start):
        return Token("digits", digits[0], start, digits.end())
    if character == '"' or source.startswith('`"', start):
        return _string(source, start)
    if source[start : start + 2] in _MARKS:
        return Token("mark", source[start : start + 2], start, start + 2)
    if character in "+-*/^<>=!~&|()[]{},:.#?@%;$\\":
        return Token("mark", character, start, start + 1)
    hint = _quotes_hint(source, start) if character in _OTHER_QUOTES else None
    raise CommandError(198, f"{character} invalid character", span=(start, start + 1), hint=hint)


def _quotes_hint(source: str, start: int) -> str:
    """What to type for text in other quotes than double ones."""
    closed = re.compile(f"[{_OTHER_QUOTES}]([^{_OTHER_QUOTES}\\n]{{1,40}})[{_OTHER_QUOTES}]").match(
        source, start
    )
    return f'text goes between double quotes: "{closed[1] if closed else "..."}"'


def _string(source: str, start: int) -> Token:
    """A string in double quotes, or in compound double quotes where it has quotes inside."""
    opening, closing = ('`"', "\"'") if source[start] == "`" else ('"', '"')
    end = source.find(closing, start + len(opening))
    if end < 0:
        raise CommandError(
            132, "too few quotes", span=(start, start + len(opening)), hint="this quote is never closed"
        )
    end += len(closing)
    return Token("string", source[start:end], start, end)
