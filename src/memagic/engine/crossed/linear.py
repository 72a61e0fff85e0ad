"""A Gaussian response with the identity link and crossed effects, in closed form.

V = sigma^2 (I + Z F F'Z') with F = L/sigma. With H = I + F'Z'Z F,

    V^-1 r = (r - Z F H^-1 F'Z'r) / sigma^2,    log|V| = 2 n log sigma + log|H|,

and traces need the inverse of H only where groups share rows. Z'Z is formed once. Of the second
derivatives all are sums over rows but those of log|V|, which are differences of its exact gradient;
these know that log|V| is homogeneous in (omega, sigma).

Source: manual [ME] meglm, Remarks, eq. (2); for the average information, Gilmour, Thompson and Cullis
(1995), Biometrics 51, 1440-1450.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.crossed.difference import difference
from memagic.engine.crossed.modes import scaled
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.products import dot, gram, transposed
from memagic.engine.crossed.rows import Rows
from memagic.engine.crossed.system import Factored, System
from memagic.engine.objective import Evaluation

Array = NDArray[np.float64]


__all__ = ["CrossedLinear"]


@dataclass(frozen=True, slots=True)
class _At:
    """The system at one theta.

    Attributes
    ----------
    factors : tuple of ndarray, each shape (q_t, q_t)
        F by term.
    sigma : float
    factored : Factored
    residual : ndarray, shape (n,)
        sigma^2 V^-1 r.
    effects : list of ndarray, each shape (M_t, q_t)
        H^-1 F'Z'r.
    sums : list of ndarray, each shape (M_t, q_t)
        sigma^2 Z'V^-1 r.
    value : float
    """

    factors: tuple[Array, ...]
    sigma: float
    factored: Factored
    residual: Array
    effects: list[Array]
    sums: list[Array]
    value: float


class CrossedLinear:
    """Exact log likelihood over theta = (beta, omega, log sigma)."""

    def __init__(self, problem: CrossedProblem) -> None:
        self._problem = problem
        self._rows = Rows(problem)
        self._system = System(self._rows)
        self._zz = self._rows.curvature(np.ones(self._rows.n))
        self._last: tuple[Array, _At] | None = None
        self._last_traces: tuple[_At, Array] | None = None

    def value(self, theta: Array) -> float:
        return self._at(theta).value

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The log likelihood as one cluster's."""
        return lambda theta: np.array([self.value(theta)])

    def scores(self, theta: Array) -> tuple[float, Array]:
        """The log likelihood and its gradient, shape (1, d)."""
        at = self._at(theta)
        return at.value, (self._quadratic_gradient(at) - self._kept_traces(at))[None]

    def evaluate(self, theta: Array) -> Evaluation:
        at = self._at(theta)
        traces = self._kept_traces(at)
        score = self._quadratic_gradient(at) - traces
        products, second = self._products(at)
        hessian = second - products - self._traces_slope(theta, traces)
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
        rows, n = self._rows, self._rows.n
        parameters = self._problem.unpack(theta)
        sigma = float(np.exp(parameters.phi[0]))
        factors = self._factors(theta)
        factored = self._system.factor(scaled(self._zz, factors))
        r = rows.y - rows.fixed_part(parameters.beta)
        residual, effects = self._without(r, factors, factored)
        quadratic = dot(r, residual) / sigma**2
        log_det = 2.0 * n * float(parameters.phi[0]) + factored.log_det
        value = -0.5 * (n * np.log(2.0 * np.pi) + log_det + quadratic)
        at = _At(factors, sigma, factored, residual, effects, rows.sums(residual), value)
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

    def _without(self, r: Array, factors: tuple[Array, ...], factored: Factored) -> tuple[Array, list[Array]]:
        """Sigma^2 V^-1 r and H^-1 F'Z'r."""
        rhs = [s @ f for s, f in zip(self._rows.sums(r), factors, strict=True)]
        effects = self._system.solve(factored, rhs)
        moved = self._rows.along([v @ f.T for v, f in zip(effects, factors, strict=True)])
        return r - moved, effects

    def _quadratic_gradient(self, at: _At) -> Array:
        """Of -r'V^-1 r/2, shape (d,)."""
        parts = [transposed(self._rows.x, at.residual) / at.sigma**2]
        for level, sums, effects in zip(self._problem.levels, at.sums, at.effects, strict=True):
            core = gram(sums, effects) / at.sigma**3
            parts.append(np.einsum("wab,ab->w", level.structure.basis, core))
        parts.append(np.array([dot(at.residual, at.residual) / at.sigma**2]))
        return np.concatenate(parts)

    def _kept_traces(self, at: _At) -> Array:
        if self._last_traces is None or self._last_traces[0] is not at:
            self._last_traces = at, self._traces(at)
        return self._last_traces[1]

    def _traces(self, at: _At) -> Array:
        """The gradient of log|V|/2, shape (d,), zero for beta."""
        inverse, zz, factors = self._system.invert(at.factored), self._zz, at.factors
        # (Z'Z F H^-1)_tt summed over groups.
        core = [_product(k, f, h) for k, f, h in zip(zz.own, factors, inverse.own, strict=True)]
        for (t, u), h in inverse.shared.items():
            k = zz.shared[t, u]
            core[t] += _product(k, factors[u], h.transpose(0, 2, 1))
            core[u] += _product(k.transpose(0, 2, 1), factors[t], h)
        parts = [np.zeros(self._problem.p)]
        for level, c in zip(self._problem.levels, core, strict=True):
            parts.append(np.einsum("wab,ab->w", level.structure.basis, c) / at.sigma)
        n_effects = sum(term.size * term.q for term in self._rows.terms)
        left = sum(float(np.trace(h, axis1=1, axis2=2).sum()) for h in inverse.own)
        parts.append(np.array([self._rows.n - n_effects + left]))
        return np.concatenate(parts)

    def _traces_slope(self, theta: Array, traces: Array) -> Array:
        """The Hessian of log|V|/2, shape (d, d), by differences of `_traces` in omega."""
        p, m = self._problem.p, self._problem.n_omega
        omega = theta[p : p + m]
        scale = max(float(np.abs(omega).max()), float(np.exp(theta[-1])) * 1e-3)
        slope = np.zeros((len(theta), len(theta)))
        for a in range(m):
            along = np.zeros(len(theta))
            along[p + a] = scale
            change = difference(self._traces_at, theta, along, traces, self._rows.n)
            slope[p : p + m, p + a] = change[p : p + m] / scale
        block = 0.5 * (slope[p : p + m, p : p + m] + slope[p : p + m, p : p + m].T)
        slope[p : p + m, p : p + m] = block
        # Homogeneity: omega'(d log|V|/2) + d/d log sigma = n, and each derivative in omega has degree -1.
        slope[p:-1, -1] = slope[-1, p:-1] = -traces[p:-1] - block @ omega
        slope[-1, -1] = -float(omega @ slope[p:-1, -1])
        return slope

    def _traces_at(self, theta: Array) -> Array:
        factors = self._factors(theta)
        factored = self._system.factor(scaled(self._zz, factors))
        nothing = np.zeros(0)
        return self._traces(_At(factors, float(np.exp(theta[-1])), factored, nothing, [], [], 0.0))

    def _products(self, at: _At) -> tuple[Array, Array]:
        """W'V^-1 W with W = (X, dV_a V^-1 r), and r'V^-1 d^2V V^-1 r/2, each shape (d, d)."""
        rows, p = self._rows, self._problem.p
        columns = list(rows.x.T)
        second = np.zeros((p + self._problem.n_omega + 1,) * 2)
        first = p
        for t, (level, sums) in enumerate(zip(self._problem.levels, at.sums, strict=True)):
            basis, factor = level.structure.basis, at.factors[t] * at.sigma
            for e in basis:
                moved = sums @ (e @ factor.T + factor @ e.T) / at.sigma**2
                columns.append(self._along_one(t, moved))
            last = first + len(basis)
            outer = gram(sums, sums) / at.sigma**4
            second[first:last, first:last] = np.einsum("wab,ac,vcb->wv", basis, outer, basis)
            first = last
        columns.append(2.0 * at.residual)
        second[-1, -1] = 2.0 * dot(at.residual, at.residual) / at.sigma**2
        w = np.column_stack(columns)
        solved = [self._without(c, at.factors, at.factored)[0] for c in columns]
        products = gram(w, np.column_stack(solved)) / at.sigma**2
        return 0.5 * (products + products.T), second

    def _along_one(self, t: int, effects: Array) -> Array:
        """Z_t u, shape (n,)."""
        term = self._rows.terms[t]
        total = np.zeros(self._rows.n)
        for a, z in enumerate(term.z):
            part = np.take(effects[:, a], term.code)
            total += part if z is None else part * z
        return total


def _product(left: Array, factor: Array, right: Array) -> Array:
    """Left F right, summed over the blocks."""
    if factor.size == 1 and left.shape[1] == 1:
        return np.array([[float(factor[0, 0]) * dot(left, right)]])
    return np.asarray(np.einsum("mab,mbc->ac", left @ factor, right))
