"""Newton's step: against a solution by elimination, and where the point counts as concave."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from memagic.engine.objective import Evaluation
from memagic.engine.steps import Coordinates, newton_step, plain_coordinates

Array = NDArray[np.float64]


def alike(d: int, apart: float) -> Evaluation:
    """All correlations of -H are 1 - apart: its eigenvalues are `apart` d - 1 times, and about d."""
    information = np.full((d, d), 1.0 - apart)
    np.fill_diagonal(information, 1.0)
    return Evaluation(0.0, np.arange(1.0, d + 1.0)[None], -information)


@pytest.mark.parametrize("d", [1, 4, 30])
def test_the_step_at_a_concave_point(d: int) -> None:
    rng = np.random.default_rng(d)
    wide = rng.normal(size=(2 * d, d)) * 10.0 ** rng.uniform(-1.0, 1.0, d)
    at = Evaluation(0.0, rng.normal(size=(3, d)), -wide.T @ wide)
    turn = np.tril(rng.normal(size=(d, d))) + 3.0 * np.eye(d)
    step = newton_step(at, Coordinates(turn, lambda theta: theta))
    assert step.concave
    sizes = np.abs(wide).max(axis=0)
    solved = np.linalg.solve(at.hessian / np.outer(sizes, sizes), -at.gradient / sizes) / sizes
    assert step.direction == pytest.approx(solved, rel=1e-8)
    assert turn @ step.gamma == pytest.approx(step.direction)
    assert step.scaled_gradient == pytest.approx(at.gradient @ solved, rel=1e-8)


@pytest.mark.parametrize(
    ("d", "apart", "concave"),
    [
        (2, 2e-12, True),
        (2, 0.5e-12, False),
        # The trace of the inverse leaves open what the least eigenvalue says.
        (4, 1.5e-12, True),
        (4, 0.0, False),
        (2, -1e-3, False),
    ],
)
def test_the_least_eigenvalue_says_what_is_concave(d: int, apart: float, concave: bool) -> None:
    step = newton_step(alike(d, apart), plain_coordinates(d))
    assert step.concave is concave
    assert np.isfinite(step.direction).all()


def test_a_hessian_without_numbers_is_not_concave() -> None:
    at = Evaluation(0.0, np.ones((1, 2)), np.full((2, 2), np.nan))
    assert not newton_step(at, plain_coordinates(2)).concave
