"""Estimates as data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]

SLOPE = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"
COLUMNS = [
    "effect",
    "group",
    "term",
    "estimate",
    "std.error",
    "statistic",
    "p.value",
    "conf.low",
    "conf.high",
]


def test_rows_are_the_parameters(fitted: Fitted) -> None:
    fit = fitted(SLOPE, "bangladesh")
    found = fit.tidy()
    assert list(found.columns) == COLUMNS
    np.testing.assert_array_equal(found["estimate"], fit.params)
    np.testing.assert_array_equal(found["std.error"], fit.bse)
    np.testing.assert_array_equal(found["statistic"], fit.tvalues)
    np.testing.assert_array_equal(found["p.value"], fit.pvalues)
    np.testing.assert_array_equal(found[["conf.low", "conf.high"]], fit.conf_int())
    np.testing.assert_array_equal(fit.tidy(conf_level=0.9)[["conf.low", "conf.high"]], fit.conf_int(0.1))
    assert found["effect"].tolist() == ["fixed"] * 6 + ["ran_pars"] * 3
    assert found["group"].tolist() == [None] * 6 + ["district"] * 3
    assert found["term"].tolist()[-3:] == ["var(1.urban)", "var(_cons)", "cov(1.urban,_cons)"]
    with pytest.raises(CommandError, match="must be between"):
        fit.tidy(conf_level=95)


def test_residual_variances_and_cutpoints() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"g": np.arange(90) // 9, "y": rng.normal(size=90)})
    frame["grade"] = np.digitize(frame["y"], [0, 1])
    linear = memagic.run("meglm y || g:", data=frame)
    assert linear.tidy()["group"].tolist() == [None, "g", "Residual"]
    row = linear.glance().iloc[0]
    assert row["sigma"] == pytest.approx(np.sqrt(linear.params["/var(e.y)"]))
    assert row["df.residual"] == 90 - linear.e["rank"]
    ordinal = memagic.run("meologit grade || g:", data=frame)
    assert ordinal.tidy()["effect"].tolist() == ["ancillary", "ancillary", "ran_pars"]


def test_one_row_a_fit(fitted: Fitted) -> None:
    fit = fitted(SLOPE, "bangladesh")
    found = fit.glance()
    assert list(found.columns) == ["nobs", "sigma", "logLik", "AIC", "BIC", "df.residual"]
    assert found.iloc[0].drop("sigma").tolist() == pytest.approx([1934, fit.llf, fit.aic, fit.bic, 1925])
    assert np.isnan(found["sigma"][0])
