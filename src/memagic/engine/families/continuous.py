"""Continuous responses: Gaussian with the identity and the log link, gamma with the log link.

Source: manual [ME] meglm, table of `family()` and `link()`; McCullagh and Nelder (1989), chap. 8.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, gammainc, gammaln, ndtr, polygamma

from memagic.engine.families.base import LOG_2PI, MAX_EXPONENT, Array, PhiDerivatives, Reweighted, Terms
from memagic.engine.families.links import IDENTITY, LOG, Link

__all__ = ["GammaLog", "GaussianIdentity", "GaussianLog"]

# The exponential enters products with a shape that may be large as well.
_MAX_GAMMA_EXPONENT = 600.0
# From here on Stirling's series is exact to double precision.
_LARGE_SHAPE = 50.0


class _Gaussian(Reweighted):
    """Normal response; phi is the log of the residual standard deviation."""

    link: Link
    n_phi = 1
    closed_form = False
    reports_variance = True

    def mean(self, eta: Array, r: Array | float, phi: Array) -> Array:
        return self.link.inverse(eta)

    def distribution(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(ndtr((y - self.mean(eta, r, phi)) / np.exp(phi[0])))

    def draw(self, eta: Array, r: Array | float, phi: Array, rng: np.random.Generator) -> Array:
        return np.asarray(rng.normal(self.mean(eta, r, phi), np.exp(phi[0])))

    def variance(self, mu: Array, r: Array | float, phi: Array) -> Array:
        return np.ones_like(mu)

    def deviance(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray((y - mu) ** 2)

    def anscombe(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(y - mu)

    def constant(self, y: Array, r: Array | float) -> Array:
        return np.full(y.shape, -0.5 * LOG_2PI)

    def report_phi(self, phi: Array) -> tuple[Array, Array]:
        variance = np.exp(2.0 * phi)
        return variance, 2.0 * variance

    def from_reported_phi(self, reported: Array) -> Array:
        return np.asarray(0.5 * np.log(np.where(reported > 0.0, reported, np.nan)))


class GaussianIdentity(_Gaussian):
    """Mean eta. The third derivative vanishes."""

    link = IDENTITY
    closed_form = True

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        return Terms("gaussian_identity", (y,), (float(phi[0]), float(np.exp(-2.0 * phi[0]))))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        return np.zeros(eta.shape)

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        precision = np.exp(-2.0 * phi[0])
        residual = y - eta
        squared = precision * residual * residual
        return PhiDerivatives(
            score=(squared - 1.0)[None],
            cross=(-2.0 * precision * residual)[None],
            curvature=np.full((1, *eta.shape), 2.0 * precision),
            hessian=(-2.0 * squared)[None, None],
        )

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.array(y, dtype=float)

    def initial_phi(self, eta: Array, y: Array) -> Array:
        return _log_residual_sd(y - eta)


class GaussianLog(_Gaussian):
    """Mean exp(eta)."""

    link = LOG

    @staticmethod
    def _limited_mean(eta: Array) -> Array:
        # The square of the mean enters the derivatives, hence half the largest exponent.
        return np.exp(np.minimum(eta, 0.5 * MAX_EXPONENT))

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        return Terms("gaussian_log", (y,), (float(phi[0]), float(np.exp(-2.0 * phi[0]))))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        mu = self._limited_mean(eta)
        return np.asarray(np.exp(-2.0 * phi[0]) * mu * (y - 4.0 * mu))

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        precision = np.exp(-2.0 * phi[0])
        mu = self._limited_mean(eta)
        residual = y - mu
        squared = precision * residual * residual
        return PhiDerivatives(
            score=(squared - 1.0)[None],
            cross=(-2.0 * precision * residual * mu)[None],
            curvature=(-2.0 * precision * mu * (y - 2.0 * mu))[None],
            hessian=(-2.0 * squared)[None, None],
        )

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        # The log link needs a positive mean where the response is zero or negative.
        floor = 0.1 * max(float(np.mean(np.abs(y))), 1e-8)
        return np.asarray(np.log(np.maximum(y, floor)))

    def initial_phi(self, eta: Array, y: Array) -> Array:
        return _log_residual_sd(y - self._limited_mean(eta))


def _log_residual_sd(residual: Array) -> Array:
    """Maximum likelihood estimate of log sigma, kept finite where the fit is exact."""
    variance = float(np.mean(residual * residual))
    return np.array([0.5 * np.log(max(variance, 1e-300))])


class GammaLog(Reweighted):
    """Gamma response y > 0 with mean mu = exp(eta), shape k = 1/s^2 and variance s^2 mu^2.

    Log f = k (z - exp(z)) + k log k - log Gamma(k) - log y with z = log y - eta; phi is log s.
    """

    link = LOG
    n_phi = 1
    closed_form = False

    def mean(self, eta: Array, r: Array | float, phi: Array) -> Array:
        return self.link.inverse(eta)

    def distribution(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        shape = np.exp(-2.0 * phi[0])
        return np.asarray(gammainc(shape, shape * y / self.mean(eta, r, phi)))

    def draw(self, eta: Array, r: Array | float, phi: Array, rng: np.random.Generator) -> Array:
        shape = np.exp(-2.0 * phi[0])
        return np.asarray(rng.gamma(shape, self.mean(eta, r, phi) / shape))

    def variance(self, mu: Array, r: Array | float, phi: Array) -> Array:
        return mu * mu

    def deviance(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(-2.0 * (np.log(y / mu) - (y - mu) / mu))

    def anscombe(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(3.0 * (np.cbrt(y / mu) - 1.0))

    def constant(self, y: Array, r: Array | float) -> Array:
        return -np.log(y)

    @staticmethod
    def _excess(eta: Array, y: Array) -> tuple[Array, Array]:
        """Log of y/mu, and y/mu - 1."""
        z = np.log(y) - eta
        return z, np.expm1(np.minimum(z, _MAX_GAMMA_EXPONENT))

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        shape = float(np.exp(-2.0 * phi[0]))
        return Terms("gamma_log", (np.log(y),), (shape, _shape_terms(shape)[0]))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        z = np.log(y) - eta
        return np.asarray(np.exp(-2.0 * phi[0]) * np.exp(np.minimum(z, _MAX_GAMMA_EXPONENT)))

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        shape = np.exp(-2.0 * phi[0])
        z, excess = self._excess(eta, y)
        _, slope, bend = _shape_terms(shape)
        # d log f / dk, and d/d phi = -2 k d/dk.
        by_shape = z - excess + slope
        return PhiDerivatives(
            score=(-2.0 * shape * by_shape)[None],
            cross=(-2.0 * shape * excess)[None],
            curvature=(2.0 * shape * (excess + 1.0))[None],
            hessian=(4.0 * shape * (by_shape + bend))[None, None],
        )

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.log(y)

    def initial_phi(self, eta: Array, y: Array) -> Array:
        """Log of s from Pearson's residuals, kept finite where the fit is exact."""
        residual = self._excess(eta, y)[1]
        variance = float(np.mean(np.minimum(np.abs(residual), 1e6) ** 2))
        return np.array([0.5 * np.log(max(variance, 1e-10))])

    def report_phi(self, phi: Array) -> tuple[Array, Array]:
        return phi, np.ones_like(phi)

    def from_reported_phi(self, reported: Array) -> Array:
        return reported


def _shape_terms(k: float) -> tuple[float, float, float]:
    """The terms of a gamma's log density in its shape alone.

    These are d(k) = k log k - k - log Gamma(k), its derivative log k - digamma(k), and k times its
    second derivative, 1 - k trigamma(k). For large k they are small differences of large numbers.
    """
    if k < _LARGE_SHAPE:
        value = k * np.log(k) - k - gammaln(k)
        return float(value), float(np.log(k) - digamma(k)), float(1.0 - k * polygamma(1, k))
    u = 1.0 / k
    v = u * u
    value = 0.5 * np.log(k) - 0.5 * LOG_2PI - u * (1 / 12 - v * (1 / 360 - v * (1 / 1260 - v / 1680)))
    slope = u * (0.5 + u * (1 / 12 - v * (1 / 120 - v * (1 / 252 - v / 240))))
    bend = -u * (0.5 + u * (1 / 6 - v * (1 / 30 - v * (1 / 42 - v / 30))))
    return float(value), float(slope), float(bend)
