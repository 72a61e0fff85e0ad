"""Columns of a DataFrame as the commands see them: numbers with missing values, and value labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError, closest

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Span = tuple[int, int]

__all__ = ["Variables", "is_text"]


def is_text(series: pd.Series) -> bool:
    """Whether a column holds strings rather than numbers."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        return False
    if pd.api.types.is_string_dtype(series.dtype) or series.dtype.kind == "O":
        return not pd.api.types.is_numeric_dtype(series.dtype)
    return False


@dataclass
class Variables:
    """Access to the columns of `frame`, which is never changed.

    A pandas categorical whose categories are whole numbers is read as those numbers; any other is
    read as 1, 2, ... in the order of its categories, which become its value labels. Booleans are
    0 and 1. `attrs["value_labels"]` of the frame gives labels to numeric columns.
    """

    frame: pd.DataFrame
    _cache: dict[str, Array] = field(default_factory=dict)

    def series(self, name: str, span: Span | None = None) -> pd.Series:
        """The column `name`.

        Raises
        ------
        CommandError
            ``variable x not found``, r(111).
        """
        if name not in self.frame.columns:
            names = [str(column) for column in self.frame.columns]
            raise CommandError(111, f"variable {name} not found", span=span, hint=closest(name, names))
        column = self.frame[name]
        if column.ndim != 1:
            raise CommandError(110, f"variable {name} is there more than once", span=span)
        return column

    def numbers(self, name: str, span: Span | None = None) -> Array:
        """The column as floats with nan for missing values.

        Raises
        ------
        CommandError
            Not found, r(111), or not numeric, r(109).
        """
        if name in self._cache:
            return self._cache[name]
        column = self.series(name, span)
        values = self._to_numbers(column, span)
        self._cache[name] = values
        return values

    def _to_numbers(self, column: pd.Series, span: Span | None) -> Array:
        import pandas as pd

        dtype = column.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy().astype(float)
            whole = _whole_numbers(column.cat.categories)
            values = np.append(
                np.arange(1.0, len(column.cat.categories) + 1) if whole is None else whole, np.nan
            )
            return np.asarray(values[codes.astype(int)])
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)):
            if dtype.kind == "O":
                try:
                    return np.asarray(pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan))
                except (ValueError, TypeError):
                    pass
            kind = "a date" if pd.api.types.is_datetime64_any_dtype(dtype) else "a string"
            raise CommandError(109, f"type mismatch: {column.name} is {kind} variable", span=span)
        if pd.api.types.is_complex_dtype(dtype):
            raise CommandError(109, f"type mismatch: {column.name} is a complex variable", span=span)
        if isinstance(dtype, np.dtype):
            values = column.to_numpy().astype(float)
        else:
            values = column.to_numpy(dtype=float, na_value=np.nan)
        if np.isinf(values).any():
            raise CommandError(
                459, f"variable {column.name} has infinite values", span=span, hint="replace them by missing"
            )
        return values

    def groups(self, name: str, span: Span | None = None) -> tuple[NDArray[np.intp], int]:
        """Codes of a grouping variable, -1 where missing, and the number of distinct values."""
        import pandas as pd

        column = self.series(name, span)
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub":
            values = column.to_numpy()
            low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
            if high - low < 4 * len(values) + 1000:
                # Whole numbers of a moderate range need no hash table.
                seen = np.zeros(high - low + 1, dtype=bool)
                seen[values - low] = True
                rank = np.cumsum(seen) - 1
                return rank[values - low], int(seen.sum())
        codes, uniques = pd.factorize(column, sort=True)
        if is_text(column):
            empty = np.asarray([value == "" for value in uniques], dtype=bool)
            codes = np.where(np.append(empty, False)[codes], -1, codes)
        return codes.astype(np.intp), len(uniques)

    def value_labels(self, name: str) -> dict[float, str]:
        """Words for the values of a variable; empty where it has none."""
        import pandas as pd

        column = self.frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            if _whole_numbers(column.cat.categories) is not None:
                return {}
            return {float(k + 1): str(c) for k, c in enumerate(column.cat.categories)}
        labels = self.frame.attrs.get("value_labels", {})
        found = labels.get(name, {}) if isinstance(labels, dict) else {}
        return {float(value): str(label) for value, label in found.items()}


def _whole_numbers(categories: pd.Index) -> Array | None:
    """The categories as floats if all are whole numbers, else None."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(categories.dtype) or pd.api.types.is_bool_dtype(categories.dtype):
        return None
    values = categories.to_numpy(dtype=float)
    return values if np.all(values == np.floor(values)) else None
