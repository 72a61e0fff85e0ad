"""A small table of any kind as LaTeX, with the rules of the booktabs package."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memagic.display.grid_table import GridRow, GridTable
from memagic.display.latex import escape, number, row_of

__all__ = ["grid_latex"]

_STARRED = re.compile(r"([-+.,e\d]+)(\*+)")


def grid_latex(table: GridTable) -> str:
    """Write a table as a LaTeX ``table``; it needs the package booktabs.

    Parameters
    ----------
    table : GridTable

    Returns
    -------
    str
        The environment, with a comment above it that names the package.
    """
    lines = ["% needs \\usepackage{booktabs}", r"\begin{table}[htbp]", r"\centering\footnotesize"]
    lines.append(rf"\caption{{{escape(table.title)}}}")
    if table.rows:
        lines += _rows(table)
    if table.notes:
        body = " \\par\n".join(escape(note) for note in table.notes)
        lines += [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize\raggedright", body]
        lines.append(r"\end{minipage}")
    lines.append(r"\end{table}")
    return "\n".join(lines) + "\n"


def _rows(table: GridTable) -> Iterator[str]:
    yield rf"\begin{{tabular}}{{l{'r' * len(table.heads)}}}"
    yield r"\toprule"
    stacks = [head.split("\n") for head in table.heads]
    depth = max(map(len, stacks), default=1)
    for line in range(depth):
        # Short heads stand at the bottom of their column.
        yield row_of(["", *(escape(([""] * (depth - len(stack)) + stack)[line]) for stack in stacks)])
    yield r"\midrule"
    for k, row in enumerate(table.rows):
        if row.ruled and k:
            yield r"\midrule"
        yield from _lines(row, len(table.heads))
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _lines(row: GridRow, width: int) -> Iterator[str]:
    """One row of the table for each number that stands in a cell."""
    label = escape(row.label)
    if row.heading:
        yield rf"\multicolumn{{{width + 1}}}{{l}}{{\itshape {label}}} \\"
        return
    if row.indented:
        label = rf"\quad {label}"
    stacks = [cell.split("\n") for cell in row.cells]
    for line in range(max(map(len, stacks), default=1)):
        cells = [_cell(stack[line].strip()) if line < len(stack) else "" for stack in stacks]
        yield row_of(["" if line else label, *cells])


def _cell(text: str) -> str:
    starred = _STARRED.fullmatch(text)
    if starred is not None:
        return f"${starred[1]}^{{{starred[2]}}}$"
    return number(text) if text[:1] in "-.0123456789" else escape(text)
