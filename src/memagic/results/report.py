"""Estimates to the report that display shows: rows in the manual's order and words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from memagic.display.report import (
    ComparisonTest,
    GroupSummary,
    Header,
    Report,
    SurveyDesign,
    WaldTest,
)
from memagic.errors import CommandError
from memagic.results.diagnosis import diagnose
from memagic.results.display_options import DisplayOptions
from memagic.results.distributions import mixture_tail
from memagic.results.estimates import Estimates
from memagic.results.inference import Wald, rank, rank_without_effects, wald_test
from memagic.results.linear import equation_names, linear_words, plain_number
from memagic.results.mixtures import mixture_without_effects
from memagic.results.rows import coefficient_rows
from memagic.results.uncertainty import SurveyFacts, Uncertainty

Array = NDArray[np.float64]

__all__ = ["comparison", "make_report", "p_mixture"]

_WORDS = {"or": "odds ratios", "irr": "incidence-rate ratios", "eform": "exponentiated coefficients"}
_BASELINE = {
    "or": "Note: _cons estimates baseline odds (conditional on zero random effects).",
    "irr": "Note: _cons estimates baseline incidence rate (conditional on zero random effects).",
}


# Observations times squared effects, of which a million take about a tenth of a second.
_NOTICED = 50_000


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
    test = _offered(estimates) if fitted else None
    if warnings is None:
        warnings = diagnose(estimates) if fitted else ()
    return Report(
        notes_before=estimates.notes if log else (),
        log=estimates.log if log else (),
        header=_header(estimates, options) if options.header and fitted else None,
        constraints=_constraints(estimates) if options.table and options.constraints else (),
        table=coefficient_rows(estimates, options) if options.table else None,
        notes=_notes(estimates, options) if options.table else (),
        comparison=test if options.table else None,
        warnings=warnings,
    )


def comparison(estimates: Estimates) -> ComparisonTest | None:
    """Likelihood-ratio test against the model without random effects; None where that is the model.

    The degrees of freedom are what the random effects add to `e(rank)`: variances at zero do not count,
    nor does a covariance whose correlation is 1 or -1. One variance alone is tested at its boundary. With
    constraints of the user, or elements of Sigma held at values that are not zero, one model need not
    contain the other, and there is no test.
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
    df = rank(estimates) - rank_without_effects(estimates)
    p = float(chdtrc(df, chi2)) if df else float("nan")
    return ComparisonTest(estimates.kind.name, chi2, df, p, boundary=False)


def _offered(estimates: Estimates) -> ComparisonTest | None:
    """The likelihood-ratio test, with the p-value of the mixture of chi2 where its weights are known.

    It takes a millisecond for some thousand observations with two effects, and is left out where it would
    be noticed: `lrtest, mixture` has it then.
    """
    problem, test = estimates.problem, comparison(estimates)
    if test is not None and estimates.facts is not None:
        return replace(test, p_mixture=estimates.facts.p_mixture)
    if test is None or test.boundary or test.df == 0 or problem.structure is None:
        return test
    if len(estimates.design.y) * problem.structure.q**2 > _NOTICED:
        return test
    try:
        weights, _ = mixture_without_effects(estimates)
    except CommandError:
        return test
    return replace(test, p_mixture=mixture_tail(weights, test.chi2))


def p_mixture(estimates: Estimates) -> float | None:
    """The p-value by the mixture that the report of estimates offers, if it does."""
    test = _offered(estimates) if estimates.fitted else None
    return None if test is None else test.p_mixture


def _header(estimates: Estimates, options: DisplayOptions) -> Header:
    groups: tuple[GroupSummary, ...] = ()
    if options.group:
        groups = tuple(
            GroupSummary(level.grouping.name, counts.n, counts.minimum, counts.average, counts.maximum)
            for level, counts in zip(estimates.design.levels, estimates.group_counts, strict=True)
        )
    wald, uncertainty = wald_test(estimates), estimates.uncertainty
    return Header(
        title=f"Survey: {estimates.kind.title}" if uncertainty.survey else estimates.kind.title,
        # The manual's header of a survey has neither family nor link.
        model=() if uncertainty.survey else estimates.kind.lines,
        n_obs=estimates.n_surveyed,
        groups=groups,
        integration=(estimates.intmethod, estimates.n_points) if estimates.design.levels else None,
        wald=WaldTest(wald.df, wald.chi2, wald.p),
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
