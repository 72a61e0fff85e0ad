"""lrtest: the manual's numbers, mixtures by hand, and a bootstrap that workers do not change."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from time import sleep

import numpy as np
import pandas as pd
import pytest
from loky import ProcessPoolExecutor as LokyPool
from scipy import stats

import memagic
from memagic import CommandError, Session
from memagic.postestimation.likelihood_ratio_result import LikelihoodRatio
from memagic.postestimation.simulate import draw_from
from memagic.postestimation.workers import carry_out, crew_of
from memagic.results import MEResults
from memagic.results.mixtures import boundary_mixture

Fitted = Callable[[str, str], MEResults]

BASE = "melogit c_use i.urban age i.children"


@pytest.fixture(scope="module")
def models(fitted: Fitted) -> dict[str, MEResults]:
    return {
        "r_int": fitted(f"{BASE} || district:", "bangladesh"),
        "r_urban": fitted(f"{BASE} || district: i.urban", "bangladesh"),
        "r_urban_corr": fitted(f"{BASE} || district: i.urban, covariance(unstructured)", "bangladesh"),
    }


@pytest.fixture(scope="module")
def session(models: dict[str, MEResults], shared_data: Callable[[str], pd.DataFrame]) -> Session:
    made = Session(data=shared_data("bangladesh"))
    made.stored.update(models)
    return made


def test_example_2_of_the_manual(session: Session) -> None:
    assert str(session.run("lrtest r_int r_urban")).split("\n") == [
        "Likelihood-ratio test",
        "Assumption: r_int nested within r_urban",
        "",
        " LR chi2(1) =   3.66",
        "Prob > chi2 = 0.0558",
        "",
        "Note: The reported degrees of freedom assumes the null hypothesis is not on",
        "      the boundary of the parameter space. If this is not true, then the",
        "      reported test is conservative.",
    ]
    assert str(session.run("lrtest r_urban_corr r_urban")).split("\n") == [
        "Likelihood-ratio test",
        "Assumption: r_urban nested within r_urban_corr",
        "",
        " LR chi2(1) =  11.38",
        "Prob > chi2 = 0.0007",
    ]


def test_r(models: dict[str, MEResults]) -> None:
    found = models["r_urban"].lrtest(models["r_int"])
    chi2 = 2 * (models["r_urban"].llf - models["r_int"].llf)
    assert found.r == {"p": pytest.approx(stats.chi2.sf(chi2, 1)), "df": 1, "chi2": pytest.approx(chi2)}
    assert "Models compared" not in str(found)
    assert models["r_urban"].lrtest(models["r_int"], df=3).p == pytest.approx(stats.chi2.sf(chi2, 3))


def test_stats_and_dir(session: Session) -> None:
    text = str(session.run("lrtest r_int r_urban, stats dir"))
    assert "-1206.832" in text
    assert "melogit" in text
    assert f"{session.stored['r_int'].aic:.3f}" in text
    assert f"{session.stored['r_urban'].bic:.3f}" in text


def test_mixture_of_one_variance(models: dict[str, MEResults]) -> None:
    found = models["r_int"].lrtest(models["r_urban"], mixture=True)
    assert found.mixture is not None
    assert found.mixture.weights == ((0, 0.5), (1, 0.5))
    # Half of the printed p-value, as the manual says.
    assert found.mixture.p == pytest.approx(found.p / 2)
    assert "0.5 chi2(0) + 0.5 chi2(1)" in str(found)
    assert "conservative" not in str(found)


def test_mixture_of_a_variance_with_its_covariance(models: dict[str, MEResults]) -> None:
    found = models["r_int"].lrtest(models["r_urban_corr"], mixture=True)
    assert found.mixture is not None
    expected = 0.5 * stats.chi2.sf(found.chi2, 1) + 0.5 * stats.chi2.sf(found.chi2, 2)
    assert found.mixture.p == pytest.approx(expected)
    assert "and its covariance are zero" in found.mixture.reason


def test_a_covariance_alone_is_no_boundary(models: dict[str, MEResults]) -> None:
    weights, reason = boundary_mixture(models["r_urban"].estimates, models["r_urban_corr"].estimates)
    assert weights == {1: 1.0}
    assert reason == "no variance of the larger model is zero in the smaller one"


def test_variances_of_two_levels_and_a_coefficient(fitted: Fitted) -> None:
    rng = np.random.default_rng(4)
    n = 400
    frame = pd.DataFrame(
        {"s": np.repeat(range(20), 20), "c": np.repeat(range(80), 5), "x": rng.normal(size=n)}
    )
    frame["y"] = 0.5 * rng.normal(size=20)[frame.s] + 0.5 * rng.normal(size=80)[frame.c] + rng.normal(size=n)
    plain = memagic.run("meglm y", data=frame)
    both = memagic.run("meglm y x || s: || c:", data=frame)
    weights, reason = boundary_mixture(plain.estimates, both.estimates)
    assert "independent" in reason
    # A balanced design: the squared sums of the groups have the covariances n_s^2, n_c^2 and n_c n_s, and
    # the residual variance takes a share of each.
    information = np.array([[20.0 * 400, 80.0 * 25], [80.0 * 25, 80.0 * 25]]) - 400.0
    rho = information[0, 1] / np.sqrt(information[0, 0] * information[1, 1])
    outside = 0.25 + np.arcsin(rho) / (2 * np.pi)
    assert weights == {
        1: pytest.approx(outside, abs=0.003),
        2: 0.5,
        3: pytest.approx(0.5 - outside, abs=0.003),
    }
    found = plain.lrtest(both, mixture=True)
    assert found.df == 3
    assert found.mixture is not None
    tails = [weight * stats.chi2.sf(found.chi2, df) for df, weight in weights.items()]
    assert found.mixture.p == pytest.approx(sum(tails))
    # Between models with random effects the variances count as uncorrelated.
    one = memagic.run("meglm y || s:", data=frame)
    two = memagic.run("meglm y x || s: x || c:", data=frame)
    assert boundary_mixture(one.estimates, two.estimates)[0] == {1: 0.25, 2: 0.5, 3: 0.25}
    # Three effects that vanish with their covariances: no weights are known.
    slopes = memagic.run("meglm y x || s: x z, covariance(unstructured)", data=frame.assign(z=frame.x**2))
    with pytest.raises(CommandError) as error:
        plain.lrtest(slopes, mixture=True)
    assert error.value.rc == 498
    assert "bootstrap" in str(error.value.hint)
    # The test without random effects is the line below the table.
    line = plain.lrtest(one, mixture=True)
    assert line.chi2 == pytest.approx(one.e["chi2_c"], rel=1e-8)
    assert line.mixture is not None
    assert line.mixture.p == pytest.approx(one.e["p_c"], rel=1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("melogit c_use age || district:, vce(robust)", "LR test likely invalid for models with robust vce"),
        ("melogit c_use age if age > 0 || district:", "observations differ: 885 vs. 1934"),
        ("melogit urban age || district:", "dependent variables differ: urban vs. c_use"),
        ("meprobit c_use age || district:", "test involves different estimators: probit vs. logistic"),
        (f"{BASE} || district:", "df(unrestricted) = df(restricted) = 7"),
    ],
)
def test_what_is_refused(fitted: Fitted, models: dict[str, MEResults], change: str, message: str) -> None:
    with pytest.raises(CommandError) as error:
        fitted(change, "bangladesh").lrtest(models["r_int"])
    assert (error.value.rc, error.value.message) == (498, message)


def test_force(fitted: Fitted, models: dict[str, MEResults]) -> None:
    robust = fitted("melogit c_use age || district:, vce(robust)", "bangladesh")
    found = robust.lrtest(models["r_int"], force=True)
    assert found.df == 4
    assert found.chi2 == pytest.approx(2 * (models["r_int"].llf - robust.llf))


@pytest.mark.parametrize(
    ("command", "rc"),
    [
        ("lrtest", 100),
        ("lrtest nothere", 111),
        ("lrtest r_int r_int", 498),
        ("lrtest r_int r_urban r_urban_corr", 198),
        ("lrtest r_int r_urban, df(0)", 198),
        ("lrtest r_int r_urban, seed(3)", 198),
        ("lrtest r_int r_urban, bootstrap(1.5)", 198),
        ("lrtest r_int .", 301),
    ],
)
def test_commands_that_are_refused(
    models: dict[str, MEResults], shared_data: Callable[[str], pd.DataFrame], command: str, rc: int
) -> None:
    fresh = Session(data=shared_data("bangladesh"))
    fresh.stored.update(models)
    with pytest.raises(CommandError) as error:
        fresh.run(command)
    assert error.value.rc == rc


# --- against no random effects -----------------------------------------------------------------


def test_the_last_estimates_against_no_random_effects(
    models: dict[str, MEResults], shared_data: Callable[[str], pd.DataFrame]
) -> None:
    session = Session(data=shared_data("bangladesh"))
    session.run(f"{BASE} || district: i.urban")
    fit = session.last
    assert fit is not None
    shown = session.run("lrtest, mixture stats dir")
    assert isinstance(shown, LikelihoodRatio)
    plain = memagic.run(BASE, data=shared_data("bangladesh"))
    assert shown.chi2 == pytest.approx(2 * (fit.llf - plain.llf), rel=1e-8)
    assert (shown.chi2, shown.df, shown.p) == (fit.e["chi2_c"], fit.e["df_c"], fit.e["p_c"])
    assert shown.mixture is not None
    # The effect of urban varies within the groups, whose sums go with those of all observations.
    weights = dict(shown.mixture.weights)
    assert 0.05 < weights[2] < 0.25
    assert (weights[1], weights[0] + weights[2]) == (0.5, pytest.approx(0.5))
    expected = 0.5 * stats.chi2.sf(shown.chi2, 1) + weights[2] * stats.chi2.sf(shown.chi2, 2)
    assert shown.mixture.p == pytest.approx(expected)
    text = str(shown)
    assert "Assumption: logistic model nested within ." in text
    assert "zero in the logistic model" in " ".join(text.split())
    assert f"{plain.aic:.3f}" in text
    # The same with the smaller model fitted and named.
    named = plain.lrtest(fit, mixture=True)
    assert named.mixture is not None
    assert named.mixture.p == pytest.approx(shown.mixture.p)
    assert fit.lrtest(mixture=True).r == shown.r


def test_one_variance_is_the_line_below_the_table(models: dict[str, MEResults]) -> None:
    fit = models["r_int"]
    found = fit.lrtest(mixture=True)
    assert found.mixture is not None
    assert found.mixture.p == fit.e["p_c"]
    assert "lrtest, mixture" not in fit.to_html()


def test_a_notebook_offers_the_mixture(models: dict[str, MEResults]) -> None:
    fit = models["r_urban"]
    mixture = fit.lrtest(mixture=True).mixture
    assert mixture is not None
    words = f"lrtest, mixture gives the p-value of the mixture of chi2 distributions: {mixture.p:.4f}"
    assert words in fit.to_html()
    assert "mixture" not in fit.to_text()
    assert "mixture" not in fit.to_latex()
    # Two correlated effects: four parts, of which the last are the weights of a cone.
    correlated = models["r_urban_corr"]
    found = correlated.lrtest(mixture=True).mixture
    assert found is not None
    weights = dict(found.weights)
    assert list(weights) == [0, 1, 2, 3]
    assert weights[0] + weights[2] == pytest.approx(0.5)
    assert "their covariance are zero in the logistic model" in found.reason
    assert "lrtest, mixture" in correlated.to_html()


def test_nothing_is_offered_where_it_would_take_time(
    models: dict[str, MEResults], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memagic.results.report._NOTICED", 1_000)
    assert "lrtest, mixture" not in models["r_urban"].to_html()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (BASE, "the model has no random effects"),
        (
            f"{BASE} || district:, vce(robust)",
            "no LR test against the model without random effects",
        ),
    ],
)
def test_no_test_against_no_random_effects(fitted: Fitted, command: str, message: str) -> None:
    with pytest.raises(CommandError) as error:
        fitted(command, "bangladesh").lrtest(mixture=True)
    assert (error.value.rc, error.value.message) == (498, message)


@pytest.mark.parametrize(
    "command",
    [
        "meglm y x || s: || c:",
        "melogit win x || _all: R.s || c: x",
        "meologit cat x || s: x, covariance(unstructured)",
    ],
)
def test_bootstrap_against_no_random_effects(command: str) -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"s": np.repeat(range(12), 10), "c": np.repeat(range(40), 3)})
    frame["x"] = rng.normal(size=120)
    frame["y"] = frame.x + rng.normal(size=120)
    frame["win"] = (frame.y > 0.2).astype(float)
    frame["cat"] = np.digitize(frame.y, [-0.5, 1.0])
    fit = memagic.run(command, data=frame)
    plain = memagic.run(command.split("||")[0], data=frame)
    one, two = fit.lrtest(bootstrap=4, seed=2), plain.lrtest(fit, bootstrap=4, seed=2)
    assert one.bootstrap is not None
    assert two.bootstrap is not None
    np.testing.assert_allclose(one.bootstrap.statistics, two.bootstrap.statistics, atol=1e-6)
    assert one.bootstrap.failed == 0


# --- rows, boundaries, rounding ------------------------------------------------------------------


def slopes(seed: int) -> pd.DataFrame:
    """Groups with a random intercept, and x2 that has no effect."""
    rng = np.random.default_rng(seed)
    school, x, u = np.repeat(range(15), 20), rng.normal(size=300), rng.normal(size=15) * 0.35
    y = (x + u[school] + rng.normal(size=300) > 0).astype(int)
    return pd.DataFrame({"y": y, "x": x, "sch": school, "x2": rng.normal(size=300)})


def test_the_same_rows_in_another_order() -> None:
    data = slopes(3)
    small = memagic.run("melogit y x || sch:, intpoints(5)", data=data)
    text = "melogit y x x2 || sch:, intpoints(5)"
    expected = small.lrtest(memagic.run(text, data=data))
    ordered = data.sort_values("x2")
    found = small.lrtest(memagic.run(text, data=ordered))
    assert (found.df, found.chi2) == (expected.df, pytest.approx(expected.chi2, rel=1e-6))
    # Responses drawn for rows in one order do not go with those of another.
    with pytest.raises(CommandError, match="the estimation samples differ") as caught:
        small.lrtest(memagic.run(text, data=ordered), bootstrap=2)
    assert caught.value.hint == "bootstrap() needs models of one sample, with its rows in one order"
    for other in (ordered.reset_index(drop=True), data.assign(y=1 - data.y)):
        with pytest.raises(CommandError, match="the estimation samples differ") as caught:
            small.lrtest(memagic.run(text, data=other))
        assert caught.value.rc == 498
    assert small.lrtest(memagic.run(text, data=other), force=True).df == 1


def test_a_variance_at_zero_counts_nowhere() -> None:
    data = slopes(36)
    fit = memagic.run("melogit y x || sch: x2", data=data)
    plain = memagic.run("melogit y x", data=data)
    assert [p.name for p in fit.estimates.parameters if p.at_zero] == ["/var(x2[sch])"]
    between = fit.lrtest(plain)
    assert (fit.e["rank"], fit.e["df_c"], between.df, fit.lrtest().df) == (3, 1, 1, 1)
    expected = pytest.approx(stats.chi2.sf(fit.e["chi2_c"], 1))
    assert (between.p, fit.lrtest().p, fit.e["p_c"]) == (expected, expected, expected)
    assert "chi2(1) = 5.44                Prob > chi2 = 0.0197" in str(fit)
    for found in (between, fit.lrtest()):
        assert "Note: var(x2[sch]) is estimated at zero" in str(found)
        # Without random effects the rank is that of the coefficients.
        assert [model[4] for model in found.models] == [2, 3]
    assert fit.aic == pytest.approx(-2 * fit.llf + 6)
    assert float(fit.glance()["AIC"].iloc[0]) == fit.aic
    # The mixture is of the model, whatever its estimates.
    mixture = plain.lrtest(fit, mixture=True).mixture
    assert mixture is not None
    assert dict(mixture.weights).keys() == {0, 1, 2}


@pytest.mark.parametrize("seed", [5, 11])
def test_a_difference_of_rounding_is_none(seed: int) -> None:
    data = slopes(seed)
    small = memagic.run("melogit y x || sch:", data=data)
    large = memagic.run("melogit y x || sch: x2", data=data)
    assert -1e-9 < large.llf - small.llf < 0.0
    found = small.lrtest(large)
    assert (found.smaller, found.df, found.chi2, found.p) == ("this", 0, 0.0, 1.0)
    assert " LR chi2(0) =   0.00\nProb > chi2 = 1.0000" in str(found)
    assert "The log likelihood of the larger model is the lower one" not in str(found)
    held = small.lrtest(large, mixture=True).mixture
    assert held is not None
    assert (held.weights, held.p) == (((0, 0.5), (1, 0.5)), 1.0)
    # What is more than rounding is told.
    worse = memagic.run("melogit y x || sch: x2, from(x = 0, skip) iterate(1)", data=data)
    assert "The log likelihood of the larger model is the lower one" in str(small.lrtest(worse, df=1))


# --- bootstrap ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def linear() -> tuple[MEResults, MEResults]:
    """A model without and with a variance that is zero in truth."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(30), 4), "x": rng.normal(size=120)})
    frame["y"] = 1 + 0.4 * frame.x + rng.normal(size=120)
    return memagic.run("meglm y x", data=frame), memagic.run("meglm y x || g:", data=frame)


def test_bootstrap_follows_the_mixture(linear: tuple[MEResults, MEResults]) -> None:
    told: list[tuple[int, int]] = []
    found = linear[0].lrtest(
        linear[1], mixture=True, bootstrap=200, seed=7, progress=lambda *n: told.append(n)
    )
    assert found.bootstrap is not None
    assert found.mixture is not None
    statistics = found.bootstrap.statistics
    assert len(statistics) == 200
    assert found.bootstrap.failed == 0
    assert told[-1] == (200, 200)
    # About half of them lie at zero, and the others follow chi2(1).
    assert 0.4 < np.mean(statistics < 1e-6) < 0.7
    assert stats.kstest(statistics[statistics > 1e-6], stats.chi2(1).cdf).pvalue > 0.01
    larger = np.count_nonzero(statistics >= found.chi2 - 1e-6)
    assert found.bootstrap.p == (1 + larger) / 201
    assert found.r["p_bootstrap"] == found.bootstrap.p


def test_workers_change_no_number(linear: tuple[MEResults, MEResults]) -> None:
    one = linear[0].lrtest(linear[1], bootstrap=12, seed=3)
    three = linear[0].lrtest(linear[1], bootstrap=12, seed=3, workers=3)
    assert one.bootstrap is not None
    assert three.bootstrap is not None
    np.testing.assert_array_equal(one.bootstrap.statistics, three.bootstrap.statistics)
    other = linear[0].lrtest(linear[1], bootstrap=12, seed=4)
    assert other.bootstrap is not None
    assert not np.array_equal(one.bootstrap.statistics, other.bootstrap.statistics)


def test_threads_and_processes_change_no_number(models: dict[str, MEResults]) -> None:
    small, large = models["r_int"], models["r_urban"]
    one = small.lrtest(large, bootstrap=6, seed=3).bootstrap
    told: list[tuple[int, int]] = []
    processes = small.lrtest(
        large, bootstrap=6, seed=3, workers=2, progress=lambda *n: told.append(n)
    ).bootstrap
    with ThreadPoolExecutor(2) as pool:
        threads = small.lrtest(large, bootstrap=6, seed=3, executor=pool).bootstrap
        # The pool is the caller's and stays open.
        assert pool.submit(int, "1").result() == 1
    assert one is not None
    assert threads is not None
    assert processes is not None
    assert one.failed == 0
    assert one.statistics.tobytes() == threads.statistics.tobytes() == processes.statistics.tobytes()
    assert told == [(k, 6) for k in range(1, 7)]


def test_a_process_pool_of_the_standard_library(
    linear: tuple[MEResults, MEResults], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What runs the tests side by side has a main module that new processes cannot ask about.
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None, raising=False)
    one = linear[0].lrtest(linear[1], bootstrap=4, seed=3).bootstrap
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        two = linear[0].lrtest(linear[1], bootstrap=4, seed=3, executor=pool).bootstrap
    assert one is not None
    assert two is not None
    assert one.statistics.tobytes() == two.statistics.tobytes()


def test_an_interrupt_leaves_no_process() -> None:
    # A function of a function goes to the processes as it is: they do not know this file.
    def slow(k: int) -> float:
        sleep(0.05)
        return float(k)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with crew_of(2) as crew:
        found = carry_out(slow, range(60), crew, stop)
        assert isinstance(crew.executor, LokyPool)
        assert not crew.executor._processes
    done = [k for k, value in enumerate(found) if value is not None]
    assert 2 <= len(done) < 60
    assert [found[k] for k in done] == done


def test_a_process_that_dies() -> None:
    def dies(k: int) -> float:
        os._exit(1)

    with pytest.raises(CommandError) as error, crew_of(2) as crew:
        carry_out(dies, range(2), crew, None)
    assert error.value.rc == 498
    assert "ended before" in error.value.message


def test_an_interrupt_keeps_what_is_done() -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    def slow(k: int) -> float:
        sleep(0.02)
        return float(k)

    with ThreadPoolExecutor(2) as pool, crew_of(2, pool) as crew:
        found = carry_out(slow, range(50), crew, stop)
    done = [k for k, value in enumerate(found) if value is not None]
    assert 3 <= len(done) < 50
    assert [found[k] for k in done] == done
    with pytest.raises(KeyboardInterrupt), crew_of(1) as crew:
        carry_out(_interrupted, range(2), crew, None)


def _interrupted(k: int) -> float:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "command",
    [
        "meglm count x || g:, family(poisson)",
        "meglm count x || g:, family(nbinomial mean)",
        "meglm count x || g:, family(nbinomial constant)",
        "meglm pos x || g:, family(gamma)",
        "meglm real x || g:",
        "meologit cat x || g: x",
        "melogit win x || g:, binomial(5)",
    ],
)
def test_a_model_is_found_again_in_its_draws(command: str) -> None:
    rng = np.random.default_rng(2)
    n = 3000
    g = np.repeat(np.arange(150), 20)
    x, u = rng.normal(size=n), 0.6 * rng.normal(size=150)[g]
    eta = 0.4 + 0.5 * x + u
    frame = pd.DataFrame({"g": g, "x": x, "real": eta + rng.normal(size=n)})
    frame["count"] = rng.poisson(np.exp(eta) * rng.gamma(2.0, 0.5, size=n))
    frame["pos"] = rng.gamma(2.0, np.exp(eta) / 2.0)
    frame["cat"] = np.digitize(eta + rng.logistic(size=n), [-0.5, 1.5]) + 1
    frame["win"] = rng.binomial(5, 1 / (1 + np.exp(-eta)))
    fit = memagic.run(command, data=frame)
    name = fit.estimates.command.depvar.name
    drawn = draw_from(fit.estimates.problem, fit.estimates.fit.theta, np.random.default_rng(11))
    values = fit.estimates.categories[drawn.astype(int)] if name == "cat" else drawn
    again = memagic.run(command, data=frame.assign(**{name: values}))
    distance = (again.params - fit.params) / np.sqrt(fit.bse**2 + again.bse**2)
    assert (distance.abs() < 3.5).all(), distance
