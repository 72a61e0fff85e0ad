"""A place in a command's tokens, with what every part of the grammar needs to read on."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.spec.scanner import Token, scan

if TYPE_CHECKING:
    from memagic.spec.tree import Span

__all__ = ["Cursor"]

_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_CLOSING = {"(": ")", "[": "]"}


class Cursor:
    """Tokens from `position` to `stop`, with the partner of every bracket.

    Parameters
    ----------
    text : str
        The command. Its brackets are matched once, here; the parts share the tokens.
    fragment : bool
        Whether `text` is only a part of a command.
    """

    def __init__(self, text: str, *, fragment: bool = False) -> None:
        self.text = text
        self.tokens: list[Token] = list(scan(text, fragment=fragment))
        self.position = 0
        self.stop = len(self.tokens)
        self.partner = _partners(self.tokens)

    def part(self, first: int, stop: int) -> Cursor:
        """A cursor over some of the same tokens."""
        part = object.__new__(Cursor)
        part.text, part.tokens, part.partner = self.text, self.tokens, self.partner
        part.position, part.stop = first, stop
        return part

    def inside(self) -> Cursor:
        """What the bracket here encloses; this cursor moves past the closing one."""
        closing = self.partner[self.position]
        part = self.part(self.position + 1, closing)
        self.position = closing + 1
        return part

    @property
    def done(self) -> bool:
        return self.position >= self.stop

    def peek(self, ahead: int = 0) -> Token | None:
        index = self.position + ahead
        return self.tokens[index] if index < self.stop else None

    def at(self, *texts: str, ahead: int = 0) -> bool:
        """Whether the token here is one of these words or marks."""
        token = self.peek(ahead)
        return token is not None and token.text in texts

    def at_kind(self, kind: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token is not None and token.kind == kind

    def joined(self, ahead: int = 1) -> bool:
        """Whether the token `ahead` follows the one before it without a blank."""
        token = self.peek(ahead)
        return token is not None and self.tokens[self.position + ahead - 1].end == token.start

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def find(self, *texts: str) -> int:
        """The index of the first of these marks outside brackets, or `stop`."""
        index = self.position
        while index < self.stop and self.tokens[index].text not in texts:
            index = self.partner.get(index, index) + 1
        return min(index, self.stop)

    def here(self) -> Span:
        """The place of the next token, or just after the last one."""
        token = self.peek()
        if token is not None:
            return token.span
        end = self.tokens[self.stop - 1].end if self.stop > 0 else 0
        return (end, end + 1)

    def span_from(self, first: int) -> Span:
        """The place of the tokens from index `first` to the last one taken."""
        return (self.tokens[first].start, self.tokens[max(first, self.position - 1)].end)

    def number(self) -> float | None:
        """Take an unsigned number, if there is one here.

        Raises
        ------
        CommandError
            If letters follow the digits or the number is too large.
        """
        token = self.peek()
        if token is None or not (token.kind == "digits" or token.text == "."):
            return None
        match = _NUMBER.match(self.text, token.start)
        if match is None:
            return None
        while not self.done and self.tokens[self.position].start < match.end():
            self.position += 1
        value = float(match[0])
        end = max(match.end(), self.tokens[self.position - 1].end)
        if self.at_kind("name") and self.tokens[self.position].start == end:
            end = self.tokens[self.position].end
        if end > match.end() or not math.isfinite(value):
            raise self.invalid((token.start, end))
        return value

    def words(self) -> str:
        """The tokens left, with one blank where there was white space."""
        pieces: list[str] = []
        for index in range(self.position, self.stop):
            token = self.tokens[index]
            if index > self.position and self.tokens[index - 1].end < token.start:
                pieces.append(" ")
            pieces.append(token.text)
        return "".join(pieces)

    def invalid(self, span: Span | None = None, hint: str | None = None) -> CommandError:
        """The error at something that has no place here."""
        span = self.here() if span is None else span
        if span[0] >= len(self.text) or (self.done and span == self.here()):
            return CommandError(198, "invalid syntax", span=span, hint=hint)
        if self.text.startswith("# ", span[0]) and self.text[span[0] - 1 : span[0]].isspace():
            hint = hint or "a comment starts with //"
        return CommandError(198, f"invalid '{self.text[span[0] : span[1]]}'", span=span, hint=hint)


def _partners(tokens: list[Token]) -> dict[int, int]:
    """The index of each opening bracket's closing one."""
    partner: dict[int, int] = {}
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind != "mark":
            continue
        if token.text in _CLOSING:
            opened.append(index)
        elif token.text in (")", "]"):
            if not opened:
                raise CommandError(132, "too many ')' or ']'", span=token.span)
            opening = opened.pop()
            if _CLOSING[tokens[opening].text] != token.text:
                raise _unclosed(tokens[opening])
            partner[opening] = index
    if opened:
        raise _unclosed(tokens[opened[-1]])
    return partner


def _unclosed(token: Token) -> CommandError:
    hint = f"this {token.text} is never closed"
    return CommandError(132, "too few ')' or ']'", span=token.span, hint=hint)
