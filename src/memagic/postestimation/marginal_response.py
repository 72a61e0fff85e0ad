"""Responses at given linear predictors, averaged over the random effects, with exact derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.families.links import Link
from memagic.postestimation.scenes import RandomPart, Scene
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]

__all__ = ["Response", "Valued", "response_at", "slope_at"]


@dataclass(frozen=True, slots=True)
class Response:
    """A response as a sum of terms a G(kappa + d eta), eta normal.

    Attributes
    ----------
    link : Link
        Whose inverse is G; identity for the linear predictor itself.
    constant : float
    terms : tuple of (float, int or None, float)
        a, the cutpoint that kappa is (None for zero), and d.
    marginal : bool
        Whether it is averaged over the random effects; else they are zero.
    offset, trials : bool
        Whether the offset is in eta, and the sum is multiplied by the number of trials.
    """

    link: Link
    constant: float = 0.0
    terms: tuple[tuple[float, int | None, float], ...] = ((1.0, None, 1.0),)
    marginal: bool = True
    offset: bool = True
    trials: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Valued:
    """Values by row, shape (n,), and their derivatives in e(b), shape (n, k)."""

    value: Array
    gradient: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """Where a response is evaluated: X, the patterns' variances, and the moments of each order."""

    x: Array
    z: Array
    zeta: Array
    moments: Array
    by_cutpoint: Array
    factor: Array


def _point(scene: Scene, response: Response, part: RandomPart, order: int) -> _Point:
    """Moments of order 0 to `order`: derivatives of the response in eta, averaged."""
    estimates, rows = scene.estimates, scene.rows
    problem = estimates.problem
    parameters = problem.unpack(estimates.fit.theta)
    x = scene.fixed()
    eta = x @ parameters.beta
    if response.offset and problem.offset is not None:
        eta = eta + problem.offset[rows]
    z = scene.random() if response.marginal else np.empty((len(rows), 0))
    zeta = part.variances(z) if response.marginal else np.empty((0, len(rows)))
    s2 = np.maximum(part.values @ zeta, 0.0) if response.marginal else np.zeros(len(rows))
    moments = np.zeros((order + 1, len(rows)))
    moments[0] = response.constant
    by_cutpoint = np.zeros((len(parameters.phi), order, len(rows)))
    for a, cutpoint, d in response.terms:
        kappa = 0.0 if cutpoint is None else float(parameters.phi[cutpoint])
        found = a * response.link.averages(kappa + d * eta, s2, order)
        signs = d ** np.arange(order + 1)[:, None]
        moments += signs * found
        if cutpoint is not None:
            # d M_k / d kappa is M_(k+1), with the sign of the k derivatives in eta.
            by_cutpoint[cutpoint] += signs[:-1] * found[1:]
    trials = np.broadcast_to(problem.trials, problem.y.shape)[rows] if response.trials else np.ones(len(rows))
    return _Point(x, z, zeta, moments, by_cutpoint, trials)


def _gradient(estimates: Estimates, beta: Array, sigma: Array, phi: Array, factor: Array) -> Array:
    """Derivatives by row in e(b), from those in the engine's order."""
    n_sigma = estimates.problem.n_omega
    if not len(sigma):
        sigma = np.zeros((n_sigma, len(beta)))
    n_phi = len(estimates.fit.estimates) - estimates.problem.p - n_sigma
    if not len(phi):
        phi = np.zeros((n_phi, len(beta)))
    whole = np.concatenate([beta, sigma.T, phi.T], axis=1) * factor[:, None]
    return np.asarray(whole[:, estimates.positions])


def response_at(scene: Scene, response: Response, part: RandomPart) -> Valued:
    """The response of every row of a scene."""
    point = _point(scene, response, part, 2)
    m = point.moments
    gradient = _gradient(
        scene.estimates,
        m[1][:, None] * point.x,
        0.5 * m[2] * point.zeta,
        point.by_cutpoint[:, 0],
        point.factor,
    )
    return Valued(m[0] * point.factor, gradient)


def slope_at(scene: Scene, response: Response, part: RandomPart, variable: str) -> tuple[Valued, Valued]:
    """The response of every row, and its derivative in a continuous variable.

    Where the variable has a random coefficient, the variance of the linear predictor moves with it.
    """
    point = _point(scene, response, part, 4)
    m, cut = point.moments, point.by_cutpoint
    slope = scene.fixed_slope(variable)
    e = slope @ scene.estimates.problem.unpack(scene.estimates.fit.theta).beta
    crossed = np.empty((0, len(e)))
    q = np.zeros(len(e))
    if response.marginal and len(part.values):
        crossed = part.crossed(point.z, scene.random_slope(variable))
        q = part.values @ crossed
    value = _gradient(
        scene.estimates, m[1][:, None] * point.x, 0.5 * m[2] * point.zeta, cut[:, 0], point.factor
    )
    beta = (m[2] * e + m[3] * q)[:, None] * point.x + m[1][:, None] * slope
    sigma = 0.5 * (m[3] * e + m[4] * q) * point.zeta
    if len(crossed):
        sigma = sigma + m[2] * crossed
    phi = cut[:, 1] * e + cut[:, 2] * q
    change = _gradient(scene.estimates, beta, sigma, phi, point.factor)
    return (
        Valued(m[0] * point.factor, value),
        Valued((m[1] * e + m[2] * q) * point.factor, change),
    )
