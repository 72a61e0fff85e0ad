"""The rows of the table of estimates, in the manual's order and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from memagic.data.design import Design
from memagic.data.terms import Column
from memagic.display.report import Block, CoefficientTable, Row
from memagic.results.display_options import DisplayOptions
from memagic.results.estimates import Estimates, Parameter
from memagic.results.inference import TableNumbers, table_numbers

__all__ = ["coefficient_rows"]

_TITLES = {"": "Coefficient", "or": "Odds ratio", "irr": "IRR", "eform": "exp(b)"}


def coefficient_rows(estimates: Estimates, options: DisplayOptions) -> CoefficientTable:
    """The table of estimates under the display options."""
    legend = options.legend or not estimates.fitted
    if legend:
        # A legend has the names of what constraints hold, too.
        free = tuple(replace(parameter, held=False) for parameter in estimates.parameters)
        estimates = replace(estimates, parameters=free)
    numbers = table_numbers(estimates, options.level, bool(options.exponentiated))
    blocks = [Block(_fixed_rows(estimates, options, numbers))]
    at = {p.name: k for k, p in enumerate(estimates.parameters)}
    for (role, group), members in groupby(
        (p for p in estimates.parameters if p.role != "coefficient"), key=lambda p: (p.role, p.group)
    ):
        rows = tuple(_row(numbers, at[p.name], p) for p in members)
        blocks.append(Block(rows, title=group or None, flush=role != "ancillary"))
    word = estimates.uncertainty.word
    return CoefficientTable(
        depvar=estimates.command.depvar.variable,
        estimate_title=_TITLES[options.exponentiated],
        se_title=f"{word}\nstd. err." if word else "Std. err.",
        statistic=estimates.uncertainty.statistic,
        level=options.level,
        blocks=tuple(blocks),
        legend=legend,
        intervals=options.intervals,
        p_values=options.p_values,
        squish=options.squish,
        wrap=options.wrap,
    )


def _row(
    numbers: TableNumbers, k: int, parameter: Parameter, label: str | None = None, indented: bool = False
) -> Row:
    """A row of estimates; parameters of a kind that has no test have no fields for it."""
    shown = parameter.label if label is None else label
    if parameter.held:
        # A coefficient held at zero is an omitted one.
        omitted = parameter.role == "coefficient" and numbers.b[k] == (
            1.0 if numbers.exponentiated[k] else 0.0
        )
        note = "(omitted)" if omitted else "(constrained)"
        return Row("state", shown, parameter.name, float(numbers.b[k]), note=note, indented=indented)
    z, p = (float(numbers.z[k]), float(numbers.p[k])) if numbers.tested[k] else (None, None)
    return Row(
        "estimate",
        shown,
        parameter.name,
        float(numbers.b[k]),
        float(numbers.se[k]),
        z,
        p,
        float(numbers.lower[k]),
        float(numbers.upper[k]),
        indented=indented,
    )


def _fixed_rows(estimates: Estimates, options: DisplayOptions, numbers: TableNumbers) -> tuple[Row, ...]:
    rows: list[Row] = []
    at = {p.name: k for k, p in enumerate(estimates.parameters) if p.role == "coefficient"}
    held = 1.0 if options.exponentiated else 0.0

    def add(column: Column, label: str, indented: bool) -> None:
        if column.state == "estimated":
            k = at[column.name]
            rows.append(_row(numbers, k, estimates.parameters[k], label, indented))
        else:
            note = f"({column.state})"
            rows.append(Row("state", label, column.name, held, note=note, indented=indented))

    for heading, columns in _headed(_shown(estimates.design, options)):
        labelled = options.labels and any(_has_labels(estimates, column) for column in columns)
        lagged = heading and not columns[0].heading
        if not heading or (len(columns) == 1 and "#" not in heading and not labelled and not lagged):
            for column in columns:
                add(column, column.name, False)
            continue
        rows.append(Row("heading", heading))
        for column in columns:
            if lagged:
                add(column, _time_label(column.name), False)
                rows[-1] = replace(rows[-1], under=True)
            else:
                add(column, _level_label(estimates, column, labelled), True)
    return (*rows, *_offset_rows(estimates))


def _shown(design: Design, options: DisplayOptions) -> list[Column]:
    """The columns that the table has rows for."""
    shown = {"estimated": True, "empty": options.empty, "omitted": options.omitted}

    def is_shown(column: Column) -> bool:
        if column.state == "base":
            return options.all_bases or (options.bases and not column.implied)
        return shown[column.state]

    return [column for column in design.with_bases or design.fixed if is_shown(column)]


def _headed(columns: Sequence[Column]) -> Iterator[tuple[str, list[Column]]]:
    """The columns in a row that share a heading: a factor variable, or one variable's lags.

    A variable's own row is among its lags where it is next to them.
    """

    def key(column: Column) -> tuple[str, bool]:
        lagged = not column.heading and len(column.factors) == 1
        return (column.factors[0][0].rpartition(".")[2], True) if lagged else (column.heading, False)

    for (heading, lagged), members in groupby(columns, key=key):
        found = list(members)
        plain = lagged and all(column.name == heading for column in found)
        yield "" if plain else heading, found


def _time_label(name: str) -> str:
    """``L1.`` and ``LD.`` under a variable's name, and ``--.`` for the variable itself."""
    operator = name.rpartition(".")[0]
    if not operator:
        return "--."
    return f"{operator}1." if len(operator) == 1 else f"{operator}."


def _has_labels(estimates: Estimates, column: Column) -> bool:
    return any(level is not None and estimates.value_labels.get(name) for name, level in column.factors)


def _level_label(estimates: Estimates, column: Column, labelled: bool) -> str:
    """``1 1`` for the levels of an interaction, or ``Urban#Yes`` with value labels."""
    words = []
    for name, level in column.factors:
        if level is not None:
            word = estimates.value_labels.get(name, {}).get(level) if labelled else None
            words.append(word or f"{level:g}")
    return ("#" if labelled else " ").join(words)


def _offset_rows(estimates: Estimates) -> tuple[Row, ...]:
    options = estimates.command.fixed.options
    if "exposure" in options:
        label = f"ln({options['exposure'].value})"
        return (Row("state", label, label, 1.0, note="(exposure)"),)
    if "offset" in options:
        label = str(options["offset"].value)
        return (Row("state", label, label, 1.0, note="(offset)"),)
    return ()
