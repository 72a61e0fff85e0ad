"""The log likelihood over what linear constraints leave free.

Constraints are linear in the elements of Sigma, which are quadratic in omega. Where a constraint
touches a set of elements, these are parameters themselves; all others stay on the scale of omega,
which is smooth at zero variance. Likewise for a residual variance. A variance that is free enters as
the square of its gamma, so that it may go to zero as well.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from memagic.engine.constraints import LinearConstraints, solve
from memagic.engine.coordinates import problem_coordinates
from memagic.engine.covariance import CovarianceStructure
from memagic.engine.events import Event, Iteration, Listener
from memagic.engine.objective import Derivatives, Evaluation, Objective
from memagic.engine.parted import AnyProblem
from memagic.engine.space import Space, Whole
from memagic.engine.steps import Coordinates

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

__all__ = ["RestrictedObjective", "Restriction", "space_of"]

# Of the variances at the start, in the order in which they are tried: constraints may hold others
# at values that the usual ones do not go with.
_FACTORS = (1.0, 0.25, 4.0, 0.04, 25.0, 0.01, 100.0, 1e-4, 1e4)
# A start at a variance of zero would be a saddle point, where no step leads away.
_LEAST_VARIANCE = 1e-8


class Restriction:
    """Constraints on the parameters of a problem, and the way from gamma to theta.

    The way leads over `mixed`, which has the places of tau: the elements of Sigma and the residual
    variance where a constraint touches them, and theta's own parameters elsewhere.

    Parameters
    ----------
    problem : Problem
    constraints : LinearConstraints
        On tau = (beta, the reported elements of Sigma, the family's reported parameters).

    Attributes
    ----------
    solution : Solution
        Mixed = T gamma + t, with the squares of some gamma in their place.
    constraints : LinearConstraints
        Those that are not implied by others.

    Raises
    ------
    InconsistentConstraints
        No parameters satisfy them.
    """

    def __init__(self, problem: AnyProblem, constraints: LinearConstraints) -> None:
        self._problem = problem
        self.solution = solve(constraints)
        self.constraints = constraints.rows(self.solution.kept)
        p, m, d = problem.p, problem.n_omega, constraints.matrix.shape[1]
        self._entries, self._phi = slice(p, p + m), slice(p + m, d)
        touched = np.asarray(self.constraints.matrix.any(axis=0))
        # For each place in mixed, the place of its own in theta where it is theta's own parameter.
        self._place = np.arange(d)
        self._element = np.zeros(d, dtype=bool)
        self._from_element = np.zeros(d, dtype=bool)
        for entries, omegas in _sets(problem.structure):
            self._place[p + entries] = p + omegas
            self._element[p + entries] = self._from_element[p + omegas] = touched[p + entries].any()
        self._squared = self._free_variances()
        self._variance = np.zeros(d, dtype=bool)
        self._variance[self._phi] = touched[self._phi] & problem.family.reports_variance

    @property
    def held(self) -> tuple[bool, ...]:
        """Which of tau have a value that the constraints give them."""
        return tuple(not row.any() for row in self.solution.basis)

    def theta(self, gamma: Array) -> Array:
        """Shape (d,); nan where Sigma or the residual variance is not positive definite."""
        mixed = self._affine(gamma)
        theta = np.empty_like(mixed)
        theta[self._place] = mixed
        if self._element.any():
            # Elements that are not touched are independent of those that are: any values do.
            structure = self._structure
            elements = structure.reported(structure.start)
            own = self._element[self._entries]
            elements[own] = mixed[self._entries][own]
            theta[self._from_element] = _regular(structure, elements)[self._from_element[self._entries]]
        with np.errstate(divide="ignore", invalid="ignore"):
            theta[self._variance] = 0.5 * np.log(mixed[self._variance])
        return theta

    def estimates(self, gamma: Array) -> tuple[Array, Array]:
        """What is reported, shape (d,), and its derivative in gamma, shape (d, f)."""
        mixed = self._affine(gamma)
        parts = self._problem.unpack(self.theta(gamma))
        tau, slope = mixed.copy(), np.eye(len(mixed))
        phi, phi_slope = self._problem.family.report_phi(parts.phi)
        free = ~self._variance[self._phi]
        tau[self._phi][free] = phi[free]
        slope[self._phi, self._phi][free, free] = phi_slope[free]
        if self._problem.structure is not None:
            # Column by column from omega to the places that carry it.
            jacobian = self._structure.jacobian(parts.omega)[:, self._place[self._entries] - self._problem.p]
            carried = ~self._element[self._entries]
            tau[self._entries][carried] = self._structure.reported(parts.omega)[carried]
            slope[self._entries, self._entries][np.ix_(carried, carried)] = jacobian[np.ix_(carried, carried)]
        return tau, slope @ self._basis(gamma)

    def start(self, values: Array) -> Array:
        """The gamma nearest to reported values at which Sigma is positive definite, shape (f,).

        Where it is not at the nearest one, all elements of Sigma are tried larger and smaller; where
        none will do, the nearest one is returned.
        """
        candidates = []
        for factor in _FACTORS:
            scaled = values.copy()
            scaled[self._entries] *= factor
            gamma = self.solution.nearest(self._mixed(scaled))
            gamma[self._squared] = np.sqrt(np.maximum(gamma[self._squared], _LEAST_VARIANCE))
            candidates.append(gamma)
        feasible = (gamma for gamma in candidates if np.isfinite(self.theta(gamma)).all())
        return next(feasible, candidates[0])

    def slope(self, gamma: Array) -> Array:
        """D theta / d gamma, shape (d, f)."""
        return np.asarray(self._slope(self.theta(gamma)) @ self._basis(gamma))

    def bend(self, gamma: Array, gradient: Array) -> Array:
        """sum_k gradient_k d^2 theta_k / d gamma d gamma', shape (f, f)."""
        theta = self.theta(gamma)
        slope = self._slope(theta)
        second = np.zeros((len(theta), len(theta)))
        if self._element.any():
            # s(omega(s)) = s, differentiated twice: omega'' = -J^-1 s''(omega', omega').
            inverse = slope[np.ix_(self._from_element, self._element)]
            rows, columns = self._element[self._entries], self._from_element[self._entries]
            elements = self._structure.curvature[np.ix_(rows, columns, columns)]
            weights = gradient[self._from_element] @ inverse
            part = np.tensordot(weights, elements, axes=1)
            second[np.ix_(self._element, self._element)] = -inverse.T @ part @ inverse
        # phi = log(variance) / 2, so that phi'' = -2 phi'^2.
        at = np.flatnonzero(self._variance)
        second[at, at] = -2.0 * gradient[at] * slope[at, at] ** 2
        basis = self._basis(gamma)
        bend = basis.T @ second @ basis
        squared = np.flatnonzero(self._squared)
        bend[squared, squared] += 2.0 * (gradient @ slope @ self.solution.basis)[squared]
        return np.asarray(bend)

    def objective(self, objective: Objective) -> Objective:
        """The same log likelihood over gamma."""
        return RestrictedObjective(objective, self)

    def coordinates(self, start: Array) -> Coordinates:
        """Directions in gamma that move the linear predictor as those in theta do."""
        base = problem_coordinates(self._problem, self.theta(start))
        outward = np.linalg.inv(base.directions)
        _, sizes, turn = np.linalg.svd(outward @ self.slope(start), full_matrices=False)
        directions = turn.T / np.maximum(sizes, 1e-8 * sizes.max(initial=0.0))

        def limit(gamma: Array) -> Array:
            moved = np.abs(outward @ self.slope(gamma) @ directions)
            largest = base.limit(self.theta(gamma))[:, None]
            with np.errstate(divide="ignore"):
                return np.asarray(np.min(largest / moved, axis=0, initial=np.inf))

        return Coordinates(directions, limit)

    def listener(self, listener: Listener) -> Listener:
        """Who tells of theta, and of derivatives in what is free."""

        def hear(event: Event) -> None:
            if isinstance(event, Iteration) and event.detail is not None:
                theta = self.theta(event.detail.theta)
                event = replace(event, detail=replace(event.detail, theta=theta, free=self.solution.free))
            listener(event)

        return hear

    @property
    def _structure(self) -> CovarianceStructure:
        assert self._problem.structure is not None
        return self._problem.structure

    def _free_variances(self) -> Mask:
        """Which gamma are variances of random effects on their own scale, shape (f,)."""
        free = self.solution.free
        squared = np.zeros(len(free), dtype=bool)
        if self._problem.structure is not None:
            p = self._problem.p
            variances = [p + k for k, (r, c) in enumerate(self._structure.entries) if r == c]
            squared = np.isin(free, variances) & self._element[free]
        return squared

    def _affine(self, gamma: Array) -> Array:
        """The mixed parameters of a gamma."""
        entering = np.where(self._squared, gamma**2, gamma)
        return np.asarray(self.solution.basis @ entering + self.solution.point)

    def _basis(self, gamma: Array) -> Array:
        """D mixed / d gamma, shape (d, f)."""
        return np.asarray(self.solution.basis * np.where(self._squared, 2.0 * gamma, 1.0))

    def _mixed(self, values: Array) -> Array:
        """The mixed parameters of reported values.

        Elements that constraints touch may have any values.
        """
        parts = self._problem.unpack(values)
        theta = values.copy()
        theta[self._phi] = self._problem.family.from_reported_phi(parts.phi)
        if self._problem.structure is not None:
            structure = self._structure
            own = self._element[self._entries]
            elements = np.where(own, structure.reported(structure.start), parts.omega)
            theta[self._entries] = structure.from_reported(elements)
        mixed = theta[self._place]
        kept = self._element | self._variance
        mixed[kept] = values[kept]
        return mixed

    def _slope(self, theta: Array) -> Array:
        """D theta / d mixed, shape (d, d)."""
        slope = np.zeros((len(theta), len(theta)))
        slope[self._place, np.arange(len(theta))] = 1.0
        if self._element.any():
            rows, columns = self._element[self._entries], self._from_element[self._entries]
            jacobian = self._structure.jacobian(theta[self._entries])
            slope[self._from_element] = 0.0
            slope[np.ix_(self._from_element, self._element)] = np.linalg.inv(jacobian[np.ix_(rows, columns)])
        slope[self._variance, self._variance] = 0.5 * np.exp(-2.0 * theta[self._variance])
        return slope


class RestrictedObjective:
    """A log likelihood over gamma.

    Parameters
    ----------
    objective : Objective
        Over theta.
    restriction : Restriction
    """

    def __init__(self, objective: Objective, restriction: Restriction) -> None:
        self._objective = objective
        self._restriction = restriction

    def value(self, gamma: Array) -> float:
        """The log likelihood; nan where Sigma is not positive definite."""
        theta = self._restriction.theta(gamma)
        return self._objective.value(theta) if np.isfinite(theta).all() else float("nan")

    def evaluate(self, gamma: Array) -> Derivatives:
        """The log likelihood with its derivatives in gamma."""
        theta = self._restriction.theta(gamma)
        f = len(gamma)
        if not np.isfinite(theta).all():
            return Evaluation(float("nan"), np.full((1, f), np.nan), np.full((f, f), np.nan))
        at = self._objective.evaluate(theta)
        slope = self._restriction.slope(gamma)
        hessian = slope.T @ at.hessian @ slope + self._restriction.bend(gamma, at.gradient)
        return at.carried(slope, 0.5 * (hessian + hessian.T))


def space_of(problem: AnyProblem, constraints: LinearConstraints | None) -> Space:
    """What the maximizer of a problem moves in.

    Raises
    ------
    InconsistentConstraints
        No parameters satisfy the constraints.
    """
    if constraints is None or not len(constraints):
        return Whole(problem)
    return Restriction(problem, constraints)


def _regular(structure: CovarianceStructure, elements: Array) -> Array:
    """Omega of reported elements, shape (m,); nan where Sigma is not positive definite."""
    try:
        omega = structure.from_reported(elements)
        np.linalg.cholesky(structure.sigma(omega))
    except np.linalg.LinAlgError:
        return np.full(structure.size, np.nan)
    return omega


def _sets(structure: CovarianceStructure | None) -> list[tuple[Index, Index]]:
    """The smallest sets of elements that depend on the same omega, each with these omega."""
    if structure is None:
        return []
    linked = np.asarray(structure.curvature.any(axis=2))
    sets = []
    left = np.ones(structure.size, dtype=bool)
    while left.any():
        entries = np.zeros(structure.size, dtype=bool)
        entries[np.argmax(left)] = True
        while True:
            omegas = np.asarray(linked[entries].any(axis=0))
            grown = np.asarray(linked[:, omegas].any(axis=1))
            if (grown == entries).all():
                break
            entries = grown
        sets.append((np.flatnonzero(entries), np.flatnonzero(omegas)))
        left &= ~entries
    return sets
