"""The coordinates in which the likelihood of a problem is maximized."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.definite import inverse_root
from memagic.engine.parted import AnyProblem
from memagic.engine.steps import Coordinates

Array = NDArray[np.float64]

__all__ = ["problem_coordinates"]

# Share of the largest standard deviation by which one may change in a step.
_SHARE = 0.5


def problem_coordinates(problem: AnyProblem, start: Array) -> Coordinates:
    """Directions that move the linear predictor by about one, independently of each other.

    The coefficients by the inverse root of X'X/n. An element of omega moves it by z'E v, v ~ N(0, I),
    so that the elements of a structure have the Gram matrix tr(E_a' Z'Z/n E_b). A step changes
    standard deviations by half of the largest at most, since a Cholesky factor of zero is a saddle
    point, and a parameter of the family by one. Without random effects nothing is limited.

    Parameters
    ----------
    problem : Problem
    start : ndarray, shape (d,)
        Theta at the first step.
    """
    p, m = problem.p, problem.n_omega
    directions = np.eye(len(start))
    directions[:p, :p] = _inverse_root(problem.mean_products_x)
    if problem.structure is None:
        return Coordinates(directions, lambda theta: np.full(theta.shape, np.inf))
    omega = slice(p, p + m)
    flat = problem.structure.basis.reshape(m, -1)
    products = (problem.mean_products_z @ problem.structure.basis).reshape(m, -1)
    directions[omega, omega] = _inverse_root(flat @ products.T)
    outward = np.linalg.inv(directions[omega, omega])
    # A start at zero variances has no size of its own.
    least = float(np.abs(outward @ start[omega]).max()) or 1.0

    def limit(theta: Array) -> Array:
        largest = np.full(theta.shape, np.inf)
        size = float(np.abs(outward @ theta[omega]).max())
        largest[omega] = _SHARE * max(size, 0.5 * least)
        largest[p + m :] = 1.0
        return largest

    return Coordinates(directions, limit)


def _inverse_root(gram: Array) -> Array:
    """C with C'(gram)C = I."""
    if len(gram) == 0:
        return gram
    scale = 1.0 / np.sqrt(np.maximum(gram.diagonal(), 1e-300))
    root = inverse_root(gram * np.outer(scale, scale))
    return np.diag(scale) if root is None else scale[:, None] * root.T
