"""Gamma, negative binomial and ordinal densities: derivatives, tails, limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

from memagic.engine.families import (
    Family,
    GammaLog,
    NegativeBinomialConstant,
    NegativeBinomialMean,
    OrdinalCloglog,
    OrdinalLogit,
    OrdinalProbit,
    PoissonLog,
)
from memagic.engine.kernel import log_rising

Array = NDArray[np.float64]

ORDINAL = (OrdinalLogit, OrdinalProbit, OrdinalCloglog)
COUNTS = np.array([0.0, 1.0, 2.0, 5.0, 11.0, 12.0, 13.0, 14.0, 40.0, 1000.0])


def column(values: list[float] | Array) -> Array:
    return np.asarray(values, dtype=float)[:, None]


CASES: list[Any] = [
    *[
        pytest.param(GammaLog(), np.array([0.01, 0.5, 2.0, 30.0]), [p], id=f"gamma{p}")
        for p in (-3, -0.5, 0.7, 2)
    ],
    *[
        pytest.param(family, COUNTS, [p], id=f"{type(family).__name__}{p}")
        for family in (NegativeBinomialMean(), NegativeBinomialConstant())
        for p in (-8.0, -2.0, 0.3, 3.0)
    ],
    *[
        pytest.param(family(4), np.arange(4.0), phi, id=f"{family.__name__}{phi}")
        for family in ORDINAL
        for phi in ([-1.0, 0.2, 1.5], [-2.0, -1.8, 4.0])
    ],
    *[pytest.param(family(2), np.arange(2.0), [0.4], id=f"{family.__name__}-two") for family in ORDINAL],
]


@pytest.mark.parametrize(("family", "y", "phi"), CASES)
class TestDerivatives:
    """Against central differences of the next lower one."""

    step = 1e-5
    eta = np.linspace(-4.0, 4.0, 9)

    def arguments(self, y: Array, phi: list[float]) -> tuple[Array, Array, Array]:
        return np.tile(self.eta, (len(y), 1)), column(y), np.array(phi, dtype=float)

    @staticmethod
    def close(actual: Array, difference: Array, scale: Array) -> None:
        # Rounding of what is differenced, over the step, adds to the tolerance.
        np.testing.assert_array_less(
            np.abs(actual - difference), 1e-6 * np.abs(actual) + 1e-9 * (scale + 1.0)
        )

    def test_in_eta(self, family: Family, y: Array, phi: list[float]) -> None:
        eta, y, at = self.arguments(y, phi)
        value, first, second = family.derivatives(eta, y, 1.0, at)
        np.testing.assert_allclose(family.log_density(eta, y, 1.0, at), value, rtol=1e-13, atol=1e-13)
        above = (*family.derivatives(eta + self.step, y, 1.0, at),)
        below = (*family.derivatives(eta - self.step, y, 1.0, at),)
        exact = (first, second, family.third(eta, y, 1.0, at))
        for k in range(3):
            self.close(exact[k], (above[k] - below[k]) / (2.0 * self.step), np.abs(above[k]))

    def test_in_phi(self, family: Family, y: Array, phi: list[float]) -> None:
        eta, y, at = self.arguments(y, phi)
        own = family.phi_derivatives(eta, y, 1.0, at)
        assert own.hessian.shape == (family.n_phi, family.n_phi, *eta.shape)
        for a in range(family.n_phi):
            step = np.zeros(family.n_phi)
            step[a] = self.step
            above = family.derivatives(eta, y, 1.0, at + step)
            below = family.derivatives(eta, y, 1.0, at - step)
            for k, exact in enumerate((own.score[a], own.cross[a], own.curvature[a])):
                self.close(exact, (above[k] - below[k]) / (2.0 * self.step), np.abs(above[k]))
            high = family.phi_derivatives(eta, y, 1.0, at + step).score
            low = family.phi_derivatives(eta, y, 1.0, at - step).score
            self.close(own.hessian[a], (high - low) / (2.0 * self.step), np.abs(high))

    def test_shapes(self, family: Family, y: Array, phi: list[float]) -> None:
        # Rows alone, and a response for every element, give what a column of responses gives.
        eta, y, at = self.arguments(y, phi)
        expected = family.derivatives(eta, y, 1.0, at)
        rows = family.derivatives(eta[:, 0].copy(), y[:, 0], 1.0, at)
        elements = family.derivatives(eta, np.repeat(y, eta.shape[1], axis=1), 1.0, at)
        for k in range(3):
            np.testing.assert_allclose(rows[k], expected[k][:, 0], rtol=1e-13)
            np.testing.assert_allclose(elements[k], expected[k], rtol=1e-13)

    def test_arguments_stay(self, family: Family, y: Array, phi: list[float]) -> None:
        eta, y, at = self.arguments(y, phi)
        copies = eta.copy(), y.copy(), at.copy()
        family.log_density(eta, y, 1.0, at)
        family.derivatives(eta, y, 1.0, at)
        family.phi_derivatives(eta, y, 1.0, at)
        for now, before in zip((eta, y, at), copies, strict=True):
            np.testing.assert_array_equal(now, before)

    @pytest.mark.parametrize("far", [-1e4, -700.0, -30.0, 30.0, 700.0, 1e4])
    def test_tails_are_finite(self, family: Family, y: Array, phi: list[float], far: float) -> None:
        at = np.array(phi, dtype=float)
        eta = np.full((len(y), 2), far)
        own = family.phi_derivatives(eta, column(y), 1.0, at)
        results = [
            family.log_density(eta, column(y), 1.0, at),
            *family.derivatives(eta, column(y), 1.0, at),
            family.third(eta, column(y), 1.0, at),
            own.score,
            own.cross,
            own.curvature,
            own.hessian,
        ]
        for result in results:
            assert np.isfinite(result).all()


# Family, y, eta, phi; log f less its constant, and three derivatives. Computed with mpmath, 120 to
# 600 digits, from the densities as they are defined.
TAILS: list[tuple[Family, float, float, list[float], tuple[float, ...]]] = [
    (
        GammaLog(),
        0.7,
        -30.0,
        [0.3],
        (-4105403119399.11, 4105403119414.02, -4105403119414.57, 4105403119414.57),
    ),
    (
        GammaLog(),
        0.7,
        30.0,
        [0.3],
        (-17.471480201253, -0.548811636093991, -3.59490066003615e-14, 3.59490066003615e-14),
    ),
    (
        GammaLog(),
        12.0,
        -30.0,
        [-4.0],
        (-3.82271181085265e17, 3.82271181085362e17, -3.82271181085365e17, 3.82271181085365e17),
    ),
    (
        GammaLog(),
        12.0,
        30.0,
        [-4.0],
        (-79037.2982659633, -2980.95798703838, -3.34736171144271e-09, 3.34736171144271e-09),
    ),
    (
        NegativeBinomialMean(),
        3.0,
        -30.0,
        [-20.0],
        (-89.9999999938166, 2.99999999999991, -9.35762302670267e-14, -9.35762302670267e-14),
    ),
    (
        NegativeBinomialMean(),
        3.0,
        30.0,
        [-20.0],
        (-4851673920.06385, -485143169.943814, -22024.4660671857, 22022.4663395482),
    ),
    (
        NegativeBinomialMean(),
        25.0,
        -30.0,
        [6.0],
        (-551.205915860229, 24.9999999990561, -9.43877212228198e-10, -9.43877212156932e-10),
    ),
    (
        NegativeBinomialMean(),
        25.0,
        30.0,
        [6.0],
        (48.704849062355, -0.00247875217666056, -5.79938202783535e-15, 5.79938202783535e-15),
    ),
    (
        NegativeBinomialConstant(),
        3.0,
        -30.0,
        [-1.0],
        (-32.2466378819944, 1.0000000000003, 3.01866547788434e-13, 3.01866547788272e-13),
    ),
    (
        NegativeBinomialConstant(),
        3.0,
        30.0,
        [-1.0],
        (-9099891666509.51, -9099891666595.57, -9099891666598.57, -9099891666598.57),
    ),
    (
        NegativeBinomialConstant(),
        25.0,
        -30.0,
        [-12.0],
        (-263.215424149217, 1.00000005750767, 5.75076722439655e-08, 5.75076714998054e-08),
    ),
    (
        NegativeBinomialConstant(),
        25.0,
        30.0,
        [-12.0],
        (-10686441750924.4, -10686441751649.4, -10686441751674.4, -10686441751674.4),
    ),
    (
        OrdinalLogit(3),
        0.0,
        -30.0,
        [-0.5, 0.75],
        (-1.54281120319177e-13, -1.54281120319165e-13, -1.54281120319141e-13, -1.54281120319094e-13),
    ),
    (
        OrdinalLogit(3),
        0.0,
        30.0,
        [-0.5, 0.75],
        (-30.5000000000001, -0.999999999999943, -5.67568523263208e-14, 5.67568523263143e-14),
    ),
    (
        OrdinalLogit(3),
        1.0,
        -30.0,
        [-0.5, 0.75],
        (-29.8375795650876, 0.999999999999801, -1.98483401355549e-13, -1.98483401355497e-13),
    ),
    (
        OrdinalLogit(3),
        1.0,
        30.0,
        [-0.5, 0.75],
        (-29.5875795650877, -0.999999999999745, -2.5485773213114e-13, 2.54857732131055e-13),
    ),
    (
        OrdinalLogit(3),
        2.0,
        -30.0,
        [-0.5, 0.75],
        (-30.75, 0.999999999999956, -4.42022810364078e-14, -4.42022810364039e-14),
    ),
    (
        OrdinalLogit(3),
        2.0,
        30.0,
        [-0.5, 0.75],
        (-1.98100879804878e-13, 1.98100879804859e-13, -1.98100879804819e-13, 1.98100879804741e-13),
    ),
    (OrdinalProbit(3), 0.0, -30.0, [-0.5, 0.75], (0.0, 0.0, 0.0, 0.0)),
    (
        OrdinalProbit(3),
        0.0,
        30.0,
        [-0.5, 0.75],
        (-469.462737322912, -30.5327167706602, -0.99893189221725, -6.95932115475725e-05),
    ),
    (
        OrdinalProbit(3),
        1.0,
        -30.0,
        [-0.5, 0.75],
        (-439.42947460915, 29.533820844168, -0.998858752455735, 7.68457014507069e-05),
    ),
    (
        OrdinalProbit(3),
        1.0,
        30.0,
        [-0.5, 0.75],
        (-432.077233532735, -29.2841085778194, -0.998839296297288, -7.88146099058219e-05),
    ),
    (
        OrdinalProbit(3),
        2.0,
        -30.0,
        [-0.5, 0.75],
        (-477.127133317344, 30.7824519009696, -0.998949080691454, 6.79235731355065e-05),
    ),
    (OrdinalProbit(3), 2.0, 30.0, [-0.5, 0.75], (0.0, 0.0, 0.0, 0.0)),
    (
        OrdinalCloglog(3),
        0.0,
        30.0,
        [-0.5, 0.75],
        (-30.5, -0.999999999999972, -2.83784261631631e-14, 2.83784261631625e-14),
    ),
    (
        OrdinalCloglog(3),
        1.0,
        -30.0,
        [-0.5, 0.75],
        (-6481674477934.32, 6481674477934.32, -6481674477934.32, 6481674477934.32),
    ),
    (
        OrdinalCloglog(3),
        1.0,
        30.0,
        [-0.5, 0.75],
        (-29.5875795650875, -0.999999999999873, -1.27428866065609e-13, 1.27428866065606e-13),
    ),
    (
        OrdinalCloglog(3),
        2.0,
        -30.0,
        [-0.5, 0.75],
        (-22623266866618.2, 22623266866618.2, -22623266866618.2, 22623266866618.2),
    ),
    (
        OrdinalCloglog(3),
        2.0,
        30.0,
        [-0.5, 0.75],
        (-1.98100879804898e-13, 1.98100879804898e-13, -1.98100879804898e-13, 1.98100879804898e-13),
    ),
]


@pytest.mark.parametrize(("family", "y", "eta", "phi", "expected"), TAILS)
def test_tails(family: Family, y: float, eta: float, phi: list[float], expected: tuple[float, ...]) -> None:
    arguments = np.array([[eta]]), np.array([[y]]), 1.0, np.array(phi)
    value, first, second = (float(part[0, 0]) for part in family.derivatives(*arguments))
    assert value == pytest.approx(expected[0], rel=1e-11, abs=1e-100)
    assert first == pytest.approx(expected[1], rel=1e-11, abs=1e-100)
    # Curvature is of use where it is not negligible beside the random effects' own, which is one.
    assert second == pytest.approx(expected[2], rel=1e-11, abs=1e-12)
    assert float(family.third(*arguments)[0, 0]) == pytest.approx(expected[3], rel=1e-11, abs=1e-10)


class TestRisingFactorial:
    def test_against_products(self) -> None:
        y = np.array([0.0, 1.0, 4.0, 12.0, 13.0, 60.0])
        for m in (1e-200, 1e-3, 0.7, 25.0, 1e6, 1e200):
            value, first, second, third = log_rising(np.full(y.shape, np.log(m)), y, 3)
            for k, count in enumerate(y.astype(int)):
                i = np.arange(count)
                t = m / (m + i)
                assert value[k] == pytest.approx(np.log(m + i).sum(), rel=1e-13, abs=1e-13)
                assert first[k] == pytest.approx(t.sum(), rel=1e-12)
                assert second[k] == pytest.approx((t - t**2).sum(), rel=1e-11, abs=1e-12)
                assert third[k] == pytest.approx((t - 3 * t**2 + 2 * t**3).sum(), rel=1e-11, abs=1e-12)

    def test_mixed_counts_in_any_order(self) -> None:
        rng = np.random.default_rng(7)
        y = rng.integers(0, 30, 200).astype(float)
        s = rng.normal(size=(200, 3))
        whole = log_rising(s, y[:, None], 2)
        for k in (0, 57, 199):
            for part, single in zip(whole, log_rising(s[k], np.full(3, y[k]), 2), strict=True):
                np.testing.assert_allclose(part[k], single, rtol=1e-13)


class TestDensities:
    @pytest.mark.parametrize("family", [NegativeBinomialMean(), NegativeBinomialConstant()])
    @pytest.mark.parametrize("log_dispersion", [-6.0, -1.0, 1.5])
    def test_counts_sum_to_one(self, family: Family, log_dispersion: float) -> None:
        y = np.arange(20000.0)
        eta, phi = np.full(y.shape, 1.2), np.array([log_dispersion])
        probability = np.exp(family.log_density(eta, y, 1.0, phi) + family.constant(y, 1.0))
        mean = np.exp(1.2)
        assert probability.sum() == pytest.approx(1.0, rel=1e-11)
        assert probability @ y == pytest.approx(mean, rel=1e-10)
        extra = mean if isinstance(family, NegativeBinomialMean) else 1.0
        variance = mean * (1.0 + extra * np.exp(log_dispersion))
        assert probability @ (y - mean) ** 2 == pytest.approx(variance, rel=1e-9)

    @pytest.mark.parametrize("log_dispersion", [-2.0, 0.4])
    def test_counts_against_scipy(self, log_dispersion: float) -> None:
        mean, dispersion, phi = np.exp(0.8), np.exp(log_dispersion), np.array([log_dispersion])
        eta = np.full(COUNTS.shape, 0.8)
        for family, size in (
            (NegativeBinomialMean(), 1.0 / dispersion),
            (NegativeBinomialConstant(), mean / dispersion),
        ):
            expected = stats.nbinom.logpmf(COUNTS, size, size / (size + mean))
            actual = family.log_density(eta, COUNTS, 1.0, phi) + family.constant(COUNTS, 1.0)
            np.testing.assert_allclose(actual, expected, rtol=1e-11)

    @pytest.mark.parametrize("family", [NegativeBinomialMean(), NegativeBinomialConstant()])
    def test_no_dispersion_is_poisson(self, family: Family) -> None:
        y = column([0.0, 1.0, 3.0, 20.0])
        eta = np.tile(np.linspace(-2.0, 4.0, 4), (4, 1))
        expected = PoissonLog().derivatives(eta, y, 1.0, np.empty(0))
        for log_dispersion in (-25.0, -35.0):
            actual = family.derivatives(eta, y, 1.0, np.array([log_dispersion]))
            for a, e in zip(actual, expected, strict=True):
                np.testing.assert_allclose(a, e, rtol=1e-7, atol=1e-7)
            score = family.phi_derivatives(eta, y, 1.0, np.array([log_dispersion])).score
            np.testing.assert_allclose(score, 0.0, atol=1e-7)

    @pytest.mark.parametrize("log_s", [-1.5, 0.0, 0.6])
    def test_gamma(self, log_s: float) -> None:
        family, phi = GammaLog(), np.array([log_s])
        shape, mean = np.exp(-2.0 * log_s), np.exp(0.3)

        def density(y: float) -> float:
            at = np.array([y])
            log_f = family.log_density(np.array([0.3]), at, 1.0, phi) + family.constant(at, 1.0)
            return float(np.exp(log_f[0]))

        for y in (0.05, 1.0, 6.0):
            assert density(y) == pytest.approx(stats.gamma.pdf(y, shape, scale=mean / shape), rel=1e-11)
        total = integrate.quad(density, 0.0, 1.0)[0] + integrate.quad(density, 1.0, np.inf)[0]
        assert total == pytest.approx(1.0, rel=1e-7)

    def test_gamma_shape_terms_meet(self) -> None:
        # The series for large shapes and the functions for small ones agree where they meet.
        family, y, eta = GammaLog(), np.array([2.0]), np.array([0.5])
        border = -0.5 * np.log(50.0)
        for f in (
            lambda p: family.log_density(eta, y, 1.0, np.array([p])),
            lambda p: family.phi_derivatives(eta, y, 1.0, np.array([p])).score,
            lambda p: family.phi_derivatives(eta, y, 1.0, np.array([p])).hessian,
        ):
            np.testing.assert_allclose(f(border - 1e-13), f(border + 1e-13), rtol=1e-9)

    @pytest.mark.parametrize("family", [f(4) for f in ORDINAL], ids=lambda f: type(f).__name__)
    def test_categories_sum_to_one(self, family: Family) -> None:
        eta = np.tile(np.linspace(-6.0, 6.0, 25), (4, 1))
        log_f = family.log_density(eta, column(np.arange(4.0)), 1.0, np.array([-1.0, 0.2, 1.5]))
        np.testing.assert_allclose(np.exp(log_f).sum(axis=0), 1.0, rtol=1e-13)

    @pytest.mark.parametrize(
        ("family", "cdf"),
        [
            (OrdinalLogit(4), stats.logistic.cdf),
            (OrdinalProbit(4), stats.norm.cdf),
            (OrdinalCloglog(4), lambda x: 1.0 - np.exp(-np.exp(x))),
        ],
    )
    def test_categories_are_differences(self, family: Family, cdf: Any) -> None:
        cuts, eta = np.array([-1.0, 0.2, 1.5]), 0.4
        expected = np.diff([0.0, *cdf(cuts - eta), 1.0])
        actual = family.log_density(np.full(4, eta), np.arange(4.0), 1.0, cuts)
        np.testing.assert_allclose(np.exp(actual), expected, rtol=1e-12)

    @pytest.mark.parametrize("family", [f(4) for f in ORDINAL], ids=lambda f: type(f).__name__)
    @pytest.mark.parametrize("cuts", [[0.0, 0.0, 1.0], [0.5, -0.5, 1.0]])
    def test_cutpoints_must_increase(self, family: Family, cuts: list[float]) -> None:
        y, eta = np.arange(4.0), np.linspace(-2.0, 2.0, 4)
        value, first, second = family.derivatives(eta, y, 1.0, np.array(cuts))
        assert value[1] == -np.inf
        assert np.isfinite(value[[0, 2, 3]]).all()
        assert np.isfinite(first).all()
        assert np.isfinite(second).all()
        own = family.phi_derivatives(eta, y, 1.0, np.array(cuts))
        assert np.isfinite(own.score).all()
        assert np.isfinite(own.hessian).all()
