"""Observed and fitted means of groups."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError
from memagic.postestimation.group_fit import fitted_means, group_fit
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]
SLOPE = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"


def test_fitted_means_by_hand(fitted: Fitted, shared_data: Callable[[str], pd.DataFrame]) -> None:
    """The linear predictor put together from the frame and the frames of effects."""
    result, data = fitted(SLOPE, "bangladesh"), shared_data("bangladesh")
    b, effects = result.params, result.random_effects["district"].loc[data["district"]]
    eta = b["_cons"] + b["age"] * data["age"] + b["1.urban"] * (data["urban"] == 1)
    for k in (1, 2, 3):
        eta = eta + b[f"{k}.children"] * (data["children"] == k)
    eta = eta.to_numpy() + effects["_cons"].to_numpy()
    eta += effects["1.urban"].to_numpy() * (data["urban"] == 1).to_numpy()
    mu = 1 / (1 + np.exp(-eta))
    np.testing.assert_allclose(fitted_means(result.estimates), mu, rtol=1e-12)
    found = group_fit(result.estimates)
    frame = pd.DataFrame({"y": data["c_use"].to_numpy(), "mu": mu, "g": data["district"].to_numpy()})
    expected = frame.groupby("g").agg(["mean", "size"])
    assert list(found.labels) == [str(g) for g in expected.index]
    np.testing.assert_allclose(found.observed, expected["y", "mean"], rtol=1e-12)
    np.testing.assert_allclose(found.fitted, expected["mu", "mean"], rtol=1e-12)
    np.testing.assert_array_equal(found.sizes, expected["y", "size"])
    assert found.quantity == "proportion with c_use"


def test_fitted_is_between_observed_and_the_whole(fitted: Fitted) -> None:
    """Shrinkage: the groups' means vary less as fitted than as observed."""
    found = group_fit(fitted(SLOPE, "bangladesh").estimates)
    assert np.corrcoef(found.observed, found.fitted)[0, 1] > 0.8
    assert found.fitted.var() < found.observed.var()
    # With canonical links the sums of observed and fitted agree about.
    total = np.average(found.fitted, weights=found.sizes), np.average(found.observed, weights=found.sizes)
    assert total[0] == pytest.approx(total[1], abs=0.01)


def test_what_the_means_are_of() -> None:
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(8), 15)
    eta = rng.normal(size=8)[g]
    n = rng.integers(2, 6, 120)
    frame = pd.DataFrame({"g": g, "h": np.arange(120) // 5, "n": n})
    frame["k"] = rng.binomial(n, 1 / (1 + np.exp(-eta)))
    frame["o"] = 10 * (1 + (eta + rng.logistic(size=120) > 0) + (eta + rng.logistic(size=120) > 1))
    frame["y"] = eta + rng.normal(size=120)
    binomial = group_fit(memagic.run("melogit k, binomial(n) || g:", data=frame).estimates)
    assert ((binomial.fitted > 0) & (binomial.fitted < 1)).all()
    shares = (frame["k"] / frame["n"]).groupby(frame["g"]).mean()
    np.testing.assert_allclose(binomial.observed, shares)
    ordinal = group_fit(memagic.run("meologit o || g:", data=frame).estimates)
    np.testing.assert_allclose(ordinal.observed, frame["o"].groupby(frame["g"]).mean() / 10)
    assert ordinal.quantity == "mean category of o"
    nested = memagic.run("meglm y || g: || h:", data=frame).estimates
    assert (group_fit(nested).name, group_fit(nested, "h").name) == ("g", "h")
    assert len(group_fit(nested, "g>h").sizes) == 24


def test_mistakes(fitted: Fitted) -> None:
    with pytest.raises(CommandError, match="level districts not found") as caught:
        group_fit(fitted(SLOPE, "bangladesh").estimates, "districts")
    assert "district" in str(caught.value.hint)
    with pytest.raises(CommandError, match="the model has no groups"):
        group_fit(fitted("melogit c_use age", "bangladesh").estimates)
