"""Expectations over the prior of all random effects.

A row's linear predictor is x beta + z'u with u ~ N(0, Sigma): its random part is normal with variance
z' Sigma z, whatever the number of levels and effects, so that one dimension is left to integrate.
Where there is no closed form the trapezoidal rule is halved until it settles: for functions as smooth
as these it converges faster than any power of the step (Trefethen and Weideman 2014, SIAM Rev. 56).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from memagic.engine.families import BinomialProbit, Family, GaussianIdentity
from memagic.engine.families.links import LOG
from memagic.engine.problem import Level

Array = NDArray[np.float64]
Function: TypeAlias = Callable[[Array, slice], Array]
"""Of linear predictors of shape (m, K) in some of the rows."""

__all__ = [
    "Function",
    "marginal_density",
    "marginal_distribution",
    "marginal_mean",
    "normal_mean",
    "prior_variance",
]

# Beyond so many standard deviations no more than 1e-18 of the normal distribution is left.
_FAR = 9.0
_FIRST_STEP = 0.5
_MOST_HALVINGS = 9
_SETTLED = 1e-12
# Rows and nodes that are held at once.
_ROWS, _NODES = 512, 1024


def prior_variance(levels: tuple[Level, ...], omega: Array) -> Array:
    """Z' Sigma z by row, shape (n,), of levels whose `z` are those rows'."""
    total = np.zeros(len(levels[0].z)) if levels else np.zeros(0)
    first = 0
    for level in levels:
        factor = level.structure.factor(omega[first : first + level.structure.size])
        first += level.structure.size
        projected = level.z @ factor
        total += np.einsum("iq,iq->i", projected, projected)
    return total


def normal_mean(function: Function, eta: Array, sd: Array, n_points: int | None = None) -> Array:
    """E function(eta + sd Z) with Z standard normal, by row, shape (n,).

    Parameters
    ----------
    function : callable
    eta, sd : ndarray, shape (n,)
    n_points : int, optional
        Of a Gauss-Hermite rule; without it the trapezoidal rule, to rounding.
    """
    if n_points is not None:
        nodes, weights = np.polynomial.hermite_e.hermegauss(n_points)
        nodes_weights = nodes, weights / weights.sum()
        return _by_chunks(lambda e, s, rows: _rule(function, e, s, rows, *nodes_weights), eta, sd)
    return _by_chunks(lambda e, s, rows: _settled(function, e, s, rows), eta, sd)


def _by_chunks(mean: Callable[[Array, Array, slice], Array], eta: Array, sd: Array) -> Array:
    out = np.empty(len(eta))
    for first in range(0, len(eta), _ROWS):
        rows = slice(first, first + _ROWS)
        out[rows] = mean(eta[rows], sd[rows], rows)
    return out


def _rule(function: Function, eta: Array, sd: Array, rows: slice, nodes: Array, weights: Array) -> Array:
    total = np.zeros(len(eta))
    for first in range(0, len(nodes), _NODES):
        part = slice(first, first + _NODES)
        total += function(eta[:, None] + sd[:, None] * nodes[part], rows) @ weights[part]
    return total


def _settled(function: Function, eta: Array, sd: Array, rows: slice) -> Array:
    """The trapezoidal rule with half the step until nothing changes."""
    step = _FIRST_STEP
    nodes = np.arange(-_FAR, _FAR + 0.5 * step, step)
    value = _rule(function, eta, sd, rows, nodes, step * _normal(nodes))
    for _ in range(_MOST_HALVINGS):
        between = nodes[:-1] + 0.5 * step
        step *= 0.5
        finer = 0.5 * value + _rule(function, eta, sd, rows, between, step * _normal(between))
        change, size = np.abs(finer - value), np.abs(finer)
        value = finer
        if not np.any(change > _SETTLED * size + 1e-300):
            break
        nodes = np.sort(np.concatenate([nodes, between]))
    return value


def _normal(z: Array) -> Array:
    return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))


def marginal_mean(
    family: Family, eta: Array, sd: Array, trials: Array | float, phi: Array, n_points: int | None = None
) -> Array:
    """E(y) over the prior; closed for the identity and the log link, and for probits.

    Parameters
    ----------
    family : Family
    eta : ndarray, shape (n,)
        x beta + offset.
    sd : ndarray, shape (n,)
        Of the random part of the linear predictor.
    trials : ndarray, shape (n,), or float
    phi : ndarray, shape (n_phi,)
    n_points : int, optional
        As for `normal_mean`, also in place of a closed form.
    """
    if n_points is None:
        if isinstance(family, GaussianIdentity):
            return eta
        if family.link is LOG:
            return family.mean(eta + 0.5 * sd * sd, trials, phi)
        if isinstance(family, BinomialProbit):
            return np.asarray(trials * ndtr(eta / np.sqrt(1.0 + sd * sd)))

    def mean(at: Array, rows: slice) -> Array:
        return family.mean(at, _of(trials, rows), phi)

    return normal_mean(mean, eta, sd, n_points)


def marginal_density(
    family: Family,
    eta: Array,
    sd: Array,
    y: Array,
    trials: Array | float,
    phi: Array,
    n_points: int | None = None,
) -> Array:
    """The density of y over the prior; arguments as of `marginal_mean`."""
    if n_points is None and isinstance(family, GaussianIdentity):
        value, total = _standardized(family.density, eta, sd, y, phi)
        return value / total

    def at_nodes(at: Array, rows: slice) -> Array:
        return family.density(at, y[rows, None], _of(trials, rows), phi)

    return normal_mean(at_nodes, eta, sd, n_points)


def marginal_distribution(
    family: Family,
    eta: Array,
    sd: Array,
    y: Array,
    trials: Array | float,
    phi: Array,
    n_points: int | None = None,
) -> Array:
    """The distribution function at y over the prior; arguments as of `marginal_mean`."""
    if n_points is None and isinstance(family, GaussianIdentity):
        return _standardized(family.distribution, eta, sd, y, phi)[0]

    def at_nodes(at: Array, rows: slice) -> Array:
        return family.distribution(at, y[rows, None], _of(trials, rows), phi)

    return normal_mean(at_nodes, eta, sd, n_points)


def _standardized(
    function: Callable[[Array, Array, float, Array], Array], eta: Array, sd: Array, y: Array, phi: Array
) -> tuple[Array, Array]:
    """A function of a standard normal response at y's z-scores over the prior, and the standard deviations.

    Every row has its own, while a family has one set of parameters.
    """
    total = np.sqrt(np.exp(2.0 * phi[0]) + sd * sd)
    return function(np.zeros_like(eta), (y - eta) / total, 1.0, np.zeros(1)), total


def _of(trials: Array | float, rows: slice) -> Array | float:
    return trials[rows, None] if isinstance(trials, np.ndarray) else trials
