"""Special functions of expressions: of the normal and other distributions, and of the gamma function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

__all__ = [
    "SPECIAL",
    "lnnormal",
    "lnnormalden",
    "normal",
    "normal_quantile",
    "normalden",
    "polygamma",
]

_LN_SQRT_2PI = 0.5 * float(np.log(2.0 * np.pi))


def normal(x: Array) -> Array:
    """The standard normal distribution function."""
    return np.asarray(special.ndtr(x))


def lnnormal(x: Array) -> Array:
    """Its logarithm, with all digits far below zero."""
    return np.asarray(special.log_ndtr(x))


def normal_quantile(p: Array) -> Array:
    """Its inverse; nan outside of 0 to 1."""
    return np.asarray(special.ndtri(p))


def lnnormalden(x: Array) -> Array:
    """The logarithm of the standard normal density."""
    return np.asarray(-0.5 * np.square(x) - _LN_SQRT_2PI)


def normalden(x: Array) -> Array:
    """The standard normal density."""
    return np.exp(lnnormalden(x))


def polygamma(order: int, x: Array) -> Array:
    """Derivatives of ln gamma: of order 0 the first, digamma; nan for the poles at 0, -1, ..."""
    pole = (np.asarray(x) <= 0.0) & (np.floor(x) == x)
    inside = np.where(pole, 1.0, x)
    if order == 0:
        found = special.digamma(inside)
    elif np.all(inside > 0.0):
        found = special.polygamma(order, inside)
    else:
        # The Hurwitz zeta function is of positive numbers: the recurrence leads there.
        found = _by_recurrence(order, inside)
    return np.asarray(np.where(pole, np.nan, found))


def _by_recurrence(order: int, x: Array) -> Array:
    steps = np.maximum(0.0, np.ceil(-x))
    moved = x + steps + 1.0
    total = np.asarray(special.polygamma(order, moved))
    sign = (-1.0) ** order * float(special.factorial(order))
    for k in range(int(steps.max()) + 1):
        more = k <= steps
        total = np.where(more, total - sign / np.where(more, x + k, 1.0) ** (order + 1), total)
    return total


def _standardized(arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    """Z and the standard deviation, of normalden(z), normalden(x, s) and normalden(x, mean, s)."""
    x, *others = arguments
    if not others:
        return x, 1.0
    s = np.where(np.asarray(others[-1]) > 0.0, others[-1], np.nan)
    return ((x - others[0]) if len(others) == 2 else x) / s, s


def _density(*arguments: Array) -> Array:
    z, s = _standardized(arguments)
    return np.asarray(normalden(z) / s)


def _log_density(*arguments: Array) -> Array:
    z, s = _standardized(arguments)
    return np.asarray(lnnormalden(z) - np.log(s))


def _chi2(df: Array, x: Array) -> Array:
    return np.asarray(np.where(df > 0.0, special.chdtr(df, np.maximum(x, 0.0)), np.nan))


def _chi2tail(df: Array, x: Array) -> Array:
    return np.asarray(np.where(df > 0.0, special.chdtrc(df, np.maximum(x, 0.0)), np.nan))


def _comb(n: Array, k: Array) -> Array:
    whole = (np.floor(n) == n) & (np.floor(k) == k) & (n >= 0.0)
    return np.asarray(np.where(whole, special.comb(n, k), np.nan))


def _lnfactorial(n: Array) -> Array:
    whole = (np.floor(n) == n) & (n >= 0.0)
    return np.asarray(np.where(whole, special.gammaln(np.where(whole, n, 0.0) + 1.0), np.nan))


def _lngamma(x: Array) -> Array:
    return np.asarray(special.gammaln(x))


SPECIAL: dict[str, Callable[..., Any]] = {
    "chi2": _chi2,
    "chi2tail": _chi2tail,
    "comb": _comb,
    "digamma": lambda x: polygamma(0, x),
    "Ftail": lambda n, d, x: special.fdtrc(n, d, np.maximum(x, 0.0)),
    "invchi2": lambda df, p: special.chdtri(df, 1.0 - p),
    "invchi2tail": special.chdtri,
    "invFtail": lambda n, d, p: special.fdtri(n, d, 1.0 - p),
    "invnormal": normal_quantile,
    "invttail": lambda df, p: -special.stdtrit(df, p),
    "lnfactorial": _lnfactorial,
    "lngamma": _lngamma,
    "lnnormal": lnnormal,
    "lnnormalden": _log_density,
    "normal": normal,
    "normalden": _density,
    "trigamma": lambda x: polygamma(1, x),
    "ttail": lambda df, x: special.stdtr(df, -x),
}
"""Functions over columns of numbers."""
