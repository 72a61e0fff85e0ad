"""From a report's numbers to the words and digits that are shown: the one step all renderers share.

Text, HTML and LaTeX only place these strings, so that no number can differ between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from memagic.display.formats import count, f, g

if TYPE_CHECKING:
    from memagic.display.report import (
        Block,
        CoefficientTable,
        ComparisonTest,
        GroupSummary,
        Header,
        Row,
        Wrap,
    )

__all__ = [
    "ComparisonCells",
    "Fact",
    "GroupCells",
    "HeaderCells",
    "Line",
    "Section",
    "TableCells",
    "clean",
    "comparison_cells",
    "header_cells",
    "table_cells",
]

Fact = tuple[str, str]
"""A label and its value, such as ("Number of obs", "1,934")."""

_OFFER = "lrtest, mixture gives the p-value of the mixture of chi2 distributions:"
_CONSERVATIVE = "Note: LR test is conservative and provided only for reference."


@dataclass(frozen=True, slots=True)
class GroupCells:
    """One group variable with its formatted number and sizes."""

    name: str
    n_groups: str
    minimum: str
    average: str
    maximum: str


@dataclass(frozen=True, slots=True)
class HeaderCells:
    """The block above the table. `right` starts with the number of observations.

    `fit` has the joint test, `likelihood` the log likelihood, `left` the facts at the left that
    `svy:` adds. Empty fields are not shown.
    """

    title: str
    model: tuple[Fact, ...]
    left: tuple[Fact, ...]
    right: tuple[Fact, ...]
    groups: tuple[GroupCells, ...]
    integration: tuple[Fact, ...]
    fit: tuple[Fact, ...]
    likelihood: Fact | None
    vce: str
    survey: bool


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


@dataclass(frozen=True, slots=True)
class ComparisonCells:
    """The likelihood-ratio line: its two halves and the note below, empty if there is none.

    `offer` tells of the p-value of the mixture of chi2 distributions, for a notebook alone.
    """

    left: str
    right: str
    note: str
    offer: str = ""


def clean(text: str) -> str:
    """Keep a name on one line: control characters and runs of blanks become one blank."""
    if text.isprintable() and "  " not in text:
        return text
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def header_cells(header: Header) -> HeaderCells:
    """Format the block above the table.

    Parameters
    ----------
    header : Header
        The numbers.

    Returns
    -------
    HeaderCells
        The same as strings.
    """
    right = [("Number of obs", count(header.n_obs))]
    right += [(clean(label), count(n)) for label, n in header.counts]
    model = tuple((clean(label), clean(words)) for label, words in header.model)
    if header.survey is not None:
        design = header.survey
        right.append(("Population size", _size(design.population)))
        if design.n_subpopulation is not None and design.subpopulation is not None:
            right.append(("Subpop. no. obs", count(design.n_subpopulation)))
            right.append(("Subpop. size", _size(design.subpopulation)))
        return HeaderCells(
            title=clean(header.title),
            model=model,
            left=(("Number of strata", count(design.n_strata)), ("Number of PSUs", count(design.n_psu))),
            right=tuple(right),
            groups=(),
            integration=(),
            fit=(
                ("Design df", count(design.design_df)),
                (f"F({design.f_df[0]}, {design.f_df[1]})", f(design.f, 8, 2)),
                ("Prob > F", f(design.p, 6, 4)),
            ),
            likelihood=None,
            vce=clean(header.vce),
            survey=True,
        )
    integration: tuple[Fact, ...] = ()
    if header.integration is not None:
        method, points = header.integration
        integration = (("Integration method", clean(method)),)
        if points is not None:
            integration += (("Integration pts.", count(points)),)
    fit: tuple[Fact, ...] = ()
    if header.wald is not None:
        wald = header.wald
        fit = ((f"Wald chi2({wald.df})", f(wald.chi2, 8, 2)), ("Prob > chi2", f(wald.p, 6, 4)))
    return HeaderCells(
        title=clean(header.title),
        model=model,
        left=(),
        right=tuple(right),
        groups=tuple(_group(group) for group in header.groups),
        integration=integration,
        fit=fit,
        likelihood=(clean(header.ll_label), g(header.ll, 10)),
        vce=clean(header.vce),
        survey=False,
    )


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


def comparison_cells(test: ComparisonTest) -> ComparisonCells:
    """Format the likelihood-ratio line.

    Parameters
    ----------
    test : ComparisonTest
        The numbers.

    Returns
    -------
    ComparisonCells
        The same as strings; the note is due unless a single variance is tested.
    """
    name, relation, df = ("chibar2", ">=", "01") if test.boundary else ("chi2", ">", str(test.df))
    return ComparisonCells(
        left=f"LR test vs. {clean(test.model)} model: {name}({df}) = {f(test.chi2, 8, 2)}",
        right=f"Prob {relation} {name} = {f(test.p, 6, 4)}",
        note="" if test.boundary or test.df == 0 else _CONSERVATIVE,
        offer="" if test.p_mixture is None else f"{_OFFER} {f(test.p_mixture, 6, 4)}",
    )


def _size(population: float) -> str:
    """A sum of weights need not be whole; where it is, decimals would only distract."""
    return f(population, 14, 0 if float(population).is_integer() else 2, commas=True)


def _group(group: GroupSummary) -> GroupCells:
    return GroupCells(
        name=clean(group.name),
        n_groups=count(group.n_groups),
        minimum=count(group.minimum),
        average=f(group.average, 11, 1, commas=True),
        maximum=count(group.maximum),
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
