"""What a column of a DataFrame is read as: numbers or text, codes of groups, words for categories."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Text = NDArray[np.object_]
Index = NDArray[np.intp]
Span = tuple[int, int]

__all__ = ["HINT_TEXT", "as_values", "category_numbers", "category_words", "group_codes", "wrong_type"]


def as_values(column: pd.Series, span: Span | None = None) -> Array | Text:
    """A column as expressions take it, shape (n,): floats, or objects where it is text.

    Raises
    ------
    CommandError
        Neither numbers nor text, r(109), or numbers that no double holds, r(459).
    """
    return _categories(column, span) if _is_categorical(column) else _plain(column, span)


def category_numbers(column: pd.Series) -> Array | None:
    """The numbers that a categorical is read as, shape (n,); None for any other column."""
    if not _is_categorical(column):
        return None
    return _by_code(column, _numbers_of(column.cat.categories), np.nan)


def category_words(column: pd.Series) -> dict[float, str] | None:
    """Words for the numbers that a categorical is read as; None for any other column."""
    if not _is_categorical(column):
        return None
    categories = column.cat.categories
    if _whole_numbers(categories) is not None:
        return {}
    return {float(k + 1): str(c) for k, c in enumerate(categories) if not _is_empty(c)}


# --- plain columns ---------------------------------------------------------------------------


def _plain(column: pd.Series, span: Span | None) -> Array | Text:
    """A column that is not categorical."""
    import pandas as pd

    dtype = column.dtype
    if pd.api.types.is_complex_dtype(dtype):
        raise wrong_type(column.name, "is a complex variable", span, _HINT_OTHER)
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
        if isinstance(dtype, np.dtype):
            return column.to_numpy().astype(np.float64)
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True))
    if pd.api.types.is_object_dtype(dtype):
        return _objects(column, span)
    if pd.api.types.is_string_dtype(dtype):
        return _text(column)
    raise wrong_type(column.name, f"is {_kind(dtype)}", span, _HINT_OTHER)


def _objects(column: pd.Series, span: Span | None) -> Array | Text:
    """A column of Python objects: all strings or all numbers, but for missing values."""
    missing = column.isna().to_numpy()
    present = column.to_numpy(dtype=object)[~missing]
    if len(present) and all(isinstance(value, str) for value in present):
        return _text(column)
    if not all(isinstance(value, Real | np.bool_ | Decimal) for value in present):
        raise wrong_type(column.name, "holds values that are neither numbers nor text", span, _HINT_OTHER)
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


HINT_TEXT = 'a categorical enters as a factor variable: astype("category")'
_HINT_OTHER = "make a numeric variable of it first"


def wrong_type(name: Hashable, what: str, span: Span | None, hint: str) -> CommandError:
    """``type mismatch``, r(109), for the column of that name."""
    return CommandError(109, f"type mismatch: {name} {what}", span=span, hint=hint)


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
    raise wrong_type(column.name, "has categories that are neither whole numbers nor text", span, _HINT_OTHER)


def _numbers_of(categories: pd.Index) -> Array:
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


def group_codes(column: pd.Series, span: Span | None = None) -> Index:
    """Codes in the order of the values, -1 where they are missing, shape (n,).

    Raises
    ------
    CommandError
        Values that have no order, r(109).
    """
    import pandas as pd

    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub" and len(column):
        ranks = _ranks_of_whole_numbers(column.to_numpy())
        if ranks is not None:
            return ranks
    try:
        codes, uniques = pd.factorize(column, sort=True)
    except TypeError:
        raise wrong_type(column.name, "holds values that have no order", span, _HINT_OTHER) from None
    if _is_categorical(column) or not pd.api.types.is_numeric_dtype(column.dtype):
        empty = np.asarray([_is_empty(value) for value in uniques], dtype=bool)
        codes = np.where(np.append(empty, False)[codes], -1, codes)
    return codes.astype(np.intp)


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
