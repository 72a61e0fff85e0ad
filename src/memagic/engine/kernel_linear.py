"""The compiled closed form of a Gaussian response, cluster by cluster; its source is src/native/linear.h."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine import _kernel
from memagic.engine.kernel import laid_out

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = [
    "ClusterDerivatives",
    "ClusterProducts",
    "ClusterRows",
    "Residuals",
    "cluster_derivatives",
    "cluster_log_likelihood",
    "cluster_products",
    "residual_products",
]


@dataclass(frozen=True, slots=True)
class ClusterRows:
    """Rows in any order and the clusters that they are in.

    Attributes
    ----------
    cluster : ndarray of int, shape (n,)
        Codes 0..M-1.
    z : ndarray, shape (n, q)
    x : ndarray, shape (n, p)
    y : ndarray, shape (n,)
        Less the offset.
    """

    cluster: Index
    z: Array
    x: Array
    y: Array


@dataclass(frozen=True, slots=True)
class ClusterProducts:
    """Cross products of the rows, by cluster.

    Attributes
    ----------
    sizes : ndarray, shape (M,)
        Rows.
    zz : ndarray, shape (M, q, q)
        Z'Z.
    zx : ndarray, shape (M, q, p)
        Z'X.
    """

    sizes: Array
    zz: Array
    zx: Array


@dataclass(frozen=True, slots=True)
class Residuals:
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


@dataclass(frozen=True, slots=True)
class ClusterDerivatives:
    """What the log likelihood and its derivatives are made of, d = p + m + 1.

    Attributes
    ----------
    log_l : ndarray, shape (M,)
    scores : ndarray, shape (M, d)
    hessian : ndarray, shape (d, d)
        Without -X'X / sigma^2 and without what follows from `second`.
    second : ndarray, shape (q, q)
        Sum of Z'V^-1 (r r' - V) V^-1 Z, which d^2 Sigma / d omega_a d omega_b multiplies.
    """

    log_l: Array
    scores: Array
    hessian: Array
    second: Array


def cluster_products(rows: ClusterRows, n_clusters: int) -> ClusterProducts:
    """Sizes, Z'Z and Z'X of the clusters."""
    q, p = rows.z.shape[1], rows.x.shape[1]
    products = ClusterProducts(
        np.zeros(n_clusters), np.zeros((n_clusters, q, q)), np.zeros((n_clusters, q, p))
    )
    _kernel.cluster_products(rows.cluster, rows.z, rows.x, products.sizes, products.zz, products.zx)
    return products


def residual_products(rows: ClusterRows, beta: Array, n_clusters: int) -> Residuals:
    """Z'r, X'r and r'r of the clusters at coefficients of shape (p,), summed row by row."""
    q, p = rows.z.shape[1], rows.x.shape[1]
    residuals = Residuals(np.zeros((n_clusters, q)), np.zeros((n_clusters, p)), np.zeros(n_clusters))
    _kernel.residual_products(
        rows.cluster,
        rows.z,
        rows.x,
        rows.y,
        laid_out(beta),
        residuals.z_r,
        residuals.x_r,
        residuals.r_r,
    )
    return residuals


def cluster_log_likelihood(
    products: ClusterProducts, residuals: Residuals, factor: Array, log_sigma: float
) -> Array:
    """Log L by cluster, shape (M,); nan where V is not positive definite to working accuracy.

    Parameters
    ----------
    factor : ndarray, shape (q, q)
        L of Sigma = L L'.
    """
    log_l = np.empty(len(products.sizes))
    _kernel.linear_likelihood(
        products.sizes,
        products.zz,
        products.zx,
        residuals.z_r,
        residuals.x_r,
        residuals.r_r,
        np.ascontiguousarray(factor),
        np.empty(0),
        log_sigma,
        log_l,
        None,
        None,
        None,
    )
    return log_l


def cluster_derivatives(
    products: ClusterProducts, residuals: Residuals, factor: Array, change: Array, log_sigma: float
) -> ClusterDerivatives:
    """Log L by cluster and its derivatives in (beta, omega, log sigma).

    Parameters
    ----------
    factor : ndarray, shape (q, q)
        L of Sigma = L L'.
    change : ndarray, shape (m, q, q)
        D Sigma / d omega_a.
    """
    n_clusters, p = residuals.x_r.shape
    d = p + len(change) + 1
    out = ClusterDerivatives(
        np.empty(n_clusters), np.empty((n_clusters, d)), np.zeros((d, d)), np.zeros(factor.shape)
    )
    _kernel.linear_likelihood(
        products.sizes,
        products.zz,
        products.zx,
        residuals.z_r,
        residuals.x_r,
        residuals.r_r,
        np.ascontiguousarray(factor),
        np.ascontiguousarray(change),
        log_sigma,
        out.log_l,
        out.scores,
        out.hessian,
        out.second,
    )
    return out
