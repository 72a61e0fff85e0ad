"""Conditional densities of the response given the linear predictor.

Each family is one small object with no data of its own. Functions take the linear predictor `eta`
of shape (n,) or (n, K), the response `y` and the number of trials `r` in shapes that broadcast
against it (`r` may be a float), and the family's own parameters `phi` of shape (n_phi,). They
return arrays shaped as `eta`. Terms of log f that depend on the data alone are in `constant`, so
that they are added once and not at every node.

Source: manual [ME] meglm, table of `family()` and `link()`; McCullagh and Nelder (1989), chap. 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, gammaln, log_ndtr

Array = NDArray[np.float64]

__all__ = [
    "BinomialCloglog",
    "BinomialLogit",
    "BinomialProbit",
    "Family",
    "GaussianIdentity",
    "GaussianLog",
    "PoissonLog",
]

_LOG_2PI = float(np.log(2.0 * np.pi))
_MAX_EXPONENT = 700.0  # exp() of more overflows a double


class Family(Protocol):
    """What the likelihoods ask of a family."""

    n_phi: int
    closed_form: bool  # whether the marginal likelihood has one

    def constant(self, y: Array, r: Array | float) -> Array:
        """Terms of log f free of parameters, one an observation."""

    def log_density(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        """Log f(y | eta), less `constant`."""

    def derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> tuple[Array, Array, Array]:
        """Log f, and its first and second derivative in eta."""

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        """Third derivative of log f in eta."""

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        """Derivatives that involve the family's own parameters."""

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        """A linear predictor to start iteratively reweighted least squares from."""

    def initial_phi(self, eta: Array, y: Array) -> Array:
        """The family's own parameters, given fitted linear predictors."""

    def report_phi(self, phi: Array) -> tuple[Array, Array]:
        """The parameters as they are reported, and the Jacobian's diagonal."""


@dataclass(frozen=True, slots=True)
class PhiDerivatives:
    """Derivatives of log f that involve phi.

    Attributes
    ----------
    score : ndarray, shape (n_phi, *eta.shape)
        d log f / d phi.
    cross : ndarray, shape (n_phi, *eta.shape)
        d^2 log f / d eta d phi.
    curvature : ndarray, shape (n_phi, *eta.shape)
        d^3 log f / d eta^2 d phi.
    hessian : ndarray, shape (n_phi, n_phi, *eta.shape)
        d^2 log f / d phi d phi'.
    """

    score: Array
    cross: Array
    curvature: Array
    hessian: Array


class _WithoutPhi:
    """Families without parameters of their own."""

    n_phi = 0
    closed_form = False

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        none = np.empty((0, *eta.shape))
        return PhiDerivatives(none, none, none, np.empty((0, 0, *eta.shape)))

    def initial_phi(self, eta: Array, y: Array) -> Array:
        return np.empty(0)

    def report_phi(self, phi: Array) -> tuple[Array, Array]:
        return phi, np.ones_like(phi)


class _Binomial(_WithoutPhi):
    """Successes in r trials, r = 1 for a Bernoulli response."""

    def constant(self, y: Array, r: Array | float) -> Array:
        return np.asarray(gammaln(r + 1.0) - gammaln(y + 1.0) - gammaln(r - y + 1.0))

    @staticmethod
    def initial_mean(y: Array, r: Array | float) -> Array:
        """Success probabilities drawn in from 0 and 1, so that every link is finite."""
        return np.asarray((y + 0.5) / (r + 1.0))


class BinomialLogit(_Binomial):
    """Log f = y eta - r log(1 + exp(eta))."""

    def log_density(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        t = np.abs(eta)
        np.negative(t, out=t)
        np.exp(t, out=t)
        t += 1.0
        np.log(t, out=t)
        t += np.maximum(eta, 0.0)
        t *= r
        return np.subtract(y * eta, t, out=t)

    def derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> tuple[Array, Array, Array]:
        t = np.abs(eta)
        np.negative(t, out=t)
        np.exp(t, out=t)
        u = t + 1.0
        logf = np.log(u)
        logf += np.maximum(eta, 0.0)
        logf *= r
        np.subtract(y * eta, logf, out=logf)
        np.divide(1.0, u, out=u)  # probability of the likelier side
        mu = np.where(eta >= 0.0, u, t * u)
        u *= u
        t *= u
        t *= r
        np.negative(t, out=t)
        mu *= r
        return logf, np.subtract(y, mu, out=mu), t

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
        from scipy.special import ndtri

        return np.asarray(ndtri(self.initial_mean(y, r)))


def _cloglog_success(eta: Array) -> tuple[Array, Array, Array]:
    """Log(1 - exp(-w)), h = w / (exp(w) - 1) and w = exp(eta)."""
    w = np.exp(np.clip(eta, -_MAX_EXPONENT, _MAX_EXPONENT))
    with np.errstate(over="ignore"):
        h = w / np.expm1(w)
    # Below exp(-30) the logarithm's series is exact to double precision.
    log_success = np.where(eta < -30.0, eta - 0.5 * w, np.log(-np.expm1(-np.maximum(w, 1e-300))))
    return log_success, h, w


class BinomialCloglog(_Binomial):
    """Success probability 1 - exp(-exp(eta))."""

    def log_density(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        log_success, _, w = _cloglog_success(eta)
        return np.asarray(y * log_success - (r - y) * w)

    def derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> tuple[Array, Array, Array]:
        log_success, h, w = _cloglog_success(eta)
        failures_w = (r - y) * w
        return y * log_success - failures_w, y * h - failures_w, y * h * (1.0 - w - h) - failures_w

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        _, h, w = _cloglog_success(eta)
        slope = h * (1.0 - w - h)
        return np.asarray(y * (slope * (1.0 - w - h) - h * (w + slope)) - (r - y) * w)

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.asarray(np.log(-np.log1p(-self.initial_mean(y, r))))


class PoissonLog(_WithoutPhi):
    """Log f = y eta - exp(eta)."""

    def constant(self, y: Array, r: Array | float) -> Array:
        return np.asarray(-gammaln(y + 1.0))

    def log_density(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        mu = np.minimum(eta, _MAX_EXPONENT)
        np.exp(mu, out=mu)
        return np.subtract(y * eta, mu, out=mu)

    def derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> tuple[Array, Array, Array]:
        mu = np.minimum(eta, _MAX_EXPONENT)
        np.exp(mu, out=mu)
        return y * eta - mu, y - mu, -mu

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        return -np.exp(np.minimum(eta, _MAX_EXPONENT))

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.asarray(np.log(0.5 * (y + max(float(np.mean(y)), 0.1))))


class _Gaussian:
    """Normal response; phi is the log of the residual standard deviation."""

    n_phi = 1
    closed_form = False

    def constant(self, y: Array, r: Array | float) -> Array:
        return np.full(y.shape, -0.5 * _LOG_2PI)

    def report_phi(self, phi: Array) -> tuple[Array, Array]:
        variance = np.exp(2.0 * phi)
        return variance, 2.0 * variance


class GaussianIdentity(_Gaussian):
    """Mean eta. The third derivative vanishes."""

    closed_form = True

    def log_density(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(-phi[0] - 0.5 * np.exp(-2.0 * phi[0]) * (y - eta) ** 2)

    def derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> tuple[Array, Array, Array]:
        precision = np.exp(-2.0 * phi[0])
        residual = y - eta
        return (
            -phi[0] - 0.5 * precision * residual * residual,
            precision * residual,
            np.full(residual.shape, -precision),
        )

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

    @staticmethod
    def _mean(eta: Array) -> Array:
        # The square of the mean enters the derivatives, hence half the largest exponent.
        return np.exp(np.minimum(eta, 0.5 * _MAX_EXPONENT))

    def log_density(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        return np.asarray(-phi[0] - 0.5 * np.exp(-2.0 * phi[0]) * (y - self._mean(eta)) ** 2)

    def derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> tuple[Array, Array, Array]:
        precision = np.exp(-2.0 * phi[0])
        mu = self._mean(eta)
        residual = y - mu
        first = precision * residual * mu
        return -phi[0] - 0.5 * precision * residual * residual, first, first - precision * mu * mu

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        mu = self._mean(eta)
        return np.asarray(np.exp(-2.0 * phi[0]) * mu * (y - 4.0 * mu))

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        precision = np.exp(-2.0 * phi[0])
        mu = self._mean(eta)
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
        return _log_residual_sd(y - self._mean(eta))


def _log_residual_sd(residual: Array) -> Array:
    """Maximum likelihood estimate of log sigma, kept finite where the fit is exact."""
    variance = float(np.mean(residual * residual))
    return np.array([0.5 * np.log(max(variance, 1e-300))])
