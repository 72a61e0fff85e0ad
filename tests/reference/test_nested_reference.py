"""Nested levels against R, and against a published fit by adaptive quadrature."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import memagic

HERE = Path(__file__).resolve().parent
MODELS: list[dict[str, Any]] = json.loads((HERE / "nested.json").read_text(encoding="utf-8"))["models"]
Check = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["id"])
def test_the_file_is_complete(model: dict[str, Any], complete: Check) -> None:
    complete(model)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["id"])
def test_agrees_with_r(model: dict[str, Any], agrees: Check) -> None:
    agrees(model)


# Stata's output for the deaths from melanoma: estimates and standard errors.
MELANOMA = {
    "uvb": (-0.0282042, 0.0114002),
    "_cons": (-0.0639686, 0.1335803),
    "/var(_cons[nation])": (0.1371753, 0.0723393),
    "/var(_cons[nation>region])": (0.0483478, 0.0109077),
}


def test_deaths_from_melanoma() -> None:
    frame = pd.read_csv(HERE / "data" / "mmmec.csv")
    result = memagic.run("mepoisson deaths uvb, exposure(expected) || nation: || region:", data=frame)
    assert result.converged
    assert result.llf == pytest.approx(-1095.310018, abs=1e-6)
    assert f"{result.e['ll_c']:.9g}" == "-1723.77273"
    assert result.e["N_g"].ravel().tolist() == [9, 78]
    assert list(result.params.index) == list(MELANOMA)
    for name, (estimate, se) in MELANOMA.items():
        # The published point is where a maximizer stopped, within 1e-6 of the maximum in the log
        # likelihood: some 1e-4 of a standard error. The errors of the top level vary most around it.
        assert abs(result.params[name] - estimate) < 1e-4 * se, name
        assert result.bse[name] == pytest.approx(se, rel=3e-4), name
