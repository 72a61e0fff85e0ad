"""What a model of R's must be, and how close ours must come to it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import memagic
from memagic import datasets

HERE = Path(__file__).resolve().parent


def data(name: str) -> pd.DataFrame:
    """A data set of the package, or one of data/."""
    if name in datasets.names():
        return datasets.load(name)
    return pd.read_csv(HERE / "data" / f"{name}.csv")


def check_complete(model: dict[str, Any]) -> None:
    assert math.isfinite(model["ll"])
    assert list(model["params"]) == list(model["se"])
    assert all(math.isfinite(value) for value in model["params"].values())
    assert all(se > 0 for se in model["se"].values())
    assert len(data(model["data"])) > 0


def check_agreement(model: dict[str, Any]) -> None:
    result = memagic.run(model["command"], data=data(model["data"]))
    assert result.converged
    # R's maximizers leave about 1e-8 in the log likelihood, quadrature with 15 points up to 1e-5.
    assert result.llf == pytest.approx(model["ll"], abs=2e-5)
    names = list(model["params"])
    if "covariance(identity)" in model["command"] or "covariance(exchangeable)" in model["command"]:
        # A variance that all effects share has all their names here, and the first one's in the file.
        assert len(result.params) == len(names)
        shared = [name for name in result.params.index if re.match(r"/(var|cov)\(x? ?\w+ _cons\[", name)]
        assert len(shared) == sum(name.startswith(("/var(", "/cov(")) and "[" in name for name in names)
    else:
        assert list(result.params.index) == names
    for position, name in enumerate(names):
        # Estimates to a small part of their own uncertainty: a covariance near zero has no relative error.
        estimate, se = result.params.iloc[position], result.bse.iloc[position]
        assert abs(estimate - model["params"][name]) < 1e-4 * model["se"][name], name
        assert se == pytest.approx(model["se"][name], rel=2e-4), name


@pytest.fixture(scope="session")
def complete() -> Callable[[dict[str, Any]], None]:
    """`check_complete`, for test files."""
    return check_complete


@pytest.fixture(scope="session")
def agrees() -> Callable[[dict[str, Any]], None]:
    """`check_agreement`, for test files."""
    return check_agreement
