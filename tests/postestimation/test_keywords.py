"""Results asked from Python: options by keyword, statsmodels' forms, and what is said of slips."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic.errors import CommandError
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]

URBAN = "melogit c_use i.urban age i.children || district:"


@pytest.fixture(scope="module")
def fit(fitted: Fitted) -> MEResults:
    return fitted(URBAN, "bangladesh")


@pytest.mark.parametrize(
    ("by_keyword", "by_text"),
    [
        (lambda fit: fit.margins(dydx="age"), lambda fit: fit.margins(", dydx(age)")),
        (
            lambda fit: fit.margins("urban", at="age=(0 10)", level=90),
            lambda fit: fit.margins("urban, at(age=(0 10)) level(90)"),
        ),
        (
            lambda fit: fit.margins("urban, atmeans", level=90),
            lambda fit: fit.margins("urban, atmeans level(90)"),
        ),
        (
            lambda fit: fit.compare_margins("children", pwcompare=True),
            lambda fit: fit.compare_margins("children, pwcompare"),
        ),
        (lambda fit: fit.margins(dydx=["age"]), lambda fit: fit.margins(", dydx(age)")),
        (
            lambda fit: fit.margins("urban", at=("age=0", "age=10"), level=np.float64(90)),
            lambda fit: fit.margins("urban, at(age=0) at(age=10) level(90)"),
        ),
        (
            lambda fit: fit.margins(over=["urban", "children"], atmeans=np.False_),
            lambda fit: fit.margins(", over(urban children)"),
        ),
        (lambda fit: fit.lincom("1.urban", or_=np.True_), lambda fit: fit.lincom("1.urban, or")),
        (lambda fit: fit.lincom("1.urban", or_=True), lambda fit: fit.lincom("1.urban, or")),
        (
            lambda fit: fit.contrast("r.children", mcompare="sidak"),
            lambda fit: fit.contrast("r.children, mcompare(sidak)"),
        ),
        (lambda fit: fit.testparm("i.children", equal=True), lambda fit: fit.testparm("i.children, equal")),
        (
            lambda fit: fit.test("age 1.urban", mtest="holm"),
            lambda fit: fit.wald_test("age 1.urban, mtest(holm)"),
        ),
    ],
)
def test_keywords_are_options(
    fit: MEResults, by_keyword: Callable[[MEResults], object], by_text: Callable[[MEResults], object]
) -> None:
    assert str(by_keyword(fit)) == str(by_text(fit))


def test_a_keyword_that_is_no_option(fit: MEResults) -> None:
    with pytest.raises(CommandError) as caught:
        fit.margins(dxdy="age")
    assert caught.value.message == "option dxdy not allowed"


@pytest.mark.parametrize(
    ("value", "kind"),
    [({"age": 0}, "dict"), (pd.Series(["age=0"]), "Series"), ([True], "bool"), (np.arange(2), "ndarray")],
)
def test_a_value_that_is_no_text(fit: MEResults, value: object, kind: str) -> None:
    with pytest.raises(CommandError) as caught:
        fit.margins(at=value)
    assert (caught.value.rc, caught.value.message) == (198, f"option at may not be of type {kind}")


def test_of_statsmodels(fit: MEResults) -> None:
    b, v = fit.params, fit.cov_params()
    one = fit.t_test("age = .01")
    assert one.b[0] == pytest.approx(b["age"] - 0.01)
    assert one.z[0] == pytest.approx((b["age"] - 0.01) / fit.bse["age"])
    assert fit.t_test("age = 0").r == fit.t_test("age").r == fit.lincom("age").r
    two = fit.t_test("1.urban = 2*age + 1", level=90)
    assert two.b[0] == pytest.approx(b["1.urban"] - 2 * b["age"] - 1)
    row = pd.Series(0.0, index=b.index)
    row[["1.urban", "age"]] = [1.0, -2.0]
    assert two.se[0] == pytest.approx(float(np.sqrt(row @ v @ row)))
    assert two.level == 90
    with pytest.raises(CommandError, match="one equation is expected here"):
        fit.t_test("(age = 0) (1.urban = 0)")


def test_what_the_model_has_not_comes_with_the_data(fit: MEResults) -> None:
    frame = memagic.datasets.load("bangladesh")
    frame["half"] = (frame["district"] > 30).astype(int)
    with pytest.raises(CommandError) as caught:
        fit.margins(over="half")
    assert (caught.value.rc, caught.value.message) == (111, "variable half not found")
    assert "data=" in str(caught.value.hint)
    assert len(fit.margins(over="half", data=frame).b) == 2


def test_slips_of_type(fit: MEResults) -> None:
    with pytest.raises(TypeError, match=r'fit.explore\({"other": other}\)'):
        fit.explore(fit)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"explore_integrand\(memagic.run"):
        memagic.explore_integrand(URBAN, "bangladesh")  # type: ignore[arg-type]
