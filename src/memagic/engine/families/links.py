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

from memagic.engine.averages import complementary_log_log_averages, logit_averages

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
    averages : callable
        Of mu, s2 and an order, at most 4: E G^(k)(eta) with eta ~ N(mu, s2) for k up to this order, shape
        (order + 1, n).
    """

    name: str
    inverse: Callable[[Array], Array]
    averages: Averages


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


def _success(x: Array) -> Array:
    return np.asarray(-np.expm1(-_exp(x)))


IDENTITY = Link("identity", np.array, lambda mu, s2, order: _identity(mu, order))
LOG = Link("log", _exp, lambda mu, s2, order: _log(mu + 0.5 * s2, order))
LOGIT = Link("logit", expit, logit_averages)
PROBIT = Link("probit", ndtr, _probit_averages)
CLOGLOG = Link("cloglog", _success, complementary_log_log_averages)

LINKS = {link.name: link for link in (IDENTITY, LOG, LOGIT, PROBIT, CLOGLOG)}
"""All links by their names."""
