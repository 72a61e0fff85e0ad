"""The tests and combinations as they are typed: a command's text and estimates to a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from memagic.errors import CommandError
from memagic.postestimation.contrasts import Columns, ContrastResult, contrast, pwcompare
from memagic.postestimation.hypotheses import check_fitted, coefficients_of, linear_row, rows_of
from memagic.postestimation.margins import margins
from memagic.postestimation.margins_result import Margins
from memagic.postestimation.nonlinear import NonlinearCombination, NonlinearTest, nlcom, testnl
from memagic.postestimation.wald import Combined, Multiple, WaldResult, combined, wald
from memagic.results.display_options import Exponentiated, check_scale
from memagic.results.distributions import Adjustment
from memagic.results.estimates import Estimates
from memagic.results.stored import estimation_results
from memagic.spec.command_options import Allowed, Given, chosen_word, confidence_level, split_options
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
from memagic.spec.margins import read_margins
from memagic.spec.varlist import read_varlist

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "COMMANDS",
    "Tested",
    "run_contrast",
    "run_lincom",
    "run_margins",
    "run_nlcom",
    "run_test",
    "run_testnl",
]

Tested: TypeAlias = "WaldResult | Combined | NonlinearCombination | NonlinearTest | ContrastResult"

_MULTIPLE = {"noadjust": 2, "bonferroni": 1, "holm": 1, "sidak": 1}
_ADJUSTMENTS = {"noadjust": 2, "bonferroni": 3, "sidak": 3, "scheffe": 3}
_TEST = {"accumulate": Allowed(1), "mtest": Allowed(1, "optional"), "nosvyadjust": Allowed(7)}
_TESTPARM = {"equal": Allowed(1), "nosvyadjust": Allowed(7)}
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


def run_test(text: str, estimates: Estimates, before: WaldResult | None = None) -> WaldResult:
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
        hypotheses, options = _testparm(cursor, estimates)
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
    estimates: Estimates, matrix: np.ndarray, values: np.ndarray, options: Mapping[str, Given]
) -> WaldResult:
    multiple = ""
    if "mtest" in options:
        multiple = chosen_word(options["mtest"], _MULTIPLE, "noadjust")
    adjust = "nosvyadjust" not in options
    return wald(estimates, matrix, values, multiple=cast("Multiple", multiple), adjust=adjust)


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


def run_lincom(text: str, estimates: Estimates) -> Combined:
    """Run ``lincom ...``."""
    check_fitted(estimates)
    cursor, _ = _after_name(text)
    combination, options = read_combination(cursor, _LINCOM)
    scales = [option for option in options if option.name in ("or", "irr", "eform")]
    if len(scales) > 1:
        names = " and ".join(option.name for option in scales)
        raise CommandError(198, f"only one of {names} may be specified", span=scales[1].span)
    chosen = cast("Exponentiated", scales[0].name if scales else "")
    check_scale(estimates.kind.link, estimates.kind.family, chosen, scales[0].span if scales else None)
    row = linear_row(estimates, combination.expression.terms)
    constants = np.array([combination.expression.value])
    level = confidence_level(options)
    return combined(estimates, row[None], constants, ("(1)",), level=level, exponentiated=_HEADS[chosen])


def run_nlcom(text: str, estimates: Estimates) -> NonlinearCombination:
    """Run ``nlcom ...``."""
    cursor, _ = _after_name(text)
    expressions, options = read_expressions(cursor, {"level": LEVEL})
    stored = estimation_results(estimates).scalars
    return nlcom(estimates, expressions, stored, level=confidence_level(options))


def run_testnl(text: str, estimates: Estimates) -> NonlinearTest:
    """Run ``testnl ...``."""
    cursor, _ = _after_name(text)
    equations, _ = read_equations(cursor, {})
    return testnl(estimates, equations, estimation_results(estimates).scalars)


def run_contrast(text: str, estimates: Estimates) -> ContrastResult:
    """Run ``contrast ...`` or ``pwcompare ...``."""
    cursor, name = _after_name(text)
    terms, options = read_contrast_terms(cursor, _CONTRAST, operators=name == "contrast")
    found = _names(options)
    adjustment = "noadjust"
    if "mcompare" in found:
        adjustment = chosen_word(found["mcompare"], _ADJUSTMENTS, "noadjust")
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


def run_margins(text: str, estimates: Estimates, frame: pd.DataFrame | None = None) -> Margins:
    """Run ``margins ...``.

    Parameters
    ----------
    text : str
    estimates : Estimates
    frame : DataFrame, optional
        The data that were fitted, where the command names variables that the model has not.
    """
    cursor, _ = _after_name(text)
    return margins(estimates, read_margins(cursor), frame)


COMMANDS: dict[str, Callable[[str, Estimates], Tested]] = {
    "test": run_test,
    "testparm": run_test,
    "lincom": run_lincom,
    "nlcom": run_nlcom,
    "testnl": run_testnl,
    "contrast": run_contrast,
    "pwcompare": run_contrast,
}
"""The commands by their names."""
