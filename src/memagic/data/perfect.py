"""Covariates that predict a binary outcome perfectly: their coefficients would be infinite.

Source: manual [ME] meglm, option `asis`; [R] probit, 'Model identification'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

__all__ = ["Pruned", "has_pure_level", "prune_perfect"]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What is left after perfect predictors.

    Attributes
    ----------
    rows : ndarray of bool, shape (n,)
        Observations that stay.
    columns : ndarray of bool, shape (p,)
        Columns that stay.
    notes : tuple of str
    """

    rows: Mask
    columns: Mask
    notes: tuple[str, ...]


def prune_perfect(outcome: Mask, x: Array, names: Sequence[str]) -> Pruned:
    """Leave out two-valued columns one value of which has one outcome only, with those rows.

    Parameters
    ----------
    outcome : ndarray of bool, shape (n,)
    x : ndarray, shape (n, p)
        Without the constant.
    names : sequence of str
        Of the columns.

    Raises
    ------
    CommandError
        ``outcome = x > # predicts data perfectly``, r(2000).
    """
    rows = np.ones(len(outcome), dtype=bool)
    columns = np.ones(x.shape[1], dtype=bool)
    notes: list[str] = []
    changed = True
    while changed:
        changed = False
        for j in map(int, np.flatnonzero(columns)):
            values, y = x[rows, j], outcome[rows]
            if not y.any() or y.all():
                raise CommandError(2000, "outcome does not vary after perfect predictors are left out")
            _refuse_separation(values, y, names[j])
            pure = _pure_value(values, y)
            if pure is None:
                continue
            value, other, success = pure
            drop = rows & (x[:, j] == value)
            what = "success" if success else "failure"
            notes += [
                f"note: {names[j]} != {other:g} predicts {what} perfectly;",
                f"      {names[j]} omitted and {np.count_nonzero(drop):,} obs not used.",
            ]
            rows &= ~drop
            columns[j] = False
            changed = True
    return Pruned(rows, columns, tuple(notes))


def has_pure_level(outcome: Mask, codes: Index) -> bool:
    """Whether a level of a factor, or all others together, have one outcome only.

    Parameters
    ----------
    outcome : ndarray of bool, shape (n,)
    codes : ndarray of int, shape (n,)
        Levels that have a column; -1 for all others.
    """
    count = np.bincount(codes + 1)[1:]
    successes = np.bincount(codes + 1, outcome)[1:]
    rest, rest_successes = len(outcome) - count, np.count_nonzero(outcome) - successes
    pure = (successes == 0) | (successes == count) | (rest_successes == 0) | (rest_successes == rest)
    return bool(np.any(pure & (count > 0) & (rest > 0)))


def _pure_value(values: Array, y: Mask) -> tuple[float, float, bool] | None:
    """Of a two-valued column: the value with one outcome only, the other value, that outcome."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return None
    at_high = values == high
    n_high = int(np.count_nonzero(at_high))
    if n_high + int(np.count_nonzero(values == low)) != len(values):
        return None
    successes, successes_high = int(np.count_nonzero(y)), int(np.count_nonzero(y & at_high))
    if successes_high in (0, n_high):
        return high, low, successes_high > 0
    if successes - successes_high in (0, len(values) - n_high):
        return low, high, successes - successes_high > 0
    return None


def _refuse_separation(values: Array, y: Mask, name: str) -> None:
    """Refuse a column whose values for the two outcomes do not overlap."""
    ones, zeros = values[y], values[~y]
    for above, below, sign in ((ones, zeros, ">"), (zeros, ones, "<=")):
        if above.min() > below.max():
            raise CommandError(
                2000,
                f"outcome = {name} {sign} {below.max():g} predicts data perfectly",
                hint=f"leave {name} out of the model",
            )
