"""Simulated responses: moments, seeds, and the parameters again from a refit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from loky import get_reusable_executor

import memagic
from memagic import CommandError
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]

INTERCEPT = "melogit c_use i.urban age i.children || district:"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 600
    g = np.arange(n) // 10
    x = rng.normal(size=n)
    eta = 0.2 + 0.4 * x + 0.5 * rng.normal(size=60)[g]
    return pd.DataFrame(
        {
            "g": g,
            "x": x,
            "r": 8,
            "y": eta + rng.normal(size=n),
            "positive": rng.gamma(3.0, np.exp(eta) / 3.0),
            "count": rng.poisson(np.exp(eta)),
            "success": rng.binomial(8, 1 / (1 + np.exp(-eta))),
            "grade": 5 * np.digitize(eta + rng.logistic(size=n), [-1, 0, 1]) + 1,
        },
        index=np.arange(1000, 1000 + n),
    )


@pytest.mark.parametrize(
    "command",
    [
        "meglm y x || g: x, covariance(unstructured)",
        "meglm positive x, family(gamma) || g:",
        "mepoisson count x || g:",
        "menbreg count x || g:",
        "melogit success x, binomial(r) || g:",
        "meprobit success x, binomial(r) || g:",
    ],
)
def test_means_within_and_over_groups(command: str, frame: pd.DataFrame) -> None:
    fit = memagic.run(command, data=frame)
    n = 400
    new = fit.simulate(n, seed=1)
    kept = fit.simulate(n, seed=1, conditional=True)
    assert new.index.equals(frame.index)
    assert list(new.columns[[0, -1]]) == ["sim_1", f"sim_{n}"]
    for draws, options in ((new, {"marginal": True}), (kept, {"conditional": "ebmeans"})):
        expected = fit.predict(**options)  # type: ignore[arg-type]
        # The errors of rows of a group go together: by column they are those of independent draws.
        errors = (draws.sub(expected, axis=0)).mean(axis=0)
        assert abs(errors.mean()) < 4.5 * errors.std() / np.sqrt(n)
    # New effects spread the groups' means over the draws, kept ones do not.
    means = [d.groupby(frame["g"]).mean().var(axis=1).mean() for d in (new, kept)]
    assert means[0] > 1.3 * means[1]


def test_values_are_those_of_the_response(frame: pd.DataFrame) -> None:
    grades = memagic.run("meologit grade x || g:", data=frame).simulate(50, seed=3)
    assert set(np.unique(grades)) == {1.0, 6.0, 11.0, 16.0}
    fit = memagic.run("meologit grade x || g:", data=frame)
    shares = np.array([(grades == value).to_numpy().mean() for value in (1, 6, 11, 16)])
    np.testing.assert_allclose(shares, fit.predict("pr", marginal=True).mean(), atol=0.02)
    assert set(np.unique(memagic.run("melogit success x, binomial(r)", data=frame).simulate(9, 1))) <= set(
        range(9)
    )


def test_seeds(fitted: Fitted) -> None:
    fit = fitted(INTERCEPT, "bangladesh")
    pd.testing.assert_frame_equal(fit.simulate(2, seed=7), fit.simulate(2, seed=7))
    assert not fit.simulate(seed=7).equals(fit.simulate(seed=8))
    pd.testing.assert_series_equal(fit.simulate(2, seed=7)["sim_1"], fit.simulate(seed=7)["sim_1"])
    assert set(fit.simulate(seed=7)["sim_1"]) == {0.0, 1.0}
    with pytest.raises(CommandError, match="must be greater than zero"):
        fit.simulate(0)


@pytest.mark.slow
def test_a_refit_recovers_the_parameters(frame: pd.DataFrame) -> None:
    fit = memagic.run("mepoisson count x || g:", data=frame)
    draws = fit.simulate(30, seed=2)
    again = np.array(
        [memagic.run("mepoisson count x || g:", data=frame.assign(count=draws[k])).params for k in draws]
    )
    error = (again.mean(axis=0) - fit.params) / (again.std(axis=0) / np.sqrt(30))
    assert (error.abs() < 4.0).all()
    np.testing.assert_allclose(again.std(axis=0), fit.bse, rtol=0.5)


def test_draws_do_not_depend_on_who_makes_them() -> None:
    fit = memagic.run("melogit c_use age || district: i.urban", data="bangladesh")
    here = fit.simulate(5, seed=4)
    with ThreadPoolExecutor(2) as pool:
        pd.testing.assert_frame_equal(fit.simulate(5, seed=4, executor=pool), here)
    with get_reusable_executor(2) as processes:
        pd.testing.assert_frame_equal(fit.simulate(5, seed=4, executor=processes), here)
        processes.shutdown(wait=True, kill_workers=True)
