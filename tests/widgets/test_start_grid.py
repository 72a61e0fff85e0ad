"""The start-grid explorer, driven from Python as a page would drive it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

import memagic
from memagic import CommandError
from memagic.commands.exploration import explore
from memagic.display.formats import g
from memagic.widgets.drawing import Scale, ticks
from memagic.widgets.exploration import Axis, Component, Exploration, Node, Step, Texts
from memagic.widgets.start_grid import StartGrid

Data = Callable[[str], pd.DataFrame]
COMMAND = "melogit c_use age || district: i.urban, covariance(unstructured)"
SECONDS = 60.0


class Fitted:
    """A result of nothing."""

    converged = True
    llf = -1.0

    def to_html(self) -> str:
        return "<p>fitted</p>"

    def to_text(self) -> str:
        return "fitted"


def made_up(n: int = 2, values: tuple[float, ...] = (0.1, 1.0, 10.0), **functions: Any) -> Exploration:
    """An exploration of a made-up likelihood with its maximum at ones; values above 5 are not feasible."""
    components = tuple(Component(f"x{k}[id]", f"/var(x{k}[id])", False, 1.0) for k in range(n))

    def nodes(axes: Any) -> tuple[Node, ...]:
        found = [Node(0, (1.0,) * n)]
        rows: list[tuple[float, ...]] = [()]
        for axis in axes:
            rows = [(*row, value) for row in rows for value in axis.values]
        for number, row in enumerate(rows, start=1):
            point = [1.0] * n
            for axis, value in zip(axes, row, strict=True):
                point[axis.component] = value
            found.append(Node(number, tuple(point)))
        return tuple(found)

    def value(node: Node) -> float:
        return float("nan") if max(node.values) > 5.0 else -sum((v - 1.0) ** 2 for v in node.values)

    def fit(node: Node, line: Callable[[str], None], step: Callable[[Step], None]) -> Fitted:
        line("Fitting full model:")
        step(Step(0, value(node), node.values))
        step(Step(1, 0.0, (1.0,) * n))
        return Fitted()

    def texts(axes: Any, node: Node) -> Texts:
        return Texts("grid", f"node {node.number}", "command grid", f"command node {node.number}")

    axes = tuple(Axis(k, values) for k in range(n))
    given: dict[str, Any] = {"nodes": nodes, "value": value, "fit": fit, "texts": texts, **functions}
    return Exploration("command", components, axes, **given)


def drawing(html: str) -> ElementTree.Element:
    """The SVG of a figure, which has to be well-formed."""
    match = re.search(r"<svg.*</svg>", html, re.DOTALL)
    assert match is not None
    return ElementTree.fromstring(match[0])


def parts(svg: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [element for element in svg.iter() if element.tag.endswith(kind)]


def test_the_grid_is_that_of_the_command(shared_data: Data) -> None:
    data = shared_data("bangladesh")
    explorer = memagic.explore_start(f"{COMMAND} startgrid(.1 1 _cons[district] 1.urban[district])", data)
    assert [row.varies.value for row in explorer.rows] == [True, True, False]
    explorer.rows[1].values.value = "0(.5)1"
    explorer.run()
    explorer.wait(SECONDS)
    lines = [
        line for line in memagic.run(explorer.grid_text.value, data).estimates.log if "Grid node" in line
    ]
    assert len(lines) == 7
    assert [g(explorer.search.values[k], 10) for k in range(7)] == [line.split()[-1] for line in lines]
    for line in lines:
        assert f"<td>{line.split()[-1]}</td>" in explorer.table.value
    assert explorer.count.value == "7 of 7 nodes"
    assert explorer.progress.value == explorer.progress.max == 7


def test_fit_from_a_node_and_keep_it(shared_data: Data) -> None:
    session = memagic.Session(shared_data("bangladesh"))
    before = session.run("melogit c_use age || district:, intmethod(laplace)")
    explorer = session.explore_start(COMMAND)
    explorer.run()
    explorer.wait(SECONDS)
    explorer.buttons.nodes.value = 1
    explorer.buttons.fit.click()
    explorer.wait(SECONDS)
    assert explorer.result is not None
    assert explorer.result.converged
    assert session.last is before
    assert "Mixed-effects logistic regression" in explorer.output.value
    assert explorer.status.value.count("The fit from grid node 1 converged.") == 1
    path = drawing(explorer.picture.value)
    assert len(parts(path, "circle")) == len(explorer.search.steps)
    again = memagic.run(explorer.from_text.value, shared_data("bangladesh"))
    first = next(line for line in again.estimates.log if "Grid node 0" in line)
    assert first.split()[-1] == g(explorer.search.values[1], 10)
    assert again.llf == explorer.result.llf
    explorer.buttons.keep.click()
    assert session.last is explorer.result
    static = explorer._repr_mimebundle_()
    assert explorer.from_text.value in static["text/plain"]
    assert "Path of the maximizer" in static["text/html"]


def test_stop_leaves_the_nodes_so_far() -> None:
    reached, go_on = Event(), Event()

    def value(node: Node) -> float:
        if node.number == 3:
            reached.set()
            assert go_on.wait(SECONDS)
        return -float(node.number)

    explorer = StartGrid(made_up(value=value))
    explorer.buttons.run.click()
    assert reached.wait(SECONDS)
    assert explorer.buttons.run.disabled
    assert not explorer.buttons.stop.disabled
    explorer.buttons.stop.click()
    go_on.set()
    explorer.wait(SECONDS)
    assert explorer.search.values == {0: -0.0, 1: -1.0, 2: -2.0, 3: -3.0}
    assert "Stopped." in explorer.status.value
    assert "4 of 10 nodes so far" in explorer.table.value
    assert [number for _, number in explorer.buttons.nodes.options] == [-1, 0, 1, 2, 3]
    assert explorer.buttons.stop.disabled
    assert not explorer.buttons.run.disabled


def test_stop_of_a_fit_keeps_its_path(shared_data: Data) -> None:
    exploration = explore(memagic.Session(shared_data("bangladesh")).prepared(COMMAND))

    def fit(node: Node, line: Callable[[str], None], step: Callable[[Step], None]) -> Any:
        def hear(at: Step) -> None:
            if at.number == 2:
                explorer.buttons.stop.click()
            step(at)

        return exploration.fit(node, line, hear)

    explorer = StartGrid(replace(exploration, fit=fit))
    explorer.fit(0)
    explorer.wait(SECONDS)
    assert "Stopped." in explorer.status.value
    assert [step.number for step in explorer.search.steps] == [0, 1, 2]
    assert explorer.result is not None
    assert not explorer.result.converged
    assert explorer.output.value


def test_infeasible_nodes_are_shown_as_such() -> None:
    explorer = StartGrid(made_up())
    explorer.run()
    explorer.wait(SECONDS)
    assert len(re.findall(r"<td[^>]*>\.</td>", explorer.table.value)) == 5
    assert "5 of them are not feasible" in explorer.status.value
    assert explorer.search.best == 0
    svg = drawing(explorer.picture.value)
    words = [element.text for element in parts(svg, "text")]
    assert words.count(".") == 5


def test_pictures_are_described_and_without_fixed_text_colours() -> None:
    for n in (1, 2):
        explorer = StartGrid(made_up(n))
        assert explorer.picture.value == ""
        explorer.run()
        explorer.wait(SECONDS)
        explorer.fit()
        explorer.wait(SECONDS)
        svg = drawing(explorer.picture.value)
        names = {element.get("id") for element in (*parts(svg, "title"), *parts(svg, "desc"))}
        assert svg.get("role") == "img"
        assert set((svg.get("aria-labelledby") or "").split()) <= names
        assert "The best is grid node 0" in (parts(svg, "desc")[0].text or "")
        assert svg.get("fill") == "currentColor"
        assert not any(element.get("fill") for element in parts(svg, "text"))
        assert explorer.output.value == "<p>fitted</p>"


def test_three_axes_have_a_table_and_no_picture() -> None:
    explorer = StartGrid(made_up(3))
    explorer.run()
    explorer.wait(SECONDS)
    assert explorer.picture.value == ""
    assert explorer.table.value.count("Grid node") == 28


@pytest.mark.parametrize(
    ("values", "words"), [("a", "invalid numlist"), ("", "too few elements"), (None, "nothing varies")]
)
def test_errors_appear_in_words(values: str | None, words: str) -> None:
    explorer = StartGrid(made_up(1))
    if values is None:
        explorer.rows[0].varies.value = False
    else:
        explorer.rows[0].values.value = values
    explorer.run()
    explorer.wait(SECONDS)
    assert words in explorer.status.value
    assert words in explorer.count.value
    assert explorer.search.values == {}


def test_errors_of_a_fit_appear_in_words(shared_data: Data) -> None:
    explorer = memagic.explore_start(COMMAND, shared_data("bangladesh"))
    explorer.rows[0].varies.value = explorer.rows[1].varies.value = False
    explorer.rows[2].varies.value = True
    explorer.rows[2].values.value = "2"
    explorer.run()
    explorer.wait(SECONDS)
    explorer.fit(1)
    explorer.wait(SECONDS)
    assert "initial values not feasible" in explorer.status.value
    assert explorer.result is None
    assert not explorer.buttons.fit.disabled


def test_a_fit_needs_no_grid() -> None:
    explorer = StartGrid(made_up(1))
    assert explorer.from_text.value == "command node 0"
    explorer.fit()
    explorer.wait(SECONDS)
    assert explorer.result is not None
    with pytest.raises(CommandError, match="no session"):
        explorer.keep()


def test_keep_needs_a_fit() -> None:
    kept: list[Any] = []
    explorer = StartGrid(made_up(1, keep=kept.append))
    with pytest.raises(CommandError, match="no fit"):
        explorer.keep()
    explorer.fit()
    explorer.wait(SECONDS)
    explorer.keep()
    assert kept == [explorer.result]


def test_controls_are_described() -> None:
    explorer = StartGrid(made_up())
    buttons = explorer.buttons
    controls = [c for row in explorer.rows for c in (row.varies, row.values)]
    controls += [buttons.run, buttons.stop, buttons.fit, buttons.keep, buttons.nodes]
    controls += [explorer.grid_text, explorer.from_text]
    assert all(control.description and control.tooltip for control in controls)
    assert explorer.rows[0].values.disabled is False
    explorer.rows[0].varies.value = False
    assert explorer.rows[0].values.disabled is True


def test_a_new_grid_forgets_the_path() -> None:
    explorer = StartGrid(made_up(1))
    explorer.fit()
    explorer.wait(SECONDS)
    assert explorer.path.value
    explorer.rows[0].values.value = ".5 1 2"
    explorer.run()
    explorer.wait(SECONDS)
    assert explorer.path.value == ""
    assert explorer.search.steps == ()
    assert explorer.buttons.nodes.value == -1


def test_scale_is_even_and_monotone() -> None:
    scale = Scale((0.1, 10.0, 1.0))
    assert [scale.place(v) for v in (0.1, 1.0, 10.0)] == [0.0, 1.0, 2.0]
    assert scale.place(10**0.5) == pytest.approx(1.5)
    assert scale.place(0.0) == scale.place(-3.0) == -0.5
    assert scale.place(1e9) == 2.5
    mixed = Scale((-10.0, -1.0, 0.0, 1.0))
    places = [mixed.place(v) for v in (-20.0, -10.0, -3.0, -1.0, -0.5, 0.0, 0.25, 1.0, 1.5)]
    assert places == sorted(places)
    assert mixed.place(0.25) == pytest.approx(2.25)
    alone = Scale((2.0,))
    assert alone.place(2.0) == 0.0
    assert -0.5 <= alone.place(0.5) < 0.0 < alone.place(5.0) <= 0.5


def test_ticks_are_round_and_inside() -> None:
    assert ticks(-1.3, 2.1) == pytest.approx([-1.0, 0.0, 1.0, 2.0])
    assert ticks(3.0, 3.0) == [3.0]
