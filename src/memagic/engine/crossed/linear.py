"""A Gaussian response with the identity link and crossed effects, in closed form.

V = sigma^2 (I + Z F F'Z') with F = L/sigma. With H = I + F'Z'Z F,

    V^-1 r = (r - Z F H^-1 F'Z'r) / sigma^2,    log|V| = 2 n log sigma + log|H|,

and traces need the inverse of H only where groups share rows. All that an evaluation needs of the rows
are sums that are there from the beginning. Of the second derivatives only those of log|V| are differences,
of its exact gradient; these know that log|V| is homogeneous in (omega, sigma). With S, P = S^-1, what is
left of H without the term that is eliminated first, and c multiplying the factors of all other terms,

    d^2 log|V| / d(log c)^2 = 4 (tr P - tr P^2),

so that one of omega needs no difference.

Source: manual [ME] meglm, Remarks, eq. (2); for the average information, Gilmour, Thompson and Cullis
(1995), Biometrics 51, 1440-1450.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.crossed.difference import difference
from memagic.engine.crossed.pieces import Trace
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.products import along_columns, dot, gram, transposed
from memagic.engine.crossed.rows import Rows
from memagic.engine.crossed.system import Factored, System
from memagic.engine.crossed.totals import Totals
from memagic.engine.objective import Evaluation

Array = NDArray[np.float64]

# Share of the largest element of omega from which on its second derivative may come from that in c.
_LARGE = 1e-2

__all__ = ["CrossedLinear"]


@dataclass(frozen=True, slots=True)
class _At:
    """The system at one theta, with e = sigma^2 V^-1 r.

    Attributes
    ----------
    factors : tuple of ndarray, each shape (q_t, q_t)
        F by term.
    sigma : float
    factored : Factored
    effects : ndarray, shape (N,)
        H^-1 F'Z'r.
    z_sums, q_sums : ndarray, shape (N,) and (p,)
        Z'e and Q'e.
    square : float
        e'e.
    value : float
    """

    factors: tuple[Array, ...]
    sigma: float
    factored: Factored
    effects: Array
    z_sums: Array
    q_sums: Array
    square: float
    value: float


@dataclass(frozen=True, slots=True)
class _Slope:
    """The gradient of log|V|/2, shape (d,), and traces of P."""

    gradient: Array
    trace: Trace | None


class CrossedLinear:
    """Exact log likelihood over theta = (beta, omega, log sigma)."""

    def __init__(self, problem: CrossedProblem) -> None:
        self._problem = problem
        self._rows = Rows(problem)
        self._system = System(self._rows)
        self._totals = Totals(self._rows)
        self._last: tuple[Array, _At] | None = None
        self._last_slope: tuple[_At, _Slope] | None = None

    def value(self, theta: Array) -> float:
        return self._at(theta).value

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The log likelihood as one cluster's."""
        return lambda theta: np.array([self.value(theta)])

    def scores(self, theta: Array) -> tuple[float, Array]:
        """The log likelihood and its gradient, shape (1, d)."""
        at = self._at(theta)
        return at.value, (self._quadratic_gradient(at) - self._kept_slope(at).gradient)[None]

    def evaluate(self, theta: Array) -> Evaluation:
        at = self._at(theta)
        slope = self._kept_slope(at)
        score = self._quadratic_gradient(at) - slope.gradient
        products, second = self._products(at)
        hessian = second - products - self._log_det_hessian(theta, slope)
        return Evaluation(at.value, score[None], 0.5 * (hessian + hessian.T))

    def outline(self, theta: Array) -> Array:
        """The average of observed and expected information with its sign changed, shape (d, d)."""
        p = self._problem.p
        hessian = -self._products(self._at(theta))[0]
        hessian[:p, p:] = hessian[p:, :p] = 0.0
        hessian[p:, p:] *= 0.5
        # At a variance of zero nothing of the first order is left.
        diagonal = np.abs(np.diag(hessian))
        return np.asarray(hessian - 1e-6 * np.diag(np.maximum(diagonal, diagonal.max() * 1e-6)))

    def _at(self, theta: Array) -> _At:
        if self._last is not None and np.array_equal(self._last[0], theta):
            return self._last[1]
        rows, n, totals = self._rows, self._rows.n, self._totals
        parameters = self._problem.unpack(theta)
        sigma = float(np.exp(parameters.phi[0]))
        factors = self._factors(theta)
        factored = self._system.factor(totals.zz.scaled(factors))
        change = totals.root @ (parameters.beta - totals.beta)
        zr = totals.zr - along_columns(totals.zq, change)
        qr = totals.qr - totals.qq @ change
        rr = totals.rr - float(change @ (totals.qr + qr))
        rhs = rows.times(factors, zr, transpose=True)
        effects = self._system.solve(factored, rhs)
        moved = rows.times(factors, effects)
        z_sums = zr - totals.times_zz(moved[:, None])[:, 0]
        quadratic = rr - dot(rhs, effects)
        log_det = 2.0 * n * float(parameters.phi[0]) + factored.log_det
        value = -0.5 * (n * np.log(2.0 * np.pi) + log_det + quadratic / sigma**2)
        q_sums, square = qr - transposed(totals.zq, moved), quadratic - dot(moved, z_sums)
        at = _At(factors, sigma, factored, effects, z_sums, q_sums, square, value)
        self._last = theta.copy(), at
        return at

    def _factors(self, theta: Array) -> tuple[Array, ...]:
        """L/sigma by term."""
        parameters, first, found = self._problem.unpack(theta), 0, []
        for level in self._problem.levels:
            last = first + level.structure.size
            found.append(level.structure.factor(parameters.omega[first:last]) / np.exp(parameters.phi[0]))
            first = last
        return tuple(found)

    def _quadratic_gradient(self, at: _At) -> Array:
        """Of -r'V^-1 r/2, shape (d,)."""
        rows = self._rows
        parts = [self._totals.root.T @ at.q_sums / at.sigma**2]
        for level, sums, effects in zip(
            self._problem.levels, rows.by_term(at.z_sums), rows.by_term(at.effects), strict=True
        ):
            core = gram(sums, effects) / at.sigma**3
            parts.append(np.einsum("wab,ab->w", level.structure.basis, core))
        parts.append(np.array([at.square / at.sigma**2]))
        return np.concatenate(parts)

    def _kept_slope(self, at: _At) -> _Slope:
        if self._last_slope is None or self._last_slope[0] is not at:
            self._last_slope = at, self._slope(at.factors, at.sigma, at.factored)
        return self._last_slope[1]

    def _slope(self, factors: tuple[Array, ...], sigma: float, factored: Factored) -> _Slope:
        found = self._system.invert(factored)
        inverse, zz = self._system.blocks(found), self._totals.zz
        # (Z'Z F H^-1)_tt summed over groups.
        core = [_product(k, f, h) for k, f, h in zip(zz.own, factors, inverse.own, strict=True)]
        for (t, u), h in inverse.shared.items():
            k = zz.shared[t, u]
            core[t] += _product(k, factors[u], h.transpose(0, 2, 1))
            core[u] += _product(k.transpose(0, 2, 1), factors[t], h)
        parts = [np.zeros(self._problem.p)]
        for level, c in zip(self._problem.levels, core, strict=True):
            parts.append(np.einsum("wab,ab->w", level.structure.basis, c) / sigma)
        left = sum(float(np.trace(h, axis1=1, axis2=2).sum()) for h in inverse.own)
        parts.append(np.array([self._rows.n - self._rows.n_columns + left]))
        return _Slope(np.concatenate(parts), found.trace)

    def _gradient_at(self, theta: Array) -> Array:
        """The gradient of log|V|/2 in omega, shape (m,)."""
        factors = self._factors(theta)
        factored = self._system.factor(self._totals.zz.scaled(factors))
        slope = self._slope(factors, float(np.exp(theta[-1])), factored)
        return slope.gradient[self._problem.p : -1]

    def _log_det_hessian(self, theta: Array, slope: _Slope) -> Array:
        """Of log|V|/2, shape (d, d), by differences of its gradient in omega."""
        p, m = self._problem.p, self._problem.n_omega
        omega, gradient = theta[p : p + m], slope.gradient[p : p + m]
        scale = max(float(np.abs(omega).max()), float(np.exp(theta[-1])) * 1e-3)
        left_out = self._left_out(omega, slope)
        block = np.zeros((m, m))
        for a in range(m):
            if a != left_out:
                along = np.zeros(len(theta))
                along[p + a] = scale
                block[:, a] = difference(self._gradient_at, theta, along, gradient, self._rows.n) / scale
        if left_out is not None and slope.trace is not None:
            block[:, left_out] = block[left_out]
            others = np.where(self._others, omega, 0.0)
            known = 2.0 * (slope.trace.first - slope.trace.second) - float(others @ gradient)
            block[left_out, left_out] = (known - float(others @ block @ others)) / omega[left_out] ** 2
        block = 0.5 * (block + block.T)
        hessian = np.zeros((len(theta), len(theta)))
        hessian[p : p + m, p : p + m] = block
        # Homogeneity: omega'(d log|V|/2) + d/d log sigma = n, and each derivative in omega has degree -1.
        hessian[p:-1, -1] = hessian[-1, p:-1] = -gradient - block @ omega
        hessian[-1, -1] = -float(omega @ hessian[p:-1, -1])
        return hessian

    @property
    def _others(self) -> NDArray[np.bool_]:
        """Which elements of omega belong to terms that are not eliminated first."""
        sizes = [level.structure.size for level in self._problem.levels]
        return np.asarray(np.repeat(np.arange(len(sizes)), sizes) != self._rows.first)

    def _left_out(self, omega: Array, slope: _Slope) -> int | None:
        """The element of omega whose second derivative follows from that in c; None if there is none."""
        others = np.where(self._others, np.abs(omega), 0.0)
        if slope.trace is None or not others.max(initial=0.0) > _LARGE * np.abs(omega).max():
            return None
        return int(np.argmax(others))

    def _products(self, at: _At) -> tuple[Array, Array]:
        """W'V^-1 W with W = (X, dV_a V^-1 r), and r'V^-1 d^2V V^-1 r/2, each shape (d, d)."""
        rows, totals, p, m = self._rows, self._totals, self._problem.p, self._problem.n_omega
        second = np.zeros((p + m + 1,) * 2)
        # Z times these are the columns of W for omega.
        moved = np.zeros((rows.n_columns, m))
        first = 0
        for level, sums, to, factor in zip(
            self._problem.levels, rows.by_term(at.z_sums), rows.by_term(moved), at.factors, strict=True
        ):
            basis = level.structure.basis
            last = first + len(basis)
            for a, e in enumerate(basis):
                to[:, :, first + a] = sums @ (e @ factor.T + factor @ e.T) / at.sigma
            outer = gram(sums, sums) / at.sigma**4
            second[p + first : p + last, p + first : p + last] = np.einsum(
                "wab,ac,vcb->wv", basis, outer, basis
            )
            first = last
        second[-1, -1] = 2.0 * at.square / at.sigma**2
        zw = np.column_stack([totals.zq, totals.times_zz(moved), 2.0 * at.z_sums])
        ww = np.zeros_like(second)
        ww[:p, :p], ww[:p, -1], ww[-1, -1] = totals.qq, 2.0 * at.q_sums, 4.0 * at.square
        ww[p:-1] = gram(moved, zw)
        ww[:p, p:-1], ww[-1, :-1] = ww[p:-1, :p].T, [*ww[:p, -1], *ww[p:-1, -1]]
        rhs = rows.times(at.factors, zw, transpose=True)
        products = (ww - gram(rhs, self._system.solve(at.factored, rhs))) / at.sigma**2
        products[:p] = totals.root.T @ products[:p]
        products[:, :p] = products[:, :p] @ totals.root
        return 0.5 * (products + products.T), second


def _product(left: Array, factor: Array, right: Array) -> Array:
    """Left F right, summed over the blocks."""
    if factor.size == 1 and left.shape[1] == 1:
        return np.array([[float(factor[0, 0]) * dot(left, right)]])
    return np.asarray(np.einsum("mab,mbc->ac", left @ factor, right))
