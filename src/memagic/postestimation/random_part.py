"""The random part of linear predictors: its value and its prior variance by row, for rows of any data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from memagic.data.levels import RandomEffects
from memagic.data.new_rows import NEW
from memagic.engine.marginal import prior_variance
from memagic.engine.modes import Limits
from memagic.engine.posterior import EffectMoments
from memagic.engine.quadrature import affordable
from memagic.errors import CommandError
from memagic.postestimation.random_effects import Statistic, effect_moments
from memagic.postestimation.rows import Rows
from memagic.results.estimates import Estimates
from memagic.spec.prediction import Request

Array = NDArray[np.float64]

__all__ = [
    "WORDS",
    "effect_names",
    "marginal_variance",
    "points_note",
    "predicted_moments",
    "prior_deviations",
    "random_part",
    "what_is_new",
]

WORDS = {"ebmeans": "means", "ebmodes": "modes"}
"""What the random effects are, in the plural."""


def effect_names(estimates: Estimates) -> tuple[str, ...]:
    """Names of the random effects in the order of their variances: ``_cons[district]``."""
    names = []
    for path, part in _parts(estimates):
        columns = [column.name for equation in part for column in equation.columns]
        names += [f"_cons[{path}]"] if part[0].factor else [f"{name}[{path}]" for name in columns]
    return tuple(names)


def _parts(estimates: Estimates) -> Iterator[tuple[str, tuple[RandomEffects, ...]]]:
    """What each level of the problem is called, and its equations."""
    for level in estimates.design.levels:
        for part in level.parts:
            path = level.grouping.path
            yield (f"{path}>{part[0].factor}" if part[0].factor else path), part


def predicted_moments(estimates: Estimates, request: Request) -> EffectMoments:
    """The moments of the random effects that a prediction asks for.

    Raises
    ------
    CommandError
        More nodes than can be held, r(198).
    """
    statistic: Statistic = "ebmodes" if request.conditional == "ebmodes" else "ebmeans"
    limits = Limits(request.iterate, request.tolerance)
    points = request.n_points
    if points is not None and estimates.n_points is not None and not affordable(estimates.problem, points):
        raise CommandError(198, f"intpoints({points}) makes too many nodes", hint="fewer points")
    return effect_moments(estimates, statistic, request.n_points, limits)


def prior_deviations(estimates: Estimates) -> list[Array]:
    """Standard deviations of the random effects by level, each shape (q_l,)."""
    omega = estimates.problem.unpack(estimates.fit.theta).omega
    found, first = [], 0
    for level in estimates.problem.levels:
        sigma = level.structure.sigma(omega[first : first + level.structure.size])
        first += level.structure.size
        found.append(np.sqrt(np.diag(sigma)))
    return found


def points_note(estimates: Estimates, request: Request) -> tuple[str, ...]:
    """How many points integrate, where anything is integrated."""
    points = estimates.n_points if request.n_points is None else request.n_points
    exact = estimates.problem.family.closed_form or estimates.n_points is None
    if exact or request.conditional != "ebmeans":
        return ()
    return (f"(using {points} quadrature points)",)


def what_is_new(estimates: Estimates, rows: Rows) -> tuple[str, ...]:
    """What the rows have that the estimates do not know."""
    found = []
    for (path, part), codes in zip(_parts(estimates), rows.groups(), strict=True):
        if count := int(np.count_nonzero(codes == NEW)):
            whose = "1 observation has a value" if count == 1 else f"{count:,} observations have values"
            found.append(
                f"{whose} of {part[0].factor or path} not in the estimation sample: the random effects there "
                "are predicted by their prior mean, zero"
            )
    return tuple(found)


def marginal_variance(estimates: Estimates, rows: Rows) -> Array:
    """Variance of the random part of every row, shape (n,)."""
    problem = estimates.problem
    levels = tuple(replace(level, z=z) for level, z in zip(problem.levels, rows.z(), strict=True))
    return prior_variance(levels, problem.unpack(estimates.fit.theta).omega)


def random_part(rows: Rows, effects: tuple[Array, ...]) -> Array:
    """Z u by row, zero for new groups and nan without a group, shape (n,)."""
    total = np.zeros(len(rows.index))
    for codes, z, value in zip(rows.groups(), rows.z(), effects, strict=True):
        # A code of -1 is that of the row of zeros, one of -2 that before it.
        table = np.vstack([value, np.full(value.shape[1], np.nan), np.zeros(value.shape[1])])
        total += np.einsum("iq,iq->i", z, table[codes])
    return total
