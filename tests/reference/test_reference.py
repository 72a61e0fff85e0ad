"""Two-level models against R: log likelihood, estimates and standard errors."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import memagic
from memagic import datasets

HERE = Path(__file__).resolve().parent
MODELS: list[dict[str, Any]] = json.loads((HERE / "values.json").read_text(encoding="utf-8"))["models"]


def data(name: str) -> pd.DataFrame:
    if name in datasets.names():
        return datasets.load(name)
    return pd.read_csv(HERE / "data" / f"{name}.csv")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["id"])
def test_the_file_is_complete(model: dict[str, Any]) -> None:
    assert math.isfinite(model["ll"])
    assert list(model["params"]) == list(model["se"])
    assert all(math.isfinite(value) for value in model["params"].values())
    assert all(se > 0 for se in model["se"].values())
    assert len(data(model["data"])) > 0


@pytest.mark.skipif(not hasattr(memagic, "run"), reason="memagic.run is not there")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["id"])
def test_agrees_with_r(model: dict[str, Any]) -> None:
    run = vars(memagic)["run"]
    result = run(model["command"], data=data(model["data"]))
    assert result.llf == pytest.approx(model["ll"], abs=2e-5)
    for name, value in model["params"].items():
        # Estimates to a small part of their own uncertainty: a covariance near zero has no relative error.
        assert abs(result.params[name] - value) < 1e-4 * model["se"][name], name
        assert result.bse[name] == pytest.approx(model["se"][name], rel=2e-4), name
