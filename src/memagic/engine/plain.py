"""The model without random effects: the comparison model, and the start of the full one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from memagic.engine.objective import Evaluation
from memagic.engine.problem import Problem

Array = NDArray[np.float64]

__all__ = ["PlainObjective", "plain_start"]


class PlainObjective:
    """Log likelihood of independent observations, theta = (beta, phi)."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._constant = problem.constant
        self._weight = problem.overall_weight

    def value(self, theta: Array) -> float:
        problem = self._problem
        beta, phi = theta[: problem.p], theta[problem.p :]
        logf = problem.family.log_density(problem.fixed_part(beta), problem.y, problem.trials, phi)
        return float(logf.sum() if self._weight is None else logf @ self._weight) + self._constant

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The observations' log likelihoods, less constants, as a function of theta."""
        problem = self._problem

        def values(theta: Array) -> Array:
            beta, phi = theta[: problem.p], theta[problem.p :]
            logf = problem.family.log_density(problem.fixed_part(beta), problem.y, problem.trials, phi)
            return logf if self._weight is None else logf * self._weight

        return values

    def evaluate(self, theta: Array) -> Evaluation:
        problem = self._problem
        p, x, family = problem.p, problem.x, problem.family
        beta, phi = theta[:p], theta[p:]
        eta = problem.fixed_part(beta)
        logf, first, second = family.derivatives(eta, problem.y, problem.trials, phi)
        if self._weight is not None:
            logf, first, second = logf * self._weight, first * self._weight, second * self._weight
        d = p + family.n_phi
        # Column by column, as the columns are those of X.
        scores = np.empty((d, len(eta)))
        np.multiply(x.T, first, out=scores[:p])
        hessian = np.empty((d, d))
        hessian[:p, :p] = x.T @ (x * second[:, None])
        if family.n_phi:
            own = family.phi_derivatives(eta, problem.y, problem.trials, phi)
            if self._weight is not None:
                own = own.times(self._weight)
            scores[p:] = own.score
            hessian[p:, :p] = own.cross @ x
            hessian[:p, p:] = hessian[p:, :p].T
            hessian[p:, p:] = own.hessian.sum(axis=-1)
        return Evaluation(float(logf.sum()) + self._constant, scores.T, hessian)


def plain_start(problem: Problem) -> Array:
    """Theta = (beta, phi) to start from: the family's first beta, and phi given its linear predictors."""
    family = problem.family
    beta = family.initial_beta(problem.x, problem.y, problem.trials, problem.offset)
    return np.concatenate([beta, family.initial_phi(problem.fixed_part(beta), problem.y)])
