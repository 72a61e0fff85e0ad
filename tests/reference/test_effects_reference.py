"""Predicted random effects against the modes of lme4 and ordinal and their standard deviations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import memagic

HERE = Path(__file__).resolve().parent
MODELS: list[dict[str, Any]] = json.loads((HERE / "effects.json").read_text(encoding="utf-8"))["models"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["id"])
def test_agrees_with_r(model: dict[str, Any]) -> None:
    frame = pd.read_csv(HERE / "data" / f"{model['data']}.csv").rename(columns=str.lower)
    fit = memagic.run(model["command"], data=frame)
    modes = fit.empirical_bayes("ebmodes")
    assert [group.name for group in modes.groups] == [level["level"] for level in model["levels"]]
    for level in model["levels"]:
        found = modes.level(level["level"])
        # Of nested groups the last key is lme4's, which are numbered through.
        ours = {str(value): k for k, value in enumerate(found.keys[-1][1])}
        rows = [ours[group] for group in level["groups"]]
        assert len(rows) == len(found.value)
        columns = [found.effects.index(effect) for effect in level["effects"]]
        value, se = found.value[np.ix_(rows, columns)], found.se[np.ix_(rows, columns)]
        # lme4's estimates are its optimizer's, to some 1e-5.
        spread = np.std(value, axis=0)
        np.testing.assert_array_less(np.abs(value - level["value"]) / spread, 1e-3)
        np.testing.assert_allclose(se, level["se"], rtol=1e-3)
