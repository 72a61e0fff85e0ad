"""Margins with their confidence limits: `marginsplot`.

Source: [R] marginsplot.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from memagic.plots.style import axes_or_new, line_colors, muted, plain
from memagic.postestimation.margins_dimensions import Dimension, dimensions, x_dimension
from memagic.postestimation.margins_result import Margins

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Drawn: TypeAlias = "Axes"

__all__ = ["Drawn", "draw_margins", "identified_by"]

_TITLES = {
    "dydx": "Effects on",
    "eyex": "Elasticities of",
    "dyex": "Effects on",
    "eydx": "Relative effects on",
}
# Of the distance between two values, over which the lines' intervals are set apart: numbers stay near
# their place on the axis, words have room.
_SHARE_OF_NUMBERS, _SHARE_OF_WORDS = 0.06, 0.25
_FEW_LINES = 4


def identified_by(found: Margins) -> str:
    """The line that names the variables of the figure."""
    names = " ".join(one.name for one in dimensions(found))
    return f"Variables that uniquely identify margins: {names}".rstrip()


def draw_margins(
    found: Margins,
    ax: Axes | None = None,
    *,
    xdimension: str | None = None,
    intervals: bool = True,
    horizontal: bool = False,
) -> Axes:
    """Draw margins as connected points with capped intervals.

    Parameters
    ----------
    found : Margins
    ax : Axes, optional
        Those of a new figure by default.
    xdimension : str, optional
        The variable of the axis; by default one of at(), else the first of the marginlist.
    intervals : bool
        Whether confidence limits are drawn.
    horizontal : bool
        Values on the vertical axis, margins on the horizontal one.

    Raises
    ------
    CommandError
        No such dimension, r(198).
    """
    everything = dimensions(found)
    x = x_dimension(everything, xdimension)
    others = tuple(one for one in everything if one is not x)
    ax = axes_or_new(ax, 6.4, 4.4)
    at = np.zeros(len(found.b)) if x is None else _places(x)
    lines = _lines(others, len(found.b))
    colors = line_colors(len(lines))
    apart = _spacing(at) * (_SHARE_OF_WORDS if _worded(x) else _SHARE_OF_NUMBERS)
    for k, (label, members) in enumerate(lines):
        order = members[np.argsort(at[members], kind="stable")]
        # Intervals of several lines would cover each other.
        shift = 0.0 if len(lines) == 1 else apart * (k / (len(lines) - 1) - 0.5)
        place, value = at[order] + shift, found.b[order]
        joined = "-" if x is not None and x.name != "_deriv" else ""
        style: dict[str, Any] = {
            "color": colors[k],
            "marker": "o",
            "markersize": 4.5,
            "linestyle": joined,
            "linewidth": 1.5,
        }
        ax.plot(*((value, place) if horizontal else (place, value)), label=label or None, **style)
        if intervals:
            half = np.array([value - found.lower[order], found.upper[order] - value])
            bars: dict[str, Any] = {"fmt": "none", "ecolor": colors[k], "elinewidth": 1.2, "capsize": 3.0}
            if horizontal:
                ax.errorbar(value, place, xerr=half, **bars)
            else:
                ax.errorbar(place, value, yerr=half, **bars)
    _words(ax, found, x, at, horizontal, intervals)
    if len(lines) > 1:
        title = ", ".join(one.name for one in others)
        outside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)}
        options: dict[str, Any] = {
            "frameon": False,
            "fontsize": "small",
            "title": title,
            "title_fontsize": "small",
        }
        ax.legend(**options, **(outside if len(lines) > _FEW_LINES else {}))
    plain(ax)
    return ax


def _places(x: Dimension) -> Array:
    """Where the values stand: numbers without labels at themselves, others side by side."""
    if not _worded(x):
        return np.array([float(value) for value in x.values])
    order = {value: float(k) for k, value in enumerate(x.distinct)}
    return np.array([order[value] for value in x.values])


def _worded(x: Dimension | None) -> bool:
    """Whether the values are words, which stand side by side."""
    return x is None or any(isinstance(value, str) or value in x.labels for value in x.values)


def _spacing(at: Array) -> float:
    distinct = np.unique(at)
    return float(np.diff(distinct).min()) if len(distinct) > 1 else 1.0


def _lines(others: tuple[Dimension, ...], n: int) -> list[tuple[str, NDArray[np.intp]]]:
    """The label and the margins of every line."""
    if not others:
        return [("", np.arange(n))]
    found = []
    for chosen in product(*(one.distinct for one in others)):
        inside = [
            k for k in range(n) if all(one.values[k] == v for one, v in zip(others, chosen, strict=True))
        ]
        if inside:
            label = ", ".join(one.word(value) for one, value in zip(others, chosen, strict=True))
            found.append((label, np.array(inside)))
    return found


def _words(
    ax: Axes, found: Margins, x: Dimension | None, at: Array, horizontal: bool, intervals: bool
) -> None:
    """Labels of the axes, ticks at the values, and the title."""
    what = found.predictions[0].split(", predict(")[0] if len(found.predictions) == 1 else "Probability"
    if found.derivative:
        what = f"{_TITLES[found.derivative]} {what[0].lower()}{what[1:]}"
    name = "" if x is None else {"_deriv": "", "_at": "at"}.get(x.name, x.name)
    ticks = np.unique(at)
    words = [""]
    if x is not None:
        by_place = {place: x.word(value) for place, value in zip(at, x.values, strict=True)}
        words = [by_place[place] for place in ticks]
    if _worded(x) or len(ticks) <= 12:
        (ax.set_yticks if horizontal else ax.set_xticks)(list(ticks), words)
    if horizontal:
        if _worded(x):
            # Read from the top, as the table is.
            ax.invert_yaxis()
        ax.set_xlabel(what)
        ax.set_ylabel(name)
    else:
        ax.set_ylabel(what)
        ax.set_xlabel(name)
    if found.derivative:
        (ax.axvline if horizontal else ax.axhline)(0.0, color=muted(), linewidth=1.0, linestyle=":")
    limits = f" with {found.level:g}% CIs" if intervals else ""
    ax.set_title(f"{found.title}{limits}", loc="left", fontsize="medium")
