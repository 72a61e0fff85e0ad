"""What a maximizer moves in: theta itself, or what linear constraints leave free of it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from memagic.engine.constraints import LinearConstraints
from memagic.engine.coordinates import problem_coordinates
from memagic.engine.events import Listener
from memagic.engine.objective import Objective
from memagic.engine.parted import AnyProblem
from memagic.engine.steps import Coordinates

Array = NDArray[np.float64]

__all__ = ["Space", "Whole", "from_reported", "to_reported"]


class Space(Protocol):
    """The parameters gamma of a maximizer, and the way from there to theta and to what is reported.

    Attributes
    ----------
    constraints : LinearConstraints or None
        On what is reported; None without any.
    held : tuple of bool
        Which of what is reported they give a value; empty without any.
    """

    @property
    def constraints(self) -> LinearConstraints | None: ...

    @property
    def held(self) -> tuple[bool, ...]: ...

    def theta(self, gamma: Array) -> Array:
        """Shape (d,); nan where Sigma is not positive definite."""

    def estimates(self, gamma: Array) -> tuple[Array, Array]:
        """What is reported, shape (d,), and its derivative in gamma, shape (d, f)."""

    def start(self, values: Array) -> Array:
        """The gamma nearest to values as they are reported, shape (f,).

        Raises
        ------
        numpy.linalg.LinAlgError
            Sigma would not be positive semidefinite.
        """

    def objective(self, objective: Objective) -> Objective:
        """A log likelihood of theta as one of gamma."""

    def coordinates(self, start: Array) -> Coordinates:
        """Directions in gamma that move the linear predictor by about one."""

    def listener(self, listener: Listener) -> Listener:
        """Who is told of gamma, for one who listens to theta."""


class Whole:
    """Theta itself.

    Parameters
    ----------
    problem : Problem
    """

    constraints: LinearConstraints | None = None
    held: tuple[bool, ...] = ()

    def __init__(self, problem: AnyProblem) -> None:
        self._problem = problem

    def theta(self, gamma: Array) -> Array:
        return gamma

    def estimates(self, gamma: Array) -> tuple[Array, Array]:
        parts = self._problem.unpack(gamma)
        p, m = self._problem.p, self._problem.n_omega
        slope = np.eye(len(gamma))
        slope[p + m :, p + m :] = np.diag(self._problem.family.report_phi(parts.phi)[1])
        if self._problem.structure is not None:
            slope[p : p + m, p : p + m] = self._problem.structure.jacobian(parts.omega)
        return to_reported(self._problem, gamma), slope

    def start(self, values: Array) -> Array:
        return from_reported(self._problem, values)

    def objective(self, objective: Objective) -> Objective:
        return objective

    def coordinates(self, start: Array) -> Coordinates:
        return problem_coordinates(self._problem, start)

    def listener(self, listener: Listener) -> Listener:
        return listener


def to_reported(problem: AnyProblem, theta: Array) -> Array:
    """Coefficients, reported elements of Sigma and reported parameters of the family, shape (d,)."""
    parts = problem.unpack(theta)
    entries = np.empty(0) if problem.structure is None else problem.structure.reported(parts.omega)
    return np.concatenate([parts.beta, entries, problem.family.report_phi(parts.phi)[0]])


def from_reported(problem: AnyProblem, values: Array) -> Array:
    """Theta at which these values are reported, both of shape (d,).

    Raises
    ------
    numpy.linalg.LinAlgError
        Sigma would not be positive semidefinite.
    """
    parts = problem.unpack(values)
    omega = np.empty(0) if problem.structure is None else problem.structure.from_reported(parts.omega)
    return np.concatenate([parts.beta, omega, problem.family.from_reported_phi(parts.phi)])
