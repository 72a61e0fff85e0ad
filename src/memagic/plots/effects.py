"""The caterpillar of random effects: groups in the order of their effects, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError, closest
from memagic.plots.style import accent, axes_or_new, muted, plain
from memagic.postestimation.random_effects import GroupEffects

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Words", "draw_effects", "effect_column"]

_MOST_LABELS = 40
_SMALL = 12
# Points of height that the intervals of crowded figures may cover.
_ROOM = 300.0


@dataclass(frozen=True, slots=True)
class Words:
    """What a figure of effects says.

    Attributes
    ----------
    effect : str
        What the effect is: ``Random intercept (log odds)``.
    title : str
    """

    effect: str
    title: str


def draw_effects(groups: GroupEffects, column: int, critical: float, words: Words, ax: Axes | None) -> Axes:
    """Draw one effect of one level.

    Parameters
    ----------
    groups : GroupEffects
    column : int
        Which of its effects.
    critical : float
        Standard errors on either side.
    words : Words
    ax : Axes or None
    """
    order = np.argsort(groups.value[:, column], kind="stable")
    value, half = groups.value[order, column], critical * groups.se[order, column]
    n = len(value)
    crowded = n > _MOST_LABELS
    ax = axes_or_new(ax, 6.4, min(max(1.6 + 0.2 * n, 2.4), 8.0))
    rows = np.arange(n)
    apart = np.abs(value) > half
    ax.axvline(0.0, color=muted(), linewidth=1.0, zorder=0)
    # In points: less than a row's height, so that intervals of thousands of groups stay apart.
    width = min(max(_ROOM / n, 0.15), 0.8) if crowded else 1.4
    for marked, colour in ((~apart, muted()), (apart, accent())):
        low, high = (value - half)[marked], (value + half)[marked]
        ax.hlines(rows[marked], low, high, colors=[colour], linewidth=width)
    ax.plot(value, rows, "o", color=accent(), markersize=max(2.5 * width, 1.0) if crowded else 4.0)
    labels = groups.labels()
    shown = _thinned(n)
    ax.set_yticks(shown, [labels[order[k]] for k in shown])
    if n > _SMALL:
        ax.tick_params(axis="y", labelsize="small", length=2.0)
    ax.set_ylim(-0.8, n - 0.2)
    ax.margins(x=0.03)
    ax.set_ylabel(", ".join(key for key, _ in groups.keys))
    ax.set_xlabel(words.effect)
    ax.set_title(words.title, loc="left", fontsize="medium")
    plain(ax)
    return ax


def effect_column(effects: tuple[str, ...], effect: str | None) -> int:
    """The position of an effect: the intercept by default, or else the first.

    Raises
    ------
    CommandError
        No such effect, r(111).
    """
    if effect is None:
        return effects.index("_cons") if "_cons" in effects else 0
    if effect not in effects:
        hint = closest(effect, effects) or f"effects are {', '.join(effects)}"
        raise CommandError(111, f"random effect {effect} not found", hint=hint)
    return effects.index(effect)


def _thinned(n: int) -> NDArray[np.intp]:
    """Rows that are labelled: all of a few; of many, evenly spaced ones with the first and the last."""
    if n <= _MOST_LABELS:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, _MOST_LABELS // 2).round().astype(np.intp))
