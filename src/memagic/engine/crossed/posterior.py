"""Where crossed effects are given the data, by level of the problem."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.crossed.laplace import posterior_mode
from memagic.engine.crossed.nested import level_places
from memagic.engine.crossed.problem import CrossedProblem

Array = NDArray[np.float64]

__all__ = ["crossed_modes", "from_nested"]


def crossed_modes(problem: CrossedProblem, theta: Array) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Joint modes u = L v by level, each shape (M_l, q_l), and covariances by the curvature there."""
    factors, v, own = posterior_mode(problem, theta)
    values = tuple(x @ f.T for x, f in zip(v, factors, strict=True))
    return values, tuple(f @ h @ f.T for h, f in zip(own, factors, strict=True))


def from_nested(
    problem: CrossedProblem, values: tuple[Array, ...], covariances: tuple[Array, ...]
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Moments by level of the problem from those by level of `nested_problem`."""
    found, spread = [], []
    for place in level_places(problem):
        rows, columns = place.group[:, None], place.column
        found.append(values[place.part][rows, columns])
        spread.append(covariances[place.part][rows[:, :, None], columns[:, :, None], columns[:, None, :]])
    return tuple(found), tuple(spread)
