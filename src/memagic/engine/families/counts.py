"""Counts: Poisson, and the two negative binomial families. The response is a whole number.

Source: manual [ME] meglm, table of `family()` and `link()`; [ME] menbreg, Methods and formulas;
Cameron and Trivedi (2013), Regression Analysis of Count Data, 3.3.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, gammaincc, gammaln, xlogy

from memagic.engine.families.base import (
    MAX_EXPONENT,
    Array,
    Compiled,
    PhiDerivatives,
    Terms,
    WithoutPhi,
    integral_of_variance,
    lacks,
    logistic,
)
from memagic.engine.families.links import LOG
from memagic.engine.kernel import log_rising

__all__ = ["NegativeBinomialConstant", "NegativeBinomialMean", "PoissonLog"]

# The exponential enters products with other sizes that may be large as well.
_MAX_SIZE_EXPONENT = 600.0
# Dispersions to start from.
_LEAST_DISPERSION, _MOST_DISPERSION = 1e-2, 1e2


class PoissonLog(WithoutPhi):
    """Log f = y eta - exp(eta)."""

    link = LOG

    def mean(self, eta: Array, r: Array | float, phi: Array) -> Array:
        return self.link.inverse(eta)

    def distribution(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(gammaincc(np.floor(y) + 1.0, self.mean(eta, r, phi)))

    def draw(self, eta: Array, r: Array | float, phi: Array, rng: np.random.Generator) -> Array:
        return rng.poisson(self.mean(eta, r, phi)).astype(float)

    def variance(self, mu: Array, r: Array | float, phi: Array) -> Array:
        return mu

    def deviance(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(2.0 * (xlogy(y, y / mu) - (y - mu)))

    def anscombe(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(1.5 * (np.cbrt(y) ** 2 - np.cbrt(mu) ** 2) / mu ** (1.0 / 6.0))

    def constant(self, y: Array, r: Array | float) -> Array:
        return np.asarray(-gammaln(y + 1.0))

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        return Terms("poisson_log", (y,))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        return -np.exp(np.minimum(eta, MAX_EXPONENT))

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.asarray(np.log(0.5 * (y + max(float(np.mean(y)), 0.1))))


class _NegativeBinomial(Compiled):
    """What the two families share: phi is the log of the dispersion, beta starts as a Poisson's."""

    link = LOG
    n_phi = 1
    closed_form = False
    reports_variance = False

    def mean(self, eta: Array, r: Array | float, phi: Array) -> Array:
        return self.link.inverse(eta)

    def distribution(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        size, share = self._size(self.mean(eta, r, phi), phi)
        return np.asarray(betainc(size, np.floor(y) + 1.0, share))

    def draw(self, eta: Array, r: Array | float, phi: Array, rng: np.random.Generator) -> Array:
        mu = self.mean(eta, r, phi)
        size, _ = self._size(mu, phi)
        return rng.poisson(rng.gamma(size, mu / size)).astype(float)

    @staticmethod
    def _size(mu: Array, phi: Array) -> tuple[Array, Array]:
        """The size m, and the success probability m / (m + mu), shaped as mu."""
        raise NotImplementedError

    def constant(self, y: Array, r: Array | float) -> Array:
        return np.asarray(-gammaln(y + 1.0))

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return PoissonLog().initial_eta(y, r)

    def initial_beta(self, x: Array, y: Array, r: Array | float, offset: Array | None) -> Array:
        return PoissonLog().initial_beta(x, y, r, offset)

    def report_phi(self, phi: Array) -> tuple[Array, Array]:
        return phi, np.ones_like(phi)

    def from_reported_phi(self, reported: Array) -> Array:
        return reported


class NegativeBinomialMean(_NegativeBinomial):
    """Mean mu = exp(eta), variance mu (1 + alpha mu); phi is log alpha.

    With the size m = 1/alpha and t = eta + phi, log f = log[Gamma(y + m) / (Gamma(m) m^y)] + y eta -
    (y + m) log(1 + exp(t)). The first term is of the row alone, and zero in the limit of the Poisson.
    """

    @staticmethod
    def _size(mu: Array, phi: Array) -> tuple[Array, Array]:
        dispersion = np.exp(phi[0])
        return np.full(mu.shape, 1.0 / dispersion), 1.0 / (1.0 + dispersion * mu)

    def variance(self, mu: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(mu * (1.0 + np.exp(phi[0]) * mu))

    def deviance(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        alpha = np.exp(phi[0])
        rest = (y + 1.0 / alpha) * (np.log1p(alpha * y) - np.log1p(alpha * mu))
        return np.asarray(2.0 * (xlogy(y, y / mu) - rest))

    def anscombe(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        alpha = np.exp(phi[0])
        change = integral_of_variance(y, -alpha * y) - integral_of_variance(mu, -alpha * mu)
        return np.asarray(change / self.variance(mu, r, phi) ** (1.0 / 6.0))

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        own = self._row(y, phi, 0)[0]
        return Terms("negative_binomial_mean", (y, own), (float(phi[0]), float(np.exp(-phi[0]))))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        p, q, _ = logistic(eta + phi[0])
        return np.asarray((y + np.exp(-phi[0])) * p * q * (p - q))

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        p, q, softplus = logistic(eta + phi[0])
        size = np.exp(-phi[0])
        _, slope, bend = self._row(y, phi, 2)
        excess = size * (softplus - p)
        size_p = size * p
        y_pq = y * p * q
        first = y * q - size_p
        return PhiDerivatives(
            score=(slope + excess - y * p)[None],
            cross=(-p * first)[None],
            curvature=(y_pq * (p - q) + 2.0 * size_p * p * q)[None],
            hessian=(bend - excess + size_p * p - y_pq)[None, None],
        )

    @staticmethod
    def _row(y: Array, phi: Array, order: int) -> list[Array]:
        """Log of Gamma(y + m) / (Gamma(m) m^y) and its derivatives in phi = -log m, shaped as y."""
        parts = log_rising(np.full(y.shape, -phi[0]), y, order)
        parts[0] = parts[0] + y * phi[0]
        if order > 0:
            parts[1] = y - parts[1]
        return parts

    def initial_phi(self, eta: Array, y: Array) -> Array:
        """Log of sum[(y - mu)^2 - mu] / sum[mu^2], the ratio of moments."""
        mu = np.exp(np.minimum(eta, 0.25 * MAX_EXPONENT))
        alpha = float(np.sum((y - mu) ** 2 - mu) / np.sum(mu * mu))
        return np.array([np.log(np.clip(alpha, _LEAST_DISPERSION, _MOST_DISPERSION))])


class NegativeBinomialConstant(_NegativeBinomial):
    """Mean mu = exp(eta), variance mu (1 + delta), size m = mu/delta; phi is log delta.

    Log f = log[Gamma(y + m) / Gamma(m)] - m log(1 + delta) + y log[delta / (1 + delta)].
    """

    @staticmethod
    def _size(mu: Array, phi: Array) -> tuple[Array, Array]:
        dispersion = np.exp(phi[0])
        return mu / dispersion, np.full(mu.shape, 1.0 / (1.0 + dispersion))

    def variance(self, mu: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(mu * (1.0 + np.exp(phi[0])))

    def deviance(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        raise lacks(self, "deviance")

    def anscombe(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        raise lacks(self, "Anscombe residuals")

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        softplus = float(logistic(phi[:1])[2][0])
        return Terms("negative_binomial_constant", (y,), (float(phi[0]), softplus))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        log_size = eta - phi[0]
        _, _, softplus = logistic(phi[:1])
        rising = log_rising(log_size, y, 3)[3]
        return np.asarray(rising - np.exp(np.minimum(log_size, _MAX_SIZE_EXPONENT)) * softplus[0])

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        log_size = eta - phi[0]
        (p,), (q,), (softplus,) = logistic(phi[:1])
        _, slope, bend, twist = log_rising(log_size, y, 3)
        size = np.exp(np.minimum(log_size, _MAX_SIZE_EXPONENT))
        # log(1 + delta) - delta / (1 + delta), a series where it is a difference of near equals.
        delta = np.exp(min(float(phi[0]), 0.0))
        excess = delta * delta * (0.5 - delta * (2 / 3 - 0.75 * delta)) if delta < 1e-5 else softplus - p
        size_excess = size * excess
        return PhiDerivatives(
            score=(size_excess - slope + y * q)[None],
            cross=(size_excess - bend)[None],
            curvature=(size_excess - twist)[None],
            hessian=(bend - size_excess + size * (p * p) - y * (p * q))[None, None],
        )

    def initial_phi(self, eta: Array, y: Array) -> Array:
        """Log of sum[(y - mu)^2] / sum[mu] - 1, the ratio of moments."""
        mu = np.exp(np.minimum(eta, 0.25 * MAX_EXPONENT))
        delta = float(np.sum((y - mu) ** 2) / np.sum(mu)) - 1.0
        return np.array([np.log(np.clip(delta, _LEAST_DISPERSION, _MOST_DISPERSION))])
