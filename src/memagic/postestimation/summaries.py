"""`estat summarize` and `estat group`: the estimation sample's variables and groups.

Source: [R] estat summarize; [ME] estat group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import count, f, g
from memagic.display.grid_table import GridRow, GridTable
from memagic.errors import CommandError
from memagic.postestimation.icc import NOT_VALID
from memagic.postestimation.shown import Shown
from memagic.results.estimates import Estimates

if TYPE_CHECKING:
    import pandas as pd

    from memagic.results.uncertainty import GroupCounts

Array = NDArray[np.float64]

__all__ = ["GroupTable", "SampleSummary", "group_table", "sample_summary"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SampleSummary(Shown):
    """Mean, standard deviation, minimum and maximum of the variables of a model.

    Attributes
    ----------
    command : str
    n : int
        Observations.
    names : tuple of str, length c
        The response, then the columns of the fixed-effects equation.
    stats : ndarray, shape (c, 4)
    """

    command: str
    n: int
    names: tuple[str, ...]
    stats: Array

    @property
    def r(self) -> dict[str, Any]:
        """Stored results: N and stats."""
        return {"N": self.n, "stats": self.frame()}

    def frame(self) -> pd.DataFrame:
        """One row a variable."""
        import pandas as pd

        return pd.DataFrame(self.stats.copy(), index=list(self.names), columns=["mean", "sd", "min", "max"])

    def grid(self) -> GridTable:
        """One row a variable."""
        rows = [
            GridRow(name, tuple(g(float(value)) for value in row), ruled=k == 1)
            for k, (name, row) in enumerate(zip(self.names, self.stats, strict=True))
        ]
        title = f"Estimation sample {self.command}; number of obs = {count(self.n)}"
        return GridTable(title, ("Mean", "Std. dev.", "Min", "Max"), tuple(rows))


def sample_summary(estimates: Estimates) -> SampleSummary:
    """Summarize the estimation sample, with the weights of the estimation."""
    design = estimates.design
    columns = [column for column in design.fixed if column.state == "estimated"]
    kept = [k for k, column in enumerate(columns) if column.factors]
    values = np.column_stack([design.y, design.x[:, kept]])
    weight = estimates.problem.overall_weight
    weight = np.ones(len(values)) if weight is None else weight
    frequencies = design.weights is not None and design.weights.kind == "fweight"
    n = float(weight.sum()) if frequencies else float(len(values))
    mean = weight @ values / weight.sum()
    square = weight @ (values - mean) ** 2 / weight.sum()
    sd = np.sqrt(square * n / (n - 1.0)) if n > 1.0 else np.full(len(mean), np.nan)
    used = values[weight > 0.0]
    stats = np.column_stack([mean, sd, used.min(axis=0), used.max(axis=0)])
    names = (estimates.command.depvar.name, *(columns[k].name for k in kept))
    return SampleSummary(estimates.command.name, estimates.n_obs, names, stats)


@dataclass(frozen=True, slots=True, repr=False)
class GroupTable(Shown):
    """The groups of every level, as the header of the estimates has them.

    Attributes
    ----------
    names : tuple of str
        Highest level first.
    counts : tuple of GroupCounts
    """

    names: tuple[str, ...]
    counts: tuple[GroupCounts, ...]

    @property
    def r(self) -> dict[str, Any]:
        """Stored results: N_g, g_min, g_avg and g_max, one column a level."""
        return {
            "N_g": np.array([[c.n for c in self.counts]]),
            "g_min": np.array([[c.minimum for c in self.counts]]),
            "g_avg": np.array([[c.average for c in self.counts]]),
            "g_max": np.array([[c.maximum for c in self.counts]]),
        }

    def grid(self) -> GridTable:
        """One row a level."""
        rows = tuple(
            GridRow(name, (count(c.n), count(c.minimum), f(c.average, 11, 1, commas=True), count(c.maximum)))
            for name, c in zip(self.names, self.counts, strict=True)
        )
        heads = ("No. of\ngroups", "Group size:\nminimum", "average", "maximum")
        return GridTable("Grouping information", heads, rows)


def group_table(estimates: Estimates) -> GroupTable:
    """The table of groups.

    Raises
    ------
    CommandError
        The model has no groups, r(321).
    """
    if not estimates.design.levels:
        raise CommandError(321, NOT_VALID, hint="the model has no groups")
    names = tuple(level.grouping.name for level in estimates.design.levels)
    return GroupTable(names, estimates.group_counts)
