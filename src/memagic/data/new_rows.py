"""The columns of a design on other rows: the same names, bases and omissions, whatever is in those rows."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.data.design import Design
from memagic.data.levels import DesignLevel, RandomEffects
from memagic.data.sample import ALL
from memagic.data.terms import Column, values_of
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.tree import Command

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

NEW, MISSING = -1, -2
"""In place of the code of a group: one that is not in the estimation sample, and none."""

__all__ = ["MISSING", "NEW", "NewRows", "as_numbers"]


class NewRows:
    """Rows of any frame as a design's equations see them; nan wherever a value is missing.

    Parameters
    ----------
    design : Design
    command : Command
        That the design was made for.
    frame : DataFrame
        Not changed. Words in it stand for the numbers that they stood for in the estimation sample.
    """

    def __init__(self, design: Design, command: Command, frame: pd.DataFrame) -> None:
        self._design = design
        self._command = command
        self._frame = frame
        self._numbers = Variables(as_numbers(frame, design))

    def __len__(self) -> int:
        return len(self._frame)

    def fixed(self) -> Array:
        """The estimated columns of the fixed-effects equation, shape (n, p).

        Raises
        ------
        CommandError
            A variable is not there, r(111), not numeric, r(109), or has a level that the estimation
            sample does not have, r(459).
        """
        columns = [column for column in self._design.fixed if column.state == "estimated"]
        return self._columns(columns)

    def offset(self) -> Array:
        """The offset, or the log of the exposure, shape (n,); zero without one."""
        options = self._command.fixed.options
        if "offset" in options:
            values = self._numbers.numbers(str(options["offset"].value))
            return np.where(np.isfinite(values), values, np.nan)
        if "exposure" in options:
            values = self._numbers.numbers(str(options["exposure"].value))
            return np.log(np.where((values > 0.0) & np.isfinite(values), values, np.nan))
        return np.zeros(len(self))

    def number(self, name: str) -> Array:
        """A variable, shape (n,)."""
        return self._numbers.numbers(name).copy()

    def z(self) -> tuple[Array, ...]:
        """The columns of every part of the levels, each shape (n, q); ones for a factor."""
        return tuple(
            np.ones((len(self), 1)) if part[0].factor else self._columns([c for e in part for c in e.columns])
            for level in self._design.levels
            for part in level.parts
        )

    def codes(self) -> tuple[Index, ...]:
        """Where every row is among the groups of a part, or the values of a factor; each shape (n,).

        `NEW` or `MISSING` where it is among none.
        """
        return tuple(
            self._values_of(part[0], level, groups) if part[0].factor else groups
            for level, groups in zip(self._design.levels, self.groups(), strict=True)
            for part in level.parts
        )

    def groups(self) -> tuple[Index, ...]:
        """The code of every row's group, by level; `NEW` or `MISSING` where it has none. Each shape (n,).

        A group is known by its own value and those of the groups above it.
        """
        found: list[Index] = []
        own: list[list[Any]] = []
        known: list[Any] = []
        missing = np.zeros(len(self), dtype=bool)
        for grouping in self._design.groupings:
            if grouping.name == ALL:
                found.append(np.zeros(len(self), dtype=np.intp))
                continue
            values, absent = _values(self._frame, grouping.name)
            missing = missing | absent
            own.append(values)
            known.append(grouping)
            first = grouping.first
            keys = [g.values[g.codes[first]].tolist() for g in known]
            codes = {key: code for code, key in enumerate(zip(*keys, strict=True))}
            at = np.array([codes.get(key, NEW) for key in zip(*own, strict=True)], dtype=np.intp)
            found.append(np.where(missing, MISSING, at))
        return tuple(found)

    def _columns(self, columns: list[Column]) -> Array:
        x = np.empty((len(self), len(columns)))
        for j, column in enumerate(columns):
            absent = np.zeros(len(self), dtype=bool)
            for name, level in column.factors:
                values = self._numbers.numbers(name)
                absent |= np.isnan(values)
                if level is not None:
                    _check_seen(name, values, self._design.origin.seen.get(name))
            x[:, j] = np.where(absent, np.nan, values_of(self._numbers, column, slice(None)))
        # No estimation takes infinite values, and nothing is predicted from them.
        return np.where(np.isfinite(x), x, np.nan)

    def _values_of(self, equation: RandomEffects, level: DesignLevel, groups: Index) -> Index:
        """Codes of a factor's values, each known within its group."""
        assert equation.codes is not None
        values, absent = _values(self._frame, equation.factor)
        of_group = np.zeros(len(equation.values), dtype=np.intp)
        of_group[equation.codes] = level.grouping.codes
        places = {
            key: k for k, key in enumerate(zip(of_group.tolist(), equation.values.tolist(), strict=True))
        }
        at = [places.get(key, NEW) for key in zip(groups.tolist(), values, strict=True)]
        return np.where(absent | (groups == MISSING), MISSING, np.array(at, dtype=np.intp))


def _values(frame: pd.DataFrame, name: str) -> tuple[list[Any], Mask]:
    """A variable as the frame has it, and where it is missing.

    Raises
    ------
    CommandError
        Values that are no single ones, such as lists, r(109).
    """
    column = Variables(frame).series(name)
    values = column.to_numpy().tolist()
    if column.dtype == object and not all(isinstance(value, Hashable) for value in values):
        raise CommandError(109, f"type mismatch: {name} holds values that have no order")
    absent = np.asarray(column.isna().to_numpy(), dtype=bool)
    # The empty string is the missing value of text.
    return values, absent | np.array([value == "" for value in values], dtype=bool)


def _check_seen(name: str, values: Array, seen: Array | None) -> None:
    """Refuse levels about which the estimates say nothing.

    Raises
    ------
    CommandError
        r(459).
    """
    if seen is None:
        return
    present = np.unique(values[~np.isnan(values)])
    unseen = present[~np.isin(present, seen)]
    if len(unseen):
        shown = ", ".join(f"{value:g}" for value in unseen[:5])
        raise CommandError(
            459,
            f"{name} has levels that are not in the estimation sample: {shown}",
            hint="predict for other rows: with if e(sample) for those that were estimated from",
        )


def as_numbers(frame: pd.DataFrame, design: Design) -> pd.DataFrame:
    """The frame with words replaced by the numbers that they stood for.

    Raises
    ------
    CommandError
        A word that the estimation sample's data do not have, r(459).
    """
    import pandas as pd

    changed = frame.copy(deep=False)
    for name, words in design.origin.words.items():
        if name not in frame.columns or frame[name].ndim != 1:
            continue
        plain = frame[name]
        dtype: Any = plain.dtype
        if isinstance(dtype, pd.CategoricalDtype):
            dtype = dtype.categories.dtype
        if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
            continue
        plain = plain.astype(object)
        codes = {word: value for value, word in words.items()}
        unknown = [str(word) for word in plain.dropna().unique() if word != "" and word not in codes]
        if unknown:
            hint = f"they were {', '.join(list(codes)[:8])}"
            message = (
                f"{name} has values that the data of the estimates do not have: {', '.join(unknown[:5])}"
            )
            raise CommandError(459, message, hint=hint)
        changed[name] = plain.map(codes).astype(float).to_numpy()
    return changed
