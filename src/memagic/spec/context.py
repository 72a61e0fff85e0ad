"""What may be typed at a place of a command: the one question that completion asks of the language.

Nothing here raises: where the text makes no sense, nothing is expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memagic.spec.context_commands import SHAPES, in_command, shape_of
from memagic.spec.context_equations import in_estimation, in_expression
from memagic.spec.expected import Before, Expected, before_cursor, place, tokens_of
from memagic.spec.options import COMMANDS
from memagic.spec.prefixes import prefix_of

if TYPE_CHECKING:
    from memagic.spec.scanner import Token

__all__ = ["expected"]

_PREFIXES = ("quietly", "noisily", "capture", "by", "bysort", "svy:")

_COMMAND_WORDS = (*COMMANDS, *SHAPES, *_PREFIXES)
"""What a command may begin with."""


def expected(text: str, cursor: int | None = None) -> Expected | None:
    """What may be typed at a place of a command.

    Parameters
    ----------
    text : str
        One command, perhaps with prefixes, perhaps not finished.
    cursor : int, optional
        The place: how many characters of `text` stand before it; all of them by default.

    Returns
    -------
    Expected or None
        None in comments and strings, and where nothing can be said. Its `fragment` is the text just
        before the place, perhaps nothing.
    """
    cursor = len(text) if cursor is None else min(max(cursor, 0), len(text))
    before = before_cursor(text, cursor)
    if before is None:
        return None
    found = _in_command(before, text)
    if found is None or (found.levels_of is not None and not found.quoted):
        # The level of an operator is a part of the word: the digits of `ib2`.
        return found
    return found.after(before.fragment)


def _in_command(before: Before, text: str) -> Expected | None:
    """Pass the prefixes over, then ask the command."""
    index, words = 0, _COMMAND_WORDS
    while index < len(before.tokens):
        word = before.tokens[index].text
        kind = "svy" if word == "svy" else prefix_of(word)
        if kind is None:
            break
        index += 1
        if kind in ("by", "bysort", "svy"):
            colon = _colon(before.tokens, index)
            if colon is None:
                inside = before.tokens[index:]
                return _in_survey_prefix(inside) if kind == "svy" else _in_by(inside)
            index, words = colon + 1, (COMMANDS if kind == "svy" else (*COMMANDS, *_PREFIXES))
        elif index < len(before.tokens) and before.tokens[index].text == ":":
            index += 1
    if index == len(before.tokens):
        return Expected(words=tuple(words), kind="command")
    name = before.tokens[index].text
    if name in COMMANDS:
        everything = tokens_of(text) or before.tokens
        # What is being typed is not given yet.
        others = [token for token in everything[index + 1 :] if not token.start <= before.start < token.end]
        return in_estimation(before, index, others)
    shape = shape_of(name)
    return None if shape is None else in_command(shape, before.tokens[index + 1 :])


def _colon(tokens: tuple[Token, ...], first: int) -> int | None:
    """The index of the colon that ends a prefix."""
    for index in range(first, len(tokens)):
        if tokens[index].text == ":" and not place(tokens[first:index]).opened:
            return index
    return None


def _in_by(tokens: tuple[Token, ...]) -> Expected:
    """``by varlist, options``."""
    if place(tokens).comma is not None:
        return Expected(words=("sort", "rc0"), kind="option")
    return Expected(sources=("variable",))


def _in_survey_prefix(tokens: tuple[Token, ...]) -> Expected | None:
    """``svy, subpop(...) dof(#)``."""
    here = place(tokens)
    if here.comma is None:
        return Expected(words=("linearized",)) if not tokens else None
    if not here.opened:
        return Expected(words=("subpop(", "dof("), kind="option")
    word, inner = tokens[here.opened[0] - 1].text, tokens[here.opened[0] + 1 :]
    if not word.startswith("sub"):
        return None
    if inner and inner[0].text == "if":
        return in_expression(inner[1:])
    return Expected(words=("if",), kind="operator", sources=("variable",)) if not inner else None
