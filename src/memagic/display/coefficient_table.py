"""The table of estimates in words and digits.

Text, HTML and LaTeX only place these strings, so that no number can differ between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from memagic.display.formats import clean, f, g

if TYPE_CHECKING:
    from memagic.display.report import Block, CoefficientTable, Row, Wrap

__all__ = ["Line", "Section", "TableCells", "table_cells"]


@dataclass(frozen=True, slots=True)
class Line:
    """One row: `numbers` are the table's columns, empty where the manual leaves a blank.

    A heading has no numbers at all, and a held coefficient has a `note` after the first.
    `gap` asks for a blank line above.
    """

    label: str
    name: str
    numbers: tuple[str, ...]
    note: str = ""
    indented: bool = False
    heading: bool = False
    gap: bool = False
    under: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Rows between two rules, under the name of their group if they have one."""

    lines: tuple[Line, ...]
    title: str | None
    flush: bool


@dataclass(frozen=True, slots=True)
class TableCells:
    """The table of estimates. `se_title` has one or two lines; with `legend` there are no numbers but b.

    `columns` says which of the six columns of numbers a line has: all but the statistic and its p-value
    without `p_values`, all but the limits without `intervals`.
    """

    depvar: str
    estimate_title: str
    se_title: tuple[str, ...]
    statistic: str
    p_title: str
    interval_title: str
    sections: tuple[Section, ...]
    legend: bool
    stretch: bool
    wrap: Wrap
    p_values: bool = True
    intervals: bool = True
    adjustment: str = ""

    @property
    def columns(self) -> tuple[int, ...]:
        """Positions among b, standard error, statistic, p-value and the two limits."""
        return (0, 1, *((2, 3) if self.p_values else ()), *((4, 5) if self.intervals else ()))


def table_cells(table: CoefficientTable) -> TableCells:
    """Format the table of estimates.

    Parameters
    ----------
    table : CoefficientTable
        The numbers.

    Returns
    -------
    TableCells
        The same as strings.
    """
    return TableCells(
        depvar=clean(table.depvar),
        estimate_title=clean(table.estimate_title),
        se_title=tuple(clean(line) for line in table.se_title.split("\n")),
        statistic=table.statistic,
        p_title=f"P>|{table.statistic}|",
        interval_title=f"[{g(table.level)}% conf. interval]",
        sections=tuple(_section(block, table) for block in table.blocks),
        legend=table.legend,
        stretch=table.stretch,
        wrap=table.wrap,
        p_values=table.p_values,
        intervals=table.intervals,
        adjustment=clean(table.adjustment),
    )


def _section(block: Block, table: CoefficientTable) -> Section:
    rows = block.rows
    gaps = [False] * len(rows)
    if block.title is None and not block.flush and not table.squish:
        gaps[1:] = [_gap(above, row) for above, row in pairwise(rows)]
    return Section(
        lines=tuple(_line(row, gap, table) for row, gap in zip(rows, gaps, strict=True)),
        title=None if block.title is None else clean(block.title),
        flush=block.flush,
    )


def _gap(above: Row, row: Row) -> bool:
    # Factors and interactions stand apart from their neighbours, above and below.
    # A constant that is held at zero follows without a blank line, unlike one that is estimated.
    if row.indented or row.under or (row.kind == "state" and row.label == "_cons"):
        return False
    return row.kind == "heading" or above.indented or above.under or "#" in row.label or "#" in above.label


def _line(row: Row, gap: bool, table: CoefficientTable) -> Line:
    label = clean(row.label)
    if row.kind == "heading":
        return Line(label, row.name, (), heading=True, gap=gap)
    b = "" if row.b is None else g(row.b)
    if row.kind == "state":
        numbers: tuple[str, ...] = (b,)
    elif table.legend:
        numbers = (b, f"_b[{clean(row.name)}]")
    else:
        numbers = (b, "" if row.se is None else g(row.se))
        if table.p_values:
            numbers += (
                "" if row.z is None else f(row.z, 8, 2),
                "" if row.p is None else f(row.p, 5, 3),
            )
        if table.intervals:
            numbers += (
                "" if row.lower is None else g(row.lower),
                "" if row.upper is None else g(row.upper),
            )
    return Line(label, row.name, numbers, clean(row.note), row.indented, gap=gap, under=row.under)
