"""The tests and combinations as they are typed: a command's text and estimates to a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from memagic.errors import CommandError
from memagic.postestimation.contrasts import Columns, ContrastResult, contrast, pwcompare
from memagic.postestimation.factor_levels import base_level, factor_names
from memagic.postestimation.hypotheses import check_fitted, coefficients_of, linear_row, rows_of
from memagic.postestimation.lincom import Combined, combined
from memagic.postestimation.margins import margins
from memagic.postestimation.margins_comparisons import compared_margins, posted_comparison
from memagic.postestimation.margins_result import Margins
from memagic.postestimation.nonlinear import NonlinearCombination, NonlinearTest, nlcom, testnl
from memagic.postestimation.wald import wald
from memagic.postestimation.wald_result import Multiple, WaldResult
from memagic.results.display_options import Exponentiated, check_scale
from memagic.results.distributions import Adjustment
from memagic.results.estimates import Estimates
from memagic.results.posted import AnyEstimates, Posted
from memagic.results.stored import scalars_of
from memagic.spec.command_options import (
    Allowed,
    Given,
    chosen_word,
    confidence_level,
    number_of,
    split_options,
)
from memagic.spec.constraint import Constraint
from memagic.spec.contrast_terms import read_contrast_terms
from memagic.spec.cursor import Cursor
from memagic.spec.hypotheses import (
    LEVEL,
    Hypotheses,
    read_combination,
    read_equations,
    read_expressions,
    read_hypotheses,
)
from memagic.spec.margins import MarginsCommand, read_margins
from memagic.spec.margins_compare import ADJUSTMENTS
from memagic.spec.varlist import read_varlist

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "COMMANDS",
    "Tested",
    "read_margins_command",
    "run_contrast",
    "run_lincom",
    "run_margins",
    "run_margins_command",
    "run_nlcom",
    "run_t_test",
    "run_test",
    "run_testnl",
]

Tested: TypeAlias = "WaldResult | Combined | NonlinearCombination | NonlinearTest | ContrastResult"

_MULTIPLE = {"noadjust": 2, "bonferroni": 1, "holm": 1, "sidak": 1}
_TEST = {
    "accumulate": Allowed(1),
    "mtest": Allowed(1, "optional"),
    "nosvyadjust": Allowed(7),
    "coef": Allowed(4),
    "df": Allowed(2, "required"),
}
_TESTPARM = {"equal": Allowed(1), "nosvyadjust": Allowed(7), "df": Allowed(2, "required")}
_LINCOM = {"or": Allowed(2), "irr": Allowed(3), "eform": Allowed(2), "level": LEVEL}
_CONTRAST = {
    "mcompare": Allowed(4, "required"),
    "effects": Allowed(3),
    "cieffects": Allowed(4),
    "pveffects": Allowed(4),
    "level": LEVEL,
}
_HEADS: dict[Exponentiated, str] = {"or": "Odds ratio", "irr": "IRR", "eform": "exp(b)", "": ""}


def _after_name(text: str) -> tuple[Cursor, str]:
    cursor = Cursor(text)
    return cursor, cursor.take().text


def _names(options: tuple[Given, ...]) -> dict[str, Given]:
    return {option.name: option for option in options}


def run_test(text: str, estimates: AnyEstimates, before: WaldResult | None = None) -> WaldResult:
    """Run ``test ...`` or ``testparm ...``.

    Parameters
    ----------
    text : str
    estimates : Estimates
    before : WaldResult, optional
        The last test of these estimates, which option accumulate adds to.

    Raises
    ------
    CommandError
        What is wrong with the command.
    """
    check_fitted(estimates)
    cursor, name = _after_name(text)
    if name == "testparm":
        hypotheses, options = _testparm(cursor, _of_model(estimates))
    else:
        if cursor.done or cursor.at(","):
            matrix = np.eye(len(estimates.parameters))[estimates.tested]
            if not len(matrix):
                raise CommandError(198, "no coefficients to test", hint="type test and their names")
            _, given = split_options(cursor, _TEST)
            return _tested(estimates, matrix, np.zeros(len(matrix)), _names(given))
        hypotheses, options = read_hypotheses(cursor, _TEST)
    matrix, values = rows_of(estimates, hypotheses)
    found = _names(options)
    if "accumulate" in found:
        if before is None:
            hint = "option accumulate adds to the last test of these estimates"
            raise CommandError(301, "last test not found", span=found["accumulate"].span, hint=hint)
        matrix, values = np.vstack([before.matrix, matrix]), np.concatenate([before.values, values])
    return _tested(estimates, matrix, values, found)


def _tested(
    estimates: AnyEstimates, matrix: np.ndarray, values: np.ndarray, options: Mapping[str, Given]
) -> WaldResult:
    multiple = ""
    if "mtest" in options:
        multiple = chosen_word(options["mtest"], _MULTIPLE, "noadjust")
    df = int(number_of(options["df"], whole=True, least=1)) if "df" in options else None
    if df is not None and multiple:
        raise CommandError(198, "options df() and mtest may not be combined", span=options["df"].span)
    return wald(
        estimates,
        matrix,
        values,
        multiple=cast("Multiple", multiple),
        adjust="nosvyadjust" not in options,
        df=df,
        coefficients="coef" in options,
    )


def _testparm(cursor: Cursor, estimates: Estimates) -> tuple[Hypotheses, tuple[Given, ...]]:
    body, options = split_options(cursor, _TESTPARM)
    if body.done:
        raise body.invalid(hint="a list of variables is expected here: testparm i.g")
    terms = read_varlist(body)
    if not body.done:
        raise body.invalid()
    constraints = coefficients_of(estimates, terms)
    if any(option.name == "equal" for option in options):
        first, *others = constraints
        if not others:
            raise CommandError(198, "equal needs two coefficients or more", span=options[0].span)
        lead = tuple((-c, address) for c, address in first.terms)
        constraints = tuple(type(first)((*one.terms, *lead), 0.0) for one in others)
    return Hypotheses(constraints), options


def run_lincom(text: str, estimates: AnyEstimates) -> Combined:
    """Run ``lincom ...``.

    Raises
    ------
    CommandError
        What is wrong with the command.
    """
    check_fitted(estimates)
    cursor, _ = _after_name(text)
    combination, options = read_combination(cursor, _LINCOM)
    return _combined(combination.expression, options, estimates)


def run_t_test(text: str, estimates: AnyEstimates) -> Combined:
    """As `run_lincom`; an equation means the difference of its sides.

    Raises
    ------
    CommandError
        What is wrong with the text; more than one equation, r(198).
    """
    check_fitted(estimates)
    cursor, _ = _after_name(text)
    if not any(token.text in ("=", "==") for token in cursor.tokens):
        return run_lincom(text, estimates)
    hypotheses, options = read_hypotheses(cursor, _LINCOM)
    if len(hypotheses.constraints) != 1:
        hint = "test takes several equations: (x1 = 0) (x2 = 1)"
        raise CommandError(198, "one equation is expected here", span=cursor.span_from(1), hint=hint)
    (equation,) = hypotheses.constraints
    return _combined(Constraint(equation.terms, -equation.value), options, estimates)


def _combined(expression: Constraint, options: tuple[Given, ...], estimates: AnyEstimates) -> Combined:
    """A sum of parameters and a number, as `lincom` shows it."""
    scales = [option for option in options if option.name in ("or", "irr", "eform")]
    if len(scales) > 1:
        names = " and ".join(option.name for option in scales)
        raise CommandError(198, f"only one of {names} may be specified", span=scales[1].span)
    chosen = cast("Exponentiated", scales[0].name if scales else "")
    if isinstance(estimates, Estimates):
        check_scale(estimates.kind.link, estimates.kind.family, chosen, scales[0].span if scales else None)
    row = linear_row(estimates, expression.terms)
    constants = np.array([expression.value])
    level = confidence_level(options)
    return combined(estimates, row[None], constants, ("(1)",), level=level, exponentiated=_HEADS[chosen])


def run_nlcom(text: str, estimates: AnyEstimates) -> NonlinearCombination:
    """Run ``nlcom ...``.

    Raises
    ------
    CommandError
        What is wrong with the command.
    """
    cursor, _ = _after_name(text)
    expressions, options = read_expressions(cursor, {"level": LEVEL})
    stored = scalars_of(estimates)
    return nlcom(estimates, expressions, stored, level=confidence_level(options))


def run_testnl(text: str, estimates: AnyEstimates) -> NonlinearTest:
    """Run ``testnl ...``.

    Raises
    ------
    CommandError
        What is wrong with the command.
    """
    cursor, _ = _after_name(text)
    equations, _ = read_equations(cursor, {})
    return testnl(estimates, equations, scalars_of(estimates))


def _of_model(estimates: AnyEstimates) -> Estimates:
    """The estimates of a model.

    Raises
    ------
    CommandError
        They are margins that were posted, r(301).
    """
    if isinstance(estimates, Posted):
        hint = f"the last estimates are those of {estimates.command}; estimates restore brings back a model's"
        raise CommandError(301, "last estimates not found", hint=hint)
    return estimates


def run_contrast(text: str, estimates: AnyEstimates) -> ContrastResult:
    """Run ``contrast ...`` or ``pwcompare ...``.

    Raises
    ------
    CommandError
        What is wrong with the command; the estimates are posted margins, r(301).
    """
    cursor, name = _after_name(text)
    terms, options = read_contrast_terms(cursor, _CONTRAST, operators=name == "contrast")
    found = _names(options)
    estimates = _of_model(estimates)
    adjustment = "noadjust"
    if "mcompare" in found:
        adjustment = chosen_word(found["mcompare"], ADJUSTMENTS, "noadjust")
    words: tuple[Columns, ...] = ("effects", "cieffects", "pveffects")
    shown = [word for word in words if word in found]
    if len(shown) > 1:
        names = " and ".join(shown)
        raise CommandError(198, f"only one of {names} may be specified", span=found[shown[1]].span)
    columns: Columns = "cieffects"
    if shown:
        columns = shown[0]
    chosen, level = cast("Adjustment", adjustment), confidence_level(options)
    if name == "pwcompare":
        return pwcompare(estimates, terms, adjustment=chosen, columns=columns, level=level)
    return contrast(estimates, terms, adjustment=chosen, columns=columns, level=level, effects=bool(shown))


def run_margins(
    text: str, estimates: Estimates, frame: pd.DataFrame | None = None
) -> Margins | ContrastResult:
    """Run ``margins ...``: margins, or contrasts or pairwise comparisons of them.

    Parameters
    ----------
    text : str
    estimates : Estimates
    frame : DataFrame, optional
        The data that were fitted, where the command names variables that the model has not.

    Raises
    ------
    CommandError
        Option post, r(198): it is a session whose estimates margins can take the place of.
    """
    command = read_margins_command(text)
    if command.post is not None:
        hint = 'it changes the estimates of a session: memagic.Session.run("margins ..., post")'
        raise CommandError(198, "option post not allowed", span=command.post, hint=hint)
    return run_margins_command(command, estimates, frame)[0]


def read_margins_command(text: str) -> MarginsCommand:
    """Read ``margins ...``."""
    cursor, _ = _after_name(text)
    return read_margins(cursor)


def run_margins_command(
    command: MarginsCommand, estimates: Estimates, frame: pd.DataFrame | None = None
) -> tuple[Margins | ContrastResult, Posted | None]:
    """As `run_margins`, of a command that has been read; also what its option post makes the estimates."""
    found = margins(estimates, command, frame)
    if command.comparison is None:
        held = Posted("margins", tuple(found.names), found.b, found.v, found.uncertainty, found.n_obs, found)
        return found, held if command.post is not None else None
    bases = [(name, base_level(estimates, name)) for name in factor_names(estimates)]
    shown = compared_margins(found, command.comparison, bases)
    if command.post is None:
        return shown, None
    return shown, posted_comparison(found, command.comparison, bases, shown)


COMMANDS: dict[str, Callable[[str, AnyEstimates], Tested]] = {
    "test": run_test,
    "testparm": run_test,
    "lincom": run_lincom,
    "nlcom": run_nlcom,
    "testnl": run_testnl,
    "contrast": run_contrast,
    "pwcompare": run_contrast,
}
"""The commands by their names."""
