"""marginaleffects on our results: its numbers are those of margins."""

from __future__ import annotations

import sys
from importlib import import_module, metadata, util
from typing import Any

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError
from memagic.postestimation.for_marginaleffects import _PREDICTIONS, Predictor
from memagic.postestimation.margins_request import response_of
from memagic.postestimation.scenes import random_part
from memagic.results import MEResults

# The package does not work with polars 2. It is read here, as its imports draw random numbers.
package: Any = None
if util.find_spec("marginaleffects") and metadata.version("polars").startswith("1."):
    package = import_module("marginaleffects")
    import_module("marginaleffects.slopes")


@pytest.fixture(scope="module")
def me() -> Any:
    if package is None:
        pytest.skip("marginaleffects with polars 1 is not installed")
    return package


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 300
    frame = pd.DataFrame(
        {"g": np.repeat(range(30), 10), "x": rng.normal(size=n), "arm": rng.integers(0, 3, n)}
    )
    frame["side"] = np.where(np.arange(n) % 2, 1, 0)
    frame["w"] = rng.integers(1, 4, 30)[frame.g]
    eta = 0.5 * frame.x + 0.7 * (frame.arm == 1) + 0.7 * rng.normal(size=30)[frame.g]
    frame["win"] = (eta + rng.logistic(size=n) > 0).astype(int)
    frame["cat"] = np.digitize(eta + rng.logistic(size=n), [-1.0, 0.8]) + 1
    frame["count"] = rng.poisson(np.exp(0.5 * eta))
    return frame


@pytest.fixture(scope="module")
def fit(data: pd.DataFrame) -> MEResults:
    return memagic.run("melogit win c.x##i.arm || g: x, intpoints(5)", data=data)


def check(found: Any, expected: pd.DataFrame) -> None:
    """Estimates, standard errors and limits; theirs are by differences."""
    np.testing.assert_allclose(found["estimate"].to_numpy(), expected["b"], rtol=1e-5)
    np.testing.assert_allclose(found["std_error"].to_numpy(), expected["se"], rtol=5e-4)
    np.testing.assert_allclose(found["conf_low"].to_numpy(), expected["ll"], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("scale", "option"),
    [("marginal", ""), ("fixedonly", "predict(mu conditional(fixedonly))"), ("xb", "predict(xb)")],
)
def test_average_effects(me: Any, fit: MEResults, scale: Any, option: str) -> None:
    check(me.avg_slopes(fit.for_marginaleffects(scale)), fit.margins(f", dydx(arm x) {option}").table)


def test_predictions(me: Any, fit: MEResults, data: pd.DataFrame) -> None:
    model = fit.for_marginaleffects(data=data)
    check(me.avg_predictions(model), fit.margins("").table)
    check(me.avg_predictions(model, by="arm"), fit.margins(", over(arm)").table)
    check(me.avg_predictions(model, by="side"), fit.margins(", over(side)", data).table)
    check(me.avg_predictions(model, variables="arm", by="arm"), fit.margins("arm").table)
    grid = me.datagrid(model=model, arm=[0, 1, 2], x=[1.0])
    check(me.predictions(model, newdata=grid), fit.margins("arm, at(x=1)").table)
    plain = me.predictions(model, vcov=False)
    np.testing.assert_allclose(plain["estimate"].to_numpy(), fit.predict("mu", marginal=True), rtol=1e-7)


def test_categories_are_groups(me: Any, data: pd.DataFrame) -> None:
    fit = memagic.run("meologit cat x i.arm || g:, intpoints(5)", data=data)
    model = fit.for_marginaleffects()
    found = me.avg_predictions(model).sort("group")
    assert found["group"].to_list() == ["1", "2", "3"]
    check(found, fit.margins("").table)
    found = me.avg_slopes(model, variables="x").sort("group")
    check(found, fit.margins(", dydx(x)").table)


def test_weights_and_families(me: Any, data: pd.DataFrame) -> None:
    fit = memagic.run("mepoisson count x i.arm [fw=w] || g:, intpoints(5)", data=data)
    model = fit.for_marginaleffects()
    check(me.avg_slopes(model, wts="_weights"), fit.margins(", dydx(arm x)").table)
    plain = memagic.run("meglm x i.arm", data=data)
    check(me.avg_predictions(plain.for_marginaleffects(), by="arm"), plain.margins("arm").table)


def test_a_survey_has_degrees_of_freedom(me: Any, data: pd.DataFrame) -> None:
    session = memagic.Session(data=data)
    session.run("svyset g [pw=w]")
    fit = session.run("svy: melogit win x i.arm")
    assert isinstance(fit, MEResults)
    found = me.avg_slopes(fit.for_marginaleffects(), wts="_weights")
    check(found, fit.margins(", dydx(arm x)").table)


def test_predictions_at_other_estimates(fit: MEResults, data: pd.DataFrame) -> None:
    """What the package differences: without it, against the margins' Jacobian."""
    estimates = fit.estimates
    response = response_of(estimates, _PREDICTIONS["marginal"])
    predictor = Predictor(estimates, (response,), random_part(estimates))
    columns = {name: np.asarray(values) for name, values in estimates.design.covariates.items()}
    np.testing.assert_allclose(
        predictor(estimates.b, columns)[:, 0], fit.predict("mu", marginal=True), rtol=1e-7
    )
    jacobian = fit.margins("").jacobian[0]
    for k, step in enumerate(1e-5 * np.eye(len(estimates.b))):
        up, down = (predictor(estimates.b + s, columns).mean() for s in (step, -step))
        assert (up - down) / 2e-5 == pytest.approx(jacobian[k], rel=1e-4, abs=1e-8)


@pytest.mark.parametrize(
    ("command", "rc"),
    [
        ("mepoisson count x, exposure(w) || g:", 498),
        ("melogit win x, binomial(w) || g:", 498),
        ("meglm x", 498),
    ],
)
def test_what_the_package_has_no_place_for(data: pd.DataFrame, command: str, rc: int) -> None:
    with pytest.raises(CommandError) as error:
        memagic.run(command, data=data).for_marginaleffects()
    assert error.value.rc == rc


def test_other_scales_and_a_package_that_is_not_there(
    fit: MEResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match="no scale"):
        fit.for_marginaleffects("mu")  # type: ignore[arg-type]
    from memagic.postestimation import for_marginaleffects as module

    module._adapter.cache_clear()
    monkeypatch.setitem(sys.modules, "marginaleffects", None)
    monkeypatch.setitem(sys.modules, "marginaleffects.classes", None)
    with pytest.raises(CommandError) as error:
        fit.for_marginaleffects()
    assert error.value.rc == 601
    assert "memagic[marginaleffects]" in str(error.value.hint)
