"""Two-level models against R: log likelihood, estimates and standard errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
MODELS: list[dict[str, Any]] = json.loads((HERE / "values.json").read_text(encoding="utf-8"))["models"]

# The file also has models for commands and families that the package does not have: negative
# binomial (menbreg), gamma and ordinal.
COMMANDS = ("meglm", "melogit", "mepoisson")
FAMILIES = ("gaussian", "bernoulli", "binomial", "poisson")


def supported(model: dict[str, Any]) -> bool:
    family = re.search(r"family\((\w+)", model["command"])
    return model["command"].split()[0] in COMMANDS and (family is None or family[1] in FAMILIES)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["id"])
def test_the_file_is_complete(model: dict[str, Any], complete: Callable[[dict[str, Any]], None]) -> None:
    complete(model)


@pytest.mark.parametrize("model", [m for m in MODELS if supported(m)], ids=lambda model: model["id"])
def test_agrees_with_r(model: dict[str, Any], agrees: Callable[[dict[str, Any]], None]) -> None:
    agrees(model)
