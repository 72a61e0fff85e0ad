"""`estat icc`: correlations of latent responses within groups.

Source: [ME] estat icc, Methods and formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import g
from memagic.display.grid_table import GridRow, GridTable
from memagic.errors import CommandError
from memagic.postestimation.components import effects_of, is_crossed, residual_position
from memagic.postestimation.shown import Shown
from memagic.results.display_options import check_level
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]

__all__ = ["NOT_VALID", "IntraclassCorrelations", "icc"]

NOT_VALID = "requested action not valid after most recent estimation command"

# Variance of the latent response's residual by family and link; None where there is no such response.
_LATENT: dict[tuple[str, str], float | None] = {
    ("bernoulli", "logit"): np.pi**2 / 3.0,
    ("binomial", "logit"): np.pi**2 / 3.0,
    ("ordinal", "logit"): np.pi**2 / 3.0,
    ("bernoulli", "probit"): 1.0,
    ("binomial", "probit"): 1.0,
    ("ordinal", "probit"): 1.0,
    ("bernoulli", "cloglog"): np.pi**2 / 6.0,
    ("binomial", "cloglog"): np.pi**2 / 6.0,
    ("ordinal", "cloglog"): None,
    ("gamma", "log"): None,
    # The response itself has the residual, whose variance is a parameter.
    ("gaussian", "identity"): None,
    ("gaussian", "log"): None,
    ("nbinomial", "log"): None,
    ("poisson", "log"): None,
}
# A logit whose exponential is still a number.
_FAR = 700.0
_SLOPES = "Note: ICC is conditional on zero values of random-effects covariates."


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class IntraclassCorrelations(Shown):
    """Intraclass correlations of G levels, the highest first.

    Attributes
    ----------
    labels : tuple of str
        ``region``, ``state|region``.
    icc, se : ndarray, shape (G,)
        Standard errors by the delta method.
    limits : ndarray, shape (G, 2)
        Made on the logit scale; nan at the boundary.
    level : float
        Confidence level in percent.
    conditional : bool
        Whether there are random coefficients, whose covariates are zero here.
    """

    labels: tuple[str, ...]
    icc: Array
    se: Array
    limits: Array
    level: float
    conditional: bool

    @property
    def r(self) -> dict[str, Any]:
        """Stored results: icc2, se2, ci2 and label2 are of the lowest groups."""
        found: dict[str, Any] = {"level": self.level}
        for k in range(len(self.labels)):
            number = len(self.labels) + 1 - k
            found |= {
                f"icc{number}": float(self.icc[k]),
                f"se{number}": float(self.se[k]),
                f"ci{number}": self.limits[k : k + 1].copy(),
                f"label{number}": self.labels[k],
            }
        return found

    def grid(self) -> GridTable:
        """One row a level."""
        title = f"{'Conditional' if self.conditional else 'Residual'} intraclass correlation"
        heads = ("ICC", "Std. err.", f"[{g(self.level)}% conf.", "interval]")
        rows = tuple(
            GridRow(label, tuple(g(float(value)) for value in (icc, se, *limits)))
            for label, icc, se, limits in zip(self.labels, self.icc, self.se, self.limits, strict=True)
        )
        return GridTable(title, heads, rows, (_SLOPES,) if self.conditional else ())


def icc(estimates: Estimates, level: float = 95.0) -> IntraclassCorrelations:
    """Intraclass correlations of every level: its variance and those of the levels above, of the total.

    Parameters
    ----------
    estimates : Estimates
    level : float
        Confidence level in percent.

    Raises
    ------
    CommandError
        The response has no latent residual variance, there are crossed effects or no random
        intercepts, r(321); the level is out of range, r(198).
    """
    check_level(level)
    kind = estimates.kind
    residual = residual_position(estimates) if kind.link == "identity" else None
    constant = _LATENT[kind.family, kind.link]
    if residual is None and constant is None:
        hint = "intraclass correlations are of linear, logit, probit and complementary log-log models"
        raise CommandError(321, NOT_VALID, hint=hint)
    if is_crossed(estimates):
        raise CommandError(321, NOT_VALID, hint="the model has crossed random effects")
    effects = effects_of(estimates)
    intercepts = [effect for effect in effects if effect.name == "_cons"]
    if not intercepts:
        raise CommandError(321, NOT_VALID, hint="the model has no random intercepts")
    # A variance at zero has no logit either, however little of it is left.
    b = np.where([parameter.at_zero for parameter in estimates.parameters], 0.0, estimates.b)
    v = estimates.v
    parts = [effect.position for effect in intercepts] + ([] if residual is None else [residual])
    total = float(b[parts].sum()) + (constant or 0.0)
    labels, values, errors = [], [], []
    for number, design in enumerate(estimates.design.levels):
        above = [effect.position for effect in intercepts if effect.level <= number]
        share = float(b[above].sum()) / total
        gradient = np.zeros(len(b))
        np.add.at(gradient, above, 1.0 / total)
        np.add.at(gradient, parts, -share / total)
        labels.append("|".join(reversed(design.grouping.path.split(">"))))
        values.append(share)
        errors.append(float(np.sqrt(max(float(gradient @ v @ gradient), 0.0))))
    shares, se = np.array(values), np.array(errors)
    return IntraclassCorrelations(
        labels=tuple(labels),
        icc=shares,
        se=se,
        limits=_limits(shares, se, estimates.uncertainty.critical(level)),
        level=level,
        conditional=len(intercepts) < len(effects),
    )


def _limits(share: Array, se: Array, z: float) -> Array:
    """On the logit scale, carried back."""
    inside = (share > 0.0) & (share < 1.0) & (se > 0.0)
    r = np.where(inside, share, 0.5)
    logit, spread = np.log(r / (1.0 - r)), z * se / (r * (1.0 - r))
    ends = np.column_stack([logit - spread, logit + spread])
    limits = 1.0 / (1.0 + np.exp(-np.clip(ends, -_FAR, _FAR)))
    return np.where(inside[:, None], limits, np.nan)
