"""A crossed problem as one of nested levels with indicators for effects, as quadrature needs it.

Within a group of a level, the values of a factor that is crossed at that level have a column each.
The last factor of the lowest level becomes a level below it, integrated value by value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.covariance import block_diagonal, identity
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.problem import Level, Problem

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["LevelPlace", "dimensions", "level_places", "nested_problem"]


@dataclass(frozen=True, slots=True)
class _Part:
    """Levels of the crossed problem that share groups."""

    cluster: Index
    members: tuple[int, ...]


def dimensions(problem: Problem) -> int:
    """Random effects in a chain of groups from the highest level down: the dimensions of the integral."""
    if not isinstance(problem, CrossedProblem):
        return 0 if problem.structure is None else problem.structure.q
    count = 0
    for part in _parts(problem):
        for t in part.members:
            crossed = _is_crossed(problem, part, t)
            count += _values(problem, part, t) if crossed else problem.levels[t].structure.q
    return count


def nested_problem(problem: Problem) -> Problem:
    """The same model with nested levels alone; a problem that has no others is returned as it is."""
    if not isinstance(problem, CrossedProblem):
        return problem
    levels = []
    for part in _parts(problem):
        columns, structures = [], []
        for t in part.members:
            level = problem.levels[t]
            if _is_crossed(problem, part, t):
                columns.append(_indicators(part.cluster, level.cluster))
                structures.append(identity(columns[-1].shape[1]))
            else:
                columns.append(level.z)
                structures.append(level.structure)
        structure = structures[0] if len(structures) == 1 else block_diagonal(structures)
        levels.append(Level(part.cluster, np.concatenate(columns, axis=1), structure))
    return Problem(problem.family, problem.y, problem.x, problem.offset, problem.trials, tuple(levels))


def _parts(problem: CrossedProblem) -> list[_Part]:
    parts: list[_Part] = []
    for t, (level, outer) in enumerate(zip(problem.levels, problem.within, strict=True)):
        cluster = level.cluster if outer is None else outer
        if parts and np.array_equal(parts[-1].cluster, cluster):
            parts[-1] = _Part(cluster, (*parts[-1].members, t))
        else:
            parts.append(_Part(cluster, (t,)))
    last = parts[-1]
    t = last.members[-1]
    if problem.within[t] is not None:
        lowest = _Part(problem.levels[t].cluster, (t,))
        others = last.members[:-1]
        parts = [*parts[:-1], *([_Part(last.cluster, others)] if others else []), lowest]
    return parts


def _is_crossed(problem: CrossedProblem, part: _Part, t: int) -> bool:
    return problem.within[t] is not None and part.cluster is not problem.levels[t].cluster


def _ranks(outer: Index, code: Index) -> tuple[Index, int]:
    """Codes counted anew within each outer group, and the largest number of them."""
    first = np.zeros(int(code.max()) + 1, dtype=np.intp)
    first[code] = outer  # each code lies in one outer group
    begins = np.flatnonzero(np.r_[True, first[1:] != first[:-1]])
    within = np.arange(len(first)) - np.repeat(begins, np.diff(np.r_[begins, len(first)]))
    return within[code], int(within.max()) + 1


def _values(problem: CrossedProblem, part: _Part, t: int) -> int:
    return _ranks(part.cluster, problem.levels[t].cluster)[1]


def _indicators(outer: Index, code: Index) -> Array:
    rank, count = _ranks(outer, code)
    columns = np.zeros((len(code), count))
    columns[np.arange(len(code)), rank] = 1.0
    return columns


@dataclass(frozen=True, slots=True)
class LevelPlace:
    """Where the effects of a level are in the nested problem.

    Attributes
    ----------
    part : int
        The nested level.
    group : ndarray of int, shape (M,)
        Its group, by group of the level.
    column : ndarray of int, shape (M, q)
        Its columns.
    """

    part: int
    group: Index
    column: Index


def level_places(problem: CrossedProblem) -> list[LevelPlace]:
    """By level of the problem."""
    found: dict[int, LevelPlace] = {}
    for number, part in enumerate(_parts(problem)):
        start = 0
        for t in part.members:
            level = problem.levels[t]
            group = np.zeros(level.n_clusters, dtype=np.intp)
            group[level.cluster] = part.cluster
            column = np.tile(start + np.arange(level.structure.q), (level.n_clusters, 1))
            width = level.structure.q
            if _is_crossed(problem, part, t):
                rank, width = _ranks(part.cluster, level.cluster)
                column[level.cluster, 0] = start + rank
            start += width
            found[t] = LevelPlace(number, group, column)
    return [found[t] for t in range(len(found))]
