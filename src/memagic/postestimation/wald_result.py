"""What `test` and `testparm` show: a joint Wald test of hypotheses.

Source: [R] test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import f
from memagic.display.grid_table import GridRow, GridTable, grid_html, grid_text
from memagic.postestimation.shown import Shown

Array = NDArray[np.float64]
Multiple = Literal["", "noadjust", "bonferroni", "holm", "sidak"]

__all__ = ["Multiple", "WaldResult"]

_METHODS: dict[Multiple, str] = {
    "noadjust": "unadjusted p-values",
    "bonferroni": "Bonferroni-adjusted p-values",
    "holm": "Holm-adjusted p-values",
    "sidak": "Sidak-adjusted p-values",
}


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
