"""Small matrices and pieces in the compiled kernel against NumPy and SciPy, and threads of BLAS."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from memagic.engine import _kernel
from memagic.engine.crossed import threads
from memagic.engine.crossed.pieces import SMALL

SIZES = np.array([1, 1, 2, 7, SMALL])


def test_small_matrices() -> None:
    rng = np.random.default_rng(1)
    halves = [rng.normal(size=(s, s + 3)) for s in SIZES]
    matrices = [half @ half.T for half in halves]
    # What is above the diagonal is neither read nor written.
    flat = np.concatenate([(np.tril(a) + np.triu(np.full(a.shape, 9.0), 1)).ravel() for a in matrices])
    roots = flat.copy()
    log_det = _kernel.small_roots(SIZES, roots)
    assert log_det == pytest.approx(sum(np.linalg.slogdet(a)[1] for a in matrices), rel=1e-12)
    out, traces = np.full(len(flat), 9.0), np.zeros(2)
    _kernel.small_inverses(SIZES, roots, out, traces)
    inverses = [np.linalg.inv(a) for a in matrices]
    at = 0
    for inverse in inverses:
        found = out[at : at + inverse.size].reshape(inverse.shape)
        np.testing.assert_allclose(np.tril(found), np.tril(inverse), rtol=1e-9, atol=1e-12)
        assert (found[np.triu_indices(len(inverse), 1)] == 9.0).all()
        at += inverse.size
    expected = sum(np.trace(p) for p in inverses), sum(np.trace(p @ p) for p in inverses)
    np.testing.assert_allclose(traces, expected, rtol=1e-9)
    columns = rng.permutation(SIZES.sum() + 4)[: SIZES.sum()]
    rhs = rng.normal(size=(SIZES.sum() + 4, 3))
    solution = rhs.copy()
    _kernel.small_solutions(SIZES, columns, roots, solution, 3)
    at = 0
    for inverse in inverses:
        own = columns[at : at + len(inverse)]
        np.testing.assert_allclose(solution[own], inverse @ rhs[own], rtol=1e-8, atol=1e-10)
        at += len(inverse)
    untouched = np.setdiff1d(np.arange(len(rhs)), columns)
    np.testing.assert_array_equal(solution[untouched], rhs[untouched])


@pytest.mark.parametrize("entry", [0.0, -1.0, np.nan])
def test_a_matrix_that_is_not_positive_definite(entry: float) -> None:
    flat = np.array([2.0, 1.0, 0.0, 0.5, entry])
    assert _kernel.small_roots(np.array([1, 2]), flat) is None


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="wrong size"):
        _kernel.small_roots(np.array([2, 2]), np.ones(7))
    with pytest.raises(ValueError, match="wrong size"):
        _kernel.small_roots(np.array([65]), np.ones(65**2))
    with pytest.raises(ValueError, match="wrong size"):
        _kernel.dot(np.ones(3), np.ones(4))
    with pytest.raises(TypeError, match="wrong type"):
        _kernel.dot(np.ones(3), np.ones(3, dtype=np.float32).astype(np.intp))
    begins, none = np.array([0, 2]), np.zeros(1, dtype=np.intp)
    with pytest.raises(ValueError, match="entries are missing"):
        _kernel.eliminate(begins, none, none, None, 1, np.ones(1), np.ones(1), np.ones(1), None)


def test_sums_of_products() -> None:
    rng = np.random.default_rng(2)
    for n in (0, 1, 7, 8, 1001):
        left, right = rng.normal(size=n), rng.normal(size=n)
        assert _kernel.dot(left, right) == pytest.approx(float(left @ right), rel=1e-12, abs=1e-13)


def test_joined_columns_are_connected() -> None:
    rng = np.random.default_rng(3)
    for n_links in (0, 30, 60, 200):
        left, right = rng.integers(0, 80, n_links), rng.integers(0, 80, n_links)
        label = np.empty(80, dtype=np.intp)
        _kernel.connect(left, right, label)
        # Old versions of scipy take no longer indices.
        links = left.astype(np.int32), right.astype(np.int32)
        graph = coo_array((np.ones(n_links), links), shape=(80, 80))
        count, expected = connected_components(graph, directed=False)
        pairs = np.unique(np.stack([label, expected]), axis=1)
        assert pairs.shape[1] == count == len(np.unique(label))


def system(folder: Path, running: str, states: str) -> Path:
    """Files of a system with a number of running programs, and the states of this one's threads."""
    (folder / "loadavg").write_text(f"0.50 0.40 0.30 {running}/180 4711\n")
    for number, state in enumerate(states):
        (folder / "self" / "task" / str(number)).mkdir(parents=True)
        (folder / "self" / "task" / str(number) / "stat").write_text(f"{number} (a (b) c) {state} 1 2 3\n")
    return folder


@pytest.mark.parametrize(
    ("running", "states", "expected"),
    [("1", "R", 4), ("3", "RSRS", 3), ("9", "R", 1), ("2", "S", 3), ("nothing", "R", 1), ("0", "R", 4)],
)
def test_free_processors(
    running: str, states: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = system(tmp_path, running, states)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(threads, "_SYSTEM", folder)
    monkeypatch.setattr(threads, "_TASKS", folder / "self" / "task")
    assert threads.free_processors() == expected
    assert threads.dense_threads(50) == 1
    assert threads.dense_threads(1000) == expected
    assert threads.dense_threads(5000) == 4


def test_a_system_that_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_SYSTEM", tmp_path / "missing")
    assert threads.free_processors() == 1
