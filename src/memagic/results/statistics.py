"""The numbers of a result under statsmodels' names."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from memagic.results.display_options import DisplayOptions
from memagic.results.estimates import Estimates
from memagic.results.inference import confidence_limits, table_numbers, wald_test
from memagic.results.stored import coefficient_table, estimation_results
from memagic.results.stored_mapping import Stored

if TYPE_CHECKING:
    import pandas as pd

    from memagic.data.sample import Dropped

__all__ = ["Statistics"]


class Statistics:
    """Estimates, their covariance and what is stored.

    Everything is made anew when it is asked for: what users do with it changes nothing here.

    Attributes
    ----------
    estimates : Estimates
    """

    estimates: Estimates
    _options: DisplayOptions

    @property
    def params(self) -> pd.Series:
        """Estimates, indexed by the addresses that `_b[]` uses; variances on their own scale."""
        return self._series(self.estimates.b, "params")

    @property
    def bse(self) -> pd.Series:
        """Standard errors."""
        return self._series(self.estimates.se, "bse")

    @property
    def tvalues(self) -> pd.Series:
        """Estimates over standard errors; nan for variances, which have no such test."""
        return self._series(table_numbers(self.estimates).z, "tvalues")

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values of `tvalues`: standard normal, or t with the design's degrees of freedom."""
        return self._series(table_numbers(self.estimates).p, "pvalues")

    def cov_params(self) -> pd.DataFrame:
        """Covariance of the estimators: `e(V)` without what is held at zero."""
        import pandas as pd

        return pd.DataFrame(self.estimates.v, index=self._names, columns=self._names)

    def conf_int(self, alpha: float = 0.05) -> pd.DataFrame:
        """Confidence limits: variances by way of the log, all else symmetric.

        Parameters
        ----------
        alpha : float
            One less the confidence level.

        Returns
        -------
        DataFrame
            Columns 0 and 1, one row a parameter.
        """
        import pandas as pd

        limits = confidence_limits(self.estimates, 100.0 * (1.0 - alpha))
        return pd.DataFrame(limits, index=self._names)

    @property
    def llf(self) -> float:
        """The log likelihood."""
        return self.estimates.fit.log_likelihood

    @property
    def nobs(self) -> int:
        """Observations in the estimation sample; of a survey with a subpopulation, those inside."""
        return self.estimates.n_obs

    @property
    def df_model(self) -> int:
        """Degrees of freedom of the overall Wald test."""
        return wald_test(self.estimates).df

    @property
    def converged(self) -> bool:
        """Whether the maximization met its stopping rules."""
        return self.estimates.fit.converged

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 ll + 2 rank."""
        return -2.0 * self.llf + 2.0 * float(self.e["rank"])

    @property
    def bic(self) -> float:
        """Schwarz's criterion, -2 ll + rank ln N."""
        return -2.0 * self.llf + float(self.e["rank"]) * float(np.log(self.nobs))

    @cached_property
    def e(self) -> Stored:
        """Stored results, under the names of the manual."""
        return estimation_results(self.estimates)

    @property
    def dropped(self) -> Dropped | None:
        """How many rows of the data are not in the estimation sample, and why."""
        return self.estimates.design.dropped

    @property
    def r(self) -> dict[str, pd.DataFrame]:
        """`r()` as estimation leaves it: its one entry is `table`."""
        return {"table": self.table}

    @property
    def table(self) -> pd.DataFrame:
        """`r(table)` on the scale and at the level the command asked for."""
        return coefficient_table(self.estimates, self._options.level, bool(self._options.exponentiated))

    @property
    def _names(self) -> list[str]:
        return [parameter.name for parameter in self.estimates.parameters]

    def _series(self, values: Any, name: str) -> pd.Series:
        import pandas as pd

        return pd.Series(values, index=self._names, name=name)
