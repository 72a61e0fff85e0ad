"""Residuals of generalized linear models: Pearson's, of the deviance, Anscombe's.

Source: manual [ME] meglm postestimation, Methods and formulas; McCullagh and Nelder (1989), 2.4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import hyp2f1, xlogy

from memagic.engine.families import (
    BinomialCloglog,
    BinomialLogit,
    BinomialProbit,
    Family,
    GammaLog,
    NegativeBinomialConstant,
    NegativeBinomialMean,
    PoissonLog,
)

Array = NDArray[np.float64]

__all__ = ["anscombe", "deviance", "pearson", "variance_function"]

_BINOMIAL = (BinomialLogit, BinomialProbit, BinomialCloglog)


def variance_function(family: Family, mu: Array, trials: Array | float, phi: Array) -> Array:
    """V(mu) without the scale: 1 for Gaussian and mu^2 for gamma responses."""
    if isinstance(family, _BINOMIAL):
        return np.asarray(mu * (1.0 - mu / trials))
    if isinstance(family, GammaLog):
        return mu * mu
    if isinstance(family, PoissonLog):
        return mu
    if isinstance(family, NegativeBinomialMean):
        return np.asarray(mu * (1.0 + np.exp(phi[0]) * mu))
    if isinstance(family, NegativeBinomialConstant):
        return np.asarray(mu * (1.0 + np.exp(phi[0])))
    return np.ones_like(mu)


def pearson(family: Family, y: Array, mu: Array, trials: Array | float, phi: Array) -> Array:
    """(y - mu) / sqrt(V(mu)), shape (n,)."""
    return np.asarray((y - mu) / np.sqrt(variance_function(family, mu, trials, phi)))


def deviance(family: Family, y: Array, mu: Array, trials: Array | float, phi: Array) -> Array:
    """The signed root of the contribution to the deviance, shape (n,)."""
    if isinstance(family, _BINOMIAL):
        failures = trials - y
        square = 2.0 * (xlogy(y, y / mu) + xlogy(failures, failures / (trials - mu)))
    elif isinstance(family, GammaLog):
        square = -2.0 * (np.log(y / mu) - (y - mu) / mu)
    elif isinstance(family, PoissonLog):
        square = 2.0 * (xlogy(y, y / mu) - (y - mu))
    elif isinstance(family, NegativeBinomialMean):
        alpha = np.exp(phi[0])
        rest = (y + 1.0 / alpha) * (np.log1p(alpha * y) - np.log1p(alpha * mu))
        square = 2.0 * (xlogy(y, y / mu) - rest)
    else:
        square = (y - mu) ** 2
    # What is zero may come out as a rounding error below it.
    return np.asarray(np.sign(y - mu) * np.sqrt(np.maximum(square, 0.0)))


def anscombe(family: Family, y: Array, mu: Array, trials: Array | float, phi: Array) -> Array:
    """[A(y) - A(mu)] / V(mu)^(1/6) with A the integral of V^(-1/3), shape (n,)."""
    if isinstance(family, GammaLog):
        return np.asarray(3.0 * ((y / mu) ** (1.0 / 3.0) - 1.0))
    if isinstance(family, PoissonLog):
        return np.asarray(1.5 * (np.cbrt(y) ** 2 - np.cbrt(mu) ** 2) / mu ** (1.0 / 6.0))
    if isinstance(family, _BINOMIAL):
        change = _integral(y, y / trials) - _integral(mu, mu / trials)
    elif isinstance(family, NegativeBinomialMean):
        alpha = np.exp(phi[0])
        change = _integral(y, -alpha * y) - _integral(mu, -alpha * mu)
    else:
        return y - mu
    return np.asarray(change / variance_function(family, mu, trials, phi) ** (1.0 / 6.0))


def _integral(upper: Array, ratio: Array) -> Array:
    """The integral of {t (1 - c t)}^(-1/3) from 0 to `upper`, with `ratio` = c `upper`."""
    return np.asarray(1.5 * np.cbrt(upper) ** 2 * hyp2f1(2.0 / 3.0, 1.0 / 3.0, 5.0 / 3.0, ratio))
