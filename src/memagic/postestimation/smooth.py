"""Functions of one number with their first two derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from memagic.data.special import SPECIAL, lnnormal, lnnormalden, normal, normal_quantile, normalden, polygamma

Array = NDArray[np.float64]
Derivatives: TypeAlias = "tuple[Array, Array, Array]"

__all__ = ["SMOOTH"]


def _invlogit(x: Array) -> Derivatives:
    # Either side without overflow, and with all digits of small probabilities.
    small = np.exp(-np.abs(x))
    p = np.where(x >= 0.0, 1.0, small) / (1.0 + small)
    q = np.where(x >= 0.0, small, 1.0) / (1.0 + small)
    return p, p * q, p * q * (q - p)


def _flat(value: Array) -> Derivatives:
    zero = np.zeros_like(value)
    return value, zero, zero


def _exp(x: Array) -> Derivatives:
    e = np.exp(x)
    return e, e, e


def _cloglog(p: Array) -> Derivatives:
    log = -np.log1p(-p)
    inverse = 1.0 / ((1.0 - p) * log)
    return np.log(log), inverse, (log - 1.0) * inverse**2


def _invcloglog(x: Array) -> Derivatives:
    e = np.exp(x)
    slope = np.exp(x - e)
    return -np.expm1(-e), slope, slope * (1.0 - e)


def _tan(x: Array) -> Derivatives:
    t = np.tan(x)
    return t, 1.0 + t**2, 2.0 * t * (1.0 + t**2)


def _tanh(x: Array) -> Derivatives:
    t = np.tanh(x)
    return t, 1.0 - t**2, -2.0 * t * (1.0 - t**2)


def _lnnormal(x: Array) -> Derivatives:
    log = lnnormal(x)
    ratio = np.exp(lnnormalden(x) - log)
    return log, ratio, -ratio * (x + ratio)


def _invnormal(p: Array) -> Derivatives:
    x = normal_quantile(p)
    slope = 1.0 / normalden(x)
    return x, slope, x * slope**2


_LN10 = float(np.log(10.0))
SMOOTH: Mapping[str, Callable[[Array], Derivatives]] = {
    "exp": _exp,
    "ln": lambda x: (np.log(x), 1.0 / x, -1.0 / x**2),
    "log10": lambda x: (np.log10(x), 1.0 / (x * _LN10), -1.0 / (x**2 * _LN10)),
    "sqrt": lambda x: (np.sqrt(x), 0.5 / np.sqrt(x), -0.25 / np.sqrt(x) ** 3),
    "logit": lambda x: (
        np.log(x / (1.0 - x)),
        1.0 / (x * (1.0 - x)),
        (2.0 * x - 1.0) / (x * (1.0 - x)) ** 2,
    ),
    "invlogit": _invlogit,
    "abs": lambda x: (np.abs(x), np.sign(x), np.zeros_like(x)),
    "sign": lambda x: _flat(np.sign(x)),
    "floor": lambda x: _flat(np.floor(x)),
    "ceil": lambda x: _flat(np.ceil(x)),
    "int": lambda x: _flat(np.trunc(x)),
    "cloglog": _cloglog,
    "invcloglog": _invcloglog,
    "expm1": lambda x: (np.expm1(x), np.exp(x), np.exp(x)),
    "ln1p": lambda x: (np.log1p(x), 1.0 / (1.0 + x), -1.0 / (1.0 + x) ** 2),
    "ln1m": lambda x: (np.log1p(-x), -1.0 / (1.0 - x), -1.0 / (1.0 - x) ** 2),
    "sin": lambda x: (np.sin(x), np.cos(x), -np.sin(x)),
    "cos": lambda x: (np.cos(x), -np.sin(x), -np.cos(x)),
    "tan": _tan,
    "asin": lambda x: (np.arcsin(x), (1.0 - x**2) ** -0.5, x * (1.0 - x**2) ** -1.5),
    "acos": lambda x: (np.arccos(x), -((1.0 - x**2) ** -0.5), -x * (1.0 - x**2) ** -1.5),
    "atan": lambda x: (np.arctan(x), 1.0 / (1.0 + x**2), -2.0 * x / (1.0 + x**2) ** 2),
    "sinh": lambda x: (np.sinh(x), np.cosh(x), np.sinh(x)),
    "cosh": lambda x: (np.cosh(x), np.sinh(x), np.cosh(x)),
    "tanh": _tanh,
    "asinh": lambda x: (np.arcsinh(x), (1.0 + x**2) ** -0.5, -x * (1.0 + x**2) ** -1.5),
    "acosh": lambda x: (np.arccosh(x), (x**2 - 1.0) ** -0.5, -x * (x**2 - 1.0) ** -1.5),
    "atanh": lambda x: (np.arctanh(x), 1.0 / (1.0 - x**2), 2.0 * x / (1.0 - x**2) ** 2),
    "normal": lambda x: (normal(x), normalden(x), -x * normalden(x)),
    "normalden": lambda x: (normalden(x), -x * normalden(x), (x**2 - 1.0) * normalden(x)),
    "lnnormalden": lambda x: (lnnormalden(x), -x, np.full_like(x, -1.0)),
    "lnnormal": _lnnormal,
    "invnormal": _invnormal,
    "lngamma": lambda x: (SPECIAL["lngamma"](x), polygamma(0, x), polygamma(1, x)),
    "digamma": lambda x: (polygamma(0, x), polygamma(1, x), polygamma(2, x)),
    "trigamma": lambda x: (polygamma(1, x), polygamma(2, x), polygamma(3, x)),
}
"""Value, derivative and second derivative of functions of one number."""
