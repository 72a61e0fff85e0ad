"""Covariates whose values are far from zero or far from one, which makes a likelihood hard to climb."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.data.terms import Column
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]

__all__ = ["far_from_zero", "scale_note"]

# Means beyond so many standard deviations, and standard deviations beyond such a power of ten.
_FAR = 10.0
_LARGE = 1e3


def scale_note(estimates: Estimates, covariates: bool) -> str:
    """The variable whose values are worst to work with, and how to change them; empty without one.

    A random coefficient of a variable far from zero comes before a covariate of large scale: there
    intercepts and coefficients are nearly perfectly correlated. Only plain variables are judged.

    Parameters
    ----------
    estimates : Estimates
    covariates : bool
        Whether the scale of the covariates matters too.
    """
    far = far_from_zero(estimates)
    if far is not None:
        name, mean, deviation = far
        middle = _round(mean, deviation)
        sign, size = ("-", middle) if middle >= 0 else ("+", -middle)
        return (
            f"Note: {name} has mean {mean:.6g} and standard deviation {deviation:.3g}: so far from 0 its"
            f" random effect and the intercept are nearly one.\n"
            f'      Try it centred: df["{name}_c"] = df["{name}"] {sign} {size:.10g}'
        )
    worst, size = None, 1.0
    for column, values in [*_random(estimates), *(_fixed(estimates) if covariates else [])]:
        deviation = float(values.std())
        ratio = max(deviation, 1.0 / deviation) if deviation > 0.0 else 1.0
        if ratio > max(size, _LARGE):
            worst, size = (column.name, deviation), ratio
    if worst is None:
        return ""
    name, deviation = worst
    unit = 10.0 ** round(float(np.log10(deviation)))
    return (
        f"Note: {name} has standard deviation {deviation:.3g}, far from 1.\n"
        f'      Try it rescaled: df["{name}_s"] = df["{name}"] / {unit:g}'
    )


def far_from_zero(estimates: Estimates) -> tuple[str, float, float] | None:
    """The first variable with a random coefficient whose values are far from zero: name, mean, deviation."""
    for column, values in _random(estimates):
        mean, deviation = float(values.mean()), float(values.std())
        if deviation > 0.0 and abs(mean) > _FAR * deviation:
            return column.name, mean, deviation
    return None


def _random(estimates: Estimates) -> list[tuple[Column, Array]]:
    found = []
    for level in estimates.design.levels:
        for column, values in zip(level.columns, level.z.T, strict=False):
            if _is_plain(column):
                found.append((column, values))
    return found


def _fixed(estimates: Estimates) -> list[tuple[Column, Array]]:
    columns = [column for column in estimates.design.fixed if column.state == "estimated"]
    return [pair for pair in zip(columns, estimates.design.x.T, strict=True) if _is_plain(pair[0])]


def _is_plain(column: Column) -> bool:
    return len(column.factors) == 1 and column.factors[0][1] is None


def _round(mean: float, deviation: float) -> float:
    """The mean in as many digits as its variable's spread calls for."""
    digits = int(-np.floor(np.log10(deviation)))
    return round(mean, digits)
