"""Blocks: rows in the order of clusters and of cells, which share a row of Z."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from memagic.engine import blocks as blocks_module
from memagic.engine.blocks import Summation, arrange
from memagic.engine.covariance import independent
from memagic.engine.families import GaussianIdentity
from memagic.engine.problem import Level, Problem

Array = NDArray[np.float64]


def problem_of(z: Array) -> Problem:
    rng = np.random.default_rng(3)
    n, q = z.shape
    cluster = rng.permutation(np.arange(n) % 12)
    return Problem(
        GaussianIdentity(),
        rng.normal(size=n),
        rng.normal(size=(n, 2)),
        levels=(Level(cluster, z, independent(q)),),
    )


@pytest.mark.parametrize("most", [7, blocks_module._MOST_CODES])
def test_rows_with_equal_rows_of_z_are_a_cell(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # With few codes they are counted anew on the way.
    monkeypatch.setattr(blocks_module, "_MOST_CODES", most)
    rng = np.random.default_rng(4)
    n = 600
    z = np.column_stack([np.ones(n), rng.integers(0, 2, n), rng.integers(-1, 2, n) / 3.0])
    problem = problem_of(z)
    (block,) = arrange(problem, 1)
    keys = np.column_stack([problem.levels[0].cluster, z])
    cells = np.unique(keys, axis=0)
    assert np.array_equal(np.column_stack([block.cluster_of_cell, block.z]), cells)
    order = np.lexsort((z[:, 2], z[:, 1], problem.levels[0].cluster))
    assert np.array_equal(block.y[:, 0], problem.y[order])
    assert np.array_equal(block.z[block.cell_of_row], z[order])


def test_rows_that_do_not_repeat_are_cells_of_their_own() -> None:
    z = np.random.default_rng(5).normal(size=(90, 2))
    (block,) = arrange(problem_of(z), 1)
    assert len(block.z) == 90
    assert np.array_equal(block.cell_of_row, np.arange(90))


@pytest.mark.parametrize("columns", [1, 3])
def test_sums_of_consecutive_rows(columns: int) -> None:
    codes = np.array([0, 0, 0, 1, 2, 2])
    values = np.random.default_rng(6).normal(size=(6, columns))
    indicator = (codes[:, None] == np.arange(3)).astype(float)
    assert Summation(codes, 3) @ values == pytest.approx(indicator.T @ values)
