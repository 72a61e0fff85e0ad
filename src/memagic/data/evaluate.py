"""Expressions over the rows of a DataFrame, with the manual's missing values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from memagic.data.functions import apply_function
from memagic.data.operands import (
    Operand,
    compared,
    finite,
    is_text,
    mismatch,
    missing_value,
    number,
    truth,
)
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.tree import Binary, Call, Estimated, Expression, Indexed, Name, Number, String, Unary
from memagic.spec.walk import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from memagic.spec.tree import RowRange

__all__ = ["condition_mask", "evaluate", "row_range_mask"]

# Names that are no columns and the same in every row.
_CONSTANTS = {"_pi": np.pi}


def evaluate(expression: Expression, frame: pd.DataFrame | Variables) -> NDArray[Any]:
    """Compute an expression for every row.

    Parameters
    ----------
    expression : Expression
        The syntax tree.
    frame : DataFrame or Variables
        Its columns are the variables.

    Returns
    -------
    ndarray
        Shape (n,): float64 with nan for missing values, or object with ``""`` for them.

    Raises
    ------
    CommandError
        r(111) for an unknown variable, r(109) where strings and numbers are mixed.
    """
    variables = frame if isinstance(frame, Variables) else Variables(frame)
    columns: dict[str, Operand] = {}

    def value(node: Expression, arguments: list[Operand]) -> Operand:
        return _apply(node, arguments, variables, columns)

    with np.errstate(all="ignore"):
        result = fold(expression, value)
    return np.broadcast_to(result, (len(variables.frame),)).copy()


def condition_mask(expression: Expression, frame: pd.DataFrame | Variables) -> NDArray[np.bool_]:
    """Which rows meet a condition; a missing value is true.

    Parameters
    ----------
    expression : Expression
        What follows `if`.
    frame : DataFrame or Variables
        Its columns are the variables.

    Returns
    -------
    ndarray of bool
        Shape (n,).
    """
    value = evaluate(expression, frame)
    if is_text(value):
        raise mismatch(expression)
    return truth(value)


def row_range_mask(rows: RowRange, count: int) -> NDArray[np.bool_]:
    """Which of `count` rows `in first/last` keeps.

    Parameters
    ----------
    rows : RowRange
        1-based and inclusive; negative numbers count from the end.
    count : int
        The number of rows.

    Returns
    -------
    ndarray of bool
        Shape (count,).

    Raises
    ------
    CommandError
        r(198) if the range does not lie within the rows.
    """
    first = rows.first if rows.first > 0 else count + 1 + rows.first
    last = rows.last if rows.last > 0 else count + 1 + rows.last
    if not 1 <= first <= last <= count:
        hint = f"the data have {count} observations"
        raise CommandError(198, "observation numbers out of range", span=rows.span, hint=hint)
    mask = np.zeros(count, dtype=np.bool_)
    mask[first - 1 : last] = True
    return mask


def _apply(
    node: Expression, arguments: Sequence[Operand], variables: Variables, columns: dict[str, Operand]
) -> Operand:
    """The value of one node from those of its operands."""
    match node:
        case Number():
            if node.missing is not None:
                return missing_value(node.missing)
            return finite(node.value)
        case String():
            return np.asarray(node.value, dtype=object)
        case Name():
            return _variable(node, variables, columns)
        case Indexed():
            return _at_rows(node, arguments[0], variables, columns)
        case Unary():
            return _unary(node, arguments[0])
        case Binary():
            return _binary(node, arguments[0], arguments[1])
        case Call():
            return apply_function(node, arguments)
        case Estimated():
            if node.value is None:
                raise CommandError(301, "last estimates not found", span=node.span)
            return finite(node.value)


# --- variables -------------------------------------------------------------------------------


def _variable(node: Name | Indexed, variables: Variables, columns: dict[str, Operand]) -> Operand:
    if node.name not in columns:
        columns[node.name] = _column(node, variables)
    return columns[node.name]


def _column(node: Name | Indexed, variables: Variables) -> Operand:
    """A column as an array of numbers or of strings."""
    count = len(variables.frame)
    if node.name in _CONSTANTS:
        return np.full(count, _CONSTANTS[node.name])
    if node.name == "_n":
        return np.arange(1, count + 1, dtype=np.float64)
    if node.name == "_N":
        return np.full(count, count, dtype=np.float64)
    values = variables.values(node.name, node.span)
    return values if is_text(values) else finite(values)


def _at_rows(node: Indexed, index: Operand, variables: Variables, columns: dict[str, Operand]) -> Operand:
    """`x[_n-1]`: rows that do not exist have a missing value."""
    if is_text(index):
        raise mismatch(node)
    values = _variable(node, variables, columns)
    whole = np.trunc(index)
    exists = (whole >= 1) & (whole <= len(values))
    missing = "" if is_text(values) else np.nan
    padded = np.append(values, np.asarray([missing], dtype=values.dtype))
    return np.asarray(padded[np.where(exists, whole - 1, len(values)).astype(np.intp)], dtype=values.dtype)


# --- operators -------------------------------------------------------------------------------


def _unary(node: Unary, value: Operand) -> Operand:
    if is_text(value):
        raise mismatch(node)
    if node.operator == "!":
        return number(~truth(value))
    return finite(-value) if node.operator == "-" else value


def _binary(node: Binary, left: Operand, right: Operand) -> Operand:
    if node.operator in _COMPARED:
        return compared(node.operator, left, right, node)
    if node.operator == "+" and is_text(left) and is_text(right):
        return np.asarray(left + right, dtype=object)
    if is_text(left) or is_text(right):
        raise mismatch(node)
    if node.operator == "&":
        return number(truth(left) & truth(right))
    if node.operator == "|":
        return number(truth(left) | truth(right))
    result = _ARITHMETIC[node.operator](left, right)
    # numpy has nan**0 = 1**nan = 1.
    return finite(np.where(np.isnan(left) | np.isnan(right), np.nan, result))


_COMPARED = {"==", "!=", "<", ">", "<=", ">="}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}
