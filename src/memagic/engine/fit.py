"""From a problem to its estimates: starting values, maximization, covariance of the estimators.

Source: manual [ME] meglm, Options, 'startvalues()', and Methods and formulas.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from memagic.engine.constraints import LinearConstraints
from memagic.engine.events import GridNode, Listener, StageStarted, silent
from memagic.engine.laplace import LaplaceObjective
from memagic.engine.linear import LinearObjective, cluster_mean_variance
from memagic.engine.maximize import Coordinates, Maximum, Stopping, maximize
from memagic.engine.nodes import Method
from memagic.engine.objective import Objective
from memagic.engine.plain import PlainObjective, plain_start
from memagic.engine.problem import Problem
from memagic.engine.quadrature import QuadratureObjective
from memagic.engine.restricted import RestrictedObjective, Restriction

Array = NDArray[np.float64]

__all__ = ["Fit", "NotFeasible", "Settings", "fit", "make_objective"]

# Relative to the size of the linear predictor's random part: a standard deviation at which no
# digit of the log likelihood depends on the variance.
_ZERO_DEVIATION = 1e-4
# Root mean square of a variable beyond which a unit variance of its coefficient is large.
_LARGE_EFFECT = 3.0
# Share of the largest standard deviation by which one may change in a step.
_SHARE = 0.5


class NotFeasible(Exception):
    """The log likelihood cannot be computed at the starting values."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to integrate and when to stop."""

    method: Method = "mvaghermite"
    n_points: int = 7
    stopping: Stopping = field(default_factory=Stopping)


@dataclass(frozen=True, slots=True)
class Fit:
    """Estimates as they are reported: coefficients, elements of Sigma, the family's parameters.

    Attributes
    ----------
    estimates : ndarray, shape (p + m + n_phi,)
        Beta, the reported elements of Sigma, and the family's parameters.
    covariance : ndarray, shape (p + m + n_phi, p + m + n_phi)
    gradient : ndarray, shape (p + m + n_phi,)
        Of the log likelihood in theta = (beta, omega, phi).
    theta : ndarray, shape (p + m + n_phi,)
    log_likelihood : float
    log_likelihood_plain : float or None
        Of the model without random effects; None where that is the model.
    at_zero : tuple of bool
        Which of the reported variances, by position in Sigma's entries, are zero.
    converged, concave : bool
    iterations : int
    log : tuple of float
        The log likelihood by iteration.
    constraints : LinearConstraints or None
        On the estimates, those left out that follow from others; None without any.
    held : tuple of bool
        Which of the estimates the constraints give a value.
    """

    estimates: Array
    covariance: Array
    gradient: Array
    theta: Array
    log_likelihood: float
    log_likelihood_plain: float | None
    at_zero: tuple[bool, ...]
    converged: bool
    concave: bool
    iterations: int
    log: tuple[float, ...]
    constraints: LinearConstraints | None = None
    held: tuple[bool, ...] = ()


def make_objective(problem: Problem, settings: Settings) -> Objective:
    """The log likelihood that a problem with random effects is fitted by."""
    if problem.family.closed_form:
        # The Laplacian approximation of a Gaussian posterior is no approximation.
        return LinearObjective(problem) if len(problem.levels) == 1 else LaplaceObjective(problem)
    if settings.method == "laplace" or (settings.method == "mcaghermite" and settings.n_points == 1):
        return LaplaceObjective(problem)
    return QuadratureObjective(problem, settings.method, settings.n_points)


def fit(
    problem: Problem,
    settings: Settings,
    listener: Listener = silent,
    constraints: LinearConstraints | None = None,
) -> Fit:
    """Fit a model by maximum likelihood.

    Parameters
    ----------
    problem : Problem
    settings : Settings
    listener : callable
        Told of every stage, starting value and iteration.
    constraints : LinearConstraints, optional
        On the parameters as they are reported, in the order of `Fit.estimates`.

    Raises
    ------
    NotFeasible
        The log likelihood is not finite at the starting values.
    InconsistentConstraints
        No parameters satisfy the constraints.
    """
    if constraints is not None and len(constraints):
        return _fit_restricted(problem, settings, listener, constraints)
    if problem.structure is None:
        plain = _maximize_plain(problem, settings.stopping, listener)
        return _reported(problem, plain, None)
    listener(StageStarted("fixed"))
    plain = _maximize_plain(problem, Stopping(), listener)
    objective = make_objective(problem, settings)
    start = _starting_values(problem, plain.theta)
    listener(StageStarted("grid"))
    start = _better_start(problem, objective, start, plain.evaluation.value, listener)
    listener(StageStarted("full"))
    maximum = maximize(objective, start, settings.stopping, listener, _coordinates(problem, start))
    return _reported(problem, maximum, plain.evaluation.value)


def _fit_restricted(
    problem: Problem, settings: Settings, listener: Listener, constraints: LinearConstraints
) -> Fit:
    """Fit a model under constraints.

    The model without random effects, which the others start from, has those constraints that are on
    its own parameters alone.
    """
    restriction = Restriction(problem, constraints)
    plain_problem = replace(problem, levels=())
    has = np.ones(len(restriction.held), dtype=bool)
    has[problem.p : problem.p + problem.n_omega] = False
    plain_restriction = Restriction(plain_problem, constraints.within(has))
    plain_objective = PlainObjective(plain_problem)
    if problem.structure is None:
        theta = plain_start(problem)
        return _maximize_restricted(
            problem, plain_objective, restriction, theta, settings.stopping, listener, None
        )
    listener(StageStarted("fixed"))
    fixed = _maximize_restricted(
        plain_problem,
        plain_objective,
        plain_restriction,
        plain_start(plain_problem),
        Stopping(),
        listener,
        None,
    )
    listener(StageStarted("grid"))
    objective = make_objective(problem, settings)
    start = _starting_values(problem, fixed.theta)
    value = _feasible_value(RestrictedObjective(objective, restriction), restriction.start(start))
    listener(GridNode(0, value))
    listener(StageStarted("full"))
    return _maximize_restricted(
        problem, objective, restriction, start, settings.stopping, listener, fixed.log_likelihood
    )


def _maximize_restricted(
    problem: Problem,
    objective: Objective,
    restriction: Restriction,
    theta: Array,
    stopping: Stopping,
    listener: Listener,
    plain: float | None,
) -> Fit:
    """Maximize over what the constraints leave free, from the point nearest to theta."""
    restricted = RestrictedObjective(objective, restriction)
    start = restriction.start(theta)
    _feasible_value(restricted, start)
    coordinates = restriction.coordinates(_coordinates(problem, restriction.theta(start)), start)
    maximum = maximize(restricted, start, stopping, listener, coordinates)
    theta = restriction.theta(maximum.theta)
    estimates, slope = restriction.estimates(maximum.theta)
    covariance = slope @ _inverse_information(-maximum.evaluation.hessian) @ slope.T
    parameters = problem.unpack(theta)
    phi, _ = problem.family.report_phi(parameters.phi)
    zero = () if problem.structure is None else _variances_at_zero(problem, parameters.omega, phi)
    return Fit(
        estimates=estimates,
        covariance=0.5 * (covariance + covariance.T),
        gradient=objective.evaluate(theta).gradient,
        theta=theta,
        log_likelihood=maximum.evaluation.value,
        log_likelihood_plain=plain,
        at_zero=zero,
        converged=maximum.converged,
        concave=maximum.concave,
        iterations=maximum.iterations,
        log=maximum.log,
        constraints=restriction.constraints,
        held=restriction.held,
    )


def _maximize_plain(problem: Problem, stopping: Stopping, listener: Listener) -> Maximum:
    objective = PlainObjective(problem)
    start = plain_start(problem)
    if not np.isfinite(objective.value(start)):
        start = np.zeros_like(start)
        _feasible_value(objective, start)
    x_only = replace(problem, levels=())
    return maximize(objective, start, stopping, listener, _coordinates(x_only, start))


def _better_start(
    problem: Problem, objective: Objective, start: Array, plain: float, listener: Listener
) -> Array:
    """The starting values, or others where these are far off.

    A unit variance is far off for the coefficient of a variable with large values: the likelihood
    there is below that of the model without random effects. Then the variance that moves the linear
    predictor by about one is tried as well.
    """
    value = _feasible_value(objective, start)
    listener(GridNode(0, value))
    assert problem.structure is not None
    size = np.sqrt(problem.mean_square_z)
    if problem.family.closed_form or value >= plain or size.max() < _LARGE_EFFECT:
        return start
    rows = [int(np.argwhere(e)[0, 0]) for e in problem.structure.basis]
    scaled = start.copy()
    scaled[problem.p : problem.p + problem.n_omega] /= np.maximum(size[rows], 1.0)
    other = objective.value(scaled)
    listener(GridNode(1, other))
    return scaled if other > value else start


def _feasible_value(objective: Objective, start: Array) -> float:
    """The log likelihood at the starting values.

    Raises
    ------
    NotFeasible
        It is not finite.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            value = objective.value(start)
    except np.linalg.LinAlgError:
        raise NotFeasible from None
    if not np.isfinite(value):
        raise NotFeasible
    return value


def _starting_values(problem: Problem, plain: Array) -> Array:
    """Fixed-effects estimates, unit variances and zero covariances.

    With a Gaussian response and the identity link a unit has no meaning on the response's scale:
    the variance of the clusters' mean residuals takes its place, for a random coefficient divided
    by the mean square of its variable. This reproduces the manual's starting value.
    """
    assert problem.structure is not None
    beta, phi = plain[: problem.p], plain[problem.p :]
    omega = problem.structure.start
    if problem.family.closed_form:
        residual = problem.y - problem.fixed_part(beta)
        least = 1e-8 * float(np.exp(2.0 * phi[0]))
        variance = np.concatenate(
            [
                np.full(level.structure.q, max(cluster_mean_variance(level.cluster, residual), least))
                for level in problem.levels
            ]
        )
        scale = np.sqrt(variance / np.maximum(problem.mean_square_z, 1e-300))
        rows = [int(np.argwhere(e)[0, 0]) for e in problem.structure.basis]
        omega = omega * scale[rows]
    return np.concatenate([beta, omega, phi])


def _coordinates(problem: Problem, start: Array) -> Coordinates:
    """Directions that move the linear predictor by about one, independently of each other.

    The coefficients by the inverse root of X'X/n. An element of omega moves it by z'E v, v ~ N(0, I),
    so that the elements of a structure have the Gram matrix tr(E_a' Z'Z/n E_b). A step changes
    standard deviations by half of the largest at most, since a Cholesky factor of zero is a saddle
    point, and a parameter of the family by one. Without random effects nothing is limited.
    """
    p, m = problem.p, problem.n_omega
    directions = np.eye(len(start))
    directions[:p, :p] = _inverse_root(problem.x.T @ problem.x / len(problem.y))
    least = 0.0
    if problem.structure is not None:
        z = np.concatenate([level.z for level in problem.levels], axis=1)
        basis = problem.structure.basis
        gram = np.einsum("acd,ce,bed->ab", basis, z.T @ z / len(z), basis, optimize=True)
        directions[p : p + m, p : p + m] = _inverse_root(gram)
        least = float(np.abs(np.linalg.solve(directions, start)[p : p + m]).max())

    def limit(theta: Array) -> Array:
        gamma = np.linalg.solve(directions, theta)
        largest = np.full(theta.shape, np.inf)
        if m:
            largest[p : p + m] = _SHARE * max(float(np.abs(gamma[p : p + m]).max()), 0.5 * least)
            largest[p + m :] = 1.0
        return largest

    return Coordinates(directions, limit)


def _inverse_root(gram: Array) -> Array:
    """C with C'(gram)C = I."""
    if len(gram) == 0:
        return gram
    scale = 1.0 / np.sqrt(np.maximum(np.diag(gram), 1e-300))
    try:
        root = np.linalg.cholesky(gram * np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return np.diag(scale)
    return np.asarray(scale[:, None] * np.linalg.inv(root).T)


def _reported(problem: Problem, maximum: Maximum, plain: float | None) -> Fit:
    """Transform theta to what is reported, and its covariance by the Jacobian."""
    parameters = problem.unpack(maximum.theta)
    phi, phi_slope = problem.family.report_phi(parameters.phi)
    p, m = problem.p, problem.n_omega
    jacobian = np.eye(len(maximum.theta))
    jacobian[p + m :, p + m :] = np.diag(phi_slope)
    entries = np.empty(0)
    at_zero: tuple[bool, ...] = ()
    if problem.structure is not None:
        jacobian[p : p + m, p : p + m] = problem.structure.jacobian(parameters.omega)
        entries = problem.structure.reported(parameters.omega)
        at_zero = _variances_at_zero(problem, parameters.omega, phi)
    covariance = jacobian @ _inverse_information(-maximum.evaluation.hessian) @ jacobian.T
    return Fit(
        estimates=np.concatenate([parameters.beta, entries, phi]),
        covariance=0.5 * (covariance + covariance.T),
        gradient=maximum.evaluation.gradient,
        theta=maximum.theta,
        log_likelihood=maximum.evaluation.value,
        log_likelihood_plain=plain,
        at_zero=at_zero,
        converged=maximum.converged,
        concave=maximum.concave,
        iterations=maximum.iterations,
        log=maximum.log,
    )


def _variances_at_zero(problem: Problem, omega: Array, phi: Array) -> tuple[bool, ...]:
    """Which reported variances leave no trace in the linear predictor (False for covariances)."""
    assert problem.structure is not None
    sigma = problem.structure.sigma(omega)
    square = problem.mean_square_z
    unit = float(phi[0]) if problem.family.closed_form else 1.0
    return tuple(
        r == c and float(sigma[r, r] * square[r]) < unit * _ZERO_DEVIATION**2
        for r, c in problem.structure.entries
    )


def _inverse_information(information: Array) -> Array:
    """The inverse on the directions in which the likelihood is concave, zero on the others."""
    if len(information) == 0:
        return information
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    inverse = np.where(values > 1e-12, 1.0 / np.where(values > 1e-12, values, 1.0), 0.0)
    return np.asarray((vectors * inverse) @ vectors.T * np.outer(scale, scale))
