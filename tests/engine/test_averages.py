"""Links against their formulas, and averages over a normal against quadrature and differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from memagic.engine.averages import averages
from memagic.engine.families.links import LINKS, Link

INVERSES: dict[str, Callable[[float], float]] = {
    "logit": expit,
    "probit": stats.norm.cdf,
    "cloglog": lambda t: -np.expm1(-np.exp(t)),
    "log": np.exp,
    "identity": lambda t: t,
}
every_link = pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)


@every_link
def test_inverse(link: Link) -> None:
    eta = np.array([-40.0, -2.1, 0.0, 0.7, 3.0])
    expected = [INVERSES[link.name](float(at)) for at in eta]
    np.testing.assert_allclose(link.inverse(eta), expected, rtol=1e-12)
    np.testing.assert_allclose(link.derivatives(eta, 0)[0], expected, rtol=1e-12)


@every_link
@pytest.mark.parametrize("wide", [False, True])
def test_derivatives(link: Link, wide: bool) -> None:
    x, h = np.array([-1.3, 0.2, 0.9]), 1e-5
    x = x[:, None] + np.array([0.0, 0.5]) if wide else x
    found = link.derivatives(x, 4)
    assert found.shape == (5, *x.shape)
    for k in range(4):
        by_x = (link.derivatives(x + h, 4)[k] - link.derivatives(x - h, 4)[k]) / (2 * h)
        np.testing.assert_allclose(found[k + 1], by_x, rtol=1e-6, atol=1e-9)


@every_link
@pytest.mark.parametrize(("mu", "s2"), [(0.3, 0.0), (-1.0, 0.5), (2.0, 4.0), (-3.0, 30.0)])
def test_averages_are_integrals(link: Link, mu: float, s2: float) -> None:
    inverse, s = INVERSES[link.name], np.sqrt(s2)
    found = averages(link, np.array([mu]), np.array([s2]), 0)[0, 0]
    expected = inverse(mu)
    if s > 0:

        def integrand(e: float) -> float:
            return inverse(mu + s * e) * float(stats.norm.pdf(e))

        expected = integrate.quad(integrand, -12, 16, epsabs=1e-13, limit=400)[0]
    assert found == pytest.approx(expected, rel=1e-9)


@every_link
def test_derivatives_of_averages(link: Link) -> None:
    mu, s2, h = np.array([0.4, -1.2]), np.array([1.3, 0.6]), 1e-5
    found = averages(link, mu, s2, 4)
    for k in range(4):
        by_mu = (averages(link, mu + h, s2, k)[k] - averages(link, mu - h, s2, k)[k]) / (2 * h)
        np.testing.assert_allclose(found[k + 1], by_mu, rtol=1e-6, atol=1e-9)
    for k in range(3):
        by_s2 = (averages(link, mu, s2 + h, k)[k] - averages(link, mu, s2 - h, k)[k]) / (2 * h)
        np.testing.assert_allclose(0.5 * found[k + 2], by_s2, rtol=1e-6, atol=1e-9)
