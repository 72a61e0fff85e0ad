"""The arrays of a model and its parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from memagic.engine.covariance import CovarianceStructure, block_diagonal
from memagic.engine.families import Family

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Level", "Parameters", "Problem", "unpacked"]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parts of theta.

    Attributes
    ----------
    beta : ndarray, shape (p,)
        Coefficients of the fixed-effects equation.
    omega : ndarray, shape (m,)
        Parameters of the covariance structures, highest level first.
    phi : ndarray, shape (n_phi,)
        The family's own parameters.
    """

    beta: Array
    omega: Array
    phi: Array


def unpacked(theta: Array, p: int, n_omega: int) -> Parameters:
    """The parts of theta = (beta, omega, phi), shape (d,)."""
    return Parameters(theta[:p], theta[p : p + n_omega], theta[p + n_omega :])


@dataclass(frozen=True, slots=True)
class Level:
    """Random effects at one level.

    Attributes
    ----------
    cluster : ndarray of int, shape (n,)
        Codes 0..M-1 of the groups, counted within the groups of the level above.
    z : ndarray, shape (n, q)
    structure : CovarianceStructure
    weight : ndarray, shape (M,), or None
        Weights of the groups; None where all are one.
    """

    cluster: Index
    z: Array
    structure: CovarianceStructure
    weight: Array | None = None

    @property
    def n_clusters(self) -> int:
        return int(self.cluster.max()) + 1


@dataclass(frozen=True)
class Problem:
    """A model with nested levels of random effects, or a plain one without any.

    Attributes
    ----------
    family : Family
    y : ndarray, shape (n,)
    x : ndarray, shape (n, p)
    offset : ndarray, shape (n,), or None
    trials : ndarray, shape (n,), or float
        Number of trials of a binomial response, else 1.
    levels : tuple of Level
        Highest first; empty without random effects.
    weight : ndarray, shape (n,), or None
        Weights of the observations within the groups of the lowest level; None where all are one.
    structure : CovarianceStructure or None
        Of the effects of all levels together; None without random effects.
    """

    family: Family
    y: Array
    x: Array
    offset: Array | None = None
    trials: Array | float = 1.0
    levels: tuple[Level, ...] = ()
    weight: Array | None = None
    structure: CovarianceStructure | None = field(init=False)

    def __post_init__(self) -> None:
        structures = [level.structure for level in self.levels]
        object.__setattr__(self, "structure", block_diagonal(structures) if structures else None)

    @property
    def p(self) -> int:
        return int(self.x.shape[1])

    @property
    def structures(self) -> tuple[CovarianceStructure, ...]:
        """By level, highest first."""
        return tuple(level.structure for level in self.levels)

    @property
    def n_omega(self) -> int:
        return 0 if self.structure is None else self.structure.size

    @property
    def n_clusters(self) -> int:
        """Groups of the highest level."""
        return self.levels[0].n_clusters if self.levels else 0

    @property
    def weighted(self) -> bool:
        """Whether observations or groups of any level have weights."""
        return self.weight is not None or any(level.weight is not None for level in self.levels)

    @property
    def overall_weight(self) -> Array | None:
        """An observation's weight times those of its groups, shape (n,)."""
        if not self.weighted:
            return None
        overall = np.ones(len(self.y)) if self.weight is None else self.weight.copy()
        for level in self.levels:
            if level.weight is not None:
                overall *= level.weight[level.cluster]
        return overall

    @property
    def constant(self) -> float:
        """The terms of the log likelihood that are free of parameters."""
        terms = self.family.constant(self.y, self.trials)
        overall = self.overall_weight
        return float(terms.sum() if overall is None else (terms * overall).sum())

    @property
    def mean_square_z(self) -> Array:
        """Mean squares of the columns of Z, all levels, shape (Q,)."""
        return np.concatenate(
            [np.einsum("iq,iq->q", level.z, level.z) / len(level.z) for level in self.levels]
        )

    @property
    def mean_products_x(self) -> Array:
        """X'X/n, shape (p, p)."""
        return np.asarray(self.x.T @ self.x / len(self.y))

    @property
    def mean_products_z(self) -> Array:
        """Z'Z/n, all levels, shape (Q, Q)."""
        z = np.concatenate([level.z for level in self.levels], axis=1)
        return np.asarray(z.T @ z / len(z))

    def unpack(self, theta: Array) -> Parameters:
        """The parts of theta = (beta, omega, phi)."""
        return unpacked(theta, self.p, self.n_omega)

    def fixed_part(self, beta: Array) -> Array:
        """X beta + offset, shape (n,)."""
        eta = self.x @ beta
        return np.asarray(eta if self.offset is None else eta + self.offset)
