"""Successes in a number of trials: logit, probit and complementary log-log links.

Source: manual [ME] meglm, table of `family()` and `link()`; McCullagh and Nelder (1989), chap. 4.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, erfcx, gammaln, ndtri, xlogy

from memagic.engine.families.base import Array, Terms, WithoutPhi, integral_of_variance
from memagic.engine.families.links import CLOGLOG, LOGIT, PROBIT, Link
from memagic.engine.kernel import bernoulli_cumulant, gompertz

__all__ = ["BinomialCloglog", "BinomialLogit", "BinomialProbit"]


class _Binomial(WithoutPhi):
    """Successes in r trials, r = 1 for a Bernoulli response."""

    link: Link

    def mean(self, eta: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(r * self.link.inverse(eta))

    def distribution(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        whole = np.floor(np.broadcast_to(y, eta.shape))
        failures = np.where(whole < r, r - whole, 1.0)
        return np.where(whole < r, betainc(failures, whole + 1.0, 1.0 - self.link.inverse(eta)), 1.0)

    def draw(self, eta: Array, r: Array | float, phi: Array, rng: np.random.Generator) -> Array:
        n = np.broadcast_to(r, eta.shape).astype(np.int64)
        return rng.binomial(n, np.clip(self.link.inverse(eta), 0.0, 1.0)).astype(float)

    def variance(self, mu: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(mu * (1.0 - mu / r))

    def deviance(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        failures = r - y
        return np.asarray(2.0 * (xlogy(y, y / mu) + xlogy(failures, failures / (r - mu))))

    def anscombe(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        change = integral_of_variance(y, y / r) - integral_of_variance(mu, mu / r)
        return np.asarray(change / self.variance(mu, r, phi) ** (1.0 / 6.0))

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

    link = LOGIT

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        if isinstance(r, float) and r == 1.0:
            return Terms("bernoulli_logit", (y,))
        return Terms("binomial_logit", (y, np.broadcast_to(r, y.shape)))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(-r * bernoulli_cumulant(eta))

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        mu = self.initial_mean(y, r)
        return np.asarray(np.log(mu / (1.0 - mu)))


class BinomialProbit(_Binomial):
    """Log f = y log Phi(eta) + (r - y) log Phi(-eta)."""

    link = PROBIT

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

    link = CLOGLOG

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        return Terms("binomial_cloglog", (y, r - y))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        _, h, w = gompertz(eta)
        slope = h * (1.0 - w - h)
        return np.asarray(y * (slope * (1.0 - w - h) - h * (w + slope)) - (r - y) * w)

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.asarray(np.log(-np.log1p(-self.initial_mean(y, r))))
