"""An outline of the Hessian at the modes, from sums that are there anyway.

Coefficients and the family's parameters as in the joint likelihood, the effects profiled out with
fixed variances; an element of L as in the linear mixed model whose errors have variances 1/w, each
term on its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.crossed.modes import Mode, Model, Place
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.products import dot, gram, joint

Array = NDArray[np.float64]

__all__ = ["outline"]


def outline(problem: CrossedProblem, model: Model, place: Place, mode: Mode) -> Array:
    """Shape (d, d), negative definite.

    Raises
    ------
    numpy.linalg.LinAlgError
        The posterior is not concave at its mode.
    """
    if mode.factored is None:
        raise np.linalg.LinAlgError("the posterior is not concave")
    rows, family = model.rows, model.family
    p, m = problem.p, problem.n_omega
    d = p + m + family.n_phi
    weight = np.maximum(-mode.second, 0.0)
    own = family.phi_derivatives(mode.eta, rows.y, rows.trials, place.phi)
    # Derivatives of the rows' scores in eta with respect to the outer parameters, shape (p + n_phi, n).
    slopes = np.empty((p + family.n_phi, rows.n))
    np.multiply(rows.x.T, weight, out=slopes[:p])
    np.negative(own.cross, out=slopes[p:])
    inner = np.empty((len(slopes), len(slopes)))
    inner[:, :p] = joint(slopes, rows.x) if p else 0.0
    inner[:p, p:] = inner[p:, :p].T
    inner[p:, p:] = -own.hessian.sum(axis=-1)
    sums = np.empty((rows.n_columns, len(slopes)))
    for a, slope in enumerate(slopes):
        sums[:, a] = rows.sums(place.loadings, slope)
    if len(slopes):
        inner -= gram(sums, model.system.solve(mode.factored, sums))
    inner = 0.5 * (inner + inner.T)
    information = np.zeros((d, d))
    information[:p, :p], information[:p, p + m :] = inner[:p, :p], inner[:p, p:]
    information[p + m :, :p], information[p + m :, p + m :] = inner[p:, :p], inner[p:, p:]
    first = p
    for level, factor, block in zip(problem.levels, place.factors, rows.own_curvature(weight), strict=True):
        last = first + level.structure.size
        information[first:last, first:last] = _of_factor(level.structure.basis, factor, block)
        first = last
    return -information


def _of_factor(basis: Array, factor: Array, block: Array) -> Array:
    """Half tr(G dSigma_a G dSigma_b) summed over groups, G = (K^-1 + Sigma)^-1, K the given blocks."""
    if factor.size == 1:
        scale = float(factor[0, 0])
        g = block / (1.0 + block * scale**2)
        least = max(float(g.sum()) * 1e-3 / max(len(g), 1), 1e-8)
        return np.array([[2.0 * scale**2 * dot(g, g) + least]])
    half = block @ factor
    core = np.eye(len(factor)) + factor.T @ half
    g = block - half @ np.linalg.solve(core, half.transpose(0, 2, 1))
    change = basis @ factor.T
    change = change + change.transpose(0, 2, 1)
    products = np.einsum("jqr,ars->ajqs", g, change)
    information = 0.5 * np.einsum("ajqs,bjsq->ab", products, products)
    # At a variance of zero nothing of the first order is left.
    diagonal = np.einsum("jqq->", g) * 1e-3 / max(len(g), 1)
    return np.asarray(information + max(diagonal, 1e-8) * np.eye(len(basis)))
