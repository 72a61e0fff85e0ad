"""Numbers as the manual prints them."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagic.display.formats import count, f, g


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.73227651, ".7322765"),
        (0.11948572, ".1194857"),
        (-0.02649812, "-.0264981"),
        (0.00789158, ".0078916"),
        (1.1160012, "1.116001"),
        (1.02355, "1.02355"),
        (-1.6892904, "-1.68929"),
        (0.215618, ".215618"),
        (14.817449, "14.81745"),
        (3.1242021, "3.124202"),
        (9.8016868, "9.801687"),
        (22.399888, "22.39989"),
        (6.2098958, "6.209896"),
        (0.03901242, ".0390124"),
        (20.526512, "20.52651"),
        (36.177971, "36.17797"),
        (119.26518, "119.2652"),
        (0.01956381, ".0195638"),
        (-0.40588613, "-.4058861"),
        (25337.484, "25337.48"),
        (-357.306, "-357.306"),
        (1, "1"),
        (10, "10"),
        (0.5, ".5"),
        (-0.5, "-.5"),
        (100000.0, "100000"),
        (1234567.8, "1234568"),
        (20150101, "2.02e+07"),
        (1e7, "1.00e+07"),
        (9999999.7, "1.00e+07"),
        (0.99999999, "1"),
        (999999.96, "1000000"),
        (0.0000118, ".0000118"),
        (0.00001, ".00001"),
        (6.73e-06, "6.73e-06"),
        (-9.866e-06, "-9.87e-06"),
        (1.35e-32, "1.35e-32"),
        (1.2e10, "1.20e+10"),
        (-1.913e32, "-1.91e+32"),
        (3.28e-120, "3.3e-120"),
        (9.6e-100, "9.6e-100"),
        (0.0, "0"),
        (-0.0, "0"),
        (nan, "."),
        (inf, "."),
    ],
)
def test_coefficients(value: float, text: str) -> None:
    assert g(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-1206.83218, "-1206.8322"),
        (-1199.31502, "-1199.315"),
        (-1014.92679, "-1014.9268"),
        (-209.276586, "-209.27659"),
        (-197395.978, "-197395.98"),
        (-2114.58812, "-2114.5881"),
        (-3663.222, "-3663.222"),
        (-1234512.5, "-1234512.5"),
        (1e10, "1.000e+10"),
    ],
)
def test_log_likelihoods(value: float, text: str) -> None:
    assert g(value, 10) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.14159265358979, "3.141592654"),
        (31415.9265358979, "31415.92654"),
        (3141592653.58979, "3141592654"),
        (31415926535.8979, "3.14159e+10"),
        (0.000314159265, ".0003141593"),
        (0.0000314159265, ".0000314159"),
        (0.00000314159265, "3.14159e-06"),
    ],
)
def test_wide_general_format(value: float, text: str) -> None:
    assert g(value, 12) == text


@pytest.mark.parametrize(
    ("value", "width", "decimals", "text"),
    [
        (-11.432, 8, 2, "-11.43"),
        (-0.001, 8, 2, "-0.00"),
        (0.0, 5, 3, "0.000"),
        (0.02149, 5, 3, "0.021"),
        (1.0, 6, 4, "1.0000"),
        (62553.76, 8, 2, "62553.76"),
        (190123.4, 8, 2, "1.9e+05"),
        (2.04e6, 8, 2, "2.0e+06"),
        (nan, 6, 4, "."),
    ],
)
def test_fixed_decimals(value: float, width: int, decimals: int, text: str) -> None:
    assert f(value, width, decimals) == text


def test_commas() -> None:
    assert f(3435, 11, 1, commas=True) == "3,435.0"
    assert f(346373.74, 14, 2, commas=True) == "346,373.74"
    assert count(1934) == "1,934"
    assert count(60) == "60"


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(8, 12))
def test_general_format_fits_and_reads_back(value: float, width: int) -> None:
    text = g(value, width)
    assert len(text) <= width
    assert len(text.removeprefix("-")) < width
    digits = len(text.removeprefix("-").partition("e")[0].replace(".", "").lstrip("0"))
    if 1e-5 <= abs(value) < 10.0 ** (width - 2):
        assert "e" not in text or abs(value) > 10.0 ** (width - 2) - 1
        # In fixed notation there are as many decimals as fit, less trailing zeros.
        whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
        assert float(text) == pytest.approx(value, abs=0.5001 * 10.0 ** -(width - 2 - whole), rel=0)
    elif value and 1e-300 < abs(value) < 1e300:
        assert "e" in text
        assert digits >= width - 7
        assert float(text) == pytest.approx(value, rel=0.5001 * 10.0 ** -(width - 8), abs=0)


@given(st.floats(1e-5, 1e6))
def test_a_number_and_its_negative_show_the_same_digits(value: float) -> None:
    assert g(-value) == f"-{g(value)}"
