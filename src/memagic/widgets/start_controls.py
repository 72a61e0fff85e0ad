"""The controls of the start-grid explorer: what to vary, over which values, and the buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from memagic.display.formats import g
from memagic.errors import CommandError
from memagic.spec.numlist import parse_numlist
from memagic.widgets.exploration import Axis, Component

__all__ = ["AxisRow", "Buttons", "axis_rows", "chosen_axes", "copy_field", "on_click"]

_DEFAULT = ".1 1 10"
_WIDE = {"description_width": "initial"}


class AxisRow(ipywidgets.HBox):  # type: ignore[misc]
    """One component: whether it varies, and its values.

    Parameters
    ----------
    place : int
        Of the component among all.
    component : Component
    values : tuple of float or None
        To begin with; None where it does not vary.

    Attributes
    ----------
    varies : Checkbox
    values : Text
    """

    def __init__(self, place: int, component: Component, values: tuple[float, ...] | None) -> None:
        self.place = place
        kind = "covariance" if component.covariance else "variance"
        self.varies = ipywidgets.Checkbox(
            value=values is not None,
            description=component.name,
            tooltip=f"Vary this {kind}; without a grid it starts at {g(component.start)}",
            indent=False,
            layout={"width": "auto", "min_width": "21em"},
        )
        self.values = ipywidgets.Text(
            value=_DEFAULT
            if values is None
            else " ".join(f"{value:.12g}".removeprefix("0") or "0" for value in values),
            description=f"values (start {g(component.start)})",
            tooltip=f"Values of {component.name} to try: a list of numbers such as .1 1 10 or 0(.5)3",
            disabled=values is None,
            style=_WIDE,
            layout={"width": "24em"},
        )
        self.varies.observe(self._enable, names="value")
        super().__init__([self.varies, self.values], layout={"flex_flow": "row wrap"})

    def _enable(self, change: Any) -> None:
        self.values.disabled = not change["new"]


class Buttons:
    """What can be pressed, and when.

    Attributes
    ----------
    run, stop, fit, keep : Button
    nodes : Dropdown
        Where to fit from; -1 is the best.
    """

    def __init__(self) -> None:
        self.run = _button("Run grid", "Compute the log likelihood at every node", "primary")
        self.stop = _button("Stop", "Stop what runs; what is there so far stays")
        self.fit = _button("Fit from here", "Maximize the likelihood from the chosen node", "primary")
        self.keep = _button("Use as last estimates", "Make this fit the last estimates of the session")
        self.nodes = ipywidgets.Dropdown(
            description="Node",
            tooltip="The node of the grid to fit from",
            options=[("Grid node 0 (start)", 0)],
            layout={"width": "30em", "max_width": "100%"},
        )

    def busy(self, running: bool, *, fitted: bool) -> None:
        """Enable what makes sense while work runs or does not."""
        self.run.disabled = self.fit.disabled = self.nodes.disabled = running
        self.stop.disabled = not running
        self.keep.disabled = running or not fitted


def axis_rows(components: Sequence[Component], axes: Sequence[Axis]) -> tuple[AxisRow, ...]:
    """A row for every component, first those of the axes in their order: it numbers the nodes."""
    varied = {axis.component: axis.values for axis in axes}
    order = [*varied, *(k for k in range(len(components)) if k not in varied)]
    return tuple(AxisRow(k, components[k], varied.get(k)) for k in order)


def chosen_axes(rows: Sequence[AxisRow]) -> tuple[Axis, ...]:
    """The axes as the rows have them.

    Raises
    ------
    CommandError
        Something other than a list of numbers, r(121); nothing varies, r(198).
    """
    axes = []
    for row in rows:
        if row.varies.value:
            try:
                values = parse_numlist(row.values.value)
            except CommandError as error:
                error.hint = error.hint or f"{row.varies.description} takes a list of numbers: .1 1 10"
                raise
            axes.append(Axis(row.place, tuple(dict.fromkeys(values))))
    if not axes:
        raise CommandError(198, "nothing varies", hint="tick a variance or a covariance")
    return tuple(axes)


def copy_field(description: str, tooltip: str) -> Any:
    """A field whose text can be selected and copied from the keyboard."""
    return ipywidgets.Textarea(
        description=description,
        tooltip=tooltip,
        rows=3,
        style=_WIDE,
        layout={"width": "auto", "max_width": "60em"},
    )


def _button(description: str, tooltip: str, style: str = "") -> Any:
    return ipywidgets.Button(
        description=description, tooltip=tooltip, button_style=style, layout={"width": "auto"}
    )


def on_click(button: Any, action: Callable[[], None]) -> None:
    """Have a button do something."""
    button.on_click(lambda _: action())
