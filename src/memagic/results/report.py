"""Estimates to the report that display shows: rows in the manual's order and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from memagic.data.design import Design
from memagic.data.terms import Column
from memagic.display.report import (
    Block,
    CoefficientTable,
    ComparisonTest,
    GroupSummary,
    Header,
    Report,
    Row,
    SurveyDesign,
    WaldTest,
    Wrap,
)
from memagic.errors import CommandError
from memagic.results.diagnosis import diagnose
from memagic.results.estimates import Estimates, Parameter
from memagic.results.inference import TableNumbers, Wald, table_numbers, wald_test
from memagic.results.linear import equation_names, linear_words, plain_number
from memagic.results.uncertainty import SurveyFacts, Uncertainty
from memagic.spec.options import OPTIONS

Array = NDArray[np.float64]

__all__ = ["DisplayOptions", "Exponentiated", "check_level", "check_scale", "comparison", "make_report"]

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
    legend : bool
        Whether the table has the parameters' names in place of statistics.
    bases : bool
        Whether to show the base levels of factor variables.
    intervals, p_values : bool
        Whether to show confidence intervals, and p-values with their test statistics.
    widget : bool
        Whether a notebook shows the result with controls.
    all_bases, empty, omitted : bool
        Whether to show base levels, also those of interactions, empty cells and omitted variables.
    squish : bool
        Whether to leave out the blank lines around factor variables.
    wrap : Wrap
        How long value labels are broken.
    """

    exponentiated: Exponentiated = ""
    level: float = 95.0
    header: bool = True
    table: bool = True
    group: bool = True
    labels: bool = True
    constraints: bool = True
    legend: bool = False
    bases: bool = False
    intervals: bool = True
    p_values: bool = True
    widget: bool = False
    all_bases: bool = False
    empty: bool = True
    omitted: bool = True
    squish: bool = False
    wrap: Wrap = field(default_factory=Wrap)


def check_scale(link: str, family: str, scale: Exponentiated, span: tuple[int, int] | None = None) -> None:
    """Refuse odds ratios without a logit link and rate ratios without counts.

    Parameters
    ----------
    link, family : str
    scale : {"", "or", "irr", "eform"}
    span : tuple of int, optional
        The place of the option.

    Raises
    ------
    CommandError
        r(198).
    """
    if scale == "or" and link != "logit":
        hint = "odds ratios are for logistic models only"
        raise CommandError(198, "option or not allowed", span=span, hint=hint)
    if scale == "irr" and family not in ("poisson", "nbinomial"):
        hint = "incidence-rate ratios are for count models only"
        raise CommandError(198, "option irr not allowed", span=span, hint=hint)


def check_level(level: float) -> None:
    """Refuse confidence levels out of the limits of the option `level()`.

    Raises
    ------
    CommandError
        r(198).
    """
    low, high = next(spec.limits for spec in OPTIONS if spec.name == "level" and spec.limits)
    if not low <= level <= high:
        raise CommandError(198, f"level() must be between {low:g} and {high:g} inclusive")


def make_report(
    estimates: Estimates, options: DisplayOptions, log: bool, warnings: tuple[str, ...] | None = None
) -> Report:
    """The report of a fit.

    Parameters
    ----------
    estimates : Estimates
    options : DisplayOptions
    log : bool
        Whether the notes and the iteration log belong to it, as they do when the model is fitted
        and not when it is replayed.
    warnings : tuple of str, optional
        What `diagnose` has said about the estimates, where it has been asked already: it looks at all
        observations.

    Returns
    -------
    Report
        For starting values only the table, with the parameters' names.
    """
    fitted = estimates.fitted
    test = comparison(estimates) if fitted else None
    if warnings is None:
        warnings = diagnose(estimates) if fitted else ()
    return Report(
        notes_before=estimates.notes if log else (),
        log=estimates.log if log else (),
        header=_header(estimates, options) if options.header and fitted else None,
        constraints=_constraints(estimates) if options.table and options.constraints else (),
        table=_table(estimates, options) if options.table else None,
        notes=_notes(estimates, options) if options.table else (),
        comparison=test if options.table else None,
        warnings=warnings,
    )


def comparison(estimates: Estimates) -> ComparisonTest | None:
    """Likelihood-ratio test against the model without random effects; None where that is the model.

    The degrees of freedom count the variances and covariances that are not zero, less the constraints
    of covariance structures. With constraints of the user, or elements of Sigma held at values that
    are not zero, one model need not contain the other, and there is no test.
    """
    plain, constraints = estimates.fit.log_likelihood_plain, estimates.fit.constraints
    if (
        plain is None
        or estimates.uncertainty.pseudo
        or (constraints is not None and (estimates.n_user_constraints or any(constraints.values)))
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
        groups = tuple(
            GroupSummary(level.grouping.name, counts.n, counts.minimum, counts.average, counts.maximum)
            for level, counts in zip(estimates.design.levels, estimates.group_counts, strict=True)
        )
    wald, uncertainty = wald_test(estimates), estimates.uncertainty
    p = float(chdtrc(wald.df, wald.chi2)) if wald.df else float("nan")
    return Header(
        title=f"Survey: {estimates.kind.title}" if uncertainty.survey else estimates.kind.title,
        # The manual's header of a survey has neither family nor link.
        model=() if uncertainty.survey else estimates.kind.lines,
        n_obs=estimates.n_obs,
        groups=groups,
        integration=(estimates.intmethod, estimates.n_points) if estimates.design.levels else None,
        wald=WaldTest(wald.df, wald.chi2, p),
        ll_label=uncertainty.likelihood,
        ll=estimates.fit.log_likelihood,
        vce=uncertainty.line,
        survey=None if uncertainty.survey is None else _survey(uncertainty, uncertainty.survey, wald),
    )


def _survey(uncertainty: Uncertainty, facts: SurveyFacts, wald: Wald) -> SurveyDesign:
    f, f_df, p = uncertainty.joint(wald.chi2, wald.df)
    return SurveyDesign(
        facts.n_strata,
        facts.n_psu,
        facts.population,
        facts.df,
        f,
        f_df,
        p,
        facts.n_subpopulation,
        facts.subpopulation,
    )


def _constraints(estimates: Estimates) -> tuple[str, ...]:
    """With `noconstant` the manual keeps the constant in the equation, constrained to zero."""
    equation = f"[{estimates.command.depvar.variable}]"
    lines = []
    if "noconstant" in estimates.command.fixed.options:
        lines.append(f"{equation}_cons = 0")
    if estimates.constraints is not None:
        names = equation_names(estimates)
        for row, value in zip(estimates.constraints.matrix, estimates.constraints.values, strict=True):
            lines.append(f"{linear_words(row, names)} = {plain_number(value)}")
    return tuple(f"({number:>2})  {line}" for number, line in enumerate(lines, 1))


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


def _table(estimates: Estimates, options: DisplayOptions) -> CoefficientTable:
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
