"""A report as the manual prints it, character by character."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

from memagic.display.coefficient_table import table_cells
from memagic.display.header import header_cells
from memagic.display.lr_line import comparison_cells
from memagic.display.name_column import NARROWEST, abbreviated, column_width, label_lines, title_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memagic.display.coefficient_table import Line, TableCells
    from memagic.display.header import Fact, HeaderCells
    from memagic.display.lr_line import ComparisonCells
    from memagic.display.report import Report

__all__ = ["LINE_WIDTH", "to_text"]

LINE_WIDTH = 78
_RIGHT = 48  # columns before the right-hand facts of the header
_BAR = 2  # the blank before the bar of the table, and the bar
_NUMBERS = 64  # columns after the bar of the table
_GROUP_INDENT = " " * 8
_NOTE_INDENT = " " * 6
_COLUMNS = (11, 11, 9, 8, 13, 12)  # widths of coefficient, standard error, z, p and the interval's ends


def to_text(report: Report) -> str:
    """Write a report as the manual prints it.

    Parameters
    ----------
    report : Report
        What a command has to show.

    Returns
    -------
    str
        Lines of 78 characters, more where names are long, without trailing blanks and without a
        newline at the end.
    """
    lines: list[str] = [report.title] if report.title else []
    for note in report.notes_before:
        lines += _wrapped(note)
    lines += report.log
    if lines and (report.header is not None or report.table is not None):
        lines.append("")
    table = None if report.table is None else table_cells(report.table)
    width = NARROWEST if table is None else column_width(table)
    if report.header is not None:
        header = header_cells(report.header)
        lines += _survey_header(header) if header.survey else _header(header)
        if header.vce:
            # Flush with the table, which may be wider than the header.
            lines.append(f"{header.vce:>{width + _BAR + _NUMBERS}}")
    lines += (f" {line.strip()}" for line in report.constraints)
    if table is not None:
        lines += _table(table, width)
    for note in report.notes:
        lines += _wrapped(note)
    if report.comparison is not None:
        lines += _comparison(comparison_cells(report.comparison))
    for warning in report.warnings:
        lines += _wrapped(warning)
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _wrapped(note: str) -> list[str]:
    if len(note) <= LINE_WIDTH:
        return [note]
    indent = _NOTE_INDENT if note.lower().startswith("note:") else ""
    return [
        piece
        for line in note.split("\n")
        for piece in textwrap.wrap(line, LINE_WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    ]


def _header(cells: HeaderCells) -> list[str]:
    wide = max((len(label) for label, _ in cells.model), default=0) + 1
    model = [f"{label + ':':<{wide}} {words}" for label, words in cells.model]
    lines: list[str] = []
    for left, fact in zip_longest([cells.title, *model], cells.right):
        lines += _pair(left or "", _right(fact) if fact else "")
    lines += _groups(cells)
    lines.append("")
    if cells.integration:
        (label, method), *points = cells.integration
        lines += [*_pair(f"{label}: {method}", _right(points[0]) if points else ""), ""]
    lefts = [""] * len(cells.fit)
    if cells.likelihood is not None:
        lefts = [*lefts[1:], " = ".join(cells.likelihood)]
    for left, fact in zip_longest(lefts, cells.fit):
        lines += _pair(left, _right(fact) if fact else "")
    return lines


def _survey_header(cells: HeaderCells) -> list[str]:
    facts = [*cells.right, *cells.fit]
    wide = max(11, *(len(value) for _, value in facts))
    right = [f"{label:<{LINE_WIDTH - 2 - wide - _RIGHT - 1}}= {value:>{wide}}" for label, value in facts]
    name = max(len(label) for label, _ in cells.left)
    size = max(len(value) for _, value in cells.left)
    left = [f"{label:<{name}} = {value:>{size}}" for label, value in cells.left]
    lines = [cells.title, *(f"{label}: {words}" for label, words in cells.model), ""]
    lines += (f"{a:<{_RIGHT + 1}}{b}" for a, b in zip_longest(left, right, fillvalue=""))
    return lines


def _right(fact: Fact) -> str:
    label, value = fact
    return f"{label:<18}= {value:>10}"


def _pair(left: str, right: str) -> list[str]:
    if len(left) < _RIGHT or not right:
        return [f"{left:<{_RIGHT}}{right}"]
    return [left, " " * _RIGHT + right]


def _groups(cells: HeaderCells) -> list[str]:
    if not cells.groups:
        return []
    if len(cells.groups) == 1:
        (group,) = cells.groups
        sizes = (("min", group.minimum), ("avg", group.average), ("max", group.maximum))
        return [
            *_pair(f"Group variable: {group.name}", _right(("Number of groups", group.n_groups))),
            "",
            " " * _RIGHT + "Obs per group:",
            *(f"{label:>65} = {value:>10}" for label, value in sizes),
        ]
    wide = max(15, *(len(group.name) for group in cells.groups))
    rule = "-" * (wide + 46)
    lines = [
        rule,
        f"{'':>{wide}} |     No. of       Observations per group",
        f"{'Group variable':>{wide}} |     groups    Minimum    Average    Maximum",
        "-" * (wide + 1) + "+" + "-" * 44,
        *(
            f"{group.name:>{wide}} | {group.n_groups:>10} {group.minimum:>10} {group.average:>10} "
            f"{group.maximum:>10}"
            for group in cells.groups
        ),
        rule,
    ]
    return ["", *(_GROUP_INDENT + line for line in ["Grouping information", *lines])]


def _table(table: TableCells, width: int) -> list[str]:
    widths = [_COLUMNS[k] for k in table.columns]
    # The head of the standard errors ends one column right of them.
    numbers = _NUMBERS if table.legend else max(sum(widths), sum(_COLUMNS[:2]) + 1)
    rule = "-" * (width + _BAR + numbers)
    lines = [rule, *_heads(table, width)]
    blank = " " * (width + 1) + "|"
    for section in table.sections:
        lines.append("-" * (width + 1) + "+" + "-" * numbers)
        if section.title is not None:
            lines += title_lines(section.title, width)
        for line in section.lines:
            if line.gap:
                lines.append(blank)
            lines += label_lines(line, width, section.flush, table.wrap)
            lines[-1] += _numbers(line, table.legend, widths)
    return [*lines, rule]


def _heads(table: TableCells, width: int) -> Iterable[str]:
    depvar = abbreviated(table.depvar, max(width, NARROWEST))
    estimate = f"{' ' + table.estimate_title:>11}"
    if table.legend:
        return (f"{depvar:>{width}} |{estimate:<12}  Legend",)
    *above, se = table.se_title
    # The upper line of the title is centred over the nine characters of "std. err.".
    tops = [" " * (width + 1) + "|" + " " * (14 + (9 - len(top)) // 2) + top for top in above]
    if table.adjustment:
        tops.append(" " * (width + 1) + "|" + _over(table))
    se = f"  {se}".rjust(_COLUMNS[0] + _COLUMNS[1] + 1 - len(estimate))
    row = f"{depvar:>{width}} |{estimate}{se}"
    if table.p_values:
        row += f"{table.statistic:>7}{table.p_title:>9}"
    if table.intervals:
        # The heads end one column right of the numbers before them.
        row += f"{table.interval_title:>{25 if table.p_values else 24}}"
    return (*tops, row)


def _over(table: TableCells) -> str:
    """The word over the tests, where their heads are, and over the limits."""
    word = table.adjustment
    left = _COLUMNS[0] + _COLUMNS[1] + 1
    over = " " * left + (" " * 6 + f"{word:^10}" if table.p_values else "")
    if table.intervals:
        over += " " * (5 if table.p_values else 4) + f"{word:^20}"
    return over


def _numbers(line: Line, legend: bool, widths: Sequence[int]) -> str:
    if line.heading:
        return ""
    first, *others = line.numbers
    if line.note:
        return f"{first:>{_COLUMNS[0]}}  {line.note}"
    if legend:
        return f"{first:>{_COLUMNS[0]}}  {' '.join(others)}"
    return "".join(f"{cell:>{width}}" for cell, width in zip(line.numbers, widths, strict=False))


def _comparison(cells: ComparisonCells) -> list[str]:
    # A long name of the model would push the right half over the edge: two blanks stay between.
    room = max(LINE_WIDTH - len(cells.left), len(cells.right) + 2)
    line = f"{cells.left}{cells.right:>{room}}"
    return [line, "", cells.note] if cells.note else [line]
