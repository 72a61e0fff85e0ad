"""Residuals of generalized linear models: Pearson's, of the deviance, Anscombe's.

Source: manual [ME] meglm postestimation, Methods and formulas; McCullagh and Nelder (1989), 2.4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.engine.families import Family

Array = NDArray[np.float64]

__all__ = ["anscombe", "deviance", "pearson"]


def pearson(family: Family, y: Array, mu: Array, trials: Array | float, phi: Array) -> Array:
    """(y - mu) / sqrt(V(mu)), shape (n,).

    Parameters
    ----------
    family : Family
    y, mu : ndarray, shape (n,)
    trials : ndarray, shape (n,), or float
    phi : ndarray, shape (n_phi,)

    Raises
    ------
    TypeError
        The family has no such residuals; so for the others.
    """
    return np.asarray((y - mu) / np.sqrt(family.variance(mu, trials, phi)))


def deviance(family: Family, y: Array, mu: Array, trials: Array | float, phi: Array) -> Array:
    """The signed root of the contribution to the deviance, shape (n,); arguments as of `pearson`."""
    # What is zero may come out as a rounding error below it.
    return np.asarray(np.sign(y - mu) * np.sqrt(np.maximum(family.deviance(y, mu, trials, phi), 0.0)))


def anscombe(family: Family, y: Array, mu: Array, trials: Array | float, phi: Array) -> Array:
    """[A(y) - A(mu)] / V(mu)^(1/6) with A the integral of V^(-1/3), shape (n,); arguments as of `pearson`."""
    return family.anscombe(y, mu, trials, phi)
