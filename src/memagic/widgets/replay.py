"""A result with controls for what a replay can show: nothing is ever fitted again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ipywidgets

from memagic.display.grid_table import grid_html
from memagic.display.html import to_html
from memagic.display.text import to_text
from memagic.errors import CommandError
from memagic.results.display_options import DisplayOptions, Exponentiated, check_scale
from memagic.results.estimates import Estimates
from memagic.results.report import make_report
from memagic.results.side_by_side import TableOptions, side_by_side
from memagic.results.typed import python_call, replay_command, table_command
from memagic.spec.options import OPTIONS
from memagic.widgets.static import StaticBox

__all__ = ["ReplayExplorer", "explore"]

_SCALES: tuple[tuple[str, Exponentiated], ...] = (
    ("Coefficients", ""),
    ("Odds ratios (or)", "or"),
    ("Incidence-rate ratios (irr)", "irr"),
    ("Exponentiated, exp(b) (eform)", "eform"),
)
_STOPS = (*map(float, range(10, 75, 10)), 75.0, 80.0, 85.0, 90.0, 95.0, 97.5, 98.0, 99.0, 99.5, 99.9, 99.99)
_ACTIVE = "Active"
_WRAPPED = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "0 1em"}


def explore(
    estimates: Estimates,
    options: DisplayOptions,
    compare: Mapping[str, Estimates] | None = None,
    *,
    log: bool = False,
) -> ReplayExplorer:
    """Show estimates with controls.

    Parameters
    ----------
    estimates : Estimates
    options : DisplayOptions
        How they are shown at first, and for good where no kernel is behind the widget.
    compare : mapping of str to Estimates, optional
        What may stand beside them, by the names that commands have for them.
    log : bool
        Whether notes and iteration log belong to the table.
    """
    return ReplayExplorer(estimates, options, compare or {}, log=log)


class ReplayExplorer(StaticBox):
    """Controls, the command that shows the same, and the table.

    Parameters
    ----------
    estimates : Estimates
    options : DisplayOptions
    compare : mapping of str to Estimates
    log : bool

    Attributes
    ----------
    scale, other : Dropdown
    level : BoundedFloatText
    slider : SelectionSlider
        Levels that are often asked for.
    bases, labels, intervals, p_values, header, group, legend : Checkbox
    command, python : Text
        What to type for the same table.
    table : HTML
    """

    def __init__(
        self, estimates: Estimates, options: DisplayOptions, compare: Mapping[str, Estimates], *, log: bool
    ) -> None:
        self._estimates, self._log = estimates, log
        self._warnings = make_report(estimates, options, log=False).warnings
        self._first = replace(options, widget=False)
        self._beside = {
            name: other for name, other in compare.items() if other is not estimates and other.fitted
        }
        # Under a name of its own the result is found even when it is no longer the last.
        self._own = next((name for name, other in compare.items() if other is estimates), ".")
        self._make_controls()
        super().__init__(self._rows(), self._static_form)
        self.slider.observe(self._slide, "value")
        for control in (*self._single, self.scale, self.other):
            if control is not self.slider:
                control.observe(self._update, "value")
        for text in (self.command, self.python):
            # They can be selected and copied like any text field, and not be changed.
            text.observe(self._write, "value")
        self._update()

    @property
    def options(self) -> DisplayOptions:
        """What the controls ask for, without the comparison."""
        return replace(
            self._first,
            exponentiated=self.scale.value,
            level=float(self.level.value),
            bases=self.bases.value,
            labels=self.labels.value,
            intervals=self.intervals.value,
            p_values=self.p_values.value,
            header=self.header.value,
            group=self.group.value,
            legend=self.legend.value,
        )

    @property
    def table_options(self) -> TableOptions:
        """What the controls ask for beside another result."""
        return TableOptions(se=True, statistics=("ll", "N"), exponentiated=bool(self.scale.value))

    def _make_controls(self) -> None:
        first = self._first
        self.scale = ipywidgets.Dropdown(
            options=_scales(self._estimates),
            value=first.exponentiated,
            tooltip="Scale on which the fixed part is shown",
            layout=ipywidgets.Layout(width="auto"),
            **_described("Scale"),
        )
        self._make_level(first.level)
        self.bases = _checkbox("Base levels", first.bases, "Rows of base levels (baselevels)")
        self.labels = _checkbox(
            "Value labels", first.labels, "Labels of factor levels, or values (nofvlabel)"
        )
        self.intervals = _checkbox("Intervals", first.intervals, "Confidence intervals (noci hides them)")
        self.p_values = _checkbox(
            "p-values", first.p_values, "Test statistics and p-values (nopvalues hides them)"
        )
        self.header = _checkbox("Header", first.header, "What is above the table (noheader hides it)")
        self.group = _checkbox("Groups", first.group, "Number and sizes of groups (nogroup hides them)")
        self.legend = _checkbox(
            "Names", first.legend, "Names of parameters in place of statistics (coeflegend)"
        )
        self._single = (
            self.level,
            self.slider,
            self.bases,
            self.labels,
            self.intervals,
            self.p_values,
            self.header,
            self.group,
            self.legend,
        )
        self.other = ipywidgets.Dropdown(
            options=[("(nothing)", ""), *((name, name) for name in self._beside)],
            value="",
            tooltip="Stored estimates, or a variable that holds a result, to stand beside this one",
            disabled=not self._beside,
            layout=ipywidgets.Layout(width="auto"),
            **_described("Compare with"),
        )
        self.command = _text(
            "Command", "What to type for the same table of the last estimates; select to copy"
        )
        self.python = _text("Python", "What to call on the result for the same table; select to copy")
        self.table = ipywidgets.HTML()

    def _make_level(self, level: float) -> None:
        low, high = next(spec.limits for spec in OPTIONS if spec.name == "level" and spec.limits)
        self.level = ipywidgets.BoundedFloatText(
            value=level,
            min=low,
            max=high,
            step=None,
            tooltip=f"Confidence level in percent, between {low:g} and {high:g}",
            layout=ipywidgets.Layout(width="9em"),
            **_described("Level"),
        )
        self.slider = ipywidgets.SelectionSlider(
            options=[(f"{stop:g}", stop) for stop in _STOPS],
            value=_nearest(level),
            readout=False,
            tooltip="Confidence level by the arrow keys",
            layout=ipywidgets.Layout(width="18em"),
            **_described("Usual levels"),
        )

    def _rows(self) -> list[Any]:
        wrapped = ipywidgets.Layout(**_WRAPPED)
        return [
            ipywidgets.HBox([self.scale, self.level, self.slider, self.other], layout=wrapped),
            ipywidgets.HBox(list(self._single[2:]), layout=wrapped),
            ipywidgets.HBox([self.command, self.python], layout=wrapped),
            self.table,
        ]

    def _static_form(self) -> dict[str, str]:
        report = make_report(self._estimates, self._first, self._log, self._warnings)
        return {"text/plain": to_text(report), "text/html": to_html(report)}

    def _slide(self, change: dict[str, Any]) -> None:
        """Take the slider's level, unless it only follows one that it does not have."""
        if change["new"] != _nearest(self.level.value):
            self.level.value = change["new"]

    def _update(self, change: object = None) -> None:
        """Show what the controls ask for."""
        self.slider.value = _nearest(self.level.value)
        comparing = bool(self.other.value)
        for control in self._single:
            control.disabled = comparing
        self._settle(comparing)
        if comparing:
            own = _ACTIVE if self._own == "." else self._own
            models = [(own, self._estimates), (self.other.value, self._beside[self.other.value])]
            html = grid_html(side_by_side(models, self.table_options))
        else:
            html = to_html(make_report(self._estimates, self.options, self._log, self._warnings))
        self.table.value = f'<div aria-live="polite">{html}</div>'
        self.python.layout.display = "none" if comparing else None
        self._write()

    def _write(self, change: object = None) -> None:
        """Write what to type for the table that is shown."""
        if self.other.value:
            command = table_command((self._own, self.other.value), self.table_options)
        else:
            command = replay_command(self._estimates.command.name, self.options)
        self.command.value = f"%{command}"
        self.python.value = f"fit{python_call(self.options)}"

    def _settle(self, comparing: bool) -> None:
        """Disable what would change nothing."""
        if comparing:
            return
        if self.legend.value or not self._estimates.fitted:
            for control in (self.level, self.slider, self.intervals, self.p_values):
                control.disabled = True
        elif not self.intervals.value:
            self.level.disabled = self.slider.disabled = True
        self.group.disabled = not self.header.value
        design = self._estimates.design
        self.bases.disabled = not any(column.state == "base" for column in design.with_bases)
        self.labels.disabled = not self._estimates.value_labels


def _scales(estimates: Estimates) -> list[tuple[str, Exponentiated]]:
    """The scales that the model's link and family and its command allow."""
    allowed = []
    for label, scale in _SCALES:
        try:
            check_scale(estimates.kind.link, estimates.kind.family, scale)
        except CommandError:
            continue
        name = estimates.command.name
        if not scale or any(spec.name == scale and spec.allows(name) for spec in OPTIONS):
            allowed.append((label, scale))
    return allowed


def _nearest(level: float) -> float:
    """The stop of the slider next to a level."""
    return min(_STOPS, key=lambda stop: abs(stop - level))


def _described(words: str) -> dict[str, Any]:
    return {"description": words, "style": {"description_width": "initial"}}


def _checkbox(words: str, value: bool, tooltip: str) -> Any:
    layout = ipywidgets.Layout(width="auto")
    return ipywidgets.Checkbox(value=value, description=words, tooltip=tooltip, indent=False, layout=layout)


def _text(words: str, tooltip: str) -> Any:
    layout = ipywidgets.Layout(flex="1 1 34em", width="auto")
    return ipywidgets.Text(tooltip=tooltip, layout=layout, continuous_update=False, **_described(words))
