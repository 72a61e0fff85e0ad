"""contrast and pwcompare: against lincom and test, cell by cell, and adjustments by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import memagic
from memagic import CommandError
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]

LABELS = ["None", "1 child", "2 children", "3 or more children"]


@pytest.fixture(scope="module")
def fit(fitted: Fitted) -> MEResults:
    return fitted("melogit c_use i.urban age i.children || district: i.urban", "bangladesh")


@pytest.fixture(scope="module")
def crossed() -> MEResults:
    """Two factor variables with all interactions, and a slope by group."""
    rng = np.random.default_rng(5)
    n = 480
    g = np.repeat(np.arange(24), 20)
    frame = pd.DataFrame(
        {"g": g, "a": rng.integers(0, 2, n), "b": rng.integers(1, 4, n), "x": rng.normal(1.0, 1.0, n)}
    )
    mean = 0.4 * frame.a - 0.3 * (frame.b == 3) * frame.a + 0.2 * frame.x * frame.b
    frame["y"] = mean + rng.normal(size=24)[g] + rng.normal(size=n)
    return memagic.run("meglm y i.a##i.b c.x i.b#c.x || g:", data=frame)


def test_a_main_effect_is_testparm(fit: MEResults) -> None:
    found = fit.contrast("children")
    (test,) = found.tests
    joint = fit.testparm("i.children")
    assert (test.term, test.df) == ("children", 3)
    assert test.statistic == pytest.approx(joint.statistic)
    assert test.p == pytest.approx(joint.p)
    text = str(found).split("\n")
    assert text[:3] == ["Contrasts of marginal linear predictions", "", "Margins: asbalanced"]
    assert "c_use        |" in text
    assert not found.comparisons.labels


def test_an_interaction_and_balanced_main_effects(crossed: MEResults) -> None:
    found = crossed.contrast("a##b")
    assert [test.term for test in found.tests] == ["a", "b", "a#b"]
    assert found.tests[2].statistic == pytest.approx(crossed.testparm("i.a#i.b").statistic)
    # Of a, over the three levels of b with equal weight.
    a = crossed.wald_test("1.a + 1.a#2.b/3 + 1.a#3.b/3 = 0")
    assert found.tests[0].statistic == pytest.approx(a.statistic)
    # Of b, half of each level of a, x at its mean.
    mean = float(crossed.estimates.design.covariates["x"].mean())
    b = crossed.wald_test(
        f"(2.b + 1.a#2.b/2 + {mean!r}*2.b#c.x = 0) (3.b + 1.a#3.b/2 + {mean!r}*3.b#c.x = 0)"
    )
    assert found.tests[1].statistic == pytest.approx(b.statistic)
    assert found.tests[1].df == 2


@pytest.mark.parametrize(
    ("term", "labels", "texts"),
    [
        ("r.children", [f"({w} vs None)" for w in LABELS[1:]], ["1.children", "2.children", "3.children"]),
        (
            "rb2.children",
            ["(None vs 2 children)", "(1 child vs 2 children)", "(3 or more children vs 2 children)"],
            ["-2.children", "1.children - 2.children", "3.children - 2.children"],
        ),
        (
            "ar.children",
            [f"({h} vs {lo})" for lo, h in pairwise(LABELS)],
            ["1.children", "2.children - 1.children", "3.children - 2.children"],
        ),
        (
            "a.children",
            [f"({lo} vs {h})" for lo, h in pairwise(LABELS)],
            ["-1.children", "1.children - 2.children", "2.children - 3.children"],
        ),
    ],
)
def test_operators(fit: MEResults, term: str, labels: list[str], texts: list[str]) -> None:
    found = fit.contrast(f"{term}, effects").comparisons
    assert list(found.labels) == labels
    for k, text in enumerate(texts):
        by_hand = fit.lincom(text)
        np.testing.assert_allclose(
            [found.b[k], found.se[k], found.z[k], found.p[k], found.lower[k], found.upper[k]],
            [by_hand.b[0], by_hand.se[0], by_hand.z[0], by_hand.p[0], by_hand.lower[0], by_hand.upper[0]],
        )


def test_deviations_from_the_mean_sum_to_zero(fit: MEResults) -> None:
    found = fit.contrast("g.children").comparisons
    assert found.b.sum() == pytest.approx(0.0, abs=1e-12)
    assert fit.contrast("g.children").tests[0].df == 3


def test_all_pairs(fit: MEResults) -> None:
    found = fit.pwcompare("children, effects")
    names = ["0.children", "1.children", "2.children", "3.children"]
    pairs = [(high, low) for low, high in combinations(range(4), 2)]
    assert found.comparisons.labels == tuple(f"{LABELS[h]} vs {LABELS[lo]}" for h, lo in pairs)
    for k, (high, low) in enumerate(pairs):
        by_hand = fit.lincom(f"{names[high]} - {names[low]}")
        assert found.comparisons.b[k] == pytest.approx(by_hand.b[0])
        assert found.comparisons.p[k] == pytest.approx(by_hand.p[0])
    text = str(found)
    assert text.startswith("Pairwise comparisons of marginal linear predictions\n\nMargins: asbalanced\n")
    assert text.count("Unadjusted") == 2
    assert "Number of" not in text


@pytest.mark.parametrize("method", ["bonferroni", "sidak", "scheffe"])
def test_adjustments(fit: MEResults, method: str) -> None:
    plain = fit.pwcompare("children, effects").comparisons
    found = fit.pwcompare(f"children, effects mcompare({method}) level(90)")
    m, rank, alpha = 6, 3, 0.1
    if method == "bonferroni":
        p, critical = np.minimum(1.0, m * plain.p), stats.norm.isf(alpha / m / 2)
    elif method == "sidak":
        p, critical = 1 - (1 - plain.p) ** m, stats.norm.isf((1 - (1 - alpha) ** (1 / m)) / 2)
    else:
        p, critical = stats.chi2.sf(plain.z**2, rank), np.sqrt(stats.chi2.isf(alpha, rank))
    np.testing.assert_allclose(found.comparisons.p, p, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.comparisons.upper, plain.b + critical * plain.se, rtol=1e-9)
    text = str(found)
    assert text.count(method.capitalize()) == 2
    assert "children |            6" in text


def test_pairs_of_cells(crossed: MEResults) -> None:
    found = crossed.pwcompare("a#b").comparisons
    assert len(found.labels) == 15
    k = found.labels.index("1#3 vs 0#1")
    mean = float(crossed.estimates.design.covariates["x"].mean())
    by_hand = crossed.lincom(f"1.a + 3.b + 1.a#3.b + {mean!r}*3.b#c.x")
    assert found.b[k] == pytest.approx(by_hand.b[0])
    assert found.se[k] == pytest.approx(by_hand.se[0])


def test_what_is_not_estimable_is_said() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"a": np.tile([0, 0, 1], 40), "b": np.tile([0, 1, 0], 40), "g": np.repeat(range(12), 10)}
    )
    frame["y"] = rng.normal(size=120)
    fit = memagic.run("meglm y i.a##i.b || g:", data=frame)
    found = fit.pwcompare("a#b").comparisons
    known = dict(zip(found.labels, found.estimable, strict=True))
    assert known == {
        "0#1 vs 0#0": True,
        "1#0 vs 0#0": True,
        "1#1 vs 0#0": False,
        "1#0 vs 0#1": True,
        "1#1 vs 0#1": False,
        "1#1 vs 1#0": False,
    }
    assert "(not estimable)" in str(fit.pwcompare("a#b"))


@pytest.mark.parametrize(
    ("command", "text", "rc"),
    [
        ("contrast", "age", 322),
        ("contrast", "nothere", 322),
        ("contrast", "", 198),
        ("contrast", "rb7.children", 198),
        ("contrast", "q.children", 198),
        ("pwcompare", "r.children", 198),
        ("pwcompare", "children, mcompare(tukey)", 198),
        ("pwcompare", "children, effects cieffects", 198),
    ],
)
def test_what_is_refused(fit: MEResults, command: str, text: str, rc: int) -> None:
    with pytest.raises(CommandError) as error:
        getattr(fit, command)(text)
    assert error.value.rc == rc


def test_slopes_by_group(crossed: MEResults) -> None:
    """Those of x: .x at the base of b, and with b's share at the others."""
    found = crossed.contrast("r.b#c.x, effects")
    (test,) = found.tests
    joint = crossed.testparm("i.b#c.x")
    assert (test.term, test.df) == ("b#c.x", 2)
    assert test.statistic == pytest.approx(joint.statistic)
    assert crossed.contrast("b#c.x").tests[0].statistic == pytest.approx(joint.statistic)
    assert found.comparisons.labels == ("(2 vs 1)", "(3 vs 1)")
    for k, text in enumerate(("2.b#c.x", "3.b#c.x")):
        line = crossed.lincom(text)
        assert found.comparisons.b[k] == pytest.approx(line.b[0])
        assert found.comparisons.se[k] == pytest.approx(line.se[0])


def test_neighbouring_slopes_and_all_pairs(crossed: MEResults) -> None:
    line = crossed.lincom("3.b#c.x - 2.b#c.x")
    for found, label in (
        (crossed.contrast("ar.b#c.x"), "(3 vs 2)"),
        (crossed.pwcompare("b#c.x"), "3 vs 2"),
        (crossed.contrast("c.x#ar.b"), "(3 vs 2)"),
    ):
        k = found.comparisons.labels.index(label)
        assert found.comparisons.b[k] == pytest.approx(line.b[0])
        assert found.comparisons.se[k] == pytest.approx(line.se[0])


def test_a_slope_over_the_levels(crossed: MEResults) -> None:
    found = crossed.contrast("b##c.x")
    assert [test.term for test in found.tests] == ["b", "c.x", "b#c.x"]
    mean = crossed.lincom("x + 2.b#c.x/3 + 3.b#c.x/3")
    assert found.tests[1].statistic == pytest.approx(mean.z[0] ** 2)
    assert found.tests[1].df == 1


@pytest.mark.parametrize(
    ("command", "rc", "message", "hint"),
    [
        ("contrast b#c.xx", 322, "covariate c.xx not found", "there are c.x"),
        ("contrast b#c.x#c.x", 322, "covariate c.x#c.x not found", "there are c.x"),
        ("pwcompare c.x", 198, "nothing to compare", "pwcompare g#c.x"),
        ("margins r.b#c.x", 198, "invalid 'c'", ""),
    ],
)
def test_slopes_that_there_are_not(
    crossed: MEResults, command: str, rc: int, message: str, hint: str
) -> None:
    name, text = command.split(" ", 1)
    with pytest.raises(CommandError) as caught:
        getattr(crossed, name)(text)
    assert (caught.value.rc, caught.value.message[: len(message)]) == (rc, message)
    assert hint in str(caught.value.hint)


def test_a_slope_that_is_not_one_number() -> None:
    fit = memagic.run("melogit c_use i.urban##c.age c.age#c.age", "bangladesh")
    with pytest.raises(CommandError) as caught:
        fit.contrast("urban#c.age")
    assert caught.value.message == "the slope of age is not one number"
    assert "margins urban, dydx(age)" in str(caught.value.hint)
    assert fit.margins("urban, dydx(age)").b.size == 2
    assert fit.contrast("c.age#c.age").tests[0].statistic == pytest.approx(fit.test("c.age#c.age").statistic)
