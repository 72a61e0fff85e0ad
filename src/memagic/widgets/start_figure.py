"""The log likelihood over a grid as a drawing: a curve over one axis, a heat map over two."""

from __future__ import annotations

from html import escape
from math import isfinite, sqrt

from memagic.display.formats import f, g
from memagic.widgets.drawing import BLUE, ORANGE, Frame, Scale, figure, ticks
from memagic.widgets.exploration import Search

__all__ = ["start_figure"]

# Columns and rows up to which a cell has room for its number.
_ROOM = (6, 9)
_MOST_TICKS = 9


def start_figure(search: Search) -> str:
    """The drawing; nothing where there are no nodes, and for more than two axes, whose table has it all."""
    if len(search.nodes) < 2 or len(search.axes) not in (1, 2):
        return ""
    return _curve(search) if len(search.axes) == 1 else _heat_map(search)


def _curve(search: Search) -> str:
    component = search.axes[0].component
    scale = Scale(search.axes[0].values)
    points = [
        (node.values[component], search.values[node.number])
        for node in search.nodes
        if node.number in search.values
    ]
    inside = sorted({p for p in points[1:] if isfinite(p[1])})
    levels = [v for _, v in points if isfinite(v)] + [s.log_likelihood for s in search.steps]
    low, high = (min(levels), max(levels)) if levels else (0.0, 1.0)
    margin = 0.06 * (high - low) or 1.0
    frame = Frame((-0.5, len(scale.values) - 0.5), (low - margin, high + margin))
    xs = [scale.place(value) for value, _ in inside]
    parts = [frame.box(), *_x_ticks(frame, scale)]
    if levels:
        parts += [frame.y_tick(v, g(v)) for v in ticks(low - margin, high + margin)]
    parts.append(frame.line(xs, [v for _, v in inside], f'stroke="{BLUE}" stroke-width="2"'))
    for x, (value, level) in zip(xs, inside, strict=True):
        tip = f"<title>{g(value)}: {g(level, 10)}</title>"
        parts.append(
            f'<circle cx="{frame.x(x):.1f}" cy="{frame.y(level):.1f}" r="4" fill="{BLUE}">{tip}</circle>'
        )
    for value, level in points:
        if not isfinite(level):
            x = frame.x(scale.place(value))
            parts.append(f'<text x="{x:.1f}" y="{frame.bottom - 6}" text-anchor="middle">not feasible</text>')
    if points and isfinite(points[0][1]):
        parts.append(_start_mark(frame.x(scale.place(points[0][0])), frame.y(points[0][1])))
    path = [(frame.x(scale.place(s.values[component])), frame.y(s.log_likelihood)) for s in search.steps]
    name = search.components[component].name
    parts += [*_path(path), frame.x_title(name), frame.y_title("Log likelihood")]
    return figure(frame, parts, f"Log likelihood by {name}", _words(search), _caption(search, curve=True))


def _heat_map(search: Search) -> str:
    across, up = (axis.component for axis in search.axes)
    x_scale, y_scale = (Scale(axis.values) for axis in search.axes)
    columns, rows = len(x_scale.values), len(y_scale.values)
    frame = Frame((-0.5, columns - 0.5), (-0.5, rows - 0.5), height=min(360.0, max(120.0, 60.0 * rows)))
    width, height = frame.width / columns, frame.height / rows
    levels = [v for v in search.values.values() if isfinite(v)]
    low, high = (min(levels), max(levels)) if levels else (0.0, 1.0)
    parts, labels = [], []
    for node in search.nodes[1:]:
        x = frame.x(x_scale.place(node.values[across]))
        y = frame.y(y_scale.place(node.values[up]))
        box = f'x="{x - 0.5 * width + 1:.1f}" y="{y - 0.5 * height + 1:.1f}" '
        box += f'width="{width - 2:.1f}" height="{height - 2:.1f}"'
        if node.number not in search.values:
            parts.append(f'<rect {box} fill="none" stroke="currentColor" stroke-opacity=".25"/>')
            continue
        level = search.values[node.number]
        label = g(level, 10)
        if isfinite(level):
            share = 1.0 - sqrt((high - level) / (high - low)) if high > low else 1.0
            look = f'fill="{BLUE}" fill-opacity="{0.06 + 0.6 * share:.2f}"'
        else:
            look = 'fill="none" stroke="currentColor" stroke-opacity=".5" stroke-dasharray="2 4"'
        tip = f"{g(node.values[across])}, {g(node.values[up])}: {label}"
        parts.append(f"<rect {box} {look}><title>{escape(tip)}</title></rect>")
        if columns <= _ROOM[0] and rows <= _ROOM[1]:
            words = f(level, 10, 2) if isfinite(level) else "."
            labels.append(
                f'<text x="{x:.1f}" y="{y - 0.5 * height + 17:.1f}" text-anchor="middle">{words}</text>'
            )
        if node.number == search.best:
            parts.append(f'<rect {box} fill="none" stroke="currentColor" stroke-width="2.5"/>')
    parts += [frame.box(), *_x_ticks(frame, x_scale)]
    every = 1 + (rows - 1) // 12
    parts += [frame.y_tick(k, g(v)) for k, v in enumerate(y_scale.values) if k % every == 0]
    if 0 in search.values:
        start = search.nodes[0].values
        parts.append(_start_mark(frame.x(x_scale.place(start[across])), frame.y(y_scale.place(start[up]))))
    path = [
        (frame.x(x_scale.place(s.values[across])), frame.y(y_scale.place(s.values[up]))) for s in search.steps
    ]
    names = [search.components[k].name for k in (across, up)]
    parts += [*_path(path), *labels, frame.x_title(names[0]), frame.y_title(names[1])]
    title = f"Log likelihood by {names[0]} and {names[1]}"
    return figure(frame, parts, title, _words(search), _caption(search, curve=False))


def _x_ticks(frame: Frame, scale: Scale) -> list[str]:
    every = 1 + (len(scale.values) - 1) // _MOST_TICKS
    return [frame.x_tick(k, g(v)) for k, v in enumerate(scale.values) if k % every == 0]


def _start_mark(x: float, y: float) -> str:
    """A hollow diamond."""
    return (
        f'<path d="M{x:.1f} {y - 8:.1f}l8 8l-8 8l-8 -8z" fill="none" stroke="currentColor" '
        'stroke-width="1.5">'
        "<title>Grid node 0, the start</title></path>"
    )


def _path(points: list[tuple[float, float]]) -> list[str]:
    """The maximizer's path: hollow points, the last one filled."""
    if not points:
        return []
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts = [f'<polyline points="{corners}" fill="none" stroke="{ORANGE}" stroke-width="2"/>']
    for number, (x, y) in enumerate(points):
        last = number == len(points) - 1
        fill = f'fill="{ORANGE}"' if last else 'fill="none"'
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{5 if last else 3.5}" {fill} stroke="{ORANGE}" '
            f'stroke-width="1.5"><title>Iteration {number}</title></circle>'
        )
    return parts


def _words(search: Search) -> str:
    words = f"{len(search.values)} of {len(search.nodes)} nodes are evaluated. "
    if search.best is not None:
        best = search.nodes[search.best]
        where = ", ".join(
            f"{search.components[a.component].name} {g(best.values[a.component])}" for a in search.axes
        )
        words += f"The best is grid node {best.number}, {where}: {g(search.values[best.number], 10)}. "
    if search.steps:
        last = search.steps[-1]
        words += f"The maximizer took {last.number} iterations to {g(last.log_likelihood, 10)}. "
    return words + "The table below has all numbers."


def _caption(search: Search, *, curve: bool) -> str:
    words = (
        "" if curve else "The fuller the colour, the higher; the frame marks the best node, a dot one that "
    )
    words += "" if curve else "is not feasible. "
    words += "The diamond is the start, grid node 0. Values stand at equal steps."
    if search.steps:
        words += " The line is the maximizer's path, its last point filled; all parameters move along it. "
        words += "Where it leaves the grid it is drawn at the edge."
    return words
