"""What a Gaussian model needs of its rows: sums over all of them and within groups.

Coefficients are counted from a least-squares fit and along orthogonal directions, Q = X R^-1, so that
sums of squares do not cancel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dtrtri

from memagic.engine import _kernel
from memagic.engine.crossed.products import dot, gram, joint, transposed
from memagic.engine.crossed.rows import Rows

Array = NDArray[np.float64]

__all__ = ["Totals"]


class Totals:
    """Sums of the residuals r = y - X beta of a first beta, of Q and of Z.

    Parameters
    ----------
    rows : Rows

    Attributes
    ----------
    beta : ndarray, shape (p,)
        The coefficients of the residuals.
    root : ndarray, shape (p, p)
        R.
    qq, qr, rr : ndarray, shape (p, p), ndarray, shape (p,), and float
        Q'Q, Q'r and r'r.
    zq, zr : ndarray, shape (N, p), and ndarray, shape (N,)
        Z'Q and Z'r.
    zz : Curvature
        Z'Z.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.root, q = _orthogonal(rows.x)
        self.qq = gram(q, q)
        given = rows.y if rows.offset is None else rows.y - rows.offset
        start = np.linalg.lstsq(self.qq, transposed(q, given), rcond=None)[0]
        self.beta = np.linalg.solve(self.root, start)
        r = rows.y - rows.fixed_part(self.beta)
        self.qr, self.rr = transposed(q, r), dot(r, r)
        self.zr = rows.sums(rows.z, r)
        self.zq = np.empty((rows.n_columns, q.shape[1]))
        for a, column in enumerate(q.T):
            self.zq[:, a] = rows.sums(rows.z, np.ascontiguousarray(column))
        self.zz = rows.curvature(np.ones(rows.n))

    def times_zz(self, values: Array) -> Array:
        """Z'Z u of values for all effects, shape (N, k)."""
        rows, k = self._rows, values.shape[1]
        result = np.empty_like(values)
        given, found = rows.by_term(values), rows.by_term(result)
        for block, part, to in zip(self.zz.own, given, found, strict=True):
            (np.multiply if block.shape[1] == 1 else np.matmul)(block, part, out=to)
        for (t, u), block in self.zz.shared.items():
            first, second = rows.links[t, u].first, rows.links[t, u].second
            _, q, r = block.shape
            _kernel.coupled(first, second, block, given[t], given[u], found[t], found[u], q, r, k)
        return result


def _orthogonal(x: Array) -> tuple[Array, Array]:
    """R and Q = X R^-1; the identity and X where columns of X depend on each other."""
    p = x.shape[1]
    squares = gram(x, x)
    scale = 1.0 / np.sqrt(np.maximum(np.diag(squares), 1e-300))
    root, failed = dpotrf(squares * np.outer(scale, scale), lower=0)
    if failed or not p:
        return np.eye(p), x
    return root / scale, joint(x, np.ascontiguousarray(scale[:, None] * dtrtri(root)[0]))
