"""Data at the edge of what a model can be fitted to, through the front door."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import memagic
from memagic.results import MEResults
from memagic.results.inference import confidence_limits


def binary(
    sizes: int | list[int] = 10, groups: int = 40, deviation: float = 0.8, slope: float = 0.0, seed: int = 1
) -> pd.DataFrame:
    """A binary response y, a count c, a normal response w, covariates x and d, groups g."""
    rng = np.random.default_rng(seed)
    counts = [sizes] * groups if isinstance(sizes, int) else sizes
    g = np.repeat(np.arange(len(counts)), counts)
    n = len(g)
    x, d = rng.normal(size=n), rng.integers(0, 2, size=n)
    u = deviation * rng.normal(size=len(counts))
    v = slope * rng.normal(size=len(counts))
    eta = 0.6 * x - 0.4 * d + 0.1 + u[g] + v[g] * x
    return pd.DataFrame(
        {
            "y": (rng.uniform(size=n) < expit(eta)).astype(int),
            "c": rng.poisson(np.exp(0.5 * eta)),
            "w": eta + rng.normal(size=n),
            "x": x,
            "d": d,
            "g": g,
        }
    )


def usable(result: MEResults) -> None:
    """Numbers wherever there must be some."""
    assert math.isfinite(result.llf)
    assert np.isfinite(result.params).all()
    assert np.isfinite(result.bse).all()
    assert "nan" not in result.to_text()


@pytest.fixture(scope="module")
def alternating() -> pd.DataFrame:
    """Groups that are more alike than by chance: every one has as many successes as failures."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {"g": np.repeat(np.arange(30), 6), "y": np.tile([0, 1], 90), "x": rng.normal(size=180)}
    )
    frame["c"] = 2 + frame["y"]
    frame["w"] = frame["y"] + 0.1 * frame["x"]
    return frame


@pytest.mark.parametrize(
    ("command", "plain"),
    [
        ("melogit y x || g:", "melogit y x"),
        ("meprobit y x || g:", "meprobit y x"),
        ("mecloglog y x || g:", "mecloglog y x"),
        ("mepoisson c x || g:", "mepoisson c x"),
        ("melogit y x || g:, intmethod(laplace)", "melogit y x"),
        ("melogit y x || g:, intmethod(mcaghermite)", "melogit y x"),
        ("melogit y x || g:, intmethod(ghermite)", "melogit y x"),
        ("meglm w x || g:", "meglm w x"),
    ],
)
def test_a_variance_goes_to_zero(command: str, plain: str, alternating: pd.DataFrame) -> None:
    result = memagic.run(command, data=alternating)
    without = memagic.run(plain, data=alternating)
    usable(result)
    assert result.converged
    name = "/var(_cons[g])"
    assert 0.0 <= result.params[name] < 1e-6
    assert result.conf_int().loc[name].isna().all()
    assert (result.e["chi2_c"], result.e["df_c"], result.e["p_c"]) == (pytest.approx(0.0, abs=1e-6), 1, 1.0)
    assert "chibar2(01) = 0.00" in result.to_text()
    assert "Prob >= chibar2 = 1.0000" in result.to_text()
    # A deviation of s changes the coefficients by a multiple of s^2.
    same = ["x", "_cons"]
    assert result.params[same].to_numpy() == pytest.approx(without.params[same].to_numpy(), abs=1e-6)
    assert result.bse[same].to_numpy() == pytest.approx(without.bse[same].to_numpy(), rel=1e-5)
    assert result.llf == pytest.approx(without.llf, abs=1e-7)


def balanced() -> pd.DataFrame:
    """Groups with three successes of six each, which follow a random slope: no variance of the constant."""
    rng = np.random.default_rng(6)
    g, z, x = (
        np.repeat(np.arange(60), 6),
        np.tile([-1.0, -0.6, -0.2, 0.2, 0.6, 1.0], 60),
        rng.normal(size=360),
    )
    mean = expit(0.4 * x + 1.5 * rng.normal(size=60)[g] * z)
    y = np.zeros(360, dtype=int)
    for j in range(60):
        rows = slice(6 * j, 6 * j + 6)
        while y[rows].sum() != 3:
            y[rows] = rng.uniform(size=6) < mean[rows]
    return pd.DataFrame({"g": g, "z": z, "x": x, "y": y})


@pytest.mark.parametrize("options", ["", "intmethod(laplace)"])
def test_one_of_two_variances_goes_to_zero(options: str) -> None:
    frame = balanced()
    result = memagic.run(f"melogit y x || g: z, {options}", data=frame)
    usable(result)
    assert result.converged
    assert result.params["/var(_cons[g])"] < 1e-6
    assert result.params["/var(z[g])"] > 0.5
    assert result.conf_int().loc["/var(_cons[g])"].isna().all()
    assert result.conf_int().loc["/var(z[g])"].notna().all()
    # The zero variance does not count among the degrees of freedom.
    assert result.e["df_c"] == 1
    alone = memagic.run(f"melogit y x || g: z, noconstant {options}", data=frame)
    assert result.llf == pytest.approx(alone.llf, abs=1e-6)
    assert result.params["/var(z[g])"] == pytest.approx(alone.params["/var(z[g])"], rel=1e-5)


@pytest.mark.parametrize(
    "command",
    ["melogit y x || g:", "meprobit y x || g:", "melogit y x || g:, intmethod(mcaghermite)"],
)
def test_a_large_variance(command: str) -> None:
    # Seven points for posteriors that are far from normal: the root of the gradient with nodes held is
    # not the maximum of the likelihood with nodes adapted, and is to be found all the same.
    comma = "" if "," in command else ","
    result = memagic.run(f"{command}{comma} iterate(30)", data=binary(6, 150, deviation=3.0, seed=0))
    usable(result)
    assert result.converged
    assert result.params["/var(_cons[g])"] > 2.0


@pytest.mark.parametrize("command", ["melogit y x || g:", "meprobit y x || g:"])
def test_a_variance_too_large_for_the_rule(command: str) -> None:
    # With seven points there may be no root at all: then this must be said.
    result = memagic.run(f"{command}, iterate(15)", data=binary(6, 150, deviation=5.0, seed=0))
    usable(result)
    assert result.converged or "convergence not achieved" in result.to_text()
    more = memagic.run("melogit y x || g:, intpoints(31)", data=binary(6, 150, deviation=5.0, seed=0))
    assert more.converged


@pytest.mark.parametrize("points", [3, 7])
@pytest.mark.parametrize("iterations", [3, 5, 8, 12])
def test_a_variance_on_its_way_to_zero(iterations: int, points: int) -> None:
    command = f"melogit y x || g: z, iterate({iterations}) intpoints({points})"
    result = memagic.run(command, data=balanced())
    usable(result)
    lower, upper = result.conf_int().loc["/var(_cons[g])"]
    assert math.isnan(lower) or 0.0 <= lower <= upper


def test_a_variance_of_which_nothing_is_known() -> None:
    # A standard error thousands of times the estimate: its interval by way of the log overflows.
    estimates = memagic.run("melogit y x || g:", data=binary()).estimates
    small = np.array([0.6, 0.1, 1.79e-8])
    covariance = np.diag([0.01, 0.01, 5.57e-5**2])
    limits = confidence_limits(
        replace(estimates, fit=replace(estimates.fit, estimates=small, covariance=covariance)), 95.0
    )
    assert limits[2, 0] == 0.0
    assert limits[2, 1] > 1e300 or math.isnan(limits[2, 1])


@pytest.mark.parametrize("command", ["melogit y || g:", "mepoisson c || g:", "meglm w || g:"])
def test_nothing_but_a_constant(command: str) -> None:
    result = memagic.run(command, data=binary())
    usable(result)
    assert result.converged
    assert result.df_model == 0
    assert math.isnan(result.e["chi2"])
    assert math.isnan(result.e["p"])
    text = result.to_text()
    assert "Wald chi2(0)      =          ." in text
    assert "Prob > chi2       =          ." in text


@pytest.mark.parametrize(
    "command", ["melogit y x || g:", "mepoisson c x || g:", "melogit y x || g:, intmethod(laplace)"]
)
def test_one_observation_a_group(command: str) -> None:
    frame = binary(1, 200)
    result = memagic.run(command, data=frame)
    usable(result)
    assert result.e["N_g"].item() == 200
    assert result.llf >= result.e["ll_c"] - 1e-7


@pytest.mark.parametrize("command", ["melogit y x || g:", "mepoisson c x || g:", "meglm w x || g:"])
def test_one_group(command: str) -> None:
    result = memagic.run(command, data=binary(60, 1))
    # One group has no variance of its own: the constant takes it all.
    usable(result)
    assert result.params["/var(_cons[g])"] < 1e-6
    assert result.e["p_c"] == 1.0


@pytest.mark.parametrize("command", ["melogit y x", "mepoisson c x"])
def test_a_group_of_twenty_thousand(command: str) -> None:
    # Its likelihood is some exp(-14000): only its logarithm exists in a double.
    frame = binary([20_000, 30, 5, 400, 1, 12, 80, 50], seed=9)
    quadrature = memagic.run(f"{command} || g:", data=frame)
    laplace = memagic.run(f"{command} || g:, intmethod(laplace)", data=frame)
    for result in (quadrature, laplace):
        usable(result)
        assert result.converged
        assert result.llf < -10_000.0
    # The approximation errs by a few hundredths for the groups of 1, 5 and 12 observations, not by
    # more as the large one grows.
    assert quadrature.llf == pytest.approx(laplace.llf, abs=0.1)
    large = frame[frame["g"] == 0].assign(h=lambda part: part.index % 4)
    one = memagic.run(f"{command} || h:", data=large)
    other = memagic.run(f"{command} || h:, intmethod(laplace)", data=large)
    # Four groups of 5,000 alone: the approximation errs by the order of 1/5000.
    assert one.llf == pytest.approx(other.llf, abs=1e-3)


@pytest.mark.parametrize("options", ["", "intmethod(laplace)", "intmethod(mcaghermite)"])
def test_separated_groups(options: str) -> None:
    # All 0 or all 1 within each group: the likelihood rises with the variance without end.
    frame = binary(5, 40)
    frame["y"] = frame["g"] % 2
    result = memagic.run(f"melogit y x || g:, {options} iterate(60)", data=frame)
    usable(result)
    assert result.params["/var(_cons[g])"] > 25.0
    if not result.converged:
        assert "convergence not achieved" in result.to_text()
    # The bound is 40 log(1/2); few points for so wide a prior leave an error of some units.
    assert 40 * math.log(0.5) - 10.0 < result.llf < 0.0


@pytest.mark.parametrize("sizes", [[1] * 30 + [200], [2, 3, 4, 5, 150, 1, 1, 90, 7] * 3])
@pytest.mark.parametrize(
    "command", ["melogit y x || g:", "mepoisson c x || g: x", "meglm w x || g: x, cov(un)"]
)
def test_groups_of_very_unequal_sizes(command: str, sizes: list[int]) -> None:
    result = memagic.run(command, data=binary(sizes, deviation=1.0, slope=0.4, seed=3))
    usable(result)
    assert result.converged
    assert (result.e["g_min"].item(), result.e["g_max"].item()) == (min(sizes), max(sizes))
    assert result.params["x"] == pytest.approx(0.3 if "c x" in command else 0.6, abs=5 * result.bse["x"])


@pytest.mark.parametrize("scale", [1e4, 1e-4])
@pytest.mark.parametrize(
    "command",
    [
        "melogit y {} d || g:",
        "meprobit y {} d || g:",
        "mepoisson c {} d || g:",
        "meglm w {} d || g:",
        "melogit y {} d || g:, intmethod(laplace)",
    ],
)
def test_the_unit_of_a_covariate_does_not_matter(command: str, scale: float) -> None:
    frame = binary()
    frame["scaled"] = scale * frame["x"]
    one = memagic.run(command.format("x"), data=frame)
    other = memagic.run(command.format("scaled"), data=frame)
    assert other.converged
    assert other.llf == pytest.approx(one.llf, abs=1e-8)
    assert scale * other.params["scaled"] == pytest.approx(one.params["x"], rel=1e-6)
    assert scale * other.bse["scaled"] == pytest.approx(one.bse["x"], rel=1e-6)
    rest = ["d", "_cons", "/var(_cons[g])"]
    assert other.params[rest].to_numpy() == pytest.approx(one.params[rest].to_numpy(), rel=1e-6)
    assert other.bse[rest].to_numpy() == pytest.approx(one.bse[rest].to_numpy(), rel=1e-6)


@pytest.mark.parametrize("scale", [1e3, 1e-3])
@pytest.mark.parametrize(
    "command",
    [
        "melogit y {0} || g: {0}, covariance(unstructured)",
        "meprobit y {0} || g: {0}",
        "mepoisson c {0} || g: {0}, covariance(unstructured)",
        "meglm w {0} || g: {0}, covariance(unstructured)",
        "melogit y {0} || g: {0}, intmethod(laplace)",
    ],
)
def test_a_random_slope_of_a_covariate_in_another_unit(command: str, scale: float) -> None:
    frame = binary(20, 40, slope=0.7)
    frame["scaled"] = scale * frame["x"]
    one = memagic.run(command.format("x"), data=frame)
    other = memagic.run(command.format("scaled"), data=frame)
    usable(other)
    assert other.converged
    assert other.llf == pytest.approx(one.llf, abs=1e-6)
    assert scale * other.params["scaled"] == pytest.approx(one.params["x"], rel=1e-5)
    assert scale**2 * other.params["/var(scaled[g])"] == pytest.approx(one.params["/var(x[g])"], rel=1e-5)
    assert scale**2 * other.bse["/var(scaled[g])"] == pytest.approx(one.bse["/var(x[g])"], rel=1e-4)
    assert other.params["/var(_cons[g])"] == pytest.approx(one.params["/var(_cons[g])"], rel=1e-5)


def test_a_covariate_far_from_zero() -> None:
    frame = binary()
    frame["year"] = 2000.0 + frame["x"]
    near = memagic.run("melogit y x || g:", data=frame)
    far = memagic.run("melogit y year || g:", data=frame)
    assert far.converged
    assert far.llf == pytest.approx(near.llf, abs=1e-7)
    assert far.params["year"] == pytest.approx(near.params["x"], rel=1e-6)
    assert far.bse["year"] == pytest.approx(near.bse["x"], rel=1e-5)


@pytest.mark.parametrize("iterations", [0, 1])
@pytest.mark.parametrize(
    "command", ["melogit y x || g:", "melogit y x || g:, intmethod(laplace)", "meglm w x || g:"]
)
def test_stopped_by_iterate(command: str, iterations: int) -> None:
    comma = "" if "," in command else ","
    result = memagic.run(f"{command}{comma} iterate({iterations})", data=binary())
    assert not result.converged
    assert result.e["ic"] == iterations
    assert (result.e["converged"], result.e["rc"]) == (0, 430)
    assert "convergence not achieved" in result.to_text()
    if iterations == 0:
        # Starting values: the model without random effects, and a unit variance.
        plain = memagic.run(command.split("||")[0], data=binary())
        names = ["x", "_cons"]
        assert result.params[names].to_numpy() == pytest.approx(plain.params[names].to_numpy(), rel=1e-9)
        if "meglm" not in command:
            assert result.params["/var(_cons[g])"] == 1.0


def test_tolerances_reach_the_maximizer() -> None:
    frame = binary()
    tight = memagic.run("melogit y x || g:", data=frame)
    loose = memagic.run("melogit y x || g:, tolerance(1) ltolerance(1) nonrtolerance", data=frame)
    assert loose.converged
    assert loose.e["ic"] < tight.e["ic"]
    assert loose.llf <= tight.llf + 1e-9


@pytest.mark.slow
def test_twenty_thousand_groups() -> None:
    frame = binary(10, 20_000, deviation=0.8, seed=7)
    result = memagic.run("melogit y x d || g:", data=frame)
    assert result.converged
    truth = {"x": 0.6, "d": -0.4, "_cons": 0.1, "/var(_cons[g])": 0.64}
    for name, value in truth.items():
        assert abs(result.params[name] - value) < 4.0 * result.bse[name], name
    # Standard errors at this size are a few hundredths of the size of the effects.
    assert (result.bse < 0.03).all()
