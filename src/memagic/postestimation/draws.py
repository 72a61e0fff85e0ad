"""Responses drawn from a fitted model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.means import mean_response
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]

__all__ = ["draw_response"]


def draw_response(estimates: Estimates, rng: np.random.Generator) -> Array:
    """New responses of the estimation sample, with new random effects, shape (n,).

    Those of an ordinal response are the codes 0, 1, ... of its categories.
    """
    problem, kind = estimates.problem, estimates.kind
    parameters = problem.unpack(estimates.fit.theta)
    eta = problem.fixed_part(parameters.beta).copy()
    if problem.structure is not None:
        factor = problem.structure.factor(parameters.omega)
        first = 0
        for level in problem.levels:
            q = level.structure.q
            # Sigma is block diagonal over the levels, and so is L.
            own = factor[first : first + q, first : first + q]
            effects = rng.standard_normal((level.n_clusters, q)) @ own.T
            eta += np.einsum("iq,iq->i", level.z, effects[level.cluster])
            first += q
    own_parameters = problem.family.report_phi(parameters.phi)[0]
    if kind.family == "ordinal":
        return _categories(estimates, eta, rng)
    mean = mean_response(problem.family, eta, 1.0, parameters.phi)
    if kind.family in ("bernoulli", "binomial"):
        trials = np.broadcast_to(problem.trials, eta.shape).astype(np.int64)
        return rng.binomial(trials, np.clip(mean, 0.0, 1.0)).astype(float)
    if kind.family == "poisson":
        return rng.poisson(mean).astype(float)
    if kind.family == "nbinomial":
        spread = float(np.exp(own_parameters[0]))
        if kind.dispersion == "mean":
            return rng.poisson(mean * rng.gamma(1.0 / spread, spread, len(mean))).astype(float)
        return rng.poisson(rng.gamma(mean / spread, spread)).astype(float)
    if kind.family == "gamma":
        shape = float(np.exp(-2.0 * own_parameters[0]))
        return np.asarray(rng.gamma(shape, mean / shape))
    return np.asarray(mean + np.sqrt(own_parameters[0]) * rng.standard_normal(len(mean)))


def _categories(estimates: Estimates, eta: Array, rng: np.random.Generator) -> Array:
    """Codes by inversion of the distribution function."""
    problem = estimates.problem
    phi = problem.unpack(estimates.fit.theta).phi
    u = rng.random(len(eta))
    code, below = np.zeros(len(eta)), np.zeros(len(eta))
    for k in range(len(phi)):
        below += np.exp(problem.family.log_density(eta, np.full(len(eta), float(k)), 1.0, phi))
        code += u > below
    return code
