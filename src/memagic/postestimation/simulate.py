"""New responses from a fit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.engine.posterior import linear_predictor
from memagic.engine.problem import Problem
from memagic.errors import CommandError
from memagic.postestimation.random_effects import effect_moments
from memagic.postestimation.rows import rows_of
from memagic.results.estimates import Estimates

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd

Array = NDArray[np.float64]

__all__ = ["draw_from", "simulate"]


def simulate(
    estimates: Estimates,
    n: int = 1,
    seed: int | None = None,
    *,
    conditional: bool = False,
    executor: Executor | None = None,
) -> pd.DataFrame:
    """Draw responses for the observations of the estimation sample.

    A draw takes a millisecond for ten thousand observations: an executor pays where there are far more.

    Parameters
    ----------
    estimates : Estimates
    n : int
        How many responses for each observation.
    seed : int, optional
        The same numbers for the same seed.
    conditional : bool
        Keep the posterior means of the random effects; else every response has new ones from their
        estimated distribution.
    executor : concurrent.futures.Executor, optional
        What makes the draws. Each has a generator of its own: they do not depend on who makes them.

    Returns
    -------
    DataFrame
        Columns sim_1, ..., sim_n, with the values that the response has: categories of an ordinal one,
        0 and 1 of a Bernoulli one, successes of a binomial one.

    Raises
    ------
    CommandError
        n is not above zero, r(198); there are no estimates, r(301).
    """
    import pandas as pd

    if not estimates.fitted:
        raise CommandError(301, "last estimates not found", hint="noestimate showed starting values")
    if n < 1:
        raise CommandError(198, "the number of simulated responses must be greater than zero")
    kept: tuple[Array, ...] | None = None
    if conditional:
        kept = effect_moments(estimates).value if estimates.problem.structure is not None else ()
    draw = partial(_draw, estimates.problem, estimates.fit.theta, kept)
    seeds = np.random.SeedSequence(seed).spawn(n)
    draws = map(draw, seeds) if executor is None else executor.map(draw, seeds)
    drawn = {}
    for k, y in enumerate(draws, 1):
        codes = estimates.kind.family == "ordinal"
        drawn[f"sim_{k}"] = estimates.categories[y.astype(np.intp)] if codes else y
    return pd.DataFrame(drawn, index=rows_of(estimates, None).index)


def _draw(
    problem: Problem, theta: Array, effects: tuple[Array, ...] | None, seed: np.random.SeedSequence
) -> Array:
    return draw_from(problem, theta, np.random.default_rng(seed), effects)


def draw_from(
    problem: Problem, theta: Array, rng: np.random.Generator, effects: tuple[Array, ...] | None = None
) -> Array:
    """One response for every observation, shape (n,): the codes 0, 1, ... of an ordinal one.

    Parameters
    ----------
    problem : Problem
    theta : ndarray, shape (d,)
    rng : Generator
    effects : tuple of ndarray, optional
        Random effects by level, each shape (M_l, q_l); new ones from their distribution by default.
    """
    parameters = problem.unpack(theta)
    if effects is None:
        effects = _effects(problem, parameters.omega, rng)
    fixed = problem.fixed_part(parameters.beta)
    eta = linear_predictor(problem, parameters.beta, effects) if effects else fixed
    return problem.family.draw(eta, problem.trials, parameters.phi, rng)


def _effects(problem: Problem, omega: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    """New random effects by level, each shape (M_l, q_l)."""
    found, first = [], 0
    for level in problem.levels:
        factor = level.structure.factor(omega[first : first + level.structure.size])
        first += level.structure.size
        found.append(rng.standard_normal((level.n_clusters, level.structure.q)) @ factor.T)
    return tuple(found)
