"""The DataFrames of the notebook, by the names they have there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["find_frame", "find_object", "frames_in"]


def find_object(name: str, namespace: Mapping[str, Any]) -> object | None:
    """What a plain or dotted name stands for; None where it stands for nothing.

    Attributes are looked up one by one: nothing is evaluated.
    """
    first, *others = name.split(".")
    value = namespace.get(first)
    for attribute in others:
        value = getattr(value, attribute, None)
    return value


def find_frame(name: str, namespace: Mapping[str, Any]) -> pd.DataFrame | None:
    """The DataFrame that a plain or dotted name stands for, if it stands for one."""
    value = find_object(name, namespace)
    return value if _is_frame(value) else None


def frames_in(namespace: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """The notebook's DataFrames, each once, but for the shell's own variables (``_``, ``_12``)."""
    frames: dict[str, pd.DataFrame] = {}
    for name, value in namespace.items():
        if not name.startswith("_") and _is_frame(value) and all(value is not one for one in frames.values()):
            frames[name] = value
    return frames


def _is_frame(value: object) -> TypeGuard[pd.DataFrame]:
    # Without pandas there are no frames, and looking for them is no reason to import it.
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)
