"""The compiled kernel against the same sums in NumPy, and its elementary functions against scipy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import special
from tests.engine.kernel_rows import FAMILIES, response, rows

from memagic.engine import _kernel, kernel
from memagic.engine.families import BinomialLogit, BinomialProbit, PoissonLog


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n_nodes", "q"), [(1, 1), (7, 1), (7, 2), (49, 2), (513, 1)])
def test_look(name: str, weighted: bool, n_nodes: int, q: int) -> None:
    # More rows in a cluster than factors are multiplied before the logarithm is taken.
    sizes = [1, 3, 600, 2, 40] if n_nodes < 100 else [1, 3, 20]
    data = rows(weighted, sizes, q)
    n, family, rng = sum(sizes), FAMILIES[name][0], np.random.default_rng(1)
    y, r = response(name, n)
    phi = np.sort(rng.normal(size=family.n_phi))
    fixed, effects = rng.normal(size=n), rng.normal(size=(len(sizes), q, n_nodes))
    eta = fixed[:, None] + np.einsum("iq,iqk->ik", data.z[data.cell_of_row], effects[data.cluster_of_row])
    weight = 1.0 if data.weight is None else data.weight
    logf, first, second = (weight * part for part in family.derivatives(eta, y, r, phi))
    by_cluster = np.add.reduceat(logf, np.r_[0, np.cumsum(sizes)[:-1]], axis=0)
    terms = family.terms(y, r, phi)

    sums = kernel.look_with_derivatives(data, terms, fixed, effects, 5)
    # Sums of 600 terms in another order.
    close = {"rel": 1e-12, "abs": 1e-11}
    assert kernel.look(data, terms, fixed, effects) == pytest.approx(by_cluster, **close)
    assert sums.logf == pytest.approx(by_cluster, **close)
    assert sums.second == pytest.approx(second, rel=1e-14)
    for part, columns in ((sums.scores[:, :3], data.x), (sums.z_first, data.z[data.cell_of_row])):
        products = columns[:, :, None] * first[:, None, :]
        expected = np.add.reduceat(products, np.r_[0, np.cumsum(sizes)[:-1]], axis=0)
        assert part == pytest.approx(expected, rel=1e-11, abs=1e-10)
    assert not sums.scores[:, 3:].any()


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("n", "q"), [(1, 2), (512, 1), (1300, 2), (700, 3)])
def test_the_posterior_of_crossed_effects(name: str, n: int, q: int) -> None:
    rng, family = np.random.default_rng(5), FAMILIES[name][0]
    y, r = response(name, n)
    y, r = y[:, 0], r if isinstance(r, float) else r[:, 0]
    phi = np.sort(rng.normal(size=family.n_phi))
    index, loadings = rng.integers(0, 40, size=(n, q)), rng.normal(size=(n, q))
    fixed, v = rng.normal(size=n), rng.normal(size=40)
    dense = np.zeros((n, 40))
    np.add.at(dense, (np.arange(n)[:, None], index), loadings)
    logf, *expected = family.derivatives(fixed + dense @ v, y, r, phi)

    eta, first, second, slope = np.empty(n), np.empty(n), np.empty(n), np.zeros(40)
    density = family.terms(y, r, phi).arguments((n,))
    value = _kernel.posterior(*density, index, loadings, fixed, v, eta, first, second, slope)
    size = float(np.abs(logf).sum())
    assert value == pytest.approx(logf.sum() - 0.5 * v @ v, abs=1e-13 * size + 1e-12)
    assert eta == pytest.approx(fixed + dense @ v, abs=1e-13)
    scale = [1.0 + float(np.abs(part).max()) for part in expected]
    assert first == pytest.approx(expected[0], rel=1e-12, abs=1e-13 * scale[0])
    assert second == pytest.approx(expected[1], rel=1e-12, abs=1e-13 * scale[1])
    assert slope == pytest.approx(dense.T @ expected[0] - v, rel=1e-11, abs=1e-11 * scale[0])


@pytest.mark.parametrize("at", [3, 900])
def test_an_impossible_row_makes_the_posterior_zero(at: int) -> None:
    """Wherever it is among more rows than are worked on at once, -inf is no NaN."""
    family = FAMILIES["ordinal-probit"][0]
    y = np.zeros(1100)
    y[at] = 1.0
    index, loadings, row = np.zeros((1100, 1), dtype=np.intp), np.ones((1100, 1)), np.zeros(1100)
    # The interval of the second category is empty.
    density = family.terms(y, 1.0, np.array([1.0, 0.0])).arguments((1100,))
    places = [np.empty(1100) for _ in range(3)]
    value = _kernel.posterior(*density, index, loadings, row, np.zeros(1), *places, np.zeros(1))
    assert value == -np.inf


def test_arrays_may_lie_anywhere_in_memory() -> None:
    y = np.frombuffer(b"\0" + np.arange(3.0).tobytes(), dtype=np.uint8)[1:].view(float)
    assert not y.flags.aligned
    terms = PoissonLog().terms(y, 1.0, np.empty(0))
    assert kernel.density(terms, y) == pytest.approx(y * y - np.exp(y))


def test_products_by_cluster() -> None:
    data, values = rows(False, [1, 3, 600, 2], 1), np.random.default_rng(4).normal(size=(606, 1))
    expected = np.add.reduceat(data.x * values, [0, 1, 4, 604], axis=0)
    assert kernel.products_by_cluster(data, values) == pytest.approx(expected, abs=1e-12)


def test_threads_give_the_same() -> None:
    data, family = rows(False, [50] * 400, 1), BinomialLogit()
    y, r = response("bernoulli", 20_000)
    rng = np.random.default_rng(2)
    fixed, effects = rng.normal(size=20_000), rng.normal(size=(400, 1, 7))
    terms = family.terms(y, r, np.empty(0))
    alone = kernel.look(data, terms, fixed, effects)
    with ThreadPoolExecutor(4) as pool:
        for together in pool.map(lambda _: kernel.look(data, terms, fixed, effects), range(16)):
            assert np.array_equal(together, alone)


def test_not_a_number_stays_one() -> None:
    for name, (family, _) in FAMILIES.items():
        y, r = response(name, 4)
        eta = np.array([[0.1, np.nan, 0.2], [np.nan, 0.0, 0.3], [0.0, 0.0, np.nan], [1.0, 2.0, 3.0]])
        phi = np.arange(float(family.n_phi))
        for part in (family.log_density(eta, y, r, phi), *family.derivatives(eta, y, r, phi)[:2]):
            assert np.array_equal(np.isnan(part), np.isnan(eta)), name


def test_scaled_complementary_error_function() -> None:
    """Through the normal's log probability and Mills ratio, against scipy's."""
    eta = np.concatenate([-np.logspace(-8, 6, 4001), [0.0]])
    logf, first, _ = BinomialProbit().derivatives(eta, np.ones(4002), 1.0, np.empty(0))
    assert logf == pytest.approx(special.log_ndtr(eta), rel=2e-14)
    assert first == pytest.approx(np.sqrt(2.0 / np.pi) / special.erfcx(-eta / np.sqrt(2.0)), rel=1e-14)


def test_the_third_cumulant_of_a_bernoulli_response() -> None:
    eta = np.concatenate([np.linspace(-40.0, 40.0, 4001), [-700.0, 700.0]])
    p, q = special.expit(eta), special.expit(-eta)
    expected = -p * q * np.tanh(0.5 * eta)
    assert kernel.bernoulli_cumulant(eta) == pytest.approx(expected, rel=1e-13, abs=1e-16 * (p * q).max())


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-8, 0.3465, 0.3467, 20.0, 700.0])
def test_exponential(x: float) -> None:
    for eta in (x, -x):
        mu = -PoissonLog().derivatives(np.array([eta]), np.zeros(1), 1.0, np.empty(0))[2][0]
        assert mu == pytest.approx(np.exp(eta), rel=4e-16)


class TestRefusals:
    """Arrays that do not fit together are refused before anything is read."""

    def test_sizes(self) -> None:
        data = rows(False, [3, 4], 1)
        terms = PoissonLog().terms(np.zeros((7, 1)), 1.0, np.empty(0))
        with pytest.raises(ValueError, match="wrong size"):
            kernel.look(data, terms, np.zeros(7), np.zeros((3, 1, 7)))

    def test_the_posterior(self) -> None:
        index, row, v = np.zeros((7, 2), dtype=np.intp), np.zeros(7), np.zeros(3)
        density = PoissonLog().terms(row, 1.0, np.empty(0)).arguments((7,))
        for loadings, slope in ((np.zeros((7, 1)), np.zeros(3)), (np.zeros((7, 2)), np.zeros(4))):
            with pytest.raises(ValueError, match="wrong size"):
                _kernel.posterior(*density, index, loadings, row, v, row, row, row, slope)
        with pytest.raises(ValueError, match="no such density"):
            _kernel.posterior(13, *density[1:], index, np.zeros((7, 2)), row, v, row, row, row, v)

    def test_types(self) -> None:
        data = rows(False, [3, 4], 1)
        terms = PoissonLog().terms(np.zeros((7, 1)), 1.0, np.empty(0))
        with pytest.raises(TypeError, match="wrong type"):
            kernel.look(data, terms, np.zeros(7, dtype=np.int64), np.zeros((2, 1, 7)))  # type: ignore[arg-type]
