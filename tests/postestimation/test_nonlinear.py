"""nlcom and testnl: the delta method against numerical derivatives, and linear cases against test."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from memagic import CommandError
from memagic.postestimation.differentiation import Dual, differentiate
from memagic.results import MEResults
from memagic.spec.expression import parse_expression
from memagic.spec.tree import Estimated

Fitted = Callable[[str, str], MEResults]


@pytest.fixture(scope="module")
def fit(fitted: Fitted) -> MEResults:
    return fitted("melogit c_use i.urban age i.children || district: i.urban", "bangladesh")


@pytest.mark.parametrize(
    "text",
    [
        "exp(_b[a]) * ln(_b[b]) - sqrt(_b[c])",
        "invlogit(-_b[a] * _b[c]) / (_b[b] + _b[a])",
        "_b[a]^2 / (1 + _b[b])^3",
        "_b[b]^_b[c] + 2^_b[a] - _b[a]^-1",
        "invlogit(_b[a]) + logit(_b[c]/10) + log10(_b[b])",
        "cond(_b[a] > _b[b], _b[a]*_b[c], -_b[b]*_b[c])",
        "max(_b[a], _b[b]^2, _b[c]) - min(_b[a], _b[b]) * abs(-_b[c])",
        "-(_b[a] - _b[b])^2 + _pi * !_b[c] + (_b[a] <= _b[b] | _b[c] == 1) * _b[c]",
        "normal(_b[a] * _b[b]) - invnormal(_b[a] / _b[c]) * lnnormal(-_b[b])",
        "normalden(_b[a]) * _b[b] + lnnormalden(_b[c] - _b[a])",
        "normalden(_b[a], _b[b]) + normalden(_b[a], _b[c], _b[b]) * lnnormalden(_b[c], _b[a], _b[b])",
        "cloglog(_b[a] / _b[c]) + invcloglog(_b[a] - _b[b]) * expm1(_b[a])",
        "ln1p(_b[a] * _b[b]) + ln1m(_b[a] / 3)",
        "sin(_b[a]) * cos(_b[b]) + tan(_b[a] * _b[b])",
        "asin(_b[a] / _b[b]) + acos(_b[b] / _b[c]) * atan(_b[c])",
        "sinh(_b[a]) * cosh(_b[b]) - tanh(_b[c] - _b[b])",
        "asinh(_b[c]) + acosh(_b[b]) * atanh(_b[a])",
        "lngamma(_b[a]) * digamma(_b[b]) + trigamma(_b[c] - _b[b])",
        "lngamma(-_b[a]) + digamma(_b[a] - _b[c]) * trigamma(-_b[b])",
        "floor(_b[b]) * _b[a] + sign(_b[a]) + int(2.7) * ceil(_b[c])",
    ],
)
def test_derivatives_are_those_of_differences(text: str) -> None:
    names = ["a", "b", "c"]
    tree = parse_expression(text)

    def at(values: np.ndarray) -> Dual:
        def leaf(node: Estimated) -> Dual:
            k = names.index(node.name)
            # The direction of the slope is 1, 2, 3.
            return Dual(np.asarray(values[k]), np.eye(3)[k], np.asarray(k + 1.0), np.zeros(3))

        return differentiate(tree, leaf, 3)

    x = np.array([0.7, 1.6, 2.3])
    h = 1e-6
    numerical = [(at(x + h * e).value - at(x - h * e).value) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(at(x).gradient, numerical, rtol=2e-8, atol=1e-8)
    np.testing.assert_allclose(at(x).slope, at(x).gradient @ [1.0, 2.0, 3.0], rtol=1e-12)
    numerical = [(at(x + h * e).slope - at(x - h * e).slope) / (2 * h) for e in np.eye(3)]
    np.testing.assert_allclose(at(x).cross, numerical, rtol=2e-7, atol=1e-7)


def test_a_ratio(fit: MEResults) -> None:
    found = fit.nlcom("(ratio: _b[1.urban]/_b[age])")
    b, v = fit.params, fit.cov_params()
    ratio = b["1.urban"] / b["age"]
    gradient = np.array([1 / b["age"], -ratio / b["age"]])
    names = ["1.urban", "age"]
    assert found.b[0] == pytest.approx(ratio)
    assert found.se[0] == pytest.approx(np.sqrt(gradient @ v.loc[names, names] @ gradient))
    assert found.r["b"].loc["r1", "ratio"] == found.b[0]
    assert found.r["N"] == 1934
    lines = str(found).split("\n")
    assert lines[0] == "       ratio:  _b[1.urban]/_b[age]"
    assert lines[-2].startswith("       ratio |")


def test_several_with_their_covariance(fit: MEResults) -> None:
    found = fit.nlcom("(exp(_b[age])) (twice: 2*_b[c_use:age] + _se[age]*0 + e(N)*0), level(90)")
    assert found.names == ("_nl_1", "twice")
    e = np.exp(fit.params["age"])
    var = fit.cov_params().loc["age", "age"]
    np.testing.assert_allclose(found.v, [[e * e * var, 2 * e * var], [2 * e * var, 4 * var]])
    assert found.level == 90.0


def test_variances_take_part(fit: MEResults) -> None:
    found = fit.nlcom("sqrt(_b[/var(_cons[district])])")
    v, se = fit.params["/var(_cons[district])"], fit.bse["/var(_cons[district])"]
    assert found.b[0] == pytest.approx(np.sqrt(v))
    assert found.se[0] == pytest.approx(se / (2 * np.sqrt(v)))


@pytest.mark.parametrize(
    "name", ["[c_use]age", "[c_use]_b[age]", "[c_use]1.urban", "[/]var(_cons[district])"]
)
def test_an_equation_before_the_name(fit: MEResults, name: str) -> None:
    plain = name.replace("[c_use]", "").replace("_b[age]", "age").replace("[/]", "/")
    found, known = fit.nlcom(f"2*{name}^2 + exp({name})"), fit.nlcom(f"2*_b[{plain}]^2 + exp(_b[{plain}])")
    assert (found.b[0], found.se[0]) == (known.b[0], known.se[0])
    assert fit.nlcom("[c_use]_se[age]*1").b[0] == pytest.approx(fit.bse["age"])
    with pytest.raises(CommandError, match=r"\[other\]age not found") as error:
        fit.nlcom("[other]age")
    assert error.value.rc == 111


def test_bases_are_zero(fit: MEResults) -> None:
    found = fit.nlcom("_b[0.urban] + 1")
    assert found.b[0] == 1.0
    assert found.se[0] == 0.0
    assert np.isnan(found.z[0])


def test_testnl_of_linear_hypotheses_is_test(fit: MEResults) -> None:
    nonlinear = fit.testnl("(_b[age] = _b[1.urban]) (_b[1.children] = 1)")
    linear = fit.wald_test("(age = 1.urban) (1.children = 1)")
    assert nonlinear.statistic == pytest.approx(linear.statistic)
    assert (nonlinear.df, nonlinear.p) == (2, pytest.approx(linear.p))
    assert fit.testnl("_b[1.children] = _b[2.children] = _b[3.children]").statistic == pytest.approx(
        fit.wald_test("1.children = 2.children = 3.children").statistic
    )
    assert str(nonlinear).startswith("  (1)  _b[age] = _b[1.urban]\n  (2)  _b[1.children] = 1\n\n")


def test_testnl_of_a_product(fit: MEResults) -> None:
    found = fit.testnl("_b[1.urban]*_b[age] = -.02")
    comb = fit.nlcom("_b[1.urban]*_b[age] + .02")
    assert found.statistic == pytest.approx(comb.z[0] ** 2)
    assert found.p == pytest.approx(comb.p[0])


@pytest.mark.parametrize(
    ("text", "rc"),
    [
        ("age", 111),
        ("_b[nothere]", 111),
        ("_b[other:age]", 111),
        ("ln(_b[age])", 498),
        ("1/_b[0.urban]", 498),
        ("_b[age] + ", 198),
        ("round(_b[age], 1)", 198),
        ("e(nothing)", 111),
        ('"text"', 109),
        ("(a: _b[age]) (a: _b[age])", 110),
        ("", 198),
        ("_b[age], post", 198),
    ],
)
def test_what_is_refused(fit: MEResults, text: str, rc: int) -> None:
    with pytest.raises(CommandError) as error:
        fit.nlcom(text)
    assert error.value.rc == rc


def test_dependent_hypotheses_are_refused(fit: MEResults) -> None:
    with pytest.raises(CommandError) as error:
        fit.testnl("(_b[age] = 0) (2*_b[age] = 0)")
    assert error.value.rc == 498
    with pytest.raises(CommandError) as error:
        fit.testnl("_b[age]")
    assert error.value.rc == 198
