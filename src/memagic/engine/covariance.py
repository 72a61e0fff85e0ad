"""Covariance structures of the random effects, on a scale that is smooth at zero variance.

Sigma = L L' with L linear in omega: L = sum_a omega_a E_a. Standard deviations for independent and
identity, the lower Cholesky factor for unstructured, and s1 (I - J/q) + s2 J/q for exchangeable.
Estimates are reported as variances and covariances, through the Jacobian of omega -> Sigma.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

__all__ = ["CovarianceStructure", "block_diagonal", "exchangeable", "identity", "independent", "unstructured"]


@dataclass(frozen=True, slots=True)
class CovarianceStructure:
    """A covariance structure of q random effects with m parameters omega.

    Attributes
    ----------
    basis : ndarray, shape (m, q, q)
        E_a of L = sum_a omega_a E_a.
    start : ndarray, shape (m,)
        omega for unit variances and zero covariances.
    entries : tuple of (int, int)
        The m reported elements (row, column) of Sigma: variances first, then covariances.
    root : callable
        From the m reported elements to omega; nan where Sigma is not positive definite.
    """

    basis: Array
    start: Array
    entries: tuple[tuple[int, int], ...]
    root: Callable[[Array], Array]

    @property
    def q(self) -> int:
        return int(self.basis.shape[1])

    @property
    def size(self) -> int:
        return int(self.basis.shape[0])

    def factor(self, omega: Array) -> Array:
        """L, shape (q, q)."""
        return np.tensordot(omega, self.basis, axes=1)

    def sigma(self, omega: Array) -> Array:
        """Sigma = L L', shape (q, q)."""
        factor = self.factor(omega)
        return np.asarray(factor @ factor.T)

    def reported(self, omega: Array) -> Array:
        """The reported elements of Sigma, shape (m,)."""
        sigma = self.sigma(omega)
        return np.array([sigma[r, c] for r, c in self.entries])

    def jacobian(self, omega: Array) -> Array:
        """D reported / d omega, shape (m, m)."""
        product = self.basis @ self.factor(omega).T
        change = product + product.transpose(0, 2, 1)
        return np.array([change[:, r, c] for r, c in self.entries]).reshape(self.size, self.size)

    def from_reported(self, entries: Array) -> Array:
        """The omega of the reported elements, shape (m,); nan where Sigma is not positive definite."""
        return self.root(entries)

    @property
    def curvature(self) -> Array:
        """D^2 reported / d omega d omega', the same everywhere, shape (m, m, m), reported first."""
        product = np.einsum("aij,bkj->abik", self.basis, self.basis)
        change = product + product.transpose(1, 0, 2, 3)
        return np.array([change[:, :, r, c] for r, c in self.entries]).reshape((self.size,) * 3)


def independent(q: int) -> CovarianceStructure:
    """One variance for each effect."""
    basis = np.zeros((q, q, q))
    basis[np.arange(q), np.arange(q), np.arange(q)] = 1.0
    return CovarianceStructure(basis, np.ones(q), tuple((k, k) for k in range(q)), _deviations)


def identity(q: int) -> CovarianceStructure:
    """One variance for all effects."""
    return CovarianceStructure(np.eye(q)[None], np.ones(1), ((0, 0),), _deviations)


def unstructured(q: int) -> CovarianceStructure:
    """All variances and covariances; omega is the lower triangle of L, column by column."""
    places = [(r, c) for c in range(q) for r in range(c, q)]
    basis = np.zeros((len(places), q, q))
    for a, (r, c) in enumerate(places):
        basis[a, r, c] = 1.0
    start = np.array([float(r == c) for r, c in places])
    variances = tuple((k, k) for k in range(q))
    covariances = tuple((r, c) for r, c in places if r != c)
    return CovarianceStructure(basis, start, variances + covariances, partial(_cholesky, q))


def exchangeable(q: int) -> CovarianceStructure:
    """One variance and one covariance; omega = (s1, s2)."""
    if q == 1:
        return identity(1)
    mean = np.full((q, q), 1.0 / q)
    return CovarianceStructure(
        np.stack([np.eye(q) - mean, mean]), np.ones(2), ((0, 0), (1, 0)), partial(_symmetric, q)
    )


def block_diagonal(structures: Sequence[CovarianceStructure]) -> CovarianceStructure:
    """Independent sets of effects, each with its own structure: levels, or equations at one level.

    The reported elements are the variances of all sets, then their covariances.
    """
    q = sum(s.q for s in structures)
    basis: list[Array] = []
    entries: list[tuple[int, int]] = []
    first = 0
    for s in structures:
        wide = np.zeros((s.size, q, q))
        wide[:, first : first + s.q, first : first + s.q] = s.basis
        basis.append(wide)
        entries += [(r + first, c + first) for r, c in s.entries]
        first += s.q
    variances = [entry for entry in entries if entry[0] == entry[1]]
    covariances = [entry for entry in entries if entry[0] != entry[1]]
    return CovarianceStructure(
        np.concatenate(basis),
        np.concatenate([s.start for s in structures]),
        (*variances, *covariances),
        partial(_one_by_one, tuple(structures)),
    )


def _deviations(variances: Array) -> Array:
    """Standard deviations."""
    return np.sqrt(np.where(variances > 0.0, variances, np.nan))


def _symmetric(q: int, entries: Array) -> Array:
    """(s1, s2) of one variance and one covariance: the roots of Sigma's two eigenvalues."""
    variance, covariance = entries
    return _deviations(np.array([variance - covariance, variance + (q - 1) * covariance]))


def _cholesky(q: int, entries: Array) -> Array:
    """The lower triangle of the Cholesky factor, column by column, of variances and covariances."""
    lower = [(r, c) for c in range(q) for r in range(c, q)]
    off_diagonal = [(r, c) for r, c in lower if r != c]
    sigma = np.diag(entries[:q])
    for (r, c), value in zip(off_diagonal, entries[q:], strict=True):
        sigma[r, c] = sigma[c, r] = value
    try:
        factor = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        return np.full(len(lower), np.nan)
    return np.array([factor[r, c] for r, c in lower])


def _one_by_one(structures: tuple[CovarianceStructure, ...], entries: Array) -> Array:
    """Omega of block-diagonal sets, whose variances come before all covariances."""
    n_variances = [sum(r == c for r, c in s.entries) for s in structures]
    variance, covariance = 0, sum(n_variances)
    omega = []
    for s, n in zip(structures, n_variances, strict=True):
        own = np.append(entries[variance : variance + n], entries[covariance : covariance + s.size - n])
        omega.append(s.from_reported(own))
        variance, covariance = variance + n, covariance + s.size - n
    return np.concatenate(omega)
