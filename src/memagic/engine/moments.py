"""Variances of random effects from generalized residuals, without any integration.

With all effects at zero, the score of effect a in cluster j is s_aj = sum_i z_ai r_i, r the
generalized residuals d log f / d eta at the fixed-effects estimates. To first order its second
moment is

    E s_aj^2 = S_aj + sum_b tau_b^2 sum_c (S_abc)^2,

with w the weights -d^2 log f / d eta^2, S_aj = sum_i w_i z_ai^2, and S_abc = sum_i w_i z_ai z_bi in
each cluster c that is common to the levels of a and b. Summed over clusters this is one linear
equation for each effect, the share of the residuals' own variation taken off.

Source: Henderson's moments in the form of Rao (1971), Journal of Multivariate Analysis 1, 445-456,
with a weighted working response; Gourieroux, Monfort, Renault and Trognon (1987), Journal of
Econometrics 34, 5-32, for generalized residuals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.covariance import CovarianceStructure
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.problem import Level, Problem

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["MomentSums", "moment_omega", "moment_sums", "moment_variances"]

# Least variance of an effect's part of the linear predictor, relative to the residuals' mean variance.
_LEAST_SHARE = 1e-3


@dataclass(frozen=True, slots=True)
class MomentSums:
    """The linear equations of the moments, and what they are scaled by.

    Attributes
    ----------
    left : ndarray, shape (Q, Q)
    right : ndarray, shape (Q,)
    weight : float
        Sum of the weights of n rows.
    n : int
    """

    left: Array
    right: Array
    weight: float
    n: int

    def __add__(self, other: MomentSums) -> MomentSums:
        return MomentSums(
            self.left + other.left, self.right + other.right, self.weight + other.weight, self.n + other.n
        )


def moment_sums(problem: Problem, beta: Array, phi: Array) -> MomentSums:
    """The equations for the variances of the effects of all levels; arguments as in `Parameters`."""
    eta = problem.fixed_part(beta)
    _, residual, second = problem.family.derivatives(eta, problem.y, problem.trials, phi)
    weight = np.maximum(-second, 0.0)
    places = [(level, k) for level in problem.levels for k in range(level.structure.q)]
    q = len(places)
    left = np.zeros((q, q))
    right = np.zeros(q)
    for a, (level, k) in enumerate(places):
        z = level.z[:, k]
        score = np.bincount(level.cluster, weights=z * residual)
        own = np.bincount(level.cluster, weights=weight * z * z)
        right[a] = float(np.sum(score * score - own))
        for b in range(a, q):
            lower, m = places[b]
            common = np.bincount(_common(problem, level, lower), weights=weight * z * lower.z[:, m])
            left[a, b] = left[b, a] = float(np.sum(common * common))
    return MomentSums(left, right, float(weight.sum()), len(weight))


def moment_variances(sums: MomentSums, mean_square_z: Array) -> Array:
    """Variances of the effects of all levels, shape (Q,), each at least a small share."""
    square = np.maximum(mean_square_z, 1e-300)
    least = _LEAST_SHARE / (square * max(sums.weight / sums.n, 1e-300))
    scale = 1.0 / np.sqrt(np.maximum(np.diag(sums.left), 1e-300))
    scaled = sums.left * np.outer(scale, scale)
    solved = scale * np.linalg.lstsq(scaled, scale * sums.right, rcond=None)[0]
    return np.maximum(solved, least)


def _common(problem: Problem, level: Level, lower: Level) -> Index:
    """Codes of the groups that two levels have in common."""
    if level is lower or not isinstance(problem, CrossedProblem):
        return lower.cluster  # highest first: clusters of the later one are within those of the other
    pairs = level.cluster * lower.n_clusters + lower.cluster
    return np.asarray(np.unique(pairs, return_inverse=True)[1].reshape(len(pairs)))


def moment_omega(structure: CovarianceStructure, sums: MomentSums, mean_square_z: Array) -> Array:
    """Omega for these variances, shape (m,): averages where effects share one, no covariances."""
    basis = structure.basis
    target = np.diag(np.sqrt(moment_variances(sums, mean_square_z)))
    columns = basis.reshape(len(basis), -1).T
    return np.asarray(np.linalg.lstsq(columns, target.ravel(), rcond=None)[0])
