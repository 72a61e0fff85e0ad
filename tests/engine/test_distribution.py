"""Distribution functions, densities and draws against scipy's; expectations against its quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit, ndtr

from memagic.engine.families import (
    BinomialCloglog,
    BinomialLogit,
    BinomialProbit,
    Family,
    GammaLog,
    GaussianIdentity,
    GaussianLog,
    NegativeBinomialConstant,
    NegativeBinomialMean,
    OrdinalCloglog,
    OrdinalLogit,
    OrdinalProbit,
    PoissonLog,
)
from memagic.engine.marginal import marginal_density, marginal_distribution, marginal_mean, normal_mean

ETA = np.array([-1.2, -0.1, 0.4, 1.3])
NONE = np.empty(0)
CUTS = np.array([-0.5, 0.3, 1.1])

# Family, own parameters, trials, and scipy's distribution at a linear predictor.
LAWS = [
    (GaussianIdentity(), np.array([np.log(0.7)]), 1.0, lambda e: stats.norm(e, 0.7)),
    (GaussianLog(), np.array([np.log(0.7)]), 1.0, lambda e: stats.norm(np.exp(e), 0.7)),
    (
        GammaLog(),
        np.array([np.log(0.6)]),
        1.0,
        lambda e: stats.gamma(1 / 0.36, scale=0.36 * np.exp(e)),
    ),
    (PoissonLog(), NONE, 1.0, lambda e: stats.poisson(np.exp(e))),
    (
        NegativeBinomialMean(),
        np.array([np.log(0.8)]),
        1.0,
        lambda e: stats.nbinom(1 / 0.8, 1 / (1 + 0.8 * np.exp(e))),
    ),
    (
        NegativeBinomialConstant(),
        np.array([np.log(0.8)]),
        1.0,
        lambda e: stats.nbinom(np.exp(e) / 0.8, 1 / 1.8),
    ),
    (BinomialLogit(), NONE, 6.0, lambda e: stats.binom(6, expit(e))),
    (BinomialProbit(), NONE, 6.0, lambda e: stats.binom(6, ndtr(e))),
    (BinomialCloglog(), NONE, 6.0, lambda e: stats.binom(6, 1 - np.exp(-np.exp(e)))),
]
laws = pytest.mark.parametrize(
    ("family", "phi", "trials", "law"), LAWS, ids=[type(entry[0]).__name__ for entry in LAWS]
)
ORDINAL = [
    OrdinalLogit(4),
    OrdinalProbit(4),
    OrdinalCloglog(4),
]


@laws
def test_density_and_distribution(family: Family, phi: np.ndarray, trials: float, law: object) -> None:
    law_ = law(ETA)  # type: ignore[operator]
    for y in (0.3, 2.0, 6.0) if isinstance(law_.dist, stats.rv_continuous) else (0.0, 2.0, 6.0):
        f = law_.pdf(y) if isinstance(law_.dist, stats.rv_continuous) else law_.pmf(y)
        at = np.full(4, y)
        np.testing.assert_allclose(family.density(ETA, at, trials, phi), f, rtol=1e-9)
        np.testing.assert_allclose(family.distribution(ETA, at, trials, phi), law_.cdf(y), rtol=1e-9)
    # Of columns of linear predictors, too.
    wide = np.stack([ETA, ETA + 1.0], axis=1)
    np.testing.assert_allclose(
        family.distribution(wide, np.full((4, 1), 2.0), trials, phi)[:, 0],
        family.distribution(ETA, np.full(4, 2.0), trials, phi),
    )


@laws
def test_draws_have_the_moments(family: Family, phi: np.ndarray, trials: float, law: object) -> None:
    rng = np.random.default_rng(3)
    n = 40_000
    for eta in ETA:
        law_ = law(eta)  # type: ignore[operator]
        y = family.draw(np.full(n, eta), trials, phi, rng)
        assert y.mean() == pytest.approx(law_.mean(), abs=4.5 * law_.std() / np.sqrt(n))
        assert y.var() == pytest.approx(law_.var(), rel=0.08)
        assert law_.mean() == pytest.approx(family.mean(np.array([eta]), trials, phi)[0], rel=1e-12)


@pytest.mark.parametrize("family", ORDINAL, ids=lambda family: type(family).__name__)
def test_ordinal(family: OrdinalLogit | OrdinalProbit | OrdinalCloglog) -> None:
    p = family.probabilities(ETA, CUTS)
    np.testing.assert_allclose(p.sum(axis=0), 1.0, rtol=1e-12)
    f = {
        "OrdinalLogit": expit,
        "OrdinalProbit": ndtr,
        "OrdinalCloglog": lambda x: 1 - np.exp(-np.exp(x)),
    }[type(family).__name__]
    for k, cut in enumerate(CUTS):
        below = family.distribution(ETA, np.full(4, float(k)), 1.0, CUTS)
        np.testing.assert_allclose(below, f(cut - ETA), rtol=1e-10)
    np.testing.assert_allclose(family.distribution(ETA, np.full(4, 3.0), 1.0, CUTS), 1.0, rtol=1e-12)
    y = family.draw(np.full(50_000, 0.4), 1.0, CUTS, np.random.default_rng(1))
    shares = np.bincount(y.astype(int), minlength=4) / 50_000
    np.testing.assert_allclose(shares, p[:, 2], atol=0.01)


@pytest.mark.parametrize("sd", [0.0, 0.2, 1.0, 4.0, 12.0])
@laws
def test_expectations_over_a_normal(
    family: Family, phi: np.ndarray, trials: float, law: object, sd: float
) -> None:
    """Against adaptive quadrature; where the mean is exp, its closed form is what it is known by."""
    y = np.full(4, 2.0)
    deviation = np.full(4, sd)

    def reference(function: object, eta: float) -> float:
        def integrand(z: float) -> float:
            at = np.array([eta + sd * z])
            return float(function(at)[0]) * stats.norm.pdf(z)  # type: ignore[operator]

        return integrate.quad(integrand, -9, 9, limit=800, epsabs=1e-14, epsrel=1e-11, points=(-1, 0, 1))[0]

    two = y[:1]
    found = marginal_density(family, ETA, deviation, y, trials, phi)
    expected = [reference(lambda at: family.density(at, two, trials, phi), eta) for eta in ETA]
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    found = marginal_distribution(family, ETA, deviation, y, trials, phi)
    expected = [reference(lambda at: family.distribution(at, two, trials, phi), eta) for eta in ETA]
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    # Quadrature from -9 to 9 does not reach what is far out of exp().
    if sd <= 1.0 or isinstance(family, BinomialLogit | BinomialProbit | BinomialCloglog):
        found = marginal_mean(family, ETA, deviation, trials, phi)
        expected = [reference(lambda at: family.mean(at, trials, phi), eta) for eta in ETA]
        np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_probits_have_a_closed_form_that_the_rule_meets() -> None:
    deviation = np.array([0.3, 1.0, 2.0, 5.0])
    closed = marginal_mean(BinomialProbit(), ETA, deviation, 1.0, NONE)
    np.testing.assert_allclose(closed, ndtr(ETA / np.sqrt(1 + deviation**2)), rtol=1e-14)
    ruled = normal_mean(lambda at, rows: ndtr(at), ETA, deviation)
    np.testing.assert_allclose(ruled, closed, rtol=1e-11)
    chosen = marginal_mean(BinomialProbit(), ETA, deviation, 1.0, NONE, n_points=7)
    nodes, weights = np.polynomial.hermite.hermgauss(7)
    by_hand = ndtr(ETA[:, None] + np.sqrt(2.0) * deviation[:, None] * nodes) @ weights / np.sqrt(np.pi)
    np.testing.assert_allclose(chosen, by_hand, rtol=1e-12)
    assert np.abs(chosen - closed).max() > 1e-3


def test_rows_beyond_one_chunk_and_missing_ones() -> None:
    eta = np.linspace(-3, 3, 1300)
    eta[700] = np.nan
    found = normal_mean(lambda at, rows: ndtr(at), eta, np.ones(1300))
    np.testing.assert_allclose(found, ndtr(eta / np.sqrt(2.0)), rtol=1e-11)
    assert np.isnan(found[700])
