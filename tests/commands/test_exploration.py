"""The start of a model explored: a grid's values, fits from its nodes, and what reproduces them."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError
from memagic.commands.constrained import Definitions
from memagic.commands.exploration import (
    Ground,
    explore,
    fit_from,
    log_likelihood_at,
    nodes_of,
    survey,
    texts_of,
)
from memagic.commands.model import prepare
from memagic.display.log_lines import grid_line
from memagic.errors import Break
from memagic.spec.parser import parse_command
from memagic.widgets.exploration import Axis, Step

Data = Callable[[str], pd.DataFrame]
SLOPE = "melogit c_use age || district: i.urban, covariance(unstructured)"


def ground_of(command: str, data: pd.DataFrame) -> Ground:
    return survey(prepare(parse_command(command), data, Definitions()))


def grid_lines(result: memagic.results.MEResults) -> list[str]:
    return [line for line in result.estimates.log if line.startswith("Grid node")]


@pytest.mark.parametrize(
    ("command", "name", "components"),
    [
        ("melogit c_use age || district:", "bangladesh", {"_cons[district]": 1.0}),
        (
            SLOPE,
            "bangladesh",
            {"1.urban[district]": 1.0, "_cons[district]": 1.0, "1.urban[district]*_cons[district]": 0.0},
        ),
        (
            "melogit c_use age || district: urban, covariance(exchangeable)",
            "bangladesh",
            {"urban[district]": 1.0, "urban[district]*_cons[district]": 0.0},
        ),
        (
            "meglm attain sex || pid:, from(/var(_cons[pid]) = 2 /var(e.attain) = 5)",
            "fifeschool",
            {"_cons[pid]": 2.0, "e.attain": 5.0},
        ),
    ],
)
def test_components_have_the_names_of_startgrid(
    shared_data: Data, command: str, name: str, components: dict[str, float]
) -> None:
    ground = ground_of(command, shared_data(name))
    assert {c.name: c.start for c in ground.components} == pytest.approx(components)
    # Every name is one that startgrid() takes, and means this component.
    for k, component in enumerate(ground.components):
        nodes = nodes_of(ground, (Axis(k, (0.25,)),))
        assert [node.values[k] for node in nodes] == [pytest.approx(component.start), 0.25]
        others = [j for j in range(len(components)) if j != k]
        assert all(nodes[1].values[j] == nodes[0].values[j] for j in others)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (
            f"{SLOPE} startgrid(.1 1 _cons[district]) startgrid(-1 .1 1.urban[district]*_cons[district])",
            "bangladesh",
        ),
        ("meglm attain i.sex || sid:, startgrid(.5 5 e.attain _cons[sid])", "fifeschool"),
        ("melogit c_use age || district:, intmethod(laplace) startgrid", "bangladesh"),
    ],
)
def test_grid_is_that_of_the_command(shared_data: Data, command: str, name: str) -> None:
    data = shared_data(name)
    exploration = explore(prepare(parse_command(command), data, Definitions()))
    nodes = exploration.nodes(exploration.axes)
    lines = [grid_line(node.number, exploration.value(node)) for node in nodes]
    assert lines == grid_lines(memagic.run(command, data))
    # What it says to type has the same grid.
    texts = exploration.texts(exploration.axes, nodes[0])
    assert lines == grid_lines(memagic.run(texts.with_startgrid, data))


def test_infeasible_nodes_are_missing_and_not_fitted(shared_data: Data) -> None:
    ground = ground_of(SLOPE, shared_data("bangladesh"))
    nodes = nodes_of(ground, (Axis(2, (0.5, 2.0)),))
    values = [log_likelihood_at(ground, node) for node in nodes]
    assert [isfinite(value) for value in values] == [True, True, False]
    with pytest.raises(CommandError, match="initial values not feasible"):
        fit_from(ground, nodes[2])


def test_a_fit_starts_at_its_node_and_is_reproduced(shared_data: Data) -> None:
    data = shared_data("bangladesh")
    ground = ground_of(f"{SLOPE} from(age = .02)", data)
    axes = (Axis(1, (0.1, 3.0)), Axis(2, (-0.2,)))
    node = nodes_of(ground, axes)[2]
    steps: list[Step] = []
    lines: list[str] = []
    fit = fit_from(ground, node, lines.append, steps.append)
    assert node.values == pytest.approx((1.0, 3.0, -0.2))
    assert steps[0].log_likelihood == pytest.approx(log_likelihood_at(ground, node), abs=1e-8)
    assert steps[0].values == pytest.approx(node.values)
    assert [step.number for step in steps] == list(range(len(steps)))
    assert tuple(step.log_likelihood for step in steps) == fit.estimates.fit.log
    places = ["/var(1.urban[district])", "/var(_cons[district])", "/cov(1.urban[district],_cons[district])"]
    assert steps[-1].values == pytest.approx(tuple(fit.params[places]), rel=1e-4)
    assert [line for line in lines if line] == [line for line in fit.estimates.log if line]
    # The command with from() does the same, its other starting value included.
    texts = texts_of(ground, axes, node)
    assert "age = .02" in texts.from_
    again = memagic.run(texts.with_from, data)
    assert again.estimates.log == fit.estimates.log
    assert again.e["cmdline"] == fit.e["cmdline"] == texts.with_from
    assert np.array_equal(again.params, fit.params)


def test_options_of_the_start_are_replaced_and_others_kept(shared_data: Data) -> None:
    command = "melogit c_use age || district:, startgrid(1) from(age = 0) noestimate intpoints(5)"
    ground = ground_of(command, shared_data("bangladesh"))
    axes = (Axis(0, (0.5,)),)
    texts = texts_of(ground, axes, nodes_of(ground, axes)[1])
    assert (
        texts.with_startgrid == "melogit c_use age || district:, intpoints(5) startgrid(.5 _cons[district])"
    )
    assert texts.from_ == "from(age = 0 /var(_cons[district]) = .5)"
    fit = fit_from(ground, nodes_of(ground, axes)[1])
    assert fit.converged
    assert fit.estimates.n_points == 5


def test_constraints_hold_what_they_hold(shared_data: Data) -> None:
    data = shared_data("bangladesh")
    session = memagic.Session(data, constraints={1: "/var(1.urban[district]) = 1"})
    ground = survey(session.prepared("melogit c_use age || district: i.urban, constraints(1)"))
    assert [c.name for c in ground.components] == ["_cons[district]"]
    nodes = nodes_of(ground, (Axis(0, (0.1, 1.0)),))
    fit = fit_from(ground, nodes[1])
    assert grid_lines(fit) == [grid_line(0, log_likelihood_at(ground, nodes[1]))]
    assert fit.params["/var(1.urban[district])"] == 1.0


def test_an_interrupt_keeps_what_is_reached(shared_data: Data) -> None:
    ground = ground_of(SLOPE, shared_data("bangladesh"))

    def step(step: Step) -> None:
        if step.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(Break) as raised:
        fit_from(ground, nodes_of(ground, (Axis(1, (0.5,)),))[1], step=step)
    assert isinstance(raised.value.so_far, memagic.results.MEResults)
    assert not raised.value.so_far.converged


@pytest.mark.parametrize(
    ("command", "rc"),
    [("melogit c_use age", 198), ("melogit c_use age || district:, covariance(fixed(A))", 111)],
)
def test_nothing_to_explore(shared_data: Data, command: str, rc: int) -> None:
    with pytest.raises(CommandError) as raised:
        memagic.Session(shared_data("bangladesh")).explore_start(command)
    assert raised.value.rc == rc


def test_what_startgrid_refuses_is_refused(shared_data: Data) -> None:
    ground = ground_of(SLOPE, shared_data("bangladesh"))
    with pytest.raises(CommandError, match="may not be negative"):
        nodes_of(ground, (Axis(0, (-1.0,)),))
    with pytest.raises(CommandError, match="nodes"):
        nodes_of(ground, tuple(Axis(k, tuple(float(v) for v in range(30))) for k in range(3)))
