"""Against Stata 18's sixteen digits: ``melogit y x1 || gid:`` on 1,500 simulated observations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from memagic.results import MEResults

Fit = Callable[[str, str], MEResults]


@dataclass(frozen=True)
class Printed:
    """Log likelihood, and coefficients with standard errors, as Stata 18 stored them."""

    options: str
    ll: float
    x1: tuple[float, float]
    cons: tuple[float, float]


QUADRATURE = Printed(
    "intpoints(8)",
    -909.73343022222832,
    (0.60616645888918, 0.06360490233759),
    (-0.54154040410931, 0.11861264573291),
)
LAPLACE = Printed(
    "intmethod(laplace)",
    -910.06056659783,
    (0.60629269817931, 0.06361134924806),
    (-0.54125654747286, 0.11806208988043),
)


@pytest.mark.parametrize("printed", [QUADRATURE, LAPLACE], ids=["mvaghermite", "laplace"])
def test_sixteen_digits(printed: Printed, fitted: Fit) -> None:
    result = fitted(f"melogit y x1 || gid:, {printed.options}", "parity")
    assert result.converged
    assert result.llf == pytest.approx(printed.ll, rel=1e-9)
    for name, (b, se) in (("x1", printed.x1), ("_cons", printed.cons)):
        # Stata's own maximizer leaves some 1e-7: its scaled gradient need only be below 1e-5.
        assert result.params[name] == pytest.approx(b, rel=1e-7), name
        assert result.bse[name] == pytest.approx(se, rel=1e-6), name


def test_more_points_change_little(fitted: Fit) -> None:
    # Groups of some 15 observations: eight points are good for seven digits of the log likelihood.
    eight = fitted("melogit y x1 || gid:, intpoints(8)", "parity")
    many = fitted("melogit y x1 || gid:, intpoints(25)", "parity")
    assert eight.llf == pytest.approx(many.llf, rel=1e-7)
