"""Starting values: by a simpler model, and as given.

Source: manual [ME] meglm, Options, 'startvalues()', and Remarks, 'Obtaining better starting values'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memagic.engine.constraints import LinearConstraints
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.start import one_way_variances
from memagic.engine.events import Listener, StageStarted, silent
from memagic.engine.maximize import Maximum, Stopping, maximize
from memagic.engine.moments import moment_omega
from memagic.engine.objective import NotFeasible, value_or_nan
from memagic.engine.parted import (
    AnyProblem,
    first_beta_and_phi,
    level_means,
    phi_at_zero,
    plain_objective,
    sums_of_moments,
    without_effects,
)
from memagic.engine.restricted import space_of
from memagic.engine.space import to_reported

Array = NDArray[np.float64]
StartName = Literal["zero", "constantonly", "fixedonly", "iv"]

__all__ = [
    "GridAxis",
    "NotFeasible",
    "Start",
    "StartSettings",
    "first_rows",
    "starting_point",
]


@dataclass(frozen=True, slots=True)
class GridAxis:
    """The values that a grid tries for one reported parameter."""

    position: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StartSettings:
    """Where to start. Positions are those in (beta, elements of Sigma, parameters of the family).

    Attributes
    ----------
    method : str
        "zero": coefficients are zero, the family's parameters those that a linear predictor of zero
        suggests, variances one. "constantonly": the constant and the family's parameters by maximum
        likelihood without covariates. "fixedonly": all coefficients by maximum likelihood without
        random effects. "iv": also variances, by `moment_omega`.
    iterations : int or None
        The most that the fixed-effects model may take.
    constant : int or None
        Which coefficient is the constant.
    given : tuple of (int, float)
        Values that replace those of the method, as they are reported.
    grid : tuple of GridAxis
        All combinations of their values are tried.
    """

    method: StartName = "fixedonly"
    iterations: int | None = None
    constant: int | None = None
    given: tuple[tuple[int, float], ...] = ()
    grid: tuple[GridAxis, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """A start for the model, before any grid search.

    Attributes
    ----------
    values : ndarray, shape (p + m + n_phi,)
        As they are reported; a Sigma that is not positive semidefinite is not excluded.
    comparison : float or None
        Log likelihood of the model without random effects; None where that is the model.
    """

    values: Array
    comparison: float | None


def starting_point(
    problem: AnyProblem,
    settings: StartSettings,
    listener: Listener,
    constraints: LinearConstraints | None = None,
) -> Start:
    """Starting values by the method, with the given ones in their places.

    The model without random effects is fitted in any case, as the model to compare with.

    Raises
    ------
    NotFeasible
        A model without random effects cannot be evaluated where it starts.
    """
    if problem.structure is None:
        theta = _simple_start(problem, settings, constraints=constraints)
        return Start(_with_given(problem, theta, settings), None)
    limited = settings.iterations is not None
    model = _Plain(problem, list(range(problem.p)), constraints)
    if settings.method in ("fixedonly", "iv"):
        listener(StageStarted("fixed"))
        stopping = Stopping() if settings.iterations is None else Stopping(iterate=settings.iterations)
        plain = model.maximize(first_beta_and_phi(problem), stopping, listener)
        comparison = plain
        if limited and not plain.converged:
            comparison = model.maximize(plain.theta, Stopping(), silent)
        theta = plain.theta
    else:
        if settings.method == "constantonly":
            listener(StageStarted("constant"))
        theta = _simple_start(problem, settings, listener, constraints)
        comparison = model.maximize(first_beta_and_phi(problem), Stopping(), silent)
    theta = _with_variances(problem, theta, settings.method)
    return Start(_with_given(problem, theta, settings), comparison.evaluation.value)


def _simple_start(
    problem: AnyProblem,
    settings: StartSettings,
    listener: Listener = silent,
    constraints: LinearConstraints | None = None,
) -> Array:
    """(beta, phi) of a start that needs no fit of the fixed-effects model."""
    if settings.method not in ("zero", "constantonly"):
        return first_beta_and_phi(problem)
    beta = np.zeros(problem.p)
    phi = phi_at_zero(problem)
    if settings.method == "constantonly":
        columns = [] if settings.constant is None else [settings.constant]
        simple = _Plain(problem, columns, constraints)
        maximum = simple.maximize(first_beta_and_phi(simple.problem), Stopping(), listener)
        beta[columns] = maximum.theta[: len(columns)]
        phi = maximum.theta[len(columns) :]
    return np.concatenate([beta, phi])


class _Plain:
    """The model without random effects and with some of the coefficients.

    It has those constraints that are on nothing but its own parameters.
    """

    def __init__(
        self, problem: AnyProblem, columns: list[int], constraints: LinearConstraints | None
    ) -> None:
        self.problem = without_effects(problem, columns)
        if constraints is not None:
            own = np.zeros(constraints.matrix.shape[1], dtype=bool)
            own[columns] = own[problem.p + problem.n_omega :] = True
            constraints = constraints.within(own)
        self._space = space_of(self.problem, constraints)

    def maximize(self, start: Array, stopping: Stopping, listener: Listener) -> Maximum:
        """Its maximum, theta in place of what the constraints leave free."""
        objective = self._space.objective(plain_objective(self.problem))
        gamma = self._space.start(to_reported(self.problem, start))
        if not np.isfinite(value_or_nan(objective, gamma)):
            gamma = self._space.start(to_reported(self.problem, np.zeros_like(start)))
            if not np.isfinite(value_or_nan(objective, gamma)):
                raise NotFeasible
        coordinates = self._space.coordinates(gamma)
        maximum = maximize(objective, gamma, stopping, self._space.listener(listener), coordinates)
        return replace(maximum, theta=self._space.theta(maximum.theta))


def _with_variances(problem: AnyProblem, plain: Array, method: StartName) -> Array:
    """Theta from (beta, phi): unit variances and zero covariances, or moments of the residuals.

    With a Gaussian response and the identity link a unit has no meaning on the response's scale:
    the variance of the clusters' mean residuals takes its place, for a random coefficient divided
    by the mean square of its variable. This reproduces the manual's starting value.
    """
    assert problem.structure is not None
    beta, phi = plain[: problem.p], plain[problem.p :]
    omega = problem.structure.start
    if method == "iv":
        omega = moment_omega(problem.structure, sums_of_moments(problem, beta, phi), problem.mean_square_z)
    elif problem.family.closed_form and method != "zero":
        if isinstance(problem, CrossedProblem):
            residual = problem.y - problem.fixed_part(beta)
            variance, left = one_way_variances(problem, residual)
            phi = np.array([0.5 * np.log(left)])
        else:
            least = 1e-8 * float(np.exp(2.0 * phi[0]))
            sizes = [structure.q for structure in problem.structures]
            means = level_means(problem, beta)
            variance = np.repeat([max(level.variance, least) for level in means], sizes)
        scale = np.sqrt(variance / np.maximum(problem.mean_square_z, 1e-300))
        omega = omega * scale[first_rows(problem)]
    return np.concatenate([beta, omega, phi])


def _with_given(problem: AnyProblem, theta: Array, settings: StartSettings) -> Array:
    values = to_reported(problem, theta)
    for position, value in settings.given:
        values[position] = value
    return values


def first_rows(problem: AnyProblem) -> list[int]:
    """The first random effect that each element of omega is about."""
    assert problem.structure is not None
    return [int(np.argwhere(e)[0, 0]) for e in problem.structure.basis]
