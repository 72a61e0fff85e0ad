"""Estimates to the report that display shows: rows in the manual's order and words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtr

from memagic.data.design import Grouping
from memagic.data.terms import Column
from memagic.display.report import (
    Block,
    CoefficientTable,
    ComparisonTest,
    GroupSummary,
    Header,
    Report,
    Row,
    WaldTest,
)
from memagic.results.estimates import Estimates, Parameter, confidence_limits, wald_test

Array = NDArray[np.float64]

__all__ = ["DisplayOptions", "Exponentiated", "comparison", "make_report"]

Exponentiated = Literal["", "or", "irr", "eform"]

_TITLES = {"": "Coefficient", "or": "Odds ratio", "irr": "IRR", "eform": "exp(b)"}
_WORDS = {"or": "odds ratios", "irr": "incidence-rate ratios", "eform": "exponentiated coefficients"}
_BASELINE = {
    "or": "Note: _cons estimates baseline odds (conditional on zero random effects).",
    "irr": "Note: _cons estimates baseline incidence rate (conditional on zero random effects).",
}


@dataclass(frozen=True, slots=True)
class DisplayOptions:
    """The options that a replay takes.

    Attributes
    ----------
    exponentiated : {"", "or", "irr", "eform"}
    level : float
        Confidence level in percent.
    header, table, group, labels, constraints : bool
        Whether to show the header, the table, the summary of groups, value labels, and constraints.
    """

    exponentiated: Exponentiated = ""
    level: float = 95.0
    header: bool = True
    table: bool = True
    group: bool = True
    labels: bool = True
    constraints: bool = True


def make_report(estimates: Estimates, options: DisplayOptions, log: bool) -> Report:
    """The report of a fit.

    Parameters
    ----------
    estimates : Estimates
    options : DisplayOptions
    log : bool
        Whether the notes and the iteration log belong to it, as they do when the model is fitted
        and not when it is replayed.
    """
    test = comparison(estimates)
    return Report(
        notes_before=estimates.notes if log else (),
        log=estimates.log if log else (),
        header=_header(estimates, options) if options.header else None,
        constraints=_constraints(estimates) if options.table and options.constraints else (),
        table=_table(estimates, options) if options.table else None,
        notes=_notes(estimates, options) if options.table else (),
        comparison=test if options.table else None,
        warnings=_warnings(estimates),
    )


def comparison(estimates: Estimates) -> ComparisonTest | None:
    """Likelihood-ratio test against the model without random effects; None where that is the model.

    The degrees of freedom count the variances and covariances that are not zero, less the constraints
    of covariance structures. With constraints of the user, or elements of Sigma held at values that
    are not zero, one model need not contain the other, and there is no test.
    """
    plain, constraints = estimates.fit.log_likelihood_plain, estimates.fit.constraints
    if plain is None or (
        constraints is not None and (estimates.n_user_constraints or any(constraints.values))
    ):
        return None
    components = [p for p in estimates.parameters if p.role in ("variance", "covariance")]
    if constraints is not None:
        components = components[: len(components) - len(constraints)]
    chi2 = max(0.0, 2.0 * (estimates.fit.log_likelihood - plain))
    if len(components) == 1:
        p = 1.0 if components[0].at_zero or chi2 == 0.0 else 0.5 * float(chdtrc(1, chi2))
        return ComparisonTest(estimates.kind.name, chi2, 1, p, boundary=True)
    df = sum(not p.at_zero for p in components)
    p = float(chdtrc(df, chi2)) if df else float("nan")
    return ComparisonTest(estimates.kind.name, chi2, df, p, boundary=False)


def _header(estimates: Estimates, options: DisplayOptions) -> Header:
    groups: tuple[GroupSummary, ...] = ()
    if options.group:
        groups = tuple(_group_summary(level.grouping) for level in estimates.design.levels)
    wald = wald_test(estimates)
    p = float(chdtrc(wald.df, wald.chi2)) if wald.df else float("nan")
    return Header(
        title=estimates.kind.title,
        model=estimates.kind.lines,
        n_obs=estimates.n_obs,
        groups=groups,
        integration=(estimates.method, estimates.n_points) if estimates.design.levels else None,
        wald=WaldTest(wald.df, wald.chi2, p),
        ll_label="Log likelihood",
        ll=estimates.fit.log_likelihood,
    )


def _group_summary(grouping: Grouping) -> GroupSummary:
    sizes = grouping.sizes
    return GroupSummary(grouping.name, len(sizes), int(sizes.min()), float(sizes.mean()), int(sizes.max()))


def _constraints(estimates: Estimates) -> tuple[str, ...]:
    """With `noconstant` the manual keeps the constant in the equation, constrained to zero."""
    equation = f"[{estimates.command.depvar.name}]"
    lines = []
    if "noconstant" in estimates.command.fixed.options:
        lines.append(f"{equation}_cons = 0")
    if estimates.constraints is not None:
        names = [
            f"{equation}{p.name}" if p.role == "coefficient" else f"[/]{p.name.removeprefix('/')}"
            for p in estimates.parameters
        ]
        for row, value in zip(estimates.constraints.matrix, estimates.constraints.values, strict=True):
            lines.append(f"{_linear(row, names)} = {_plain(value)}")
    return tuple(f"({number:>2})  {line}" for number, line in enumerate(lines, 1))


def _linear(row: Array, names: list[str]) -> str:
    """``[y]x1 - 2*[y]x2``."""
    text = ""
    for coefficient, name in zip(row, names, strict=True):
        if coefficient:
            sign = "-" if coefficient < 0.0 else "+"
            size = "" if abs(coefficient) == 1.0 else f"{_plain(abs(coefficient))}*"
            lead = f" {sign} " if text else sign.replace("+", "")
            text += f"{lead}{size}{name}"
    return text


def _plain(value: float) -> str:
    """A number as the manual writes it, without a zero before the point."""
    text = f"{value:.9g}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _notes(estimates: Estimates, options: DisplayOptions) -> tuple[str, ...]:
    chosen = options.exponentiated
    if not chosen:
        return ()
    notes = []
    if any(p.role != "coefficient" for p in estimates.parameters):
        notes.append(f"Note: Estimates are transformed only in the first equation to {_WORDS[chosen]}.")
    if chosen in _BASELINE and any(p.name == "_cons" for p in estimates.parameters):
        note = _BASELINE[chosen]
        if not estimates.design.levels:
            note = note.replace(" (conditional on zero random effects)", "")
        notes.append(note)
    return tuple(notes)


def _warnings(estimates: Estimates) -> tuple[str, ...]:
    warnings = []
    if not estimates.fit.converged:
        warnings.append("Warning: convergence not achieved")
    elif not estimates.fit.concave:
        warnings.append("Warning: the log likelihood is not concave at the estimates")
    zero = [p.label for p in estimates.parameters if p.role == "variance" and p.at_zero]
    if zero:
        warnings.append(f"Note: {', '.join(zero)} estimated at zero, the boundary of its range.")
    return tuple(warnings)


def _table(estimates: Estimates, options: DisplayOptions) -> CoefficientTable:
    numbers = _Numbers(estimates, options)
    blocks = [Block(_fixed_rows(estimates, options, numbers))]
    at = {p.name: k for k, p in enumerate(estimates.parameters)}
    for (role, group), members in groupby(
        (p for p in estimates.parameters if p.role != "coefficient"), key=lambda p: (p.role, p.group)
    ):
        rows = tuple(numbers.row(at[p.name], p.label, p) for p in members)
        blocks.append(Block(rows, title=group or None, flush=role != "ancillary"))
    return CoefficientTable(
        depvar=estimates.command.depvar.name,
        estimate_title=_TITLES[options.exponentiated],
        se_title="Std. err.",
        statistic="z",
        level=options.level,
        blocks=tuple(blocks),
    )


class _Numbers:
    """The numeric fields of the table's rows."""

    def __init__(self, estimates: Estimates, options: DisplayOptions) -> None:
        self._b = estimates.b
        self._se = estimates.se
        self._limits = confidence_limits(estimates, options.level)
        self._exponentiated = bool(options.exponentiated)

    def row(self, k: int, label: str, parameter: Parameter, indented: bool = False) -> Row:
        b, se = float(self._b[k]), float(self._se[k])
        if parameter.held:
            return self._held(b, label, parameter, indented)
        lower, upper = (float(limit) for limit in self._limits[k])
        z: float | None = None
        p: float | None = None
        if parameter.role in ("coefficient", "covariance"):
            known = se > 0.0 and not parameter.at_zero
            z = b / se if known else float("nan")
            p = 2.0 * float(ndtr(-abs(z))) if known else float("nan")
        if parameter.role == "coefficient" and self._exponentiated:
            with np.errstate(over="ignore"):
                b, lower, upper = (float(np.exp(value)) for value in (b, lower, upper))
            se *= b
        return Row("estimate", label, parameter.name, b, se, z, p, lower, upper, indented=indented)

    def _held(self, b: float, label: str, parameter: Parameter, indented: bool) -> Row:
        """A parameter that constraints hold; a coefficient held at zero is an omitted one."""
        coefficient = parameter.role == "coefficient"
        note = "(omitted)" if coefficient and b == 0.0 else "(constrained)"
        shown = float(np.exp(b)) if coefficient and self._exponentiated else b
        return Row("state", label, parameter.name, shown, note=note, indented=indented)


def _fixed_rows(estimates: Estimates, options: DisplayOptions, numbers: _Numbers) -> tuple[Row, ...]:
    rows: list[Row] = []
    at = {p.name: k for k, p in enumerate(estimates.parameters) if p.role == "coefficient"}
    held = 1.0 if options.exponentiated else 0.0

    def add(column: Column, label: str, indented: bool) -> None:
        if column.state == "estimated":
            k = at[column.name]
            rows.append(numbers.row(k, label, estimates.parameters[k], indented))
        else:
            note = f"({column.state})"
            rows.append(Row("state", label, column.name, held, note=note, indented=indented))

    for heading, members in groupby(estimates.design.fixed, key=lambda column: column.heading):
        columns = list(members)
        labelled = options.labels and any(_has_labels(estimates, column) for column in columns)
        if not heading or (len(columns) == 1 and "#" not in heading and not labelled):
            for column in columns:
                add(column, column.name, False)
            continue
        rows.append(Row("heading", heading))
        for column in columns:
            add(column, _level_label(estimates, column, labelled), True)
    return (*rows, *_offset_rows(estimates))


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
