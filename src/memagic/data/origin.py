"""What later data are held against: the rows, levels and words of the data that a design was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.data.factors import distinct
from memagic.data.terms import Column
from memagic.data.variables import Variables

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

__all__ = ["Origin", "make_origin"]


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The estimation sample's own facts that are no part of its arrays.

    Attributes
    ----------
    index : Index, length n
        Of the rows in the sample.
    seen : mapping of str to ndarray
        The values of each factor variable there.
    words : mapping of str to mapping
        Words for the values of each variable that has them.
    """

    index: pd.Index | None = None
    seen: Mapping[str, Array] = field(default_factory=dict)
    words: Mapping[str, Mapping[float, str]] = field(default_factory=dict)


def make_origin(
    variables: Variables, sample: Mask, columns: Iterable[Column], names: Iterable[str]
) -> Origin:
    """The facts of a sample.

    Parameters
    ----------
    variables : Variables
    sample : ndarray of bool, shape (N,)
    columns : iterable of Column
        Of all equations, but not the indicators of `R.varname`.
    names : iterable of str
        Other variables that enter as numbers.
    """
    factors: dict[str, None] = {}
    used: dict[str, Any] = dict.fromkeys(names)
    for column in columns:
        for name, level in column.factors:
            used[name] = None
            if level is not None:
                factors[name] = None
    seen = {name: distinct(variables.numbers(name)[sample]) for name in factors}
    words = {name: labels for name in used if (labels := variables.value_labels(name))}
    index = variables.frame.index
    return Origin(index.view() if sample.all() else index[sample], seen, words)
