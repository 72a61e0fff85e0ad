"""Wald tests and linear combinations of parameters: `test`, `testparm`, `lincom`.

Source: [R] test, [R] lincom, Methods and formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import f, g
from memagic.display.grid_table import GridRow, GridTable, grid_html, grid_text
from memagic.display.report import Block, CoefficientTable, Report
from memagic.postestimation.hypotheses import check_fitted
from memagic.postestimation.shown import Reported, Shown, estimate_row
from memagic.results.distributions import chi2_tail, f_tail
from memagic.results.linear import equation_names, linear_words, plain_number
from memagic.results.posted import AnyEstimates

Array = NDArray[np.float64]
Multiple = Literal["", "noadjust", "bonferroni", "holm", "sidak"]

__all__ = ["Combined", "Multiple", "WaldResult", "combined", "independent_rows", "wald", "wald_statistic"]

# Of the variances of the hypotheses: what is left of one, given the others, that counts as nothing.
_DEPENDENT = 1e-9
_WIDE = 13


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class WaldResult(Shown):
    """A joint Wald test of hypotheses.

    Attributes
    ----------
    hypotheses : tuple of str, length q
        As they are printed: ``[c_use]1.urban = 0``.
    matrix : ndarray, shape (q, k)
    values : ndarray, shape (q,)
        R b = r.
    dropped : tuple of int
        Positions of hypotheses that follow from others, or on parameters of which nothing is known.
    statistic : float
        chi2, or F under a survey design.
    df : int
    df_r : float
        Denominator degrees of freedom; nan for a chi2 test.
    p : float
    single : ndarray, shape (q, 2)
        Statistic and adjusted p of every hypothesis alone; no rows unless these were asked for.
    multiple : str
        How they are adjusted.
    constrained : GridTable or None
        The estimates under the hypotheses, where these were asked for.
    """

    hypotheses: tuple[str, ...]
    matrix: Array
    values: Array
    dropped: tuple[int, ...]
    statistic: float
    df: int
    df_r: float
    p: float
    single: Array
    multiple: Multiple = ""
    constrained: GridTable | None = None

    @property
    def name(self) -> str:
        """``chi2`` or ``F``."""
        return "chi2" if np.isnan(self.df_r) else "F"

    @property
    def r(self) -> dict[str, Any]:
        """`r()` of test: p, chi2 or F, df, df_r, drop, dropped_i, mtmethod and mtest."""
        found: dict[str, Any] = {"p": self.p, self.name: self.statistic, "df": self.df}
        if self.name == "F":
            found["df_r"] = self.df_r
        found["drop"] = int(bool(self.dropped))
        found |= {f"dropped_{i}": k + 1 for i, k in enumerate(self.dropped, 1)}
        if self.multiple:
            import pandas as pd

            rows = [f"({k})" for k in range(1, len(self.hypotheses) + 1)]
            frame = pd.DataFrame(self.single, index=rows, columns=[self.name, "p"])
            frame.insert(1, "df", 1)
            found |= {"mtmethod": self.multiple, "mtest": frame}
        return found

    def grid(self) -> GridTable:
        """Hypotheses in the notes, the joint test in the table, single tests above it."""
        rows = []
        if self.multiple:
            rows = [
                GridRow(f"({k})", (f(value, 9, 2), "1", f(p, 6, 4)))
                for k, (value, p) in enumerate(self.single, 1)
            ]
        df = f"{self.df}" if self.name == "chi2" else f"{self.df}, {self.df_r:g}"
        joint = (f(self.statistic, 9, 2), df, f(self.p, 6, 4))
        rows.append(GridRow("All" if self.multiple else "Wald test", joint, ruled=bool(rows)))
        notes = [line.strip() for line in self._listed()]
        if self.multiple:
            notes.append(f"Single tests: {_METHODS[self.multiple]}.")
        return GridTable("Wald test", (self.name, "df", f"Prob > {self.name}"), tuple(rows), tuple(notes))

    def _listed(self) -> list[str]:
        lines = [f" ({k:>2})  {words}" for k, words in enumerate(self.hypotheses, 1)]
        lines += [f"       Constraint {k + 1} dropped" for k in self.dropped]
        return lines

    def to_html(self) -> str:
        """One HTML fragment."""
        tables = [self.grid(), *([] if self.constrained is None else [self.constrained])]
        return "\n".join(map(grid_html, tables))

    def to_text(self) -> str:
        """The manual's text."""
        if self.constrained is None:
            return self._test_in_text()
        return f"{self._test_in_text()}\n\n{grid_text(self.constrained)}".rstrip("\n")

    def _test_in_text(self) -> str:
        lines = [*self._listed(), ""]
        if self.multiple:
            head = f"{self.name}(df)" if self.name == "chi2" else f"F(df,{self.df_r:g})"
            rule = "-" * 39
            lines += [rule, f"       |{head:>12}     df     p > {self.name}", "-" * 7 + "+" + "-" * 31]
            lines += [
                f"  ({k:>2}) |{f(value, 9, 2):>12}{1:>7}{f(p, 6, 4):>11}"
                + (" #" if self.multiple != "noadjust" else "")
                for k, (value, p) in enumerate(self.single, 1)
            ]
            lines += ["-" * 7 + "+" + "-" * 31]
            lines += [f"  All  |{f(self.statistic, 9, 2):>12}{self.df:>7}{f(self.p, 6, 4):>11}", rule]
            if self.multiple != "noadjust":
                lines.append(f"{'# ' + _METHODS[self.multiple]:>39}")
            return "\n".join(lines)
        if self.name == "chi2":
            lines += [
                f"{f'chi2({self.df:>3})':>19} ={f(self.statistic, 8, 2):>8}",
                f"{'Prob > chi2':>19} ={f(self.p, 10, 4):>10}",
            ]
        else:
            lines += [
                f"{f'F({self.df:>3},{self.df_r:>6g})':>19} ={f(self.statistic, 8, 2):>8}",
                f"{'Prob > F':>19} ={f(self.p, 10, 4):>10}",
            ]
        return "\n".join(lines)


_METHODS: dict[Multiple, str] = {
    "noadjust": "unadjusted p-values",
    "bonferroni": "Bonferroni-adjusted p-values",
    "holm": "Holm-adjusted p-values",
    "sidak": "Sidak-adjusted p-values",
}


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


def wald_statistic(difference: Array, v: Array) -> tuple[float, tuple[int, ...]]:
    """d'V^-1 d over the hypotheses that are independent, and which these are.

    Parameters
    ----------
    difference : ndarray, shape (q,)
    v : ndarray, shape (q, q)
    """
    kept = independent_rows(v)
    if not kept:
        return float("nan"), ()
    index = np.array(kept)
    solved = np.linalg.solve(v[np.ix_(index, index)], difference[index])
    return float(difference[index] @ solved), kept


def independent_rows(v: Array) -> tuple[int, ...]:
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
    p = estimates.uncertainty.two_sided(z)
    m = len(p)
    if multiple == "bonferroni":
        p = np.minimum(1.0, m * p)
    elif multiple == "sidak":
        p = 1.0 - (1.0 - p) ** m
    elif multiple == "holm":
        order = np.argsort(p)
        steps = np.maximum.accumulate(np.minimum(1.0, p[order] * np.arange(m, 0, -1)))
        p = np.empty(m)
        p[order] = steps
    return np.column_stack([z**2, p])


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
