"""The compiled closed form of a Gaussian response against dense matrices, and by its limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from memagic.engine import kernel_linear as kernel
from memagic.engine.covariance import CovarianceStructure, exchangeable, identity, unstructured
from memagic.engine.families import GaussianIdentity
from memagic.engine.linear import LinearObjective
from memagic.engine.problem import Level, Problem

Array = NDArray[np.float64]

# Clusters of one row to eight, their rows in no order.
SIZES = np.array([1, 3, 8, 5, 2])
STRUCTURES = [identity(1), identity(3), exchangeable(2), unstructured(3)]


def made(structure: CovarianceStructure, p: int = 3) -> tuple[Problem, Array]:
    """A problem with an offset, and a theta."""
    rng = np.random.default_rng(structure.q)
    cluster = rng.permutation(np.repeat(np.arange(len(SIZES)), SIZES))
    n = len(cluster)
    x, z = rng.normal(size=(n, p)), rng.normal(size=(n, structure.q))
    problem = Problem(
        GaussianIdentity(),
        10.0 + rng.normal(size=n),
        x,
        offset=rng.normal(size=n),
        levels=(Level(cluster, z, structure),),
    )
    return problem, np.concatenate([rng.normal(size=p), structure.start + 0.3, [-0.4]])


class Dense:
    """The clusters' log likelihoods and derivatives from V, its inverse and its derivatives."""

    def __init__(self, problem: Problem, theta: Array) -> None:
        structure = problem.structure
        assert structure is not None
        parts = problem.unpack(theta)
        self.log_l: list[float] = []
        self.scores: list[Array] = []
        self.hessian = np.zeros((len(theta), len(theta)))
        m, s2 = structure.size, float(np.exp(2.0 * parts.phi[0]))
        basis, factor = structure.basis, structure.factor(parts.omega)
        level = problem.levels[0]
        for j in range(problem.n_clusters):
            rows = np.flatnonzero(level.cluster == j)
            x, z, unit = problem.x[rows], level.z[rows], np.eye(len(rows))
            r = (problem.y - problem.fixed_part(parts.beta))[rows]
            v = s2 * unit + z @ factor @ factor.T @ z.T
            first = [z @ (e @ factor.T + factor @ e.T) @ z.T for e in basis] + [2.0 * s2 * unit]
            second = np.zeros((m + 1, m + 1, len(rows), len(rows)))
            for a in range(m):
                for b in range(m):
                    second[a, b] = z @ (basis[a] @ basis[b].T + basis[b] @ basis[a].T) @ z.T
            second[m, m] = 4.0 * s2 * unit
            self._add(x, r, np.linalg.inv(v), first, second)
            self.log_l.append(multivariate_normal.logpdf(r, np.zeros(len(rows)), v))

    def _add(self, x: Array, r: Array, inverse: Array, first: list[Array], second: Array) -> None:
        p, e = x.shape[1], inverse @ r
        variance = [0.5 * (e @ dv @ e - np.trace(inverse @ dv)) for dv in first]
        self.scores.append(np.concatenate([x.T @ e, variance]))
        self.hessian[:p, :p] -= x.T @ inverse @ x
        for a, va in enumerate(first):
            cross = -x.T @ inverse @ va @ e
            self.hessian[p + a, :p] += cross
            self.hessian[:p, p + a] += cross
            for b, vb in enumerate(first):
                self.hessian[p + a, p + b] += (
                    0.5 * np.trace(inverse @ va @ inverse @ vb)
                    - e @ va @ inverse @ vb @ e
                    + 0.5 * (e @ second[a, b] @ e - np.trace(inverse @ second[a, b]))
                )


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_log_likelihood_and_its_derivatives(structure: CovarianceStructure) -> None:
    problem, theta = made(structure)
    dense = Dense(problem, theta)
    objective = LinearObjective(problem)
    here = objective.evaluate(theta)
    assert objective.around(theta)(theta) == pytest.approx(np.array(dense.log_l), rel=1e-12)
    assert here.value == pytest.approx(sum(dense.log_l), rel=1e-12)
    assert here.scores == pytest.approx(np.stack(dense.scores), rel=1e-10, abs=1e-10)
    assert here.hessian == pytest.approx(dense.hessian, rel=1e-10, abs=1e-10)


def test_without_coefficients() -> None:
    problem, theta = made(unstructured(2), p=0)
    dense, here = Dense(problem, theta), LinearObjective(problem).evaluate(theta)
    assert here.scores == pytest.approx(np.stack(dense.scores), rel=1e-10, abs=1e-10)
    assert here.hessian == pytest.approx(dense.hessian, rel=1e-10, abs=1e-10)


def unaligned(array: Array) -> Array:
    """The same array, of which no element begins where one of its size should."""
    array = np.ascontiguousarray(array)
    memory = np.empty(array.nbytes + 1, dtype=np.uint8)
    moved = np.ndarray(array.shape, array.dtype, memory.data, offset=1)
    moved[...] = array
    return moved


def test_arrays_from_elsewhere() -> None:
    problem, theta = made(unstructured(2))
    level = problem.levels[0]
    moved = Level(unaligned(level.cluster), unaligned(level.z), level.structure)
    there = replace(
        problem, y=unaligned(problem.y), x=np.asfortranarray(problem.x), offset=None, levels=(moved,)
    )
    here = replace(problem, offset=None)
    assert not there.y.flags.aligned
    assert LinearObjective(there).value(unaligned(theta)) == LinearObjective(here).value(theta)
    scores = [LinearObjective(one).evaluate(unaligned(theta)).scores for one in (there, here)]
    assert np.array_equal(*scores)


def rows_of(problem: Problem) -> kernel.ClusterRows:
    level = problem.levels[0]
    return kernel.ClusterRows(level.cluster, level.z, problem.x, problem.y)


def test_products() -> None:
    problem, theta = made(unstructured(3))
    rows = rows_of(problem)
    products = kernel.cluster_products(rows, len(SIZES))
    beta = theta[:3]
    residuals = kernel.residual_products(rows, beta, len(SIZES))
    assert np.array_equal(products.sizes, SIZES)
    for j in range(len(SIZES)):
        own = rows.cluster == j
        z, x = rows.z[own], rows.x[own]
        r = rows.y[own] - x @ beta
        assert products.zz[j] == pytest.approx(z.T @ z)
        assert products.zx[j] == pytest.approx(z.T @ x)
        assert residuals.z_r[j] == pytest.approx(z.T @ r)
        assert residuals.x_r[j] == pytest.approx(x.T @ r)
        assert residuals.r_r[j] == pytest.approx(r @ r)


def test_residuals_keep_their_digits_far_from_zero() -> None:
    # Squares of y less those of X beta would have none left.
    rng = np.random.default_rng(5)
    x, error = np.column_stack([np.full(40, 1e6), rng.normal(size=40)]), rng.integers(-8, 8, 40) / 8.0
    rows = kernel.ClusterRows(np.zeros(40, dtype=np.intp), np.ones((40, 1)), x, 3e6 + error)
    residuals = kernel.residual_products(rows, np.array([3.0, 0.0]), 1)
    assert residuals.r_r[0] == error @ error
    assert residuals.z_r[0, 0] == error.sum()


def test_no_variance_at_all_has_no_likelihood() -> None:
    problem, _ = made(identity(3))
    rows = rows_of(problem)
    products = kernel.cluster_products(rows, len(SIZES))
    residuals = kernel.residual_products(rows, np.zeros(3), len(SIZES))
    log_l = kernel.cluster_log_likelihood(products, residuals, np.zeros((3, 3)), -400.0)
    assert np.isnan(log_l).all()


def test_sigma_to_the_fourth_is_infinite() -> None:
    problem, theta = made(identity(1))
    theta[-1] = 180.0
    objective = LinearObjective(problem)
    assert np.isfinite(objective.value(theta))
    with pytest.raises(OverflowError):
        objective.evaluate(theta)


@pytest.mark.parametrize("code", [-1, len(SIZES)])
def test_a_row_of_no_cluster(code: int) -> None:
    problem, _ = made(identity(1))
    rows = rows_of(problem)
    rows.cluster[3] = code
    with pytest.raises(ValueError, match="do not fit together"):
        kernel.cluster_products(rows, len(SIZES))
    with pytest.raises(ValueError, match="do not fit together"):
        kernel.residual_products(rows, np.zeros(3), len(SIZES))
