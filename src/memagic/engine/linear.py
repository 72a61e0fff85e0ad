"""The Gaussian response with the identity link and one level of groups, in closed form.

Within a cluster y ~ N(X beta, V), V = sigma^2 I + Z Sigma Z'. With A = L (sigma^2 I + L'Z'Z L)^-1 L',

    V^-1 = (I - Z A Z') / sigma^2,    Z'V^-1 = (I - Z'Z A) Z' / sigma^2,

so that all quadratic forms in V^-1, V^-2 and V^-3 follow from cross products with Z and the
residuals: nothing of the size of a cluster is ever inverted. With S_a = E_a L' + L E_a', the derivative
of Sigma, and d sigma^2 = 2 sigma^2 d log sigma, the scores of a cluster are

    X'V^-1 r,    (r'V^-1 Z S_a Z'V^-1 r - tr Z'V^-1 Z S_a) / 2,    sigma^2 (r'V^-2 r - tr V^-1),

and the Hessian follows from these by d V^-1 = -V^-1 (dV) V^-1 and d^2 Sigma = E_a E_b' + E_b E_a'.

Source: manual [ME] meglm, Remarks, eq. (2); Laird and Ware (1982), Biometrics 38, 963-974.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.kernel import laid_out
from memagic.engine.kernel_linear import (
    ClusterRows,
    cluster_derivatives,
    cluster_log_likelihood,
    cluster_products,
    residual_products,
)
from memagic.engine.objective import Evaluation
from memagic.engine.problem import Problem

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# The Hessian has sigma^4, which is infinite beyond.
_MOST_LOG_SIGMA = 0.25 * float(np.log(np.finfo(float).max))

__all__ = ["ClusterMeans", "LinearObjective", "cluster_means"]


class LinearObjective:
    """Exact log likelihood of a model with one level over theta = (beta, omega, log sigma).

    What does not depend on theta is made once: Z'Z and Z'X by cluster, and X'X in all.
    """

    def __init__(self, problem: Problem) -> None:
        assert problem.structure is not None
        (level,) = problem.levels
        self._problem = problem
        self._structure = problem.structure
        y = problem.y if problem.offset is None else problem.y - problem.offset
        self._rows = ClusterRows(
            np.require(level.cluster, np.intp, ("C", "ALIGNED")),
            laid_out(level.z),
            laid_out(problem.x),
            laid_out(y),
        )
        self._products = cluster_products(self._rows, level.n_clusters)
        self._xx = problem.x.T @ problem.x

    def value(self, theta: Array) -> float:
        return float(self._by_cluster(theta).sum())

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The clusters' log likelihoods as a function of theta."""
        return self._by_cluster

    def _by_cluster(self, theta: Array) -> Array:
        parameters = self._problem.unpack(theta)
        residuals = residual_products(self._rows, parameters.beta, len(self._products.sizes))
        factor = self._structure.factor(parameters.omega)
        return cluster_log_likelihood(self._products, residuals, factor, float(parameters.phi[0]))

    def evaluate(self, theta: Array) -> Evaluation:
        parameters = self._problem.unpack(theta)
        basis = self._structure.basis
        p = self._problem.p
        factor, log_sigma = self._structure.factor(parameters.omega), float(parameters.phi[0])
        if log_sigma > _MOST_LOG_SIGMA:
            raise OverflowError("sigma^4 is infinite")
        half = basis @ factor.T
        change = half + half.transpose(0, 2, 1)
        residuals = residual_products(self._rows, parameters.beta, len(self._products.sizes))
        found = cluster_derivatives(self._products, residuals, factor, change, log_sigma)
        hessian = found.hessian
        hessian[:p, :p] -= self._xx * np.exp(-2.0 * log_sigma)
        flat = basis.reshape(len(basis), -1)
        hessian[p:-1, p:-1] += flat @ (found.second @ basis).reshape(flat.shape).T
        return Evaluation(float(found.log_l.sum()), found.scores, hessian)


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
    mean = float(means.mean())
    return ClusterMeans(len(means), mean, float(((means - mean) ** 2).sum()))
