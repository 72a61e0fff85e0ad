"""Margins with their confidence limits: `marginsplot`.

Source: [R] marginsplot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from memagic.plots.style import axes_or_new, line_colors, muted, plain
from memagic.postestimation.margins_dimensions import Dimension, Layout, dimensions, layout
from memagic.postestimation.margins_result import Margins

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Drawn: TypeAlias = "Axes | tuple[Axes, ...]"
Shape = Literal["connected", "line", "scatter", "bar"]
IntervalShape = Literal["rcap", "rspike", "rarea", "rline"]

__all__ = ["Drawn", "IntervalShape", "Look", "Shape", "draw_margins", "draw_panels", "identified_by"]

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
_FEW_TICKS = 12
_PANELS_ACROSS = 3


def identified_by(found: Margins) -> str:
    """The line that names the variables of the figure."""
    names = " ".join(one.name for one in dimensions(found))
    return f"Variables that uniquely identify margins: {names}".rstrip()


@dataclass(frozen=True, slots=True)
class Look:
    """How margins are drawn.

    Attributes
    ----------
    shape : {"connected", "line", "scatter", "bar"}
    interval_shape : {"rcap", "rspike", "rarea", "rline"}
    intervals : bool
        Whether confidence limits are drawn.
    horizontal : bool
        Values on the vertical axis, margins on the horizontal one.
    level : float or None
        Of the limits, in percent; None for that of the margins.
    all_x_labels : bool
        A tick at every value of the axis, however many there are.
    labels : bool
        Whether levels are shown by their labels; else by their numbers.
    title : str or None
        None for what the margins are.
    """

    shape: Shape = "connected"
    interval_shape: IntervalShape = "rcap"
    intervals: bool = True
    horizontal: bool = False
    level: float | None = None
    all_x_labels: bool = False
    labels: bool = True
    title: str | None = None


def draw_margins(
    found: Margins,
    ax: Axes | None = None,
    *,
    xdimension: str | None = None,
    plotdimension: Sequence[str] = (),
    look: Look | None = None,
) -> Axes:
    """Draw margins, by default as connected points with capped intervals.

    Parameters
    ----------
    found : Margins
    ax : Axes, optional
        Those of a new figure by default.
    xdimension : str, optional
        The variable of the axis; by default one of at(), else the first of the marginlist.
    plotdimension : sequence of str
        Variables that tell lines apart, in this order; those that are not named follow.
    look : Look, optional

    Raises
    ------
    CommandError
        No such dimension, r(198).
    """
    look = Look() if look is None else look
    place = layout(_shown(found, look), xdimension, plotdimension)
    ax = axes_or_new(ax, 6.4, 4.4)
    _panel(ax, found, place, np.arange(len(found.b)), look)
    ax.set_title(_title(found, look), loc="left", fontsize="medium")
    return ax


def draw_panels(
    found: Margins,
    bydimension: Sequence[str],
    *,
    xdimension: str | None = None,
    plotdimension: Sequence[str] = (),
    look: Look | None = None,
) -> tuple[Axes, ...]:
    """Draw margins in one panel for each value of some variables, in a new figure.

    Parameters
    ----------
    found : Margins
    bydimension : sequence of str
    xdimension, plotdimension, look
        As of `draw_margins`.

    Raises
    ------
    CommandError
        No such dimension, or one in two places, r(198).
    """
    look = Look() if look is None else look
    place = layout(_shown(found, look), xdimension, plotdimension, bydimension)
    panels = _lines(place.panels, np.arange(len(found.b)))
    across = min(len(panels), _PANELS_ACROSS)
    down = -(-len(panels) // across)
    first = axes_or_new(None, 3.6 * across + 0.8, 3.4 * down + 0.6)
    figure = first.figure
    first.remove()
    shared: dict[str, Any] = {"sharex": True, "sharey": True, "squeeze": False}
    grid = list(figure.subplots(down, across, **shared).flat)
    for ax, (word, members) in zip(grid, panels, strict=False):
        _panel(ax, found, place, members, look)
        ax.set_title(word, loc="left", fontsize="medium")
        ax.label_outer()
    for ax in grid[len(panels) :]:
        ax.remove()
    figure.suptitle(_title(found, look), x=0.01, ha="left", fontsize="medium")
    return tuple(grid[: len(panels)])


def _shown(found: Margins, look: Look) -> tuple[Dimension, ...]:
    """The variables, without their labels where these are not asked for."""
    known = dimensions(found)
    if look.labels:
        return known
    return tuple(replace(one, labels={}) if one.name != "_predict" else one for one in known)


def _panel(ax: Axes, found: Margins, place: Layout, among: Index, look: Look) -> None:
    """All lines of some margins."""
    x = place.x
    at = np.zeros(len(found.b)) if x is None else _places(x)
    lines = _lines(place.lines, among)
    colors = line_colors(len(lines))
    share = _SHARE_OF_WORDS if _worded(x) else _SHARE_OF_NUMBERS
    spacing = _spacing(at)
    wide = 0.0
    if look.shape == "bar":
        wide = 0.8 * spacing / len(lines)
        share = 0.8 * (len(lines) - 1) / len(lines)
    for k, (label, members) in enumerate(lines):
        order = members[np.argsort(at[members], kind="stable")]
        # Intervals of several lines would cover each other.
        shift = 0.0 if len(lines) == 1 else spacing * share * (k / (len(lines) - 1) - 0.5)
        joined = x is not None and x.name != "_deriv"
        _line(ax, at[order] + shift, found.b[order], label, colors[k], look, joined, wide)
        if look.intervals:
            lower, upper = _limits(found, look)
            _intervals(ax, at[order] + shift, found.b[order], lower[order], upper[order], colors[k], look)
    _words(ax, found, x, at, look)
    if len(lines) > 1:
        title = ", ".join(one.name for one in place.lines)
        outside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)}
        options: dict[str, Any] = {
            "frameon": False,
            "fontsize": "small",
            "title": title,
            "title_fontsize": "small",
        }
        ax.legend(**options, **(outside if len(lines) > _FEW_LINES else {}))
    plain(ax)


def _limits(found: Margins, look: Look) -> tuple[Array, Array]:
    if look.level is None:
        return found.lower, found.upper
    half = found.uncertainty.critical(look.level) * found.se
    return found.b - half, found.b + half


def _line(
    ax: Axes, place: Array, value: Array, label: str, color: str, look: Look, joined: bool, wide: float
) -> None:
    """The margins of one line."""
    named = label or None
    if look.shape == "bar":
        bars: dict[str, Any] = {"color": color, "alpha": 0.75, "label": named}
        if look.horizontal:
            ax.barh(place, value, wide, **bars)
        else:
            ax.bar(place, value, wide, **bars)
        return
    style: dict[str, Any] = {
        "color": color,
        "marker": "" if look.shape == "line" else "o",
        "markersize": 4.5,
        "linestyle": "" if look.shape == "scatter" or (look.shape == "connected" and not joined) else "-",
        "linewidth": 1.5,
    }
    ax.plot(*((value, place) if look.horizontal else (place, value)), label=named, **style)


def _intervals(
    ax: Axes, place: Array, value: Array, lower: Array, upper: Array, color: str, look: Look
) -> None:
    """The confidence limits of one line."""
    if look.interval_shape == "rarea":
        band: dict[str, Any] = {"color": color, "alpha": 0.2, "linewidth": 0.0}
        if look.horizontal:
            ax.fill_betweenx(place, lower, upper, **band)
        else:
            ax.fill_between(place, lower, upper, **band)
        return
    if look.interval_shape == "rline":
        for limit in (lower, upper):
            pair = (limit, place) if look.horizontal else (place, limit)
            ax.plot(*pair, color=color, linewidth=1.0, linestyle="--")
        return
    half = np.array([value - lower, upper - value])
    bars: dict[str, Any] = {
        "fmt": "none",
        # On a bar of the line's own colour the limits would not be seen.
        "ecolor": muted() if look.shape == "bar" else color,
        "elinewidth": 1.2,
        "capsize": 3.0 if look.interval_shape == "rcap" else 0.0,
    }
    if look.horizontal:
        ax.errorbar(value, place, xerr=half, **bars)
    else:
        ax.errorbar(place, value, yerr=half, **bars)


def _title(found: Margins, look: Look) -> str:
    if look.title is not None:
        return look.title
    level = found.level if look.level is None else look.level
    return f"{found.title} with {level:g}% CIs" if look.intervals else found.title


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


def _lines(others: tuple[Dimension, ...], among: Index) -> list[tuple[str, Index]]:
    """The label and the margins of every line, or of every panel."""
    if not others:
        return [("", among)]
    found = []
    for chosen in product(*(one.distinct for one in others)):
        inside = [k for k in among if all(one.values[k] == v for one, v in zip(others, chosen, strict=True))]
        if inside:
            label = ", ".join(one.word(value) for one, value in zip(others, chosen, strict=True))
            found.append((label, np.array(inside)))
    return found


def _words(ax: Axes, found: Margins, x: Dimension | None, at: Array, look: Look) -> None:
    """Labels of the axes, and ticks at the values."""
    what = found.predictions[0].split(", predict(")[0] if len(found.predictions) == 1 else "Probability"
    if found.derivative:
        what = f"{_TITLES[found.derivative]} {what[0].lower()}{what[1:]}"
    name = "" if x is None else {"_deriv": "", "_at": "at"}.get(x.name, x.name)
    ticks = np.unique(at)
    words = [""]
    if x is not None:
        by_place = {place: x.word(value) for place, value in zip(at, x.values, strict=True)}
        words = [by_place[place] for place in ticks]
    if _worded(x) or look.all_x_labels or len(ticks) <= _FEW_TICKS:
        (ax.set_yticks if look.horizontal else ax.set_xticks)(list(ticks), words)
    if look.horizontal:
        if _worded(x) and not ax.yaxis_inverted():
            # Read from the top, as the table is.
            ax.invert_yaxis()
        ax.set_xlabel(what)
        ax.set_ylabel(name)
    else:
        ax.set_ylabel(what)
        ax.set_xlabel(name)
    if found.derivative:
        (ax.axvline if look.horizontal else ax.axhline)(0.0, color=muted(), linewidth=1.0, linestyle=":")
