"""Averages of a response function over a normal linear predictor, and their derivatives.

For G a response function and eta ~ N(mu, s2), M_k(mu, s2) = E G^(k)(eta). In mu, dM_k = M_(k+1), and by
the heat equation dM_k / d s2 = M_(k+2) / 2: these averages hold all derivatives of marginal means.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.families.links import Link

Array = NDArray[np.float64]

__all__ = ["averages"]

# Standard deviations to each side within which a normal density is not negligible.
_REACH = 8.5
# -log of the error of the trapezoidal rule, at the distance of the nearest singularity.
_DIGITS = 32.0
# Standard deviations of the linear predictor beyond which more nodes would not be affordable.
_WIDEST = 40.0
_COARSEST = 0.25
_BLOCK = 1_000_000


def averages(link: Link, mu: Array, s2: Array, order: int) -> Array:
    """M_0 to M_order, shape (order + 1, n).

    Parameters
    ----------
    link : Link
        Whose inverse is G.
    mu, s2 : ndarray, shape (n,)
    order : int
        At most 4.

    Notes
    -----
    Links without a closed form go by the trapezoidal rule, whose error falls exponentially with its
    step.
    """
    if link.averages is not None:
        return link.averages(mu, s2, order)
    derivatives = link.derivatives
    if not s2.any():
        return derivatives(mu, order)
    s = np.sqrt(s2)
    widest = min(float(s.max()), _WIDEST)
    step = min(_COARSEST, 2.0 * np.pi * (np.pi / 2.0 / max(widest, 1e-8)) / _DIGITS)
    half = int(np.ceil(_REACH / step))
    e = step * np.arange(-half, half + 1)
    weight = np.exp(-0.5 * e**2)
    weight /= weight.sum()
    found = np.empty((order + 1, len(mu)))
    rows = max(1, _BLOCK // len(e))
    for first in range(0, len(mu), rows):
        part = slice(first, first + rows)
        found[:, part] = derivatives(mu[part, None] + s[part, None] * e, order) @ weight
    return found
