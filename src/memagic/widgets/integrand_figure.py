"""One group's integrand with a rule's nodes, as a drawing and as a table."""

from __future__ import annotations

from memagic.display.formats import g
from memagic.display.grid_table import GridRow, GridTable
from memagic.engine.integrand import Integrand
from memagic.widgets.drawing import BLUE, ORANGE, Frame, figure, ticks

__all__ = ["integrand_figure", "nodes_table", "values_table"]

# Nodes up to which each has its weight written at it.
_FEW = 9


def integrand_figure(view: Integrand, effect: str, method: str) -> str:
    """The integrand, the prior, the normal density of the rule, and stems at the nodes."""
    top = 1.12 * max(float(view.density.max()), float(view.heights.max()))
    frame = Frame((float(view.u[0]), float(view.u[-1])), (0.0, top))
    parts = [frame.box()]
    parts += [frame.x_tick(v, g(v)) for v in ticks(float(view.u[0]), float(view.u[-1]))]
    parts += [frame.y_tick(v, g(v)) for v in ticks(0.0, top, 5)]
    # A curve that is far higher than the integrand is cut off at the frame.
    prior, normal = view.prior.clip(max=top), view.normal.clip(max=top)
    parts.append(
        frame.line(
            view.u,
            prior,
            'stroke="currentColor" stroke-opacity=".7" stroke-width="1.5" stroke-dasharray="2 4"',
        )
    )
    parts.append(frame.line(view.u, view.density, f'stroke="{BLUE}" stroke-width="3"'))
    parts.append(frame.line(view.u, normal, f'stroke="{ORANGE}" stroke-width="1.5" stroke-dasharray="7 4"'))
    for u, height, share in zip(view.nodes, view.heights, view.shares, strict=True):
        if not view.u[0] <= u <= view.u[-1]:
            continue
        x, y = frame.x(float(u)), frame.y(float(height))
        radius = 2.5 + 5.0 * float(share) ** 0.5
        parts.append(
            f'<path d="M{x:.1f} {frame.bottom}V{y:.1f}" stroke="currentColor" stroke-width="1.5"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="currentColor" '
            f'fill-opacity=".75"><title>{g(float(u))}: share {_percent(float(share))}</title></circle>'
        )
        if len(view.nodes) <= _FEW and method != "laplace" and share >= 0.01:
            parts.append(f'<text x="{x + 9:.1f}" y="{y - 5:.1f}">{_percent(float(share))}</text>')
    parts += [frame.x_title(effect), frame.y_title("Integrand (area 1)")]
    title = f"Integrand of one group over {effect}, with the nodes of {method}"
    return figure(frame, parts, title, _words(view, method), _caption(method))


def values_table(view: Integrand, method: str) -> GridTable:
    """The group's log likelihood by the rule and by a fine integral."""
    rows = (
        GridRow(f"By {method}", (g(view.log_likelihood, 10),)),
        GridRow("By a fine integral", (g(view.exact, 10),)),
        GridRow("Error", (_error(view.error),), ruled=True),
    )
    return GridTable("Log likelihood of the group", ("Value",), rows)


def nodes_table(view: Integrand, effect: str) -> GridTable:
    """The nodes, their weights, and the share of each in the integral."""
    rows = tuple(
        GridRow(f"Node {k}", (g(float(u)), g(float(w)), g(float(height)), _percent(float(share))))
        for k, (u, w, height, share) in enumerate(
            zip(view.nodes, view.weights, view.heights, view.shares, strict=True), start=1
        )
    )
    heads = (effect, "Weight", "Integrand", "Share")
    return GridTable("Nodes", heads, rows, ("The weights multiply the group's likelihood at the nodes.",))


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f}%"


def _error(error: float) -> str:
    return "0" if abs(error) < 1e-14 else f"{error:.2e}"


def _words(view: Integrand, method: str) -> str:
    inside = [u for u in view.nodes if view.u[0] <= u <= view.u[-1]]
    top = g(float(view.u[view.density.argmax()]))
    first, last = g(float(view.nodes[0])), g(float(view.nodes[-1]))
    return (
        f"The integrand is highest at {top}. The {len(view.nodes)} nodes of {method} lie from {first} to "
        f"{last}, {len(inside)} of them in the drawing. The rule's normal density has mean {g(view.mean)} "
        f"and standard deviation {g(view.sd)}, the prior {g(view.sigma)}. The error of the log likelihood "
        f"is {_error(view.error)}."
    )


_NORMAL = {
    "laplace": "the Laplacian approximation",
    "ghermite": "the normal density that places the nodes, which is the prior",
    "mcaghermite": "the normal density that places the nodes, by mode and curvature",
    "mvaghermite": "the normal density that places the nodes, by mean and variance",
}


def _caption(method: str) -> str:
    nodes = "Stem: the mode" if method == "laplace" else "Stems: the nodes with their shares in the integral"
    return f"Full line: the integrand. Dashed: {_NORMAL[method]}. Dotted: the prior. {nodes}."
