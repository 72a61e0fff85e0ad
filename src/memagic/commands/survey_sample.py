"""How a sample was drawn: the units of the first stage, their strata, fractions and weights, by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.data.evaluate import evaluate
from memagic.data.variables import Variables
from memagic.engine.sandwich import Design
from memagic.errors import CommandError
from memagic.spec.survey import OBSERVATIONS, Stage, SurveyDesign

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

__all__ = ["Sample", "drawn_sample", "overall_weight"]


@dataclass(frozen=True, slots=True)
class Sample:
    """The sampling units of the rows of a design.

    Attributes
    ----------
    unit : ndarray of int, shape (n,)
        Of the rows of the design.
    n_units : int
    design : Design
    """

    unit: Index
    n_units: int
    design: Design


def drawn_sample(design: SurveyDesign, variables: Variables, rows: Mask) -> Sample:
    """The sampling units of the first stage, their strata and sampling fractions.

    Parameters
    ----------
    design : SurveyDesign
    variables : Variables
    rows : ndarray of bool, shape (N,)
        The n rows of the frame whose units count.

    Raises
    ------
    CommandError
        An fpc that is not constant within strata, r(464), negative or too small, r(462).
    """
    first = design.stages[0]
    n = int(np.count_nonzero(rows))
    stratum = _codes(variables, first.strata, rows) if first.strata else np.zeros(n, dtype=np.intp)
    unit = np.arange(n) if first.unit == OBSERVATIONS else _codes(variables, first.unit, rows)
    # The same value in two strata is two units.
    pair, at, code = np.unique(stratum * (int(unit.max()) + 1) + unit, return_index=True, return_inverse=True)
    of_unit = stratum[at]
    sizes = np.bincount(of_unit)
    return Sample(
        code.reshape(n),
        len(pair),
        Design(of_unit, _fractions(first, variables, rows, stratum, sizes), design.single),
    )


def _codes(variables: Variables, name: str, rows: Mask) -> Index:
    codes = variables.groups(name)[rows]
    return np.unique(codes, return_inverse=True)[1].reshape(len(codes)).astype(np.intp)


def _fractions(stage: Stage, variables: Variables, rows: Mask, stratum: Index, sizes: Index) -> Array:
    """Sampling fractions: the fpc variable has them, or the units in the population."""
    if stage.fpc is None:
        return np.zeros(len(sizes))
    values = variables.numbers(stage.fpc)[rows]
    by_stratum = np.empty(len(sizes))
    by_stratum[stratum] = values
    if (by_stratum[stratum] != values).any():
        raise CommandError(464, f"fpc({stage.fpc}) is not constant within strata")
    if (by_stratum < 0.0).any():
        raise CommandError(462, f"fpc({stage.fpc}) has negative values")
    counted = by_stratum > 1.0
    if (by_stratum[counted] < sizes[counted]).any():
        raise CommandError(462, f"fpc({stage.fpc}) is less than the number of sampled units in a stratum")
    return np.where(counted, sizes / np.where(counted, by_stratum, 1.0), by_stratum)


def overall_weight(design: SurveyDesign, variables: Variables) -> Array:
    """The product of the weights of all stages, by row of the frame, shape (N,)."""
    overall = np.ones(len(variables.frame))
    for stage in design.stages:
        if stage.weight is not None:
            overall *= variables.numbers(stage.weight)
    if design.weight is not None:
        overall *= evaluate(design.weight.expression, variables)
    return overall
