"""The column of names in the text table: how wide it is, and what is done with a name that is wider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memagic.display.coefficient_table import Line, TableCells
    from memagic.display.report import Wrap

__all__ = ["NARROWEST", "abbreviated", "broken", "column_width", "label_lines", "title_lines", "wrapped"]

NARROWEST = 12
_WIDEST = 32  # the longest name of a variable

_BREAK_NAME = re.compile(r"(?<=[#>])")
_BREAK_FLUSH = re.compile(r"(?<=[,#>])|(?<=\s)")


def broken(label: str, width: int, *, flush: bool = False) -> list[str]:
    """Break a name over lines after ``#``, ``>`` and, in a flush label, a comma or a blank.

    Parameters
    ----------
    label : str
        The name.
    width : int
        As many parts as fit into it stay on one line; a part that is longer stays whole.
    flush : bool
        Whether it is the label of a variance or covariance.

    Returns
    -------
    list of str
        The lines, at least one.
    """
    if len(label) <= width:
        return [label]
    parts = (_BREAK_FLUSH if flush else _BREAK_NAME).split(label)
    lines = [parts[0]]
    for part in parts[1:]:
        if len((lines[-1] + part).rstrip()) <= width:
            lines[-1] += part
        elif part:
            lines.append(part)
    return [line.rstrip() for line in lines]


def abbreviated(label: str, width: int) -> str:
    """Shorten a name to the width as the manual does, keeping its last character: ``averylongn~e``."""
    return label if len(label) <= width else f"{label[: width - 2]}~{label[-1]}"


def column_width(table: TableCells) -> int:
    """Find the width of the column of names, without the blank before the bar.

    It is 12, and more where a name is longer. Covariances and nested groups are broken instead.

    Parameters
    ----------
    table : TableCells
        The formatted table.

    Returns
    -------
    int
        A width from 12 to 32.
    """
    if not table.stretch:
        return NARROWEST
    need = max(NARROWEST, len(table.depvar))
    for section in table.sections:
        if section.title is not None:
            need = max(need, *map(len, broken(section.title, NARROWEST)))
        for line in section.lines:
            if section.flush:
                parts = broken(line.label, NARROWEST + 1, flush=True)
                # One character more fits where no blank is kept before the bar: `var(e.weight)|`.
                need = max(need, *(len(part) for part in parts if len(part) > NARROWEST + 1), 0)
            else:
                need = max(need, len(line.label) + line.indented)
    return min(need, _WIDEST)


def wrapped(label: str, width: int, wrap: Wrap) -> list[str]:
    """Break a value label that is wider than its column over lines.

    Parameters
    ----------
    label : str
    width : int
        Of a line.
    wrap : Wrap
        How many lines there may be, and where they end.

    Returns
    -------
    list of str
        At least one; what does not fit into the last one is abbreviated.
    """
    lines: list[str] = []
    rest = label
    while len(rest) > width and len(lines) + 1 < wrap.lines:
        end = rest.rfind(" ", 1, width + 1) if wrap.on == "word" else width
        end = width if end < 1 else end
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*lines, abbreviated(rest, width)]


def label_lines(line: Line, width: int, flush: bool, wrap: Wrap) -> list[str]:
    """Lay out the label of a row up to and with the bar; its numbers belong to the last line.

    Parameters
    ----------
    line : Line
        The row.
    width : int
        The width of the column, without the blank before the bar.
    flush : bool
        Whether labels end at the bar, as those of variances do.
    wrap : Wrap
        How long labels of levels are broken.

    Returns
    -------
    list of str
        One line, or several for a label that is broken.
    """
    if flush:
        parts = broken(line.label, width + 1, flush=True)
        return [f"{abbreviated(part, width + 1):>{width + 1}}|" for part in parts]
    if line.indented:
        return [f"{part:>{width - 1}}  |" for part in wrapped(line.label, width - 1, wrap)]
    *first, last = broken(line.label, width)
    lines = [f"{abbreviated(part, width):>{width + 1}}|" for part in first]
    return [*lines, f"{abbreviated(last, width):>{width}} |"]


def title_lines(title: str, width: int) -> list[str]:
    """Lay out the name above a block, flush left up to and with the bar."""
    return [f"{abbreviated(part, width):<{width + 1}}|" for part in broken(title, width)]
