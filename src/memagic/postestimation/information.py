"""`estat ic` and `estimates stats`: Akaike's and Schwarz's information criteria.

Source: [R] estat ic, estimates stats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from memagic.display.formats import f, g
from memagic.display.grid_table import GridRow, GridTable
from memagic.errors import CommandError
from memagic.postestimation.icc import NOT_VALID
from memagic.postestimation.shown import Shown
from memagic.results.estimates import Estimates
from memagic.results.inference import rank

__all__ = ["InformationCriteria", "criteria_table", "information_criteria"]


@dataclass(frozen=True, slots=True, repr=False)
class InformationCriteria(Shown):
    """One model's criteria.

    Attributes
    ----------
    n : float
        The number of observations that BIC is for.
    log_likelihood : float
    df : int
        `e(rank)`, which does not count what is at the boundary.
    chosen : bool
        Whether the user gave `n`.
    """

    n: float
    log_likelihood: float
    df: int
    chosen: bool = False

    @property
    def aic(self) -> float:
        """-2 ll + 2 df."""
        return -2.0 * self.log_likelihood + 2.0 * self.df

    @property
    def bic(self) -> float:
        """-2 ll + df ln N."""
        return -2.0 * self.log_likelihood + self.df * float(np.log(self.n))

    @property
    def r(self) -> dict[str, Any]:
        """Stored results: the row S."""
        import pandas as pd

        row = [self.n, np.nan, self.log_likelihood, float(self.df), self.aic, self.bic]
        return {"S": pd.DataFrame([row], index=["."], columns=["N", "ll0", "ll", "df", "AIC", "BIC"])}

    def grid(self) -> GridTable:
        """The manual's row."""
        return criteria_table([(".", self)])


def criteria_table(models: Sequence[tuple[str, InformationCriteria]]) -> GridTable:
    """The manual's table, a row a model; there is no ll(null) after these commands.

    Parameters
    ----------
    models : sequence of (str, InformationCriteria)
        Names, and what belongs to them; the number of observations is chosen for all or none.
    """
    rows, sizes = [], []
    for name, found in models:
        sizes.append(f(found.n, 10, 0, commas=True))
        cells = (sizes[-1], ".", g(found.log_likelihood), str(found.df), g(found.aic), g(found.bic))
        rows.append(GridRow(name, cells))
    chosen = any(found.chosen for _, found in models)
    note = f"Note: BIC uses N = {sizes[0] if chosen else 'number of observations'}."
    title = "Akaike's information criterion and Bayesian information criterion"
    return GridTable(title, ("N", "ll(null)", "ll(model)", "df", "AIC", "BIC"), tuple(rows), (note,))


def information_criteria(estimates: Estimates, n: float | None = None) -> InformationCriteria:
    """The criteria of a fit.

    Parameters
    ----------
    estimates : Estimates
    n : float, optional
        The number of observations for BIC; that of the estimation sample, if not given.

    Raises
    ------
    CommandError
        There is no likelihood under a survey design, r(321); n is not above zero, r(198).
    """
    if estimates.uncertainty.survey is not None:
        raise CommandError(321, NOT_VALID, hint="a survey's pseudolikelihood has no information criteria")
    if n is not None and not n > 0.0:
        raise CommandError(198, "n() must be greater than zero")
    return InformationCriteria(
        n=float(estimates.n_obs if n is None else n),
        log_likelihood=estimates.fit.log_likelihood,
        df=rank(estimates),
        chosen=n is not None,
    )
