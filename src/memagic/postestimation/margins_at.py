"""Values at which `margins` sets the variables of a model: `at()`, `atmeans`, statistics.

Source: [R] margins, option at().
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError, closest
from memagic.postestimation.factor_levels import base_level, factor_names, levels_of
from memagic.postestimation.margins_request import covariate
from memagic.postestimation.scenes import Setting, Shares
from memagic.results.estimates import Estimates
from memagic.spec.margins_at import AtItem
from memagic.spec.tree import Expression

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Evaluate = Callable[[Expression], Array]

__all__ = ["AtPoint", "FixedAt", "at_points", "fixed_at", "settings_of"]


@dataclass(frozen=True, slots=True)
class FixedAt:
    """What one variable is set to: a number, an expression, or a statistic."""

    value: float | None = None
    expression: Expression | None = None
    statistic: str = ""
    text: str = ""


AtPoint = Mapping[str, FixedAt]
"""The variables that are set, in the order of the model."""


def at_points(
    estimates: Estimates,
    sets: Sequence[Sequence[AtItem]],
    atmeans: bool,
    asbalanced: bool,
    *,
    abbreviations: bool = True,
) -> tuple[AtPoint, ...]:
    """One point for each combination of values of each `at()`; one in all without any.

    Raises
    ------
    CommandError
        ``variable x not found in list of covariates``, r(322); a level that a factor variable does
        not have, r(322).
    """
    base: dict[str, FixedAt] = {}
    factors = factor_names(estimates)
    for name in estimates.design.covariates:
        if atmeans:
            base[name] = FixedAt(statistic="mean")
        elif asbalanced and name in factors:
            base[name] = FixedAt(statistic="asbalanced")
    points: list[AtPoint] = []
    for items in sets or [()]:
        fixed = [_choices(estimates, item, abbreviations) for item in items]
        for chosen in product(*fixed):
            point = dict(base)
            for part in chosen:
                # What stands further right overrides.
                point.update(part)
            kept = {name: point[name] for name in estimates.design.covariates if name in point}
            points.append({n: f for n, f in kept.items() if f.statistic != "asobserved"})
    return tuple(points)


def _choices(estimates: Estimates, item: AtItem, abbreviations: bool) -> list[dict[str, FixedAt]]:
    names = [name for given in item.names for name in _expanded(estimates, given, item, abbreviations)]
    if item.statistic:
        plain = item.statistic.removeprefix("o") if item.statistic not in ("oasobserved",) else "asobserved"
        whole = item.statistic if item.statistic != "asobserved" else "asobserved"
        factors = factor_names(estimates)
        listed = any(given in ("_all", "_continuous", "_factor") for given in item.names)
        for name in names:
            wants_factor = plain in ("base", "asbalanced")
            if wants_factor and name not in factors and not listed:
                message = f"{name} is not a factor variable"
                raise CommandError(198, message, span=item.span, hint=f"({plain}) is for factor variables")
        if plain in ("base", "asbalanced"):
            names = [name for name in names if name in factors]
        return [{name: FixedAt(statistic=whole) for name in names}]
    if item.expression is not None:
        text = f"generate({item.text})"
        return [{name: FixedAt(expression=item.expression, text=text) for name in names}]
    for name in names:
        if name in factor_names(estimates):
            levels = levels_of(estimates, name)
            for value in item.values:
                if value not in levels:
                    message = f"{name}: {value:g} is not a level in the estimation sample"
                    shown = ", ".join(f"{level:g}" for level in levels[:10])
                    raise CommandError(322, message, span=item.span, hint=f"its levels are {shown}")
    return [{name: FixedAt(value=value) for name in names} for value in item.values]


def _expanded(estimates: Estimates, given: str, item: AtItem, abbreviations: bool) -> list[str]:
    covariates = list(estimates.design.covariates)
    factors = factor_names(estimates)
    if given == "_all":
        return covariates
    if given == "_factor":
        return [name for name in covariates if name in factors]
    if given == "_continuous":
        return [name for name in covariates if name not in factors]
    name = covariate(estimates, given, abbreviations=abbreviations)
    if name is None:
        message = f"variable {given} not found in list of covariates"
        raise CommandError(322, message, span=item.span, hint=closest(given, covariates))
    return [name]


def settings_of(
    estimates: Estimates, point: AtPoint, rows: Index, sample: Index, evaluate: Evaluate
) -> dict[str, Setting]:
    """The values of a point for some rows of the estimation sample.

    Parameters
    ----------
    estimates : Estimates
    point : AtPoint
    rows : ndarray of int
        Statistics are taken over these.
    sample : ndarray of int
        Statistics with the prefix o are taken over these.
    evaluate : callable
        Values of an expression for all rows of the estimation sample.
    """
    found: dict[str, Setting] = {}
    for name, fixed in point.items():
        if fixed.value is not None:
            found[name] = fixed.value
        elif fixed.expression is not None:
            values = evaluate(fixed.expression)[rows]
            if np.isnan(values).any():
                raise CommandError(
                    459, f"generate() for {name} has missing values", span=fixed.expression.span
                )
            found[name] = values
        else:
            overall = fixed.statistic.startswith("o")
            found[name] = _statistic(
                estimates, name, fixed.statistic.removeprefix("o"), sample if overall else rows
            )
    return found


def fixed_at(settings: Mapping[str, Setting], name: str) -> bool:
    """Whether a variable has one value for all rows."""
    return name in settings and not isinstance(settings[name], np.ndarray)


def _statistic(estimates: Estimates, name: str, statistic: str, rows: Index) -> Setting:
    values = estimates.design.covariates[name][rows]
    overall = estimates.problem.overall_weight
    weights = None if overall is None else overall[rows]
    is_factor = name in factor_names(estimates)
    if statistic == "asbalanced":
        levels = levels_of(estimates, name)
        return Shares({float(level): 1.0 / len(levels) for level in levels})
    if statistic == "base":
        return base_level(estimates, name)
    if statistic == "zero":
        return 0.0
    if is_factor and statistic == "mean":
        shares = {
            float(level): float(np.average(values == level, weights=weights))
            for level in levels_of(estimates, name)
        }
        return Shares(shares)
    if statistic == "mean":
        return float(np.average(values, weights=weights))
    if statistic in ("min", "max"):
        return float(values.min() if statistic == "min" else values.max())
    share = 0.5 if statistic == "median" else float(statistic[1:]) / 100.0
    if weights is None:
        return float(np.quantile(values, share, method="averaged_inverted_cdf"))
    return float(np.quantile(values, share, method="inverted_cdf", weights=weights))
