"""A small table of any kind, with a title above and notes below, as text and as HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from memagic.display.formats import clean
from memagic.display.points import decimals, number_cell
from memagic.display.style import STYLE
from memagic.display.text import LINE_WIDTH

__all__ = ["GridRow", "GridTable", "grid_html", "grid_text"]

_GAP = 2
_NARROWEST = 12


@dataclass(frozen=True, slots=True)
class GridRow:
    r"""A row: its label, its cells as they are shown, and whether a rule stands above it.

    A line break in a cell stacks a second number under the first. A `heading` has no cells: it names
    the rows below it, up to the next rule.
    """

    label: str
    cells: tuple[str, ...] = ()
    indented: bool = False
    ruled: bool = False
    heading: bool = False


@dataclass(frozen=True, slots=True)
class GridTable:
    r"""A table whose cells are strings already.

    Attributes
    ----------
    title : str
    heads : tuple of str
        Of the columns after the labels; a line break stacks words, ``"7 points\n(fitted)"``.
    rows : tuple of GridRow
    notes : tuple of str
    """

    title: str
    heads: tuple[str, ...] = ()
    rows: tuple[GridRow, ...] = ()
    notes: tuple[str, ...] = ()


def grid_text(table: GridTable) -> str:
    """The table in plain characters: labels flush right against a bar, cells flush right."""
    lines = [clean(table.title)]
    if table.rows:
        lines += ["", *_lines(table)]
    for note in table.notes:
        lines += textwrap.wrap(clean(note), LINE_WIDTH, break_on_hyphens=False)
    return "\n".join(line.rstrip() for line in lines)


def _lines(table: GridTable) -> list[str]:
    labels = [clean(row.label) for row in table.rows]
    wide = max(_NARROWEST, *(len(label) for label in labels))
    stacks = [head.split("\n") for head in table.heads]
    bodies = [row for row in table.rows if not row.heading]
    columns = [
        [*stack, *(line for row in bodies for line in row.cells[j].split("\n"))]
        for j, stack in enumerate(stacks)
    ]
    widths = [max(len(cell) for cell in column) + _GAP for column in columns]
    depth = max(len(stack) for stack in stacks)
    rule = "-" * (wide + 2 + sum(widths))
    between = "-" * (wide + 1) + "+" + "-" * sum(widths)
    lines = [rule]
    for line in range(depth):
        # Short heads stand at the bottom of their column.
        words = [([""] * (depth - len(stack)) + stack)[line] for stack in stacks]
        lines.append(_line("", *_joined(words, widths), wide=wide))
    lines.append(between)
    for k, (label, row) in enumerate(zip(labels, table.rows, strict=True)):
        if row.ruled and k:
            lines.append(between)
        if row.heading:
            lines.append(f"{label:<{wide}} |")
            continue
        cells = [cell.split("\n") for cell in row.cells]
        for number in range(max(map(len, cells), default=1)):
            words = [cell[number] if number < len(cell) else "" for cell in cells]
            lines.append(_line("" if number else label, words, widths, wide))
    return [*lines, rule]


def _joined(heads: list[str], widths: list[int]) -> tuple[list[str], list[int]]:
    """Heads that are one phrase in brackets over two columns, ``[95% conf.`` and ``interval]``, as one."""
    words, sizes = heads[:1], widths[:1]
    for head, width in zip(heads[1:], widths[1:], strict=True):
        if words[-1].startswith("[") and head.endswith("]"):
            words[-1] += f" {head}"
            sizes[-1] += width
        else:
            words.append(head)
            sizes.append(width)
    return words, sizes


def _line(label: str, cells: list[str], widths: list[int], wide: int) -> str:
    shown = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"{label:>{wide}} |{shown}"


def grid_html(table: GridTable) -> str:
    """The table as one fragment of HTML with its style; words are escaped."""
    title = escape(clean(table.title))
    parts = [
        f'<div class="memagic-report">\n<style>\n{STYLE}</style>\n<p class="memagic-title">{title}</p>\n'
    ]
    if table.rows:
        heads = "".join(
            f'<th scope="col">{"<br>".join(escape(line) for line in head.split(chr(10)))}</th>'
            for head in table.heads
        )
        parts.append(
            f'<div class="memagic-scroll" tabindex="0" role="group" aria-label="{title}">\n'
            f'<table class="memagic-table">\n<caption>{title}</caption>\n'
            f"<thead><tr><td></td>{heads}</tr></thead>\n<tbody>\n"
        )
        parts += _body(table)
        parts.append("</tbody>\n</table>\n</div>\n")
    parts += (f'<p class="memagic-note">{escape(clean(note))}</p>\n' for note in table.notes)
    parts.append("</div>")
    return "".join(parts)


def _body(table: GridTable) -> Iterator[str]:
    """The rows between the first rule and the last; decimal points stand below each other between rules."""
    for number, section in enumerate(_sections(table.rows)):
        if number:
            yield "</tbody>\n<tbody>\n"
        deepest = [
            decimals(cell for row in section if not row.heading for cell in row.cells[j].split("\n"))
            for j in range(len(table.heads))
        ]
        for row in section:
            yield _heading(row, len(table.heads)) if row.heading else _row(row, deepest)


def _sections(rows: Sequence[GridRow]) -> list[list[GridRow]]:
    sections: list[list[GridRow]] = [[]]
    for row in rows:
        if row.ruled and sections[-1]:
            sections.append([])
        sections[-1].append(row)
    return sections


def _heading(row: GridRow, width: int) -> str:
    label = escape(clean(row.label))
    return f'<tr><th scope="rowgroup" colspan="{width + 1}" class="memagic-group">{label}</th></tr>\n'


def _row(row: GridRow, deepest: Sequence[int]) -> str:
    """One row of the table for each number that stands in a cell."""
    mark = ' class="memagic-in"' if row.indented else ""
    stacks = [cell.split("\n") for cell in row.cells]
    depth = max(map(len, stacks), default=1)
    span = f' rowspan="{depth}"' if depth > 1 else ""
    head = f'<th scope="row"{span}>{escape(clean(row.label))}</th>'
    rows = []
    for line in range(depth):
        words = (stack[line] if line < len(stack) else "" for stack in stacks)
        cells = "".join(map(number_cell, words, deepest))
        rows.append(f"<tr{mark}>{head}{cells}</tr>\n")
        mark, head = ' class="memagic-below"', ""
    return "".join(rows)
