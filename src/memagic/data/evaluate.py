"""Expressions over the rows of a DataFrame, with the manual's missing values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.tree import Binary, Call, Expression, Indexed, Name, Number, String, Unary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from memagic.spec.tree import RowRange

__all__ = ["condition_mask", "evaluate", "row_range_mask"]

# Numbers are float64 with nan for every missing value, strings are object arrays; literals have
# shape (), columns (n,). Infinite values of the data are missing, like results that are too large.
_Array = np.ndarray[Any, np.dtype[Any]]


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
    columns: dict[str, _Array] = {}
    # An explicit stack: a chain of operators may be deeper than Python's own stack has room for.
    waiting: list[tuple[Expression, bool]] = [(expression, False)]
    values: list[_Array] = []
    while waiting:
        node, ready = waiting.pop()
        operands = _operands(node)
        if operands and not ready:
            waiting.append((node, True))
            waiting.extend((operand, False) for operand in reversed(operands))
            continue
        arguments = values[len(values) - len(operands) :]
        del values[len(values) - len(operands) :]
        with np.errstate(all="ignore"):
            values.append(_apply(node, arguments, variables, columns))
    return np.broadcast_to(values[0], (len(variables.frame),)).copy()


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
    if _is_string(value):
        raise _mismatch(expression)
    return _truth(value)


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


def _operands(node: Expression) -> tuple[Expression, ...]:
    match node:
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Call():
            return node.arguments
        case Indexed():
            return (node.index,)
        case _:
            return ()


def _apply(
    node: Expression, arguments: Sequence[_Array], variables: Variables, columns: dict[str, _Array]
) -> _Array:
    """The value of one node from those of its operands."""
    match node:
        case Number():
            return np.asarray(node.value, dtype=np.float64)
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
            return _call(node, arguments)


# --- variables -------------------------------------------------------------------------------


def _variable(node: Name | Indexed, variables: Variables, columns: dict[str, _Array]) -> _Array:
    if node.name not in columns:
        columns[node.name] = _column(node, variables)
    return columns[node.name]


def _column(node: Name | Indexed, variables: Variables) -> _Array:
    """A column as an array of numbers or of strings."""
    count = len(variables.frame)
    if node.name == "_n":
        return np.arange(1, count + 1, dtype=np.float64)
    if node.name == "_N":
        return np.full(count, count, dtype=np.float64)
    values = variables.values(node.name, node.span)
    return values if _is_string(values) else _finite(values)


def _at_rows(node: Indexed, index: _Array, variables: Variables, columns: dict[str, _Array]) -> _Array:
    """`x[_n-1]`: rows that do not exist have a missing value."""
    if _is_string(index):
        raise _mismatch(node)
    values = _variable(node, variables, columns)
    whole = np.trunc(index)
    exists = (whole >= 1) & (whole <= len(values))
    missing = "" if _is_string(values) else np.nan
    padded = np.append(values, np.asarray([missing], dtype=values.dtype))
    return np.asarray(padded[np.where(exists, whole - 1, len(values)).astype(np.intp)], dtype=values.dtype)


# --- operators -------------------------------------------------------------------------------


def _unary(node: Unary, value: _Array) -> _Array:
    if _is_string(value):
        raise _mismatch(node)
    if node.operator == "!":
        return _number(~_truth(value))
    return -value if node.operator == "-" else value


def _binary(node: Binary, left: _Array, right: _Array) -> _Array:
    if node.operator in _COMPARISONS:
        return _compared(node.operator, left, right, node)
    if node.operator == "+" and _is_string(left) and _is_string(right):
        return np.asarray(left + right, dtype=object)
    if _is_string(left) or _is_string(right):
        raise _mismatch(node)
    if node.operator == "&":
        return _number(_truth(left) & _truth(right))
    if node.operator == "|":
        return _number(_truth(left) | _truth(right))
    result = _ARITHMETIC[node.operator](left, right)
    # numpy has nan**0 = 1**nan = 1.
    return _finite(np.where(np.isnan(left) | np.isnan(right), np.nan, result))


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}


def _compared(operator: str, left: _Array, right: _Array, node: Expression) -> _Array:
    """1 where the comparison holds; a missing number is above all others."""
    if _is_string(left) != _is_string(right):
        raise _mismatch(node)
    if not _is_string(left):
        left, right = _ordered(left), _ordered(right)
    return _number(np.asarray(_COMPARISONS[operator](left, right), dtype=np.bool_))


def _ordered(value: _Array) -> _Array:
    return np.asarray(np.where(np.isnan(value), np.inf, value))


# --- functions -------------------------------------------------------------------------------


def _call(node: Call, arguments: Sequence[_Array]) -> _Array:
    strings = [_is_string(argument) for argument in arguments]
    match node.function:
        case "missing":
            return _number(np.logical_or.reduce(np.broadcast_arrays(*map(_is_missing, arguments))))
        case "inlist":
            found = [_compared("==", arguments[0], item, node) for item in arguments[1:]]
            return _number(np.maximum.reduce(np.broadcast_arrays(*found)))
        case "inrange":
            return _inrange(node, *arguments)
        case "cond":
            return _cond(node, *arguments)
    if any(strings):
        raise _mismatch(node)
    if node.function in ("max", "min"):
        # fmax and fmin pass over missing values, as the manual has it.
        choose = np.fmax if node.function == "max" else np.fmin
        return np.asarray(choose.reduce(np.broadcast_arrays(*arguments)), dtype=np.float64)
    return _finite(_FUNCTIONS[node.function](*arguments))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "exp": np.exp,
    "int": np.trunc,
    "ln": np.log,
    "log": np.log,
    "mod": lambda x, y: x - y * np.floor(x / y),
    "sqrt": np.sqrt,
}


def _inrange(node: Call, value: _Array, low: _Array, high: _Array) -> _Array:
    """A missing bound is no bound; a missing value is in no range."""
    above = _compared(">=", value, low, node)
    below = _compared("<=", value, high, node)
    if _is_string(value):
        return above * below
    within = ((above == 1) | np.isnan(low)) & ((below == 1) | np.isnan(high))
    return _number(within & ~np.isnan(value))


def _cond(node: Call, condition: _Array, yes: _Array, no: _Array, unknown: _Array | None = None) -> _Array:
    """The last argument is for a missing condition, which is true without it."""
    other = yes if unknown is None else unknown
    if _is_string(condition) or len({_is_string(yes), _is_string(no), _is_string(other)}) > 1:
        raise _mismatch(node)
    return np.asarray(np.where(np.isnan(condition), other, np.where(condition != 0, yes, no)))


# --- helpers ---------------------------------------------------------------------------------


def _is_string(value: _Array) -> bool:
    return bool(value.dtype == object)


def _is_missing(value: _Array) -> _Array:
    return np.asarray(value == "" if _is_string(value) else np.isnan(value), dtype=np.bool_)


def _truth(value: _Array) -> NDArray[np.bool_]:
    # nan differs from zero, so that missing is true.
    return np.asarray(value != 0, dtype=np.bool_)


def _number(value: Any) -> _Array:
    return np.asarray(value, dtype=np.float64)


def _finite(value: Any) -> _Array:
    """Numbers too large and undefined results are missing."""
    array = np.asarray(value, dtype=np.float64)
    return np.asarray(np.where(np.isfinite(array), array, np.nan))


def _mismatch(node: Expression) -> CommandError:
    return CommandError(
        109, "type mismatch", span=node.span, hint="compare text with text: it goes in double quotes"
    )
