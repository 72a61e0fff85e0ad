"""The maximizer: saddle points, step halving, the stopping rules, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from memagic.engine.events import Event, GridNode, Iteration, StageStarted, silent
from memagic.engine.fit import Settings, fit, make_objective
from memagic.engine.maximize import Coordinates, Stopping, maximize
from memagic.engine.nodes import Method
from memagic.engine.objective import Evaluation
from memagic.engine.problem import Problem

Array = NDArray[np.float64]
Maker = Callable[..., tuple[Problem, Array]]
Derivatives = Callable[[Array], tuple[float, Array, Array]]


class Function:
    """A function with its gradient and Hessian, as an objective."""

    def __init__(self, derivatives: Derivatives) -> None:
        self._derivatives = derivatives

    def value(self, theta: Array) -> float:
        return self._derivatives(theta)[0]

    def evaluate(self, theta: Array) -> Evaluation:
        value, gradient, hessian = self._derivatives(theta)
        return Evaluation(value, gradient[None, :], hessian)


def quadratic(theta: Array) -> tuple[float, Array, Array]:
    curvature = np.array([[2.0, 0.5], [0.5, 1.0]])
    away = theta - np.array([1.0, -3.0])
    return float(-0.5 * away @ curvature @ away), -curvature @ away, -curvature


def log_cosh(theta: Array) -> tuple[float, Array, Array]:
    """Concave; Newton's step from beyond 1.09 overshoots."""
    x = float(theta[0])
    return -float(np.log(np.cosh(x))), np.array([-np.tanh(x)]), np.array([[-(np.cosh(x) ** -2.0)]])


def two_peaks(theta: Array) -> tuple[float, Array, Array]:
    """Maxima at (1, 0) and (-1, 0), a saddle between them."""
    x, y = theta
    value = -((x * x - 1.0) ** 2) - y * y
    return (
        float(value),
        np.array([-4.0 * x * (x * x - 1.0), -2.0 * y]),
        np.diag([-12.0 * x * x + 4.0, -2.0]),
    )


def quartic(theta: Array) -> tuple[float, Array, Array]:
    """The maximum at zero has no curvature: Newton's method takes a third off at every step."""
    x = float(theta[0])
    return -(x**4), np.array([-4.0 * x**3]), np.array([[-12.0 * x * x]])


def test_one_step_on_a_quadratic() -> None:
    maximum = maximize(Function(quadratic), np.zeros(2), Stopping(), silent)
    assert maximum.converged
    assert maximum.concave
    assert maximum.theta == pytest.approx([1.0, -3.0], rel=1e-14)
    # The log likelihood still changed in the first step; the second finds that nothing does.
    assert maximum.iterations == 2
    assert len(maximum.log) == 3


def test_halving_is_told() -> None:
    events: list[Event] = []
    maximum = maximize(Function(log_cosh), np.array([1.5]), Stopping(), events.append)
    assert maximum.converged
    assert maximum.theta == pytest.approx([0.0], abs=1e-8)
    iterations = [event for event in events if isinstance(event, Iteration)]
    assert [event.number for event in iterations] == list(range(maximum.iterations + 1))
    assert [event.value for event in iterations] == list(maximum.log)
    assert any(event.backed_up for event in iterations)
    assert not iterations[0].backed_up
    assert all(later >= earlier for earlier, later in zip(maximum.log, maximum.log[1:], strict=False))


@pytest.mark.parametrize("start", [[0.0, 0.0], [0.0, 2.0], [1e-9, 0.5], [-0.2, 0.0]])
def test_a_saddle_point_is_left(start: list[float]) -> None:
    events: list[Event] = []
    maximum = maximize(Function(two_peaks), np.array(start), Stopping(), events.append)
    assert maximum.converged
    assert np.abs(maximum.theta) == pytest.approx([1.0, 0.0], abs=1e-7)
    assert events[0] == Iteration(0, two_peaks(np.array(start))[0], not_concave=True)


def test_a_limit_on_steps_is_kept() -> None:
    visited: list[Array] = []

    def watched(theta: Array) -> tuple[float, Array, Array]:
        visited.append(theta)
        return quadratic(theta)

    def limit(theta: Array) -> Array:
        return np.array([np.inf, 0.5])

    maximum = maximize(Function(watched), np.zeros(2), Stopping(), silent, Coordinates(np.eye(2), limit))
    assert maximum.converged
    assert maximum.theta == pytest.approx([1.0, -3.0], rel=1e-12)
    steps = np.abs(np.diff(np.stack(visited), axis=0))
    assert steps[:, 1].max() <= 0.5 + 1e-12


def rules(before: Array, after: Array) -> tuple[float, float, float]:
    """The three measures of the manual for a step of the quartic."""
    value, gradient, hessian = quartic(after)
    change = float(np.abs(after - before).max() / (np.abs(before).max() + 1.0))
    gain = abs(value - quartic(before)[0]) / (abs(quartic(before)[0]) + 1.0)
    return change, gain, float(gradient @ gradient / -hessian[0, 0])


@pytest.mark.parametrize(
    "stopping",
    [
        Stopping(tolerance=1e-2, ltolerance=0.0, nrtolerance=None),
        Stopping(tolerance=1e-3, ltolerance=0.0, nrtolerance=None),
        Stopping(tolerance=0.0, ltolerance=1e-5, nrtolerance=None),
        Stopping(tolerance=0.0, ltolerance=1e-9, nrtolerance=None),
        Stopping(tolerance=1e-1, ltolerance=1e-1, nrtolerance=1e-3),
        Stopping(tolerance=1e-1, ltolerance=1e-1, nrtolerance=1e-8),
        Stopping(),
    ],
)
def test_tolerances_are_kept(stopping: Stopping) -> None:
    maximum = maximize(Function(quartic), np.array([3.0]), stopping, silent)
    assert maximum.converged
    # Steps are known: x becomes 2x/3. The first that meets the rules is the last.
    x = np.array([3.0])
    number, settled = 0, False
    while not settled:
        number += 1
        before, x = x, 2.0 * x / 3.0
        change, gain, gradient = rules(before, x)
        settled = change <= stopping.tolerance or gain <= stopping.ltolerance
        settled = settled and (stopping.nrtolerance is None or gradient < stopping.nrtolerance)
    value = quartic(x)[0]
    assert maximum.log[number] == pytest.approx(value, rel=1e-9)
    # What polishing adds is one more line, where the printed digits show it.
    polished = abs(maximum.evaluation.value - value) > 1e-8 * (1.0 + abs(value))
    assert maximum.iterations == number + int(polished)
    assert maximum.log[-1] == (maximum.evaluation.value if polished else maximum.log[number])


@pytest.mark.parametrize("iterate", [0, 1, 3])
def test_a_limit_on_iterations_is_kept(iterate: int) -> None:
    maximum = maximize(Function(quartic), np.array([3.0]), Stopping(iterate=iterate), silent)
    assert not maximum.converged
    assert maximum.iterations == iterate
    assert maximum.theta == pytest.approx([3.0 * (2.0 / 3.0) ** iterate], rel=1e-12)


def test_nothing_to_estimate() -> None:
    def constant(theta: Array) -> tuple[float, Array, Array]:
        return -7.0, np.empty(0), np.empty((0, 0))

    maximum = maximize(Function(constant), np.empty(0), Stopping(), silent)
    assert maximum.evaluation.value == -7.0


@pytest.mark.parametrize(
    ("family", "method"),
    [("binomial-logit", "mvaghermite"), ("binomial-logit", "laplace"), ("gaussian-identity", "mvaghermite")],
)
@pytest.mark.parametrize(("structure", "q"), [("independent", 1), ("unstructured", 2)])
def test_a_start_without_variances_is_left(
    family: str, method: Method, structure: str, q: int, model: Maker
) -> None:
    # Zero standard deviations are a stationary point of the likelihood, which is even in them.
    problem, theta = model(family, structure, q, sizes=(8,) * 30, seed=4)
    assert problem.structure is not None
    settings = Settings(method)
    whole = fit(problem, settings)
    assert whole.converged
    start = theta.copy()
    start[problem.p : problem.p + problem.structure.size] = 0.0
    objective = make_objective(problem, settings)
    assert np.abs(objective.evaluate(start).gradient[problem.p : problem.p + 1]).max() < 1e-8
    found = maximize(objective, start, Stopping(), silent)
    assert found.converged
    assert found.evaluation.value == pytest.approx(whole.log_likelihood, rel=1e-9)


def test_a_fit_tells_its_stages(model: Maker) -> None:
    problem, _ = model("poisson-log", sizes=(6,) * 12)
    events: list[Event] = []
    fitted = fit(problem, Settings(), events.append)
    stages = [event.stage for event in events if isinstance(event, StageStarted)]
    assert stages == ["fixed", "grid", "full"]
    grid = next(k for k, event in enumerate(events) if isinstance(event, GridNode))
    first = events[grid + 2]
    assert isinstance(events[grid], GridNode)
    assert isinstance(first, Iteration)
    # The start of the full model is the grid's node.
    assert first.number == 0
    assert [event.value for event in events[grid + 2 :] if isinstance(event, Iteration)] == list(fitted.log)
    assert fitted.iterations == len(fitted.log) - 1
    # The last line of the log and the header show one number.
    assert f"{fitted.log[-1]:.8g}" == f"{fitted.log_likelihood:.8g}"
    # Stationary: a unit step in any direction by the Hessian would gain less than 1e-12.
    information = np.diag(fitted.covariance)
    assert np.abs(fitted.gradient[: problem.p] * np.sqrt(information[: problem.p])).max() < 1e-6


def test_a_fit_without_random_effects_has_one_stage(model: Maker) -> None:
    problem, _ = model("poisson-log", sizes=(6,) * 12)
    events: list[Event] = []
    plain = fit(replace(problem, levels=()), Settings(), events.append)
    assert plain.converged
    assert plain.log_likelihood_plain is None
    assert all(isinstance(event, Iteration) for event in events)
