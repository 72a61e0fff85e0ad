"""What `margins` is asked for: cells of levels, variables of derivatives, predictions."""

from __future__ import annotations

from itertools import product

import numpy as np

from memagic.data.names import match_names
from memagic.engine.families.links import IDENTITY
from memagic.errors import CommandError, closest
from memagic.postestimation.factor_levels import factor_names, levels_of
from memagic.postestimation.marginal_response import Response
from memagic.results.estimates import Estimates
from memagic.spec.margins import MarginsCommand, Prediction

__all__ = [
    "Cell",
    "cells_of",
    "covariate",
    "derived_variables",
    "prediction_words",
    "predictions_of",
    "response_of",
]

Cell = tuple[tuple[str, float], ...]

# Families with predict(pr).
_PROBABILITIES = ("bernoulli", "ordinal")


def covariate(estimates: Estimates, typed: str, *, abbreviations: bool) -> str | None:
    """The variable of the model that a name or, where they count, an abbreviation means, if just one."""
    names = list(estimates.design.covariates)
    if typed in names or not abbreviations:
        return typed if typed in names else None
    begun = [name for name in names if name.startswith(typed)]
    return begun[0] if len(begun) == 1 else None


def cells_of(estimates: Estimates, command: MarginsCommand) -> list[list[Cell]]:
    """The combinations of levels of every term of the marginlist; one without levels if there is none.

    Raises
    ------
    CommandError
        A variable is no factor variable of the model, or has no such level, r(322).
    """
    if not command.terms:
        return [[()]]
    found: list[list[Cell]] = []
    for term in command.terms:
        sets = []
        for operand in term.operands:
            short = command.abbreviations
            variable = covariate(estimates, operand.variable, abbreviations=short) or operand.variable
            levels = levels_of(estimates, variable, operand.span)
            if operand.levels is not None:
                lost = [level for level in operand.levels if level not in levels]
                if lost:
                    message = f"{lost[0]:g}.{variable} not found in the estimation sample"
                    raise CommandError(322, message, span=operand.span)
                levels = np.array(operand.levels)
            sets.append([(variable, float(level)) for level in levels])
        found.append(list(product(*sets)))
    return found


def derived_variables(estimates: Estimates, command: MarginsCommand) -> tuple[str, ...]:
    """The variables of the derivatives, in the order typed.

    Raises
    ------
    CommandError
        Not a covariate, r(322); one that is in the marginlist, or of a kind the derivative is not of, r(198).
    """
    factors = factor_names(estimates)
    covariates = list(estimates.design.covariates)
    lists = {
        "_all": covariates,
        "_factor": [name for name in covariates if name in factors],
        "_continuous": [name for name in covariates if name not in factors],
    }
    found: dict[str, None] = {}
    for name, span in command.variables:
        for one in lists.get(name) or _meant(estimates, name, span, command.abbreviations):
            if command.derivative in ("eyex", "dyex") and one in factors:
                if name in lists:
                    continue
                message = f"option {command.derivative}() not allowed with factor variables"
                raise CommandError(198, message, span=span, hint=f"type dydx({one}) or eydx({one})")
            found[one] = None
    if command.derivative and not found:
        raise CommandError(
            198, f"option {command.derivative}() has no variable", span=command.variables[0][1]
        )
    fixed = {name for cells in cells_of(estimates, command) for cell in cells for name, _ in cell}
    for name in found:
        if name in fixed:
            message = f"{name} may not be both in the marginlist and in {command.derivative}()"
            raise CommandError(198, message, span=command.terms[0].span)
    return tuple(found)


def _meant(estimates: Estimates, typed: str, span: tuple[int, int], abbreviations: bool) -> list[str]:
    """The variables of the model that a name, a pattern or an abbreviation stands for."""
    names = list(estimates.design.covariates)
    try:
        return match_names(typed, names, span, abbreviations=abbreviations)
    except CommandError as error:
        if "not found" not in error.message:
            raise
        message = f"variable {typed} not found in list of covariates"
        raise CommandError(322, message, span=span, hint=closest(typed, names)) from None


def predictions_of(estimates: Estimates, command: MarginsCommand) -> tuple[tuple[Prediction, Response], ...]:
    """The predictions that are asked for, or the model's own, with the responses that they are.

    Raises
    ------
    CommandError
        As of `response_of`.
    """
    given = command.predictions
    if not given:
        given = (Prediction(),)
        if estimates.kind.family == "ordinal":
            given = tuple(
                Prediction("mu", outcome=f"{value:g}", text=f"outcome({value:g})")
                for value in estimates.categories
            )
    return tuple((one, response_of(estimates, one)) for one in given)


def response_of(estimates: Estimates, prediction: Prediction) -> Response:
    """The response that a prediction is.

    Raises
    ------
    CommandError
        A statistic or an outcome that the model has not, r(198).
    """
    family = estimates.kind.family
    if prediction.statistic in ("xb", "eta"):
        return Response(IDENTITY, marginal=False, offset=prediction.offset)
    if prediction.statistic == "pr" and family not in _PROBABILITIES:
        hint = "type predict(mu)"
        raise CommandError(
            198, f"option pr not allowed with family {family}", span=prediction.span, hint=hint
        )
    marginal, link = not prediction.fixed_only, estimates.problem.family.link
    if family == "ordinal":
        k = _outcome(estimates, prediction)
        last = len(estimates.categories) - 1
        terms: list[tuple[float, int | None, float]] = []
        # Pr(y = k) = F(cut_k - eta) - F(cut_(k-1) - eta).
        terms += [(1.0, k, -1.0)] if k < last else []
        terms += [(-1.0, k - 1, -1.0)] if k > 0 else []
        constant = 1.0 if k == last else 0.0
        return Response(link, constant, tuple(terms), marginal, prediction.offset)
    if prediction.outcome is not None:
        hint = "outcomes are those of an ordinal response"
        raise CommandError(198, "option outcome() not allowed", span=prediction.span, hint=hint)
    return Response(link, marginal=marginal, offset=prediction.offset, trials=family == "binomial")


def _outcome(estimates: Estimates, prediction: Prediction) -> int:
    text = prediction.outcome or "#1"
    categories = estimates.categories
    try:
        by_order = text.startswith("#")
        k = int(text[1:]) - 1 if by_order else int(np.flatnonzero(categories == float(text))[0])
    except (ValueError, IndexError):
        k = -1
    if not 0 <= k < len(categories):
        shown = ", ".join(f"{value:g}" for value in categories)
        message = f"outcome({text}) not found"
        raise CommandError(111, message, span=prediction.span, hint=f"outcomes are {shown}")
    return k


def prediction_words(estimates: Estimates, prediction: Prediction) -> str:
    """The line ``Expression``."""
    typed = f"predict({prediction.text})"
    if prediction.statistic in ("xb", "eta"):
        return f"Linear prediction, fixed portion only, {typed}"
    lead = "Marginal predicted mean" if estimates.design.levels else "Predicted mean"
    if estimates.kind.family == "ordinal":
        value = estimates.categories[_outcome(estimates, prediction)]
        what = f"Pr({estimates.command.depvar.variable}=={value:g})"
        lead = f"Marginal predicted {what}" if estimates.design.levels else what
    elif prediction.statistic == "pr":
        lead = lead.replace("mean", "probability")
    if prediction.fixed_only:
        lead = lead.replace("Marginal predicted", "Predicted") + ", fixed portion only"
    return f"{lead}, {typed}"
