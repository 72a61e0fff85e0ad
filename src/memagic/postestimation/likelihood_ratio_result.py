"""What `lrtest` shows: a likelihood-ratio test, by every distribution asked for.

Source: [R] lrtest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import f, g
from memagic.display.grid_table import GridRow, GridTable, grid_text
from memagic.display.text import LINE_WIDTH
from memagic.postestimation.shown import Shown

Array = NDArray[np.float64]

__all__ = ["Bootstrapped", "LikelihoodRatio", "Mixture"]

_BOUNDARY = (
    "Note: The reported degrees of freedom assumes the null hypothesis is not on the boundary of the"
    " parameter space. If this is not true, then the reported test is conservative."
)


@dataclass(frozen=True, slots=True)
class Mixture:
    """A mixture of chi2 distributions.

    Attributes
    ----------
    weights : tuple of (int, float)
        Degrees of freedom and weight.
    reason : str
        Which parameters of the larger model are on the boundary.
    p : float
    """

    weights: tuple[tuple[int, float], ...]
    reason: str
    p: float

    @property
    def words(self) -> str:
        """``0.5 chi2(0) + 0.5 chi2(1)``."""
        return " + ".join(f"{weight:.3g} chi2({df})" for df, weight in self.weights)


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrapped:
    """A parametric bootstrap of the statistic under the smaller model.

    Attributes
    ----------
    statistics : ndarray, shape (r,)
        Of the replications that could be fitted, in their order.
    asked, done, failed : int
        Replications asked for, carried out, and without a result.
    seed : int
    p : float
        (1 + those as large as the statistic) / (1 + r).
    """

    statistics: Array
    asked: int
    done: int
    failed: int
    seed: int
    p: float


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LikelihoodRatio(Shown):
    """A likelihood-ratio test.

    Attributes
    ----------
    smaller, larger : str
        Names of the results.
    chi2 : float
    df : int
    p : float
    boundary : bool
        Whether the larger model has variances that the smaller one does not.
    mixture : Mixture or None
    bootstrap : Bootstrapped or None
    models : tuple of (str, int, float, float, int)
        Name, observations, log likelihood without random effects, log likelihood and degrees of
        freedom of the models, for option stats.
    at_zero : tuple of str
        Variances of the larger model alone that are estimated at zero, which `df` does not count.
    stats : bool
    directory : tuple of (str, str, str, int)
        Name, command, dependent variable and number of parameters, for option dir; empty without.
    """

    smaller: str
    larger: str
    chi2: float
    df: int
    p: float
    boundary: bool
    models: tuple[tuple[str, int, float, float, int], ...]
    mixture: Mixture | None = None
    bootstrap: Bootstrapped | None = None
    at_zero: tuple[str, ...] = ()
    stats: bool = False
    directory: tuple[tuple[str, str, str, int], ...] = ()

    @property
    def r(self) -> dict[str, Any]:
        """`r()` of lrtest: p, df, chi2; also p_mixture, p_bootstrap and N_reps where these were asked for."""
        found: dict[str, Any] = {"p": self.p, "df": self.df, "chi2": self.chi2}
        if self.mixture is not None:
            found["p_mixture"] = self.mixture.p
        if self.bootstrap is not None:
            found |= {"p_bootstrap": self.bootstrap.p, "N_reps": len(self.bootstrap.statistics)}
        return found

    @property
    def _assumption(self) -> str:
        return f"Assumption: {self.smaller} nested within {self.larger}"

    def _notes(self) -> list[str]:
        notes = []
        if self.chi2 < 0.0:
            notes.append(
                "Note: The log likelihood of the larger model is the lower one: the models are not nested, or"
                " one of them did not reach its maximum."
            )
        if self.at_zero:
            verb = "is" if len(self.at_zero) == 1 else "are"
            shown = " and ".join(self.at_zero)
            notes.append(
                f"Note: {shown} {verb} estimated at zero, the boundary of the range, and {verb} not counted"
                " among the degrees of freedom."
            )
        if self.boundary and self.df and self.mixture is None and self.bootstrap is None:
            notes.append(_BOUNDARY)
        if self.mixture is not None:
            notes.append(f"Mixture: {self.mixture.words}, as {self.mixture.reason}.")
        if self.bootstrap is not None:
            notes.append(self._bootstrap_note(self.bootstrap))
        return notes

    def _bootstrap_note(self, found: Bootstrapped) -> str:
        size = len(found.statistics)
        words = f"Bootstrap: {size:,} statistics simulated under {self.smaller}, seed {found.seed}"
        if found.failed:
            words += f"; {found.failed:,} replications could not be fitted"
        if found.done < found.asked:
            words += f"; interrupted after {found.done:,} of {found.asked:,}"
        return words + "."

    def grid(self) -> GridTable:
        """The test, by every distribution asked for."""
        lead = (f(self.chi2, 9, 2),)
        rows = [GridRow("chi2", (*lead, str(self.df), f(self.p, 6, 4)))]
        if self.mixture is not None:
            dfs = ", ".join(str(df) for df, _ in self.mixture.weights)
            rows.append(GridRow("chi2 mixture", (*lead, dfs, f(self.mixture.p, 6, 4))))
        if self.bootstrap is not None:
            rows.append(GridRow("Bootstrap", (*lead, "", f(self.bootstrap.p, 6, 4))))
        heads = ("LR chi2", "df", "Prob > chi2")
        notes = (self._assumption, *self._notes())
        return GridTable("Likelihood-ratio test", heads, tuple(rows), notes)

    def to_text(self) -> str:
        """The manual's text."""
        pairs = [(f"LR chi2({self.df})", f(self.chi2, 8, 2)), ("Prob > chi2", f(self.p, 6, 4))]
        if self.mixture is not None:
            pairs.append(("Prob > chi2 mixture", f(self.mixture.p, 6, 4)))
        if self.bootstrap is not None:
            pairs.append(("Prob > chi2, bootstrap", f(self.bootstrap.p, 6, 4)))
        wide = max(len(label) for label, _ in pairs)
        size = max(len(value) for _, value in pairs)
        lines = ["Likelihood-ratio test", self._assumption, ""]
        lines += [f"{label:>{wide}} = {value:>{size}}" for label, value in pairs]
        for note in self._notes():
            lines += ["", *_wrapped(note)]
        if self.directory:
            rows = tuple(GridRow(name, (cmd, dep, str(k))) for name, cmd, dep, k in self.directory)
            heads = ("Command", "Dependent\nvariable", "Number of\nparam.")
            lines += ["", grid_text(GridTable("Models compared", heads, rows))]
        if self.stats:
            lines += ["", grid_text(self._criteria())]
        return "\n".join(lines)

    def to_html(self) -> str:
        """One HTML fragment."""
        from memagic.display.grid_table import grid_html

        parts = [grid_html(self.grid())]
        if self.stats:
            parts.append(grid_html(self._criteria()))
        return "\n".join(parts)

    def _criteria(self) -> GridTable:
        rows = tuple(
            GridRow(
                name,
                (
                    f"{n:,d}",
                    g(ll0, 9),
                    g(ll, 9),
                    str(df),
                    g(-2.0 * ll + 2.0 * df, 9),
                    g(-2.0 * ll + df * float(np.log(n)), 9),
                ),
            )
            for name, n, ll0, ll, df in self.models
        )
        heads = ("N", "ll(null)", "ll(model)", "df", "AIC", "BIC")
        note = "Note: BIC uses N = number of observations."
        return GridTable(
            "Akaike's information criterion and Bayesian information criterion", heads, rows, (note,)
        )


def _wrapped(note: str) -> list[str]:
    import textwrap

    indent = "      " if note.startswith("Note:") else ""
    return textwrap.wrap(note, LINE_WIDTH, subsequent_indent=indent, break_on_hyphens=False)
