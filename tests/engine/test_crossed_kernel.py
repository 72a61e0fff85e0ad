"""Rows, small matrices and pieces in the compiled kernel against NumPy and SciPy, and threads of BLAS."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from memagic.engine import _kernel
from memagic.engine.crossed import threads
from memagic.engine.crossed.pieces import SMALL

Array = NDArray[np.float64]
Index = NDArray[np.intp]

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


@pytest.mark.parametrize("s", [1, 2, 7])
def test_inverses_of_one_size(s: int) -> None:
    half = np.random.default_rng(4).normal(size=(5, s, s + 3))
    matrices = half @ half.transpose(0, 2, 1)
    found = np.empty(matrices.shape)
    log_det = _kernel.equal_inverses(s, np.tril(matrices), found)
    assert log_det == pytest.approx(np.linalg.slogdet(matrices)[1].sum(), rel=1e-12)
    np.testing.assert_allclose(found, np.linalg.inv(matrices), rtol=1e-9, atol=1e-12)
    matrices[3] = -matrices[3]
    assert _kernel.equal_inverses(s, matrices.copy(), found) is None
    with pytest.raises(ValueError, match="wrong size"):
        _kernel.equal_inverses(s + 1, np.ones(s), found)


def row_design(q: int) -> tuple[Index, Array, Array, Index]:
    """Columns, loadings, A, and places of pairs in the lower triangle of a dense matrix of 12 columns."""
    rng, n = np.random.default_rng(6), 60
    index = np.array([rng.choice(12, q, replace=False) for _ in range(n)])
    loadings, dense = rng.normal(size=(n, q)), np.zeros((n, 12))
    dense[np.arange(n)[:, None], index] = loadings
    pairs = [(k, j) for k in range(q) for j in range(k + 1)]
    places = [np.maximum(*ends) * 12 + np.minimum(*ends) for k, j in pairs for ends in [index[:, [k, j]].T]]
    return index, loadings, dense, np.column_stack(places)


@pytest.mark.parametrize("q", [1, 2, 3])
def test_passes_over_rows(q: int) -> None:
    index, loadings, dense, places = row_design(q)
    rng = np.random.default_rng(7)
    base, first, second, third = rng.normal(size=(4, 60))
    v, u = rng.normal(size=(2, 12))
    close = {"rtol": 1e-12, "atol": 1e-12}

    out = np.empty(60)
    _kernel.along(index, loadings, v, base, out)
    np.testing.assert_allclose(out, base + dense @ v, **close)
    sums = np.zeros(12)
    _kernel.sums(index, loadings, first, sums)
    np.testing.assert_allclose(sums, dense.T @ first, **close)
    curvature = np.zeros((12, 12))
    _kernel.curvature(places, loadings, second, curvature)
    np.testing.assert_allclose(curvature, np.tril(dense.T @ (second[:, None] * dense)), **close)

    inverse = rng.normal(size=(12, 12))
    inverse += inverse.T
    by_effect, h, c, sums = np.empty((60, q)), np.empty(60), np.empty(60), np.zeros(12)
    _kernel.spread(places, index, loadings, inverse, third, by_effect, h, c, sums)
    # Pairs of effects that are one row's.
    expected = np.take_along_axis(dense @ inverse, index, axis=1)
    np.testing.assert_allclose(by_effect, expected, **close)
    np.testing.assert_allclose(h, ((dense @ inverse) * dense).sum(axis=1), **close)
    np.testing.assert_allclose(c, 0.5 * h * third, **close)
    np.testing.assert_allclose(sums, dense.T @ c, **close)

    e, score = np.empty(60), np.empty(60)
    _kernel.by_loading(index, loadings, v, u, first, second, c, by_effect, e, score)
    np.testing.assert_allclose(e, dense @ u, **close)
    np.testing.assert_allclose(score, first + c + second * e, **close)
    expected = score[:, None] * v[index] + first[:, None] * u[index] + second[:, None] * expected
    np.testing.assert_allclose(by_effect, expected, **close)


@pytest.mark.parametrize("q", [1, 2])
@pytest.mark.parametrize("sides", [1, 3])
def test_solutions_through_small_pieces(q: int, sides: int) -> None:
    """Four groups of q effects, each coupled with some of the columns of two pieces, of two and three."""
    rng = np.random.default_rng(8)
    own, sizes, piece = 4 * q, np.array([2, 3]), np.array([0, 0, 1, 1, 1])
    of_group = np.array([0, 1, 1, 0])
    dense = np.zeros((own + 5, own + 5))
    for g in range(4):
        at = np.r_[g * q : (g + 1) * q, own + np.flatnonzero(piece == of_group[g])]
        half = rng.normal(size=(len(at), len(at) + 2))
        dense[np.ix_(at, at)] += half @ half.T
    columns = own + np.arange(5)
    coupled = [columns[piece == of_group[g]] for g in range(4)]
    begins, column = np.cumsum([0, *map(len, coupled)]), np.concatenate(coupled)
    blocks = np.array([dense[g * q : (g + 1) * q, g * q : (g + 1) * q] for g in range(4)])
    inverse = np.linalg.inv(blocks)
    entries = np.concatenate([dense[g * q : (g + 1) * q, coupled[g]].T for g in range(4)])
    solved = np.concatenate([dense[g * q : (g + 1) * q, coupled[g]].T @ inverse[g].T for g in range(4)])
    rest = np.linalg.inv(np.linalg.inv(dense)[own:, own:])
    roots = np.concatenate(
        [np.linalg.inv(np.linalg.cholesky(rest[k, k])).ravel() for k in (slice(0, 2), slice(2, 5))]
    )
    rhs = rng.normal(size=(own + 5, sides))
    found = rhs.copy()
    design = begins, column, column, None, q
    _kernel.solutions(*design, inverse, entries, solved, sizes, columns, roots, found, 0, sides)
    np.testing.assert_allclose(found, np.linalg.solve(dense, rhs), rtol=1e-9, atol=1e-11)
    in_steps = rhs.copy()
    _kernel.forwards(*design, inverse, entries, in_steps, 0, sides)
    _kernel.small_solutions(sizes, columns, roots, in_steps, sides)
    _kernel.backwards(*design, solved, in_steps, 0, sides)
    np.testing.assert_array_equal(in_steps, found)
    with pytest.raises(ValueError, match="wrong size"):
        _kernel.solutions(*design, inverse, entries, solved, sizes, columns, roots, found, 6, sides)


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
