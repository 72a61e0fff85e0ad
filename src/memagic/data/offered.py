"""What completion offers of a table: its variables, and the values of one of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

__all__ = ["values_of", "variables_of"]

# More values than these are no help to choose from; so many rows are looked at.
_MOST_VALUES = 100
_MOST_ROWS = 1_000_000


def variables_of(table: Any) -> list[str]:
    """The columns of a DataFrame of any library whose names a command can have, in their order."""
    # An Arrow table calls its arrays columns.
    columns = getattr(table, "column_names", None)
    columns = table.columns if columns is None else columns
    # One by one, names come out of an index of pandas slowly.
    names: Iterable[object] = columns.tolist() if hasattr(columns, "tolist") else columns
    return [name for name in names if isinstance(name, str) and name.isidentifier()]


def values_of(table: Any, name: str, *, quoted: bool = False) -> list[str]:
    """The values of a column as they are typed, in their order; none where they are very many.

    Parameters
    ----------
    table : DataFrame
        Of any library.
    name : str
        A column.
    quoted : bool
        Whether for a condition, where text stands between quotes, or for the levels of a factor
        variable, which are whole numbers from 0 on; categories that are text are the levels 1, 2, ...
    """
    import narwhals.stable.v2 as nw

    frame = nw.from_native(table, eager_only=True, pass_through=True)
    if name not in variables_of(table) or not isinstance(frame, nw.DataFrame):
        return []
    series = frame[name].head(_MOST_ROWS)
    categorical = isinstance(series.dtype, nw.Categorical | nw.Enum)
    if categorical and not quoted and (levels := _codes(series)):
        return levels
    values = series.cat.get_categories().to_list() if categorical else _distinct(series)
    if len(values) > _MOST_VALUES:
        return []
    if values and all(isinstance(value, str) for value in values):
        # Quotes cannot stand in text between simple quotes.
        return [f'"{value}"' for value in values if '"' not in value] if quoted else []
    numbers = sorted({float(value) for value in values if isinstance(value, bool | int | float)})
    if not quoted:
        numbers = [number for number in numbers if number >= 0 and number.is_integer()]
    return [f"{number:.15g}" for number in numbers]


def _codes(series: nw.Series[Any]) -> list[str]:
    """The levels of categories that are no whole numbers."""
    categories = series.cat.get_categories().to_list()
    if all(isinstance(category, int) for category in categories):
        return []
    return [str(code) for code in range(1, len(categories) + 1)][:_MOST_VALUES]


def _distinct(series: nw.Series[Any]) -> list[Any]:
    """The values of a column once each, without missing ones; some of them where they are very many."""
    values = series.unique()
    if len(values) > 2 * _MOST_VALUES:
        return values.head(2 * _MOST_VALUES).to_list()
    found = values.drop_nulls().to_list()
    return sorted((value for value in found if value == value), key=str)
