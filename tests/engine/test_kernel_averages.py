"""The compiled averages over nodes against the same in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.kernel_rows import rows

from memagic.engine import kernel_averages as kernel

SIZES = [1, 3, 60, 2, 40]


@pytest.mark.parametrize(("n_nodes", "q"), [(1, 1), (7, 1), (7, 2), (49, 2), (20, 3)])
def test_average_rows(n_nodes: int, q: int) -> None:
    data, rng = rows(False, SIZES, q), np.random.default_rng(1)
    values = rng.normal(size=(sum(SIZES), n_nodes))
    weights, chains = rng.random((len(SIZES), n_nodes)), rng.normal(size=(len(SIZES), q, n_nodes))
    weighted = values * weights[data.cluster_of_row]
    z, nodes = data.z[data.cell_of_row], chains[data.cluster_of_row]
    effects = np.einsum("ic,iek->icek", z, nodes).reshape(len(z), q * q, n_nodes)
    expected = np.hstack([data.x * weighted.sum(axis=1)[:, None], np.einsum("ik,iak->ia", weighted, effects)])
    assert kernel.average_rows(data, values, weights, chains) == pytest.approx(expected, rel=1e-12, abs=1e-13)
    by_column, by_effects = kernel.average_rows_and_effects(data, values, weights, chains)
    assert by_column == pytest.approx(expected, rel=1e-12, abs=1e-13)
    products = np.einsum("ik,iak,ibk->ab", weighted, effects, effects)
    assert by_effects == pytest.approx(products, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(("n_nodes", "d"), [(1, 1), (7, 4), (49, 3)])
def test_second_moments(n_nodes: int, d: int) -> None:
    rng = np.random.default_rng(2)
    values, weights = rng.normal(size=(5, d, n_nodes)), rng.random((5, n_nodes))
    expected = np.einsum("jk,jak,jbk->ab", weights, values, values)
    found = kernel.second_moments(values, weights)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-13)
    assert np.array_equal(found, found.T)


@pytest.mark.parametrize("n_upper", [1, 7, 49])
def test_conditional_means(n_upper: int) -> None:
    rng = np.random.default_rng(3)
    values, weights = rng.normal(size=(5, 3, 49)), rng.random((5, 49))
    shape = (5, n_upper, 49 // n_upper)
    expected = np.einsum("jaur,jur->jau", values.reshape(5, 3, *shape[1:]), weights.reshape(shape))
    assert kernel.conditional_means(values, weights, n_upper) == pytest.approx(expected, rel=1e-13, abs=1e-14)


class TestRefusals:
    """Arrays that do not fit together are refused before anything is read."""

    def test_average_rows(self) -> None:
        data = rows(False, [3, 4], 1)
        with pytest.raises(ValueError, match="wrong size"):
            kernel.average_rows(data, np.zeros((7, 5)), np.zeros((2, 4)), np.zeros((2, 1, 5)))
        with pytest.raises(ValueError, match="empty"):
            kernel.average_rows(data, np.zeros((6, 5)), np.zeros((2, 5)), np.zeros((2, 1, 5)))

    def test_weights(self) -> None:
        with pytest.raises(ValueError, match="empty"):
            kernel.second_moments(np.zeros((2, 3, 7)), np.zeros((2, 5)))
        with pytest.raises(ValueError, match="empty"):
            kernel.conditional_means(np.zeros((2, 3, 7)), np.zeros((2, 7)), 2)
