"""Linear functions of estimates compared: contrast matrices, joint tests, adjusted tests and limits.

Source: [R] contrast, [R] pwcompare, Methods and formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError
from memagic.postestimation.contrast_result import Comparisons, JointTest
from memagic.postestimation.wald import wald_statistic
from memagic.results.distributions import Adjustment, adjusted, adjusted_critical, chi2_tail
from memagic.results.uncertainty import Uncertainty

Array = NDArray[np.float64]

__all__ = ["Compared", "comparisons", "differences", "joint_test"]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The comparisons of one term.

    Attributes
    ----------
    name : str
    labels : tuple of str, length c
    rows : ndarray, shape (c, k)
        Coefficients of the estimates.
    estimable : ndarray of bool, shape (c,)
    names : tuple of str, length c
        Of the comparisons as estimates: ``r1vs0.urban``; empty where they cannot be posted.
    """

    name: str
    labels: tuple[str, ...]
    rows: Array
    estimable: NDArray[np.bool_]
    names: tuple[str, ...] = ()


def differences(
    name: str,
    levels: Array,
    words: Sequence[str],
    kind: str,
    base: float,
    span: tuple[int, int] | None = None,
) -> tuple[Array, tuple[str, ...]]:
    """The contrast matrix of the levels of a variable, and the contrasts' labels.

    Parameters
    ----------
    name : str
        The variable, for errors.
    levels : ndarray, shape (n,)
    words : sequence of str, length n
    kind : str
        From the next level (a), the previous one (ar), the mean (g), else from the base.
    base : float
    span : tuple of int, optional

    Raises
    ------
    CommandError
        One level only, r(498); a base that is no level, r(198).
    """
    n = len(levels)
    if n < 2:
        raise CommandError(498, f"factor {name} has one level only", span=span)
    if base not in levels:
        raise CommandError(198, f"{base:g} is not a level of {name}", span=span)
    eye = np.eye(n)
    if kind == "a":
        return eye[:-1] - eye[1:], tuple(f"{words[k]} vs {words[k + 1]}" for k in range(n - 1))
    if kind == "ar":
        return eye[1:] - eye[:-1], tuple(f"{words[k + 1]} vs {words[k]}" for k in range(n - 1))
    if kind == "g":
        return eye - 1.0 / n, tuple(f"{word} vs mean" for word in words)
    at = int(np.flatnonzero(levels == base)[0])
    others = [k for k in range(n) if k != at]
    return eye[others] - eye[at], tuple(f"{words[k]} vs {words[at]}" for k in others)


def joint_test(b: Array, v: Array, uncertainty: Uncertainty, name: str, rows: Array) -> JointTest:
    """The test that some linear functions of the estimates are zero.

    Parameters
    ----------
    b : ndarray, shape (k,)
    v : ndarray, shape (k, k)
    uncertainty : Uncertainty
    name : str
    rows : ndarray, shape (c, k)
    """
    chi2, kept = wald_statistic(rows @ b, rows @ v @ rows.T)
    df = len(kept)
    if uncertainty.survey is None:
        return JointTest(name, df, chi2, float("nan"), chi2_tail(df, chi2) if df else float("nan"))
    statistic, (_, below), p = uncertainty.joint(chi2, df)
    return JointTest(name, df, statistic, float(below), p)


def comparisons(
    b: Array,
    v: Array,
    uncertainty: Uncertainty,
    sets: Sequence[Compared],
    adjustment: Adjustment,
    level: float,
) -> tuple[Comparisons, tuple[tuple[str, int], ...], Array]:
    """Comparisons with their tests and limits, how many each term has, and their covariance.

    Parameters
    ----------
    b : ndarray, shape (k,)
    v : ndarray, shape (k, k)
    uncertainty : Uncertainty
    sets : sequence of Compared
        P-values and limits are adjusted for the number of comparisons within each.
    adjustment : str
    level : float
        Confidence level in percent.
    """
    rows = np.concatenate([np.empty((0, len(b))), *(one.rows for one in sets)])
    estimable = np.concatenate([np.empty(0, dtype=bool), *(one.estimable for one in sets)])
    covariance = rows @ v @ rows.T
    found = np.where(estimable, rows @ b, np.nan)
    se = np.where(estimable, np.sqrt(np.maximum(np.diag(covariance), 0.0)), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(se > 0.0, found / se, np.nan)
    p, critical = np.empty(len(found)), np.empty(len(found))
    counts: list[tuple[str, int]] = []
    first = 0
    for one in sets:
        last = first + len(one.labels)
        known = one.estimable
        m = int(known.sum())
        inside = (one.rows @ v @ one.rows.T)[np.ix_(known, known)]
        rank = len(wald_statistic(found[first:last][known], inside)[1])
        counts.append((one.name, m))
        if m and rank:
            p[first:last] = adjusted(z[first:last], adjustment, m, rank, uncertainty)
            critical[first:last] = adjusted_critical(level, adjustment, m, rank, uncertainty)
        else:
            p[first:last] = critical[first:last] = np.nan
        first = last
    terms = tuple(one.name for one in sets for _ in one.labels)
    labels = tuple(label for one in sets for label in one.labels)
    half = critical * se
    whole = Comparisons(terms, labels, rows, estimable, found, se, z, p, found - half, found + half)
    return whole, tuple(counts), covariance
