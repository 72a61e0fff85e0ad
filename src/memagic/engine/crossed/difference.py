"""The Hessian as the difference of an exact gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from memagic.engine.coordinates import problem_coordinates
from memagic.engine.problem import Problem

Array = NDArray[np.float64]

# Change of the linear predictor. Central differences have an error of its square, and rounding enters
# divided by it.
_CENTRAL = 1e-5
# Rounding grows with the root of the number of rows, and the Hessian with that number: with many rows a
# one-sided difference may be so short that its error is below 1e-6 as well, and it takes half the time.
_ONE_SIDED = 1e-7
_MANY_ROWS = 10_000

__all__ = ["difference", "differenced"]


def difference(
    function: Callable[[Array], Array],
    at: Array,
    direction: Array,
    centre: Array,
    n_rows: int,
    opposite: Callable[[Array], Array] | None = None,
) -> Array:
    """The derivative of a function along a direction.

    Parameters
    ----------
    function : callable
    at, direction : ndarray, shape (d,)
    centre : ndarray
        The function there.
    n_rows : int
        Rows of data that the function sums over.
    opposite : callable, optional
        The function, asked for right after it on the other side of `at`.
    """
    if n_rows < _MANY_ROWS:
        above = function(at + _CENTRAL * direction)
        below = (opposite or function)(at - _CENTRAL * direction)
        return np.asarray((above - below) / (2.0 * _CENTRAL))
    return np.asarray((function(at + _ONE_SIDED * direction) - centre) / _ONE_SIDED)


def differenced(
    problem: Problem,
    gradient: Callable[[Array], Array],
    theta: Array,
    centre: Array,
    opposite: Callable[[Array], Array],
) -> Array:
    """Differences along directions that move the linear predictor by about one, shape (d, d).

    Parameters
    ----------
    problem : Problem
    gradient : callable
    theta : ndarray, shape (d,)
    centre : ndarray, shape (d,)
        The gradient at theta.
    opposite : callable
        As for `difference`.
    """
    turn = problem_coordinates(problem, theta).directions
    if problem.family.closed_form:
        turn = turn.copy()
        turn[:, :-1] *= np.exp(theta[-1])  # the residual standard deviation
    columns = np.empty_like(turn)
    for a, direction in enumerate(turn.T):
        columns[:, a] = difference(gradient, theta, direction, centre, len(problem.y), opposite)
    turned = turn.T @ columns
    back = np.linalg.inv(turn)
    return np.asarray(back.T @ (0.5 * (turned + turned.T)) @ back)
