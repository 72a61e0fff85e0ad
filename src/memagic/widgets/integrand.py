"""The integrand view: what quadrature does to one group, to be seen and played with.

Source: manual [ME] meglm, Methods and formulas, 'Adaptive Gauss-Hermite quadrature'.
"""

from __future__ import annotations

from html import escape
from math import log10

import ipywidgets

from memagic.display.formats import g
from memagic.display.grid_table import grid_html, grid_text
from memagic.engine.integrand import Integrand
from memagic.postestimation.integrand import METHODS, Groups, group_integrand
from memagic.widgets.integrand_figure import integrand_figure, nodes_table, values_table
from memagic.widgets.static import StaticBox

__all__ = ["IntegrandView"]

_MOST_POINTS = 31
# Powers of ten between which the standard deviation moves.
_LOWEST, _HIGHEST = -2.0, 1.0
_WIDE = {"description_width": "9em"}


class IntegrandView(StaticBox):
    """One group's integrand, with controls for group, rule, number of points and standard deviation.

    Parameters
    ----------
    groups : Groups
    group : int
        The group to begin with; 1 is the first value of the group variable.

    Attributes
    ----------
    shown : Integrand
        What is shown now.
    group, rule : Dropdown
    points : IntSlider
    sigma : FloatLogSlider

    Raises
    ------
    CommandError
        No such group, r(459).
    """

    def __init__(self, groups: Groups, group: int = 1) -> None:
        self._groups = groups
        self.shown: Integrand = group_integrand(groups, group, groups.method, groups.n_points)
        self._make_controls(group)
        self.values = ipywidgets.HTML()
        self.picture = ipywidgets.HTML()
        self.table = ipywidgets.HTML(layout={"max_height": "26em", "overflow": "auto"})
        controls = [self.group, self.rule, self.points, self.sigma]
        for control in controls:
            control.observe(lambda _: self._show(), names="value")
        head = ipywidgets.HTML(
            f"<strong>Integrand</strong> of one group over <code>{escape(groups.effect)}</code>, "
            "at the estimates"
        )
        row = ipywidgets.HBox([self.sigma, self.back], layout={"flex_flow": "row wrap"})
        parts = [head, self.group, self.rule, self.points, row, self.values, self.picture, self.table]
        super().__init__(parts, self._static_form)
        self._show()

    def _make_controls(self, group: int) -> None:
        groups = self._groups
        many = len(groups.sizes)
        self.group = ipywidgets.Dropdown(
            description="Group",
            tooltip=f"Groups in the order of {groups.variable}",
            options=[
                (f"{k} of {many}: {groups.variable} {value} ({size} observations)", k)
                for k, (value, size) in enumerate(zip(groups.values, groups.sizes, strict=True), start=1)
            ],
            value=group,
            style=_WIDE,
            layout={"width": "34em", "max_width": "100%"},
        )
        self.rule = ipywidgets.Dropdown(
            description="Rule",
            tooltip="The integration method",
            options=list(METHODS),
            value=groups.method,
            style=_WIDE,
            layout={"width": "34em", "max_width": "100%"},
        )
        self.points = ipywidgets.IntSlider(
            description="Points",
            tooltip="Integration points of the rule",
            value=min(groups.n_points, _MOST_POINTS),
            min=1,
            max=_MOST_POINTS,
            style=_WIDE,
            layout={"width": "34em", "max_width": "100%"},
        )
        self.sigma = ipywidgets.FloatLogSlider(
            description="Std. deviation",
            tooltip=f"Standard deviation of {groups.effect}; the estimate is {g(groups.sigma)}",
            value=groups.sigma,
            min=min(_LOWEST, log10(groups.sigma)),
            max=max(_HIGHEST, log10(groups.sigma)),
            step=0.01,
            readout_format=".3g",
            style=_WIDE,
            layout={"width": "34em", "max_width": "100%"},
        )
        self.back = ipywidgets.Button(
            description="Back to the estimate",
            tooltip=f"Set the standard deviation to its estimate, {g(groups.sigma)}",
            layout={"width": "auto"},
        )
        self.back.on_click(lambda _: setattr(self.sigma, "value", groups.sigma))

    def _show(self) -> None:
        method = self.rule.value
        self.points.disabled = method == "laplace"
        self.shown = group_integrand(
            self._groups, self.group.value, method, self.points.value, self.sigma.value
        )
        self.values.value = grid_html(values_table(self.shown, self._rule_words()))
        self.picture.value = integrand_figure(self.shown, self._groups.effect, method)
        self.table.value = grid_html(nodes_table(self.shown, self._groups.effect))

    def _rule_words(self) -> str:
        points = self.points.value
        if self.rule.value == "laplace":
            return "laplace"
        return f"{self.rule.value}, {points} point{'s' if points > 1 else ''}"

    def _static_form(self) -> dict[str, str]:
        """The numbers and the drawing as they are now."""
        effect = self._groups.effect
        tables = [values_table(self.shown, self._rule_words()), nodes_table(self.shown, effect)]
        words = f"Group {self.group.label}, standard deviation {g(self.sigma.value)}"
        html = [
            f"<p>{escape(words)}</p>",
            grid_html(tables[0]),
            integrand_figure(self.shown, effect, self.rule.value),
            grid_html(tables[1]),
        ]
        plain = [words, *map(grid_text, tables)]
        return {"text/plain": "\n\n".join(plain), "text/html": "\n".join(html)}
