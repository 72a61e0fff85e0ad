"""The random effects given the data, at the estimates: posterior means and modes.

Means and covariances are the moments of the posterior under the rule of the fit. Modes are joint
modes of all effects of a top-level cluster, with the inverse of the negative Hessian there.

Source: manual [ME] meglm postestimation, Methods and formulas, 'Prediction'; Skrondal and
Rabe-Hesketh (2009), J. R. Statist. Soc. A 172, 659-687.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.blocks import Block, arrange
from memagic.engine.crossed.nested import nested_problem
from memagic.engine.crossed.posterior import crossed_modes, from_nested
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.modes import Limits, find_modes
from memagic.engine.nodes import Method, Placement, lay, posterior_at, row_density
from memagic.engine.problem import Parameters, Problem
from memagic.engine.quadrature import QuadratureObjective
from memagic.engine.rules import PathRule

Array = NDArray[np.float64]

__all__ = ["EffectMoments", "linear_predictor", "posterior_means", "posterior_modes"]


@dataclass(frozen=True, slots=True)
class EffectMoments:
    """Location and spread of the random effects u = L v given the data, by level, highest first.

    Attributes
    ----------
    value : tuple of ndarray, each shape (M_l, q_l)
        In the order of the groups' codes.
    covariance : tuple of ndarray, each shape (M_l, q_l, q_l)
        Of the effects of one group, those of the groups above not given.
    """

    value: tuple[Array, ...]
    covariance: tuple[Array, ...]

    @property
    def se(self) -> tuple[Array, ...]:
        """Standard errors, each shape (M_l, q_l)."""
        return tuple(np.sqrt(np.maximum(np.einsum("jqq->jq", v), 0.0)) for v in self.covariance)


def posterior_means(
    problem: Problem, theta: Array, method: Method, n_points: int, limits: Limits | None = None
) -> EffectMoments:
    """Posterior means and covariances by the quadrature rule of the fit.

    Where the posterior is normal, and for a rule of one point, these are the mode and the curvature.

    Parameters
    ----------
    problem : Problem
        With random effects.
    theta : ndarray, shape (p + m + n_phi,)
    method : str
    n_points : int
    limits : Limits, optional
        Of the adaptation of the nodes.
    """
    if problem.family.closed_form or method == "laplace" or n_points < 2:
        return posterior_modes(problem, theta, limits)
    if isinstance(problem, CrossedProblem):
        nested = posterior_means(nested_problem(problem), theta, method, n_points, limits)
        return EffectMoments(*from_nested(problem, nested.value, nested.covariance))
    parameters = problem.unpack(theta)
    objective = QuadratureObjective(problem, method, n_points, limits)
    placements = objective.place(theta)
    parts = [
        _moments(problem, block, objective.rule, placement, parameters)
        for block, placement in zip(objective.blocks, placements, strict=True)
    ]
    return _joined(problem, parameters, parts)


def posterior_modes(problem: Problem, theta: Array, limits: Limits | None = None) -> EffectMoments:
    """Joint modes, and the inverse of the negative Hessian of the log posterior.

    Parameters
    ----------
    problem : Problem
        With random effects.
    theta : ndarray, shape (p + m + n_phi,)
    limits : Limits, optional
        Of the search.
    """
    if isinstance(problem, CrossedProblem):
        return EffectMoments(*crossed_modes(problem, theta))
    assert problem.structure is not None
    parameters = problem.unpack(theta)
    factor = problem.structure.factor(parameters.omega)
    parts = []
    for block in arrange(problem, 1):
        fixed = block.fixed_part(parameters.beta)
        modes = find_modes(block, problem.family, fixed, factor, parameters.phi, limits=limits)
        roots = modes.elimination.roots(block)
        parts.append(EffectMoments(modes.v, tuple(root @ root.transpose(0, 2, 1) for root in roots)))
    return _joined(problem, parameters, parts)


def linear_predictor(problem: Problem, beta: Array, effects: tuple[Array, ...]) -> Array:
    """X beta + offset + sum_l Z_l u_l, shape (n,).

    Parameters
    ----------
    effects : tuple of ndarray, each shape (M_l, q_l)
        Highest level first, in the order of the groups' codes.
    """
    eta = problem.fixed_part(beta).copy()
    for level, values in zip(problem.levels, effects, strict=True):
        for k in range(values.shape[1]):
            eta += level.z[:, k] * values[level.cluster, k]
    return eta


def _moments(
    problem: Problem, block: Block, rule: PathRule, placement: Placement, parameters: Parameters
) -> EffectMoments:
    """Posterior moments of v in one block."""
    nodes = lay(block, placement, rule)
    weights = posterior_at(block, row_density(problem, block, parameters), nodes)
    means, covariances = [], []
    for chains, weight, own in zip(nodes.chains, weights.joint, placement.mean, strict=True):
        node = chains[:, chains.shape[1] - own.shape[1] :]
        mean = np.einsum("jk,jqk->jq", weight, node)
        centred = node - mean[:, :, None]
        means.append(mean)
        covariances.append((centred * weight[:, None, :]) @ centred.transpose(0, 2, 1))
    return EffectMoments(tuple(means), tuple(covariances))


def _joined(problem: Problem, parameters: Parameters, parts: list[EffectMoments]) -> EffectMoments:
    """The moments of u = L v from those of v in the blocks."""
    values, covariances = [], []
    first = 0
    for k, level in enumerate(problem.levels):
        q, m = level.structure.q, level.structure.size
        factor = level.structure.factor(parameters.omega[first : first + m])
        first += m
        values.append(np.concatenate([part.value[k] for part in parts]) @ factor.T)
        inner = np.concatenate([part.covariance[k] for part in parts])
        covariances.append((factor @ inner @ factor.T).reshape(-1, q, q))
    return EffectMoments(tuple(values), tuple(covariances))
