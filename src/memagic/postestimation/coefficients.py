"""Coefficients with their confidence limits and names in words, as a figure shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.data.terms import Column
from memagic.results.display_options import Exponentiated, check_level, check_scale
from memagic.results.estimates import Estimates
from memagic.results.inference import table_numbers

Array = NDArray[np.float64]

__all__ = ["CoefficientIntervals", "coefficient_intervals", "column_words"]

_SCALES = {"": "Coefficient", "or": "Odds ratio", "irr": "Incidence-rate ratio", "eform": "exp(coefficient)"}


@dataclass(frozen=True, slots=True, eq=False)
class CoefficientIntervals:
    """Coefficients of the fixed-effects equation.

    Attributes
    ----------
    names : tuple of str, length c
        Their addresses in `_b[]`.
    labels : tuple of str, length c
        In words: ``children = 2``, ``constant``.
    b, lower, upper : ndarray, shape (c,)
        Exponentiated where a scale is chosen; limits are nan for what constraints hold.
    level : float
        Confidence level in percent.
    scale : str
        What the numbers are: ``Odds ratio``.
    null : float
        The value of no effect: 1 for ratios, else 0.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    b: Array
    lower: Array
    upper: Array
    level: float
    scale: str
    null: float


def coefficient_intervals(
    estimates: Estimates, scale: Exponentiated = "", *, level: float = 95.0, constant: bool = False
) -> CoefficientIntervals:
    """Coefficients and limits of the table.

    Parameters
    ----------
    estimates : Estimates
    scale : {"", "or", "irr", "eform"}
    level : float
        Confidence level in percent.
    constant : bool
        Whether the constant is among them.

    Raises
    ------
    CommandError
        A scale that is not the model's, or a level out of range, r(198).
    """
    check_level(level)
    check_scale(estimates.kind.link, estimates.kind.family, scale)
    numbers = table_numbers(estimates, level, bool(scale))
    columns = [column for column in estimates.design.fixed if column.state == "estimated"]
    kept = [k for k, column in enumerate(columns) if constant or column.name != "_cons"]
    return CoefficientIntervals(
        names=tuple(columns[k].name for k in kept),
        labels=tuple(column_words(columns[k], estimates.value_labels) for k in kept),
        b=numbers.b[kept],
        lower=numbers.lower[kept],
        upper=numbers.upper[kept],
        level=level,
        scale=_SCALES[scale],
        null=1.0 if scale else 0.0,
    )


def column_words(column: Column, value_labels: dict[str, dict[float, str]]) -> str:
    """A column in words: ``age``, ``urban = yes``, ``cc = 1 × age``, ``constant``."""
    parts = []
    for name, value in column.factors:
        label = None if value is None else value_labels.get(name, {}).get(value, f"{value:g}")
        parts.append(name if label is None else f"{name} = {label}")
    return " × ".join(parts) or "constant"
