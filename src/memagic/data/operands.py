"""What operators and functions of expressions share: types, truth, and the order of missing values.

Numbers are float64 with nan for every missing value, text is objects with ``""`` for it; literals have
shape (), columns (n,). Which of the missing values . to .z a nan is, its payload tells: 0 for the
period, which is also what all columns have, 1 to 26 for the letters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError
from memagic.spec.tree import Expression

Operand = np.ndarray[Any, np.dtype[Any]]

__all__ = [
    "Operand",
    "compared",
    "finite",
    "is_missing",
    "is_text",
    "mismatch",
    "missing_value",
    "number",
    "truth",
]

_QUIET = 0x7FF8 << 48
_PAYLOAD = (1 << 51) - 1
# The manual's own scale: the period is 2^1023, and every letter a little more.
_PERIOD, _STEP = 2.0**1023, 2.0**1011

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}


def missing_value(literal: str) -> Operand:
    """The nan that stands for ``.`` or ``.a`` to ``.z``, shape ()."""
    payload = ord(literal[1]) - ord("a") + 1 if len(literal) > 1 else 0
    return np.asarray(_QUIET | payload, dtype=np.uint64).view(np.float64)


def compared(operator: str, left: Operand, right: Operand, node: Expression) -> Operand:
    """1 where the comparison holds and 0 elsewhere; missing numbers are above all others.

    Raises
    ------
    CommandError
        r(109) where text meets numbers.
    """
    if is_text(left) != is_text(right):
        raise mismatch(node)
    if not is_text(left):
        left, right = _ordered(left), _ordered(right)
    return number(np.asarray(_COMPARISONS[operator](left, right), dtype=np.bool_))


def _ordered(value: Operand) -> Operand:
    """The same numbers with missing ones as large as they rank."""
    missing = np.isnan(value)
    if not missing.any():
        return value
    payload = np.ascontiguousarray(value).view(np.uint64) & np.uint64(_PAYLOAD)
    letter = np.where(payload <= 26, payload, 0).astype(np.float64)
    return np.asarray(np.where(missing, _PERIOD + _STEP * letter.reshape(value.shape), value))


def is_text(value: Operand) -> bool:
    """Whether these are strings."""
    return bool(value.dtype == object)


def is_missing(value: Operand) -> NDArray[np.bool_]:
    """Where there is no number or no text."""
    return np.asarray(value == "" if is_text(value) else np.isnan(value), dtype=np.bool_)


def truth(value: Operand) -> NDArray[np.bool_]:
    """Where a number is not zero; nan differs from zero, so that missing is true."""
    return np.asarray(value != 0, dtype=np.bool_)


def number(value: Any) -> Operand:
    """Truth values as 1 and 0."""
    return np.asarray(value, dtype=np.float64)


def finite(value: Any) -> Operand:
    """Numbers, with the period for those too large, for undefined results and for any missing value."""
    array = np.asarray(value, dtype=np.float64)
    known = np.abs(array) < _PERIOD
    return array if known.all() else np.asarray(np.where(known, array, np.nan))


def mismatch(node: Expression) -> CommandError:
    """The error where text and numbers meet."""
    return CommandError(
        109, "type mismatch", span=node.span, hint="compare text with text: it goes in double quotes"
    )
