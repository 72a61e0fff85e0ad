"""Nested levels, crossed effects and ordinal links against R: likelihood, estimates, standard errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
MODELS: list[dict[str, Any]] = [
    model
    for name in ("nested.json", "ordinal.json", "crossed.json")
    for model in json.loads((HERE / name).read_text(encoding="utf-8"))["models"]
]
Check = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["id"])
def test_the_file_is_complete(model: dict[str, Any], complete: Check) -> None:
    complete(model)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["id"])
def test_agrees_with_r(model: dict[str, Any], agrees: Check) -> None:
    agrees(model)
