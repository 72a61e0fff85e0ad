"""The DataFrames of the notebook, by the names they have there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memagic.data.frames import is_frame
from memagic.data.partitions import is_partitioned

__all__ = ["find_frame", "find_object", "frames_in", "size_of"]


def find_object(name: str, namespace: Mapping[str, Any]) -> object | None:
    """What a plain or dotted name stands for; None where it stands for nothing.

    Attributes are looked up one by one: nothing is evaluated.
    """
    first, *others = name.split(".")
    value = namespace.get(first)
    for attribute in others:
        value = getattr(value, attribute, None)
    return value


def find_frame(name: str, namespace: Mapping[str, Any]) -> Any:
    """The DataFrame (of any library) that a plain or dotted name stands for, else None."""
    value = find_object(name, namespace)
    return value if is_frame(value) else None


def frames_in(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The notebook's DataFrames, each once, but for the shell's own variables (``_``, ``_12``)."""
    frames: dict[str, Any] = {}
    for name, value in namespace.items():
        if not name.startswith("_") and is_frame(value) and all(value is not one for one in frames.values()):
            frames[name] = value
    return frames


def size_of(frame: Any) -> str:
    """``1,934 rows, 8 columns``; the rows of a Dask DataFrame are not counted."""
    if is_partitioned(frame):
        return f"{frame.npartitions:,} partitions, {len(frame.columns):,} columns"
    rows, columns = frame.shape
    return f"{rows:,} rows, {columns:,} columns"
