"""Coefficients with their confidence intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from memagic.plots.style import accent, axes_or_new, muted, plain
from memagic.postestimation.coefficients import CoefficientIntervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_coefficients"]


def draw_coefficients(found: CoefficientIntervals, ax: Axes | None) -> Axes:
    """Draw a row for each coefficient, the first one on top; ratios on a log axis."""
    n = len(found.b)
    ax = axes_or_new(ax, 6.4, min(max(1.3 + 0.36 * n, 2.0), 14.0))
    rows = np.arange(n)
    ax.axvline(found.null, color=muted(), linewidth=1.0, zorder=0)
    known = np.isfinite(found.lower) & np.isfinite(found.upper)
    ax.hlines(rows[known], found.lower[known], found.upper[known], colors=[accent()], linewidth=1.8)
    ax.plot(found.b[known], rows[known], "o", color=accent(), markersize=6.0)
    # What constraints hold has no interval.
    ax.plot(found.b[~known], rows[~known], "o", color=accent(), markersize=6.0, fillstyle="none")
    ax.set_yticks(rows, found.labels)
    ax.set_ylim(n - 0.4, -0.6)
    if found.null:
        _log_axis(ax)
    scale = "log scale, " if found.null else ""
    ax.set_xlabel(f"{found.scale} ({scale}{found.level:g}% confidence interval)")
    ax.tick_params(axis="y", length=0.0)
    plain(ax)
    ax.spines["left"].set_visible(False)
    return ax


def _log_axis(ax: Axes) -> None:
    """A log axis whose ticks are plain numbers, whatever part of a decade it spans."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_xscale("log")
    low, high = ax.get_xlim()
    decades = np.log10(high / low)
    steps = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if decades < 1.0 else (1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)
    ax.xaxis.set_major_locator(LogLocator(subs=steps, numticks=12))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
