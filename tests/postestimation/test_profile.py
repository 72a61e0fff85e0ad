"""Profile log likelihoods against fits with constraints, plain fits and closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError, Session
from memagic.postestimation.profile import Profile
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]
INTERCEPT = "melogit c_use i.urban age i.children || district:"
SLOPE = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"
VARIANCE = "/var(_cons[district])"


@pytest.fixture(scope="module")
def of_intercept(fitted: Fitted) -> Profile:
    return fitted(INTERCEPT, "bangladesh").profile(VARIANCE, points=9)


@pytest.fixture(scope="module")
def of_slope(fitted: Fitted) -> Profile:
    return fitted(SLOPE, "bangladesh").profile("/var(1.urban[district])", points=9)


def held(command: str, name: str, value: float, data: pd.DataFrame) -> float:
    """The log likelihood of a fit with a constraint, from the start."""
    session = Session(data=data)
    session.run(f"constraint 1 {name} = {value!r}")
    joined = command if "," in command.split("||")[-1] else f"{command},"
    return float(session.run(f"{joined} constraints(1)").llf)


def test_the_estimate_is_its_maximum(fitted: Fitted, of_intercept: Profile) -> None:
    result = fitted(INTERCEPT, "bangladesh")
    at = int(np.flatnonzero(of_intercept.values == of_intercept.estimate)[0])
    assert of_intercept.estimate == result.params[VARIANCE]
    assert of_intercept.log_likelihood[at] == result.llf == of_intercept.llf
    others = np.delete(of_intercept.log_likelihood, at)
    assert (others < result.llf).all()


@pytest.mark.parametrize("which", [1, -1])
def test_values_are_those_of_fits_with_constraints(
    fitted: Fitted, of_intercept: Profile, shared_data: Callable[[str], pd.DataFrame], which: int
) -> None:
    data = shared_data("bangladesh")
    value = float(of_intercept.values[which])
    expected = held(INTERCEPT, "_b[/var(_cons[district])]", value, data)
    assert of_intercept.log_likelihood[which] == pytest.approx(expected, abs=1e-7)


def test_an_unstructured_variance_held(of_slope: Profile, shared_data: Callable[[str], pd.DataFrame]) -> None:
    value = float(of_slope.values[-1])
    expected = held(SLOPE, "_b[/var(1.urban[district])]", value, shared_data("bangladesh"))
    assert of_slope.log_likelihood[-1] == pytest.approx(expected, abs=1e-6)


def test_at_zero_the_effect_is_left_out(fitted: Fitted, of_slope: Profile) -> None:
    """Of an unstructured pair of effects the intercept's variance is left."""
    assert of_slope.values[0] == 0.0
    assert of_slope.log_likelihood[0] == pytest.approx(fitted(INTERCEPT, "bangladesh").llf, abs=1e-7)


def test_limits_are_where_the_likelihood_ratio_says(
    of_intercept: Profile, shared_data: Callable[[str], pd.DataFrame]
) -> None:
    """A fit with the variance held at a limit is 3.84 / 2 below the maximum."""
    for limit in of_intercept.limits:
        ll = held(INTERCEPT, "_b[/var(_cons[district])]", limit, shared_data("bangladesh"))
        assert 2 * (of_intercept.llf - ll) == pytest.approx(3.841459, abs=2e-3)
    assert of_intercept.cutoff == pytest.approx(of_intercept.llf - 3.841459 / 2, abs=1e-6)
    low, high = of_intercept.limits
    assert low < of_intercept.estimate < high


def test_quadratic_meets_the_cutoff_at_the_limits_of_the_table(fitted: Fitted) -> None:
    result = fitted(INTERCEPT, "bangladesh")
    for name in (VARIANCE, "age"):
        found = result.profile(name, points=9)
        forward = np.log if name == VARIANCE else np.asarray
        seen = np.isfinite(found.quadratic)
        assert seen.sum() >= 9
        values, drop = found.values[seen], (found.quadratic - found.llf)[seen]
        root = np.sign(values - found.estimate) * np.sqrt(-2 * drop)
        for limit, side in zip(result.conf_int().loc[name], (-1, 1), strict=True):
            # The root is a straight line in the parameter, or in its log.
            at = np.interp(forward(limit), forward(values), root)
            assert at == pytest.approx(side * 1.959964, abs=1e-6)


def test_a_mean_has_the_profile_of_its_t_statistic() -> None:
    """Without groups, the profile of a coefficient is -n/2 log(1 + t^2 / (n - p))."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=50)
    frame = pd.DataFrame({"x": x, "y": 1 + 0.5 * x + rng.normal(size=50)})
    result = memagic.run("meglm y x", data=frame)
    found = result.profile("x", points=7)
    design = np.column_stack([x, np.ones(50)])
    sxx = 1 / np.linalg.inv(design.T @ design)[0, 0]
    rss = 50 * result.params["/var(e.y)"]
    expected = result.llf - 25 * np.log1p((found.values - found.estimate) ** 2 * sxx / rss)
    np.testing.assert_allclose(found.log_likelihood, expected, atol=1e-8)


def test_a_variance_at_zero_is_profiled_upwards() -> None:
    rng = np.random.default_rng(6)
    # The same responses in every group: less than chance would vary.
    y = np.tile(rng.normal(size=10), 12)
    frame = pd.DataFrame({"g": np.repeat(np.arange(12), 10), "y": y})
    result = memagic.run("meglm y || g:", data=frame)
    found = result.profile("var(_cons[g])", points=7)
    assert found.values[0] == found.estimate == 0.0
    assert found.log_likelihood[0] == result.llf
    assert (np.diff(found.log_likelihood) < 0).all()
    assert found.limits[0] == 0.0
    assert np.isnan(found.quadratic).all()
    # Balanced groups have a closed form: sums of squares within and between.
    within = y.reshape(12, 10).var() * 120
    for value, ll in zip(found.values, found.log_likelihood, strict=True):

        def closed(s2e: float, value: float = float(value)) -> float:
            total = s2e + 10 * value
            return -0.5 * (120 * np.log(2 * np.pi) + 108 * np.log(s2e) + 12 * np.log(total) + within / s2e)

        grid = np.linspace(0.2, 3.0, 200001)
        assert ll == pytest.approx(max(closed(s) for s in grid[::100]), abs=1e-3)


def test_nested_level_and_shared_variance_at_zero() -> None:
    rng = np.random.default_rng(9)
    n = 240
    a, b = np.arange(n) // 40, np.arange(n) // 8
    x = rng.normal(size=n)
    y = rng.normal(size=6)[a] + 0.15 * rng.normal(size=30)[b] * (1 + x) + rng.normal(size=n)
    frame = pd.DataFrame({"a": a, "b": b, "x": x, "y": y})
    result = memagic.run("meglm y x || a: || b: x, covariance(identity)", data=frame)
    name = next(p for p in result.params.index if "[a>b]" in p)
    found = result.profile(name, points=5)
    assert found.values[0] == 0.0
    without = memagic.run("meglm y x || a:", data=frame)
    assert found.log_likelihood[0] == pytest.approx(without.llf, abs=1e-7)


def test_progress_is_told(fitted: Fitted) -> None:
    told: list[tuple[int, int]] = []
    fitted(INTERCEPT, "bangladesh").profile("age", points=5, progress=lambda a, b: told.append((a, b)))
    done, of = zip(*told, strict=True)
    assert list(done[:-1]) == list(range(1, len(done)))
    assert told[-1][0] == told[-1][1] == done[-2]
    assert all(a <= b for a, b in zip(done, of, strict=True))


def test_constraints_of_the_fit_stay(shared_data: Callable[[str], pd.DataFrame]) -> None:
    session = Session(data=shared_data("bangladesh"))
    session.run("constraint 1 age = 0")
    result = session.run(f"{INTERCEPT}, constraints(1)")
    found = result.profile("1.urban", points=5)
    without = memagic.run("melogit c_use i.urban i.children || district:", data=shared_data("bangladesh"))
    expected = without.profile("1.urban", points=5)
    assert found.limits == pytest.approx(expected.limits, rel=1e-4)
    with pytest.raises(CommandError, match="age is constrained"):
        result.profile("age")


def test_mistakes(fitted: Fitted) -> None:
    result = fitted(INTERCEPT, "bangladesh")
    with pytest.raises(CommandError, match="parameter agee not found") as caught:
        result.profile("agee")
    assert caught.value.rc == 111
    with pytest.raises(CommandError, match="points must be between 5 and 200"):
        result.profile("age", points=3)
    with pytest.raises(CommandError, match=r"level\(\) must be between"):
        result.profile("age", level=5)


def test_shown_as_a_table(of_intercept: Profile) -> None:
    lines = str(of_intercept).splitlines()
    assert "/var(_cons[district])" in lines[0] + lines[1]
    (row,) = [line for line in lines if line.endswith("estimate")]
    assert row.split()[0] == ".2156188"
    assert "-1206.8321" in row.replace(",", "") or "-1206.832" in row
    low, high = (float(word) for word in lines[-1].split(": ")[1].split(" to "))
    assert (low, high) == pytest.approx(of_intercept.limits, rel=1e-5)
    assert "<table" in of_intercept.to_html()
