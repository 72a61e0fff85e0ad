"""The Hessian as the difference of an exact gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from memagic.engine.coordinates import problem_coordinates
from memagic.engine.problem import Problem

Array = NDArray[np.float64]

# Change of the linear predictor. Central differences of it have an error of its square, and rounding
# enters divided by it.
_STEP = 1e-5

__all__ = ["differenced"]


def differenced(
    problem: Problem, gradient: Callable[[Array], Array], theta: Array, centre: Array
) -> Array:
    """Central differences along directions that move the linear predictor by about one, shape (d, d)."""
    turn = problem_coordinates(problem, theta).directions
    if problem.family.closed_form:
        turn = turn.copy()
        turn[:, :-1] *= np.exp(theta[-1])  # the residual standard deviation
    columns = np.empty_like(turn)
    for a, direction in enumerate(turn.T):
        above, below = gradient(theta + _STEP * direction), gradient(theta - _STEP * direction)
        columns[:, a] = (above - below) / (2.0 * _STEP)
    turned = turn.T @ columns
    back = np.linalg.inv(turn)
    return np.asarray(back.T @ (0.5 * (turned + turned.T)) @ back)
