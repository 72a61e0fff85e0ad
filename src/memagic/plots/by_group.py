"""Observed against fitted means of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from memagic.plots.style import accent, axes_or_new, muted, plain
from memagic.postestimation.group_fit import GroupFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_fit_by_group"]

_LARGEST_AREA = 90.0
_LEAST_AREA = 8.0


def draw_fit_by_group(found: GroupFit, ax: Axes | None) -> Axes:
    """Draw a point for each group, its area by the group's size, and the line of equality."""
    ax = axes_or_new(ax, 5.2, 5.0)
    both = np.concatenate([found.observed, found.fitted])
    low, high = float(both.min()), float(both.max())
    margin = 0.05 * (high - low) or 0.5
    ends = (low - margin, high + margin)
    ax.plot(ends, ends, color=muted(), linewidth=1.0, zorder=0)
    area = np.maximum(_LARGEST_AREA * found.sizes / found.sizes.max(), _LEAST_AREA)
    ax.scatter(found.fitted, found.observed, s=area, color=accent(), alpha=0.65, linewidths=0.0)
    ax.set_xlim(*ends)
    ax.set_ylim(*ends)
    ax.set_aspect("equal", adjustable="box")
    ax.set_xlabel(f"Fitted {found.quantity}")
    ax.set_ylabel(f"Observed {found.quantity}")
    title = f"{len(found.sizes):,} groups of {found.name}"
    if found.sizes.min() < found.sizes.max():
        title += "; area by number of observations"
    ax.set_title(title, loc="left", fontsize="medium")
    plain(ax)
    return ax
