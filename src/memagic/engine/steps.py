"""The steps of an iteration: Newton-Raphson, BHHH, DFP and BFGS.

All are taken in coordinates of like effect. Where -H is not positive definite ('not concave'),
Newton's step replaces its eigenvalues by their sizes, which turns away from saddle points; with
`difficult` it goes along the gradient in the subspace where they are not positive. BHHH has the
outer product of the clusters' scores for -H; DFP and BFGS learn its inverse from the changes of the
gradient.

Source: manual [R] Maximize; Berndt, Hall, Hall and Hausman (1974), Annals of Economic and Social
Measurement 3, 653-665; Nocedal and Wright (2006), Numerical Optimization, 6.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memagic.engine.definite import POSITIVE, clear_inverse_root
from memagic.engine.objective import Derivatives

Array = NDArray[np.float64]
TechniqueName = Literal["nr", "bhhh", "dfp", "bfgs"]

__all__ = [
    "Coordinates",
    "NewtonStep",
    "Search",
    "Steps",
    "TechniqueName",
    "newton_step",
    "plain_coordinates",
]

# Eigenvalues of -H scaled to a unit diagonal: below this in size a direction counts as flat.
_LEAST_CURVATURE = 1e-2
_LEAST_ESCAPE = 0.3
# Cosine between the changes of parameters and gradient below which nothing is learnt from them.
_LEAST_COSINE = 1e-8


@dataclass(frozen=True, slots=True)
class Search:
    """How to look for the maximum.

    Attributes
    ----------
    techniques : tuple of (str, int)
        Each with the number of iterations after which the next has its turn; the last is followed
        by the first.
    difficult : bool
        Steepest ascent, rather than eigenvalues by their sizes, where -H is not positive definite.
    """

    techniques: tuple[tuple[TechniqueName, int], ...] = (("nr", 5),)
    difficult: bool = False


@dataclass(frozen=True, slots=True)
class Coordinates:
    """Directions of like effect, in which steps are measured and limited.

    Newton's method does not depend on coordinates, but what replaces it where the likelihood is not
    concave does, and so does a sensible length of a step.

    Attributes
    ----------
    directions : ndarray, shape (d, d)
        One a column: theta = directions @ gamma.
    limit : callable
        The largest change of each gamma in one step from a given theta. Away from the maximum the
        likelihood of a variance is far from quadratic: an unlimited step can end where every
        evaluation is slow.
    """

    directions: Array
    limit: Callable[[Array], Array]


def plain_coordinates(d: int) -> Coordinates:
    """The parameters themselves, with steps of any length."""
    return Coordinates(np.eye(d), lambda theta: np.full(d, np.inf))


@dataclass(frozen=True, slots=True)
class NewtonStep:
    """Newton's step, and what it says about the point that it leaves.

    Attributes
    ----------
    direction, gamma : ndarray, shape (d,)
        The step in theta and in the coordinates.
    concave : bool
    scaled_gradient : float
        g'(-H)^-1 g at a concave point.
    """

    direction: Array
    gamma: Array
    concave: bool
    scaled_gradient: float


def newton_step(at: Derivatives, coordinates: Coordinates, difficult: bool = False) -> NewtonStep:
    """(-H)^-1 g, or what replaces it where -H is not positive definite.

    Done in the given coordinates, scaled so that -H has a unit diagonal. At a saddle point, as where
    a variance of zero is not the maximum, the gradient along a direction of negative curvature may
    vanish: a step of at least `_LEAST_ESCAPE` standard errors is taken along it.
    """
    # A step beyond all bounds is halved by the search.
    with np.errstate(over="ignore", invalid="ignore"):
        return _newton_step(at, coordinates.directions, difficult)


def _newton_step(at: Derivatives, turn: Array, difficult: bool) -> NewtonStep:
    gradient, information = turn.T @ at.gradient, -turn.T @ at.hessian @ turn
    if len(gradient) == 0:
        return NewtonStep(gradient, gradient, True, 0.0)
    diagonal = np.abs(information.diagonal())
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    slope = gradient * scale
    step, concave = _scaled_step(slope, information * np.outer(scale, scale), difficult)
    gamma = scale * step
    return NewtonStep(turn @ gamma, gamma, concave, float(slope @ step))


def _scaled_step(gradient: Array, information: Array, difficult: bool) -> tuple[Array, bool]:
    """The step and whether the point is concave, where -H has a unit diagonal."""
    root = clear_inverse_root(information)
    if root is not None:
        return root.T @ (root @ gradient), True
    values, vectors = np.linalg.eigh(information)
    along = gradient @ vectors
    concave = bool(values[0] > POSITIVE)
    if concave:
        step = along / values
    else:
        # Scaled to a unit diagonal, the gradient itself is a step of sensible length.
        sizes = np.where(values > _LEAST_CURVATURE, values, 1.0) if difficult else np.abs(values)
        step = along / np.maximum(sizes, _LEAST_CURVATURE)
        escape = (values < -_LEAST_CURVATURE) & (np.abs(step) < _LEAST_ESCAPE)
        step = np.where(escape, np.where(along < 0.0, -_LEAST_ESCAPE, _LEAST_ESCAPE), step)
    return vectors @ step, concave


class Steps:
    """The step of each iteration by the technique whose turn it is."""

    def __init__(self, search: Search, coordinates: Coordinates) -> None:
        self._search = search
        self._coordinates = coordinates
        self._memory: _Memory | None = None

    def technique(self, number: int) -> TechniqueName:
        """Whose turn it is at an iteration, counted from 0."""
        number %= sum(count for _, count in self._search.techniques)
        for name, count in self._search.techniques:
            if number < count:
                return name
            number -= count
        raise ValueError(number)

    def gamma(self, technique: TechniqueName, theta: Array, at: Derivatives, newton: NewtonStep) -> Array:
        """The step from theta, in the coordinates."""
        if technique in ("dfp", "bfgs"):
            return self._quasi_newton(technique, theta, at)
        self._memory = None
        return newton.gamma if technique == "nr" else _outer_product_step(at, self._coordinates)

    def _quasi_newton(self, technique: TechniqueName, theta: Array, at: Derivatives) -> Array:
        turn = self._coordinates.directions
        gradient = np.asarray(turn.T @ at.gradient)
        gamma = np.asarray(np.linalg.solve(turn, theta), dtype=float)
        inverse = np.diag(_first_inverse(turn.T @ at.products @ turn))
        memory = self._memory
        if memory is not None and memory.technique == technique and not np.array_equal(gamma, memory.gamma):
            inverse = _updated(memory, gamma - memory.gamma, memory.gradient - gradient)
        self._memory = _Memory(technique, inverse, gamma, gradient)
        return np.asarray(inverse @ gradient)


@dataclass(frozen=True, slots=True)
class _Memory:
    """A quasi-Newton technique's inverse of -H, and where it was last."""

    technique: TechniqueName
    inverse: Array
    gamma: Array
    gradient: Array


def _first_inverse(products: Array) -> Array:
    """A diagonal to begin with: inverse sums of squares of the scores."""
    squares = np.diag(products)
    return 1.0 / np.where(squares > 0.0, squares, 1.0)


def _updated(memory: _Memory, change: Array, fall: Array) -> Array:
    """The inverse with change = inverse @ fall, where `fall` is that of the gradient."""
    inverse, product = memory.inverse, float(change @ fall)
    if product <= _LEAST_COSINE * float(np.linalg.norm(change) * np.linalg.norm(fall)):
        return inverse
    if memory.technique == "dfp":
        turned = inverse @ fall
        return np.asarray(
            inverse - np.outer(turned, turned) / float(fall @ turned) + np.outer(change, change) / product
        )
    left = np.eye(len(change)) - np.outer(change, fall) / product
    return np.asarray(left @ inverse @ left.T + np.outer(change, change) / product)


def _outer_product_step(at: Derivatives, coordinates: Coordinates) -> Array:
    """(sum of s s')^-1 g; directions in which no score varies are left alone."""
    turn = coordinates.directions
    products = turn.T @ at.products @ turn
    scale = np.sqrt(_first_inverse(products))
    values, vectors = np.linalg.eigh(products * np.outer(scale, scale))
    along = ((turn.T @ at.gradient) * scale) @ vectors
    step = np.where(values > POSITIVE, along / np.maximum(values, POSITIVE), 0.0)
    return np.asarray(scale * (vectors @ step))
