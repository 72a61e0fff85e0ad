"""Directions along which the log likelihood does not bend, or bends upwards, and their parameters.

Theta = (beta, omega, phi) is turned so that the coefficients move the linear predictor
independently, and scaled so that the information has a unit diagonal: what is flat then is not
identified, where large or uncentred covariates alone would only look so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.results.estimates import Estimates, Parameter

Array = NDArray[np.float64]

__all__ = ["Direction", "flat_directions"]

# Curvature on the unit diagonal that counts as none. Derivatives have some ten digits.
_FLAT = 1e-8
# Share of the largest loading from which a parameter takes part in a direction.
_PART = 0.2


@dataclass(frozen=True, slots=True)
class Direction:
    """A direction in which the log likelihood has no maximum, and the parameters that make it up.

    Attributes
    ----------
    upward : bool
        Whether the log likelihood bends upwards there rather than not at all.
    parameters : tuple of Parameter
        In the order of `e(b)`.
    """

    upward: bool
    parameters: tuple[Parameter, ...]


def flat_directions(estimates: Estimates) -> tuple[Direction, ...]:
    """The directions without a maximum, from the most upward to the flattest.

    Under constraints none are looked for: the Hessian is that of all parameters.
    """
    if estimates.fit.constraints is not None:
        return ()
    turn = _turn(estimates)
    information = -turn.T @ estimates.fit.hessian @ turn
    if not len(information) or not np.isfinite(information).all():
        return ()
    scale = _unit_scale(information)
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    found = []
    own_scale = _unit_scale(estimates.fit.hessian)
    for value, vector in zip(values, vectors.T, strict=True):
        if value < _FLAT:
            # Back to theta, each parameter on the scale of its own curvature.
            loading = np.abs(turn @ (scale * vector)) / own_scale
            found.append(Direction(bool(value < -_FLAT), _taking_part(estimates, loading)))
    return tuple(found)


def _turn(estimates: Estimates) -> Array:
    """Directions of theta, one a column: the coefficients by the inverse root of X'X/n."""
    x = estimates.problem.x
    turn = np.eye(len(estimates.fit.theta))
    if x.shape[1] and len(x) >= x.shape[1]:
        root = np.linalg.qr(x / np.sqrt(len(x)), mode="r")
        diagonal = np.abs(np.diag(root))
        if diagonal.min() > 0.0:
            turn[: x.shape[1], : x.shape[1]] = np.linalg.inv(root)
    return turn


def _unit_scale(matrix: Array) -> Array:
    diagonal = np.abs(np.diag(matrix))
    return np.asarray(1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0)))


def _taking_part(estimates: Estimates, loading: Array) -> tuple[Parameter, ...]:
    problem = estimates.problem
    place = np.arange(len(loading))
    if problem.structure is not None:
        place[problem.p : problem.p + problem.n_omega] = problem.p + _entries_of_omega(estimates)
    by_place = {
        int(at): parameter for at, parameter in zip(estimates.positions, estimates.parameters, strict=True)
    }
    taking = {int(place[k]) for k in np.flatnonzero(loading >= _PART * loading.max())}
    order = {parameter.name: k for k, parameter in enumerate(estimates.parameters)}
    return tuple(sorted((by_place[at] for at in taking), key=lambda p: order[p.name]))


def _entries_of_omega(estimates: Estimates) -> NDArray[np.intp]:
    """For each element of omega the reported element of Sigma that it stands for, shape (m,).

    That is the element in the place where its basis matrix is not zero.
    """
    structure = estimates.problem.structure
    assert structure is not None
    left = {entry: k for k, entry in enumerate(structure.entries)}
    found = []
    for basis in structure.basis:
        places = [(int(r), int(c)) for r, c in np.argwhere(basis)]
        entry = next((place for place in places if place in left), next(iter(left)))
        found.append(left.pop(entry))
    return np.array(found, dtype=np.intp)
