"""A result as the package marginaleffects takes models: `predictions`, `comparisons` and `slopes` of it.

The package asks a model for its estimates, their covariance, its data and predictions at any estimates;
it takes derivatives by differences of these. Source: marginaleffects, classes.ModelAbstract.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from memagic.data.same_rows import whole_sample
from memagic.engine.space import from_reported
from memagic.errors import CommandError
from memagic.postestimation.factor_levels import factor_names
from memagic.postestimation.hypotheses import check_fitted
from memagic.postestimation.marginal_response import Response, response_at
from memagic.postestimation.margins_request import response_of
from memagic.postestimation.scenes import RandomPart, Scene, random_part
from memagic.results.estimates import Estimates
from memagic.spec.margins import Prediction

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Scale = Literal["marginal", "fixedonly", "xb"]

__all__ = ["Predictor", "Scale", "for_marginaleffects"]

_PREDICTIONS = {
    "marginal": Prediction(),
    "fixedonly": Prediction(fixed_only=True),
    "xb": Prediction("xb"),
}
_PINNED = 'pip install "memagic[marginaleffects]"'


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """Predictions of a model at other estimates and other covariates than its own.

    Attributes
    ----------
    estimates : Estimates
    responses : tuple of Response
        One, or one for each category of an ordinal response.
    part : RandomPart
    """

    estimates: Estimates
    responses: tuple[Response, ...]
    part: RandomPart

    def __call__(self, b: Array, covariates: dict[str, Array]) -> Array:
        """The responses, shape (n, number of responses).

        Parameters
        ----------
        b : ndarray, shape (k,)
            In the order of `e(b)`.
        covariates : dict of str to ndarray, each shape (n,)
            Every covariate of the model.
        """
        estimates, problem = self.estimates, self.estimates.problem
        reported = estimates.fit.estimates.copy()
        reported[estimates.positions] = b
        p, m = problem.p, problem.n_omega
        sigma = reported[p : p + m].copy()
        # Variances enter by themselves; what the engine makes of them is not asked for here.
        reported[p : p + m] = estimates.fit.estimates[p : p + m]
        theta = from_reported(problem, reported)
        moved = replace(estimates, fit=replace(estimates.fit, theta=theta))
        n = len(next(iter(covariates.values())))
        scene = Scene(moved, np.zeros(n, dtype=np.intp), covariates)
        part = replace(self.part, values=sigma)
        return np.column_stack([response_at(scene, one, part).value for one in self.responses])


def for_marginaleffects(estimates: Estimates, scale: Scale, data: pd.DataFrame | None) -> Any:
    """The result as a model of marginaleffects; see `MEResults.for_marginaleffects`.

    Raises
    ------
    CommandError
        No such scale, r(198); the model has an offset, trials or no covariates, r(498); the package is not
        there, r(601).
    """
    check_fitted(estimates)
    if scale not in _PREDICTIONS:
        raise CommandError(198, f"{scale} is no scale", hint=f"scales are {', '.join(_PREDICTIONS)}")
    if estimates.problem.offset is not None or np.ndim(estimates.problem.trials):
        hint = "margins has them"
        raise CommandError(498, "an offset or numbers of trials do not go to marginaleffects", hint=hint)
    if not estimates.design.covariates:
        raise CommandError(498, "the model has no covariates")
    one = _PREDICTIONS[scale]
    ordinal = estimates.kind.family == "ordinal" and scale != "xb"
    outcomes = [f"{value:g}" for value in estimates.categories] if ordinal else [None]
    responses = tuple(response_of(estimates, replace(one, outcome=outcome)) for outcome in outcomes)
    predictor = Predictor(estimates, responses, random_part(estimates))
    try:
        adapter = _adapter()
    except ImportError as error:
        raise CommandError(601, "the package marginaleffects cannot be imported", hint=_PINNED) from error
    return adapter(predictor, tuple(outcomes), data)


@cache
def _adapter() -> Any:
    """The class, made when it is first wanted: it is of the package's."""
    import polars as pl
    from marginaleffects.classes import ModelAbstract, ModelVault

    class ModelMemagic(ModelAbstract):  # type: ignore[misc]
        """A result of memagic."""

        def __init__(
            self, predictor: Predictor, outcomes: tuple[str | None, ...], data: pd.DataFrame | None
        ) -> None:
            estimates = predictor.estimates
            self._predictor, self._outcomes = predictor, outcomes
            self._covariates = list(estimates.design.covariates)
            vault = ModelVault()
            vault.coef = estimates.b
            vault.coefnames = np.array([parameter.name for parameter in estimates.parameters])
            vault.package = "memagic"
            # Formulas of Python are not how the model is written: columns are asked for by name.
            vault.formula = _no_formula
            vault.variable_names = [estimates.command.depvar.variable, *self._covariates]
            vault.modeldata = pl.DataFrame(_columns(estimates, data))
            super().__init__(estimates, vault)
            for name in self._covariates:
                self.set_variable_type(name, "character" if name in factor_names(estimates) else "numeric")
            if estimates.uncertainty.survey is not None:
                self.df_resid = estimates.uncertainty.survey.df

        def get_vcov(self, vcov: Any = True) -> Array | None:
            if not isinstance(vcov, bool):
                raise ValueError("`vcov` is that of the fit: True or False, and vce() where it was fitted")
            return self._predictor.estimates.v if vcov else None

        def get_exog(self, newdata: Any) -> Array:
            # The package takes rows of this: one column a covariate.
            return np.column_stack([newdata[name].cast(pl.Float64).to_numpy() for name in self._covariates])

        def get_predict(self, params: Array, newdata: Array) -> Any:
            covariates = dict(zip(self._covariates, newdata.T, strict=True))
            values = self._predictor(np.asarray(params, dtype=float), covariates)
            rows = pl.Series("rowid", np.arange(len(values)), dtype=pl.Int32)
            columns = [
                pl.DataFrame({"rowid": rows, "estimate": column})
                if outcome is None
                else pl.DataFrame({"rowid": rows, "group": [outcome] * len(rows), "estimate": column})
                for outcome, column in zip(self._outcomes, values.T, strict=True)
            ]
            return pl.concat(columns)

    return ModelMemagic


def _no_formula(data: Any) -> Any:
    raise ValueError("a model of memagic has no formula of Python")


def _columns(estimates: Estimates, data: pd.DataFrame | None) -> dict[str, Any]:
    """The estimation sample: response, covariates, groups, weights, and what else the data have."""
    factors = factor_names(estimates)
    found: dict[str, Any] = {estimates.command.depvar.variable: estimates.design.y}
    for name, values in estimates.design.covariates.items():
        found[name] = values.astype(np.int64) if name in factors else values.astype(float)
    for grouping in estimates.design.groupings:
        found.setdefault(grouping.name, np.asarray(grouping.codes))
    overall = estimates.problem.overall_weight
    if overall is not None:
        found["_weights"] = overall
    if data is not None:
        inside = data.iloc[whole_sample(estimates.design, estimates.command, data)]
        found |= {str(name): inside[name].to_numpy() for name in inside.columns if str(name) not in found}
    return found
