"""Averages of a response function over a normal linear predictor, and their derivatives.

For G a response function and eta ~ N(mu, s2), M_k(mu, s2) = E G^(k)(eta). In mu, dM_k = M_(k+1), and by
the heat equation dM_k / d s2 = M_(k+2) / 2: these averages hold all derivatives of marginal means.

Response functions without a closed form go by the trapezoidal rule, whose error falls exponentially with
its step; the sums are compiled, see src/native/responses.h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine import _kernel
from memagic.engine.kernel import laid_out

Array = NDArray[np.float64]

__all__ = ["complementary_log_log_averages", "logit_averages"]

# Standard deviations to each side within which a normal density is not negligible.
_REACH = 8.5
# -log of the error of the trapezoidal rule, at the distance of the nearest singularity.
_DIGITS = 32.0
# Standard deviations of the linear predictor beyond which more nodes would not be affordable.
_WIDEST = 40.0
_COARSEST = 0.25
# The links in src/native/response_methods.h.
_LOGIT, _COMPLEMENTARY_LOG_LOG = 0, 1


def logit_averages(mu: Array, s2: Array, order: int) -> Array:
    """M_0 to M_order of G(x) = 1/(1 + exp(-x)), shape (order + 1, n).

    Parameters
    ----------
    mu, s2 : ndarray, shape (n,)
    order : int
        At most 4.
    """
    return _averages(_LOGIT, mu, s2, order)


def complementary_log_log_averages(mu: Array, s2: Array, order: int) -> Array:
    """M_0 to M_order of G(x) = 1 - exp(-exp(x)); parameters as for `logit_averages`."""
    return _averages(_COMPLEMENTARY_LOG_LOG, mu, s2, order)


def _averages(link: int, mu: Array, s2: Array, order: int) -> Array:
    s = np.sqrt(laid_out(s2))
    # Missing ones have no say, and stay missing.
    nodes, weights = _rule(float(np.fmax.reduce(s, initial=0.0)))
    found = np.empty((order + 1, len(mu)))
    _kernel.response_averages(link, laid_out(mu), s, nodes, weights, found)
    return found


def _rule(widest: float) -> tuple[Array, Array]:
    """The trapezoidal rule for a standard normal.

    Both response functions are analytic within a distance of pi/2 of the real line or more.

    Parameters
    ----------
    widest : float
        The largest standard deviation of the linear predictor.
    """
    if widest == 0.0:
        return np.zeros(1), np.ones(1)
    step = min(_COARSEST, 2.0 * np.pi * (np.pi / 2.0 / max(min(widest, _WIDEST), 1e-8)) / _DIGITS)
    half = int(np.ceil(_REACH / step))
    nodes = np.asarray(step * np.arange(-half, half + 1), dtype=float)
    weights = np.asarray(np.exp(-0.5 * nodes**2), dtype=float)
    return nodes, np.asarray(weights / weights.sum())
