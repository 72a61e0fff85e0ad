"""A profile log likelihood with its cutoff, next to what the standard error has it be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.plots.style import accent, axes_or_new, muted, plain
from memagic.postestimation.profile import Profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

__all__ = ["draw_profile"]

# Drops below the maximum that are shown, in units of that of the cutoff.
_DEPTH = 1.9
_FINE = 200


def draw_profile(found: Profile, ax: Axes | None) -> Axes:
    """Draw the log likelihood less its maximum."""
    ax = axes_or_new(ax, 6.4, 4.2)
    drop = found.log_likelihood - found.llf
    depth = found.llf - found.cutoff
    seen = np.isfinite(drop) & (drop > -2.5 * depth)
    values = found.values[seen]
    fine = np.linspace(values[0], values[-1], _FINE)
    shown = _smooth(fine, values, drop[seen], found.estimate)
    ax.plot(fine, shown, "-", color=accent(), linewidth=1.8, label="profile log likelihood")
    if np.isfinite(found.quadratic).any():
        quadratic = _smooth(fine, values, (found.quadratic - found.llf)[seen], found.estimate)
        kind = "quadratic in the log" if found.parameter.role in ("variance", "residual") else "quadratic"
        label = f"{kind}, by the standard error"
        ax.plot(fine, quadratic, "--", color=accent(1), linewidth=1.4, label=label)
    ax.axhline(-depth, color=muted(), linewidth=1.0, linestyle=":", label=f"{found.level:g}% cutoff")
    ax.plot([found.estimate], [0.0], "o", color=accent(), markersize=5.0)
    for limit in found.limits:
        if np.isfinite(limit) and limit > values.min():
            ax.plot([limit], [-depth], "|", color=accent(), markersize=14.0, markeredgewidth=1.6)
    ax.set_ylim(-_DEPTH * depth, 0.12 * depth)
    ax.set_xlabel(_words(found))
    ax.set_ylabel("Log likelihood less its maximum")
    low, high = (f"{limit:.4g}" if np.isfinite(limit) else "none" for limit in found.limits)
    ax.set_title(f"{found.level:g}% limits by the likelihood: {low} to {high}", loc="left", fontsize="medium")
    ax.legend(frameon=False, fontsize="small", loc="lower center")
    plain(ax)
    return ax


def _smooth(fine: Array, values: Array, drop: Array, estimate: float) -> Array:
    """The curve between its points: its signed root is nearly a straight line, and taken as one."""
    finite = np.isfinite(drop)
    root = np.sign(values - estimate) * np.sqrt(np.maximum(-2.0 * np.where(finite, drop, 0.0), 0.0))
    return np.asarray(-0.5 * np.interp(fine, values[finite], root[finite]) ** 2)


def _words(found: Profile) -> str:
    """``Variance of _cons, district``."""
    parameter = found.parameter
    if parameter.role in ("variance", "covariance"):
        inside = parameter.label.split("(", 1)[1].removesuffix(")").replace(",", " and ")
        inside = inside.replace("_cons", "the intercept")
        return f"{parameter.role.capitalize()} of {inside}, {parameter.group}"
    if parameter.role == "residual":
        return "Residual variance"
    return (
        f"Coefficient of {parameter.label}"
        if parameter.role == "coefficient"
        else parameter.label.lstrip("/")
    )
