"""The simulation study runs: its models, its table, and its seeds. Its results are in docs/recovery.md."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="module")
def recovery(checkout: Callable[[str], Path]) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("recovery", checkout("scripts/recovery.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by its name.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "recovery", module)
        spec.loader.exec_module(module)
        yield module


def test_every_model_recovers_its_parameters(recovery: ModuleType) -> None:
    studies = [recovery.simulate(model, k, 2, 3) for k, model in enumerate(recovery.MODELS)]
    for study in studies:
        assert study.converged == study.replications == 2
        assert study.refused == 0
        # Far too few replications for more than this: no parameter under another's name or scale.
        mean = study.estimates.mean(axis=0)
        off = (mean - list(study.model.true.values())) / study.errors.mean(axis=0)
        assert np.abs(off).max() < 4.0, study.model.name
    page = recovery.report(studies, 2, 3)
    rows = [line for line in page.split("\n") if line.startswith("|")]
    assert len(rows) == 4 + len(studies) + sum(len(study.model.true) for study in studies)
    # Bars of a command are escaped, so that every row has its table's number of cells.
    cells = {line.replace(r"\|", "").count("|") for line in rows}
    assert cells == {6, 9}


def test_a_replication_can_be_repeated(recovery: ModuleType) -> None:
    model = recovery.MODELS[0]
    one, two = (recovery.simulate(model, 0, 2, 3) for _ in range(2))
    np.testing.assert_array_equal(one.estimates, two.estimates)
    # The first replications are the same however many follow.
    np.testing.assert_array_equal(recovery.simulate(model, 0, 1, 3).estimates, one.estimates[:1])
    assert not np.array_equal(recovery.simulate(model, 1, 2, 3).estimates, one.estimates)


def test_what_is_marked(recovery: ModuleType) -> None:
    true = {"b": 1.0}
    model = recovery.Model("m", "c", true, recovery.slopes)
    estimates = 1.0 + 0.1 * np.linspace(-1.7, 1.7, 100)[:, None]
    errors = np.full((100, 1), 0.1)

    def only(shift: float, width: float) -> Any:
        shifted = estimates + shift
        limits = (shifted - width * errors, shifted + width * errors)
        [found] = recovery.recovered(recovery.Study(model, shifted, errors, *limits, 100, 0, 0.0))
        return found

    assert not only(0.0, 1.65).off
    assert only(0.05, 1.65).off
    assert only(0.0, 1.0).off
    found = only(0.0, 1.65)
    assert found.bias == pytest.approx(0.0, abs=1e-12)
    assert found.coverage == pytest.approx(np.mean(np.abs(estimates - 1.0) <= 0.165))
    assert found.ratio == pytest.approx(0.1 / estimates.std(ddof=1))
