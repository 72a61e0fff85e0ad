"""How results of postestimation commands show themselves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memagic.display.grid_table import GridTable, grid_html, grid_text
from memagic.display.html import to_html
from memagic.display.report import Report, Row
from memagic.display.rich import Rich
from memagic.display.text import to_text

Array = NDArray[np.float64]

__all__ = ["Reported", "Shown", "estimate_row"]


class Shown(Rich):
    """A result that is shown as a table: rich in a notebook, plain text elsewhere."""

    __slots__ = ()

    @abstractmethod
    def grid(self) -> GridTable:
        """The table."""

    def to_text(self) -> str:
        """Plain text."""
        return grid_text(self.grid())

    def to_html(self) -> str:
        """One HTML fragment."""
        return grid_html(self.grid())


class Reported(Rich):
    """A result that is shown as a table of estimates with lines above it."""

    __slots__ = ()

    @abstractmethod
    def report(self) -> Report:
        """The table with its notes; what stands above it are its `constraints` and `notes_before`."""

    def heading(self) -> tuple[str, ...]:
        """The lines above the table in plain text."""
        lines = [*self.report().notes_before, *(f" {line}" for line in self.report().constraints)]
        return ("", *lines, "") if lines else ()

    def to_text(self) -> str:
        """Plain text."""
        report = self.report()
        table = Report(table=report.table, notes=report.notes, warnings=report.warnings)
        return "\n".join([*self.heading(), to_text(table)]).strip("\n")

    def to_html(self) -> str:
        """One HTML fragment."""
        return to_html(self.report())


def estimate_row(label: str, columns: Sequence[Array], k: int, *, indented: bool = False) -> Row:
    """Row k of b, se, z, p and the two limits."""
    b, se, z, p, lower, upper = (float(column[k]) for column in columns)
    return Row("estimate", label, "", b, se, z, p, lower, upper, indented=indented)
