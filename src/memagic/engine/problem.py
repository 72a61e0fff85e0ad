"""The arrays of a model and its parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from memagic.engine.covariance import CovarianceStructure, block_diagonal
from memagic.engine.families import Family

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Level", "Parameters", "Problem"]


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


@dataclass(frozen=True, slots=True)
class Level:
    """Random effects at one level.

    Attributes
    ----------
    cluster : ndarray of int, shape (n,)
        Codes 0..M-1 of the groups, counted within the groups of the level above.
    z : ndarray, shape (n, q)
    structure : CovarianceStructure
    """

    cluster: Index
    z: Array
    structure: CovarianceStructure

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
    structure : CovarianceStructure or None
        Of the effects of all levels together; None without random effects.
    """

    family: Family
    y: Array
    x: Array
    offset: Array | None = None
    trials: Array | float = 1.0
    levels: tuple[Level, ...] = ()
    structure: CovarianceStructure | None = field(init=False)

    def __post_init__(self) -> None:
        structures = [level.structure for level in self.levels]
        object.__setattr__(self, "structure", block_diagonal(structures) if structures else None)

    @property
    def p(self) -> int:
        return int(self.x.shape[1])

    @property
    def n_omega(self) -> int:
        return 0 if self.structure is None else self.structure.size

    @property
    def n_clusters(self) -> int:
        """Groups of the highest level."""
        return self.levels[0].n_clusters if self.levels else 0

    @property
    def mean_square_z(self) -> Array:
        """Mean squares of the columns of Z, all levels, shape (Q,)."""
        return np.concatenate(
            [np.einsum("iq,iq->q", level.z, level.z) / len(level.z) for level in self.levels]
        )

    def unpack(self, theta: Array) -> Parameters:
        """The parts of theta = (beta, omega, phi)."""
        p, m = self.p, self.n_omega
        return Parameters(theta[:p], theta[p : p + m], theta[p + m :])

    def fixed_part(self, beta: Array) -> Array:
        """X beta + offset, shape (n,)."""
        eta = self.x @ beta
        return np.asarray(eta if self.offset is None else eta + self.offset)
