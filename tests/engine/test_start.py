"""Starting values: methods, given values, grids, and the steps of the techniques."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from memagic.engine.events import Event, GridNode, Iteration, StageStarted, TechniqueSet, silent
from memagic.engine.fit import Settings, fit, make_objective
from memagic.engine.grid import grid_search
from memagic.engine.maximize import Search
from memagic.engine.nodes import Method
from memagic.engine.objective import Evaluation
from memagic.engine.problem import Problem
from memagic.engine.space import from_reported, to_reported
from memagic.engine.start import (
    GridAxis,
    NotFeasible,
    StartName,
    StartSettings,
    starting_point,
)
from memagic.engine.steps import TechniqueName, newton_step, plain_coordinates

Array = NDArray[np.float64]
Maker = Callable[..., tuple[Problem, Array]]

SIZES = tuple(range(3, 23))


class OnlySmall:
    """Feasible for a first variance of at most `most`; best where it is `best`."""

    def __init__(self, problem: Problem, most: float, best: float = 0.1) -> None:
        self._problem, self._most, self._best = problem, most, best

    def value(self, theta: Array) -> float:
        variance = float(to_reported(self._problem, theta)[self._problem.p])
        return -abs(variance - self._best) if variance <= self._most else float("nan")

    def evaluate(self, theta: Array) -> Evaluation:
        raise NotImplementedError


@pytest.mark.parametrize("structure", ["independent", "identity", "exchangeable", "unstructured"])
@pytest.mark.parametrize("q", [1, 2])
def test_elements_of_sigma_and_back(model: Maker, structure: str, q: int) -> None:
    problem, theta = model("gaussian-identity", structure, q)
    values = to_reported(problem, theta)
    np.testing.assert_allclose(to_reported(problem, from_reported(problem, values)), values, rtol=1e-12)


@pytest.mark.parametrize(
    ("structure", "entries"),
    [
        ("independent", [-1.0, 1.0]),
        ("identity", [-1.0]),
        ("unstructured", [1.0, 1.0, 2.0]),
        ("unstructured", [0.0, 1.0, 0.5]),
        ("unstructured", [np.nan, 1.0, 0.5]),
        ("exchangeable", [1.0, 2.0]),
    ],
)
def test_no_covariance_matrix(model: Maker, structure: str, entries: list[float]) -> None:
    problem, _ = model("bernoulli-logit", structure, 2)
    with pytest.raises(np.linalg.LinAlgError):
        from_reported(problem, np.array([0.0, 0.0, *entries]))


@pytest.mark.parametrize("family", ["bernoulli-logit", "poisson-log", "gaussian-identity"])
def test_methods_build_on_each_other(model: Maker, family: str) -> None:
    problem, _ = model(family, "unstructured", 2, SIZES)
    names: tuple[StartName, ...] = ("zero", "constantonly", "fixedonly", "iv")
    settings = [StartSettings(name, constant=1) for name in names]
    zero, constant, fixed, iv = (starting_point(problem, s, silent).values for s in settings)
    np.testing.assert_array_equal(zero[:2], 0.0)
    np.testing.assert_allclose(zero[2:5], [1, 1, 0])
    assert constant[0] == 0.0
    assert constant[1] != 0.0
    np.testing.assert_array_equal(iv[:2], fixed[:2])
    assert (iv[2:4] > 0.0).all()
    assert not np.allclose(iv[2:4], fixed[2:4])


@pytest.mark.parametrize("method", ["zero", "constantonly", "fixedonly", "iv"])
def test_the_maximum_does_not_depend_on_the_method(model: Maker, method: StartName) -> None:
    problem, _ = model("poisson-log", "independent", 1, SIZES)
    default = fit(problem, Settings())
    found = fit(problem, Settings(start=StartSettings(method, constant=1)))
    np.testing.assert_allclose(found.estimates, default.estimates, atol=1e-6)
    assert found.log_likelihood_plain == pytest.approx(default.log_likelihood_plain, abs=1e-8)


def test_iterations_of_the_fixed_model_are_limited(model: Maker) -> None:
    problem, _ = model("bernoulli-logit", "independent", 1, SIZES)
    whole = starting_point(problem, StartSettings(), silent)
    short = starting_point(problem, StartSettings(iterations=0), silent)
    assert not np.allclose(whole.values, short.values, atol=1e-8)
    assert short.comparison == pytest.approx(whole.comparison, abs=1e-8)


def search(problem: Problem, objective: OnlySmall, settings: StartSettings) -> tuple[Array, list[GridNode]]:
    nodes: list[GridNode] = []

    def hear(event: Event) -> None:
        if isinstance(event, GridNode):
            nodes.append(event)

    start = starting_point(problem, settings, silent)
    theta = grid_search(problem, objective, start, settings, hear)
    return to_reported(problem, theta), nodes


def test_all_combinations_are_tried(model: Maker) -> None:
    problem, _ = model("bernoulli-logit", "unstructured", 2, SIZES)
    axes = (GridAxis(2, (0.1, 0.5)), GridAxis(4, (-0.2, 0.2, 5.0)))
    best, nodes = search(problem, OnlySmall(problem, 2.0, 0.5), StartSettings(grid=axes))
    assert [node.number for node in nodes] == list(range(7))
    assert [bool(np.isnan(node.value)) for node in nodes] == [False, False, False, True, False, False, True]
    np.testing.assert_allclose(best[2:4], [0.5, 1.0])


def test_an_infeasible_start_has_the_minimal_grid(model: Maker) -> None:
    problem, _ = model("bernoulli-logit", "unstructured", 2, SIZES)
    best, nodes = search(problem, OnlySmall(problem, 0.5), StartSettings())
    assert len(nodes) == 1 + 9
    assert np.isnan(nodes[0].value)
    assert best[2] == pytest.approx(0.1)
    with pytest.raises(NotFeasible):
        search(problem, OnlySmall(problem, 0.0), StartSettings())


@pytest.mark.parametrize("technique", ["bhhh", "dfp", "bfgs"])
@pytest.mark.parametrize("family", ["bernoulli-logit", "gaussian-identity", "poisson-log"])
def test_techniques_reach_the_same_maximum(model: Maker, family: str, technique: TechniqueName) -> None:
    problem, _ = model(family, "independent", 1, SIZES)
    newton = fit(problem, Settings())
    found = fit(problem, Settings(search=Search(((technique, 5),))))
    assert found.converged
    assert found.log[1] != newton.log[1]
    np.testing.assert_allclose(found.estimates, newton.estimates, atol=1e-6)


def test_techniques_take_turns(model: Maker) -> None:
    problem, _ = model("bernoulli-logit", "independent", 1, SIZES)
    events: list[Event] = []
    found = fit(problem, Settings(search=Search((("bhhh", 2), ("nr", 100)))), events.append)
    full = events[events.index(StageStarted("full")) :]
    told = [event for event in full if isinstance(event, TechniqueSet)]
    assert told == [TechniqueSet("bhhh", first=True), TechniqueSet("nr", first=False)]
    assert sum(isinstance(event, Iteration) for event in full[: full.index(told[1])]) == 3
    assert found.converged


def test_difficult_goes_up_the_gradient_where_the_curvature_is_wrong() -> None:
    at = Evaluation(0.0, np.array([[1.0, 2.0]]), np.array([[-1.0, 3.0], [3.0, -1.0]]))
    usual, hybrid = (newton_step(at, plain_coordinates(2), difficult) for difficult in (False, True))
    assert not hybrid.concave
    assert not np.allclose(usual.direction, hybrid.direction)
    along = np.array([1.0, 1.0]) / np.sqrt(2.0)
    assert along @ hybrid.direction == pytest.approx(along @ [1.0, 2.0])
    assert along @ usual.direction == pytest.approx(along @ [1.0, 2.0] / 2.0)


@pytest.mark.parametrize("method", ["mvaghermite", "ghermite", "laplace"])
@pytest.mark.parametrize("family", ["bernoulli-logit", "gaussian-identity"])
def test_numerical_derivatives(model: Maker, family: str, method: Method) -> None:
    problem, theta = model(family, "unstructured", 2)
    settings = Settings(method, 5)
    exact = make_objective(problem, settings).evaluate(theta)
    found = make_objective(problem, replace(settings, numerical=True)).evaluate(theta)
    assert found.value == pytest.approx(exact.value, abs=1e-9)
    np.testing.assert_allclose(found.scores, exact.scores, atol=1e-5)
    np.testing.assert_allclose(found.hessian, exact.hessian, atol=1e-3)
    assert not np.array_equal(found.scores, exact.scores)


def test_starting_values_are_not_maximized(model: Maker) -> None:
    problem, _ = model("poisson-log", "independent", 1, SIZES)
    found = fit(problem, Settings(estimate=False, start=StartSettings(given=((2, 0.3),))))
    assert not found.converged
    assert found.iterations == 0
    assert found.estimates[2] == pytest.approx(0.3)
