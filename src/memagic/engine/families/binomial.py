"""Successes in a number of trials: logit, probit and complementary log-log links.

Source: manual [ME] meglm, table of `family()` and `link()`; McCullagh and Nelder (1989), chap. 4.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, gammaln, ndtri

from memagic.engine.families.base import Array, Terms, WithoutPhi
from memagic.engine.kernel import gompertz

__all__ = ["BinomialCloglog", "BinomialLogit", "BinomialProbit"]


class _Binomial(WithoutPhi):
    """Successes in r trials, r = 1 for a Bernoulli response."""

    def constant(self, y: Array, r: Array | float) -> Array:
        if isinstance(r, float) and r == 1.0:
            return np.zeros(y.shape)
        return np.asarray(gammaln(r + 1.0) - gammaln(y + 1.0) - gammaln(r - y + 1.0))

    @staticmethod
    def initial_mean(y: Array, r: Array | float) -> Array:
        """Success probabilities drawn in from 0 and 1, so that every link is finite."""
        return np.asarray((y + 0.5) / (r + 1.0))


class BinomialLogit(_Binomial):
    """Log f = y eta - r log(1 + exp(eta))."""

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        if isinstance(r, float) and r == 1.0:
            return Terms("bernoulli_logit", (y,))
        return Terms("binomial_logit", (y, np.broadcast_to(r, y.shape)))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        t = np.exp(-np.abs(eta))
        u = 1.0 / (1.0 + t)
        return np.asarray(r * t * u**3 * (1.0 - t) * np.where(eta >= 0.0, 1.0, -1.0))

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        mu = self.initial_mean(y, r)
        return np.asarray(np.log(mu / (1.0 - mu)))


class BinomialProbit(_Binomial):
    """Log f = y log Phi(eta) + (r - y) log Phi(-eta)."""

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        return Terms("binomial_probit", (y, r - y))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        def side(x: Array) -> Array:
            m = np.sqrt(2.0 / np.pi) / erfcx(-x / np.sqrt(2.0))  # phi(x)/Phi(x)
            return np.asarray(m * ((m + x) * (2.0 * m + x) - 1.0))

        return np.asarray(y * side(eta) - (r - y) * side(-eta))

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.asarray(ndtri(self.initial_mean(y, r)))


class BinomialCloglog(_Binomial):
    """Success probability 1 - exp(-exp(eta))."""

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        return Terms("binomial_cloglog", (y, r - y))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        _, h, w = gompertz(eta)
        slope = h * (1.0 - w - h)
        return np.asarray(y * (slope * (1.0 - w - h) - h * (w + slope)) - (r - y) * w)

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.asarray(np.log(-np.log1p(-self.initial_mean(y, r))))
