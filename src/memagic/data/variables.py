"""Columns of a DataFrame as the commands see them: numbers or text with missing values, and labels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.data.columns import (
    HINT_TEXT,
    as_values,
    category_numbers,
    category_words,
    group_codes,
    wrong_type,
)
from memagic.data.panel import Panel, make_panel
from memagic.data.unknown import unknown_hint
from memagic.errors import CommandError
from memagic.spec.operators import time_operator
from memagic.spec.tree import TimeSettings

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Text = NDArray[np.object_]
Index = NDArray[np.intp]
Span = tuple[int, int]

__all__ = ["Variables", "check_range", "check_size"]

# Sums of squares of larger values may exceed what a double holds.
_LARGEST = 1e150


@dataclass
class Variables:
    """Access to the columns of `frame`, which is never changed.

    A column is numbers with nan for missing values, or text with ``""`` for them. Booleans are 0
    and 1. Objects are text where all are strings and numbers where all are numbers.

    A pandas categorical whose categories are whole numbers is read as those numbers. Any other is
    read as 1, 2, ... in the order of its categories, which become its value labels; expressions
    compare it by its categories where these are text, and do not take it where they are neither.

    `attrs["value_labels"]` of the frame gives labels to numeric columns.

    `numbers` also has variables under a time-series operator, ``L2.x``, in the panels and times that
    `time` names.

    Where the frame is a part of the data, `levels` are those that factor variables have in all of them.
    """

    frame: pd.DataFrame
    time: TimeSettings | None = None
    levels: Mapping[str, Array] = field(default_factory=dict)
    _panel: Panel | None = field(default=None, init=False)
    _series: dict[str, pd.Series] = field(default_factory=dict, init=False)
    _values: dict[str, Array | Text] = field(default_factory=dict)
    _numbers: dict[str, Array] = field(default_factory=dict)
    _attrs: dict[Hashable, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._attrs = self.frame.attrs
        if self._attrs:
            # pandas copies `attrs` deeply every time a column is taken: another frame of the same columns.
            self.frame = type(self.frame)(self.frame)
            self.frame.attrs = {}

    def series(self, name: str, span: Span | None = None) -> pd.Series:
        """The column `name`.

        Raises
        ------
        CommandError
            ``variable x not found``, r(111), or more than one of them, r(110).
        """
        if name not in self._series:
            if name not in self.frame.columns:
                hint = unknown_hint(name, self.frame.columns)
                raise CommandError(111, f"variable {name} not found", span=span, hint=hint)
            column = self.frame[name]
            if column.ndim != 1:
                raise CommandError(110, f"variable {name} is there more than once", span=span)
            self._series[name] = column
        return self._series[name]

    def values(self, name: str, span: Span | None = None) -> Array | Text:
        """The column as expressions take it, shape (n,): floats, or objects where it is text.

        Raises
        ------
        CommandError
            Not found, r(111), more than one, r(110), or neither numbers nor text, r(109).
        """
        if name not in self._values:
            self._values[name] = as_values(self.series(name, span), span)
        return self._values[name]

    def numbers(self, name: str, span: Span | None = None) -> Array:
        """The column as the equations of a model take it, shape (n,): floats, also infinite ones.

        Raises
        ------
        CommandError
            Not found, r(111), more than one, r(110), or not numeric, r(109).
        """
        if name not in self._numbers:
            operator, variable = _operated(name)
            if operator and name not in self.frame.columns:
                if operator == "FD" and self.time is None:
                    # df.x is an operator before x, too, but hardly ever meant as one.
                    hint = f"df. is a lead and a difference; the column x of a frame is x: type {variable}"
                    raise CommandError(111, "time variable not set", span=span, hint=hint)
                plain = self.numbers(variable, span)
                self._numbers[name] = self.panel(span).apply(time_operator(operator), plain)
                return self._numbers[name]
            column = self.series(name, span)
            numbers = category_numbers(column)
            self._numbers[name] = self._plain_numbers(name, span) if numbers is None else numbers
        return self._numbers[name]

    def _plain_numbers(self, name: str, span: Span | None) -> Array:
        """Those of a column that is not categorical."""
        values = self.values(name, span)
        if values.dtype == object:
            raise wrong_type(name, "is a string variable", span, HINT_TEXT)
        return np.asarray(values, dtype=np.float64)

    def panel(self, span: Span | None = None) -> Panel:
        """The panels and times that `time` names, sorted once.

        Raises
        ------
        CommandError
            ``time variable not set``, r(111), or what is wrong with the two variables.
        """
        if self.time is None or not self.time.time:
            hint = "type tsset timevar or tsset panelvar timevar first"
            raise CommandError(111, "time variable not set", span=span, hint=hint)
        if self._panel is None:
            try:
                codes = self.groups(self.time.panel) if self.time.panel else None
                self._panel = make_panel(self.time, self.numbers(self.time.time), codes)
            except CommandError as error:
                error.span = span
                raise
        return self._panel

    def groups(self, name: str, span: Span | None = None) -> Index:
        """Codes of a group variable in the order of its values, -1 where it is missing, shape (n,).

        Raises
        ------
        CommandError
            Not found, r(111), more than one, r(110), or values that have no order, r(109).
        """
        return group_codes(self.series(name, span), span)

    def value_labels(self, name: str) -> dict[float, str]:
        """Words for the values of a variable; empty where it has none."""
        if name not in self.frame.columns:
            name = _operated(name)[1]
        words = category_words(self.series(name))
        if words is not None:
            return words
        labels = self._attrs.get("value_labels", {})
        found = labels.get(name, {}) if isinstance(labels, dict) else {}
        return {float(value): str(label) for value, label in found.items()}


def _operated(name: str) -> tuple[str, str]:
    """The time-series operator of a name and the variable: ``("L2", "x")``."""
    operator, _, variable = name.partition(".")
    return (operator, variable) if variable else ("", name)


def check_range(values: Array, name: str, span: Span | None) -> None:
    """Refuse numbers that no estimation can work with.

    Raises
    ------
    CommandError
        Infinite, or so large that their squares are, r(459).
    """
    if _small_enough(values):
        return
    if np.isinf(values).any():
        raise CommandError(
            459, f"variable {name} has infinite values", span=span, hint="replace them by missing"
        )
    check_size(values, name, span)


def check_size(values: Array, name: str, span: Span | None) -> None:
    """Refuse numbers whose squares are infinite, or that are so themselves.

    Raises
    ------
    CommandError
        r(459).
    """
    if not _small_enough(values):
        raise CommandError(459, f"values of {name} are too large", span=span, hint="measure in larger units")


def _small_enough(values: Array) -> bool:
    return bool(np.all(np.abs(values) <= _LARGEST))
