"""The functions of expressions, over columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from typing import Any

import numpy as np

from memagic.data.operands import Operand, compared, finite, is_missing, is_text, mismatch, number
from memagic.data.special import SPECIAL
from memagic.errors import CommandError
from memagic.spec.functions import FUNCTIONS
from memagic.spec.tree import Call, String

__all__ = ["apply_function"]


def apply_function(node: Call, arguments: Sequence[Operand]) -> Operand:
    """The value of a function.

    Parameters
    ----------
    node : Call
        For the function's name and place.
    arguments : sequence of ndarray
        Literals of shape () and columns of shape (n,).

    Returns
    -------
    ndarray
        Floats with nan for missing values, or objects with ``""`` for them.

    Raises
    ------
    CommandError
        r(109) where text stands for a number or the other way round; r(198) for a pattern that is none.
    """
    signature = FUNCTIONS[node.function]
    for position, argument in enumerate(arguments):
        kind = signature.kind(position)
        if kind != "a" and is_text(argument) != (kind == "s"):
            raise mismatch(node)
    match node.function:
        case "missing":
            return number(np.logical_or.reduce(np.broadcast_arrays(*map(is_missing, arguments))))
        case "inlist":
            found = [compared("==", arguments[0], item, node) for item in arguments[1:]]
            return number(np.maximum.reduce(np.broadcast_arrays(*found)))
        case "inrange":
            return _inrange(node, *arguments)
        case "cond":
            return _cond(node, *arguments)
        case "max" | "min":
            # fmax and fmin pass over missing values, as the manual has it.
            choose = np.fmax if node.function == "max" else np.fmin
            return finite(choose.reduce(np.broadcast_arrays(*arguments)))
        case "regexm" | "strmatch":
            return _matches(node, *arguments)
    if node.function in _NUMERIC:
        return finite(_NUMERIC[node.function](*arguments))
    return _rowwise(_TEXTUAL[node.function], arguments, text=node.function in _GIVE_TEXT)


def _inrange(node: Call, value: Operand, low: Operand, high: Operand) -> Operand:
    """A missing bound is no bound; a missing value is in no range."""
    above = compared(">=", value, low, node)
    below = compared("<=", value, high, node)
    if is_text(value):
        return above * below
    within = ((above == 1) | np.isnan(low)) & ((below == 1) | np.isnan(high))
    return number(within & ~np.isnan(value))


def _cond(
    node: Call, condition: Operand, yes: Operand, no: Operand, unknown: Operand | None = None
) -> Operand:
    """The last argument is for a missing condition, which is true without it."""
    other = yes if unknown is None else unknown
    if len({is_text(yes), is_text(no), is_text(other)}) > 1:
        raise mismatch(node)
    return np.asarray(np.where(np.isnan(condition), other, np.where(condition != 0, yes, no)))


def _round(value: Operand, unit: Operand | float = 1.0) -> Any:
    """To the nearest multiple of `unit`, halves upwards; by 0, the value itself."""
    step = np.abs(unit)
    return np.where(step == 0, value, np.floor(value / np.where(step == 0, 1.0, step) + 0.5) * step)


def _clip(x: Operand, low: Operand, high: Operand) -> Operand:
    """Within the limits; a missing limit is none, and limits that cross leave nothing."""
    found = np.fmin(np.fmax(x, low), high)
    return np.asarray(np.where(np.isnan(x) | (low > high), np.nan, found))


_NUMERIC: dict[str, Callable[..., Any]] = {
    **SPECIAL,
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "clip": _clip,
    "cloglog": lambda x: np.log(-np.log1p(-x)),
    "cos": np.cos,
    "cosh": np.cosh,
    "exp": np.exp,
    "expm1": np.expm1,
    "floor": np.floor,
    "int": np.trunc,
    "invcloglog": lambda x: -np.expm1(-np.exp(x)),
    "invlogit": lambda x: 0.5 * (1.0 + np.tanh(0.5 * x)),
    "ln": np.log,
    "ln1m": lambda x: np.log1p(-x),
    "ln1p": np.log1p,
    "log10": np.log10,
    "logit": lambda x: np.log(x) - np.log1p(-x),
    "mod": lambda x, y: x - y * np.floor(x / y),
    "round": _round,
    "sign": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


# --- text ------------------------------------------------------------------------------------


def _rowwise(function: Callable[..., Any], arguments: Sequence[Operand], *, text: bool) -> Operand:
    """A function of single values at every row, computed once for equal rows of a column of text."""
    columns = [argument for argument in arguments if argument.ndim]
    if len(columns) == 1 and is_text(columns[0]):
        import pandas as pd

        codes, values = pd.factorize(columns[0])
        slots = [(values if argument.ndim else argument) for argument in arguments]
        found = np.frompyfunc(function, len(slots), 1)(*slots)
        return np.asarray(found, dtype=object if text else np.float64)[codes]
    found = np.frompyfunc(function, len(arguments), 1)(*arguments)
    return np.asarray(found, dtype=object if text else np.float64)


def _substr(text: str, first: float, count: float) -> str:
    """`count` characters from `first`, 1-based, or from the end; a missing count takes the rest."""
    if first != first or first == 0 or abs(first) > len(text):
        return ""
    start = int(first) - 1 if first > 0 else len(text) + int(first)
    stop = len(text) if count != count or count > len(text) else start + max(0, int(count))
    return text[start:stop]


def _subinstr(text: str, old: str, new: str, count: float) -> str:
    """`old` by `new`, the first `count` times; a missing count stands for all."""
    if not old:
        return text
    return text.replace(old, new, -1 if count != count or count > len(text) else max(0, int(count)))


def _word(text: str, place: float) -> str:
    words = text.split()
    if place != place or place == 0 or abs(place) > len(words):
        return ""
    return words[int(place) - 1 if place > 0 else int(place)]


_DECIMAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.IGNORECASE | re.ASCII)


def _real(text: str) -> float:
    return float(text) if _DECIMAL.fullmatch(text) else float("nan")


def _string(value: float) -> str:
    """A number as seven significant digits show it, without a zero before the point."""
    if value != value:
        return "."
    if value == int(value) and abs(value) < 1e7:
        return str(int(value))
    shown = f"{value:.7g}"
    return shown.replace("0.", ".", 1) if abs(value) < 1 and "e" not in shown else shown


_TEXTUAL: dict[str, Callable[..., Any]] = {
    "real": _real,
    "string": _string,
    "stritrim": lambda text: re.sub(" +", " ", text),
    "strlen": len,
    "strlower": str.lower,
    "strpos": lambda text, part: text.find(part) + 1 if part else 0,
    "strreverse": lambda text: text[::-1],
    "strtrim": lambda text: text.strip(" "),
    "strupper": str.upper,
    "subinstr": _subinstr,
    "substr": _substr,
    "word": _word,
    "wordcount": lambda text: len(text.split()),
}
_GIVE_TEXT = {
    "string",
    "stritrim",
    "strlower",
    "strreverse",
    "strtrim",
    "strupper",
    "subinstr",
    "substr",
    "word",
}


def _matches(node: Call, text: Operand, pattern: Operand) -> Operand:
    """Whether text matches a regular expression anywhere, or a pattern of ``*`` and ``?`` as a whole."""
    if not isinstance(node.arguments[1], String):
        hint = f'type the pattern in double quotes: {node.function}(x, "a*")'
        raise CommandError(198, "invalid syntax", span=node.arguments[1].span, hint=hint)
    try:
        source = str(pattern)
        # A bracket means itself where only * and ? are special.
        compiled = re.compile(source if node.function == "regexm" else translate(source.replace("[", "[[]")))
    except (re.error, OverflowError, RecursionError) as error:
        message = f"regexp: {error}"
        raise CommandError(198, message, span=node.arguments[1].span) from None
    return _rowwise(lambda one: float(compiled.search(one) is not None), [text], text=False)
