"""Covariance structures of the random effects, on a scale that is smooth at zero variance.

Sigma = L L' with L linear in omega: L = sum_a omega_a E_a. Standard deviations for independent and
identity, the lower Cholesky factor for unstructured, and s1 (I - J/q) + s2 J/q for exchangeable.
Estimates are reported as variances and covariances, through the Jacobian of omega -> Sigma.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    """

    basis: Array
    start: Array
    entries: tuple[tuple[int, int], ...]

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


def independent(q: int) -> CovarianceStructure:
    """One variance for each effect."""
    basis = np.zeros((q, q, q))
    basis[np.arange(q), np.arange(q), np.arange(q)] = 1.0
    return CovarianceStructure(basis, np.ones(q), tuple((k, k) for k in range(q)))


def identity(q: int) -> CovarianceStructure:
    """One variance for all effects."""
    return CovarianceStructure(np.eye(q)[None], np.ones(1), ((0, 0),))


def unstructured(q: int) -> CovarianceStructure:
    """All variances and covariances; omega is the lower triangle of L, column by column."""
    places = [(r, c) for c in range(q) for r in range(c, q)]
    basis = np.zeros((len(places), q, q))
    for a, (r, c) in enumerate(places):
        basis[a, r, c] = 1.0
    start = np.array([float(r == c) for r, c in places])
    variances = tuple((k, k) for k in range(q))
    covariances = tuple((r, c) for r, c in places if r != c)
    return CovarianceStructure(basis, start, variances + covariances)


def exchangeable(q: int) -> CovarianceStructure:
    """One variance and one covariance; omega = (s1, s2)."""
    if q == 1:
        return identity(1)
    mean = np.full((q, q), 1.0 / q)
    return CovarianceStructure(np.stack([np.eye(q) - mean, mean]), np.ones(2), ((0, 0), (1, 0)))


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
        np.concatenate(basis), np.concatenate([s.start for s in structures]), (*variances, *covariances)
    )
