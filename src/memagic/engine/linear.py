"""The Gaussian response with the identity link and one level of groups, in closed form.

Within a cluster y ~ N(X beta, V), V = sigma^2 I + Z Sigma Z'. With A = L (sigma^2 I + L'Z'Z L)^-1 L',

    V^-1 = (I - Z A Z') / sigma^2,    Z'V^-1 = (I - Z'Z A) Z' / sigma^2,

so that all quadratic forms in V^-1, V^-2 and V^-3 follow from cross products with Z and the
residuals: nothing of the size of a cluster is ever inverted.

Source: manual [ME] meglm, Remarks, eq. (2); Laird and Ware (1982), Biometrics 38, 963-974.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.blocks import arrange
from memagic.engine.objective import Evaluation
from memagic.engine.problem import Problem

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["ClusterMeans", "LinearObjective", "cluster_means"]


@dataclass(frozen=True, slots=True)
class _Residuals:
    """Cross products with the residuals r = y - X beta, by cluster.

    Attributes
    ----------
    z_r : ndarray, shape (M, q)
    x_r : ndarray, shape (M, p)
    r_r : ndarray, shape (M,)
    """

    z_r: Array
    x_r: Array
    r_r: Array


class LinearObjective:
    """Exact log likelihood of a model with one level over theta = (beta, omega, log sigma).

    What does not depend on theta is made once: Z'Z and Z'X by cluster, and X'X in all.
    """

    def __init__(self, problem: Problem) -> None:
        assert problem.structure is not None
        self._problem = problem
        self._structure = problem.structure
        self._blocks = arrange(problem, 1)
        shape = (problem.n_clusters, problem.structure.q)
        self._sizes = np.empty(shape[0])
        self._zz = np.empty((*shape, shape[1]))
        self._zx = np.empty((*shape, problem.p))
        self._xx = problem.x.T @ problem.x
        for block in self._blocks:
            at = block.clusters
            cells = block.sum_cells @ np.ones((len(block.x), 1))
            self._sizes[at] = (block.sum_clusters @ cells)[:, 0]
            for c in range(shape[1]):
                self._zz[at, c] = block.sum_clusters @ (cells * block.z * block.z[:, c, None])
            self._zx[at] = block.z_sums(block.sum_cells @ block.x).transpose(0, 2, 1)

    def value(self, theta: Array) -> float:
        return float(self._by_cluster(theta).sum())

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The clusters' log likelihoods as a function of theta."""
        return self._by_cluster

    def _by_cluster(self, theta: Array) -> Array:
        parameters = self._problem.unpack(theta)
        factor = self._structure.factor(parameters.omega)
        variance = float(np.exp(2.0 * parameters.phi[0]))
        residuals = self._residuals(parameters.beta)
        core = self._core(factor, variance)
        quadratic = residuals.r_r - np.einsum(
            "jq,jq->j", residuals.z_r, _times(_shrinkage(factor, core), residuals.z_r)
        )
        return self._log_likelihood(core, quadratic / variance, float(parameters.phi[0]))

    def evaluate(self, theta: Array) -> Evaluation:
        parameters = self._problem.unpack(theta)
        basis = self._structure.basis
        p, m, q = self._problem.p, self._structure.size, self._structure.q
        factor = self._structure.factor(parameters.omega)
        s2 = float(np.exp(2.0 * parameters.phi[0]))
        res = self._residuals(parameters.beta)
        core = self._core(factor, s2)
        a = _shrinkage(factor, core)
        shrink = (np.eye(q) - self._zz @ a) / s2

        # Suffixes count powers of V^-1: z_r2 is Z'V^-2 r.
        zz1 = shrink @ self._zz
        zz2 = shrink @ zz1
        zx1 = shrink @ self._zx
        z_r1 = _times(shrink, res.z_r)
        z_r2 = _times(shrink, z_r1)
        a_zr, a_zr1, a_zr2 = _times(a, res.z_r), _times(a, z_r1), _times(a, z_r2)
        r_r1 = (res.r_r - np.einsum("jq,jq->j", res.z_r, a_zr)) / s2
        r_r2 = (r_r1 - np.einsum("jq,jq->j", res.z_r, a_zr1)) / s2
        r_r3 = (r_r2 - np.einsum("jq,jq->j", res.z_r, a_zr2)) / s2
        x_r1 = (res.x_r - np.einsum("jqc,jq->jc", self._zx, a_zr)) / s2
        x_r2 = (x_r1 - np.einsum("jqc,jq->jc", self._zx, a_zr1)) / s2
        x_x1 = (self._xx - np.tensordot(self._zx, a @ self._zx, axes=([0, 1], [0, 1]))) / s2
        trace_1 = (self._sizes - np.einsum("jqr,jrq->j", a, self._zz)) / s2
        trace_2 = (trace_1 - np.einsum("jqr,jrq->j", a, zz1)) / s2

        # dSigma_a = E_a L' + L E_a', and d sigma^2 = 2 sigma^2 d log sigma.
        half = basis @ factor.T
        change = half + half.transpose(0, 2, 1)
        change_zr1 = np.einsum("aqr,jr->jaq", change, z_r1)

        scores = np.empty((len(self._sizes), p + m + 1))
        scores[:, :p] = x_r1
        scores[:, p : p + m] = 0.5 * (
            np.einsum("jaq,jq->ja", change_zr1, z_r1) - np.einsum("jqr,arq->ja", zz1, change)
        )
        scores[:, -1] = s2 * (r_r2 - trace_1)

        hessian = np.empty((p + m + 1, p + m + 1))
        hessian[:p, :p] = -x_x1
        hessian[p:-1, :p] = -np.einsum("jaq,jqc->ac", change_zr1, zx1)
        hessian[-1, :p] = -2.0 * s2 * x_r2.sum(axis=0)
        scaled = np.einsum("jqr,ars->jaqs", zz1, change)
        quadratic = _times(zz1[:, None], change_zr1)
        second = np.einsum("jq,jr->qr", z_r1, z_r1) - zz1.sum(axis=0)
        hessian[p:-1, p:-1] = (
            0.5 * np.einsum("jaqs,jbsq->ab", scaled, scaled)
            - np.einsum("jaq,jbq->ab", change_zr1, quadratic)
            + np.tensordot(basis, second @ basis, axes=([1, 2], [1, 2]))
        )
        hessian[-1, p:-1] = s2 * (
            np.einsum("jqr,arq->a", zz2, change) - 2.0 * np.einsum("jaq,jq->a", change_zr1, z_r2)
        )
        hessian[-1, -1] = (2.0 * s2 * (r_r2 - trace_1) + 2.0 * s2**2 * (trace_2 - 2.0 * r_r3)).sum()
        upper = np.triu_indices(len(hessian), 1)
        hessian[upper] = hessian.T[upper]
        value = float(self._log_likelihood(core, r_r1, float(parameters.phi[0])).sum())
        return Evaluation(value, scores, hessian)

    def _core(self, factor: Array, variance: float) -> Array:
        """Sigma^2 I + L'Z'Z L, shape (M, q, q)."""
        return np.asarray(factor.T @ self._zz @ factor + variance * np.eye(len(factor)))

    def _log_likelihood(self, core: Array, quadratic: Array, log_sigma: float) -> Array:
        """Log L by cluster from r'V^-1 r, shape (M,)."""
        log_det = 2.0 * log_sigma * (self._sizes - core.shape[1]) + np.linalg.slogdet(core)[1]
        return np.asarray(-0.5 * (self._sizes * np.log(2.0 * np.pi) + log_det + quadratic))

    def _residuals(self, beta: Array) -> _Residuals:
        n_clusters, q = self._zz.shape[:2]
        z_r, r_r = np.empty((n_clusters, q)), np.empty(n_clusters)
        x_r = np.empty((n_clusters, len(beta)))
        for block in self._blocks:
            at = block.clusters
            r = block.y - block.fixed_part(beta)[:, None]
            z_r[at] = block.z_sums(block.sum_cells @ r)[:, 0, :]
            x_r[at] = block.x_sums(r)
            r_r[at] = (block.sum_clusters @ (block.sum_cells @ (r * r)))[:, 0]
        return _Residuals(z_r, x_r, r_r)


def _shrinkage(factor: Array, core: Array) -> Array:
    """A = L core^-1 L', shape (M, q, q)."""
    inner = np.linalg.solve(core, np.broadcast_to(factor.T, core.shape))
    return np.asarray(factor @ inner)


def _times(matrix: Array, vector: Array) -> Array:
    """Matrix-vector products over leading axes."""
    return np.asarray((matrix @ vector[..., None])[..., 0])


@dataclass(frozen=True, slots=True)
class ClusterMeans:
    """Clusters' mean residuals, summed up.

    Attributes
    ----------
    n : int
        Clusters.
    mean : float
        Of their means.
    squares : float
        Sum of the squared deviations from it.
    """

    n: int
    mean: float
    squares: float

    def __add__(self, other: ClusterMeans) -> ClusterMeans:
        n, apart = self.n + other.n, other.mean - self.mean
        squares = self.squares + other.squares + apart * apart * self.n * other.n / n
        return ClusterMeans(n, self.mean + apart * other.n / n, squares)

    @property
    def variance(self) -> float:
        """Their sample variance: a start for an intercept's variance."""
        return self.squares / (self.n - 1) if self.n > 1 else 1.0


def cluster_means(cluster: Index, residual: Array) -> ClusterMeans:
    """The mean residuals of clusters, both arguments of shape (n,)."""
    means = np.bincount(cluster, weights=residual) / np.bincount(cluster)
    return ClusterMeans(len(means), float(means.mean()), float(((means - means.mean()) ** 2).sum()))
