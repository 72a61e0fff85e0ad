"""Averages of a response function over a normal linear predictor, and their derivatives.

For G a response function and eta ~ N(mu, s2), M_k(mu, s2) = E G^(k)(eta). In mu, dM_k = M_(k+1), and by
the heat equation dM_k / d s2 = M_(k+2) / 2: these averages hold all derivatives of marginal means.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from memagic.engine.families.base import MAX_EXPONENT

Array = NDArray[np.float64]
Link = Literal["identity", "log", "logit", "probit", "cloglog"]

__all__ = ["Link", "averages"]

# Standard deviations to each side within which a normal density is not negligible.
_REACH = 8.5
# -log of the error of the trapezoidal rule, at the distance of the nearest singularity.
_DIGITS = 32.0
# Standard deviations of the linear predictor beyond which more nodes would not be affordable.
_WIDEST = 40.0
_COARSEST = 0.25
_BLOCK = 1_000_000


def averages(link: Link, mu: Array, s2: Array, order: int) -> Array:
    """M_0 to M_order, shape (order + 1, n).

    Parameters
    ----------
    link : str
        Whose inverse is G.
    mu, s2 : ndarray, shape (n,)
    order : int
        At most 4.

    Notes
    -----
    Identity, log and probit links are in closed form. The others go by the trapezoidal rule, whose error
    falls exponentially with its step: G is analytic within a distance of pi of the real line in eta.
    """
    if link == "identity":
        found = np.zeros((order + 1, len(mu)))
        found[0] = mu
        found[1:2] = 1.0
        return found
    if link == "log":
        return np.tile(np.exp(np.minimum(mu + 0.5 * s2, MAX_EXPONENT)), (order + 1, 1))
    if link == "probit":
        spread = np.sqrt(1.0 + s2)
        return np.asarray(_probit(mu / spread, order) / spread ** np.arange(order + 1)[:, None])
    derivatives = _logit if link == "logit" else _cloglog
    if not s2.any():
        return derivatives(mu, order)
    s = np.sqrt(s2)
    widest = min(float(s.max()), _WIDEST)
    step = min(_COARSEST, 2.0 * np.pi * (np.pi / 2.0 / max(widest, 1e-8)) / _DIGITS)
    half = int(np.ceil(_REACH / step))
    e = step * np.arange(-half, half + 1)
    weight = np.exp(-0.5 * e**2)
    weight /= weight.sum()
    found = np.empty((order + 1, len(mu)))
    rows = max(1, _BLOCK // len(e))
    for first in range(0, len(mu), rows):
        part = slice(first, first + rows)
        found[:, part] = derivatives(mu[part, None] + s[part, None] * e, order) @ weight
    return found


def _probit(x: Array, order: int) -> Array:
    """The normal distribution function and its derivatives, by Hermite polynomials."""
    density = np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)
    parts = [ndtr(x), density, -x * density, (x**2 - 1.0) * density, (3.0 * x - x**3) * density]
    return np.array(parts[: order + 1])


def _logit(x: Array, order: int) -> Array:
    p = expit(x)
    d = p * expit(-x)
    t = 1.0 - 2.0 * p
    parts = [p, d, d * t, d * (1.0 - 6.0 * d), d * t * (1.0 - 12.0 * d)]
    return np.array(parts[: order + 1])


def _cloglog(x: Array, order: int) -> Array:
    t = np.exp(np.minimum(x, 50.0))
    left = np.exp(-t)
    d = t * left
    # Where exp(-t) is zero, so is its product with any power of t.
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [
            -np.expm1(-t),
            d,
            d * (1.0 - t),
            d * (1.0 - 3.0 * t + t**2),
            d * (1.0 - 7.0 * t + 6.0 * t**2 - t**3),
        ]
    return np.array(parts[: order + 1])
