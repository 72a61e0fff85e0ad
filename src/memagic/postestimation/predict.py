"""Predictions after estimation: means, linear predictors, densities, residuals, random effects, scores.

Source: manual [ME] meglm postestimation, Syntax for predict, and Methods and formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.data.new_rows import MISSING, NEW
from memagic.data.same_rows import gone_note
from memagic.engine.marginal import (
    marginal_density,
    marginal_distribution,
    marginal_mean,
)
from memagic.engine.residuals import anscombe, deviance, pearson
from memagic.errors import CommandError
from memagic.postestimation.random_part import (
    WORDS,
    effect_names,
    marginal_variance,
    points_note,
    predicted_moments,
    prior_deviations,
    random_part,
    what_is_new,
)
from memagic.postestimation.rows import Rows
from memagic.postestimation.scores import scores
from memagic.results.estimates import Estimates
from memagic.spec.prediction import Request, check_request

Array = NDArray[np.float64]

__all__ = ["Prediction", "predict"]

_NEEDS_RESPONSE = ("density", "distribution", "residuals", "pearson", "deviance", "anscombe")
_RESIDUALS: dict[str, Callable[..., Array]] = {"pearson": pearson, "deviance": deviance, "anscombe": anscombe}


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Predictions for n rows.

    Attributes
    ----------
    values : ndarray, shape (n, k)
        nan where something that a prediction depends on is missing.
    columns : tuple of str, float or int, length k
        What each is of: the statistic, the categories of an ordinal response, random effects, parameters.
    labels : tuple of str, length k
    notes : tuple of str
        What was assumed and done, in the manual's words.
    warnings : tuple of str
        What is new to the estimates: groups, and values of crossed factors.
    """

    values: Array
    columns: tuple[str | float, ...]
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def predict(estimates: Estimates, rows: Rows, request: Request) -> Prediction:
    """Predict a statistic for every row.

    Parameters
    ----------
    estimates : Estimates
    rows : Rows
    request : Request
        For an ordinal response without an outcome all categories.

    Raises
    ------
    CommandError
        What the model has no such statistic of, or options that do not go together, r(198); variables
        that are not there, r(111); levels that the estimation sample does not have, r(459).
    """
    if not estimates.fitted:
        raise CommandError(301, "last estimates not found", hint="noestimate showed starting values")
    check_request(request)
    _check_model(estimates, request)
    if request.statistic in ("xb", "stdp"):
        return _fixed_part(estimates, rows, request)
    if request.statistic == "scores":
        return _scores(estimates, rows)
    if request.statistic in ("reffects", "reses"):
        return _effects(estimates, rows, request)
    return _of_response(estimates, rows, request)


def _check_model(estimates: Estimates, request: Request) -> None:
    """Refuse statistics that the model does not have."""
    family, statistic = estimates.kind.family, request.statistic
    if statistic == "pr" and family not in ("bernoulli", "binomial", "ordinal"):
        raise CommandError(198, "pr is allowed for binary and ordinal responses only", hint="mu is the mean")
    if statistic == "residuals" and family != "gaussian":
        hint = "pearson, deviance and anscombe are residuals of other responses"
        raise CommandError(198, "residuals is allowed for Gaussian responses only", hint=hint)
    if statistic in _RESIDUALS and family == "ordinal":
        raise CommandError(198, f"{statistic} is not allowed for ordinal responses")
    if statistic in ("deviance", "anscombe") and estimates.kind.dispersion == "constant":
        message = f"{statistic} is not defined for negative binomial responses with constant dispersion"
        raise CommandError(198, message, hint="pearson is")
    if request.outcome is not None and family != "ordinal":
        raise CommandError(198, "option outcome() is allowed for ordinal responses only")
    if statistic in ("reffects", "reses") and estimates.problem.structure is None:
        raise CommandError(198, f"{statistic} not allowed: the model has no random effects")


# --- the fixed part, scores, random effects ------------------------------------------------------


def _fixed_part(estimates: Estimates, rows: Rows, request: Request) -> Prediction:
    x, p = rows.fixed(), estimates.problem.p
    if request.statistic == "xb":
        xb = x @ estimates.fit.estimates[:p]
        value = xb + rows.offset() if request.offset else xb
        return Prediction(value[:, None], ("xb",), ("Linear predictor, fixed portion",))
    v = estimates.fit.covariance[:p, :p]
    value = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", x, v, x, optimize=True), 0.0))
    return Prediction(value[:, None], ("stdp",), ("S.E. of the linear predictor, fixed portion",))


def _scores(estimates: Estimates, rows: Rows) -> Prediction:
    names = tuple(parameter.name for parameter in estimates.parameters)
    values = np.full((len(rows.index), len(names)), np.nan)
    at = rows.sampled()
    values[at[at >= 0]] = scores(estimates)[at >= 0]
    return Prediction(values, names, tuple(f"Score of {name}" for name in names), gone_note(at))


def _effects(estimates: Estimates, rows: Rows, request: Request) -> Prediction:
    moments = predicted_moments(estimates, request)
    wants_se = request.statistic == "reses"
    prior = prior_deviations(estimates)
    columns: list[Array] = []
    for k, codes in enumerate(rows.groups()):
        source = moments.se[k] if wants_se else moments.value[k]
        # Of a new group nothing more is known than the prior.
        unknown = prior[k] if wants_se else np.zeros(source.shape[1])
        table = np.vstack([source, unknown, np.full(source.shape[1], np.nan)])
        at = np.where(codes == NEW, len(source), np.where(codes == MISSING, len(source) + 1, codes))
        columns += list(table[at].T)
    names = effect_names(estimates)
    words = WORDS[request.conditional]
    label = f"Std. err. of posterior {words[:-1]}" if wants_se else f"Posterior {words[:-1]}"
    return Prediction(
        np.column_stack(columns),
        names,
        tuple(f"{label} of {name}" for name in names),
        (f"(calculating posterior {words} of random effects)", *points_note(estimates, request)),
        what_is_new(estimates, rows),
    )


# --- statistics of the response -----------------------------------------------------------------


def _of_response(estimates: Estimates, rows: Rows, request: Request) -> Prediction:
    """Statistics that depend on the linear predictor with its random part."""
    problem = estimates.problem
    phi = problem.unpack(estimates.fit.theta).phi
    eta = rows.fixed() @ estimates.fit.estimates[: problem.p]
    if request.offset:
        eta = eta + rows.offset()
    deviation: Array | None = None
    notes: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    if problem.structure is not None and request.marginal:
        deviation = np.sqrt(marginal_variance(estimates, rows))
        if request.n_points is not None:
            notes = (f"(using {request.n_points} quadrature points)",)
    elif problem.structure is not None and request.conditional != "fixedonly":
        eta = eta + random_part(rows, predicted_moments(estimates, request).value)
        words = WORDS[request.conditional]
        notes = (f"(predictions based on fixed effects and posterior {words} of random effects)",)
        notes += points_note(estimates, request)
        news = what_is_new(estimates, rows)
    elif problem.structure is not None:
        notes = ("(predictions based on fixed effects only)",)
    trials = np.broadcast_to(np.asarray(rows.trials(), dtype=float), eta.shape)
    y = rows.response() if request.statistic in _NEEDS_RESPONSE else np.zeros_like(eta)
    known = np.isfinite(eta) & np.isfinite(trials) & np.isfinite(y)
    if deviation is not None:
        known &= np.isfinite(deviation)
        deviation = deviation[known]
    at = _At(estimates, eta[known], deviation, y[known], trials[known], phi, request.n_points)
    statistics = _columns(at, request)
    values = np.full((len(eta), len(statistics)), np.nan)
    for j, (_, _, value) in enumerate(statistics):
        values[known, j] = value
    kind = "Marginal " if request.marginal else ""
    labels = tuple(kind + label.lower() if kind else label for _, label, _ in statistics)
    return Prediction(values, tuple(name for name, _, _ in statistics), labels, notes, news)


@dataclass(frozen=True, slots=True)
class _At:
    """Where a statistic is wanted: linear predictors, and the deviations to integrate over, if any."""

    estimates: Estimates
    eta: Array
    deviation: Array | None
    y: Array
    trials: Array
    phi: Array
    n_points: int | None

    def mean(self) -> Array:
        family = self.estimates.problem.family
        if self.deviation is None:
            return family.mean(self.eta, self.trials, self.phi)
        return marginal_mean(family, self.eta, self.deviation, self.trials, self.phi, self.n_points)

    def density(self, y: Array) -> Array:
        family = self.estimates.problem.family
        if self.deviation is None:
            return family.density(self.eta, y, self.trials, self.phi)
        return marginal_density(family, self.eta, self.deviation, y, self.trials, self.phi, self.n_points)

    def distribution(self) -> Array:
        family = self.estimates.problem.family
        if self.deviation is None:
            return family.distribution(self.eta, self.y, self.trials, self.phi)
        return marginal_distribution(
            family, self.eta, self.deviation, self.y, self.trials, self.phi, self.n_points
        )


def _columns(at: _At, request: Request) -> list[tuple[str | float, str, Array]]:
    """Name, label and values of each column of a statistic."""
    name, family = request.statistic, at.estimates.problem.family
    if name in ("mu", "pr") and at.estimates.kind.family == "ordinal":
        return _categories(at, request)
    if name == "mu":
        return [(name, "Predicted mean", at.mean())]
    if name == "pr":
        return [(name, "Predicted probability", at.mean() / at.trials)]
    if name == "eta":
        return [(name, "Linear predictor", at.eta)]
    if name == "density":
        return [(name, "Density", at.density(at.y))]
    if name == "distribution":
        return [(name, "Distribution function", at.distribution())]
    if name == "residuals":
        return [(name, "Residuals", at.y - at.mean())]
    # Where the mean is a bound of its range to the last bit the variance is zero.
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = _RESIDUALS[name](family, at.y, at.mean(), at.trials, at.phi)
    return [(name, f"{name.capitalize()} residuals", np.where(np.isfinite(residual), residual, np.nan))]


def _categories(at: _At, request: Request) -> list[tuple[str | float, str, Array]]:
    values = at.estimates.categories
    depvar = at.estimates.command.depvar.name
    return [
        (
            int(values[k]) if float(values[k]).is_integer() else float(values[k]),
            f"Predicted mean ({values[k]:g}.{depvar})",
            at.density(np.full(at.eta.shape, float(k))),
        )
        for k in _chosen(values, depvar, request.outcome)
    ]


def _chosen(values: Array, depvar: str, outcome: int | float | None) -> list[int]:
    """Positions of the categories asked for: an int is a number from 1, a float a value.

    Raises
    ------
    CommandError
        There is no such category, r(198).
    """
    if outcome is None:
        return list(range(len(values)))
    if isinstance(outcome, int):
        if 1 <= outcome <= len(values):
            return [outcome - 1]
        hint = f"categories are #1 to #{len(values)}"
        raise CommandError(198, f"outcome(#{outcome}) not found", hint=hint)
    at = np.flatnonzero(values == outcome)
    if len(at) == 0:
        hint = f"{depvar} has the values {', '.join(f'{value:g}' for value in values[:12])}"
        raise CommandError(198, f"outcome({outcome:g}) not found", hint=hint)
    return [int(at[0])]
