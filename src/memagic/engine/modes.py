"""Posterior modes of the standardized random effects, by Newton's method on all clusters at once.

Source: manual [ME] meglm, Methods and formulas, 'Laplacian approximation'; the elimination over
levels after Pinheiro and Chao (2006), J. Comput. Graph. Stat. 15, 58-81.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.blocks import Block
from memagic.engine.chains import Elimination, at_lowest, eliminate
from memagic.engine.families import Family
from memagic.engine.kernel import Terms
from memagic.engine.kernel_points import Point, point, z_products

Array = NDArray[np.float64]

__all__ = ["Limits", "Modes", "find_modes", "zeros"]

_MAX_STEPS = 100
_ENOUGH = 1e-13
_MAX_HALVINGS = 30


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the search for posterior modes or means goes on, where that is not left to its defaults.

    Attributes
    ----------
    steps : int or None
        The most steps.
    tolerance : float or None
        The change of the log posterior, or relative one of the log likelihood, that ends it.
    """

    steps: int | None = None
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class Modes:
    """Modes of h(v) = log f(y | v) - v'v/2 and the curvature there.

    Attributes
    ----------
    v : tuple of ndarray, each shape (M_l, q_l)
        By level, highest first.
    elimination : Elimination
        Of -d^2 h / dv dv', observed information.
    log_posterior : ndarray, shape (M_1,)
        h at the mode by top-level cluster, less the family's constant.
    eta : ndarray, shape (n, 1)
        Linear predictors at the modes.
    first, second : ndarray, shape (n, 1)
        Derivatives of log f in eta at the modes, weighted.
    z_first : ndarray, shape (M_L, Q)
        Z' d log f / d eta of the lowest-level clusters.
    z_second_z : ndarray, shape (M_L, Q, Q)
        Z' W Z with W = -second.
    """

    v: tuple[Array, ...]
    elimination: Elimination
    log_posterior: Array
    eta: Array
    first: Array
    second: Array
    z_first: Array
    z_second_z: Array


def zeros(block: Block) -> tuple[Array, ...]:
    """The prior's mode: by level, shape (M_l, q_l)."""
    return tuple(np.zeros((m, q)) for m, q in zip(block.sizes, block.dims, strict=True))


def find_modes(
    block: Block,
    family: Family,
    fixed: Array,
    factor: Array,
    phi: Array,
    start: tuple[Array, ...] | None = None,
    limits: Limits | None = None,
) -> Modes:
    """Newton's method with step halving by top-level cluster.

    Parameters
    ----------
    block : Block
    family : Family
    fixed : ndarray, shape (n,)
        X beta + offset.
    factor : ndarray, shape (Q, Q)
        L.
    phi : ndarray, shape (n_phi,)
    start : tuple of ndarray, each shape (M_l, q_l), optional
        Where to begin, if not at the prior's mode.
    limits : Limits, optional
        A step that gains less of the log posterior than the tolerance is the last. By quadratic
        convergence it leaves an error of the order of its square: by default that of rounding.
    """
    limits = limits or Limits()
    enough = _ENOUGH if limits.tolerance is None else limits.tolerance
    steps = _MAX_STEPS if limits.steps is None else limits.steps
    start = zeros(block) if start is None else start
    terms = family.terms(block.y, block.trials, phi)
    now = _point(block, terms, fixed, factor, start)
    state = _modes(block, factor, now)
    for _ in range(steps):
        elimination = state.elimination
        if not np.isfinite(elimination.log_det).all():
            # Where log f is not concave, rows that curve the wrong way are left out of the step.
            bounded = z_products(block, np.maximum(-state.second, 0.0))
            elimination = eliminate(block, factor.T @ bounded @ factor)
        own = elimination.reduce(block, state.z_first @ factor, tuple(-v for v in state.v))
        solved = [np.einsum("jqr,jr->jq", d, b) for d, b in zip(elimination.inverse, own, strict=True)]
        step = elimination.back(block, solved)
        # Half the squared Newton decrement is what a full step gains.
        gain = np.zeros(block.n_clusters)
        for level, (b, d) in enumerate(zip(own, solved, strict=True)):
            gain += _half_products(block, level, b, d)
        if not np.isfinite(gain).all():
            break
        largest = max(float(np.abs(v).max()) for v in state.v)
        if gain.max() < 1e-24 * max(1.0, largest**2):
            break
        now = _take(block, terms, fixed, factor, now, step)
        state = _modes(block, factor, now)
        if gain.max() < enough:
            break
    return state


@dataclass(frozen=True, slots=True)
class _Point:
    """The posterior at given values of v, with derivatives by row."""

    v: tuple[Array, ...]
    log_posterior: Array
    at: Point


def _point(block: Block, terms: Terms, fixed: Array, factor: Array, v: tuple[Array, ...]) -> _Point:
    at = point(block, terms, fixed, at_lowest(block, v) @ factor.T)
    by_lowest = at.logf[:, None]
    if block.chain_weights:
        by_lowest = by_lowest * block.chain_weights[-1][:, None]
    log_posterior = (block.sum_top @ by_lowest)[:, 0].copy()
    for level, values in enumerate(v):
        log_posterior -= _half_products(block, level, values, values)
    return _Point(v, log_posterior, at)


def _half_products(block: Block, level: int, left: Array, right: Array) -> Array:
    """Half the products of a level's vectors, shape (M_l, q_l), summed by top-level cluster, shape (M_1,)."""
    products = np.asarray(0.5 * np.einsum("jq,jq->j", left, right))
    if block.chain_weights:
        products *= block.chain_weights[level]
    if level == 0:
        return products
    return np.asarray(np.bincount(block.tops[level], weights=products, minlength=block.n_clusters))


def _take(
    block: Block,
    terms: Terms,
    fixed: Array,
    factor: Array,
    before: _Point,
    step: tuple[Array, ...],
) -> _Point:
    """The point after the step, halved in the clusters where it lowers the posterior."""
    length = np.ones(block.n_clusters)
    worse = np.zeros(block.n_clusters, dtype=bool)
    slack = 1e-13 * np.abs(before.log_posterior) + 1e-13
    for halving in range(_MAX_HALVINGS + 1):
        if halving == _MAX_HALVINGS:
            length[worse] = 0.0  # there is no way up: stay
        v = tuple(
            old + length[top][:, None] * change
            for old, change, top in zip(before.v, step, block.tops, strict=True)
        )
        trial = _point(block, terms, fixed, factor, v)
        worse = ~(trial.log_posterior >= before.log_posterior - slack)
        if not worse.any():
            break
        length[worse] *= 0.5
    return trial


def _modes(block: Block, factor: Array, point: _Point) -> Modes:
    """The point with the curvature of the posterior there."""
    at = point.at
    z_second_z = z_products(block, -at.second)
    elimination = eliminate(block, factor.T @ z_second_z @ factor)
    return Modes(
        point.v, elimination, point.log_posterior, at.eta, at.first, at.second, at.z_first, z_second_z
    )
