"""Scores: derivatives of the log likelihood's parts in the parameters that are reported.

Source: manual [ME] meglm postestimation, `predict, scores`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.fit import make_objective
from memagic.results.estimates import Estimates
from memagic.results.inference import reported_scores

Array = NDArray[np.float64]

__all__ = ["scores"]


def scores(estimates: Estimates) -> Array:
    """Scores at the estimates, shape (n, k), in the order of `e(b)`.

    The log likelihood is a sum over the groups of the highest level: each group's scores stand at the
    last of its observations, and its other observations have zero. Without random effects every
    observation has its own. Weights are in them, so that the columns add up to the gradient. A variance
    at zero has none.
    """
    problem, fit = estimates.problem, estimates.fit
    found = reported_scores(estimates, make_objective(problem, estimates.settings).evaluate(fit.theta).scores)
    if problem.structure is None:
        return found
    placed = np.zeros((len(problem.y), found.shape[1]))
    # A likelihood that does not fall apart by groups is one sum.
    codes = estimates.design.levels[0].grouping.codes
    top = codes if len(found) > 1 else np.zeros(len(problem.y), dtype=np.intp)
    last = np.empty(len(found), dtype=np.intp)
    last[top] = np.arange(len(top))
    placed[:, np.isnan(found).any(axis=0)] = np.nan
    placed[last] = found
    return placed
