"""From a problem to its estimates: starting values, maximization, covariance of the estimators.

Source: manual [ME] meglm, Options, 'startvalues()', and Methods and formulas.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from memagic.engine.constraints import LinearConstraints
from memagic.engine.crossed.laplace import CrossedLaplace
from memagic.engine.crossed.linear import CrossedLinear
from memagic.engine.crossed.nested import nested_problem
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.threads import modest_threads
from memagic.engine.definite import inverse_where_positive
from memagic.engine.elsewhere import OnExecutor
from memagic.engine.events import Listener, StageStarted, silent
from memagic.engine.grid import grid_search
from memagic.engine.laplace import LaplaceObjective
from memagic.engine.linear import LinearObjective
from memagic.engine.maximize import Maximum, StoppedMaximum, maximize
from memagic.engine.numerical import NumericalObjective
from memagic.engine.objective import Evaluation, Objective, ScoredObjective
from memagic.engine.parted import AnyProblem, PartedProblem
from memagic.engine.parts import PartedObjective, cut
from memagic.engine.plain import PlainObjective
from memagic.engine.problem import Problem
from memagic.engine.quadrature import QuadratureObjective
from memagic.engine.restricted import space_of
from memagic.engine.sandwich import Variance, meat, meat_of_products
from memagic.engine.secant import maximize_outlined
from memagic.engine.settings import Settings
from memagic.engine.space import Space, to_reported
from memagic.engine.start import NotFeasible, starting_point

Array = NDArray[np.float64]

__all__ = ["Fit", "NotFeasible", "Settings", "StoppedFit", "fit", "make_objective", "refit"]

_Analytic = (
    PlainObjective | LinearObjective | LaplaceObjective | QuadratureObjective | CrossedLinear | CrossedLaplace
)
# Whose gradients are much cheaper than their Hessians.
_Outlined = LaplaceObjective | CrossedLinear | CrossedLaplace

# Relative to the size of the linear predictor's random part: a standard deviation at which no
# digit of the log likelihood depends on the variance.
_ZERO_DEVIATION = 1e-4
# Scores are quadratic in the effects of a Gaussian response: their squares have degree four.
_EXACT_POINTS = 3


@dataclass(frozen=True, slots=True)
class Fit:
    """Estimates as they are reported: coefficients, elements of Sigma, the family's parameters.

    Attributes
    ----------
    estimates : ndarray, shape (p + m + n_phi,)
        Beta, the reported elements of Sigma, and the family's parameters.
    covariance : ndarray, shape (p + m + n_phi, p + m + n_phi)
    modelbased : ndarray, shape (p + m + n_phi, p + m + n_phi), or None
        Inverse of the observed information where `covariance` is a sandwich.
    gradient : ndarray, shape (p + m + n_phi,)
        Of the log likelihood in theta = (beta, omega, phi).
    hessian : ndarray, shape (p + m + n_phi, p + m + n_phi)
        In theta as well.
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
    interrupted : bool
        Whether the user stopped the maximization before its end.
    """

    estimates: Array
    covariance: Array
    gradient: Array
    hessian: Array
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
    interrupted: bool = False
    modelbased: Array | None = None


class StoppedFit(KeyboardInterrupt):
    """The user interrupted a fit; `so_far` is where it stood."""

    def __init__(self, so_far: Fit) -> None:
        super().__init__()
        self.so_far = so_far


def make_objective(problem: Problem, settings: Settings) -> ScoredObjective:
    """The log likelihood that a problem is fitted by."""
    objective = _analytic_objective(problem, settings)
    return NumericalObjective(problem, objective) if settings.numerical else objective


def _analytic_objective(problem: Problem, settings: Settings) -> _Analytic:
    if problem.structure is None:
        return PlainObjective(problem)
    laplace = settings.method == "laplace" or (settings.method == "mcaghermite" and settings.n_points == 1)
    if isinstance(problem, CrossedProblem):
        if problem.family.closed_form:
            return CrossedLinear(problem)
        if laplace:
            return CrossedLaplace(problem)
        problem = nested_problem(problem)
    if problem.family.closed_form and problem.weighted:
        # At the mode, with the curvature, three points integrate all that derivatives need exactly.
        return QuadratureObjective(problem, "mcaghermite", _EXACT_POINTS, threads=settings.threads)
    if problem.family.closed_form:
        # The Laplacian approximation of a Gaussian posterior is no approximation.
        if len(problem.levels) == 1:
            return LinearObjective(problem)
        return LaplaceObjective(problem, settings.threads)
    if laplace:
        return LaplaceObjective(problem, settings.threads)
    return QuadratureObjective(problem, settings.method, settings.n_points, threads=settings.threads)


def fit(
    problem: AnyProblem,
    settings: Settings,
    listener: Listener = silent,
    constraints: LinearConstraints | None = None,
    executor: Executor | None = None,
) -> Fit:
    """Fit a model by maximum likelihood.

    Parameters
    ----------
    problem : Problem or PartedProblem
    settings : Settings
    listener : callable
        Told of every stage, starting value and iteration.
    constraints : LinearConstraints, optional
        On the parameters as they are reported, in the order of `Fit.estimates`.
    executor : Executor, optional
        What works on parts of the data, where there are nested levels of groups.

    Raises
    ------
    NotFeasible
        The log likelihood is not finite at the starting values.
    InconsistentConstraints
        No parameters satisfy the constraints.
    StoppedFit
        On a keyboard interrupt, once the maximization of the full model has begun.
    """
    with modest_threads(problem):
        return _fit(problem, settings, listener, constraints, executor)


def _objective(problem: AnyProblem, settings: Settings, executor: Executor | None) -> Objective:
    """The log likelihood here, or over parts where there is an executor and groups to cut between."""
    if isinstance(problem, PartedProblem):
        return PartedObjective(problem.problems.prepared(partial(make_objective, settings=settings)))
    if executor is None or problem.structure is None or isinstance(problem, CrossedProblem):
        return make_objective(problem, settings)
    parts = cut(problem)
    if len(parts) == 1:
        return make_objective(problem, settings)
    return PartedObjective(OnExecutor(parts, partial(make_objective, settings=settings), executor))


def _fit(
    problem: AnyProblem,
    settings: Settings,
    listener: Listener,
    constraints: LinearConstraints | None,
    executor: Executor | None,
) -> Fit:
    space = space_of(problem, constraints)
    start = starting_point(problem, settings.start, listener, constraints)
    objective = _objective(problem, settings, executor)
    moved = space.objective(objective)
    if problem.structure is not None or settings.start.grid:
        listener(StageStarted("grid"))
        gamma = grid_search(problem, moved, start, settings.start, listener, space)
        if settings.estimate:
            listener(StageStarted("full"))
    else:
        gamma = _feasible(problem, space, moved, start.values)
    if settings.estimate:
        try:
            maximum = _maximum(objective, space, gamma, settings, listener)
        except StoppedMaximum as stop:
            so_far = _reported(problem, space, objective, stop.so_far, start.comparison, settings.variance)
            raise StoppedFit(replace(so_far, interrupted=True)) from None
    else:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            at = moved.evaluate(gamma)
        if not np.isfinite(at.hessian).all():
            raise NotFeasible
        maximum = Maximum(gamma, at, converged=False, concave=True, iterations=0, log=(at.value,))
    return _reported(problem, space, objective, maximum, start.comparison, settings.variance)


def refit(problem: Problem, settings: Settings, before: Fit) -> Fit:
    """Maximize again from the estimates of `before`, such as with other integration points.

    Raises
    ------
    NotFeasible
        The log likelihood is not finite there.
    """
    space = space_of(problem, before.constraints)
    objective = make_objective(problem, settings)
    moved = space.objective(objective)
    gamma = space.start(before.estimates)
    if not np.isfinite(moved.value(gamma)):
        raise NotFeasible
    with modest_threads(problem):
        maximum = _maximum(objective, space, gamma, settings, silent)
    plain = before.log_likelihood_plain
    return _reported(problem, space, objective, maximum, plain, settings.variance)


def _maximum(
    objective: Objective, space: Space, gamma: Array, settings: Settings, listener: Listener
) -> Maximum:
    newton = all(technique == "nr" for technique, _ in settings.search.techniques)
    if newton and isinstance(objective, _Outlined):
        return maximize_outlined(objective, space, gamma, settings.stopping, listener, settings.search)
    return maximize(
        space.objective(objective),
        gamma,
        settings.stopping,
        space.listener(listener),
        space.coordinates(gamma),
        settings.search,
    )


def _feasible(problem: AnyProblem, space: Space, objective: Objective, values: Array) -> Array:
    """The start of a model without random effects, or zeros where it is not feasible."""
    for candidate in (values, to_reported(problem, np.zeros_like(values))):
        gamma = space.start(candidate)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if np.isfinite(gamma).all() and np.isfinite(objective.value(gamma)):
                return gamma
    raise NotFeasible


def _reported(
    problem: AnyProblem,
    space: Space,
    objective: Objective,
    maximum: Maximum,
    plain: float | None,
    variance: Variance,
) -> Fit:
    """Transform gamma to what is reported, and its covariance by the Jacobian."""
    theta = space.theta(maximum.theta)
    estimates, slope = space.estimates(maximum.theta)
    at_zero: tuple[bool, ...] = ()
    if problem.structure is not None:
        phi = estimates[problem.p + problem.n_omega :]
        at_zero = _variances_at_zero(problem, problem.unpack(theta).omega, phi)
    bread = inverse_where_positive(-maximum.evaluation.hessian)
    inner = bread
    if variance.estimator != "oim":
        filling = _meat(space, objective, maximum, variance)
        opg = variance.estimator == "opg"
        inner = inverse_where_positive(filling) if opg else bread @ filling @ bread
    covariance = _carried(inner, slope)
    at = maximum.evaluation if space.constraints is None else objective.evaluate(theta)
    return Fit(
        estimates=estimates,
        covariance=covariance,
        modelbased=None if inner is bread else _carried(bread, slope),
        gradient=at.gradient,
        hessian=at.hessian,
        theta=theta,
        log_likelihood=maximum.evaluation.value,
        log_likelihood_plain=plain,
        at_zero=at_zero,
        converged=maximum.converged,
        concave=maximum.concave,
        iterations=maximum.iterations,
        log=maximum.log,
        constraints=space.constraints,
        held=space.held,
    )


def _meat(space: Space, objective: Objective, maximum: Maximum, variance: Variance) -> Array:
    """The variance of the scores' total, from their products where these are enough."""
    at = maximum.evaluation
    if variance.needs_scores and isinstance(objective, PartedObjective):
        at = space.objective(objective.scored()).evaluate(maximum.theta)
    if isinstance(at, Evaluation):
        return meat(at.scores, variance)
    return meat_of_products(at.products, at.n_scores, variance)


def _carried(covariance: Array, slope: Array) -> Array:
    """A covariance of gamma as that of the estimates, by the Jacobian."""
    # Variances beyond all bounds have infinite ones.
    with np.errstate(over="ignore", invalid="ignore"):
        carried = slope @ covariance @ slope.T
        return np.asarray(0.5 * (carried + carried.T))


def _variances_at_zero(problem: AnyProblem, omega: Array, phi: Array) -> tuple[bool, ...]:
    """Which reported variances leave no trace in the linear predictor (False for covariances)."""
    assert problem.structure is not None
    sigma = problem.structure.sigma(omega)
    square = problem.mean_square_z
    unit = float(phi[0]) if problem.family.closed_form else 1.0
    return tuple(
        r == c and float(sigma[r, r] * square[r]) < unit * _ZERO_DEVIATION**2
        for r, c in problem.structure.entries
    )
