"""The compiled posterior at one value of the random effects against the same in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.kernel_rows import FAMILIES, response, rows

from memagic.engine import kernel_points as kernel
from memagic.engine.families import PoissonLog

# More rows in a cluster than are worked on at once.
SIZES = [1, 3, 1200, 2, 40]
BEGINS = np.r_[0, np.cumsum(SIZES)[:-1]]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("q", [1, 3])
def test_point(name: str, weighted: bool, q: int) -> None:
    data, rng = rows(weighted, SIZES, q), np.random.default_rng(1)
    n, family = sum(SIZES), FAMILIES[name][0]
    y, r = response(name, n)
    phi = np.sort(rng.normal(size=family.n_phi))
    fixed, effects = rng.normal(size=n), 0.5 * rng.normal(size=(len(SIZES), q))
    at = kernel.point(data, family.terms(y, r, phi), fixed, effects)
    z = data.z[data.cell_of_row]
    eta = fixed[:, None] + (z * effects[data.cluster_of_row]).sum(axis=1, keepdims=True)
    assert at.eta == pytest.approx(eta, rel=1e-13, abs=1e-14)
    weight = 1.0 if data.weight is None else data.weight
    logf, first, second = (weight * part for part in family.derivatives(at.eta, y, r, phi))
    assert at.first == pytest.approx(first, rel=1e-14)
    assert at.second == pytest.approx(second, rel=1e-14)
    # Sums of 1,200 terms in another order.
    size = float(np.abs(logf).sum() + np.abs(z * first).sum())
    assert at.logf == pytest.approx(np.add.reduceat(logf[:, 0], BEGINS), abs=1e-14 * size)
    assert at.z_first == pytest.approx(np.add.reduceat(z * first, BEGINS, axis=0), abs=1e-14 * size)


@pytest.mark.parametrize("q", [1, 3])
def test_z_products(q: int) -> None:
    data = rows(False, SIZES, q)
    weights = np.random.default_rng(2).normal(size=(sum(SIZES), 1))
    z = data.z[data.cell_of_row]
    expected = np.add.reduceat(weights[:, :, None] * z[:, :, None] * z[:, None, :], BEGINS, axis=0)
    assert kernel.z_products(data, weights) == pytest.approx(expected, rel=1e-11, abs=1e-11)


def test_what_does_not_fit_is_refused() -> None:
    data = rows(False, [3, 4], 1)
    terms = PoissonLog().terms(np.zeros((7, 1)), 1.0, np.empty(0))
    with pytest.raises(ValueError, match="wrong size"):
        kernel.point(data, terms, np.zeros(7), np.zeros((3, 1)))
    with pytest.raises(ValueError, match="wrong size"):
        kernel.z_products(data, np.zeros((6, 1)))
