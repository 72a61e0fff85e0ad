"""Residuals against statsmodels' families, and Anscombe's integral against quadrature."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import integrate

from memagic.engine.families import (
    BinomialLogit,
    Family,
    GammaLog,
    GaussianIdentity,
    NegativeBinomialConstant,
    NegativeBinomialMean,
    PoissonLog,
)
from memagic.engine.residuals import anscombe, deviance, pearson

NONE = np.empty(0)
ALPHA = np.array([np.log(0.6)])
Y = np.array([0.0, 1.0, 2.0, 5.0, 9.0])
MU = np.array([0.4, 1.3, 1.8, 6.0, 4.0])

CASES = [
    (PoissonLog(), sm.families.Poisson(), Y, MU, NONE),
    (GammaLog(), sm.families.Gamma(sm.families.links.Log()), Y + 0.5, MU, ALPHA),
    (GaussianIdentity(), sm.families.Gaussian(), Y, MU, ALPHA),
    (NegativeBinomialMean(), sm.families.NegativeBinomial(alpha=0.6), Y, MU, ALPHA),
    (
        BinomialLogit(),
        sm.families.Binomial(),
        np.array([0.0, 1, 1, 0, 1]),
        np.array([0.1, 0.4, 0.9, 0.7, 0.6]),
        NONE,
    ),
]


@pytest.mark.parametrize(
    ("family", "other", "y", "mu", "phi"), CASES, ids=[type(case[0]).__name__ for case in CASES]
)
def test_residuals_are_those_of_statsmodels(
    family: Family, other: object, y: np.ndarray, mu: np.ndarray, phi: np.ndarray
) -> None:
    root = np.sqrt(other.variance(mu))  # type: ignore[attr-defined]
    np.testing.assert_allclose(pearson(family, y, mu, 1.0, phi), (y - mu) / root, rtol=1e-12)
    expected = other.resid_dev(y, mu)  # type: ignore[attr-defined]
    np.testing.assert_allclose(deviance(family, y, mu, 1.0, phi), expected, rtol=1e-8, atol=1e-10)
    if not isinstance(family, NegativeBinomialMean):
        expected = other.resid_anscombe(y, mu)  # type: ignore[attr-defined]
        np.testing.assert_allclose(anscombe(family, y, mu, 1.0, phi), expected, rtol=1e-8)


def test_binomial_counts() -> None:
    other = sm.families.Binomial()
    r = np.array([4.0, 4, 7, 9, 9])
    y = np.array([0.0, 1, 7, 5, 8])
    p = np.array([0.1, 0.4, 0.9, 0.7, 0.6])
    other.initialize(np.column_stack([y, r - y]), np.ones(5))
    for ours, theirs in ((deviance, other.resid_dev), (anscombe, other.resid_anscombe)):
        np.testing.assert_allclose(ours(BinomialLogit(), y, r * p, r, NONE), theirs(y / r, p), rtol=1e-8)
    np.testing.assert_allclose(
        pearson(BinomialLogit(), y, r * p, r, NONE), (y - r * p) / np.sqrt(r * p * (1 - p)), rtol=1e-12
    )


@pytest.mark.parametrize("family", [PoissonLog(), GammaLog(), NegativeBinomialMean()])
def test_anscombe_is_the_integral_of_the_variance_function(family: Family) -> None:
    phi = ALPHA if family.n_phi else NONE
    for y, mu in ((2.0, 3.5), (6.0, 0.7)):

        def slope(t: float) -> float:
            return float(family.variance(np.array([t]), 1.0, phi)[0] ** (-1.0 / 3.0))

        expected = integrate.quad(slope, mu, y)[0] / family.variance(np.array([mu]), 1.0, phi) ** (1.0 / 6.0)
        found = anscombe(family, np.array([y]), np.array([mu]), 1.0, phi)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_constant_dispersion_has_its_variance() -> None:
    v = NegativeBinomialConstant().variance(MU, 1.0, ALPHA)
    np.testing.assert_allclose(v, 1.6 * MU)
