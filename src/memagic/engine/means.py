"""The mean of the response at given linear predictors.

Source: manual [ME] meglm, table of `family()` and `link()`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from memagic.engine.families import (
    BinomialCloglog,
    BinomialLogit,
    BinomialProbit,
    Family,
    GaussianIdentity,
    OrdinalCloglog,
    OrdinalLogit,
    OrdinalProbit,
)
from memagic.engine.families.base import MAX_EXPONENT

Array = NDArray[np.float64]

__all__ = ["mean_response"]


def mean_response(family: Family, eta: Array, trials: Array | float, phi: Array) -> Array:
    """E(y | eta), shape of eta.

    Parameters
    ----------
    family : Family
    eta : ndarray, shape (n,)
    trials : ndarray, shape (n,), or float
        The mean of a binomial response is the number of successes.
    phi : ndarray, shape (n_phi,)
        The cutpoints of an ordinal response, whose mean is that of its codes 0, 1, ...
    """
    if isinstance(family, BinomialLogit):
        return np.asarray(trials * expit(eta))
    if isinstance(family, BinomialProbit):
        return np.asarray(trials * ndtr(eta))
    if isinstance(family, BinomialCloglog):
        return np.asarray(-trials * np.expm1(-np.exp(np.minimum(eta, MAX_EXPONENT))))
    if isinstance(family, OrdinalLogit | OrdinalProbit | OrdinalCloglog):
        codes = np.arange(len(phi) + 1.0)
        logs = [family.log_density(eta, np.full(eta.shape, k), 1.0, phi) for k in codes]
        return np.asarray(np.tensordot(codes, np.exp(logs), axes=1))
    if isinstance(family, GaussianIdentity):
        return eta
    # All others have the log link.
    return np.exp(np.minimum(eta, MAX_EXPONENT))
