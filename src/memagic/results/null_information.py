"""What the data tell of variances and covariances where all of them are zero.

Without random effects the observations are independent: the score of an element of Sigma is half of
S'PS + sum z'Pz d2, with S the sum of z d1 over a group, d1 and d2 the derivatives of log f in the linear
predictor, and P what the element puts into Sigma. Its covariances follow from second moments between
observations and from fourth moments within one; the coefficients and the family's own parameters, which
are estimated as well, are projected out.

Source: Self and Liang (1987, JASA 82); Verbeke and Molenberghs (2003, Biometrics 59) for the score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.covariance import CovarianceStructure
from memagic.engine.problem import Problem
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]

__all__ = ["null_information"]


def null_information(estimates: Estimates) -> Array:
    """The efficient information on the reported elements of Sigma at zero, shape (m, m).

    Evaluated at the estimated coefficients, which are those without random effects where the variances
    are small, as they are where a test's p-value is not.
    """
    problem = estimates.problem
    assert problem.structure is not None
    parameters = problem.unpack(estimates.fit.theta)
    eta, phi = problem.fixed_part(parameters.beta), parameters.phi
    if problem.family.reports_variance:
        # The residual variance holds the others where these are zero.
        phi = problem.family.initial_phi(eta, problem.y)
    _, d1, d2 = problem.family.derivatives(eta, problem.y, problem.trials, phi)
    patterns = _patterns(problem.structure)
    z = np.concatenate([level.z for level in problem.levels], axis=1)
    v = np.maximum(-d2, 0.0)
    squares = np.array([np.einsum("iq,iq->i", z @ pattern, z) for pattern in patterns])
    within = 0.5 * squares * (d1**2 + d2)
    found = 0.5 * _between(problem, patterns, v) - 0.5 * (squares * v**2) @ squares.T + within @ within.T
    scores = problem.family.phi_derivatives(eta, problem.y, problem.trials, phi).score
    nuisance = np.column_stack([problem.x * d1[:, None], *scores])
    cross = within @ nuisance
    taken = cross @ np.linalg.lstsq(nuisance.T @ nuisance, cross.T, rcond=None)[0]
    return np.asarray(found - taken)


def _patterns(structure: CovarianceStructure) -> Array:
    """What each reported element puts into Sigma, shape (m, Q, Q): Sigma is linear in them."""
    start = structure.reported(structure.start)
    base = structure.sigma(structure.from_reported(start))
    step = 0.25 / structure.q
    found = []
    for moved in start + step * np.eye(structure.size):
        found.append((structure.sigma(structure.from_reported(moved)) - base) / step)
    return np.asarray(np.round(np.array(found), 9), dtype=float)


def _between(problem: Problem, patterns: Array, v: Array) -> Array:
    """Sums of (z_i' P_a z_j)(z_i' P_b z_j) v_i v_j over pairs that share the groups, shape (m, m)."""
    total = np.zeros((len(patterns), len(patterns)))
    last = np.cumsum([level.structure.q for level in problem.levels])
    blocks = [slice(end - level.structure.q, end) for end, level in zip(last, problem.levels, strict=True)]
    for k, one in enumerate(problem.levels):
        for j, other in enumerate(problem.levels):
            joint = one.cluster * other.n_clusters + other.cluster
            cell = one.cluster if j == k else np.unique(joint, return_inverse=True)[1].reshape(len(v))
            sums = np.array([[np.bincount(cell, weights=a * b * v) for b in other.z.T] for a in one.z.T])
            # tr(P_a B P_b B') over the cells' B = sum v z z'.
            left = np.einsum("aij,jkc->aikc", patterns[:, blocks[k], blocks[k]], sums)
            right = np.einsum("bkl,ilc->bkic", patterns[:, blocks[j], blocks[j]], sums)
            total += np.einsum("aikc,bkic->ab", left, right)
    return total
