"""`estat sd`: the random-effects parameters as standard deviations and correlations.

Source: [ME] estat sd.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import g
from memagic.display.grid_table import GridRow, GridTable
from memagic.errors import CommandError
from memagic.postestimation.components import component_positions
from memagic.postestimation.icc import NOT_VALID
from memagic.postestimation.shown import Shown
from memagic.results.display_options import check_level
from memagic.results.estimates import Estimates
from memagic.results.inference import confidence_limits

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

__all__ = ["Deviations", "deviations"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Deviations(Shown):
    """k parameters on the scale of standard deviations.

    Attributes
    ----------
    names : tuple of str, length k
        ``/sd(_cons[district])``, ``/corr(1.urban[district],_cons[district])``, or a parameter's own
        name where it is none of these.
    labels, groups : tuple of str, length k
        As a table shows them.
    b, se : ndarray, shape (k,)
    limits : ndarray, shape (k, 2)
        Roots of those of variances; of correlations by way of the inverse hyperbolic tangent.
    v : ndarray, shape (k, k)
        The covariance of the estimators.
    level : float
        Confidence level in percent.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    b: Array
    se: Array
    limits: Array
    v: Array
    level: float

    @property
    def r(self) -> dict[str, Any]:
        """Stored results: b, V and table."""
        import pandas as pd

        rows = np.vstack([self.b, self.se, self.limits.T])
        return {
            "b": pd.DataFrame([self.b], index=["y1"], columns=list(self.names)),
            "V": pd.DataFrame(self.v, index=list(self.names), columns=list(self.names)),
            "table": pd.DataFrame(rows, index=["b", "se", "ll", "ul"], columns=list(self.names)),
        }

    def frame(self) -> pd.DataFrame:
        """One row a parameter: estimate, standard error and limits."""
        table: pd.DataFrame = self.r["table"].T
        return table

    def grid(self) -> GridTable:
        """One row a parameter, under the name of its group."""
        heads = ("Estimate", "Std. err.", f"[{g(self.level)}% conf.", "interval]")
        rows: list[GridRow] = []
        last: str | None = None
        for k, label in enumerate(self.labels):
            if self.groups[k] != last and self.groups[k]:
                rows.append(GridRow(self.groups[k], heading=True, ruled=bool(rows)))
            cells = tuple(g(float(value)) for value in (self.b[k], self.se[k], *self.limits[k]))
            apart = bool(rows) and self.groups[k] != last and not self.groups[k]
            rows.append(GridRow(label, cells, indented=bool(self.groups[k]), ruled=apart))
            last = self.groups[k]
        return GridTable("Standard deviations and correlations of the random effects", heads, tuple(rows))


def deviations(estimates: Estimates, level: float = 95.0, *, verbose: bool = False) -> Deviations:
    """Standard deviations and correlations with standard errors by the delta method.

    Parameters
    ----------
    estimates : Estimates
    level : float
        Confidence level in percent.
    verbose : bool
        All parameters, those of the fixed-effects equation as they are.

    Raises
    ------
    CommandError
        The model has no variances, r(321); the level is out of range, r(198).
    """
    check_level(level)
    b, v = estimates.b, estimates.v
    parameters = estimates.parameters
    if not any(p.role in ("variance", "residual") for p in parameters):
        raise CommandError(321, NOT_VALID, hint="the model has no variances")
    z = estimates.uncertainty.critical(level)
    limits = confidence_limits(estimates, level)
    value, jacobian = b.copy(), np.eye(len(b))
    names, labels = [p.name for p in parameters], [p.label for p in parameters]
    pairs = _pairs(estimates)
    for k, parameter in enumerate(parameters):
        if parameter.role in ("variance", "residual"):
            value[k] = np.sqrt(max(b[k], 0.0))
            jacobian[k, k] = 0.5 / value[k] if value[k] > 0.0 else 0.0
            limits[k] = np.sqrt(limits[k])
            names[k], labels[k] = (text.replace("var(", "sd(", 1) for text in (names[k], labels[k]))
        elif parameter.role == "covariance":
            value[k], jacobian[k] = _correlation(b, k, *pairs[k])
            names[k], labels[k] = (text.replace("cov(", "corr(", 1) for text in (names[k], labels[k]))
    covariance = jacobian @ v @ jacobian.T
    se = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    for k in pairs:
        limits[k] = _correlation_limits(value[k], se[k], z)
    own = [p.role not in ("coefficient", "ancillary") for p in parameters]
    shown = np.flatnonzero(np.ones(len(b), dtype=bool) if verbose else np.array(own))
    return Deviations(
        names=tuple(names[k] for k in shown),
        labels=tuple(labels[k] for k in shown),
        groups=tuple(parameters[k].group for k in shown),
        b=value[shown],
        se=se[shown],
        limits=limits[shown],
        v=covariance[np.ix_(shown, shown)],
        level=level,
    )


def _pairs(estimates: Estimates) -> dict[int, tuple[int, int]]:
    """The positions of the two variances of every covariance."""
    structure = estimates.problem.structure
    if structure is None:
        return {}
    positions = [int(k) for k in component_positions(estimates)]
    variance = {r: k for (r, c), k in zip(structure.entries, positions, strict=True) if r == c}
    # Exchangeable effects have one variance, which is that of the column.
    return {
        k: (variance.get(r, variance[c]), variance[c])
        for (r, c), k in zip(structure.entries, positions, strict=True)
        if r != c
    }


def _correlation(b: Array, k: int, first: int, second: int) -> tuple[float, Array]:
    """A correlation and its gradient in `e(b)`; nan where a variance is zero."""
    gradient = np.zeros(len(b))
    product = b[first] * b[second]
    if product <= 0.0:
        return float("nan"), gradient
    rho = b[k] / np.sqrt(product)
    gradient[k] = 1.0 / np.sqrt(product)
    gradient[first] -= 0.5 * rho / b[first]
    gradient[second] -= 0.5 * rho / b[second]
    return float(rho), gradient


def _correlation_limits(rho: float, se: float, z: float) -> Array:
    if not abs(rho) < 1.0 or not se > 0.0:
        return np.full(2, np.nan)
    spread = z * se / (1.0 - rho * rho)
    return np.asarray(np.tanh(np.arctanh(rho) + np.array([-spread, spread])))
