"""Against Stata 18's sixteen digits: ``melogit y x1 || gid:`` on 1,500 simulated observations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memagic.results import MEResults

Fit = Callable[[str, str], MEResults]

STATA = Path(__file__).resolve().parents[1] / "reference" / "stata.json"
MODELS: list[dict[str, Any]] = json.loads(STATA.read_text(encoding="utf-8"))["models"]


@pytest.mark.parametrize("printed", MODELS, ids=lambda model: model["id"])
def test_sixteen_digits(printed: dict[str, Any], fitted: Fit) -> None:
    result = fitted(printed["command"], printed["data"])
    assert result.converged
    assert result.llf == pytest.approx(printed["ll"], rel=1e-9)
    assert set(printed["params"]) == set(printed["se"]) == {"x1", "_cons"}
    for name, b in printed["params"].items():
        # Stata's own maximizer leaves some 1e-7: its scaled gradient need only be below 1e-5.
        assert result.params[name] == pytest.approx(b, rel=1e-7), name
        assert result.bse[name] == pytest.approx(printed["se"][name], rel=1e-6), name


def test_more_points_change_little(fitted: Fit) -> None:
    # Groups of some 15 observations: eight points are good for seven digits of the log likelihood.
    eight = fitted("melogit y x1 || gid:, intpoints(8)", "parity")
    many = fitted("melogit y x1 || gid:, intpoints(25)", "parity")
    assert eight.llf == pytest.approx(many.llf, rel=1e-7)
