"""The compiled part of the engine: densities, and their sums over rows and quadrature nodes.

Its source is src/native. Arrays are C-contiguous; the interpreter's lock is released while they are
worked on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from memagic.engine import _kernel

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = [
    "Rows",
    "Sums",
    "Terms",
    "bernoulli_cumulant",
    "density",
    "density_derivatives",
    "gompertz",
    "laid_out",
    "log_rising",
    "look",
    "look_with_derivatives",
    "normal_interval",
    "products_by_cluster",
]

_CODES = {name: code for code, name in enumerate(_kernel.KINDS)}
_NONE = np.empty(0)


def laid_out(array: NDArray[Any]) -> Array:
    """Doubles as compiled functions read them; what came from another process may lie anywhere in memory.

    Parameters
    ----------
    array : ndarray
        What is returned has its shape.
    """
    array = np.ascontiguousarray(array, dtype=float)
    return array if array.flags.aligned else array.copy()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a density needs besides the linear predictor.

    Attributes
    ----------
    kind : str
        Its name in src/native/densities.h.
    columns : tuple of ndarray
        What it needs of a row, all shaped as the response.
    parameters : tuple of float
        What all rows share.
    """

    kind: str
    columns: tuple[Array, ...]
    parameters: tuple[float, ...] = ()

    def spread(self, shape: tuple[int, ...]) -> Array:
        """The columns one below the other, shape (R, n), for elements of that shape."""
        size = self.columns[0].size
        by_row = len(shape) == 2 and self.columns[0].shape == (shape[0], 1)
        if not by_row and self.columns[0].shape != shape:
            spread = [np.broadcast_to(column, shape).reshape(-1) for column in self.columns]
            return np.array(spread, dtype=float)
        if len(self.columns) == 1:
            return laid_out(self.columns[0]).reshape(1, size)
        return np.array([column.reshape(-1) for column in self.columns], dtype=float)

    def arguments(self, shape: tuple[int, ...]) -> tuple[int, Array, Array]:
        """As compiled functions take them: the kind's code, the parameters, and the columns of `spread`."""
        return _CODES[self.kind], np.array(self.parameters), self.spread(shape)


def density(terms: Terms, eta: Array) -> Array:
    """Log f, shaped as eta."""
    eta = laid_out(eta)
    logf = np.empty(eta.shape)
    _kernel.densities(*terms.arguments(eta.shape), eta, logf, None, None)
    return logf


def density_derivatives(terms: Terms, eta: Array) -> tuple[Array, Array, Array]:
    """Log f and its first two derivatives in eta, each shaped as eta."""
    eta = laid_out(eta)
    logf, first, second = np.empty(eta.shape), np.empty(eta.shape), np.empty(eta.shape)
    _kernel.densities(*terms.arguments(eta.shape), eta, logf, first, second)
    return logf, first, second


class Rows(Protocol):
    """Rows of lowest-level clusters, in the order of these and of their cells; see `Block`."""

    @property
    def x(self) -> Array:
        """Shape (n, p)."""

    @property
    def z(self) -> Array:
        """By cell, shape (C, Q)."""

    @property
    def cell_of_row(self) -> Index:
        """Shape (n,)."""

    @property
    def cluster_of_row(self) -> Index:
        """Shape (n,)."""

    @property
    def weight(self) -> Array | None:
        """Shape (n, 1)."""

    @property
    def n_lowest(self) -> int:
        """Number of clusters."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of a look, M clusters, K nodes.

    Attributes
    ----------
    logf : ndarray, shape (M, K)
        Log densities.
    scores : ndarray, shape (M, d, K)
        X' first in the first p, zero in the others.
    z_first : ndarray, shape (M, Q, K)
        Z' first.
    second : ndarray, shape (n, K)
        Not summed.
    """

    logf: Array
    scores: Array
    z_first: Array
    second: Array


def look(rows: Rows, terms: Terms, fixed: Array, effects: Array) -> Array:
    """Log densities summed within clusters, shape (M, K).

    Parameters
    ----------
    terms : Terms
        With columns of shape (n, 1).
    fixed : ndarray, shape (n,)
    effects : ndarray, shape (M, Q, K)
        Values of the random effects.
    """
    n_nodes = effects.shape[2]
    logf = np.zeros((rows.n_lowest, n_nodes))
    _call(rows, terms, fixed, effects, logf, None, _NONE, _NONE, _NONE)
    return logf


def look_with_derivatives(rows: Rows, terms: Terms, fixed: Array, effects: Array, d: int) -> Sums:
    """A look with the sums that d scores and a Hessian are made of; parameters as for `look`."""
    _, q, n_nodes = effects.shape
    sums = Sums(
        np.zeros((rows.n_lowest, n_nodes)),
        np.zeros((rows.n_lowest, d, n_nodes)),
        np.zeros((rows.n_lowest, q, n_nodes)),
        np.empty((len(fixed), n_nodes)),
    )
    _call(rows, terms, fixed, effects, sums.logf, rows.x, sums.scores, sums.z_first, sums.second)
    return sums


def _call(
    rows: Rows,
    terms: Terms,
    fixed: Array,
    effects: Array,
    logf: Array,
    x: Array | None,
    scores: Array,
    z_first: Array,
    second: Array,
) -> None:
    n, n_nodes = len(fixed), effects.shape[2]
    _kernel.look(
        *terms.arguments((n, 1)),
        fixed,
        np.ascontiguousarray(effects),
        rows.z,
        rows.cell_of_row,
        rows.cluster_of_row,
        rows.weight,
        logf,
        x,
        scores,
        z_first,
        second,
        rows.n_lowest,
        len(rows.z),
        n_nodes,
    )


def products_by_cluster(rows: Rows, values: Array) -> Array:
    """X' s within clusters, shape (M, p), of `values` s of shape (n, 1)."""
    out = np.zeros((rows.n_lowest, rows.x.shape[1]))
    _kernel.products_by_cluster(rows.x, rows.cluster_of_row, np.ascontiguousarray(values), out, rows.n_lowest)
    return out


def log_rising(log_size: Array, y: Array, order: int) -> list[Array]:
    """Log of m (m + 1) ... (m + y - 1) for whole y, and its derivatives in log m up to `order`.

    Parameters
    ----------
    log_size : ndarray
        Log m; what is returned has its shape.
    y : ndarray
        Counts, broadcast against it.
    order : int
        From 0 to 3.
    """
    log_size = laid_out(log_size)
    out = [np.empty(log_size.shape) for _ in range(4)]
    _kernel.log_rising(log_size, laid_out(np.broadcast_to(y, log_size.shape)), order, *out)
    return out[: order + 1]


def normal_interval(eta: Array, below: Array, above: Array) -> list[Array]:
    """What the probability of a normal interval is made of: `Interval` of distributions.h.

    Parameters
    ----------
    eta : ndarray
        Linear predictors; what is returned has their shape.
    below, above : ndarray
        Ends of the interval before eta is taken off, broadcast against it.
    """
    eta = laid_out(eta)
    ends = [laid_out(np.broadcast_to(end, eta.shape)) for end in (below, above)]
    out = [np.empty(eta.shape) for _ in range(6)]
    _kernel.normal_interval(eta, *ends, *out)
    return out


def bernoulli_cumulant(eta: Array) -> Array:
    """The third cumulant of a Bernoulli response with logit eta, p q (q - p), shaped as eta."""
    eta = laid_out(eta)
    out = np.empty(eta.shape)
    _kernel.bernoulli_cumulant(eta, out)
    return out


def gompertz(eta: Array) -> tuple[Array, Array, Array]:
    """Log(1 - exp(-w)), h = w / (exp(w) - 1) and w = exp(eta), shaped as eta."""
    eta = laid_out(eta)
    log_success, h, w = (np.empty(eta.shape) for _ in range(3))
    _kernel.gompertz(eta, log_success, h, w)
    return log_success, h, w
