"""Mean responses against sums and integrals of y f(y)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from memagic.engine import families
from memagic.engine.families import Family

ETA = np.array([-1.3, 0.0, 0.8])
DISCRETE: list[tuple[Family, float, list[float], int]] = [
    (families.BinomialLogit(), 1.0, [], 1),
    (families.BinomialLogit(), 5.0, [], 5),
    (families.BinomialProbit(), 3.0, [], 3),
    (families.BinomialCloglog(), 4.0, [], 4),
    (families.PoissonLog(), 1.0, [], 60),
    (families.NegativeBinomialMean(), 1.0, [-1.0], 400),
    (families.NegativeBinomialConstant(), 1.0, [0.3], 400),
    (families.OrdinalLogit(4), 1.0, [-1.0, 0.2, 1.1], 3),
    (families.OrdinalProbit(3), 1.0, [-0.4, 0.9], 2),
    (families.OrdinalCloglog(3), 1.0, [-0.4, 0.9], 2),
]


@pytest.mark.parametrize(("family", "trials", "phi", "most"), DISCRETE, ids=lambda v: type(v).__name__)
def test_discrete(family: Family, trials: float, phi: list[float], most: int) -> None:
    own = np.array(phi)
    total = np.zeros(len(ETA))
    for k in range(most + 1):
        y = np.full(len(ETA), float(k))
        f = np.exp(family.log_density(ETA.copy(), y, trials, own) + family.constant(y, trials))
        total += k * f
    np.testing.assert_allclose(family.mean(ETA, trials, own), total, rtol=1e-10)


@pytest.mark.parametrize(
    ("family", "low", "phi"),
    [
        (families.GaussianIdentity(), -20.0, [-0.2]),
        (families.GaussianLog(), -20.0, [-0.2]),
        (families.GammaLog(), 1e-12, [-0.5]),
    ],
    ids=lambda v: type(v).__name__,
)
def test_continuous(family: Family, low: float, phi: list[float]) -> None:
    own = np.array(phi)
    for eta in ETA:

        def integrand(y: float, eta: float = float(eta)) -> float:
            at, value = np.array([eta]), np.array([y])
            logf = family.log_density(at, value, 1.0, own) + family.constant(value, 1.0)
            return y * float(np.exp(logf[0]))

        expected = quad(integrand, low, 40.0, epsabs=1e-12, limit=400, points=[float(np.exp(eta))])[0]
        assert family.mean(np.array([eta]), 1.0, own)[0] == pytest.approx(expected, rel=1e-8)
