"""Roots of positive definite matrices."""

from __future__ import annotations

import numpy as np
import pytest

from memagic.engine.definite import inverse_root


@pytest.mark.parametrize("d", [1, 3, 20])
def test_the_inverse_of_the_cholesky_factor(d: int) -> None:
    wide = np.random.default_rng(d).normal(size=(2 * d, d))
    matrix = wide.T @ wide
    root = inverse_root(matrix)
    assert root is not None
    assert root == pytest.approx(np.linalg.inv(np.linalg.cholesky(matrix)), rel=1e-9, abs=1e-12)
    assert np.array_equal(root, np.tril(root))


@pytest.mark.parametrize("least", [0.0, -1.0])
def test_not_positive_definite(least: float) -> None:
    assert inverse_root(np.diag([1.0, least, 2.0])) is None


@pytest.mark.parametrize("d", [1, 3])
def test_a_missing_entry_is_not_definite(d: int) -> None:
    matrix = np.eye(d)
    matrix[-1, -1] = np.nan
    assert inverse_root(matrix) is None
