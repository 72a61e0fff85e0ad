"""The model that is left where a variance is zero."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from memagic.data.levels import RandomEffects
from memagic.engine.constraints import LinearConstraints
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.problem import Level, Problem
from memagic.models import covariance_structure
from memagic.results.estimates import Estimates

Mask = NDArray[np.bool_]

__all__ = ["Reduced", "vanishing", "without"]


@dataclass(frozen=True, slots=True)
class Reduced:
    """A model without some of its random effects.

    Attributes
    ----------
    problem : Problem
    kept : ndarray of bool, shape (d,)
        Which of the engine's estimates it has.
    constraints : LinearConstraints or None
        On these.
    """

    problem: Problem
    kept: Mask
    constraints: LinearConstraints | None


def vanishing(estimates: Estimates, row: int) -> Mask:
    """The effects that a variance of zero leaves out, shape (Q,).

    Parameters
    ----------
    estimates : Estimates
    row : int
        The effect, counted through all levels, whose variance it is. Effects that share it vanish
        together.
    """
    gone: list[bool] = []
    for level in estimates.design.levels:
        for equation in level.equations:
            own = range(len(gone), len(gone) + len(equation.columns))
            shared = equation.covariance in ("identity", "exchangeable")
            gone += [k == row or (shared and row in own) for k in own]
    return np.array(gone)


def without(estimates: Estimates, gone: Mask) -> Reduced:
    """The model with the marked effects left out, shape (Q,), and their parameters at zero."""
    problem = estimates.problem
    assert problem.structure is not None
    levels = []
    first = 0
    left = []
    for number, (level, equations) in enumerate(zip(problem.levels, _together(estimates), strict=True)):
        mask = ~gone[first : first + level.structure.q]
        first += level.structure.q
        if mask.any():
            sets = [(kind, q) for kind, q in _sizes(equations, mask) if q]
            levels.append(Level(level.cluster, level.z[:, mask], covariance_structure(sets)))
            left.append(number)
    entries = [not (gone[r] or gone[c]) for r, c in problem.structure.entries]
    n_phi = problem.family.n_phi
    kept = np.array([True] * problem.p + entries + [True] * n_phi)
    found = estimates.fit.constraints
    if found is not None:
        found = LinearConstraints(found.matrix[:, kept], found.values)
    if not levels:
        plain = Problem(
            problem.family, problem.y, problem.x, problem.offset, problem.trials, (), problem.weight
        )
        return Reduced(plain, kept, found)
    if isinstance(problem, CrossedProblem):
        problem = replace(problem, within=tuple(problem.within[number] for number in left))
    return Reduced(replace(problem, levels=tuple(levels)), kept, found)


def _together(estimates: Estimates) -> list[list[RandomEffects]]:
    """The equations of each of the engine's levels: crossed factors have one of their own."""
    return [
        list(members)
        for level in estimates.design.levels
        for _, members in groupby(level.equations, key=lambda e: 0 if e.codes is None else id(e))
    ]


def _sizes(equations: list[RandomEffects], mask: Mask) -> list[tuple[str, int]]:
    """The kind of each equation's covariance, and how many of its effects are left."""
    sizes: list[tuple[str, int]] = []
    first = 0
    for equation in equations:
        last = first + len(equation.columns)
        sizes.append((equation.covariance, int(mask[first:last].sum())))
        first = last
    return sizes
