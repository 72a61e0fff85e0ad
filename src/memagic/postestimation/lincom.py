"""Linear combinations of parameters: `lincom`.

Source: [R] lincom, Methods and formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from memagic.display.report import Block, CoefficientTable, Report
from memagic.postestimation.hypotheses import check_fitted
from memagic.postestimation.shown import Reported, estimate_row
from memagic.results.linear import equation_names, linear_words, plain_number
from memagic.results.posted import AnyEstimates

Array = NDArray[np.float64]

__all__ = ["Combined", "combined"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Combined(Reported):
    """Linear combinations of parameters, with their standard errors.

    Attributes
    ----------
    hypotheses : tuple of str
        Each combination set to zero, as it is printed above the table.
    labels : tuple of str, length q
        Of the rows.
    b, se, z, p, lower, upper : ndarray, shape (q,)
        On the scale shown; z and p test that the combination is zero.
    level : float
    statistic : {"z", "t"}
    df : float
        Of t; nan for z.
    depvar, title : str
        Heads of the table.
    v : ndarray, shape (q, q)
        Covariance on the scale of the coefficients.
    """

    hypotheses: tuple[str, ...]
    labels: tuple[str, ...]
    b: Array
    se: Array
    z: Array
    p: Array
    lower: Array
    upper: Array
    level: float
    statistic: Literal["z", "t"]
    df: float
    depvar: str
    title: str
    v: Array

    @property
    def r(self) -> dict[str, Any]:
        """`r()` of lincom: estimate, se, z or t, p, lb, ub, level, df under a survey design."""
        found: dict[str, Any] = {
            "estimate": float(self.b[0]),
            "se": float(self.se[0]),
            self.statistic: float(self.z[0]),
            "p": float(self.p[0]),
            "lb": float(self.lower[0]),
            "ub": float(self.upper[0]),
            "level": self.level,
        }
        return found if np.isnan(self.df) else found | {"df": self.df}

    def report(self) -> Report:
        """The table; each combination stands above it."""
        columns = (self.b, self.se, self.z, self.p, self.lower, self.upper)
        rows = tuple(estimate_row(label, columns, k) for k, label in enumerate(self.labels))
        table = CoefficientTable(
            self.depvar, self.title, "Std. err.", self.statistic, self.level, (Block(rows),)
        )
        return Report(constraints=self.hypotheses, table=table)


def combined(
    estimates: AnyEstimates,
    matrix: Array,
    constants: Array,
    labels: tuple[str, ...],
    *,
    level: float = 95.0,
    exponentiated: str = "",
) -> Combined:
    """Linear combinations R b + c with standard errors and limits.

    Parameters
    ----------
    estimates : Estimates
    matrix : ndarray, shape (q, k)
    constants : ndarray, shape (q,)
    labels : tuple of str
    level : float
        Confidence level in percent.
    exponentiated : str
        The head of the column of exponentiated combinations; empty for these themselves.
    """
    check_fitted(estimates)
    uncertainty = estimates.uncertainty
    # A coefficient of 1e200 has no variance.
    with np.errstate(over="ignore", invalid="ignore"):
        b, v = matrix @ estimates.b + constants, matrix @ estimates.v @ matrix.T
    se = np.sqrt(np.maximum(np.diag(v), 0.0))
    known = (se > 0.0) & np.isfinite(se)
    z = np.where(known, b / np.where(known, se, 1.0), np.nan)
    p = uncertainty.two_sided(z)
    critical = uncertainty.critical(level)
    half = np.where(known, critical * se, np.nan)
    lower, upper = b - half, b + half
    names = equation_names(estimates)
    words = tuple(
        f"({k:>2})  {linear_words(row, names) or '0'} = {plain_number(0.0 - constant)}"
        for k, (row, constant) in enumerate(zip(matrix, constants, strict=True), 1)
    )
    if exponentiated:
        b, lower, upper = np.exp(b), np.exp(lower), np.exp(upper)
        se = se * b
    return Combined(
        hypotheses=words,
        labels=labels,
        b=b,
        se=se,
        z=z,
        p=p,
        lower=lower,
        upper=upper,
        level=level,
        statistic=uncertainty.statistic,
        df=float("nan") if uncertainty.survey is None else float(uncertainty.survey.df),
        depvar=estimates.equation,
        title=exponentiated or "Coefficient",
        v=v,
    )
