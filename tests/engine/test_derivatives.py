"""Scores and Hessians of every likelihood against central differences.

A central difference with step h has an error of order h^2 and rounding of order eps/h: with h = 1e-5
some 1e-10 of the function's size, which is 10 to 1000 here. Scores are compared to 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from memagic.engine.laplace import LaplaceObjective
from memagic.engine.linear import LinearObjective
from memagic.engine.nodes import Method
from memagic.engine.objective import Objective
from memagic.engine.plain import PlainObjective
from memagic.engine.problem import Level, Problem
from memagic.engine.quadrature import QuadratureObjective, evaluate_block, value_block

Array = NDArray[np.float64]
Maker = Callable[..., tuple[Problem, Array]]

FAMILIES = (
    "bernoulli-logit",
    "binomial-logit",
    "bernoulli-probit",
    "binomial-probit",
    "bernoulli-cloglog",
    "binomial-cloglog",
    "poisson-log",
    "gaussian-identity",
    "gaussian-log",
)
EFFECTS = (
    ("independent", 1),
    ("independent", 2),
    ("identity", 2),
    ("exchangeable", 2),
    ("unstructured", 2),
    ("unstructured", 3),
)
METHODS: tuple[Method, ...] = ("ghermite", "mcaghermite", "mvaghermite")


def differences(function: Callable[[Array], Array], theta: Array, step: float = 1e-5) -> Array:
    """Central differences of a function of theta; the last axis runs over theta."""
    columns = []
    for a in range(len(theta)):
        shift = np.zeros(len(theta))
        shift[a] = step
        columns.append((function(theta + shift) - function(theta - shift)) / (2.0 * step))
    return np.stack(columns, axis=-1)


def close(ours: Array, theirs: Array, tolerance: float = 1e-6) -> None:
    assert np.isfinite(ours).all()
    scale = 1.0 + np.abs(theirs).max()
    assert np.abs(ours - theirs).max() < tolerance * scale


def one_cluster(problem: Problem, j: int) -> Problem:
    """The rows of cluster j as a problem of their own."""
    assert problem.offset is not None
    (level,) = problem.levels
    rows = level.cluster == j
    trials = problem.trials if isinstance(problem.trials, float) else problem.trials[rows]
    return replace(
        problem,
        y=problem.y[rows],
        x=problem.x[rows],
        offset=problem.offset[rows],
        trials=trials,
        levels=(Level(np.zeros(int(rows.sum()), dtype=np.intp), level.z[rows], level.structure),),
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("structure", "q"), EFFECTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_quadrature_with_nodes_held(
    family: str, structure: str, q: int, method: Method, model: Maker
) -> None:
    problem, theta = model(family, structure, q)
    objective = QuadratureObjective(problem, method, 4)
    blocks = list(zip(objective.blocks, objective.place(theta), strict=True))
    rule = objective.rule

    def values(at: Array) -> Array:
        parts = [value_block(problem, block, rule, held, problem.unpack(at)) for block, held in blocks]
        return np.concatenate(parts)

    def gradient(at: Array) -> Array:
        parts = [evaluate_block(problem, block, rule, held, problem.unpack(at)) for block, held in blocks]
        return np.asarray(np.concatenate([part.scores for part in parts]).sum(axis=0))

    here = objective.evaluate(theta)
    close(here.scores, differences(values, theta))
    close(here.hessian, differences(gradient, theta))
    close(here.hessian, here.hessian.T, 1e-13)
    constant = float(problem.family.constant(problem.y, problem.trials).sum())
    assert here.value == pytest.approx(values(theta).sum() + constant, rel=1e-12)
    # A second search for the nodes starts elsewhere: equal to what the adaptation leaves.
    assert objective.value(theta) == pytest.approx(here.value, rel=1e-10)


@pytest.mark.parametrize(("structure", "q"), EFFECTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_laplace(family: str, structure: str, q: int, model: Maker) -> None:
    # For a normal response with the log link the posterior can have two modes; at this theta it has one.
    problem, theta = model(family, structure, q)
    objective = LaplaceObjective(problem)
    here = objective.evaluate(theta)
    close(here.gradient, differences(lambda at: np.array(objective.value(at)), theta), 1e-5)
    # The Hessian is itself a difference of scores; this is one with another step.
    close(here.hessian, differences(lambda at: objective.scores(at)[1].sum(axis=0), theta, 1e-4), 1e-5)
    assert objective.value(theta) == pytest.approx(here.value, rel=1e-12)


@pytest.mark.parametrize(("structure", "q"), EFFECTS)
def test_linear(structure: str, q: int, model: Maker) -> None:
    problem, theta = model("gaussian-identity", structure, q)
    objective = LinearObjective(problem)
    here = objective.evaluate(theta)
    close(here.gradient, differences(lambda at: np.array(objective.value(at)), theta))
    close(here.hessian, differences(lambda at: objective.evaluate(at).gradient, theta))
    assert objective.value(theta) == pytest.approx(here.value, rel=1e-13)


@pytest.mark.parametrize("family", FAMILIES)
def test_plain(family: str, model: Maker) -> None:
    problem, theta = model(family)
    problem = replace(problem, levels=())
    theta = np.delete(theta, problem.p)
    objective = PlainObjective(problem)
    here = objective.evaluate(theta)
    assert here.scores.shape == (len(problem.y), len(theta))
    close(here.gradient, differences(lambda at: np.array(objective.value(at)), theta))
    close(here.hessian, differences(lambda at: objective.evaluate(at).gradient, theta))
    assert objective.value(theta) == pytest.approx(here.value, rel=1e-13)


def quadrature(problem: Problem) -> Objective:
    return QuadratureObjective(problem, "mvaghermite", 5)


@pytest.mark.parametrize(
    ("family", "objective"),
    [
        ("binomial-probit", quadrature),
        ("gaussian-log", quadrature),
        ("binomial-probit", LaplaceObjective),
        ("gaussian-log", LaplaceObjective),
        ("gaussian-identity", LinearObjective),
    ],
)
def test_a_cluster_scores_by_itself(
    family: str, objective: Callable[[Problem], Objective], model: Maker
) -> None:
    problem, theta = model(family, "unstructured", 2)
    whole = objective(problem).evaluate(theta)
    alone = [objective(one_cluster(problem, j)).evaluate(theta) for j in range(problem.n_clusters)]
    # The adaptation stops for a block as a whole, at 1e-11 of its log likelihood.
    assert whole.value == pytest.approx(sum(part.value for part in alone), rel=1e-10)
    close(whole.scores, np.stack([part.gradient for part in alone]), 1e-7)
    close(whole.hessian, np.sum([part.hessian for part in alone], axis=0), 1e-6)


@pytest.mark.parametrize(("structure", "q"), EFFECTS)
def test_jacobian_of_the_reported_variances(structure: str, q: int, model: Maker) -> None:
    problem, theta = model("poisson-log", structure, q)
    kind = problem.structure
    assert kind is not None
    omega = problem.unpack(theta).omega
    close(kind.jacobian(omega), differences(kind.reported, omega), 1e-9)
    sigma = kind.sigma(omega)
    assert np.allclose(kind.reported(omega), [sigma[r, c] for r, c in kind.entries])
    assert np.allclose(kind.sigma(kind.start), np.eye(q))
