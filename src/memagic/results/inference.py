"""From estimates and their covariance to tests, limits and the numbers of the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from memagic.results.estimates import Estimates
from memagic.results.posted import AnyEstimates

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

__all__ = [
    "TableNumbers",
    "Wald",
    "confidence_limits",
    "rank",
    "rank_without_effects",
    "reported_gradient",
    "reported_scores",
    "table_numbers",
    "wald_test",
]

# Eigenvalues of a covariance matrix with unit diagonal that count as zero.
_RANK_TOLERANCE = 1e-9
# Share of the rows' length below which a direction of the Jacobian is lost.
_LOST_DIRECTION = 1e-4


@dataclass(frozen=True, slots=True)
class Wald:
    """A joint test that coefficients are zero; chi2 and its p-value are nan where there are none."""

    df: int
    chi2: float

    @property
    def p(self) -> float:
        """P(chi2(df) > chi2)."""
        return float(chdtrc(self.df, self.chi2)) if self.df else float("nan")


@dataclass(frozen=True, slots=True)
class TableNumbers:
    """The numeric columns of the coefficient table.

    Attributes
    ----------
    b, se : ndarray, shape (k,)
        Exponentiated where `exponentiated` says so.
    z, p : ndarray, shape (k,)
        Of the test on the original scale that the parameter is zero; nan where there is none.
    lower, upper : ndarray, shape (k,)
    tested : ndarray of bool, shape (k,)
        Whether the parameter is of a kind that has such a test; variances are not.
    exponentiated : ndarray of bool, shape (k,)
    critical : float
        The quantile behind the limits.
    """

    b: Array
    se: Array
    z: Array
    p: Array
    lower: Array
    upper: Array
    tested: Mask
    exponentiated: Mask
    critical: float


def rank(estimates: Estimates) -> int:
    """`e(rank)`: the rank of V without the parameters that the fit holds at the boundary.

    A variance at zero, and a covariance with such a one, is no longer free: the likelihood is that of the
    model without it. Every comparison of models counts by this, the line below the table too. Zero where
    there is no V.
    """
    return _rank(estimates.v, [not parameter.at_zero for parameter in estimates.parameters])


def rank_without_effects(estimates: Estimates) -> int:
    """The rank of the parameters that the model without random effects has, too."""
    effects = ("variance", "covariance")
    return _rank(estimates.v, [parameter.role not in effects for parameter in estimates.parameters])


def _rank(v: Array, kept: list[bool]) -> int:
    """Rank of the part of a covariance matrix that is kept, on the scale of its standard errors."""
    if not np.isfinite(v).all():
        return 0
    at = np.flatnonzero(kept)
    return int(np.count_nonzero(_spectrum(v[np.ix_(at, at)])[0] > _RANK_TOLERANCE))


def wald_test(estimates: Estimates) -> Wald:
    """The overall test of the model, b'V^-1 b with the rank of V as degrees of freedom."""
    at = estimates.tested
    b, v = estimates.b[at], estimates.v[np.ix_(at, at)]
    if not np.isfinite(v).all():
        return Wald(len(at), float("nan"))
    values, vectors, scale = _spectrum(v)
    kept = values > _RANK_TOLERANCE
    if not kept.any():
        return Wald(0, float("nan"))
    along = vectors[:, kept].T @ (b / scale)
    return Wald(int(np.count_nonzero(kept)), float(np.sum(along**2 / values[kept])))


def _spectrum(v: Array) -> tuple[Array, Array, Array]:
    """Eigenvalues and vectors of V with unit diagonal, and the standard errors that make it so."""
    variances = np.diag(v)
    scale = np.sqrt(np.where(variances > 0.0, variances, 1.0))
    values, vectors = np.linalg.eigh(v / np.outer(scale, scale))
    return values, vectors, scale


def confidence_limits(estimates: AnyEstimates, level: float) -> Array:
    """Limits of every parameter, shape (k, 2): variances by way of the log, all else symmetric.

    Variances at zero and parameters that constraints hold have none.
    """
    b, se = estimates.b, estimates.se
    z = estimates.uncertainty.critical(level)
    limits = np.column_stack([b - z * se, b + z * se])
    for k, parameter in enumerate(estimates.parameters):
        if parameter.role in ("variance", "residual"):
            if parameter.at_zero or b[k] <= 0.0:
                limits[k] = np.nan
            else:
                exponent = z * se[k] / b[k]
                # A variance of which nothing is known has no upper limit that a double could hold.
                upper = b[k] * np.exp(exponent) if exponent < 700.0 else np.nan
                limits[k] = b[k] * np.exp(-exponent), upper
        elif parameter.at_zero:
            limits[k] = np.nan
        if parameter.held:
            limits[k] = np.nan
    return limits


def table_numbers(estimates: AnyEstimates, level: float = 95.0, exponentiated: bool = False) -> TableNumbers:
    """The numbers of the coefficient table.

    Parameters
    ----------
    estimates : Estimates
    level : float
        Confidence level in percent.
    exponentiated : bool
        Whether coefficients are shown exponentiated.
    """
    roles = np.array([p.role for p in estimates.parameters])
    at_zero = np.array([p.at_zero for p in estimates.parameters], dtype=bool)
    b, se = estimates.b, estimates.se
    limits = confidence_limits(estimates, level)
    tested = np.isin(roles, ("coefficient", "covariance"))
    known = tested & (se > 0.0) & ~at_zero
    z = np.where(known, b / np.where(known, se, 1.0), np.nan)
    shown = (roles == "coefficient") & exponentiated
    with np.errstate(over="ignore"):
        b = np.where(shown, np.exp(np.where(shown, b, 0.0)), b)
        limits = np.where(shown[:, None], np.exp(np.where(shown[:, None], limits, 0.0)), limits)
        # The delta method.
        se = np.where(shown, se * b, se)
    p = estimates.uncertainty.two_sided(z)
    critical = estimates.uncertainty.critical(level)
    return TableNumbers(b, se, z, p, limits[:, 0], limits[:, 1], tested, shown, critical)


def reported_gradient(estimates: Estimates) -> Array:
    """The gradient of the log likelihood in the reported parameters, shape (k,).

    The engine maximizes in standard deviations and Cholesky factors. Where these do not determine the
    derivative in a variance or covariance, at zero variances and perfect correlations, it is nan.
    """
    return np.asarray(reported_scores(estimates, estimates.fit.gradient[None])[0])


def reported_scores(estimates: Estimates, scores: Array) -> Array:
    """Scores in the reported parameters, shape (M, k), of those in theta, shape (M, d).

    They are nan where `reported_gradient` is.
    """
    problem, fit = estimates.problem, estimates.fit
    parameters = problem.unpack(fit.theta)
    p, m = problem.p, problem.n_omega
    reported = scores.T.copy()
    reported[p + m :] /= problem.family.report_phi(parameters.phi)[1][:, None]
    if problem.structure is not None:
        jacobian = problem.structure.jacobian(parameters.omega)
        reported[p : p + m] = _through(jacobian, reported[p : p + m])
        reported[p : p + m][np.array(fit.at_zero, dtype=bool)] = np.nan
    return reported.T[:, estimates.positions]


def _through(jacobian: Array, gradient: Array) -> Array:
    """Solve J'g = gradient, shape (m, M); nan for the elements of g that are not determined."""
    length = np.sqrt(np.einsum("ij,ij->i", jacobian, jacobian))
    scale = np.where(length > 0.0, length, 1.0)
    u, s, vt = np.linalg.svd((jacobian / scale[:, None]).T)
    lost = s < _LOST_DIRECTION
    along = np.where(lost[:, None], 0.0, (u.T @ gradient) / np.where(lost, 1.0, s)[:, None])
    solved = (vt.T @ along) / scale[:, None]
    undetermined = np.any(np.abs(vt[lost]) > _LOST_DIRECTION, axis=0)
    return np.where(undetermined[:, None], np.nan, solved)
