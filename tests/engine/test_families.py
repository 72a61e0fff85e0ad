"""Conditional densities: constants, derivatives in the middle and far out in the tails."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from memagic.engine.families import (
    BinomialCloglog,
    BinomialLogit,
    BinomialProbit,
    Family,
    GaussianIdentity,
    GaussianLog,
    PoissonLog,
)

Array = NDArray[np.float64]
Log = Callable[[Array, Array, Array], Array]

FAMILIES: dict[str, Family] = {
    "logit": BinomialLogit(),
    "probit": BinomialProbit(),
    "cloglog": BinomialCloglog(),
    "poisson": PoissonLog(),
    "gaussian": GaussianIdentity(),
    "gaussian-log": GaussianLog(),
}
RESPONSES: dict[str, tuple[tuple[float, float], ...]] = {
    "logit": ((0.0, 1.0), (1.0, 1.0), (2.0, 5.0)),
    "probit": ((0.0, 1.0), (1.0, 1.0), (2.0, 5.0)),
    "cloglog": ((0.0, 1.0), (1.0, 1.0), (2.0, 5.0)),
    "poisson": ((0.0, 1.0), (3.0, 1.0)),
    "gaussian": ((-1.3, 1.0), (2.0, 1.0)),
    "gaussian-log": ((-1.3, 1.0), (2.0, 1.0)),
}
CASES = [(name, y, r) for name, pairs in RESPONSES.items() for y, r in pairs]
PHI = np.array([-0.3])
MIDDLE = np.linspace(-4.0, 4.0, 17)
TAILS = np.array([-1e4, -700.0, -100.0, -30.0, 30.0, 100.0, 700.0, 1e4])


def own(family: Family) -> Array:
    return PHI[: family.n_phi]


def reference(name: str, eta: Array, y: float, r: float) -> Array:
    """The complete log density by scipy.stats."""
    if name == "poisson":
        return np.asarray(stats.poisson.logpmf(y, np.exp(eta)))
    if name.startswith("gaussian"):
        mean = eta if name == "gaussian" else np.exp(eta)
        return np.asarray(stats.norm.logpdf(y, mean, np.exp(PHI[0])))
    success = {
        "logit": stats.logistic.cdf(eta),
        "probit": stats.norm.cdf(eta),
        "cloglog": -np.expm1(-np.exp(eta)),
    }[name]
    return np.asarray(stats.binom.logpmf(y, r, success))


@pytest.mark.parametrize(("name", "y", "r"), CASES)
def test_density(name: str, y: float, r: float) -> None:
    family = FAMILIES[name]
    # Cloglog beyond 2: 1 - p of the reference loses digits.
    eta = MIDDLE[MIDDLE <= 2.0] if name == "cloglog" else MIDDLE
    ours = family.log_density(eta, np.array(y), r, own(family)) + family.constant(np.array(y), r)
    assert ours == pytest.approx(reference(name, eta, y, r), rel=1e-11, abs=1e-12)


@pytest.mark.parametrize(("name", "y", "r"), CASES)
def test_derivatives_in_eta(name: str, y: float, r: float) -> None:
    family, at, h = FAMILIES[name], np.array(y), 1e-4
    phi = own(family)

    def slope(function: Callable[[Array], Array]) -> Array:
        # Five points: an error of h^4 and rounding of eps/h, 1e-11 of the function's size.
        near = function(MIDDLE + h) - function(MIDDLE - h)
        far = function(MIDDLE + 2.0 * h) - function(MIDDLE - 2.0 * h)
        return np.asarray((8.0 * near - far) / (12.0 * h))

    value, first, second = family.derivatives(MIDDLE, at, r, phi)
    third = family.third(MIDDLE, at, r, phi)
    assert value == pytest.approx(family.log_density(MIDDLE, at, r, phi), rel=1e-14)
    size = 1.0 + np.abs(value).max()
    tolerance = 1e-10 * size * (1.0 + np.abs(third).max())
    assert first == pytest.approx(slope(lambda e: family.log_density(e, at, r, phi)), abs=tolerance)
    assert second == pytest.approx(slope(lambda e: family.derivatives(e, at, r, phi)[1]), abs=tolerance)
    assert third == pytest.approx(slope(lambda e: family.derivatives(e, at, r, phi)[2]), abs=tolerance)


@pytest.mark.parametrize("name", ["gaussian", "gaussian-log"])
def test_derivatives_in_phi(name: str) -> None:
    family, y, h = FAMILIES[name], np.array(1.2), 1e-5

    def slope(function: Callable[[Array], Array]) -> Array:
        return np.asarray((function(PHI + h) - function(PHI - h)) / (2.0 * h))

    derivatives = family.phi_derivatives(MIDDLE, y, 1.0, PHI)
    # The mean reaches exp(4), its square 3000: differences are good to 1e-8 of what they compare.
    for ours, theirs in (
        (derivatives.score[0], slope(lambda phi: family.log_density(MIDDLE, y, 1.0, phi))),
        (derivatives.cross[0], slope(lambda phi: family.derivatives(MIDDLE, y, 1.0, phi)[1])),
        (derivatives.curvature[0], slope(lambda phi: family.derivatives(MIDDLE, y, 1.0, phi)[2])),
        (
            derivatives.hessian[0, 0],
            slope(lambda phi: family.phi_derivatives(MIDDLE, y, 1.0, phi).score[0]),
        ),
    ):
        assert ours == pytest.approx(theirs, abs=1e-8 * (1.0 + np.abs(theirs).max()))
    reported, jacobian = family.report_phi(PHI)
    assert reported == pytest.approx(np.exp(2.0 * PHI))
    assert jacobian == pytest.approx(slope(lambda phi: family.report_phi(phi)[0]), rel=1e-8)


@pytest.mark.parametrize(("name", "y", "r"), CASES)
@pytest.mark.parametrize("shape", [(8,), (4, 2)])
def test_tails_are_finite(name: str, y: float, r: float, shape: tuple[int, ...]) -> None:
    # Warnings are errors here: nothing overflows on the way either.
    family, at, eta = FAMILIES[name], np.array(y), TAILS.reshape(shape)
    phi = own(family)
    value, first, second = family.derivatives(eta, at, r, phi)
    for array in (value, first, second, family.third(eta, at, r, phi), family.log_density(eta, at, r, phi)):
        assert array.shape == shape
        assert np.isfinite(array).all()
    assert (eta == TAILS.reshape(shape)).all()
    if name != "gaussian-log":
        assert (second <= 0.0).all()
    more = family.phi_derivatives(eta, at, r, phi)
    for array in (more.score, more.cross, more.curvature, more.hessian):
        assert np.isfinite(array).all()


@pytest.mark.parametrize(
    ("name", "y", "eta", "value", "first", "second"),
    [
        # log(1 + exp(-x)) and exp(-x) agree to exp(-2x).
        ("logit", 1.0, 100.0, -np.exp(-100.0), np.exp(-100.0), -np.exp(-100.0)),
        ("logit", 0.0, 700.0, -700.0, -1.0, -np.exp(-700.0)),
        ("logit", 1.0, -1e4, -1e4, 1.0, 0.0),
        # Mills ratio at x = 30 by its continued fraction.
        ("probit", 1.0, -30.0, -454.321243956343, 30.033259667434, -0.998896228488),
        ("probit", 0.0, 30.0, -454.321243956343, -30.033259667434, -0.998896228488),
        # 1 - exp(-w) is w (1 - w/2) with w = exp(-100).
        ("cloglog", 1.0, -100.0, -100.0, 1.0, -0.5 * np.exp(-100.0)),
        ("cloglog", 0.0, -100.0, -np.exp(-100.0), -np.exp(-100.0), -np.exp(-100.0)),
        ("cloglog", 0.0, 30.0, -np.exp(30.0), -np.exp(30.0), -np.exp(30.0)),
        ("cloglog", 1.0, 30.0, 0.0, 0.0, 0.0),
        ("poisson", 3.0, -700.0, -2100.0, 3.0, 0.0),
        ("poisson", 3.0, 100.0, 300.0 - np.exp(100.0), 3.0 - np.exp(100.0), -np.exp(100.0)),
    ],
)
def test_tails_are_right(name: str, y: float, eta: float, value: float, first: float, second: float) -> None:
    family = FAMILIES[name]
    ours = family.derivatives(np.array([eta]), np.array(y), 1.0, np.empty(0))
    for got, expected in zip(ours, (value, first, second), strict=True):
        # Differences of numbers of size eta, or of 1, round in the sixteenth digit.
        assert got.item() == pytest.approx(expected, rel=1e-10, abs=1e-15 * (1.0 + abs(eta)))


@pytest.mark.parametrize("eta", [-30.0, -700.0, -1e4])
def test_probit_keeps_its_curvature_far_out(eta: float) -> None:
    # By the asymptotic series: first |x| + 1/|x|, second -1 + 1/x^2, third 2/|x|^3. From a Mills ratio
    # that is right to all digits the differences leave 1e-8 at x = -1e4, and x^2 times that.
    family, at = BinomialProbit(), np.array([eta])
    _, first, second = family.derivatives(at, np.array(1.0), 1.0, np.empty(0))
    assert first.item() == pytest.approx(-eta - 1.0 / eta, abs=2.0 / abs(eta) ** 3 + 1e-11)
    assert second.item() == pytest.approx(-1.0 + eta**-2, abs=6.0 / eta**4 + 1e-7)
    third = family.third(at, np.array(1.0), 1.0, np.empty(0))
    assert third.item() == pytest.approx(2.0 / abs(eta) ** 3, abs=24.0 / abs(eta) ** 5 + 1e-3)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_inputs_are_not_changed(name: str) -> None:
    family = FAMILIES[name]
    eta, y = np.array([[-0.5, 0.5], [1.0, 2.0]]), np.array([[0.0], [1.0]])
    kept = eta.copy(), y.copy()
    family.log_density(eta, y, 1.0, own(family))
    family.derivatives(eta, y, 1.0, own(family))
    family.third(eta, y, 1.0, own(family))
    family.phi_derivatives(eta, y, 1.0, own(family))
    assert (eta == kept[0]).all()
    assert (y == kept[1]).all()


@pytest.mark.parametrize(("name", "y", "r"), CASES)
def test_starting_predictors_are_finite(name: str, y: float, r: float) -> None:
    family = FAMILIES[name]
    start = family.initial_eta(np.array([y, y]), r)
    assert np.isfinite(start).all()
    assert np.isfinite(family.initial_phi(start, np.array([y, y]))).all()
