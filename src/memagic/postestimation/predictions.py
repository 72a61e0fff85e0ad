"""The methods of a result that predict: random effects, responses, and tables of what was estimated."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd

    from memagic.postestimation.icc import IntraclassCorrelations
    from memagic.postestimation.random_effects import EmpiricalBayes, Statistic
    from memagic.postestimation.shown import Shown
    from memagic.results.estimates import Estimates
    from memagic.spec.prediction import Conditional

__all__ = ["Predictions"]


class Predictions:
    """What can be predicted from estimates.

    Attributes
    ----------
    estimates : Estimates
    """

    estimates: Estimates

    # --- random effects -----------------------------------------------------------------------

    @property
    def random_effects(self) -> dict[str, pd.DataFrame]:
        """Posterior means of the random effects: by level, one row a group, one column an effect."""
        return {group.name: group.frame() for group in self._means.groups}

    @property
    def random_effects_se(self) -> dict[str, pd.DataFrame]:
        """Posterior standard deviations of the random effects, in the form of `random_effects`."""
        return {group.name: group.se_frame() for group in self._means.groups}

    def empirical_bayes(self, statistic: Statistic = "ebmeans") -> EmpiricalBayes:
        """Predictions of the random effects with their standard errors.

        Parameters
        ----------
        statistic : {"ebmeans", "ebmodes"}
            Posterior means with posterior standard deviations, or posterior modes with standard
            errors by the curvature there.

        Raises
        ------
        CommandError
            Another statistic, r(198).
        """
        from memagic.postestimation.random_effects import random_effects

        return self._means if statistic == "ebmeans" else random_effects(self.estimates, statistic)

    @cached_property
    def _means(self) -> EmpiricalBayes:
        from memagic.postestimation.random_effects import random_effects

        return random_effects(self.estimates)

    # --- predictions --------------------------------------------------------------------------

    def predict(
        self,
        which: str = "mu",
        newdata: pd.DataFrame | None = None,
        *,
        conditional: Conditional = "ebmeans",
        marginal: bool = False,
        outcome: str | float | None = None,
        offset: bool = True,
        intpoints: int | None = None,
        iterate: int | None = None,
        tolerance: float | None = None,
    ) -> pd.Series | pd.DataFrame:
        """Predict means, linear predictors, densities, residuals, random effects or scores.

        Parameters
        ----------
        which : str
            mu, pr, eta, xb, stdp, density, distribution, residuals, pearson, deviance, anscombe,
            reffects, reses or scores.
        newdata : DataFrame, optional
            The estimation sample, if not given. Groups that it does not have get the prior mean of
            their random effects, zero, with a warning.
        conditional : {"ebmeans", "ebmodes", "fixedonly"}
            What the random effects are: posterior means, posterior modes, or zero.
        marginal : bool
            Integrate the statistic over the random effects instead.
        outcome : float or str, optional
            A category of an ordinal response, its value or "#1" for the first.
        offset : bool
            Whether the offset or exposure is a part of the linear predictor.
        intpoints, iterate : int, optional
            Integration points, and most iterations of the search for the random effects; those of the
            estimation, if not given.
        tolerance : float, optional
            Of that search.

        Returns
        -------
        Series or DataFrame
            With the index of the rows; ``attrs["notes"]`` says what was assumed. All categories of an
            ordinal response without `outcome`, random effects and scores have a column each.

        Raises
        ------
        CommandError
            r(198) for what the model does not have, r(111) and r(459) for what the data do not have.
        """
        from memagic.postestimation.predicted import predicted

        return predicted(
            self.estimates,
            which,
            newdata,
            conditional=conditional,
            marginal=marginal,
            outcome=outcome,
            offset=offset,
            intpoints=intpoints,
            iterate=iterate,
            tolerance=tolerance,
        )

    def simulate(
        self,
        n: int = 1,
        seed: int | None = None,
        *,
        conditional: bool = False,
        executor: Executor | None = None,
    ) -> pd.DataFrame:
        """New responses from the fit, a column each; `conditional` keeps the fit's random effects.

        An `executor` makes the draws elsewhere, the same ones.
        """
        from memagic.postestimation.simulate import simulate

        return simulate(self.estimates, n, seed, conditional=conditional, executor=executor)

    def estat(self, which: str, **options: Any) -> Shown:
        """More of the estimates: icc, sd, group, ic, vce or summarize, with the options of `estat`."""
        from memagic.postestimation.estat import estat

        return estat(self.estimates, which, **options)

    def icc(self, level: float = 95.0) -> IntraclassCorrelations:
        """Intraclass correlations with their confidence limits."""
        from memagic.postestimation.icc import icc

        return icc(self.estimates, level)

    def tidy(self, conf_level: float = 0.95) -> pd.DataFrame:
        """Estimates in rows, with the columns of R's broom.mixed."""
        from memagic.postestimation.tidy import tidy

        return tidy(self.estimates, conf_level)

    def glance(self) -> pd.DataFrame:
        """The fit in one row, with the columns of R's broom.mixed."""
        from memagic.postestimation.tidy import glance

        return glance(self.estimates)
