"""Variance estimators from scores and Hessian: outer product, robust, and linearized for surveys.

V = H^-1 B H^-1, where the meat B comes from the scores of the top-level clusters, summed within the
groups that were sampled together. Source: manual [ME] meglm, Methods and formulas; [P] _robust;
[SVY] Variance estimation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Estimator = Literal["oim", "opg", "robust", "linearized"]
SingleUnit = Literal["missing", "certainty", "scaled", "centered"]

__all__ = ["Design", "Estimator", "SingleUnit", "Variance", "meat", "meat_of_products"]


@dataclass(frozen=True, slots=True)
class Design:
    """The first stage of a survey.

    Attributes
    ----------
    stratum : ndarray of int, shape (G,)
        Of each primary sampling unit, 0..H-1.
    fraction : ndarray, shape (H,)
        Sampling fractions of the strata; zero where units were drawn with replacement.
    single : str
        What a stratum with one unit contributes.
    """

    stratum: Index
    fraction: Array
    single: SingleUnit = "missing"


@dataclass(frozen=True, slots=True)
class Variance:
    """How the covariance of the estimators is estimated.

    Attributes
    ----------
    estimator : str
        "oim" for the inverse of the observed information, "opg" for that of the outer product of the
        scores, "robust" for the sandwich of both, "linearized" for the sandwich under a survey design.
    groups : ndarray of int or None, shape (M,)
        The group, or primary sampling unit, that each top-level cluster (each observation, without
        random effects) is a part of; None where each is its own.
    n_groups : int
        With `groups`, their number; there may be units without observations.
    copies : ndarray or None, shape (M,)
        How many clusters each one stands for by its frequency weight.
    design : Design or None
        Of a linearized variance.
    """

    estimator: Estimator = "oim"
    groups: Index | None = None
    n_groups: int = 0
    copies: Array | None = None
    design: Design | None = None

    @property
    def needs_scores(self) -> bool:
        """Whether the sum of the scores' outer products is not enough."""
        own = self.groups is None and self.copies is None
        return self.estimator == "linearized" or (self.estimator != "oim" and not own)


def meat(scores: Array, variance: Variance) -> Array:
    """The variance of the total of the scores, shape (d, d).

    Parameters
    ----------
    scores : ndarray, shape (M, d)
        Of the top-level clusters, weighted.
    variance : Variance
        Its estimator is not "oim".

    Returns
    -------
    ndarray, shape (d, d)
        nan where a stratum has one unit and that is `missing`, or where there is but one group.
    """
    if variance.groups is None and variance.copies is not None:
        # A cluster's score is that of its copies together.
        total = scores.T @ (scores / np.where(variance.copies > 0.0, variance.copies, 1.0)[:, None])
        number = float(variance.copies.sum())
    else:
        sums = scores if variance.groups is None else _sums(scores, variance.groups, variance.n_groups)
        if variance.estimator == "linearized":
            design = variance.design
            if design is None:
                design = Design(np.zeros(len(sums), dtype=np.intp), np.zeros(1))
            return _linearized(sums, design)
        total, number = sums.T @ sums, float(len(sums))
    return _adjusted(total, number, variance)


def meat_of_products(products: Array, number: int, variance: Variance) -> Array:
    """The same where no more is needed than the sum of the outer products of so many scores, shape (d, d)."""
    if variance.needs_scores:
        raise ValueError("this variance is not one of the scores' products")
    return _adjusted(products, float(number), variance)


def _adjusted(total: Array, number: float, variance: Variance) -> Array:
    if variance.estimator == "opg":
        return total
    return total * (number / (number - 1.0)) if number > 1.0 else np.full_like(total, np.nan)


def _sums(scores: Array, groups: Index, n_groups: int) -> Array:
    """Sums of scores within groups, shape (G, d)."""
    return np.column_stack([np.bincount(groups, weights=s, minlength=n_groups) for s in scores.T])


def _linearized(sums: Array, design: Design) -> Array:
    """Between-unit variance within strata, with the finite population correction ([SVY] eq. 1)."""
    n_strata = len(design.fraction)
    sizes = np.bincount(design.stratum, minlength=n_strata)
    means = _sums(sums, design.stratum, n_strata) / np.maximum(sizes, 1)[:, None]
    single = sizes == 1
    if single.any() and design.single == "missing":
        return np.full((sums.shape[1], sums.shape[1]), np.nan)
    scale = np.where(single, 0.0, (1.0 - design.fraction) * sizes / np.maximum(sizes - 1, 1))
    if design.single == "centered":
        # A single unit is compared with the mean of all units.
        means[single] = sums.mean(axis=0)
        scale = np.where(single, 1.0 - design.fraction, scale)
    centred = sums - means[design.stratum]
    total = centred.T @ (centred * scale[design.stratum][:, None])
    if design.single == "scaled" and single.any():
        if single.all():
            return np.full_like(total, np.nan)
        total = total * (n_strata / (n_strata - np.count_nonzero(single)))
    return np.asarray(total)
