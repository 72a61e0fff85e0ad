"""What is asked of a family, by the likelihoods and after the fit, and what the families share.

Functions take the linear predictor `eta` of shape (n,) or (n, K), the response `y` and the number
of trials `r` in shapes that broadcast against it (`r` may be a float), and the family's own
parameters `phi` of shape (n_phi,). They return arrays shaped as `eta`. Terms of log f that depend
on the data alone are in `constant`, so that they are added once and not at every node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import hyp2f1

from memagic.engine.families.links import MAX_EXPONENT, Link
from memagic.engine.kernel import Terms, density, density_derivatives

Array = NDArray[np.float64]

__all__ = [
    "LOG_2PI",
    "MAX_EXPONENT",
    "Array",
    "Compiled",
    "Family",
    "PhiDerivatives",
    "ResponseDistribution",
    "Reweighted",
    "Terms",
    "WithoutPhi",
    "integral_of_variance",
    "lacks",
    "logistic",
]

LOG_2PI = float(np.log(2.0 * np.pi))
_LEAST_WEIGHT = 1e-10


class ResponseDistribution(Protocol):
    """What is asked of a family after the fit; `mu` is the mean, with the shape of `eta`."""

    @property
    def link(self) -> Link:
        """Whose inverse the mean goes through, or the cumulative probabilities of categories."""

    def mean(self, eta: Array, r: Array | float, phi: Array) -> Array:
        """E(y | eta): the number of successes in r trials, the mean of an ordinal response's codes."""

    def density(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        """f(y | eta): the density of a continuous response, the probability of any other."""

    def distribution(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        """F(y | eta), the probability of a response no larger than y."""

    def draw(self, eta: Array, r: Array | float, phi: Array, rng: np.random.Generator) -> Array:
        """One response for every linear predictor."""

    def variance(self, mu: Array, r: Array | float, phi: Array) -> Array:
        """V(mu) without the scale: 1 for Gaussian and mu^2 for gamma responses.

        This and the next two raise TypeError where a family does not have them.
        """

    def deviance(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        """Contributions to the deviance; those that are zero may be a rounding error below it."""

    def anscombe(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        """Anscombe's residuals: [A(y) - A(mu)] / V(mu)^(1/6) with A the integral of V^(-1/3)."""


class Family(ResponseDistribution, Protocol):
    """What the likelihoods ask of a family, and `ResponseDistribution`."""

    @property
    def n_phi(self) -> int:
        """Number of the family's own parameters."""

    @property
    def closed_form(self) -> bool:
        """Whether the marginal likelihood has a closed form."""

    @property
    def reports_variance(self) -> bool:
        """Whether phi is the log of a standard deviation, reported as a variance, or reported as it is."""

    def constant(self, y: Array, r: Array | float) -> Array:
        """Terms of log f free of parameters, one an observation."""

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        """What the compiled density needs, see kernel.py."""

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

    def initial_beta(self, x: Array, y: Array, r: Array | float, offset: Array | None) -> Array:
        """Coefficients to start the model without random effects from."""

    def initial_phi(self, eta: Array, y: Array) -> Array:
        """The family's own parameters, given fitted linear predictors."""

    def report_phi(self, phi: Array) -> tuple[Array, Array]:
        """The parameters as they are reported, and the Jacobian's diagonal."""

    def from_reported_phi(self, reported: Array) -> Array:
        """The parameters that are reported so; nan where there are none."""


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

    def times(self, weight: Array) -> PhiDerivatives:
        """Those of `weight` times log f; `weight` broadcasts against eta."""
        return PhiDerivatives(
            self.score * weight, self.cross * weight, self.curvature * weight, self.hessian * weight
        )


class Compiled:
    """Densities by the compiled kernel."""

    def density(self: Family, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        y = np.broadcast_to(y, eta.shape)
        return np.asarray(np.exp(self.log_density(eta, y, r, phi) + self.constant(y, r)))

    def log_density(self: Family, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        return density(self.terms(y, r, phi), eta)

    def derivatives(
        self: Family, eta: Array, y: Array, r: Array | float, phi: Array
    ) -> tuple[Array, Array, Array]:
        return density_derivatives(self.terms(y, r, phi), eta)


class Reweighted(Compiled):
    """Families whose coefficients start at one step of iteratively reweighted least squares."""

    reports_variance = False

    def initial_beta(self: Family, x: Array, y: Array, r: Array | float, offset: Array | None) -> Array:
        """The step from `initial_eta` (McCullagh and Nelder 1989, 2.5), with observed weights.

        For a Gaussian response with the identity link this is the maximum itself.
        """
        eta = self.initial_eta(y, r)
        _, first, second = self.derivatives(eta, y, r, np.zeros(self.n_phi))
        weight = np.maximum(-second, _LEAST_WEIGHT)
        working = eta + first / weight
        if offset is not None:
            working -= offset
        weighted = x * weight[:, None]
        # For a start the normal equations are accurate enough.
        products = weighted.T @ x
        scale = 1.0 / np.sqrt(np.maximum(products.diagonal(), 1e-300))
        products *= np.outer(scale, scale)
        solved = np.linalg.lstsq(products, scale * (weighted.T @ working), rcond=None)
        return np.asarray(scale * solved[0], dtype=float)


class WithoutPhi(Reweighted):
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

    def from_reported_phi(self, reported: Array) -> Array:
        return reported


def integral_of_variance(upper: Array, ratio: Array) -> Array:
    """The integral of {t (1 - c t)}^(-1/3) from 0 to `upper`, its shape; `ratio` is c `upper`."""
    return np.asarray(1.5 * np.cbrt(upper) ** 2 * hyp2f1(2.0 / 3.0, 1.0 / 3.0, 5.0 / 3.0, ratio))


def lacks(family: object, what: str) -> TypeError:
    """The error of asking a family for what it does not have."""
    return TypeError(f"{type(family).__name__} has no {what}")


def logistic(x: Array) -> tuple[Array, Array, Array]:
    """The logistic function of x, that of -x, and log(1 + exp(x)), stable in both tails; the shape of x."""
    u = np.abs(x)
    np.negative(u, out=u)
    np.exp(u, out=u)
    softplus = np.log1p(u)
    softplus += np.maximum(x, 0.0)
    likelier = 1.0 / (1.0 + u)
    u *= likelier
    positive = x >= 0.0
    return np.where(positive, likelier, u), np.where(positive, u, likelier), softplus
