"""What the standard errors are made of: the estimator, its clusters, the survey design, the counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, ndtr, ndtri, stdtr, stdtrit

from memagic.data.levels import Grouping
from memagic.data.weights import Weights

Array = NDArray[np.float64]
VarianceKind = Literal["oim", "opg", "robust", "cluster", "linearized"]

__all__ = ["GroupCounts", "SurveyFacts", "Uncertainty", "group_counts", "observations"]


@dataclass(frozen=True, slots=True)
class SurveyFacts:
    """What a survey design says about a fit.

    Attributes
    ----------
    n_strata, n_psu : int
    population : float
        Sum of the observations' weights.
    df : int
        Design degrees of freedom: units less strata, if not set otherwise.
    n_subpopulation : int or None
        Observations in the subpopulation; None without one.
    subpopulation : float or None
        Sum of their weights.
    n_surveyed : int or None
        Observations inside and outside the subpopulation; None without one.
    """

    n_strata: int
    n_psu: int
    population: float
    df: int
    n_subpopulation: int | None = None
    subpopulation: float | None = None
    n_surveyed: int | None = None


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How standard errors were estimated.

    Attributes
    ----------
    kind : str
        `e(vce)`.
    clusters : str
        `e(clustvar)`, whose groups are the units that were drawn; empty without.
    n_clusters : int
    pseudo : bool
        Whether the likelihood is a pseudolikelihood.
    survey : SurveyFacts or None
    """

    kind: VarianceKind = "oim"
    clusters: str = ""
    n_clusters: int = 0
    pseudo: bool = False
    survey: SurveyFacts | None = None

    @property
    def likelihood(self) -> str:
        """``Log likelihood`` or ``Log pseudolikelihood``."""
        return "Log pseudolikelihood" if self.pseudo else "Log likelihood"

    @property
    def word(self) -> str:
        """`e(vcetype)`, which heads the standard errors; empty for those of the information."""
        words: dict[VarianceKind, str] = {"oim": "", "opg": "OPG", "linearized": "Linearized"}
        return words.get(self.kind, "Robust")

    @property
    def line(self) -> str:
        """The line that tells of clusters, above the table."""
        if not self.clusters or self.survey is not None:
            return ""
        return f"(Std. err. adjusted for {self.n_clusters:,} clusters in {self.clusters})"

    @property
    def statistic(self) -> Literal["z", "t"]:
        return "z" if self.survey is None else "t"

    def two_sided(self, statistic: Array) -> Array:
        """P-values of statistics for single parameters."""
        if self.survey is None:
            return np.asarray(2.0 * ndtr(-np.abs(statistic)))
        return np.asarray(2.0 * stdtr(self.survey.df, -np.abs(statistic)))

    def critical(self, level: float) -> float:
        """The quantile of confidence limits at a level in percent."""
        share = 0.5 + level / 200.0
        return float(ndtri(share) if self.survey is None else stdtrit(self.survey.df, share))

    def joint(self, chi2: float, df: int) -> tuple[float, tuple[int, int], float]:
        """The adjusted F of a Wald statistic under a survey design, its degrees of freedom, and p.

        Source: [SVY] svy postestimation: F = (d - k + 1) / (k d) W with k and d - k + 1.
        """
        assert self.survey is not None
        d = self.survey.df
        below = d - df + 1
        if not df or below < 1:
            return float("nan"), (df, below), float("nan")
        f = below / (df * d) * chi2
        return f, (df, below), float(fdtrc(df, below, f))


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """How many groups a level has and how many observations they have."""

    n: int
    minimum: int
    average: float
    maximum: int


def observations(n: int, weights: Weights | None, groupings: tuple[Grouping, ...]) -> int:
    """How many observations there are, each as often as its frequency weights say."""
    if weights is None or weights.kind != "fweight":
        return n
    counts = weights.observations.copy()
    for weight, grouping in zip(weights.levels, groupings, strict=True):
        if weight is not None:
            counts *= weight[grouping.codes]
    return round(float(counts.sum()))


def group_counts(weights: Weights | None, groupings: tuple[Grouping, ...]) -> tuple[GroupCounts, ...]:
    """The groups of every level, each as often as its frequency weights say."""
    if weights is None or weights.kind != "fweight":
        return tuple(
            GroupCounts(len(g.sizes), int(g.sizes.min()), float(g.sizes.mean()), int(g.sizes.max()))
            for g in groupings
        )
    result = []
    for level, grouping in enumerate(groupings):
        # Below the level a row counts with its weights, above it the group does with its own.
        below = weights.observations.copy()
        copies = np.ones(len(below))
        for other, (weight, upper) in enumerate(zip(weights.levels, groupings, strict=True)):
            if weight is not None:
                part = weight[upper.codes]
                if other <= level:
                    copies *= part
                else:
                    below *= part
        sizes = np.bincount(grouping.codes, weights=below)
        first = np.unique(grouping.codes, return_index=True)[1]
        n = float(copies[first].sum())
        average = float((sizes * copies[first]).sum()) / n
        result.append(GroupCounts(round(n), round(float(sizes.min())), average, round(float(sizes.max()))))
    return tuple(result)
