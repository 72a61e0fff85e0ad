"""The start-grid explorer: the likelihood over a grid of starting values, and fits from its nodes.

Source: manual [ME] meglm, Remarks, 'Obtaining better starting values'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from math import isfinite
from typing import Any, cast

import ipywidgets

from memagic.display.formats import g
from memagic.display.grid_table import grid_html, grid_text
from memagic.errors import Break, CommandError
from memagic.widgets.exploration import Estimated, Exploration, Node, Search, Step
from memagic.widgets.start_controls import Buttons, axis_rows, chosen_axes, copy_field, on_click
from memagic.widgets.start_figure import start_figure
from memagic.widgets.start_tables import node_label, nodes_table, path_table
from memagic.widgets.static import StaticBox
from memagic.widgets.worker import Pace, Worker

__all__ = ["StartGrid"]

_BEST = -1
# Seconds between two showings of what grows, and the more for each row of its table.
_INTERVAL, _PER_ROW = 0.15, 0.002


class StartGrid(StaticBox):
    """Explore where a model starts.

    Parameters
    ----------
    exploration : Exploration

    Attributes
    ----------
    search : Search
        The grid as far as it is known, and the maximizer's path.
    result : Estimated or None
        What 'Fit from here' gave last.
    """

    def __init__(self, exploration: Exploration) -> None:
        self._exploration = exploration
        # Without a grid there is the start itself to fit from.
        start = exploration.nodes(exploration.axes)[0]
        self.rows = axis_rows(exploration.components, exploration.axes)
        self.search = Search(exploration.components, chosen_axes(self.rows), (start,))
        self.result: Estimated | None = None
        self._worker = Worker(self._ended)
        self._pace = Pace()
        self._lines: list[str] = []
        self._chosen: Node | None = None
        self._make_widgets()
        super().__init__(self._arranged(), self._static_form)
        self._count()
        self._write(start)

    # --- from Python ---------------------------------------------------------------------------

    def run(self) -> None:
        """Begin to evaluate the grid; `wait` for its end."""
        if self._worker.running:
            return
        self._say("")
        try:
            axes = chosen_axes(self.rows)
            nodes = self._exploration.nodes(axes)
        except CommandError as error:
            self._say(str(error))
            return
        self.search = Search(self.search.components, axes, nodes)
        self._chosen = None
        self.path.value = ""
        self._progress()
        self._offer()
        self._write(nodes[0])
        self._begin(self._evaluate)

    def fit(self, node: int | None = None) -> None:
        """Begin to maximize from a node; `wait` for its end.

        Parameters
        ----------
        node : int, optional
            Its number; the one chosen in the list if not given.
        """
        if self._worker.running:
            return
        if node is not None:
            self.buttons.nodes.value = node
        chosen = self._node()
        self._say("")
        self._chosen = chosen
        self._lines = []
        self.search = replace(self.search, steps=())
        self._write(chosen)
        self._begin(lambda: self._maximize(chosen))

    def stop(self) -> None:
        """Ask what runs to end; what is there so far stays."""
        self._worker.stop()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until nothing runs."""
        self._worker.join(timeout)

    def keep(self) -> None:
        """Make the result the last estimates of the session.

        Raises
        ------
        CommandError
            There is no result, r(301), or nothing that remembers it, r(198).
        """
        if self.result is None:
            raise CommandError(301, "there is no fit to keep", hint="press Fit from here first")
        if self._exploration.keep is None:
            raise CommandError(198, "no session remembers estimates here", hint="the fit is explorer.result")
        self._exploration.keep(self.result)
        self._say("The fit is the last estimates now.")

    # --- work in the thread --------------------------------------------------------------------

    def _evaluate(self) -> None:
        nodes = self.search.nodes
        for done, node in enumerate(nodes, start=1):
            self._worker.check()
            value = self._exploration.value(node)
            self.search = replace(self.search, values={**self.search.values, node.number: value})
            if self._pace.due(_INTERVAL + _PER_ROW * done):
                self._progress()
                self._show_search()

    def _maximize(self, node: Node) -> None:
        def line(words: str) -> None:
            self._worker.check()
            self._lines.append(words)
            if self._pace.due(_INTERVAL):
                self._show_log()

        def step(step: Step) -> None:
            self.search = replace(self.search, steps=(*self.search.steps, step))
            self._worker.check()
            if self._pace.due(_INTERVAL):
                self._show_search()
                self._show_log()

        self.result = None
        self.output.value = ""
        try:
            self.result = self._exploration.fit(node, line, step)
        except Break as stop:
            # What an interrupted fit has reached says of itself that it is not finished.
            self.result = cast("Estimated | None", stop.so_far)
            raise

    def _begin(self, work: Callable[[], None]) -> None:
        self.buttons.busy(True, fitted=False)
        self._worker.start(work)

    def _ended(self, words: str) -> None:
        """Show all there is; runs in the thread."""
        if self._chosen is None:
            self._progress()
        self._show_search()
        self._offer()
        self._show_result()
        if not words and self._chosen is None:
            words = f"{len(self.search.values)} nodes are evaluated."
            infeasible = sum(not isfinite(value) for value in self.search.values.values())
            words += f" {infeasible} of them are not feasible." if infeasible else ""
        elif not words and self.result is not None:
            end = "converged" if self.result.converged else "has not converged"
            words = f"The fit from grid node {self._chosen.number if self._chosen else 0} {end}."
        self._say(words)
        self.buttons.busy(False, fitted=self.result is not None)

    # --- what is shown -------------------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.buttons = Buttons()
        self.buttons.busy(False, fitted=False)
        self.progress = ipywidgets.IntProgress(
            value=0, max=1, description="", tooltip="Nodes evaluated so far", layout={"width": "14em"}
        )
        self.count = ipywidgets.HTML()
        self.status = ipywidgets.HTML()
        self.picture = ipywidgets.HTML()
        self.table = ipywidgets.HTML(layout={"max_height": "26em", "overflow": "auto"})
        self.log_view = ipywidgets.HTML()
        self.path = ipywidgets.HTML()
        self.output = ipywidgets.HTML()
        what = "Select and copy: what to type for"
        self.grid_text = copy_field("With startgrid()", f"{what} the same grid")
        self.from_text = copy_field("With from()", f"{what} a fit from the chosen node")
        for row in self.rows:
            row.varies.observe(lambda _: self._count(), names="value")
            row.values.observe(lambda _: self._count(), names="value")
        self.buttons.nodes.observe(lambda _: self._chosen_anew(), names="value")
        on_click(self.buttons.run, self.run)
        on_click(self.buttons.stop, self.stop)
        on_click(self.buttons.fit, self.fit)
        on_click(self.buttons.keep, self.keep)

    def _arranged(self) -> list[Any]:
        buttons = self.buttons
        head = ipywidgets.HTML(
            "<strong>Starting values</strong> of "
            f"<code>{escape(self._exploration.command)}</code>. Choose what varies, and over which values."
        )
        keep = [buttons.keep] if self._exploration.keep is not None else []
        wrap = {"flex_flow": "row wrap"}
        return [
            head,
            *self.rows,
            ipywidgets.HBox([buttons.run, buttons.stop, self.progress, self.count], layout=wrap),
            self.status,
            self.picture,
            self.table,
            ipywidgets.HBox([buttons.nodes, buttons.fit, *keep], layout=wrap),
            self.log_view,
            self.grid_text,
            self.from_text,
            self.path,
            self.output,
        ]

    def _count(self) -> None:
        """Say how many nodes the controls ask for."""
        if self._worker.running:
            return
        try:
            axes = chosen_axes(self.rows)
        except CommandError as error:
            self.count.value = escape(error.message)
            return
        nodes = 1
        for axis in axes:
            nodes *= len(axis.values)
        self.count.value = f"{nodes:,} nodes and the start"

    def _progress(self) -> None:
        done, of = len(self.search.values), len(self.search.nodes)
        self.progress.max = max(of, 1)
        self.progress.value = done
        self.count.value = f"{done:,} of {of:,} nodes"

    def _say(self, words: str) -> None:
        shown = escape(words).replace("\n", "<br>")
        self.status.value = f'<p role="status" style="margin:.2em 0">{shown}</p>' if words else ""

    def _show_search(self) -> None:
        self.picture.value = start_figure(self.search)
        self.table.value = grid_html(nodes_table(self.search)) if self.search.values else ""

    def _show_log(self) -> None:
        text = "\n".join(self._lines).strip("\n")
        self.log_view.value = f'<pre style="line-height:1.35">{escape(text)}</pre>' if text else ""

    def _show_result(self) -> None:
        if self._chosen is None:
            return
        self.path.value = grid_html(path_table(self.search)) if self.search.steps else ""
        if self.result is None:
            self._show_log()
            return
        # The result has the log folded in.
        self.log_view.value = ""
        self.output.value = self.result.to_html()

    def _offer(self) -> None:
        """Offer the nodes to fit from; the choice stays where it can."""
        search, before = self.search, self.buttons.nodes.value
        options = []
        if search.best is not None:
            options.append((f"The best: grid node {search.best}", _BEST))
        for node in search.nodes:
            if node.number in search.values:
                value = g(search.values[node.number], 10)
                options.append((f"{node_label(search, node)}: {value}", node.number))
        options = options or [(node_label(search, search.nodes[0]), 0)]
        self.buttons.nodes.options = options
        kept = self._chosen is not None and any(before == number for _, number in options)
        self.buttons.nodes.value = before if kept else options[0][1]

    def _node(self) -> Node:
        number = self.buttons.nodes.value
        if number == _BEST and self.search.best is not None:
            number = self.search.best
        return self.search.nodes[max(number or 0, 0)]

    def _chosen_anew(self) -> None:
        self._write(self._node())

    def _write(self, node: Node) -> None:
        """Write what to type for this grid and this node."""
        texts = self._exploration.texts(self.search.axes, node)
        self.grid_text.value, self.from_text.value = texts.with_startgrid, texts.with_from

    def _static_form(self) -> dict[str, str]:
        """The tables, the drawing and the fit as they are now."""
        search = self.search
        if not search.values:
            words = f"Starting values of {self._exploration.command}: the grid has not been run."
            return {"text/plain": words, "text/html": f"<p>{escape(words)}</p>"}
        tables = [nodes_table(search)] + ([path_table(search)] if search.steps else [])
        typed = [self.grid_text.value, self.from_text.value]
        plain = [*map(grid_text, tables), *typed]
        html = [start_figure(search), *map(grid_html, tables)]
        html += [f"<pre>{escape(words)}</pre>" for words in typed]
        if self.result is not None:
            plain.append(self.result.to_text())
            html.append(self.result.to_html())
        return {"text/plain": "\n\n".join(plain), "text/html": "\n".join(html)}
