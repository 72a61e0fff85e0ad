"""Contrasts and pairwise comparisons of marginal linear predictions: `contrast`, `pwcompare`.

The factor variables that are not named are balanced, continuous ones are at their means.

Source: [R] contrast, [R] pwcompare, Methods and formulas.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError
from memagic.postestimation.comparisons import Compared, comparisons, differences, joint_test
from memagic.postestimation.contrast_result import Columns, Comparisons, ContrastResult, JointTest
from memagic.postestimation.factor_levels import base_level, level_word, levels_of
from memagic.postestimation.hypotheses import check_fitted
from memagic.results.distributions import Adjustment
from memagic.results.estimates import Estimates
from memagic.spec.contrast_terms import ContrastFactor, ContrastTerm

Array = NDArray[np.float64]

__all__ = ["Columns", "ContrastResult", "contrast", "pwcompare"]

# What is left of a coefficient that others cancel.
_NOTHING = 1e-12


# --- rows of linear predictions ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Prediction:
    """Coefficients of a linear prediction: in e(b), and in the columns that are not estimated."""

    row: Array
    missing: Array


def _prediction(estimates: Estimates, at: dict[str, float], slopes: Sequence[str] = ()) -> _Prediction:
    """The balanced linear prediction with some factor variables at one level, or its slope in covariates."""
    design = estimates.design
    row = np.zeros(len(estimates.parameters))
    missing: list[float] = []
    k = 0
    for column in design.fixed:
        share = 1.0
        values = None
        for name, level in column.factors:
            if level is None and slopes:
                continue
            if level is None:
                own = design.covariates[name]
                values = own if values is None else values * own
            elif name in at:
                share *= float(level == at[name])
            else:
                share /= len(levels_of(estimates, name))
        if slopes and sorted(_covariates(column.factors)) != sorted(slopes):
            share = 0.0
        size = share * (1.0 if values is None else float(_average(estimates, values)))
        if column.state == "estimated":
            row[k] = size
            k += 1
        elif column.factors:
            missing.append(size)
    return _Prediction(row, np.array(missing))


def _covariates(factors: Sequence[tuple[str, float | None]]) -> list[str]:
    """The continuous variables of a column."""
    return [name for name, level in factors if level is None]


def _check_slopes(estimates: Estimates, term: ContrastTerm) -> None:
    """Refuse slopes that the model has not, or that are not the same at all values of the covariates.

    Raises
    ------
    CommandError
        r(322), r(198).
    """
    if not term.slopes:
        return
    known = [Counter(_covariates(column.factors)) for column in estimates.design.fixed]
    wanted = Counter(term.slopes)
    if wanted not in known:
        words = "#".join(f"c.{name}" for name in term.slopes)
        there = sorted({"#".join(f"c.{name}" for name in one.elements()) for one in known if one})
        hint = f"there are {', '.join(there)}" if there else None
        message = f"covariate {words} not found in list of covariates"
        raise CommandError(322, message, span=term.span, hint=hint)
    beyond = next((one for one in known if one > wanted), None)
    if beyond is not None:
        words = "#".join(f"c.{name}" for name in beyond.elements())
        hint = f"the model has {words}, too; margins {term.factors[0].name if term.factors else ''}"
        hint = f"{hint.rstrip()}, dydx({term.slopes[0]}) has slopes at the data's values"
        raise CommandError(198, f"the slope of {term.slopes[0]} is not one number", span=term.span, hint=hint)


def _average(estimates: Estimates, values: Array) -> float:
    weights = estimates.problem.overall_weight
    return float(np.average(values, weights=weights))


def _differences(estimates: Estimates, factor: ContrastFactor) -> tuple[Array, Array, tuple[str, ...]]:
    """The levels of a factor variable, its contrast matrix, and the contrasts' labels."""
    levels = levels_of(estimates, factor.name, factor.span)
    words = [level_word(estimates, factor.name, float(level)) for level in levels]
    base = base_level(estimates, factor.name) if factor.base is None else factor.base
    matrix, labels = differences(factor.name, levels, words, factor.kind, base, factor.span)
    return levels, matrix, labels


def _contrast_rows(
    estimates: Estimates, term: ContrastTerm
) -> tuple[tuple[str, ...], Array, NDArray[np.bool_]]:
    """Labels, rows and estimability of a term's contrasts."""
    _check_slopes(estimates, term)
    parts = [_differences(estimates, factor) for factor in term.factors]
    cells = list(product(*(levels for levels, _, _ in parts)))
    names = [factor.name for factor in term.factors]
    found = [
        _prediction(estimates, dict(zip(names, map(float, cell), strict=True)), term.slopes) for cell in cells
    ]
    matrix = reduce(_kron, [one for _, one, _ in parts], np.ones((1, 1)))
    rows = matrix @ np.array([one.row for one in found])
    missing = matrix @ np.array([one.missing for one in found]).reshape(len(found), -1)
    rows[np.abs(rows) < _NOTHING] = 0.0
    labels = tuple(
        " ".join(f"({label})" for label in chosen) or term.name
        for chosen in product(*(words for _, _, words in parts))
    )
    return labels, rows, ~(np.abs(missing) > _NOTHING).any(axis=1)


def _kron(a: Array, b: Array) -> Array:
    return np.asarray(np.kron(a, b), dtype=float)


# --- the commands -------------------------------------------------------------------------------


def contrast(
    estimates: Estimates,
    terms: Sequence[ContrastTerm],
    *,
    adjustment: Adjustment = "noadjust",
    columns: Columns = "cieffects",
    level: float = 95.0,
    effects: bool = False,
) -> ContrastResult:
    """Joint tests of the main effects and interactions of factor variables.

    Parameters
    ----------
    estimates : Estimates
    terms : sequence of ContrastTerm
        Those with an operator have their single contrasts shown, too.
    adjustment : str
        Of the single contrasts for their number.
    columns : str
        Limits, tests, or both of the single contrasts.
    level : float
        Confidence level in percent.
    effects : bool
        Whether single contrasts are shown for terms without an operator, too.

    Raises
    ------
    CommandError
        A factor variable that is not in the model, r(322); no level of that value, r(198).
    """
    check_fitted(estimates)
    tests: list[JointTest] = []
    sets: list[Compared] = []
    for term in terms:
        labels, rows, estimable = _contrast_rows(estimates, term)
        tests.append(joint_test(estimates.b, estimates.v, estimates.uncertainty, term.name, rows[estimable]))
        if effects or any(factor.kind for factor in term.factors):
            sets.append(Compared(term.name, labels, rows, estimable))
    found, counts, v = comparisons(estimates.b, estimates.v, estimates.uncertainty, sets, adjustment, level)
    return _result(
        estimates,
        "Contrasts of marginal linear predictions",
        tuple(tests),
        found,
        counts,
        adjustment,
        columns,
        level,
        v,
    )


def pwcompare(
    estimates: Estimates,
    terms: Sequence[ContrastTerm],
    *,
    adjustment: Adjustment = "noadjust",
    columns: Columns = "cieffects",
    level: float = 95.0,
) -> ContrastResult:
    """Differences between all pairs of the cells of factor variables.

    Parameters
    ----------
    estimates : Estimates
    terms : sequence of ContrastTerm
    adjustment : str
        For the number of comparisons within a term.
    columns : str
        Limits, tests, or both.
    level : float
        Confidence level in percent.

    Raises
    ------
    CommandError
        A factor variable that is not in the model, r(322).
    """
    check_fitted(estimates)
    sets: list[Compared] = []
    for term in terms:
        _check_slopes(estimates, term)
        if not term.factors:
            hint = "type a factor variable: pwcompare g, or the slopes of its levels: pwcompare g#c.x"
            raise CommandError(198, "nothing to compare", span=term.span, hint=hint)
        names = [factor.name for factor in term.factors]
        cells = list(product(*(levels_of(estimates, f.name, f.span) for f in term.factors)))
        found = [
            _prediction(estimates, dict(zip(names, map(float, cell), strict=True)), term.slopes)
            for cell in cells
        ]
        words = [
            "#".join(
                level_word(estimates, name, float(level)) for name, level in zip(names, cell, strict=True)
            )
            for cell in cells
        ]
        pairs = [(high, low) for low, high in combinations(range(len(cells)), 2)]
        rows = np.array([found[high].row - found[low].row for high, low in pairs])
        lost = np.array([np.abs(found[h].missing - found[lo].missing).max(initial=0.0) for h, lo in pairs])
        labels = tuple(f"{words[high]} vs {words[low]}" for high, low in pairs)
        sets.append(Compared(term.name, labels, rows, lost <= _NOTHING))
    compared, counts, v = comparisons(
        estimates.b, estimates.v, estimates.uncertainty, sets, adjustment, level
    )
    title = "Pairwise comparisons of marginal linear predictions"
    return _result(estimates, title, (), compared, counts, adjustment, columns, level, v)


def _result(
    estimates: Estimates,
    title: str,
    tests: tuple[JointTest, ...],
    found: Comparisons,
    counts: tuple[tuple[str, int], ...],
    adjustment: Adjustment,
    columns: Columns,
    level: float,
    v: Array,
) -> ContrastResult:
    return ContrastResult(
        title=title,
        tests=tests,
        comparisons=found,
        counts=counts,
        adjustment=adjustment,
        columns=columns,
        level=level,
        statistic=estimates.uncertainty.statistic,
        depvar=estimates.command.depvar.variable,
        v=v,
    )
