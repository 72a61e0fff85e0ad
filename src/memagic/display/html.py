"""A report as one self-contained fragment of HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from memagic.display.coefficient_table import table_cells
from memagic.display.header import header_cells
from memagic.display.lr_line import comparison_cells
from memagic.display.points import decimals as places
from memagic.display.points import number_cell
from memagic.display.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memagic.display.coefficient_table import Line, Section, TableCells
    from memagic.display.header import Fact, HeaderCells
    from memagic.display.report import Report

__all__ = ["to_html"]


def to_html(report: Report) -> str:
    """Write a report as a fragment of HTML.

    Parameters
    ----------
    report : Report
        What a command has to show.

    Returns
    -------
    str
        One ``div`` with its style inside. Numbers are the strings of the text, names are escaped.
    """
    parts = [f'<div class="memagic-report">\n<style>\n{STYLE}</style>\n']
    if report.title:
        parts.append(f'<p class="memagic-title">{escape(report.title)}</p>\n')
    parts += (_note(note) for note in report.notes_before)
    if any(report.log):
        log = escape("\n".join(report.log).strip("\n"))
        parts.append(
            f'<details class="memagic-log"><summary>Iteration log</summary><pre>{log}</pre></details>\n'
        )
    if report.header is not None:
        parts += _header(header_cells(report.header))
    parts += (_note(line) for line in report.constraints)
    if report.table is not None:
        title = report.title if report.header is None else report.header.title
        parts += _table(table_cells(report.table), title)
    parts += (_note(note) for note in report.notes)
    if report.comparison is not None:
        test = comparison_cells(report.comparison)
        parts.append(
            f'<p class="memagic-lr"><span>{escape(test.left)}</span> <span>{escape(test.right)}</span></p>\n'
        )
        if test.note:
            parts.append(_note(test.note))
        if test.offer:
            parts.append(_note(test.offer))
    parts += (_note(warning) for warning in report.warnings)
    parts.append("</div>")
    return "".join(parts)


def _note(words: str) -> str:
    return f'<p class="memagic-note">{escape(words)}</p>\n'


def _header(cells: HeaderCells) -> Iterable[str]:
    yield f'<p class="memagic-title">{escape(cells.title)}</p>\n<div class="memagic-facts">\n'
    words: list[Fact] = [*cells.model, *cells.left]
    numbers: list[Fact] = [*cells.right]
    if len(cells.groups) == 1:
        (group,) = cells.groups
        words.append(("Group variable", group.name))
        numbers.append(("Number of groups", group.n_groups))
        sizes = f"min {group.minimum}, avg {group.average}, max {group.maximum}"
        words.append(("Obs per group", sizes))
    words += cells.integration
    if cells.likelihood is not None:
        words.append(cells.likelihood)
    yield _facts(words, "memagic-words")
    yield _facts([*numbers, *cells.fit], "memagic-numbers")
    yield "</div>\n"
    if len(cells.groups) > 1:
        yield _group_table(cells)
    if cells.vce:
        yield _note(cells.vce)


def _facts(facts: Sequence[Fact], kind: str) -> str:
    if not facts:
        return ""
    pairs = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>\n" for label, value in facts)
    return f'<dl class="{kind}">\n{pairs}</dl>\n'


def _group_table(cells: HeaderCells) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(group.name)}</th><td>{group.n_groups}</td><td>{group.minimum}</td>'
        f"<td>{group.average}</td><td>{group.maximum}</td></tr>\n"
        for group in cells.groups
    )
    return (
        '<div class="memagic-scroll">\n<table class="memagic-table memagic-groups">\n'
        "<caption>Grouping information</caption>\n"
        '<thead><tr><th scope="col" rowspan="2">Group variable</th><th scope="col" rowspan="2">'
        'No. of<br>groups</th><th scope="colgroup" colspan="3" class="memagic-interval">'
        'Observations per group</th></tr>\n<tr><th scope="col" class="memagic-sub">Minimum</th>'
        '<th scope="col">Average</th><th scope="col">Maximum</th></tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )


def _table(table: TableCells, title: str) -> Iterable[str]:
    caption = f"Estimates for {table.depvar}" if table.depvar else "Estimates"
    if title:
        caption = f"{title}: {caption[0].lower()}{caption[1:]}"
    yield (
        '<div class="memagic-scroll" tabindex="0" role="group" aria-label="Table of estimates">\n'
        f'<table class="memagic-table">\n<caption>{escape(caption)}</caption>\n'
    )
    yield _heads(table)
    decimals = _decimals(table)
    for section in table.sections:
        yield _section(section, decimals, table)
    yield "</table>\n</div>\n"


def _heads(table: TableCells) -> str:
    names = [escape(table.depvar), escape(table.estimate_title)]
    if table.legend:
        names.append("Legend")
        groups = "<colgroup><col><col><col></colgroup>\n"
        last = ""
    else:
        se = "<br>".join(escape(line) for line in table.se_title)
        names += [se, table.statistic, escape(table.p_title)] if table.p_values else [se]
        groups = f"<colgroup>{'<col>' * len(names)}</colgroup>\n"
        last = ""
        if table.intervals:
            # The interval's heading spans two columns, which have to be a group for its scope to hold.
            groups = groups.replace("\n", '<colgroup span="2"></colgroup>\n')
            over = f"{escape(table.adjustment)}<br>" if table.adjustment else ""
            interval = over + escape(table.interval_title)
            last = f'<th scope="colgroup" colspan="2" class="memagic-interval">{interval}</th>'
    cells = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f"{groups}<thead><tr>{cells}{last}</tr></thead>\n"


def _section(section: Section, decimals: Sequence[int], table: TableCells) -> str:
    width = 3 if table.legend else 1 + len(table.columns)
    rows = ["<tbody>\n"]
    if section.title is not None:
        rows.append(
            f'<tr><th scope="rowgroup" colspan="{width}" class="memagic-group">'
            f"{escape(section.title)}</th></tr>\n"
        )
    within = section.title is not None
    rows += (_row(line, decimals, width, table.legend, within) for line in section.lines)
    rows.append("</tbody>\n")
    return "".join(rows)


def _row(line: Line, decimals: Sequence[int], width: int, legend: bool, within: bool) -> str:
    marks = ["memagic-gap"] * line.gap + ["memagic-in"] * (line.indented or line.under or within)
    mark = f' class="{" ".join(marks)}"' if marks else ""
    address = f' title="_b[{escape(line.name)}]"' if line.name else ""
    head = f'<tr{mark}><th scope="row"{address}>{escape(line.label)}</th>'
    if line.heading:
        return f'{head}<td colspan="{width - 1}"></td></tr>\n'
    first = number_cell(line.numbers[0], decimals[0])
    if line.note or legend:
        words = escape(line.note or " ".join(line.numbers[1:]))
        return f'{head}{first}<td colspan="{width - 2}" class="memagic-word">{words}</td></tr>\n'
    others = "".join(map(number_cell, line.numbers[1:], decimals[1:]))
    return f"{head}{first}{others}</tr>\n"


def _decimals(table: TableCells) -> list[int]:
    """The places after the point in every column of numbers."""
    lines = [line for section in table.sections for line in section.lines]
    # The last of two columns is a parameter's address, which may hold a point as well.
    n = 1 if table.legend else len(table.columns)
    return [places(line.numbers[k] for line in lines if k < len(line.numbers)) for k in range(n)]
