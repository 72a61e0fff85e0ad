"""Link functions by their inverses G: the mean of a response, or a cumulative probability, at eta.

Source: manual [ME] meglm, table of `family()` and `link()`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

Array = NDArray[np.float64]
Averages: TypeAlias = Callable[[Array, Array, int], Array]
"""Of means, variances and an order."""

__all__ = ["CLOGLOG", "IDENTITY", "LINKS", "LOG", "LOGIT", "MAX_EXPONENT", "PROBIT", "Link"]

MAX_EXPONENT = 700.0  # exp() of more overflows a double


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A link function.

    Attributes
    ----------
    name : str
        As `e(link)` has it.
    inverse : callable
        G, shaped as its argument.
    derivatives : callable
        Of x and an order, at most 4: G and its derivatives up to this order at x, shape
        (order + 1, *x.shape).
    averages : callable or None
        Of mu, s2 and an order: E G^(k)(eta) with eta ~ N(mu, s2) for k up to this order, shape
        (order + 1, n), where it has a closed form. Without it G is analytic within a distance of pi of
        the real line, for the sake of the trapezoidal rule.
    """

    name: str
    inverse: Callable[[Array], Array]
    derivatives: Callable[[Array, int], Array]
    averages: Averages | None


def _identity(x: Array, order: int) -> Array:
    found = np.zeros((order + 1, *x.shape))
    found[0] = x
    found[1:2] = 1.0
    return found


def _exp(x: Array) -> Array:
    return np.exp(np.minimum(x, MAX_EXPONENT))


def _log(x: Array, order: int) -> Array:
    return np.repeat(_exp(x)[None], order + 1, axis=0)


def _probit(x: Array, order: int) -> Array:
    """By Hermite polynomials."""
    density = np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)
    parts = [ndtr(x), density, -x * density, (x**2 - 1.0) * density, (3.0 * x - x**3) * density]
    return np.array(parts[: order + 1])


def _probit_averages(mu: Array, s2: Array, order: int) -> Array:
    spread = np.sqrt(1.0 + s2)
    return np.asarray(_probit(mu / spread, order) / spread ** np.arange(order + 1)[:, None])


def _logit(x: Array, order: int) -> Array:
    p = expit(x)
    d = p * expit(-x)
    t = 1.0 - 2.0 * p
    parts = [p, d, d * t, d * (1.0 - 6.0 * d), d * t * (1.0 - 12.0 * d)]
    return np.array(parts[: order + 1])


def _success(x: Array) -> Array:
    return np.asarray(-np.expm1(-_exp(x)))


def _cloglog(x: Array, order: int) -> Array:
    t = np.exp(np.minimum(x, 50.0))
    left = np.exp(-t)
    d = t * left
    # Where exp(-t) is zero, so is its product with any power of t.
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [
            -np.expm1(-t),
            d,
            d * (1.0 - t),
            d * (1.0 - 3.0 * t + t**2),
            d * (1.0 - 7.0 * t + 6.0 * t**2 - t**3),
        ]
    return np.array(parts[: order + 1])


IDENTITY = Link("identity", np.array, _identity, lambda mu, s2, order: _identity(mu, order))
LOG = Link("log", _exp, _log, lambda mu, s2, order: _log(mu + 0.5 * s2, order))
LOGIT = Link("logit", expit, _logit, None)
PROBIT = Link("probit", ndtr, _probit, _probit_averages)
CLOGLOG = Link("cloglog", _success, _cloglog, None)

LINKS = {link.name: link for link in (IDENTITY, LOG, LOGIT, PROBIT, CLOGLOG)}
"""All links by their names."""
