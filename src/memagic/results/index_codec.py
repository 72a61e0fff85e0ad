"""Row labels and arrays of words as plain parts: an index of pandas, or an array of Python objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["index_of", "index_parts", "is_index"]

Kind: TypeAlias = Literal["range", "labels", "zoned", "several", "objects"]
_PLAIN = (str, bool, int, float, type(None))


def is_index(value: object) -> bool:
    """Whether a value is an index of pandas."""
    import pandas as pd

    return isinstance(value, pd.Index)


def index_parts(value: pd.Index | NDArray[Any]) -> tuple[Kind, tuple[Any, ...]]:
    """Its kind, and what it is made of: names, numbers, words, arrays, and other indexes.

    Raises
    ------
    CommandError
        Labels of a type that no file has a form for, r(198).
    """
    import pandas as pd

    if isinstance(value, np.ndarray):
        return "objects", (value.shape, _plain(value.ravel().tolist()))
    if isinstance(value, pd.RangeIndex):
        return "range", (value.start, value.stop, value.step, *_plain([value.name]))
    if isinstance(value, pd.MultiIndex):
        codes = tuple(np.asarray(codes) for codes in value.codes)
        return "several", (tuple(value.levels), codes, _plain(list(value.names)))
    (name,) = _plain([value.name])
    if isinstance(value, pd.DatetimeIndex) and value.tz is not None:
        return "zoned", (value.tz_convert("UTC").tz_localize(None).to_numpy(), str(value.tz), name)
    if isinstance(value.dtype, np.dtype) and value.dtype != object:
        return "labels", (value.to_numpy(), str(value.dtype), name)
    if isinstance(value.dtype, np.dtype | pd.StringDtype):
        return "labels", (np.array(_words(value), dtype=object), str(value.dtype), name)
    raise _no_form(str(value.dtype))


def index_of(kind: Kind, parts: tuple[Any, ...]) -> pd.Index | NDArray[Any]:
    """What `index_parts` has taken apart.

    Raises
    ------
    ValueError, TypeError, KeyError
        The parts do not fit the kind.
    """
    import pandas as pd

    match kind:
        case "range":
            start, stop, step, name = parts
            return pd.RangeIndex(start, stop, step, name=name)
        case "several":
            levels, codes, names = parts
            return pd.MultiIndex(levels=list(levels), codes=list(codes), names=list(names))
        case "zoned":
            values, zone, name = parts
            return pd.DatetimeIndex(values, name=name).tz_localize("UTC").tz_convert(zone)
        case "labels":
            values, dtype, name = parts
            labels: pd.Index = pd.Index(values, dtype=dtype, name=name)
            return labels
        case "objects":
            shape, items = parts
            array = np.empty(len(items), dtype=object)
            array[:] = items
            return array.reshape(shape)
    raise KeyError(kind)


def _words(value: pd.Index) -> list[Any]:
    import pandas as pd

    return [None if item is pd.NA else item for item in value]


def _plain(values: list[Any]) -> tuple[Any, ...]:
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    for value in plain:
        if not isinstance(value, _PLAIN):
            raise _no_form(type(value).__name__)
    return tuple(plain)


def _no_form(what: str) -> CommandError:
    return CommandError(
        198,
        f"labels of type {what} cannot be saved",
        hint="rows and groups need labels that are numbers, words or dates: df.reset_index(drop=True)",
    )
