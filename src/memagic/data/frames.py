"""Tables of other libraries (polars, Arrow and what narwhals knows) as DataFrames of pandas."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from memagic.data.partitions import is_partitioned
from memagic.errors import CommandError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_pandas", "is_frame"]

# Libraries whose tables are recognized; one that is not imported can have none.
_OTHERS = ("polars", "pyarrow", "modin", "cudf")


def is_frame(value: object) -> bool:
    """Whether a value is a table: a DataFrame of pandas, polars or Dask, an Arrow table.

    Nothing is imported to find out but narwhals, where one of these libraries is in memory already.
    """
    pandas = sys.modules.get("pandas")
    if (pandas is not None and isinstance(value, pandas.DataFrame)) or is_partitioned(value):
        return True
    if not any(name in sys.modules for name in _OTHERS):
        return False
    import narwhals.stable.v2 as nw

    return bool(nw.dependencies.is_into_dataframe(value))


def as_pandas(table: Any) -> pd.DataFrame:
    """A table as a DataFrame with the same columns and the rows 0, 1, ...

    Whole numbers and truth values with missing values keep their type, categories their order; text is
    objects. The table itself is not changed, and pyarrow is not needed.

    Raises
    ------
    CommandError
        It is no table, or one whose data are not at hand, r(109); a Dask DataFrame, r(198).
    """
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if is_partitioned(table):
        raise CommandError(
            198,
            "this needs data in one place",
            hint="a Dask DataFrame is for estimation commands; df.compute() brings its rows here",
        )
    import narwhals.stable.v2 as nw

    try:
        frame = nw.from_native(table, eager_only=True)
    except TypeError:
        kind = type(table).__name__
        lazy = hasattr(table, "collect")
        hint = (
            "collect() it first" if lazy else "give a DataFrame, an example's name, or a path to a .dta file"
        )
        raise CommandError(109, f"data are no DataFrame but a {kind}", hint=hint) from None
    columns = {name: _column(frame[name]) for name in frame.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), copy=False)


def _column(series: Any) -> Any:
    """A column as an array that pandas takes."""
    import narwhals.stable.v2 as nw
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, nw.Categorical | nw.Enum):
        return _categorical(series)
    missing = series.is_null().to_numpy().astype(bool)
    if dtype.is_float():
        return np.asarray(series.fill_null(float("nan")).to_numpy(), dtype=np.float64)
    if dtype.is_integer() or dtype == nw.Boolean:
        if not missing.any():
            return series.to_numpy()
        values = series.fill_null(False if dtype == nw.Boolean else 0).to_numpy()
        array = pd.arrays.BooleanArray if dtype == nw.Boolean else pd.arrays.IntegerArray
        return array(np.array(values), missing)
    if dtype.is_temporal():
        # Days have no type of their own in numpy's table of pandas.
        return pd.Series(series.to_list()) if missing.all() else np.asarray(series.to_numpy())
    objects = np.empty(len(missing), dtype=object)
    objects[:] = series.to_list()
    return objects


def _categorical(series: Any) -> Any:
    """A column with the same categories in their order, without a text for each row."""
    import narwhals.stable.v2 as nw
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, nw.Enum) and hasattr(dtype, "categories"):
        categories = pd.Index(list(dtype.categories), dtype=object)
    else:
        categories = pd.Index(series.cat.get_categories().to_list(), dtype=object)
    missing = series.is_null().to_numpy().astype(bool)
    codes = np.full(len(missing), -1, dtype=np.int64)
    if not missing.all():
        present = series.drop_nulls().cast(nw.String)
        ranks = present.replace_strict(list(categories), list(range(len(categories))), return_dtype=nw.Int64)
        codes[~missing] = ranks.to_numpy()
    return pd.Categorical.from_codes(codes, categories=categories, ordered=isinstance(dtype, nw.Enum))
