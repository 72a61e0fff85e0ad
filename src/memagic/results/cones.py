"""Weights of mixtures of chi2 distributions, by the shape of what parameters may be.

The statistic is the squared length of a normal vector's projection on a cone; the weight of d degrees of
freedom is the probability that the projection lies on a face of that dimension. Source: Shapiro (1988,
International Statistical Review 56); Silvapulle and Sen (2005), Constrained Statistical Inference, 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

__all__ = ["covariance_weights", "orthant_weights"]

_POINTS = 512


def orthant_weights(information: Array) -> dict[int, float]:
    """Weights where up to three parameters are zero or positive.

    Parameters
    ----------
    information : ndarray, shape (m, m), m <= 3
        Of the parameters.
    """
    m = len(information)
    if m == 1:
        return {0: 0.5, 1: 0.5}
    inside = _all_positive(np.asarray(np.linalg.inv(information), dtype=float))
    outside = _all_positive(information)
    if m == 2:
        return {0: outside, 1: 0.5, 2: inside}
    # Weights of even and of odd dimensions add up to one half each.
    return {0: outside, 1: 0.5 - inside, 2: 0.5 - outside, 3: inside}


def _all_positive(covariance: Array) -> float:
    """The probability that two or three normal variables are all positive."""
    deviations = np.sqrt(np.diag(covariance))
    correlations = (covariance / np.outer(deviations, deviations))[np.triu_indices(len(covariance), 1)]
    angles = float(np.arcsin(np.clip(correlations, -1.0, 1.0)).sum())
    return angles / (2.0 * np.pi) + 0.25 if len(covariance) == 2 else angles / (4.0 * np.pi) + 0.125


def covariance_weights(information: Array) -> dict[int, float]:
    """Weights where two variances and their covariance make a positive semidefinite matrix.

    The cone is smooth: its solid angle and the length of its rim on the sphere give the weights.

    Parameters
    ----------
    information : ndarray, shape (3, 3)
        Of the first variance, the second one, and the covariance.
    """
    angle = np.linspace(0.0, np.pi, _POINTS, endpoint=False)
    root = np.linalg.cholesky(information).T
    twice = 2.0 * angle
    # Matrices of rank one, with their derivatives in the angle.
    rim = root @ np.array([np.cos(angle) ** 2, np.sin(angle) ** 2, 0.5 * np.sin(twice)])
    first = root @ np.array([-np.sin(twice), np.sin(twice), np.cos(twice)])
    second = root @ np.array([-2.0 * np.cos(twice), 2.0 * np.cos(twice), -2.0 * np.sin(twice)])
    size = np.sqrt((rim**2).sum(axis=0))
    unit = rim / size
    speed = np.sqrt(((first - unit * (unit * first).sum(axis=0)) ** 2).sum(axis=0)) / size
    volume = np.abs((np.cross(rim.T, first.T) * second.T).sum(axis=1))
    width = np.pi / _POINTS
    # Gauss and Bonnet: the solid angle is what the rim's curvature leaves of a half sphere.
    solid = 2.0 * np.pi - float((volume / (size**3 * speed**2)).sum()) * width
    inside, edge = solid / (4.0 * np.pi), float(speed.sum()) * width / (4.0 * np.pi)
    return {0: 0.5 - edge, 1: 0.5 - inside, 2: edge, 3: inside}
