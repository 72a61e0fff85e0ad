"""What to make of a response that is text or categories, in the words of pandas."""

from __future__ import annotations

import json
import re
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

_FAMILIES = {
    "melogit": "bernoulli",
    "meprobit": "bernoulli",
    "mecloglog": "bernoulli",
    "meologit": "ordinal",
    "meoprobit": "ordinal",
}
# As many as a line has room for.
_MOST_LISTED = 6
# A number with commas between its thousands, `8,928.50`; `8,92` is none.
_THOUSANDS = re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?\s*")


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
        raise wrong_type(name, "is a string variable", span, _hint(_family(command), name, words))


def _family(command: Command) -> str:
    """The family where it makes a difference to what text could mean; nothing for the others."""
    if "binomial" in command.options:
        return ""
    family = command.options.get("family")
    if family is not None and isinstance(family.value, tuple):
        return str(family.value[0])
    return _FAMILIES.get(command.name, "")


def _hint(family: str, name: str, words: list[str]) -> str:
    """What makes numbers, zeros and ones, or ordered categories of text."""
    column = f"df[{_quoted(name)}]"
    if _are_numbers(words):
        return f"make it numeric: {column} = pd.to_numeric({column})"
    if _are_numbers([_without_commas(word) for word in words]):
        return f'make it numeric: {column} = pd.to_numeric({column}.str.replace(",", ""))'
    if family == "bernoulli" and len(words) == 2:
        return _zero_and_one(column, [_quoted(word) for word in words])
    listed = ", ".join(_quoted(word) for word in words[:_MOST_LISTED])
    if family == "ordinal" and len(words) <= _MOST_LISTED:
        return f"give its values an order, the lowest first: {column} = pd.Categorical({column}, [{listed}])"
    if family == "ordinal":
        return (
            f"list its values in their order, the lowest first: {column} = pd.Categorical({column}, values)"
        )
    others = [word for word in words if not _are_numbers([word])]
    if len(others) < len(words):
        no_number = f"{_quoted(others[0])} is no number"
        return (
            f'{no_number}; to let such values be missing: {column} = pd.to_numeric({column}, errors="coerce")'
        )
    asked = "0 or 1" if family == "bernoulli" else "numbers"
    return f"the response has to be {asked}, and this one has {listed}{', ...' * (len(words) > _MOST_LISTED)}"


def _quoted(word: str) -> str:
    """A word as it is written in code."""
    return json.dumps(word, ensure_ascii=False)


def _zero_and_one(column: str, values: list[str]) -> str:
    """Zero and one in the place of two values; what is missing stays so, which a comparison makes false."""
    return f"make it 0 and 1: {column} = {column}.map({{{values[0]}: 0, {values[1]}: 1}})"


def _are_numbers(words: list[str]) -> bool:
    """Whether pandas reads them as such."""
    import pandas as pd

    try:
        pd.to_numeric(pd.Series(words, dtype=object))
    except ValueError:
        return False
    return True


def _without_commas(word: str) -> str:
    return word.replace(",", "") if _THOUSANDS.fullmatch(word) else word


def response_words(command: Command, frame: pd.DataFrame) -> Mapping[float, str]:
    """The categories of a response that is one, by the numbers that they are read as; none of another."""
    name = command.depvar.variable
    return (category_words(frame[name]) or {}) if name in frame.columns else {}


def recoding_hint(name: str, y: NDArray[np.float64], words: Mapping[float, str]) -> str | None:
    """What to make of a response of zeros and ones that has several values, none of them zero; else None."""
    values = [float(value) for value in np.unique(y)]
    if len(values) < 2:
        return None
    if len(values) > 2:
        return f"it has {len(values):,} values, none of which is 0: all of them are positive outcomes"
    shown = [_quoted(words[value]) if value in words else _number(value) for value in values]
    return f"no value of it is 0; {_zero_and_one(f'df[{_quoted(name)}]', shown)}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
