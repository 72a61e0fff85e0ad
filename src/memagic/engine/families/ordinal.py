"""Ordered categories: Pr(y <= k) = F(cut_{k+1} - eta), F logistic, normal or Gompertz.

The response holds category codes 0, ..., C - 1; phi holds the C - 1 cutpoints. The probability of a
category is F(b) - F(a) with a and b the cutpoints around it less eta. Neither difference nor
logarithm is taken as it stands, since both F(a) and F(b) may be near zero or near one. Cutpoints
that do not increase have a log density of minus infinity, which makes the maximizer halve its step.

Source: manual [ME] meglm, table of `family()` and `link()`; [ME] meologit, Methods and formulas;
McCullagh and Nelder (1989), 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from memagic.engine.families.base import Array, Compiled, PhiDerivatives, Terms, lacks, logistic
from memagic.engine.families.links import CLOGLOG, LOGIT, PROBIT, Link
from memagic.engine.kernel import density as log_density
from memagic.engine.kernel import gompertz, normal_interval

__all__ = ["OrdinalCloglog", "OrdinalLogit", "OrdinalProbit"]

# Stands for the infinite ends of the first and the last category: differences, squares and products
# with zero remain finite.
_FAR = 1e100
_MAX_CUMULATIVE_EXPONENT = 600.0


class _Cuts(NamedTuple):
    """The cutpoints around the observed categories and functions of their distance, shaped as y.

    `log_share` is log(1 - exp(-distance)), minus infinity where cutpoints do not increase, and
    `odds` is 1 / (exp(distance) - 1): the derivative of `log_share`.
    """

    below: Array
    above: Array
    distance: Array
    log_share: Array
    odds: Array


class _Edge(NamedTuple):
    """Derivatives of log f that involve one of the two cutpoints, shaped as eta."""

    score: Array
    cross: Array
    curvature: Array
    hessian: Array


@dataclass(frozen=True, slots=True)
class _Ordinal(Compiled):
    """What the links share.

    Parameters
    ----------
    n_categories : int
    """

    n_categories: int

    @property
    def n_phi(self) -> int:
        return self.n_categories - 1

    @property
    def closed_form(self) -> bool:
        return False

    @property
    def reports_variance(self) -> bool:
        return False

    @property
    def link(self) -> Link:
        """Whose inverse is F."""
        raise NotImplementedError

    def probabilities(self, eta: Array, phi: Array) -> Array:
        """Pr(y = k | eta) of every category, shape (C, *eta.shape)."""
        codes = (np.full(eta.shape, float(k)) for k in range(self.n_categories))
        return np.exp(np.stack([log_density(self.terms(y, 1.0, phi), eta) for y in codes]))

    def mean(self, eta: Array, r: Array | float, phi: Array) -> Array:
        codes = np.arange(float(self.n_categories))
        return np.asarray(np.tensordot(codes, self.probabilities(eta, phi), axes=1))

    def distribution(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        codes = np.arange(float(self.n_categories)).reshape(-1, *(1,) * eta.ndim)
        up_to_y = np.where(codes <= y, self.probabilities(eta, phi), 0.0).sum(axis=0)
        return np.asarray(np.minimum(up_to_y, 1.0))

    def draw(self, eta: Array, r: Array | float, phi: Array, rng: np.random.Generator) -> Array:
        cumulative = np.cumsum(self.probabilities(eta, phi)[:-1], axis=0)
        return np.asarray((rng.uniform(size=eta.shape) > cumulative).sum(axis=0), dtype=float)

    def variance(self, mu: Array, r: Array | float, phi: Array) -> Array:
        raise lacks(self, "variance function")

    def deviance(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        raise lacks(self, "deviance")

    def anscombe(self, y: Array, mu: Array, r: Array | float, phi: Array) -> Array:
        raise lacks(self, "Anscombe residuals")

    def constant(self, y: Array, r: Array | float) -> Array:
        return np.zeros(y.shape)

    def initial_eta(self, y: Array, r: Array | float) -> Array:
        return np.zeros(y.shape)

    def initial_beta(self, x: Array, y: Array, r: Array | float, offset: Array | None) -> Array:
        """Zero: the start is the model of cutpoints alone."""
        return np.zeros(x.shape[1])

    def initial_phi(self, eta: Array, y: Array) -> Array:
        """The cutpoints that give the categories their shares at the mean linear predictor."""
        counts = np.bincount(y.astype(np.intp).ravel(), minlength=self.n_categories)
        cumulative = np.cumsum(np.maximum(counts, 0.5))
        return self._quantile(cumulative[:-1] / cumulative[-1]) + float(np.mean(eta))

    def report_phi(self, phi: Array) -> tuple[Array, Array]:
        return phi, np.ones_like(phi)

    def from_reported_phi(self, reported: Array) -> Array:
        return reported

    def _quantile(self, share: Array) -> Array:
        """The inverse of F."""
        raise NotImplementedError

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        raise NotImplementedError

    @staticmethod
    def _cuts(y: Array, phi: Array) -> _Cuts:
        padded = np.concatenate([[-_FAR], phi, [_FAR]])
        code = y.astype(np.intp)
        below, above = padded[code], padded[code + 1]
        distance = above - below
        increasing = distance > 0.0
        share = -np.expm1(-np.maximum(distance, 0.0))
        log_share = np.full(share.shape, -np.inf)
        np.log(share, out=log_share, where=increasing)
        odds = np.zeros(share.shape)
        np.divide(np.exp(-np.maximum(distance, 0.0)), share, out=odds, where=increasing)
        return _Cuts(below, above, distance, log_share, odds)

    def _spread(self, y: Array, above: _Edge, below: _Edge, both: Array) -> PhiDerivatives:
        """Put what belongs to the cutpoint above and below every observation in its place.

        Parameters
        ----------
        both : ndarray, shaped as eta
            Second derivative in both cutpoints, which are neighbours.
        """
        n_phi, shape = self.n_phi, above.score.shape
        score, cross, curvature = (np.zeros((n_phi, *shape)) for _ in range(3))
        hessian = np.zeros((n_phi, n_phi, *shape))
        for k in range(n_phi):
            for edge, here in ((above, y == k), (below, y == k + 1.0)):
                np.copyto(score[k], edge.score, where=here)
                np.copyto(cross[k], edge.cross, where=here)
                np.copyto(curvature[k], edge.curvature, where=here)
                np.copyto(hessian[k, k], edge.hessian, where=here)
            if k > 0:
                np.copyto(hessian[k, k - 1], both, where=y == k)
                np.copyto(hessian[k - 1, k], both, where=y == k)
        return PhiDerivatives(score, cross, curvature, hessian)


@dataclass(frozen=True, slots=True)
class OrdinalLogit(_Ordinal):
    """Log f = log F(b) + log(1 - F(a)) + log(1 - exp(a - b)), F logistic.

    The last term depends on the category alone.
    """

    @property
    def link(self) -> Link:
        return LOGIT

    def _quantile(self, share: Array) -> Array:
        return np.log(share) - np.log1p(-share)

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        cuts = self._cuts(y, phi)
        return Terms("ordinal_logit", (cuts.below, cuts.above, cuts.log_share))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        cuts = self._cuts(y, phi)
        at_a, not_a, _ = logistic(cuts.below - eta)
        not_b, at_b, _ = logistic(eta - cuts.above)
        return np.asarray(at_a * not_a * (not_a - at_a) + at_b * not_b * (not_b - at_b))

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        cuts = self._cuts(y, phi)
        at_a, not_a, _ = logistic(cuts.below - eta)
        not_b, at_b, _ = logistic(eta - cuts.above)
        density_a, density_b = at_a * not_a, at_b * not_b
        bend = cuts.odds * (1.0 + cuts.odds)
        return self._spread(
            y,
            _Edge(not_b + cuts.odds, density_b, density_b * (at_b - not_b), -density_b - bend),
            _Edge(-at_a - cuts.odds, density_a, density_a * (at_a - not_a), -density_a - bend),
            np.broadcast_to(bend, eta.shape),
        )


class _Interval(NamedTuple):
    """A normal interval (a, b), and its mirror image (low, high) that leans to the left.

    `at_high` and `at_low` are the normal densities there over the interval's probability.
    """

    mirrored: NDArray[np.bool_]
    high: Array
    low: Array
    at_high: Array
    at_low: Array


@dataclass(frozen=True, slots=True)
class OrdinalProbit(_Ordinal):
    """Log f = log[Phi(b) - Phi(a)]."""

    @property
    def link(self) -> Link:
        return PROBIT

    def _quantile(self, share: Array) -> Array:
        return np.asarray(ndtri(share))

    @classmethod
    def _interval(cls, eta: Array, y: Array, phi: Array) -> _Interval:
        cuts = cls._cuts(y, phi)
        _, mirrored, *ends = normal_interval(eta, cuts.below, cuts.above)
        return _Interval(mirrored != 0.0, *ends)

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        cuts = self._cuts(y, phi)
        return Terms("ordinal_probit", (cuts.below, cuts.above))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        at = self._interval(eta, y, phi)
        shift = at.at_high - at.at_low
        second = at.at_low * (at.low + shift) - at.at_high * (at.high + shift)
        high, low = at.high + shift, at.low + shift
        # In the shift x of both ends: d at_high / dx = -at_high (high + shift), d shift / dx = second.
        third = at.at_high * (high * high - 1.0 - second) - at.at_low * (low * low - 1.0 - second)
        return np.where(at.mirrored, third, -third)

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        at = self._interval(eta, y, phi)
        shift = at.at_high - at.at_low
        second = at.at_low * (at.low + shift) - at.at_high * (at.high + shift)
        b, a = np.where(at.mirrored, -at.low, at.high), np.where(at.mirrored, -at.high, at.low)
        at_b = np.where(at.mirrored, at.at_low, at.at_high)
        at_a = np.where(at.mirrored, at.at_high, at.at_low)
        shift = np.where(at.mirrored, -shift, shift)
        return self._spread(
            y,
            _Edge(at_b, at_b * (b + shift), at_b * ((b + shift) ** 2 - 1.0 - second), -at_b * (b + at_b)),
            _Edge(-at_a, -at_a * (a + shift), -at_a * ((a + shift) ** 2 - 1.0 - second), at_a * (a - at_a)),
            at_a * at_b,
        )


@dataclass(frozen=True, slots=True)
class OrdinalCloglog(_Ordinal):
    """Log f = -exp(a) + log[1 - exp(-exp(c))] with c = b + log(1 - exp(a - b)).

    F(x) = 1 - exp(-exp(x)), so that Pr(y <= k) = 1 - exp(-exp(cut_{k+1} - eta)): the mirror image
    of the link's use with a binary response, whose success probability rises with eta as
    1 - exp(-exp(eta)). The manual says Pr(y <= k) = F(cut - eta) without spelling F out for this
    link; the direction is unverified.
    """

    @property
    def link(self) -> Link:
        return CLOGLOG

    def _quantile(self, share: Array) -> Array:
        return np.log(-np.log1p(-share))

    @classmethod
    def _ends(cls, eta: Array, y: Array, phi: Array) -> tuple[_Cuts, Array, Array]:
        """The cutpoints, exp(a), and c."""
        cuts = cls._cuts(y, phi)
        survived = np.exp(np.minimum(cuts.below - eta, _MAX_CUMULATIVE_EXPONENT))
        return cuts, survived, cuts.above + cuts.log_share - eta

    def terms(self, y: Array, r: Array | float, phi: Array) -> Terms:
        cuts = self._cuts(y, phi)
        return Terms("ordinal_cloglog", (cuts.below, cuts.above + cuts.log_share))

    def third(self, eta: Array, y: Array, r: Array | float, phi: Array) -> Array:
        _, survived, c = self._ends(eta, y, phi)
        return np.asarray(survived - self._success_slopes(c)[2])

    def phi_derivatives(self, eta: Array, y: Array, r: Array | float, phi: Array) -> PhiDerivatives:
        cuts, survived, c = self._ends(eta, y, phi)
        first, second, third = self._success_slopes(c)
        # dc/db = 1 + odds, dc/da = -odds, and d odds / d(b - a) = -odds (1 + odds).
        odds, more = cuts.odds, 1.0 + cuts.odds
        bend = odds * more
        return self._spread(
            y,
            _Edge(more * first, -more * second, more * third, second * more * more - first * bend),
            _Edge(
                -survived - odds * first,
                survived + odds * second,
                -survived - odds * third,
                second * odds * odds - first * bend - survived,
            ),
            (first - second) * bend,
        )

    @staticmethod
    def _success_slopes(c: Array) -> tuple[Array, Array, Array]:
        """Derivatives of log[1 - exp(-exp(c))]."""
        _, h, w = gompertz(c)
        rest = 1.0 - w - h
        slope = h * rest
        return h, slope, slope * rest - h * (w + slope)
