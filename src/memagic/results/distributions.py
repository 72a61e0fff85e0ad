"""Tails and quantiles of the distributions that tests are referred to."""

from __future__ import annotations

from math import comb
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, chdtri, fdtrc, fdtri

from memagic.results.uncertainty import Uncertainty

Array = NDArray[np.float64]
Adjustment = Literal["noadjust", "bonferroni", "sidak", "scheffe"]

__all__ = [
    "Adjustment",
    "adjusted",
    "adjusted_critical",
    "binomial_mixture",
    "chi2_tail",
    "f_tail",
    "mixture_tail",
]


def chi2_tail(df: int, value: float) -> float:
    """P(chi2 > value); with no degrees of freedom all of it lies at zero."""
    if np.isnan(value):
        return float("nan")
    if df == 0:
        return float(value <= 0.0)
    return float(chdtrc(df, max(value, 0.0)))


def f_tail(above: int, below: int, value: float) -> float:
    """P(F > value)."""
    if np.isnan(value) or above < 1 or below < 1:
        return float("nan")
    return float(fdtrc(above, below, value))


def mixture_tail(weights: dict[int, float], value: float) -> float:
    """P(X > value) of a mixture of chi2 distributions, their weights by degrees of freedom.

    At zero and below it is 1, as it is for a statistic of which nothing is smaller.
    """
    if value <= 0.0:
        return 1.0
    return sum(weight * chi2_tail(df, value) for df, weight in weights.items())


def binomial_mixture(regular: int, boundary: int) -> dict[int, float]:
    """Weights of chi2 with `regular` to `regular + boundary` degrees of freedom.

    Of `boundary` independent variances each is estimated as zero with probability one half.
    """
    return {regular + j: comb(boundary, j) * 0.5**boundary for j in range(boundary + 1)}


def adjusted(
    statistic: Array, method: Adjustment, comparisons: int, rank: int, uncertainty: Uncertainty
) -> Array:
    """Two-sided p-values of single comparisons, adjusted for their number.

    Parameters
    ----------
    statistic : ndarray
        Of z or t.
    method : str
    comparisons : int
    rank : int
        Of the comparisons taken together, for Scheffe's method.
    uncertainty : Uncertainty

    Source: [R] pwcompare, Methods and formulas.
    """
    if method == "scheffe":
        below = None if uncertainty.survey is None else uncertainty.survey.df
        square = np.square(statistic)
        return np.asarray(chdtrc(rank, square) if below is None else fdtrc(rank, below, square / rank))
    p = uncertainty.two_sided(statistic)
    if method == "bonferroni":
        return np.minimum(1.0, comparisons * p)
    if method == "sidak":
        return np.asarray(-np.expm1(comparisons * np.log1p(-np.minimum(p, 1.0 - 1e-16))))
    return p


def adjusted_critical(
    level: float, method: Adjustment, comparisons: int, rank: int, uncertainty: Uncertainty
) -> float:
    """The quantile of confidence limits that hold together, at a level in percent."""
    alpha = 1.0 - level / 100.0
    if method == "scheffe":
        if uncertainty.survey is None:
            return float(np.sqrt(chdtri(rank, alpha)))
        return float(np.sqrt(rank * fdtri(rank, uncertainty.survey.df, 1.0 - alpha)))
    if method == "bonferroni":
        alpha /= comparisons
    elif method == "sidak":
        alpha = -float(np.expm1(np.log1p(-alpha) / comparisons))
    return uncertainty.critical(100.0 * (1.0 - alpha))
