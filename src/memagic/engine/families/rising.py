"""The log of the rising factorial Gamma(y + m) / Gamma(m) of whole y, and its derivatives in log m.

Up to `_SHIFT` factors are multiplied out: with few of them that is cheaper than two log gamma
functions and their derivatives, and exact for every m. What is left for larger y is a difference of
log gamma functions of arguments from `_SHIFT` on, where Stirling's series is exact to double
precision and the difference can be taken term by term.

Source: Abramowitz and Stegun (1964), 6.1.41, 6.3.18, 6.4.11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.families.base import Array

__all__ = ["log_rising"]

_SHIFT = 12
_MAX_LOG_SIZE = 600.0  # cubes and products with counts are taken of ratios only

# Coefficients in 1/x^2 of what follows the leading terms: of log Gamma (over x), of digamma (over
# x^2), of trigamma (over x^3) and of its derivative (over x^4).
_LOG_GAMMA = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_DIGAMMA = (-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132, 691 / 32760)
_TRIGAMMA = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730)
_TETRAGAMMA = (-1 / 2, 1 / 6, -1 / 6, 3 / 10, -5 / 6, 691 / 210)


def log_rising(log_size: Array, y: Array, order: int) -> list[Array]:
    """Log of m (m + 1) ... (m + y - 1) and its derivatives in log m.

    Parameters
    ----------
    log_size : ndarray
        Log m.
    y : ndarray
        Counts: a column, one a row of `log_size`, or any shape that broadcasts against it.
    order : int
        The highest derivative, 0 to 3.

    Returns
    -------
    list of ndarray
        The value and the derivatives, shaped as `log_size`.
    """
    shape = log_size.shape
    by_row = y.ndim == log_size.ndim > 0 and y.size == len(y) == shape[0]
    counts = y.reshape(-1) if by_row else np.broadcast_to(y, shape).reshape(-1)
    sizes = log_size.reshape(len(counts), -1)
    # With the largest counts first, the rows that have a factor are always the first ones.
    order_of_rows = np.argsort(-counts, kind="stable")
    counts = counts[order_of_rows]
    out = []
    for part in _sorted_rising(np.minimum(sizes[order_of_rows], _MAX_LOG_SIZE), counts, order):
        unsorted = np.empty_like(part)
        unsorted[order_of_rows] = part
        out.append(unsorted.reshape(shape))
    return out


def _sorted_rising(s: Array, counts: Array, order: int) -> list[Array]:
    """`log_rising` of rows in the order of falling counts, s = log m of shape (n, K)."""
    n_rows = np.searchsorted(-counts, -np.arange(_SHIFT + 1.0))  # rows with more than i factors
    value = np.zeros_like(s)
    if n_rows[0] == 0:
        return [value] * (order + 1)
    m = np.exp(s)
    # The factor m + i is (1 + m) (1 + (i - 1)/(1 + m)), which neither over- nor underflows.
    sums = [np.zeros_like(s) for _ in range(order)]
    for power in sums:
        power[: n_rows[0]] = 1.0
    inverse = 1.0 / (1.0 + m[: n_rows[1]])
    product = np.ones_like(inverse)
    for i in range(1, _SHIFT):
        k = n_rows[i]
        if k == 0:
            break
        if i > 1:
            product[:k] *= 1.0 + (i - 1.0) * inverse[:k]
        if order > 0:
            ratio = m[:k] / (m[:k] + i)
            power = ratio
            sums[0][:k] += ratio
            for total in sums[1:]:
                power = power * ratio
                total[:k] += power
    value[: n_rows[0]] = s[: n_rows[0]]
    more = np.minimum(counts[: n_rows[1]], _SHIFT) - 1.0
    value[: n_rows[1]] -= more[:, None] * np.log(inverse)
    value[: n_rows[1]] += np.log(product)
    if n_rows[_SHIFT] > 0:
        rows = slice(0, int(n_rows[_SHIFT]))
        rest = _Rest.of(m[rows], counts[rows, None])
        value[rows] += rest.value()
        for total, part in zip(sums, rest.sums(order), strict=True):
            total[rows] += part
    # By the chain rule, with S_p the sum of the p-th powers of m / (m + i).
    out = [value]
    if order > 0:
        out.append(sums[0])
    if order > 1:
        out.append(sums[0] - sums[1])
    if order > 2:
        out.append(sums[0] - 3.0 * sums[1] + 2.0 * sums[2])
    return out


@dataclass(frozen=True, slots=True)
class _Rest:
    """Gamma(upper) / Gamma(lower) with upper = m + y and lower = m + `_SHIFT`.

    Attributes
    ----------
    m, upper, lower : ndarray, shape (n, K)
    n_factors : ndarray, shape (n, 1)
    log_ratio : ndarray, shape (n, K)
        Log of upper / lower.
    """

    m: Array
    upper: Array
    lower: Array
    n_factors: Array
    log_ratio: Array

    @classmethod
    def of(cls, m: Array, counts: NDArray[np.float64]) -> _Rest:
        lower = m + _SHIFT
        n_factors = counts - _SHIFT
        return cls(m, m + counts, lower, n_factors, np.log1p(n_factors / lower))

    def value(self) -> Array:
        """The log of the ratio."""
        main = (self.lower - 0.5) * self.log_ratio + self.n_factors * (np.log(self.upper) - 1.0)
        upper, lower = 1.0 / self.upper, 1.0 / self.lower
        return np.asarray(main + upper * _series(upper, _LOG_GAMMA) - lower * _series(lower, _LOG_GAMMA))

    def sums(self, order: int) -> list[Array]:
        """Sums of the powers 1 to `order` of m / (m + i) over the factors.

        The leading terms of the polygamma functions' differences are products, not differences:
        times powers of a large m those would lose every digit.
        """
        m, d = self.m, self.n_factors
        upper, lower = 1.0 / self.upper, 1.0 / self.lower
        a, b = m * upper, m * lower
        out = []
        if order > 0:
            tail = upper * upper * _series(upper, _DIGAMMA) - lower * lower * _series(lower, _DIGAMMA)
            out.append(m * (self.log_ratio + tail) - 0.5 * (a - b))
        if order > 1:
            tail = a * a * upper * _series(upper, _TRIGAMMA) - b * b * lower * _series(lower, _TRIGAMMA)
            out.append(d * a * b - 0.5 * (a * a - b * b) - tail)
        if order > 2:
            a3, b3 = a * a * a, b * b * b
            tail = a3 * upper * _series(upper, _TETRAGAMMA) - b3 * lower * _series(lower, _TETRAGAMMA)
            out.append(0.5 * (d * a * b * (a + b) - (a3 - b3) + tail))
        return out


def _series(inverse: Array, coefficients: tuple[float, ...]) -> Array:
    """A polynomial in the square of `inverse`."""
    square = inverse * inverse
    total = np.full_like(inverse, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total *= square
        total += coefficient
    return total
