"""A report as a LaTeX table with the rules of the booktabs package."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memagic.display.coefficient_table import table_cells
from memagic.display.formats import clean
from memagic.display.header import header_cells
from memagic.display.lr_line import comparison_cells

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memagic.display.coefficient_table import Line, Section, TableCells
    from memagic.display.header import HeaderCells
    from memagic.display.report import Report

__all__ = ["escape", "number", "row_of", "to_latex"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    # After the end of a row, these two would be read as its arguments.
    "[": "{[}",
    "*": "{*}",
}
_NUMBER = re.compile(r"[-+.,e\d]+")
_PATTERN = re.compile("[" + re.escape("".join(_SPECIAL)) + "]|-(?=-)")


def to_latex(report: Report) -> str:
    """Write a report as a LaTeX ``table``; it needs the package booktabs.

    Parameters
    ----------
    report : Report
        What a command has to show. The iteration log is left out.

    Returns
    -------
    str
        The environment, with a comment above it that names the package.
    """
    lines = ["% needs \\usepackage{booktabs}", r"\begin{table}[htbp]", r"\centering\footnotesize"]
    title = report.title if report.header is None else report.header.title
    if title:
        lines.append(rf"\caption{{{escape(title)}}}")
    if report.table is not None:
        lines += _table(table_cells(report.table))
    notes = [escape(line.strip()) for line in (*report.notes_before, *report.constraints)]
    if report.header is not None:
        notes += _facts(header_cells(report.header))
    notes += (escape(note) for note in report.notes)
    if report.comparison is not None:
        test = comparison_cells(report.comparison)
        notes.append(f"{escape(test.left)}, {escape(test.right)}")
        if test.note:
            notes.append(escape(test.note))
    notes += (escape(warning) for warning in report.warnings)
    if notes:
        body = " \\par\n".join(notes)
        lines += [r"\par\smallskip", r"\begin{minipage}{\linewidth}\footnotesize\raggedright", body]
        lines.append(r"\end{minipage}")
    lines.append(r"\end{table}")
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Words as LaTeX has them."""
    # Two hyphens in a row would become a dash.
    return _PATTERN.sub(lambda match: _SPECIAL.get(match.group(), "{-}"), clean(text))


def number(number: str) -> str:
    """A number with a minus sign rather than a hyphen."""
    # A hyphen is no minus sign outside of math.
    return f"${number}$" if number.startswith("-") else number


def _facts(cells: HeaderCells) -> Iterable[str]:
    groups = (
        f"Group variable {group.name}: {group.n_groups} groups, "
        f"min {group.minimum}, avg {group.average}, max {group.maximum} obs per group"
        for group in cells.groups
    )
    if cells.model or cells.left:
        yield _joined((*cells.model, *cells.left))
    yield _joined(cells.right)
    yield from map(escape, groups)
    if cells.integration:
        yield _joined(cells.integration)
    likelihood = () if cells.likelihood is None else (cells.likelihood,)
    if likelihood or cells.fit:
        yield _joined((*likelihood, *cells.fit))
    if cells.vce:
        yield escape(cells.vce)


def _joined(facts: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{escape(label)}: {_value(value)}" for label, value in facts)


def _value(value: str) -> str:
    return number(value) if _NUMBER.fullmatch(value) else escape(value)


def _table(table: TableCells) -> Iterable[str]:
    yield r"\setlength{\tabcolsep}{4pt}"  # seven columns just fit on a page of the article class
    width = 3 if table.legend else 1 + len(table.columns)
    yield r"\begin{tabular}{lrl}" if table.legend else rf"\begin{{tabular}}{{l{'r' * (width - 1)}}}"
    yield r"\toprule"
    if table.legend:
        yield row_of([escape(table.depvar), escape(table.estimate_title), "Legend"])
    else:
        *above, se = table.se_title
        for line in above:
            yield row_of(["", "", escape(line), *[""] * (width - 3)])
        heads = [escape(table.depvar), escape(table.estimate_title), escape(se)]
        if table.p_values:
            heads += [f"${table.statistic}$", f"$P>|{table.statistic}|$"]
        if table.intervals:
            heads.append(rf"\multicolumn{{2}}{{c}}{{{escape(table.interval_title)}}}")
        yield row_of(heads)
    for section in table.sections:
        yield r"\midrule"
        yield from _section(section, width, table.legend)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _section(section: Section, width: int, legend: bool) -> Iterable[str]:
    if section.title is not None:
        yield rf"\multicolumn{{{width}}}{{l}}{{\itshape {escape(section.title)}}} \\"
    for line in section.lines:
        if line.gap:
            yield r"\addlinespace"
        yield _row(line, width, legend, within=section.title is not None)


def _row(line: Line, width: int, legend: bool, within: bool) -> str:
    label = escape(line.label)
    if line.indented or line.under or within:
        label = rf"\quad {label}"
    if line.heading:
        return rf"\multicolumn{{{width}}}{{l}}{{{label}}} \\"
    first, *others = line.numbers
    if line.note or legend:
        words = escape(line.note or " ".join(others))
        return row_of([label, number(first), rf"\multicolumn{{{width - 2}}}{{l}}{{{words}}}"])
    return row_of([label, *map(number, line.numbers)])


def row_of(cells: list[str]) -> str:
    """A row of cells."""
    return " & ".join(cells) + r" \\"
