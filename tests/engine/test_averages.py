"""Links against their formulas, and averages over a normal against quadrature and differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

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
    np.testing.assert_allclose(link.averages(eta, np.zeros(5), 0)[0], expected, rtol=1e-12)


@every_link
@pytest.mark.parametrize(("mu", "s2"), [(0.3, 0.0), (-1.0, 0.5), (2.0, 4.0), (-3.0, 30.0)])
def test_averages_are_integrals(link: Link, mu: float, s2: float) -> None:
    inverse, s = INVERSES[link.name], np.sqrt(s2)
    found = link.averages(np.array([mu]), np.array([s2]), 0)[0, 0]
    expected = inverse(mu)
    if s > 0:

        def integrand(e: float) -> float:
            return inverse(mu + s * e) * float(stats.norm.pdf(e))

        expected = integrate.quad(integrand, -12, 16, epsabs=1e-13, limit=400)[0]
    assert found == pytest.approx(expected, rel=1e-9)


@every_link
def test_derivatives_of_the_response(link: Link) -> None:
    """Without a variance the averages are the response's own derivatives."""
    x, none, h = np.array([-1.3, 0.2, 0.9, 3.4]), np.zeros(4), 1e-5
    found = link.averages(x, none, 4)
    for k in range(4):
        by_x = (link.averages(x + h, none, k)[k] - link.averages(x - h, none, k)[k]) / (2 * h)
        np.testing.assert_allclose(found[k + 1], by_x, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["logit", "cloglog"])
def test_averages_of_many_rows(name: str) -> None:
    """More rows than are worked on at once, with variances of all sizes, are averaged as each alone."""
    rng = np.random.default_rng(1)
    mu, s2 = rng.normal(scale=20.0, size=600), rng.uniform(0.0, 9.0, size=600)
    s2[0] = 9.0
    together = LINKS[name].averages(mu, s2, 4)
    for i in (0, 1, 255, 256, 599):
        # With the widest one the rule is the same.
        alone = LINKS[name].averages(mu[[0, i]], s2[[0, i]], 4)[:, 1]
        np.testing.assert_allclose(together[:, i], alone, rtol=1e-14, atol=1e-300)
    assert (np.abs(together[0] - 0.5) <= 0.5 + 1e-15).all()


@every_link
def test_derivatives_of_averages(link: Link) -> None:
    mu, s2, h = np.array([0.4, -1.2]), np.array([1.3, 0.6]), 1e-5
    found = link.averages(mu, s2, 4)
    for k in range(4):
        by_mu = (link.averages(mu + h, s2, k)[k] - link.averages(mu - h, s2, k)[k]) / (2 * h)
        np.testing.assert_allclose(found[k + 1], by_mu, rtol=1e-6, atol=1e-9)
    for k in range(3):
        by_s2 = (link.averages(mu, s2 + h, k)[k] - link.averages(mu, s2 - h, k)[k]) / (2 * h)
        np.testing.assert_allclose(0.5 * found[k + 2], by_s2, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["logit", "cloglog"])
def test_a_missing_variance_is_its_row_s_own(name: str) -> None:
    found = LINKS[name].averages(np.zeros(2), np.array([900.0, np.nan]), 1)
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_array_equal(found[:, :1], LINKS[name].averages(np.zeros(1), np.array([900.0]), 1))
