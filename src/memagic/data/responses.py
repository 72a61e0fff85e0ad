"""What to make of a response that is text or categories, in the words of pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.data.columns import category_words, wrong_type

if TYPE_CHECKING:
    import pandas as pd

    from memagic.data.variables import Variables
    from memagic.spec.tree import Command

__all__ = ["recoding_hint", "refuse_text", "response_words"]

_ORDINAL = ("meologit", "meoprobit")
_COUNTS = ("mepoisson", "menbreg")
# As many as a line has room for.
_MOST_LISTED = 6


def refuse_text(command: Command, variables: Variables) -> None:
    """Refuse a response that is text, with what to make of it.

    Raises
    ------
    CommandError
        ``type mismatch``, r(109).
    """
    name, span = command.depvar.variable, command.depvar.span
    if name not in variables.frame.columns or category_words(variables.series(name, span)) is not None:
        return
    values = variables.values(name, span)
    if values.dtype == object:
        words = sorted(set(values) - {""})
        raise wrong_type(name, "is a string variable", span, _hint(command.name, name, words))


def _hint(command: str, name: str, words: list[str]) -> str:
    """What makes numbers, true and false, or ordered categories of text."""
    column = f'df["{name}"]'
    if command in _COUNTS or all(_is_number(word) for word in words):
        return f"make it numeric: {column} = pd.to_numeric({column})"
    if command in _ORDINAL:
        listed = ", ".join(f'"{word}"' for word in words[:_MOST_LISTED])
        listed += ", ..." if len(words) > _MOST_LISTED else ""
        return f"give its values an order, the lowest first: {column} = pd.Categorical({column}, [{listed}])"
    return f'make it true and false: {column} = {column} == "{words[-1]}"'


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def response_words(command: Command, frame: pd.DataFrame) -> Mapping[float, str]:
    """The categories of a response that is one, by the numbers that they are read as; none of another."""
    name = command.depvar.variable
    return (category_words(frame[name]) or {}) if name in frame.columns else {}


def recoding_hint(name: str, y: NDArray[np.float64], words: Mapping[float, str]) -> str | None:
    """What makes true and false of a response that has several values, none of them zero; else None."""
    values = np.unique(y)
    if len(values) < 2:
        return None
    column, last = f'df["{name}"]', float(values[-1])
    shown = f'"{words[last]}"' if last in words else f"{last:g}"
    return f"no value of it is 0; make it true and false: {column} = {column} == {shown}"
