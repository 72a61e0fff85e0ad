"""Observed and fitted means by group, the random effects at their posterior means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.data.sample import ALL
from memagic.engine.posterior import linear_predictor
from memagic.errors import CommandError, closest
from memagic.postestimation.random_effects import effect_moments
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["GroupFit", "fitted_means", "group_fit"]


@dataclass(frozen=True, slots=True, eq=False)
class GroupFit:
    """Means by group.

    Attributes
    ----------
    name : str
        The group variable.
    labels : tuple of str, length M
        The groups.
    sizes : ndarray of int, shape (M,)
        Observations in each.
    observed, fitted : ndarray, shape (M,)
        Mean response, and mean of E(y | u) at the posterior means of the random effects. Of an
        ordinal response the mean number of the category, from 1; of a binomial one the mean
        proportion of successes.
    quantity : str
        What the means are of, in words.
    """

    name: str
    labels: tuple[str, ...]
    sizes: Index
    observed: Array
    fitted: Array
    quantity: str


def fitted_means(estimates: Estimates) -> Array:
    """E(y | u) at the posterior means of the random effects, shape (n,)."""
    problem = estimates.problem
    parameters = problem.unpack(estimates.fit.theta)
    effects = effect_moments(estimates).value if problem.structure is not None else ()
    eta = linear_predictor(problem, parameters.beta, effects)
    return problem.family.mean(eta, problem.trials, parameters.phi)


def group_fit(estimates: Estimates, level: str | None = None) -> GroupFit:
    """Means by the groups of one level, the highest by default.

    Raises
    ------
    CommandError
        There is no such level, or no groups, r(111).
    """
    groupings = [found.grouping for found in estimates.design.levels if found.grouping.name != ALL]
    if not groupings:
        raise CommandError(111, "the model has no groups")
    chosen = next((g for g in groupings if level in (None, g.name, g.path)), None)
    if chosen is None:
        names = [grouping.path for grouping in groupings]
        hint = closest(str(level), names) or f"levels are {', '.join(names)}"
        raise CommandError(111, f"level {level} not found", hint=hint)
    observed, fitted, quantity = _on_shown_scale(estimates)
    sizes = chosen.sizes
    return GroupFit(
        name=chosen.name,
        labels=tuple(str(value) for value in chosen.values),
        sizes=sizes,
        observed=np.bincount(chosen.codes, weights=observed) / sizes,
        fitted=np.bincount(chosen.codes, weights=fitted) / sizes,
        quantity=quantity,
    )


def _on_shown_scale(estimates: Estimates) -> tuple[Array, Array, str]:
    observed, fitted = estimates.problem.y, fitted_means(estimates)
    depvar, family = estimates.command.depvar.variable, estimates.kind.family
    if family == "bernoulli":
        return observed, fitted, f"proportion with {depvar}"
    if family == "binomial":
        trials = estimates.problem.trials
        return observed / trials, fitted / trials, f"proportion of {depvar}"
    if family == "ordinal":
        return observed + 1.0, fitted + 1.0, f"mean category of {depvar}"
    return observed, fitted, f"mean {depvar}"
