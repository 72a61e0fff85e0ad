"""Columns of a DataFrame as the commands see them: numbers or text with missing values, and labels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.data.panel import Panel, make_panel
from memagic.data.unknown import unknown_hint
from memagic.errors import CommandError
from memagic.spec.operators import time_operator
from memagic.spec.tree import TimeSettings

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Text = NDArray[np.object_]
Index = NDArray[np.intp]
Span = tuple[int, int]

__all__ = ["Variables", "check_range", "check_size"]

# Sums of squares of larger values may exceed what a double holds.
_LARGEST = 1e150


@dataclass
class Variables:
    """Access to the columns of `frame`, which is never changed.

    A column is numbers with nan for missing values, or text with ``""`` for them. Booleans are 0
    and 1. Objects are text where all are strings and numbers where all are numbers.

    A pandas categorical whose categories are whole numbers is read as those numbers. Any other is
    read as 1, 2, ... in the order of its categories, which become its value labels; expressions
    compare it by its categories where these are text, and do not take it where they are neither.

    `attrs["value_labels"]` of the frame gives labels to numeric columns.

    `numbers` also has variables under a time-series operator, ``L2.x``, in the panels and times that
    `time` names.

    Where the frame is a part of the data, `levels` are those that factor variables have in all of them.
    """

    frame: pd.DataFrame
    time: TimeSettings | None = None
    levels: Mapping[str, Array] = field(default_factory=dict)
    _panel: Panel | None = field(default=None, init=False)
    _values: dict[str, Array | Text] = field(default_factory=dict)
    _numbers: dict[str, Array] = field(default_factory=dict)
    _attrs: dict[Hashable, Any] = field(init=False)

    def __post_init__(self) -> None:
        # pandas copies `attrs` deeply every time a column is taken.
        self._attrs = self.frame.attrs
        self.frame = self.frame.copy(deep=False)
        self.frame.attrs = {}

    def series(self, name: str, span: Span | None = None) -> pd.Series:
        """The column `name`.

        Raises
        ------
        CommandError
            ``variable x not found``, r(111), or more than one of them, r(110).
        """
        if name not in self.frame.columns:
            hint = unknown_hint(name, self.frame.columns)
            raise CommandError(111, f"variable {name} not found", span=span, hint=hint)
        column = self.frame[name]
        if column.ndim != 1:
            raise CommandError(110, f"variable {name} is there more than once", span=span)
        return column

    def values(self, name: str, span: Span | None = None) -> Array | Text:
        """The column as expressions take it, shape (n,): floats, or objects where it is text.

        Raises
        ------
        CommandError
            Not found, r(111), more than one, r(110), or neither numbers nor text, r(109).
        """
        if name not in self._values:
            column = self.series(name, span)
            self._values[name] = (
                _categories(column, span) if _is_categorical(column) else _plain(column, span)
            )
        return self._values[name]

    def numbers(self, name: str, span: Span | None = None) -> Array:
        """The column as the equations of a model take it, shape (n,): floats, also infinite ones.

        Raises
        ------
        CommandError
            Not found, r(111), more than one, r(110), or not numeric, r(109).
        """
        if name not in self._numbers:
            operator, variable = _operated(name)
            if operator and name not in self.frame.columns:
                if operator == "FD" and self.time is None:
                    # df.x is an operator before x, too, but hardly ever meant as one.
                    hint = f"df. is a lead and a difference; the column x of a frame is x: type {variable}"
                    raise CommandError(111, "time variable not set", span=span, hint=hint)
                plain = self.numbers(variable, span)
                self._numbers[name] = self.panel(span).apply(time_operator(operator), plain)
                return self._numbers[name]
            column = self.series(name, span)
            if _is_categorical(column):
                self._numbers[name] = _by_code(column, _category_numbers(column.cat.categories), np.nan)
            else:
                values = self.values(name, span)
                if values.dtype == object:
                    raise _wrong_type(column, "is a string variable", span, _HINT_TEXT)
                self._numbers[name] = np.asarray(values, dtype=np.float64)
        return self._numbers[name]

    def panel(self, span: Span | None = None) -> Panel:
        """The panels and times that `time` names, sorted once.

        Raises
        ------
        CommandError
            ``time variable not set``, r(111), or what is wrong with the two variables.
        """
        if self.time is None or not self.time.time:
            hint = "type tsset timevar or tsset panelvar timevar first"
            raise CommandError(111, "time variable not set", span=span, hint=hint)
        if self._panel is None:
            try:
                codes = self.groups(self.time.panel) if self.time.panel else None
                self._panel = make_panel(self.time, self.numbers(self.time.time), codes)
            except CommandError as error:
                error.span = span
                raise
        return self._panel

    def groups(self, name: str, span: Span | None = None) -> Index:
        """Codes of a group variable in the order of its values, -1 where it is missing, shape (n,).

        Raises
        ------
        CommandError
            Not found, r(111), more than one, r(110), or values that have no order, r(109).
        """
        import pandas as pd

        column = self.series(name, span)
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub" and len(column):
            ranks = _ranks_of_whole_numbers(column.to_numpy())
            if ranks is not None:
                return ranks
        try:
            codes, uniques = pd.factorize(column, sort=True)
        except TypeError:
            raise _wrong_type(column, "holds values that have no order", span, _HINT_OTHER) from None
        if _is_categorical(column) or not pd.api.types.is_numeric_dtype(column.dtype):
            empty = np.asarray([_is_empty(value) for value in uniques], dtype=bool)
            codes = np.where(np.append(empty, False)[codes], -1, codes)
        return codes.astype(np.intp)

    def value_labels(self, name: str) -> dict[float, str]:
        """Words for the values of a variable; empty where it has none."""
        if name not in self.frame.columns:
            name = _operated(name)[1]
        column = self.series(name)
        if _is_categorical(column):
            categories = column.cat.categories
            if _whole_numbers(categories) is not None:
                return {}
            return {float(k + 1): str(c) for k, c in enumerate(categories) if not _is_empty(c)}
        labels = self._attrs.get("value_labels", {})
        found = labels.get(name, {}) if isinstance(labels, dict) else {}
        return {float(value): str(label) for value, label in found.items()}


def _operated(name: str) -> tuple[str, str]:
    """The time-series operator of a name and the variable: ``("L2", "x")``."""
    operator, _, variable = name.partition(".")
    return (operator, variable) if variable else ("", name)


def check_range(values: Array, name: str, span: Span | None) -> None:
    """Refuse numbers that no estimation can work with.

    Raises
    ------
    CommandError
        Infinite, or so large that their squares are, r(459).
    """
    if np.isinf(values).any():
        raise CommandError(
            459, f"variable {name} has infinite values", span=span, hint="replace them by missing"
        )
    check_size(values, name, span)


def check_size(values: Array, name: str, span: Span | None) -> None:
    """Refuse numbers whose squares are infinite, or that are so themselves.

    Raises
    ------
    CommandError
        r(459).
    """
    if not np.all(np.abs(values) <= _LARGEST):
        raise CommandError(459, f"values of {name} are too large", span=span, hint="measure in larger units")


# --- plain columns ---------------------------------------------------------------------------


def _plain(column: pd.Series, span: Span | None) -> Array | Text:
    """A column that is not categorical."""
    import pandas as pd

    dtype = column.dtype
    if pd.api.types.is_complex_dtype(dtype):
        raise _wrong_type(column, "is a complex variable", span, _HINT_OTHER)
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
        if isinstance(dtype, np.dtype):
            return column.to_numpy().astype(np.float64)
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True))
    if pd.api.types.is_object_dtype(dtype):
        return _objects(column, span)
    if pd.api.types.is_string_dtype(dtype):
        return _text(column)
    raise _wrong_type(column, f"is {_kind(dtype)}", span, _HINT_OTHER)


def _objects(column: pd.Series, span: Span | None) -> Array | Text:
    """A column of Python objects: all strings or all numbers, but for missing values."""
    missing = column.isna().to_numpy()
    present = column.to_numpy(dtype=object)[~missing]
    if len(present) and all(isinstance(value, str) for value in present):
        return _text(column)
    if not all(isinstance(value, Real | np.bool_ | Decimal) for value in present):
        raise _wrong_type(column, "holds values that are neither numbers nor text", span, _HINT_OTHER)
    numbers = np.full(len(column), np.nan)
    try:
        numbers[~missing] = present.astype(np.float64)
    except OverflowError:
        raise CommandError(459, f"values of {column.name} are too large", span=span) from None
    return numbers


def _text(column: pd.Series) -> Text:
    missing = column.isna().to_numpy()
    strings = np.full(len(column), "", dtype=object)
    strings[~missing] = column.to_numpy(dtype=object)[~missing]
    return strings


def _kind(dtype: Any) -> str:
    """What a column is that is neither numbers nor text."""
    import pandas as pd

    if isinstance(dtype, pd.PeriodDtype):
        return "a period variable"
    if isinstance(dtype, pd.IntervalDtype):
        return "an interval variable"
    words = {"M": "a date variable", "m": "a duration variable"}
    return words.get(dtype.kind, f"of type {dtype}")


_HINT_TEXT = 'a categorical enters as a factor variable: astype("category")'
_HINT_OTHER = "make a numeric variable of it first"


def _wrong_type(column: pd.Series, what: str, span: Span | None, hint: str) -> CommandError:
    return CommandError(109, f"type mismatch: {column.name} {what}", span=span, hint=hint)


# --- categoricals ----------------------------------------------------------------------------


def _is_categorical(column: pd.Series) -> bool:
    import pandas as pd

    return isinstance(column.dtype, pd.CategoricalDtype)


def _by_code(column: pd.Series, values: NDArray[Any], missing: float | str) -> NDArray[Any]:
    """The value of each row's category. A missing category has code -1, the place of `missing`."""
    table = np.append(values, np.asarray([missing], dtype=values.dtype))
    return np.asarray(table[column.cat.codes.to_numpy()])


def _categories(column: pd.Series, span: Span | None) -> Array | Text:
    """A categorical as its categories."""
    categories = column.cat.categories
    whole = _whole_numbers(categories)
    if whole is not None:
        return _by_code(column, whole, np.nan)
    if all(isinstance(category, str) for category in categories):
        return _by_code(column, categories.to_numpy(dtype=object), "")
    raise _wrong_type(column, "has categories that are neither whole numbers nor text", span, _HINT_OTHER)


def _category_numbers(categories: pd.Index) -> Array:
    """The number that each category is read as."""
    whole = _whole_numbers(categories)
    if whole is not None:
        return whole
    # The empty string is the missing value of text.
    empty = np.asarray([_is_empty(category) for category in categories], dtype=bool)
    return np.where(empty, np.nan, np.arange(1.0, len(categories) + 1))


def _is_empty(category: object) -> bool:
    return isinstance(category, str) and category == ""


def _whole_numbers(categories: pd.Index) -> Array | None:
    """The categories as floats if all are whole numbers, or true and false, else None."""
    import pandas as pd

    if not (pd.api.types.is_numeric_dtype(categories.dtype) or pd.api.types.is_bool_dtype(categories.dtype)):
        return None
    values = categories.to_numpy(dtype=float)
    return values if np.all(values == np.floor(values)) else None


# --- groups ----------------------------------------------------------------------------------


def _ranks_of_whole_numbers(values: NDArray[Any]) -> Index | None:
    """Ranks of whole numbers of a moderate range, which need no hash table; None for other ranges."""
    low, high = int(values.min()), int(values.max())
    if high - low >= 4 * len(values) + 1000:
        return None
    # Differences of narrow integers need not fit into their type, and large unsigned ones fit into
    # no signed type.
    wide = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64)
    above = (wide - wide.dtype.type(low)).astype(np.intp)
    seen = np.zeros(high - low + 1, dtype=bool)
    seen[above] = True
    return np.asarray((np.cumsum(seen) - 1)[above], dtype=np.intp)
