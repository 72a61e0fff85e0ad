"""A model whose rows are in parts elsewhere, and what starting values ask of rows here or there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from memagic.engine.covariance import CovarianceStructure, block_diagonal
from memagic.engine.families import Family
from memagic.engine.linear import ClusterMeans, cluster_means
from memagic.engine.moments import MomentSums, moment_sums
from memagic.engine.objective import Objective
from memagic.engine.parts import Hosted, PartedObjective
from memagic.engine.plain import PlainObjective, plain_start
from memagic.engine.problem import Parameters, Problem, unpacked

Array = NDArray[np.float64]

__all__ = [
    "AnyProblem",
    "Home",
    "PartedProblem",
    "RowSums",
    "first_beta_and_phi",
    "level_means",
    "phi_at_zero",
    "plain_objective",
    "row_sums",
    "sums_of_moments",
    "without_effects",
]


class Home(Hosted, Protocol):
    """Where parts live."""

    def prepared(self, make: Callable[..., object]) -> Home:
        """What `make` makes of each part, kept where the part lives. It can be pickled."""


@dataclass(frozen=True, slots=True)
class RowSums:
    """Sums over the rows of a problem.

    Attributes
    ----------
    n : int
        Rows.
    n_clusters : int
        Groups of the highest level.
    largest : int
        Rows of the largest of them.
    x : ndarray, shape (p, p)
        X'X.
    z : ndarray, shape (Q, Q)
        Z'Z, all levels.
    """

    n: int
    n_clusters: int
    largest: int
    x: Array
    z: Array

    def __add__(self, other: RowSums) -> RowSums:
        return RowSums(
            self.n + other.n,
            self.n_clusters + other.n_clusters,
            max(self.largest, other.largest),
            self.x + other.x,
            self.z + other.z,
        )


def row_sums(problem: Problem) -> RowSums:
    """The sums over a problem's rows."""
    z = np.concatenate([np.empty((len(problem.y), 0)), *(level.z for level in problem.levels)], axis=1)
    sizes = np.bincount(problem.levels[0].cluster) if problem.levels else np.zeros(1, dtype=np.intp)
    n_clusters = len(sizes) if problem.levels else 0
    return RowSums(len(problem.y), n_clusters, int(sizes.max()), problem.x.T @ problem.x, z.T @ z)


@dataclass(frozen=True)
class PartedProblem:
    """A model with nested levels, or none, whose rows are in parts of whole top-level groups.

    Attributes
    ----------
    family : Family
    structures : tuple of CovarianceStructure
        By level, highest first.
    sums : RowSums
    problems : Home
        The `Problem` of each part.
    """

    family: Family
    structures: tuple[CovarianceStructure, ...]
    sums: RowSums
    problems: Home

    @property
    def structure(self) -> CovarianceStructure | None:
        """Of the effects of all levels together."""
        return block_diagonal(list(self.structures)) if self.structures else None

    @property
    def p(self) -> int:
        return len(self.sums.x)

    @property
    def n_omega(self) -> int:
        return sum(structure.size for structure in self.structures)

    @property
    def n_clusters(self) -> int:
        """Groups of the highest level."""
        return self.sums.n_clusters

    @property
    def mean_products_x(self) -> Array:
        """X'X/n, shape (p, p)."""
        return self.sums.x / self.sums.n

    @property
    def mean_products_z(self) -> Array:
        """Z'Z/n, all levels, shape (Q, Q)."""
        return self.sums.z / self.sums.n

    @property
    def mean_square_z(self) -> Array:
        """Mean squares of the columns of Z, all levels, shape (Q,)."""
        return np.diag(self.mean_products_z)

    def unpack(self, theta: Array) -> Parameters:
        """The parts of theta = (beta, omega, phi)."""
        return unpacked(theta, self.p, self.n_omega)


AnyProblem: TypeAlias = Problem | PartedProblem


# --- the model without random effects ---------------------------------------------------------------


def without_effects(problem: AnyProblem, columns: list[int]) -> AnyProblem:
    """The model without random effects and with some of the coefficients."""
    if isinstance(problem, PartedProblem):
        sums = replace(problem.sums, x=problem.sums.x[np.ix_(columns, columns)], z=np.empty((0, 0)))
        there = problem.problems.prepared(partial(_without_effects, columns=columns))
        return PartedProblem(problem.family, (), sums, there)
    return _without_effects(problem, columns)


def _without_effects(problem: Problem, columns: list[int]) -> Problem:
    return replace(problem, x=problem.x[:, columns], levels=(), weight=problem.overall_weight)


def plain_objective(problem: AnyProblem) -> Objective:
    """The log likelihood of a model without random effects."""
    if isinstance(problem, PartedProblem):
        return PartedObjective(problem.problems.prepared(PlainObjective))
    return PlainObjective(problem)


def first_beta_and_phi(problem: AnyProblem) -> Array:
    """Theta = (beta, phi) to start from, shape (p + n_phi,); see `plain_start`.

    Over parts these are averages of the parts' own, the coefficients' weighted by X'X.
    """
    if not isinstance(problem, PartedProblem):
        return plain_start(problem)
    products = sum(problem.problems.each(_products_with_start), start=np.zeros(problem.p))
    beta = np.asarray(np.linalg.lstsq(problem.sums.x, products, rcond=None)[0])
    return np.concatenate([beta, _phi(problem, beta)])


def _products_with_start(problem: Problem) -> Array:
    """X'X beta, at the first beta of the part."""
    beta = problem.family.initial_beta(problem.x, problem.y, problem.trials, problem.offset)
    return np.asarray(problem.x.T @ (problem.x @ beta))


def phi_at_zero(problem: AnyProblem) -> Array:
    """The family's parameters that coefficients of zero suggest, shape (n_phi,)."""
    beta = np.zeros(problem.p)
    return _phi(problem, beta) if isinstance(problem, PartedProblem) else _initial_phi(problem, beta)


def _phi(problem: PartedProblem, beta: Array) -> Array:
    """The average of what the parts' rows suggest; of variances where phi is a standard deviation's log."""
    total = sum(problem.problems.each(_weighted_phi, beta), start=np.zeros(problem.family.n_phi))
    mean = np.asarray(total / problem.sums.n)
    return 0.5 * np.log(mean) if problem.family.reports_variance else mean


def _weighted_phi(problem: Problem, beta: Array) -> Array:
    phi = _initial_phi(problem, beta)
    return len(problem.y) * (np.exp(2.0 * phi) if problem.family.reports_variance else phi)


def _initial_phi(problem: Problem, beta: Array) -> Array:
    return problem.family.initial_phi(problem.fixed_part(beta), problem.y)


# --- variances --------------------------------------------------------------------------------------


def level_means(problem: AnyProblem, beta: Array) -> list[ClusterMeans]:
    """The groups' mean residuals at every level, summed up, at coefficients of shape (p,)."""
    if not isinstance(problem, PartedProblem):
        return _level_means(problem, beta)
    first, *others = problem.problems.each(_level_means, beta)
    found: list[ClusterMeans] = first
    for part in others:
        found = [one + other for one, other in zip(found, part, strict=True)]
    return found


def _level_means(problem: Problem, beta: Array) -> list[ClusterMeans]:
    residual = problem.y - problem.fixed_part(beta)
    return [cluster_means(level.cluster, residual) for level in problem.levels]


def sums_of_moments(problem: AnyProblem, beta: Array, phi: Array) -> MomentSums:
    """What the moments of the residuals are computed from; arguments as in `Parameters`."""
    if not isinstance(problem, PartedProblem):
        return moment_sums(problem, beta, phi)
    first, *others = problem.problems.each(moment_sums, beta, phi)
    total: MomentSums = first
    for part in others:
        total = total + part
    return total
