"""Successes in a number of trials: logit, probit and complementary log-log links.

Source: manual [ME] meglm, table of `family()` and `link()`; McCullagh and Nelder (1989), chap. 4.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erfcx, gammaln, log_ndtr, ndtri

from memagic.engine.families.base import MAX_EXPONENT, Array, WithoutPhi, logistic

__all__ = ["BinomialCloglog", "BinomialLogit", "BinomialProbit", "cloglog_success"]


class _Binomial(WithoutPhi):
    """Successes in r trials, r = 1 for a Bernoulli response."""

    def constant(self, y: Array, r: Array | float) -> Array:
        return np.asarray(gammaln(r + 1.0) - gammaln(y + 1.0) - gammaln(r - y + 1.0))

    @staticmethod
    def initial_mean(y: Array, r: Array | float) -> Array:
        """Success probabilities drawn in from 0 and 1, so that every link is finite."""
        return np.asarray((y + 0.5) / (r + 1.0))


def _moderate(eta: Array) -> bool:
    """Whether no exponential overflows, so that exp(eta) may be taken as it is."""
    return bool(np.max(eta, initial=0.0) <= MAX_EXPONENT)


def _times(part: Array, r: Array | float) -> None:
    """Multiply in place by the number of trials, which mostly is one."""
    if not isinstance(r, float) or r != 1.0:
        part *= r


class BinomialLogit(_Binomial):
    """Log f = y eta - r log(1 + exp(eta))."""

    def log_density(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        if not _moderate(eta):
            return np.asarray(y * eta - r * logistic(eta)[2])
        t = np.exp(eta)
        t += 1.0
        np.log(t, out=t)
        _times(t, r)
        return np.subtract(y * eta, t, out=t)

    def derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> tuple[Array, Array, Array]:
        if not _moderate(eta):
            mu, complement, softplus = logistic(eta)
            return y * eta - r * softplus, y - r * mu, -r * mu * complement
        mu = np.exp(eta)
        u = mu + 1.0
        mu /= u
        second = mu / u
        np.log(u, out=u)
        for part in (u, mu, second):
            _times(part, r)
        np.negative(second, out=second)
        return np.subtract(y * eta, u, out=u), np.subtract(y, mu, out=mu), second

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        t = np.exp(-np.abs(eta))
        u = 1.0 / (1.0 + t)
        return np.asarray(r * t * u**3 * (1.0 - t) * np.where(eta >= 0.0, 1.0, -1.0))

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        mu = self.initial_mean(y, r)
        return np.asarray(np.log(mu / (1.0 - mu)))


def _probit_side(x: Array) -> tuple[Array, Array]:
    """Log Phi(x) and the inverse Mills ratio phi(x)/Phi(x), stable in both tails."""
    return np.asarray(log_ndtr(x)), np.sqrt(2.0 / np.pi) / erfcx(-x / np.sqrt(2.0))


class BinomialProbit(_Binomial):
    """Log f = y log Phi(eta) + (r - y) log Phi(-eta)."""

    def log_density(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(y * log_ndtr(eta) + (r - y) * log_ndtr(-eta))

    def derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> tuple[Array, Array, Array]:
        log_1, mills_1 = _probit_side(eta)
        log_0, mills_0 = _probit_side(-eta)
        failures = r - y
        logf = y * log_1 + failures * log_0
        first = y * mills_1 - failures * mills_0
        second = -y * mills_1 * (mills_1 + eta) - failures * mills_0 * (mills_0 - eta)
        return logf, first, second

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        def side(x: Array) -> Array:
            _, m = _probit_side(x)
            return np.asarray(m * ((m + x) * (2.0 * m + x) - 1.0))

        return np.asarray(y * side(eta) - (r - y) * side(-eta))

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.asarray(ndtri(self.initial_mean(y, r)))


def cloglog_success(eta: Array) -> tuple[Array, Array, Array]:
    """Log(1 - exp(-w)), h = w / (exp(w) - 1) and w = exp(eta)."""
    w = np.exp(np.clip(eta, -MAX_EXPONENT, MAX_EXPONENT))
    with np.errstate(over="ignore"):
        h = w / np.expm1(w)
    # Below exp(-30) the logarithm's series is exact to double precision.
    log_success = np.where(eta < -30.0, eta - 0.5 * w, np.log(-np.expm1(-np.maximum(w, 1e-300))))
    return log_success, h, w


class BinomialCloglog(_Binomial):
    """Success probability 1 - exp(-exp(eta))."""

    def log_density(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        log_success, _, w = cloglog_success(eta)
        return np.asarray(y * log_success - (r - y) * w)

    def derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> tuple[Array, Array, Array]:
        log_success, h, w = cloglog_success(eta)
        failures_w = (r - y) * w
        return y * log_success - failures_w, y * h - failures_w, y * h * (1.0 - w - h) - failures_w

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        _, h, w = cloglog_success(eta)
        slope = h * (1.0 - w - h)
        return np.asarray(y * (slope * (1.0 - w - h) - h * (w + slope)) - (r - y) * w)

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.asarray(np.log(-np.log1p(-self.initial_mean(y, r))))
