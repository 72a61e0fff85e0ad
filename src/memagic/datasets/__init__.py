"""Example data: the manual's data sets that may be shipped.

A data set is two files here: the numbers (``<name>.csv.gz``) and their description (``<name>.json``). The
description goes into the frame's ``attrs`` under the keys that every source of data uses: ``title``,
``variable_labels``, ``value_labels``.
"""

from __future__ import annotations

import gzip
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypedDict, cast

from memagic.errors import CommandError, closest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["describe", "load", "names", "variables"]

# Storage types in the manual's words; the smallest that hold each variable.
DTYPES = {"byte": "int8", "int": "int16", "long": "int32", "float": "float32", "double": "float64"}


class Variable(TypedDict, total=False):
    """One variable of a data set's description."""

    type: str
    label: str
    value_label: str


class Metadata(TypedDict):
    """A data set's description."""

    title: str
    source: str
    licence: str
    notes: list[str]
    variables: dict[str, Variable]
    value_labels: dict[str, dict[str, str]]


def names() -> list[str]:
    """The data sets there are."""
    return sorted(
        item.name.removesuffix(".csv.gz")
        for item in files(__name__).iterdir()
        if item.name.endswith(".csv.gz")
    )


def load(name: str) -> pd.DataFrame:
    """A fresh copy of a data set.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    DataFrame
        Integer variables in the smallest type that holds them. ``attrs`` has ``title``, ``variable_labels``
        (variable to text) and ``value_labels`` (variable to a mapping from value to text).

    Raises
    ------
    CommandError
        601 where there is no such data set.
    """
    import pandas as pd

    metadata = _metadata(name)
    variables = metadata["variables"]
    with files(__name__).joinpath(f"{name}.csv.gz").open("rb") as packed, gzip.open(packed) as text:
        frame = pd.read_csv(text, dtype=cast("Any", _dtypes(variables)))
    frame.attrs.update(
        title=metadata["title"],
        variable_labels={variable: about["label"] for variable, about in variables.items()},
        value_labels={
            variable: {
                int(value): text for value, text in metadata["value_labels"][about["value_label"]].items()
            }
            for variable, about in variables.items()
            if "value_label" in about
        },
    )
    return frame


def describe(name: str) -> pd.DataFrame:
    """What a data set holds: one row a variable, with its type, value label and label.

    Returns
    -------
    DataFrame
        ``attrs`` has ``title``, ``source``, ``licence`` and ``notes``.

    Raises
    ------
    CommandError
        601 where there is no such data set.
    """
    import pandas as pd

    metadata = _metadata(name)
    shown = pd.DataFrame(
        [
            (about["type"], about.get("value_label", ""), about["label"])
            for about in metadata["variables"].values()
        ],
        index=pd.Index(list(metadata["variables"]), name="variable"),
        columns=["type", "value label", "label"],
    )
    for key in ("title", "source", "licence", "notes"):
        shown.attrs[key] = metadata[key]
    return shown


def variables(name: str) -> tuple[str, ...]:
    """The names of a data set's variables, without its data.

    Raises
    ------
    CommandError
        601 where there is no such data set.
    """
    return tuple(_metadata(name)["variables"])


def _metadata(name: str) -> Metadata:
    known = names()
    if name not in known:
        raise CommandError(601, f"file {name} not found", hint=closest(name, known))
    text = files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    return cast("Metadata", json.loads(text))


def _dtypes(variables: Mapping[str, Variable]) -> dict[str, str]:
    return {variable: DTYPES[about["type"]] for variable, about in variables.items()}
