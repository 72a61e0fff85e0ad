"""A tree of groups, with what is crossed with it, as text and as an SVG drawing.

The drawing takes the page's text colour, so that it is readable on light and on dark pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2s
from html import escape
from itertools import pairwise

__all__ = ["Box", "Nesting", "nesting_svg", "nesting_text"]

_CHARACTER, _LINE, _PADDING = 7.4, 18, 11
_ROW_GAP, _COLUMN_GAP, _MARGIN = 30, 26, 2


@dataclass(frozen=True, slots=True)
class Box:
    """One kind of unit: what it is called, and what there is to say of it."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Nesting:
    """Units from the largest to the smallest, each inside the one before it, and what is crossed.

    Attributes
    ----------
    chain : tuple of Box
        The last one is the observations.
    crossed : tuple of (int, Box)
        With the position in the chain of the unit that a factor is crossed within; -1 for all
        observations. It is crossed with what comes after that in the chain.
    title : str
    note : str
        A sentence on the crossing; empty without any.
    """

    chain: tuple[Box, ...]
    crossed: tuple[tuple[int, Box], ...]
    title: str
    note: str = ""


def nesting_text(nesting: Nesting) -> str:
    """One line a unit; what is crossed has a cross after its name."""
    rows: list[tuple[str, Box]] = []
    for k in range(-1, len(nesting.chain)):
        if k >= 0:
            rows.append((_branch(k, "└─ ") + nesting.chain[k].name, nesting.chain[k]))
        mark = [box for place, box in nesting.crossed if place == k]
        rows += [(f"{_branch(k + 1, '├─ ')}{box.name} ×", box) for box in mark]
    width = max(len(label) for label, _ in rows) + 3
    lines = [f"{label:<{width}}{'; '.join(box.lines)}".rstrip() for label, box in rows]
    return "\n".join([*lines, nesting.note] if nesting.note else lines)


def _branch(depth: int, mark: str) -> str:
    return "   " * (depth - 1) + mark if depth else ""


def nesting_svg(nesting: Nesting) -> str:
    """One ``svg`` element with a title and a description."""
    last = len(nesting.chain) - 1
    bottom = max([last, *(place + 2 for place, _ in nesting.crossed)])
    # Column 0 is the chain, its last box at the bottom.
    places = {(0, bottom if k == last else k): box for k, box in enumerate(nesting.chain)}
    column = dict.fromkeys(range(bottom + 1), 1)
    edges = []
    rows = [bottom if k == last else k for k in range(last + 1)]
    edges += [((0, above), (0, below)) for above, below in pairwise(rows)]
    for place, box in nesting.crossed:
        at = (column[place + 1], place + 1)
        column[place + 1] += 1
        places[at] = box
        if place >= 0:
            edges.append(((0, place), at))
        edges.append((at, (0, bottom)))
    geometry = _Geometry(places)
    parts = [geometry.edge(start, end) for start, end in edges]
    parts += [geometry.box(at, box) for at, box in places.items()]
    parts += geometry.crosses(places)
    name = blake2s(repr(nesting).encode(), digest_size=6).hexdigest()
    width, height = geometry.size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t{name} d{name}" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        'style="max-width:100%;height:auto" font-family="system-ui,sans-serif" font-size="13" '
        'fill="none" stroke="currentColor">'
        f'<title id="t{name}">{escape(nesting.title)}</title>'
        f'<desc id="d{name}">{escape(nesting_text(nesting))}</desc>{"".join(parts)}</svg>'
    )


class _Geometry:
    """Where boxes are, in units of the drawing."""

    def __init__(self, places: dict[tuple[int, int], Box]) -> None:
        self._width: dict[int, float] = {}
        self._height: dict[int, float] = {}
        for (column, row), box in places.items():
            longest = max(len(text) for text in (box.name, *box.lines))
            wide, high = longest * _CHARACTER + 2 * _PADDING, (len(box.lines) + 1) * _LINE + 2 * _PADDING - 4
            self._width[column] = max(self._width.get(column, 0.0), wide)
            self._height[row] = max(self._height.get(row, 0.0), high)
        self._left = _starts(self._width, _COLUMN_GAP)
        self._top = _starts(self._height, _ROW_GAP)

    @property
    def size(self) -> tuple[float, float]:
        right, bottom = max(self._width), max(self._height)
        return (
            self._left[right] + self._width[right] + _MARGIN,
            self._top[bottom] + self._height[bottom] + _MARGIN,
        )

    def box(self, at: tuple[int, int], box: Box) -> str:
        column, row = at
        x, y, wide = self._left[column], self._top[row], self._width[column]
        parts = [
            f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{self._height[row]:g}" rx="6" '
            'stroke-opacity=".55"/>'
        ]
        for k, text in enumerate((box.name, *box.lines)):
            weight = ' font-weight="600"' if k == 0 else ' fill-opacity=".8"'
            parts.append(
                f'<text x="{x + wide / 2:g}" y="{y + _PADDING + 11 + k * _LINE:g}" text-anchor="middle" '
                f'fill="currentColor" stroke="none"{weight}>{escape(text)}</text>'
            )
        return "".join(parts)

    def edge(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        """A line from the foot of one box to the head of another, bent just above it."""
        x1 = self._left[start[0]] + self._width[start[0]] / 2
        y1 = self._top[start[1]] + self._height[start[1]]
        x2, y2 = self._left[end[0]] + self._width[end[0]] / 2, self._top[end[1]]
        if start[0] > end[0]:
            # Lines from the side end beside the one from above.
            x2 += self._width[end[0]] * min(0.15 * start[0], 0.45)
        bend = y2 - _ROW_GAP / 2
        way = f"M{x1:g} {y1:g}V{bend:g}H{x2:g}V{y2:g}"
        return f'<path d="{way}" stroke-opacity=".55"/>'

    def crosses(self, places: dict[tuple[int, int], Box]) -> list[str]:
        """A cross between boxes that stand side by side."""
        found = []
        for column, row in places:
            if column and (column - 1, row) in places:
                x = self._left[column] - _COLUMN_GAP / 2
                y = self._top[row] + self._height[row] / 2 + 5
                found.append(
                    f'<text x="{x:g}" y="{y:g}" text-anchor="middle" fill="currentColor" '
                    'stroke="none" font-size="17">×</text>'
                )
        return found


def _starts(sizes: dict[int, float], gap: float) -> dict[int, float]:
    """Where columns or rows begin, one after the other."""
    starts: dict[int, float] = {}
    at: float = _MARGIN
    for k in sorted(sizes):
        starts[k] = at
        at += sizes[k] + gap
    return starts
