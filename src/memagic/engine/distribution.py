"""The conditional distribution of the response: density, distribution function, random draws.

Source: manual [ME] meglm, table of `family()` and `link()`, and Methods and formulas.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammainc, gammaincc, ndtr

from memagic.engine.families import (
    BinomialCloglog,
    BinomialLogit,
    BinomialProbit,
    Family,
    GammaLog,
    GaussianIdentity,
    GaussianLog,
    NegativeBinomialConstant,
    NegativeBinomialMean,
    OrdinalCloglog,
    OrdinalLogit,
    OrdinalProbit,
    PoissonLog,
)
from memagic.engine.means import mean_response

Array = NDArray[np.float64]

__all__ = ["density", "distribution", "draw", "probabilities"]

_BINOMIAL = (BinomialLogit, BinomialProbit, BinomialCloglog)
_ORDINAL = (OrdinalLogit, OrdinalProbit, OrdinalCloglog)


def density(family: Family, eta: Array, y: Array, trials: Array | float, phi: Array) -> Array:
    """f(y | eta): the density of a continuous response, the probability of any other; shape of eta.

    Parameters
    ----------
    family : Family
    eta : ndarray, shape (n,) or (n, K)
    y, trials : ndarray that broadcasts against eta
        Codes 0, 1, ... of an ordinal response.
    phi : ndarray, shape (n_phi,)
    """
    y = np.broadcast_to(y, eta.shape)
    return np.asarray(np.exp(family.log_density(eta, y, trials, phi) + family.constant(y, trials)))


def distribution(family: Family, eta: Array, y: Array, trials: Array | float, phi: Array) -> Array:
    """F(y | eta), the probability of a response no larger than y; arguments as of `density`."""
    y = np.broadcast_to(y, eta.shape)
    if isinstance(family, _ORDINAL):
        below = probabilities(family, eta, phi)
        codes = np.arange(len(phi) + 1.0).reshape(-1, *(1,) * eta.ndim)
        return np.asarray(np.minimum(np.where(codes <= y, below, 0.0).sum(axis=0), 1.0))
    mu = mean_response(family, eta, trials, phi)
    if isinstance(family, GaussianIdentity | GaussianLog):
        return np.asarray(ndtr((y - mu) / np.exp(phi[0])))
    if isinstance(family, GammaLog):
        shape = np.exp(-2.0 * phi[0])
        return np.asarray(gammainc(shape, shape * y / mu))
    whole = np.floor(y)
    if isinstance(family, _BINOMIAL):
        failures = np.where(whole < trials, trials - whole, 1.0)
        return np.where(whole < trials, betainc(failures, whole + 1.0, 1.0 - mu / trials), 1.0)
    if isinstance(family, PoissonLog):
        return np.asarray(gammaincc(whole + 1.0, mu))
    size, share = _negative_binomial(family, mu, phi)
    return np.asarray(betainc(size, whole + 1.0, share))


def probabilities(family: Family, eta: Array, phi: Array) -> Array:
    """Pr(y = k | eta) of every category of an ordinal response, shape (C, *eta.shape)."""
    return np.stack(
        [np.exp(family.log_density(eta, np.full(eta.shape, k), 1.0, phi)) for k in range(len(phi) + 1)]
    )


def draw(family: Family, eta: Array, trials: Array | float, phi: Array, rng: np.random.Generator) -> Array:
    """One response for every linear predictor, shape (n,); codes 0, 1, ... of an ordinal one."""
    if isinstance(family, _ORDINAL):
        cumulative = np.cumsum(probabilities(family, eta, phi)[:-1], axis=0)
        return np.asarray((rng.uniform(size=eta.shape) > cumulative).sum(axis=0), dtype=float)
    mu = mean_response(family, eta, trials, phi)
    if isinstance(family, GaussianIdentity | GaussianLog):
        return np.asarray(rng.normal(mu, np.exp(phi[0])))
    if isinstance(family, GammaLog):
        shape = np.exp(-2.0 * phi[0])
        return np.asarray(rng.gamma(shape, mu / shape))
    if isinstance(family, _BINOMIAL):
        r = np.broadcast_to(trials, eta.shape).astype(np.int64)
        return np.asarray(rng.binomial(r, np.clip(mu / r, 0.0, 1.0)), dtype=float)
    if isinstance(family, PoissonLog):
        return rng.poisson(mu).astype(float)
    size, _ = _negative_binomial(family, mu, phi)
    return rng.poisson(rng.gamma(size, mu / size)).astype(float)


def _negative_binomial(family: Family, mu: Array, phi: Array) -> tuple[Array, Array]:
    """The size m, and the success probability m / (m + mu)."""
    dispersion = np.exp(phi[0])
    if isinstance(family, NegativeBinomialMean):
        return np.full(mu.shape, 1.0 / dispersion), 1.0 / (1.0 + dispersion * mu)
    assert isinstance(family, NegativeBinomialConstant)
    return mu / dispersion, np.full(mu.shape, 1.0 / (1.0 + dispersion))
