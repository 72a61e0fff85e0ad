"""Gauss-Hermite rules for the standard normal weight, memoized.

Source: manual [ME] meglm, Methods and formulas, 'Gauss-Hermite quadrature'.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import roots_hermitenorm

Array = NDArray[np.float64]

__all__ = ["PathRule", "Rule", "path_rule", "product_rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Nodes and weights with sum_k exp(log_weights[k]) g(nodes[k]) = E g(v), v ~ N(0, I_q).

    Attributes
    ----------
    nodes : ndarray, shape (K, q)
    log_weights : ndarray, shape (K,)
    log_lebesgue : ndarray, shape (K,)
        log_weights less the log of the standard normal density at the nodes (without its
        constant): the weights for integrals against the Lebesgue measure.
    """

    nodes: Array
    log_weights: Array
    log_lebesgue: Array


@lru_cache(maxsize=64)
def _one_dimension(n_points: int) -> tuple[Array, Array]:
    nodes, _ = roots_hermitenorm(n_points)
    nodes = 0.5 * (nodes - nodes[::-1])  # exactly symmetric
    return nodes, _log_christoffel(nodes, n_points)


def _log_christoffel(nodes: Array, n_points: int) -> Array:
    """Log weights 1 / sum_m p_m(x)^2 over orthonormal polynomials, which do not underflow.

    The polynomials are rescaled on the way: at the outer nodes of a long rule they overflow.
    """
    previous = np.zeros_like(nodes)
    current = np.ones_like(nodes)
    total = np.ones_like(nodes)
    log_scale = np.zeros_like(nodes)
    for m in range(1, n_points):
        previous, current = current, (nodes * current - np.sqrt(m - 1.0) * previous) / np.sqrt(m)
        total += current * current
        scale = np.where(total > 1e100, 1e-50, 1.0)
        previous *= scale
        current *= scale
        total *= scale * scale
        log_scale -= np.log(scale)
    log_weights = -np.log(total) - 2.0 * log_scale
    return np.asarray(log_weights - np.log(np.exp(log_weights).sum()))


@lru_cache(maxsize=64)
def product_rule(n_points: int, q: int) -> Rule:
    """The product of `q` rules of `n_points` points each; K = n_points ** q nodes."""
    nodes, log_weights = _one_dimension(n_points)
    index = np.indices((n_points,) * q).reshape(q, -1)
    grid = np.ascontiguousarray(nodes[index].T)
    log_grid = log_weights[index].sum(axis=0)
    rule = Rule(grid, log_grid, log_grid + 0.5 * (grid * grid).sum(axis=1))
    for array in (rule.nodes, rule.log_weights, rule.log_lebesgue):
        array.setflags(write=False)
    return rule


@dataclass(frozen=True, slots=True)
class PathRule:
    """Product rules of several levels, one after the other.

    A path picks a node at each level; the node of the lowest level varies fastest.

    Attributes
    ----------
    paths : tuple of ndarray, each shape (Q_l, K_1...K_l)
        Nodes of all effects down to a level.
    log_lebesgue : tuple of ndarray, each shape (K_1...K_l,)
        Log weights of the level's own nodes against the Lebesgue measure.
    """

    paths: tuple[Array, ...]
    log_lebesgue: tuple[Array, ...]

    @property
    def n_paths(self) -> int:
        return len(self.log_lebesgue[-1])


@lru_cache(maxsize=64)
def path_rule(n_points: int, dims: tuple[int, ...]) -> PathRule:
    """The rule of `n_points` a dimension for levels with `dims` effects."""
    paths: list[Array] = []
    lebesgue: list[Array] = []
    for q in dims:
        own = product_rule(n_points, q)
        upper = paths[-1] if paths else np.empty((1, 0))
        n_upper, n_own = len(upper), len(own.nodes)
        paths.append(
            np.concatenate([np.repeat(upper, n_own, axis=0), np.tile(own.nodes, (n_upper, 1))], axis=1)
        )
        lebesgue.append(np.tile(own.log_lebesgue, n_upper))
    return PathRule(tuple(np.ascontiguousarray(path.T) for path in paths), tuple(lebesgue))
