"""Pieces of inline SVG that are readable on any theme: text and rules have the page's own colour."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import count

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

__all__ = ["BLUE", "ORANGE", "Frame", "Scale", "figure", "ticks"]

# Both stand out from white and from black by three to one at least.
BLUE = "#3d82c4"
ORANGE = "#d9690f"

_NUMBERS = count()


class Scale:
    """Places for the values of an axis of a grid: equal steps between them, whatever their distance.

    Values between those of the grid are placed on the scale of logs where both neighbours are
    positive, else linearly; values beyond it at most half a step outside.

    Parameters
    ----------
    values : sequence of float
    """

    def __init__(self, values: Sequence[float]) -> None:
        self.values = tuple(sorted(set(values)))

    def place(self, value: float) -> float:
        """0 for the smallest value, 1 for the next, and so on."""
        values = self.values
        last = len(values) - 1
        if value >= values[last]:
            return min(last + self._beyond(value, values[last], values[max(last - 1, 0)]), last + 0.5)
        if value <= values[0]:
            return max(-self._beyond(value, values[0], values[min(1, last)]), -0.5)
        k = int(np.searchsorted(values, value, side="right")) - 1
        return k + _share(value, values[k], values[k + 1])

    @staticmethod
    def _beyond(value: float, end: float, neighbour: float) -> float:
        """How many steps a value lies outside of the end, as the last step measures it."""
        if value == end:
            return 0.0
        if value * end <= 0.0:
            return 0.5
        if neighbour * end > 0.0 and neighbour != end:
            return abs(float(np.log(value / end) / np.log(neighbour / end)))
        return abs(float(np.log10(value / end)))


def _share(value: float, low: float, high: float) -> float:
    if low > 0.0:
        return float(np.log(value / low) / np.log(high / low))
    if high < 0.0:
        return float(np.log(value / low) / np.log(high / low))
    return (value - low) / (high - low)


class Frame:
    """The plotting area: data coordinates to those of the drawing.

    Parameters
    ----------
    x, y : tuple of float
        The range of each axis.
    width, height : float
        Of the area.
    left, top : float
        Room beside and above it.
    """

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        width: float = 440.0,
        height: float = 250.0,
        left: float = 86.0,
        top: float = 14.0,
    ) -> None:
        self._x, self._y = x, y
        self.left, self.top, self.width, self.height = left, top, width, height

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def right(self) -> float:
        return self.left + self.width

    def x(self, value: float) -> float:
        low, high = self._x
        return self.left + self.width * (value - low) / (high - low)

    def y(self, value: float) -> float:
        low, high = self._y
        return self.bottom - self.height * (value - low) / (high - low)

    def line(self, xs: Sequence[float] | Array, ys: Sequence[float] | Array, style: str) -> str:
        """A line through points in data coordinates."""
        points = " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in zip(xs, ys, strict=True))
        return f'<polyline points="{points}" fill="none" {style}/>'

    def box(self) -> str:
        """The two axes."""
        return (
            f'<path d="M{self.left} {self.top}V{self.bottom}H{self.right}" fill="none" '
            'stroke="currentColor" stroke-opacity=".6"/>'
        )

    def x_tick(self, value: float, label: str) -> str:
        x = self.x(value)
        return (
            f'<path d="M{x:.1f} {self.bottom}v4" stroke="currentColor" stroke-opacity=".6"/>'
            f'<text x="{x:.1f}" y="{self.bottom + 17}" text-anchor="middle">{escape(label)}</text>'
        )

    def y_tick(self, value: float, label: str) -> str:
        y = self.y(value)
        return (
            f'<path d="M{self.left} {y:.1f}h-4" stroke="currentColor" stroke-opacity=".6"/>'
            f'<text x="{self.left - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'
        )

    def x_title(self, words: str) -> str:
        x = self.left + 0.5 * self.width
        return f'<text x="{x}" y="{self.bottom + 36}" text-anchor="middle">{escape(words)}</text>'

    def y_title(self, words: str) -> str:
        y = self.top + 0.5 * self.height
        return (
            f'<text x="14" y="{y}" text-anchor="middle" transform="rotate(-90 14 {y})">{escape(words)}</text>'
        )


def figure(frame: Frame, parts: Sequence[str], title: str, description: str, caption: str) -> str:
    """A drawing with a title and a description for those who do not see it, and a caption for all."""
    number = next(_NUMBERS)
    width, height = frame.right + 24.0, frame.bottom + 46.0
    return (
        '<figure style="margin:.4em 0;max-width:46em;line-height:1.4">'
        f'<svg role="img" aria-labelledby="memagic-t{number} memagic-d{number}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'style="max-width:100%;height:auto" font-size="12" font-family="inherit" fill="currentColor">'
        f'<title id="memagic-t{number}">{escape(title)}</title>'
        f'<desc id="memagic-d{number}">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
        f'<figcaption style="font-size:.92em;opacity:.8">{escape(caption)}</figcaption></figure>'
    )


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers within a range."""
    if not high > low:
        return [low]
    raw = (high - low) / most
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(power * m for m in (1.0, 2.0, 5.0, 10.0) if power * m >= raw)
    first = int(np.ceil(low / step - 1e-9))
    return [float(k * step) for k in range(first, int(np.floor(high / step + 1e-9)) + 1)]
