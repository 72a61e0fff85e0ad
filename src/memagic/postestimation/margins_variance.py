"""The covariance of margins whose covariates were sampled: `vce(unconditional)`.

A margin is a weighted mean of responses at estimates. To first order it moves with each sampled unit
in two ways: the unit's observations are in the mean, and its score is in the estimates. The variance
of the sum of both over the units is that of the estimates' own sandwich.

Source: [R] margins, Methods and formulas, Obtaining unconditional standard errors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.fit import make_objective
from memagic.engine.sandwich import meat
from memagic.errors import CommandError
from memagic.results.estimates import Estimates
from memagic.results.inference import reported_scores

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["check_unconditional", "contribution", "unconditional"]


def check_unconditional(estimates: Estimates) -> None:
    """Refuse estimates whose standard errors take the model for true.

    Raises
    ------
    CommandError
        r(198).
    """
    if estimates.v_modelbased is None or estimates.settings.variance.estimator not in (
        "robust",
        "linearized",
    ):
        hint = "fit the model with vce(robust), vce(cluster clustvar) or svy:"
        raise CommandError(198, "vce(unconditional) requires robust standard errors", hint=hint)


def contribution(estimates: Estimates, rows: Index, weights: Array, values: Array) -> Array:
    """What the units' observations move a weighted mean by, shape (M,).

    Parameters
    ----------
    estimates : Estimates
    rows : ndarray of int, shape (n,)
    weights : ndarray, shape (n,)
        They sum to one.
    values : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (M,)
        By top-level cluster, or by observation without random effects.
    """
    problem = estimates.problem
    moved = weights * (values - weights @ values)
    if problem.structure is None:
        units, n_units = rows, len(problem.y)
    else:
        units, n_units = problem.levels[0].cluster[rows], problem.levels[0].n_clusters
    return np.asarray(np.bincount(units, weights=moved, minlength=n_units), dtype=float)


def unconditional(estimates: Estimates, jacobian: Array, contributions: Array) -> Array:
    """The covariance of margins, shape (m, m).

    Parameters
    ----------
    estimates : Estimates
    jacobian : ndarray, shape (m, k)
    contributions : ndarray, shape (M, m)
    """
    bread = estimates.v_modelbased
    assert bread is not None
    evaluation = make_objective(estimates.problem, estimates.settings).evaluate(estimates.fit.theta)
    scores = reported_scores(estimates, evaluation.scores)
    # Variances at zero have no scores, and are held where they are.
    scores = np.where(np.isnan(scores), 0.0, scores)
    return meat(contributions + scores @ bread @ jacobian.T, estimates.settings.variance)
