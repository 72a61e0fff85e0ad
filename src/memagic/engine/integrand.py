"""The integrand of one group of a model with one random effect, and what a rule makes of it.

    L_j = integral of exp{h_j(v)} dv,    h_j(v) = log f(y_j | u) + log phi(v),    u = sigma v,

with phi the standard normal density. All values here are on the scale of u: the integrand is shown as
the posterior density of u, exp{h_j(u / sigma)} / (sigma L_j).

Source: manual [ME] meglm, Methods and formulas, 'Gauss-Hermite quadrature' and 'Adaptive Gauss-Hermite
quadrature'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.blocks import Block, arrange
from memagic.engine.families.base import LOG_2PI
from memagic.engine.laplace import LaplaceObjective
from memagic.engine.nodes import (
    Method,
    Placement,
    lay,
    log_likelihood_at,
    place_mode_curvature,
    posterior_at,
    row_density,
)
from memagic.engine.problem import Level, Problem
from memagic.engine.quadrature import QuadratureObjective

Array = NDArray[np.float64]

__all__ = ["Integrand", "exact_log_likelihood", "group_problem", "integrand"]

# The integral ends where the integrand has fallen by this on the log scale.
_NEGLIGIBLE = 60.0
# What is drawn ends where it has fallen by this.
_INVISIBLE = 7.0
_FINE, _DRAWN = 4001, 301
_MOST_DOUBLINGS = 60


@dataclass(frozen=True, slots=True)
class Integrand:
    """One group's integrand and a rule's view of it.

    Attributes
    ----------
    sigma : float
        Standard deviation of the random effect u.
    u : ndarray, shape (n,)
        Where the curves are drawn.
    density : ndarray, shape (n,)
        The integrand over its integral: the posterior density of u.
    prior : ndarray, shape (n,)
        The normal density of u without the data.
    normal : ndarray, shape (n,)
        The normal density that the rule stands on; for laplace the approximation itself, which has the
        integrand's height at the mode.
    nodes : ndarray, shape (K,)
        The rule's nodes; for laplace the mode.
    weights : ndarray, shape (K,)
        w_k with L_j = sum_k w_k f(y_j | u_k).
    shares : ndarray, shape (K,)
        Of each node in that sum.
    heights : ndarray, shape (K,)
        The density at the nodes.
    mean, sd : float
        Of `normal`.
    log_likelihood : float
        log L_j by the rule.
    exact : float
        log L_j by a fine integral.
    """

    sigma: float
    u: Array
    density: Array
    prior: Array
    normal: Array
    nodes: Array
    weights: Array
    shares: Array
    heights: Array
    mean: float
    sd: float
    log_likelihood: float
    exact: float

    @property
    def error(self) -> float:
        """The rule's log likelihood less the exact one."""
        return self.log_likelihood - self.exact


def group_problem(problem: Problem, group: int) -> Problem:
    """The problem of one group alone: with the weights of its observations, and counted once.

    Parameters
    ----------
    problem : Problem
        With one level.
    group : int
        Its code.
    """
    (level,) = problem.levels
    rows = np.flatnonzero(level.cluster == group)
    trials = problem.trials
    return Problem(
        family=problem.family,
        y=problem.y[rows],
        x=problem.x[rows],
        offset=None if problem.offset is None else problem.offset[rows],
        trials=trials if isinstance(trials, float) else trials[rows],
        levels=(Level(np.zeros(len(rows), dtype=np.intp), level.z[rows], level.structure),),
        weight=None if problem.weight is None else problem.weight[rows],
    )


def integrand(problem: Problem, theta: Array, method: Method, n_points: int) -> Integrand:
    """The integrand of a group, and what `n_points` of a rule make of it.

    Parameters
    ----------
    problem : Problem
        Of one group and one random effect.
    theta : ndarray, shape (d,)
        With a standard deviation other than zero.
    method : str
    n_points : int
        Of no account for laplace.
    """
    parameters = problem.unpack(theta)
    sigma = abs(float(parameters.omega[0]))
    log_h, block = _log_integrand(problem, theta)
    mode, curvature = _mode(problem, block, theta)
    low, high = _range(log_h, mode, curvature, _NEGLIGIBLE)
    exact = _fine_integral(log_h, low, high)
    if method == "laplace":
        value = LaplaceObjective(problem).value(theta)
        nodes, mean, sd = np.array([mode]), mode, curvature
        weights, shares = np.array([sd * np.exp(-0.5 * mode**2)]), np.ones(1)
        height = float(np.exp(log_h(nodes)[0] - exact))
    else:
        rule = QuadratureObjective(problem, method, n_points)
        value = rule.value(theta)
        (placement,) = rule.place(theta)
        nodes, weights, shares = _nodes(problem, block, rule, placement, theta)
        mean, sd = float(placement.mean[0][0, 0]), abs(float(placement.root[0][0, 0, 0]))
        height = float(np.exp(-0.5 * LOG_2PI) / sd)
    ends = _range(log_h, mode, curvature, _INVISIBLE)
    reach = (min(ends[0], nodes.min()), max(ends[1], nodes.max()))
    v = np.linspace(*_padded(*reach, ends), _DRAWN)
    # The sign of omega is arbitrary: the effect is u = omega v.
    sign = 1.0 if parameters.omega[0] >= 0.0 else -1.0
    order = np.argsort(sign * v)
    by_node = np.argsort(sign * nodes)
    return Integrand(
        sigma=sigma,
        u=(sign * sigma * v)[order],
        density=(np.exp(log_h(v) - exact) / sigma)[order],
        prior=(np.exp(-0.5 * (v**2 + LOG_2PI)) / sigma)[order],
        normal=(height * np.exp(-0.5 * ((v - mean) / sd) ** 2) / sigma)[order],
        nodes=(sign * sigma * nodes)[by_node],
        weights=weights[by_node],
        shares=shares[by_node],
        heights=(np.exp(log_h(nodes) - exact) / sigma)[by_node],
        mean=sign * sigma * mean,
        sd=sigma * sd,
        log_likelihood=value,
        exact=exact,
    )


def exact_log_likelihood(problem: Problem, theta: Array) -> float:
    """The log likelihood of a group by a fine integral, to the digits of a double.

    Parameters
    ----------
    problem : Problem
        Of one group with one random effect.
    theta : ndarray, shape (d,)
    """
    log_h, block = _log_integrand(problem, theta)
    return _fine_integral(log_h, *_range(log_h, *_mode(problem, block, theta), _NEGLIGIBLE))


def _log_integrand(problem: Problem, theta: Array) -> tuple[Callable[[Array], Array], Block]:
    """h(v), with all constants, and the group as a block."""
    (block,) = arrange(problem, 1)
    density = row_density(problem, block, problem.unpack(theta))
    constant = problem.constant - 0.5 * LOG_2PI

    def log_h(v: Array) -> Array:
        nodes = v[None, None, :]
        # Far out a linear predictor may overflow: the integrand is zero there.
        with np.errstate(over="ignore", invalid="ignore"):
            logf = log_likelihood_at(block, density, nodes)[0]
        return np.asarray(logf + constant - 0.5 * v**2)

    return log_h, block


def _mode(problem: Problem, block: Block, theta: Array) -> tuple[float, float]:
    """The mode of h, and the standard deviation that its curvature there stands for."""
    assert problem.structure is not None
    parameters = problem.unpack(theta)
    placement = place_mode_curvature(
        block,
        problem.family,
        block.fixed_part(parameters.beta),
        problem.structure.factor(parameters.omega),
        parameters.phi,
    )
    return float(placement.mean[0][0, 0]), abs(float(placement.root[0][0, 0, 0]))


def _range(log_h: Callable[[Array], Array], mode: float, sd: float, fall: float) -> tuple[float, float]:
    """Where h has fallen by `fall` on either side; it falls at least as fast as the prior in the end."""
    top = float(log_h(np.array([mode]))[0])
    ends = []
    for direction in (-1.0, 1.0):
        step = direction * (sd if np.isfinite(sd) and sd > 0.0 else 1.0)
        for _ in range(_MOST_DOUBLINGS):
            if not float(log_h(np.array([mode + step]))[0]) > top - fall:
                break
            step *= 1.3
        ends.append(mode + step)
    return ends[0], ends[1]


def _fine_integral(log_h: Callable[[Array], Array], low: float, high: float) -> float:
    """The log of the integral of exp(h); the trapezoidal rule is exact to rounding for such functions."""
    v, step = np.linspace(low, high, _FINE, retstep=True)
    h = log_h(v)
    peak = float(h.max())
    return peak + float(np.log(np.exp(h - peak).sum() * step))


def _nodes(
    problem: Problem, block: Block, rule: QuadratureObjective, placement: Placement, theta: Array
) -> tuple[Array, Array, Array]:
    """Nodes on the scale of v, their weights for the prior's integral, and shares in the sum."""
    nodes = lay(block, placement, rule.rule)
    shares = posterior_at(block, row_density(problem, block, problem.unpack(theta)), nodes).joint[0][0]
    return nodes.chains[0][0, 0], np.exp(nodes.log_weights[0][0]), shares


def _padded(low: float, high: float, ends: tuple[float, float]) -> tuple[float, float]:
    """The range that is drawn: all of the integrand, and the nodes that are not too far away."""
    width = ends[1] - ends[0]
    low, high = max(low, ends[0] - width), min(high, ends[1] + width)
    return low - 0.03 * (high - low), high + 0.03 * (high - low)
