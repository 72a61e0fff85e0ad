"""`estat vce`: the covariance or correlation of the estimators.

Source: [R] estat vce.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import f, g
from memagic.display.grid_table import GridRow, GridTable
from memagic.postestimation.shown import Shown
from memagic.results.estimates import Estimates

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

__all__ = ["EstimatorMatrix", "estimator_matrix"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class EstimatorMatrix(Shown):
    """A matrix over the parameters.

    Attributes
    ----------
    names : tuple of str, length k
    matrix : ndarray, shape (k, k)
    correlation : bool
    command : str
    """

    names: tuple[str, ...]
    matrix: Array
    correlation: bool
    command: str

    @property
    def r(self) -> dict[str, Any]:
        """Stored results: V, which is the correlation where that was asked for."""
        return {"V": self.frame()}

    def frame(self) -> pd.DataFrame:
        """The matrix with its names."""
        import pandas as pd

        return pd.DataFrame(self.matrix.copy(), index=list(self.names), columns=list(self.names))

    def grid(self) -> GridTable:
        """The lower triangle."""
        what = "Correlation" if self.correlation else "Covariance"
        shown = [name.removeprefix("/") for name in self.names]
        rows = []
        for j, name in enumerate(shown):
            cells = [f(x, 7, 4) if self.correlation else g(x, 8) for x in self.matrix[j, : j + 1]]
            rows.append(GridRow(name, (*cells, *[""] * (len(shown) - j - 1))))
        heads = tuple(name.replace(",", ",\n").replace("[", "\n[") for name in shown)
        return GridTable(f"{what} matrix of coefficients of {self.command} model", heads, tuple(rows))


def estimator_matrix(estimates: Estimates, *, correlation: bool = False) -> EstimatorMatrix:
    """`e(V)`, or the correlations in it; nan for parameters without a variance."""
    v = estimates.v
    if correlation:
        se = np.where(estimates.se > 0.0, estimates.se, np.nan)
        v = v / np.outer(se, se)
    names = tuple(parameter.name for parameter in estimates.parameters)
    return EstimatorMatrix(names, v, correlation, estimates.command.name)
