"""The compiled step of the elimination over nested levels against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from memagic.engine import _kernel

Array = NDArray[np.float64]


def eliminated(curvature: Array, q: int, lift: Array | None = None) -> tuple[int, Array, Array, Array, Array]:
    """How many are bad; the inverses, slopes, what is left above, and the log determinants."""
    m, above = len(curvature), curvature.shape[1] - q
    inverse, slope = np.empty((m, q, q)), np.empty((m, q, above))
    up, log_det = np.empty((m, above, above)), np.empty(m)
    return _kernel.eliminate_level(curvature, lift, inverse, slope, up, log_det), inverse, slope, up, log_det


def curvatures(rng: np.random.Generator, m: int, size: int) -> Array:
    half = rng.normal(size=(m, size, size + 2))
    return np.ascontiguousarray(half @ half.transpose(0, 2, 1))


@pytest.mark.parametrize(("q", "above"), [(1, 0), (1, 2), (2, 0), (3, 1), (5, 4)])
def test_elimination(q: int, above: int) -> None:
    curvature = curvatures(np.random.default_rng(1), 20, q + above)
    bad, inverse, slope, up, log_det = eliminated(curvature, q)
    pivot = curvature[:, above:, above:] + np.eye(q)
    assert bad == 0
    assert inverse == pytest.approx(np.linalg.inv(pivot), rel=1e-10, abs=1e-12)
    assert log_det == pytest.approx(np.linalg.slogdet(pivot)[1], rel=1e-12)
    assert slope == pytest.approx(np.linalg.solve(pivot, curvature[:, above:, :above]), rel=1e-9, abs=1e-11)
    rest = curvature[:, :above, :above] - curvature[:, :above, above:] @ slope
    assert up == pytest.approx(rest, rel=1e-10, abs=1e-11)


@pytest.mark.parametrize("entry", [-3.0, -0.9995, np.nan])
def test_what_is_not_definite_is_told(entry: float) -> None:
    curvature = curvatures(np.random.default_rng(2), 3, 2)
    curvature[1] = [[2.0, 0.1], [0.1, entry]]
    bad, inverse, slope, up, log_det = eliminated(curvature, 1)
    assert bad == 1
    assert np.isnan(inverse).ravel().tolist() == [False, True, False]
    assert np.isnan(slope[1]).all()
    assert np.isnan(up[1]).all()
    # Between zero and what is asked for there is a determinant.
    assert np.isnan(log_det[1]) == (not entry > -1.0)
    assert np.isfinite(log_det[[0, 2]]).all()


def test_the_lift_is_added_to_the_diagonal() -> None:
    curvature = curvatures(np.random.default_rng(3), 2, 2)
    curvature[1] = np.diag([2.0, -3.0])
    bad, inverse, _, _, log_det = eliminated(curvature, 2, np.array([0.0, 2.5]))
    assert bad == 0
    assert inverse[1] == pytest.approx(np.diag([1 / 5.5, 2.0]))
    assert np.isnan(log_det[1])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="wrong size"):
        eliminated(np.zeros((2, 3, 3)), 1, np.zeros(3))
