"""What is said about fits in trouble, and that nothing is said about healthy ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import datasets
from memagic.results import MEResults
from memagic.results.diagnosis import diagnose
from memagic.results.estimates import Estimates
from memagic.spec.parser import parse_command

Make = Callable[..., Estimates]

_NOT_CONVERGED = "Warning: convergence not achieved"


def notes(command: str, data: pd.DataFrame) -> tuple[str, ...]:
    return diagnose(memagic.run(command, data=data).estimates)


@pytest.fixture(scope="module")
def grouped() -> pd.DataFrame:
    """Twenty groups of ten; s is 1 only where y is."""
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(20), 10)
    x, u = rng.normal(size=200), rng.normal(size=20)[g]
    s = (rng.random(200) < 0.15).astype(int)
    year = rng.integers(2000, 2011, size=200)
    slope = 0.3 * rng.normal(size=20)[g]
    return pd.DataFrame(
        {
            "g": g,
            "x": x,
            "s": s,
            "y": ((0.3 * x + u + rng.logistic(size=200) > 0) | (s == 1)).astype(int),
            "count": rng.poisson(np.exp(0.3 * x)) * (1 - s),
            "year": year,
            "w": (0.2 + slope) * (year - 2005) + u + rng.normal(size=200),
            "even": g % 2,
            "alternate": np.arange(200) % 2,
        }
    )


def test_healthy_fits(fitted: Callable[[str, str], MEResults]) -> None:
    for command, name in [
        ("melogit c_use i.urban age i.children || district:", "bangladesh"),
        ("melogit c_use i.urban age || district: i.urban, covariance(unstructured)", "bangladesh"),
        ("meglm weight week || id: week, covariance(unstructured)", "pig"),
    ]:
        assert diagnose(fitted(command, name).estimates) == ()


def test_one_observation_in_each_group() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"g": np.arange(60), "x": rng.normal(size=60), "y": rng.normal(size=60)})
    frame["y"] += frame["x"]
    assert notes("meglm y x || g:", frame) == (
        _NOT_CONVERGED,
        "Note: the data do not tell var(_cons) and var(e.y) apart: the log likelihood is flat.\n"
        "      Each g has one observation. Try leaving out || g:",
    )


def test_groups_that_are_the_same_at_two_levels(grouped: pd.DataFrame) -> None:
    same = grouped.assign(h=grouped["g"])
    for command in ("meglm w year || g: || h:", "melogit y x || g: || h:"):
        assert (
            "Note: the data do not tell var(_cons[g]) and var(_cons[g>h]) apart: each g has one h.\n"
            "      Try leaving out || h:"
        ) in notes(command, same)


def test_a_covariate_that_separates(grouped: pd.DataFrame) -> None:
    advice = "\n      Try without asis, or leave out s."
    words = "Note: s predicts the outcome perfectly: its coefficient has no finite estimate."
    assert notes("melogit y x s, asis || g:", grouped)[-1] == words + advice
    assert notes("meprobit y x s, asis || g:", grouped)[-1] == words + advice
    assert notes("mepoisson count x s || g:", grouped)[-1].startswith(words)
    # Without asis it is left out, and all is well.
    assert notes("melogit y x s || g:", grouped) == ()


def test_outcomes_that_are_the_same_within_groups(grouped: pd.DataFrame) -> None:
    found = notes("melogit even x || g:", grouped)
    assert found[-1] == (
        "Note: var(_cons) grows without a clear limit: outcomes hardly vary within groups.\n"
        "      Try startgrid(.1 1 10 _cons[g]), intpoints(15) or intmethod(laplace)."
    )


def test_a_variance_of_zero(grouped: pd.DataFrame) -> None:
    zero = "estimated at zero, the boundary of its range.\n      Try"
    (found,) = notes("melogit alternate x || g:", grouped)
    assert found == f"Note: var(_cons) {zero} leaving out || g: or startgrid(.1 1 10 _cons[g])."
    (found,) = notes("melogit alternate x || g: s", grouped)
    assert found.startswith("Note: ")
    assert "startgrid(.1 1 10 " in found


@pytest.mark.parametrize(
    ("at_zero", "advice"),
    [
        ((True, False), "leaving out x in || g: or startgrid(.1 1 10 x[g])."),
        ((False, True), "|| g: x, noconstant or startgrid(.1 1 10 _cons[g])."),
        ((True, True), "leaving out || g: or startgrid(.1 1 10 x[g] _cons[g])."),
    ],
)
def test_what_to_leave_out(estimates_of: Make, at_zero: tuple[bool, bool], advice: str) -> None:
    variances = [0.0 if zero else 0.3 for zero in at_zero]
    made = estimates_of("melogit win x || g: x", [0.5, 0.2, *variances], [0.1] * 4, at_zero=at_zero)
    (note,) = diagnose(made)
    assert note.splitlines()[1] == f"      Try {advice}"


def test_a_random_slope_on_an_uncentred_year(grouped: pd.DataFrame) -> None:
    found = notes("meglm w year || g: year, covariance(unstructured)", grouped)
    assert found == (
        "Note: year has mean 2004.97 and standard deviation 3.04: so far from 0 its random effect and the"
        ' intercept are nearly one.\n      Try it centred: df["year_c"] = df["year"] - 2005',
    )
    centred = grouped.assign(year_c=grouped["year"] - 2005)
    assert notes("meglm w year_c || g: year_c, covariance(unstructured)", centred) == ()


def test_the_intercept_of_an_uncentred_year_is_no_second_trouble() -> None:
    women = datasets.load("bangladesh")
    women["year"] = 1989 + women["age"].round()
    (found,) = notes("melogit c_use year || district: year, covariance(unstructured)", women)
    assert found.endswith('Try it centred: df["year_c"] = df["year"] - 1989')


def test_a_covariate_of_large_scale(frame: pd.DataFrame) -> None:
    large = frame.assign(income=1e5 * (3 + frame["z"]))
    made = memagic.run("melogit win income x || g:", data=large).estimates
    assert diagnose(made) == ()
    found = diagnose(replace(made, fit=replace(made.fit, converged=False)))
    assert found[0] == _NOT_CONVERGED
    assert found[1].endswith('Try it rescaled: df["income_s"] = df["income"] / 100000')


def test_stopped_by_iterate(grouped: pd.DataFrame) -> None:
    (found,) = notes("melogit y x || g:, iterate(2)", grouped)
    assert found == f"{_NOT_CONVERGED}\n      It stopped at iterate(2). Try iterate(1000)."


def test_not_converged_for_no_known_reason(estimates_of: Make) -> None:
    made = estimates_of("melogit win x || g:", [0.5, -1.0, 0.25], [0.2, 0.5, 0.1], converged=False)
    assert diagnose(made) == (
        f"{_NOT_CONVERGED}\n      Try startgrid(.1 1 10 _cons[g]), intpoints(15) or intmethod(laplace).",
    )
    linear = estimates_of("meglm y x || g:", [0.5, -1.0, 0.25, 1.0], [0.1] * 4, converged=False)
    assert diagnose(linear) == (f"{_NOT_CONVERGED}\n      Try startgrid(.1 1 10 _cons[g]).",)


def test_perfect_correlation() -> None:
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(5), 10)
    x, u = rng.normal(size=50), rng.normal(size=5)[g]
    frame = pd.DataFrame({"g": g, "x": x, "y": (x + u + 0.3 * u * x + rng.logistic(size=50) > 0).astype(int)})
    assert notes("melogit y x || g: x, covariance(unstructured)", frame) == (
        "Note: cov(x,_cons) estimated at the boundary of its range: the correlation is perfect.\n"
        "      There are only 5 groups. Try covariance(independent) or startgrid(.1 1 10 x[g]*_cons[g]).",
    )


def test_no_overdispersion(estimates_of: Make) -> None:
    made = estimates_of("menbreg count x || g:", [0.5, 0.1, 0.2, -14.0], [0.1, 0.1, 0.1, 900.0])
    assert diagnose(made) == (
        "Note: the data show no overdispersion: its logarithm has no finite estimate.\n      Try mepoisson.",
    )


def test_at_most_three_notes(grouped: pd.DataFrame) -> None:
    separated = grouped.assign(even=np.where(grouped["s"] == 1, 1, grouped["even"]))
    found = notes("melogit even x s, asis || g: year", separated)
    assert 1 <= len(found) <= 3
    text = memagic.run("melogit even x s, asis || g: year", data=separated).to_text()
    assert all(len(line) <= 84 for line in text.splitlines())


def test_what_is_said_can_be_typed(grouped: pd.DataFrame) -> None:
    """Apart from startgrid(), which is for the options of the maximization to test."""
    for rest in ("intpoints(15)", "intmethod(laplace)", "iterate(1000)"):
        assert parse_command(f"melogit y x || g:, {rest}").random
    parse_command("melogit y x || g: x, covariance(independent)")
    parse_command("melogit y x || g: x, noconstant")
