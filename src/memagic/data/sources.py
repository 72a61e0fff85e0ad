"""Where data come from: a DataFrame, an example data set, or a Stata file."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from memagic import datasets
from memagic.data.frames import as_pandas
from memagic.errors import CommandError, closest

if TYPE_CHECKING:
    import pandas as pd
    from narwhals.typing import IntoDataFrame

__all__ = ["Data", "find_data", "read_dta"]

Data: TypeAlias = "IntoDataFrame | str"
"""A DataFrame of pandas, polars or Dask, an Arrow table; an example's name, or the path of a .dta file."""

# What pandas stumbles over in a file that is empty, cut short or damaged.
_FAULTS = (
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    OverflowError,
    StopIteration,
    TypeError,
    struct.error,
)

# Files that pandas reads.
_READERS = {
    ".csv": "read_csv",
    ".tsv": "read_table",
    ".txt": "read_table",
    ".xls": "read_excel",
    ".xlsx": "read_excel",
    ".parquet": "read_parquet",
    ".feather": "read_feather",
    ".sav": "read_spss",
    ".sas7bdat": "read_sas",
    ".xpt": "read_sas",
}


def find_data(source: Data) -> pd.DataFrame:
    """The data that `source` names.

    Parameters
    ----------
    source : DataFrame, Arrow table or str
        A frame itself (of pandas, polars or what else narwhals knows), an example's name, or a path
        that ends in ``.dta``.

    Raises
    ------
    CommandError
        ``file x not found``, r(601), a file that is no Stata data set, r(610), or no table, r(109).
    """
    if not isinstance(source, str | Path):
        return as_pandas(source)
    source = str(source)
    if source in datasets.names():
        return datasets.load(source)
    path = Path(source).expanduser()
    if path.suffix.lower() == ".dta" or (path.is_file() and path.suffix.lower() not in _READERS):
        return read_dta(path)
    if reader := _READERS.get(path.suffix.lower()):
        hint = f'pandas reads such files: df = pd.{reader}("{source}"), then use df'
        rc, what = (610, "is not a Stata data set") if path.is_file() else (601, "not found")
        raise CommandError(rc, f"file {source} {what}", hint=hint)
    raise CommandError(
        601,
        f"file {source} not found",
        hint=closest(source, datasets.names()) or f"example data sets: {', '.join(datasets.names())}",
    )


def read_dta(path: Path) -> pd.DataFrame:
    """A Stata data set as numbers, with its labels in `attrs`.

    `attrs` has "title", "variable_labels" and "value_labels", as the example data sets have.

    Raises
    ------
    CommandError
        Not found, r(601), or not readable as a Stata data set, r(610).
    """
    import pandas as pd

    if not path.is_file():
        raise CommandError(601, f"file {path} not found")
    try:
        # The stubs of pandas know no more of the reader than that it is one.
        opened: Any = pd.read_stata(path, iterator=True, convert_categoricals=False)
        with opened as reader:
            frame: pd.DataFrame = reader.read()
            sets = reader.value_labels()
            title, words = reader.data_label, reader.variable_labels()
    except ValueError as fault:
        raise CommandError(610, f"file {path} is not a Stata data set", hint=str(fault)) from None
    except _FAULTS:
        hint = "it is empty, cut short or damaged"
        raise CommandError(610, f"file {path} is not a Stata data set", hint=hint) from None
    frame.attrs = {
        "title": title,
        "variable_labels": {name: label for name, label in words.items() if label},
        "value_labels": _attached(reader, list(frame.columns), sets),
    }
    return frame


def _attached(
    reader: Any, columns: list[str], sets: dict[str, dict[float, str]]
) -> dict[str, dict[float, str]]:
    """Value labels by variable. Sets have names of their own, often but not always the variable's."""
    # pandas knows the set of each variable, but tells only in a private attribute.
    names = getattr(reader, "_lbllist", None) or columns
    return {
        column: {float(value): label for value, label in sets[name].items()}
        for column, name in zip(columns, names, strict=True)
        if name in sets
    }
