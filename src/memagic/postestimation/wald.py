"""Wald tests of linear hypotheses about parameters.

Source: [R] test, Methods and formulas.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import g
from memagic.display.grid_table import GridRow, GridTable
from memagic.postestimation.hypotheses import check_fitted
from memagic.postestimation.wald_result import Multiple, WaldResult
from memagic.results.distributions import Adjustment, adjusted, chi2_tail, f_tail
from memagic.results.linear import equation_names, linear_words, plain_number
from memagic.results.posted import AnyEstimates

Array = NDArray[np.float64]

__all__ = ["wald", "wald_statistic"]

# Share of a variance below which a hypothesis follows from others.
_DEPENDENT = 1e-9


def wald_statistic(difference: Array, v: Array) -> tuple[float, tuple[int, ...]]:
    """d'V^-1 d over the hypotheses that are independent, and which these are.

    Parameters
    ----------
    difference : ndarray, shape (q,)
    v : ndarray, shape (q, q)
    """
    kept = _independent_rows(v)
    if not kept:
        return float("nan"), ()
    index = np.array(kept)
    solved = np.linalg.solve(v[np.ix_(index, index)], difference[index])
    return float(difference[index] @ solved), kept


def _independent_rows(v: Array) -> tuple[int, ...]:
    """The rows of a covariance matrix, in their order, that do not follow from those before them."""
    kept: list[int] = []
    for k in range(len(v)):
        own = v[k, k]
        if not np.isfinite(own) or own <= 0.0:
            continue
        rest = own
        if kept:
            cross = v[kept, k]
            rest = own - cross @ np.linalg.solve(v[np.ix_(kept, kept)], cross)
        if rest > _DEPENDENT * own:
            kept.append(k)
    return tuple(kept)


def wald(
    estimates: AnyEstimates,
    matrix: Array,
    values: Array,
    *,
    multiple: Multiple = "",
    adjust: bool = True,
    df: int | None = None,
    coefficients: bool = False,
) -> WaldResult:
    """Test R b = r.

    Parameters
    ----------
    estimates : Estimates
    matrix : ndarray, shape (q, k)
    values : ndarray, shape (q,)
    multiple : str
        How p-values of the single hypotheses are adjusted, if these are to be tested, too.
    adjust : bool
        Whether F is adjusted to the design degrees of freedom; it matters under a survey design only.
    df : int, optional
        Denominator degrees of freedom of an F test, in the place of the chi2 or the design's.
    coefficients : bool
        Whether the estimates under the hypotheses are found, too.

    Raises
    ------
    CommandError
        Starting values, r(301).
    """
    check_fitted(estimates)
    difference = matrix @ estimates.b - values
    v = matrix @ estimates.v @ matrix.T
    chi2, kept = wald_statistic(difference, v)
    q = len(kept)
    dropped = tuple(k for k in range(len(values)) if k not in kept)
    survey = estimates.uncertainty.survey
    if df is not None:
        statistic, below = chi2 / q if q else float("nan"), float(df)
        p = f_tail(q, df, statistic)
    elif survey is None:
        statistic, below, p = chi2, float("nan"), chi2_tail(q, chi2) if q else float("nan")
    elif adjust:
        statistic, (_, below_), p = estimates.uncertainty.joint(chi2, q)
        below = float(below_)
    else:
        statistic, below = chi2 / q if q else float("nan"), float(survey.df)
        p = f_tail(q, survey.df, statistic)
    names = equation_names(estimates)
    words = tuple(
        f"{linear_words(row, names) or '0'} = {plain_number(value)}"
        for row, value in zip(matrix, values, strict=True)
    )
    single = _single(estimates, difference, v, multiple) if multiple else np.empty((0, 2))
    table = _constrained(estimates, matrix[list(kept)], difference[list(kept)]) if coefficients else None
    return WaldResult(words, matrix, values, dropped, statistic, q, below, p, single, multiple, table)


def _constrained(estimates: AnyEstimates, matrix: Array, difference: Array) -> GridTable:
    """The estimates nearest to the ones found, by their covariance, that meet the hypotheses.

    Source: [R] test, option coef; [R] cnsreg: b - V R'(R V R')^-1 (R b - r).
    """
    v = estimates.v
    gain = np.linalg.solve(matrix @ v @ matrix.T, matrix @ v).T
    b = estimates.b - gain @ difference
    variances = np.diag(v - gain @ matrix @ v)
    # What is a rounding error of zero.
    se = np.sqrt(np.where(variances > _DEPENDENT * np.diag(v), variances, 0.0))
    rows = tuple(
        GridRow(
            parameter.name.removeprefix("/"), (g(float(value)), g(float(error)) if error else "(constrained)")
        )
        for parameter, value, error in zip(estimates.parameters, b, se, strict=True)
    )
    return GridTable("Constrained coefficients", ("Coefficient", "Std. err."), rows)


def _single(estimates: AnyEstimates, difference: Array, v: Array, multiple: Multiple) -> Array:
    """Statistic and p-value of every hypothesis alone, shape (q, 2)."""
    variances = np.diag(v)
    known = variances > 0.0
    z = np.where(known, difference / np.sqrt(np.where(known, variances, 1.0)), np.nan)
    method: Adjustment = multiple if multiple == "bonferroni" or multiple == "sidak" else "noadjust"
    p = adjusted(z, method, len(z), len(z), estimates.uncertainty)
    if multiple == "holm":
        order, m = np.argsort(p), len(p)
        steps = np.maximum.accumulate(np.minimum(1.0, p[order] * np.arange(m, 0, -1)))
        p = np.empty(m)
        p[order] = steps
    return np.column_stack([z**2, p])
