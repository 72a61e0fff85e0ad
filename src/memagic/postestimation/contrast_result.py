"""What `contrast` and `pwcompare` show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import f
from memagic.display.grid_table import GridRow, GridTable, grid_html, grid_text
from memagic.display.html import to_html
from memagic.display.report import Block, CoefficientTable, Report, Row
from memagic.display.text import to_text
from memagic.postestimation.shown import Shown, estimate_row
from memagic.results.distributions import Adjustment

Array = NDArray[np.float64]
Columns = Literal["cieffects", "pveffects", "effects"]

__all__ = ["Columns", "Comparisons", "ContrastResult", "JointTest"]

_WORDS: dict[Adjustment, str] = {
    "noadjust": "Unadjusted",
    "bonferroni": "Bonferroni",
    "sidak": "Sidak",
    "scheffe": "Scheffe",
}


@dataclass(frozen=True, slots=True)
class JointTest:
    """A joint test of the contrasts of a term; F under a survey design, where `df_r` is finite."""

    term: str
    df: int
    statistic: float
    df_r: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """Differences of marginal linear predictions.

    Attributes
    ----------
    terms : tuple of str, length c
        The term that each belongs to.
    labels : tuple of str, length c
        ``1 vs 0``.
    rows : ndarray, shape (c, k)
        Their coefficients in e(b).
    estimable : ndarray of bool, shape (c,)
    b, se, z, p, lower, upper : ndarray, shape (c,)
        nan where a difference is not estimable.
    """

    terms: tuple[str, ...]
    labels: tuple[str, ...]
    rows: Array
    estimable: NDArray[np.bool_]
    b: Array
    se: Array
    z: Array
    p: Array
    lower: Array
    upper: Array


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ContrastResult(Shown):
    """What `contrast` or `pwcompare` shows.

    Attributes
    ----------
    title : str
    tests : tuple of JointTest
        None for pwcompare.
    comparisons : Comparisons
        Empty for joint tests alone.
    counts : tuple of (str, int)
        By term, how many comparisons p-values and limits are adjusted for.
    adjustment : str
    columns : {"cieffects", "pveffects", "effects"}
    level : float
    statistic : {"z", "t"}
    depvar : str
    v : ndarray, shape (c, c)
        Covariance of the comparisons.
    lead : tuple of str
        The lines below the title.
    head, head_of_se : str
        Of the columns of comparisons and of their standard errors.
    """

    title: str
    tests: tuple[JointTest, ...]
    comparisons: Comparisons
    counts: tuple[tuple[str, int], ...]
    adjustment: Adjustment
    columns: Columns
    level: float
    statistic: Literal["z", "t"]
    depvar: str
    v: Array
    lead: tuple[str, ...] = ("Margins: asbalanced",)
    head: str = "Contrast"
    head_of_se: str = "Std. err."

    @property
    def r(self) -> dict[str, Any]:
        """`r()`: b and V of the comparisons, chi2 or F with df and p of the joint tests, level, mcmethod."""
        import pandas as pd

        found: dict[str, Any] = {"level": self.level, "mcmethod": self.adjustment}
        names = [
            f"{t}: {label}" for t, label in zip(self.comparisons.terms, self.comparisons.labels, strict=True)
        ]
        if names:
            found["b"] = pd.DataFrame([self.comparisons.b], index=["r1"], columns=names)
            found["V"] = pd.DataFrame(self.v, index=names, columns=names)
        if self.tests:
            terms = [test.term for test in self.tests]
            name = "chi2" if np.isnan(self.tests[0].df_r) else "F"
            found[name] = pd.Series([test.statistic for test in self.tests], index=terms)
            found["df"] = pd.Series([test.df for test in self.tests], index=terms)
            found["p"] = pd.Series([test.p for test in self.tests], index=terms)
        return found

    def grid(self) -> GridTable:
        """The joint tests; for pairwise comparisons, how many there are by term."""
        if not self.tests:
            rows = [GridRow(term, (str(n),)) for term, n in self.counts]
            heads = ("Number of\ncomparisons",)
            return GridTable(self.title, heads, (*self._head(), *rows), self.lead)
        name = "chi2" if np.isnan(self.tests[0].df_r) else "F"
        rows = [
            GridRow(test.term, (str(test.df), f(test.statistic, 9, 2), f(test.p, 6, 4)))
            for test in self.tests
        ]
        return GridTable(self.title, ("df", name, f"P>{name}"), (*self._head(), *rows), self.lead)

    def _head(self) -> tuple[GridRow, ...]:
        return (GridRow(self.depvar, heading=True),) if self.depvar else ()

    def _table(self) -> CoefficientTable:
        found = self.comparisons
        rows: list[Row] = []
        for k, label in enumerate(found.labels):
            if k == 0 or found.terms[k] != found.terms[k - 1]:
                rows.append(Row("heading", found.terms[k]))
            if not found.estimable[k]:
                rows.append(Row("state", label, note="(not estimable)", indented=True, b=float("nan")))
                continue
            numbers = (found.b, found.se, found.z, found.p, found.lower, found.upper)
            rows.append(estimate_row(label, numbers, k, indented=True))
        pairwise = not self.tests
        return CoefficientTable(
            self.depvar,
            self.head,
            self.head_of_se,
            self.statistic,
            self.level,
            (Block(tuple(rows)),),
            intervals=self.columns != "pveffects",
            p_values=self.columns != "cieffects",
            adjustment=_WORDS[self.adjustment] if pairwise or self.adjustment != "noadjust" else "",
        )

    def to_text(self) -> str:
        """The manual's text."""
        lines = [self.title, "", *self.lead, ""]
        if self.tests or self.adjustment != "noadjust":
            # The table alone: its title and note stand above.
            lines += [grid_text(replace(self.grid(), title="", notes=())).strip("\n"), ""]
        if self.comparisons.labels:
            lines.append(to_text(Report(table=self._table())))
        return "\n".join(lines).rstrip()

    def to_html(self) -> str:
        """One HTML fragment."""
        parts = []
        if self.tests or self.adjustment != "noadjust":
            parts.append(grid_html(self.grid()))
        if self.comparisons.labels:
            table = self._table()
            alone = Report(title=self.title, notes_before=self.lead, table=table)
            parts.append(to_html(Report(table=table) if parts else alone))
        return "\n".join(parts)
