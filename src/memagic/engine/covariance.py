"""Covariance structures of the random effects, on a scale that is smooth at zero variance.

Sigma = L L' with L linear in omega: L = sum_a omega_a E_a. Standard deviations for independent and
identity, the lower Cholesky factor for unstructured, and s1 (I - J/q) + s2 J/q for exchangeable.
Estimates are reported as variances and covariances, through the Jacobian of omega -> Sigma.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Share of the largest variance below which what a Cholesky factorization leaves over is rounding.
_ROUNDING = 1e-12

__all__ = [
    "INVERSES",
    "CovarianceStructure",
    "block_diagonal",
    "exchangeable",
    "identity",
    "independent",
    "unstructured",
]


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
    inverse : callable
        omega for given reported elements.
    elements : tuple of (int, int, int, float)
        Where the basis is not zero: a, row, column and value.
    """

    basis: Array
    start: Array
    entries: tuple[tuple[int, int], ...]
    inverse: Callable[[Array], Array]
    elements: tuple[tuple[int, int, int, float], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = [(int(a), int(r), int(c), float(self.basis[a, r, c])) for a, r, c in np.argwhere(self.basis)]
        object.__setattr__(self, "elements", tuple(found))

    @property
    def q(self) -> int:
        return int(self.basis.shape[1])

    @property
    def size(self) -> int:
        return int(self.basis.shape[0])

    def factor(self, omega: Array) -> Array:
        """L, shape (q, q)."""
        size, q, _ = self.basis.shape
        return np.asarray(omega @ self.basis.reshape(size, q * q)).reshape(q, q)

    def sigma(self, omega: Array) -> Array:
        """Sigma = L L', shape (q, q)."""
        factor = self.factor(omega)
        return np.asarray(factor @ factor.T)

    def reported(self, omega: Array) -> Array:
        """The reported elements of Sigma, shape (m,)."""
        sigma = self.sigma(omega)
        return np.array([sigma[r, c] for r, c in self.entries])

    def from_reported(self, values: Array) -> Array:
        """Omega, shape (m,), at which `values` are the reported elements of Sigma.

        Raises
        ------
        numpy.linalg.LinAlgError
            Sigma would not be positive semidefinite.
        """
        if not np.isfinite(values).all():
            raise np.linalg.LinAlgError("elements of Sigma are missing")
        return self.inverse(np.asarray(values, dtype=float))

    def jacobian(self, omega: Array) -> Array:
        """D reported / d omega, shape (m, m)."""
        product = self.basis @ self.factor(omega).T
        change = product + product.transpose(0, 2, 1)
        return np.array([change[:, r, c] for r, c in self.entries]).reshape(self.size, self.size)

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
    return CovarianceStructure(basis, np.ones(q), tuple((k, k) for k in range(q)), _roots)


def identity(q: int) -> CovarianceStructure:
    """One variance for all effects."""
    return CovarianceStructure(np.eye(q)[None], np.ones(1), ((0, 0),), _roots)


def unstructured(q: int) -> CovarianceStructure:
    """All variances and covariances; omega is the lower triangle of L, column by column."""
    places = [(r, c) for c in range(q) for r in range(c, q)]
    basis = np.zeros((len(places), q, q))
    for a, (r, c) in enumerate(places):
        basis[a, r, c] = 1.0
    start = np.array([float(r == c) for r, c in places])
    variances = tuple((k, k) for k in range(q))
    covariances = tuple((r, c) for r, c in places if r != c)
    inverse = partial(_cholesky, variances + covariances)
    return CovarianceStructure(basis, start, variances + covariances, inverse)


def exchangeable(q: int) -> CovarianceStructure:
    """One variance and one covariance; omega = (s1, s2)."""
    if q == 1:
        return identity(1)
    mean = np.full((q, q), 1.0 / q)
    basis = np.stack([np.eye(q) - mean, mean])
    return CovarianceStructure(basis, np.ones(2), ((0, 0), (1, 0)), partial(_eigenvalue_roots, q))


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
    merged = (*variances, *covariances)
    places = np.array([merged.index(entry) for entry in entries], dtype=np.intp)
    inverse = partial(_set_by_set, tuple(structures), places)
    return CovarianceStructure(
        np.concatenate(basis), np.concatenate([s.start for s in structures]), merged, inverse
    )


def _roots(values: Array) -> Array:
    """Standard deviations."""
    if (values < 0.0).any():
        raise np.linalg.LinAlgError("a variance is negative")
    return np.sqrt(values)


def _eigenvalue_roots(q: int, values: Array) -> Array:
    """s1 and s2 of an exchangeable structure: roots of its two eigenvalues."""
    variance, covariance = values
    return _roots(np.array([variance - covariance, variance + (q - 1) * covariance]))


def _cholesky(entries: tuple[tuple[int, int], ...], values: Array) -> Array:
    """The lower triangle of L, column by column; a variance of zero leaves its column at zero."""
    q = max(r for r, _ in entries) + 1
    sigma = np.zeros((q, q))
    for (r, c), value in zip(entries, values, strict=True):
        sigma[r, c] = sigma[c, r] = value
    factor = np.zeros((q, q))
    for c in range(q):
        rest = sigma[c:, c] - factor[c:, :c] @ factor[c, :c]
        if rest[0] > 0.0:
            factor[c:, c] = rest / np.sqrt(rest[0])
        elif (np.abs(rest) > _ROUNDING * max(float(np.abs(np.diag(sigma)).max()), 1e-300)).any():
            raise np.linalg.LinAlgError("Sigma is not positive semidefinite")
    return np.concatenate([factor[c:, c] for c in range(q)])


def _set_by_set(structures: tuple[CovarianceStructure, ...], places: Index, values: Array) -> Array:
    """Omega of independent sets; `places` has the sets' entries one set after the other."""
    parts: list[Array] = []
    first = 0
    for s in structures:
        parts.append(s.inverse(values[places[first : first + s.size]]))
        first += s.size
    return np.concatenate(parts)


INVERSES: dict[str, Callable[..., Array]] = {
    "roots": _roots,
    "eigenvalue roots": _eigenvalue_roots,
    "Cholesky": _cholesky,
    "set by set": _set_by_set,
}
"""What `inverse` may be, with the first arguments given: functions by the names that files have for them."""
