"""A grid search over variances and covariances for a better start.

Source: manual [ME] meglm, Options, 'startgrid()', and Remarks, 'Obtaining better starting values'.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from memagic.engine.events import GridNode, Listener
from memagic.engine.objective import Objective, value_or_nan
from memagic.engine.parted import AnyProblem
from memagic.engine.space import Space, Whole, from_reported, to_reported
from memagic.engine.start import GridAxis, NotFeasible, Start, StartSettings, first_rows

Array = NDArray[np.float64]

__all__ = ["StoppedGrid", "grid_nodes", "grid_search", "value_at"]

# Root mean square of a variable beyond which a unit variance of its coefficient is large.
_LARGE_EFFECT = 3.0
# What the minimal grid tries for every variance.
_MINIMAL = (0.1, 1.0, 10.0)
# Variances beyond which the minimal grid changes all of them together.
_MOST_SEPARATE = 6


class StoppedGrid(KeyboardInterrupt):
    """The user interrupted a grid search; `best` is the best node so far, as it is reported."""

    def __init__(self, best: Array) -> None:
        super().__init__()
        self.best = best


def grid_search(
    problem: AnyProblem,
    objective: Objective,
    start: Start,
    settings: StartSettings,
    listener: Listener,
    space: Space | None = None,
) -> Array:
    """Where to start from: the start itself or the best node of a grid, shape (f,).

    The objective is one of what the maximizer moves in, theta if no `space` is given; under
    constraints each node stands for the nearest point that satisfies them.

    Without a grid that was asked for, one is searched where the start is not feasible, and one
    other node is tried where the start is worse than the model without random effects.

    Raises
    ------
    NotFeasible
        No node has a finite log likelihood.
    StoppedGrid
        On a keyboard interrupt, once a node has one.
    """
    space = Whole(problem) if space is None else space
    value = value_at(space, objective, start.values)
    held = {position for position, _ in settings.given if position >= problem.p}
    nodes = [start.values]
    if settings.grid:
        nodes += grid_nodes(start.values, settings.grid)
    elif not np.isfinite(value):
        nodes += _minimal_nodes(problem, start.values)
    elif not held and _far_off(problem, value, start.comparison):
        nodes.append(_scaled_variances(problem, start.values))
    listener(GridNode(0, value, len(nodes)))
    best, best_value = 0, value if np.isfinite(value) else -np.inf
    try:
        for number, node in enumerate(nodes[1:], start=1):
            value = value_at(space, objective, node)
            if value > best_value:
                best, best_value = number, value
            listener(GridNode(number, value, len(nodes)))
    except KeyboardInterrupt:
        if not np.isfinite(best_value):
            raise
        raise StoppedGrid(nodes[best]) from None
    if not np.isfinite(best_value):
        raise NotFeasible
    return space.start(nodes[best])


def value_at(space: Space, objective: Objective, values: Array) -> float:
    """The log likelihood at reported values, shape (d,); nan where it has none."""
    try:
        gamma = space.start(values)
    except np.linalg.LinAlgError:
        return float("nan")
    return value_or_nan(objective, gamma) if np.isfinite(gamma).all() else float("nan")


def grid_nodes(values: Array, axes: tuple[GridAxis, ...]) -> list[Array]:
    """Every combination of the axes' values, put into `values`, shape (d,); the last axis goes fastest."""
    nodes = []
    for combination in product(*(axis.values for axis in axes)):
        node = values.copy()
        for axis, value in zip(axes, combination, strict=True):
            node[axis.position] = value
        nodes.append(node)
    return nodes


def _minimal_nodes(problem: AnyProblem, values: Array) -> list[Array]:
    """All variances at `_MINIMAL`, covariances at zero."""
    if problem.structure is None:
        return []
    entries = problem.structure.entries
    variances = [problem.p + k for k, (r, c) in enumerate(entries) if r == c]
    base = values.copy()
    base[problem.p : problem.p + len(entries)] = 0.0
    if len(variances) <= _MOST_SEPARATE:
        return grid_nodes(base, tuple(GridAxis(k, _MINIMAL) for k in variances))
    nodes = []
    for value in _MINIMAL:
        node = base.copy()
        node[variances] = value
        nodes.append(node)
    return nodes


def _far_off(problem: AnyProblem, value: float, comparison: float | None) -> bool:
    """Whether a unit variance is far off, as for the coefficient of a variable with large values.

    The likelihood there is below that of the model without random effects.
    """
    if problem.structure is None or problem.family.closed_form or comparison is None:
        return False
    return value < comparison and bool(np.sqrt(problem.mean_square_z).max() >= _LARGE_EFFECT)


def _scaled_variances(problem: AnyProblem, values: Array) -> Array:
    """The start with variances that move the linear predictor by about one."""
    theta = from_reported(problem, values)
    size = np.sqrt(problem.mean_square_z)
    theta[problem.p : problem.p + problem.n_omega] /= np.maximum(size[first_rows(problem)], 1.0)
    return to_reported(problem, theta)
