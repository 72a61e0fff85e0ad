"""Covariates that predict a binary outcome perfectly: their coefficients would be infinite.

Source: manual [ME] meglm, option `asis`; [R] probit, 'Model identification'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

__all__ = ["Extremes", "LeftOut", "Pruned", "extremes", "has_pure_level", "prune", "prune_perfect"]


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


@dataclass(frozen=True, slots=True)
class Extremes:
    """The least and the largest values of columns, by outcome: failures, then successes.

    Attributes
    ----------
    n : ndarray of int, shape (2,)
        Observations.
    low, high : ndarray, shape (2, p)
    at_low, at_high : ndarray of int, shape (2, p)
        How many observations have these values.
    """

    n: Index
    low: Array
    high: Array
    at_low: Index
    at_high: Index

    def __add__(self, other: Extremes) -> Extremes:
        """Those of two parts of the observations together."""
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        at_low = self.at_low * (self.low == low) + other.at_low * (other.low == low)
        at_high = self.at_high * (self.high == high) + other.at_high * (other.high == high)
        return Extremes(self.n + other.n, low, high, at_low, at_high)

    def only(self, j: int) -> Extremes:
        """Those of one column."""
        at = slice(j, j + 1)
        return Extremes(self.n, self.low[:, at], self.high[:, at], self.at_low[:, at], self.at_high[:, at])

    def counts(self, j: int, value: float) -> Index:
        """How many failures and successes have a value that is the least or the largest of column j."""
        low, high = self.low[:, j] == value, (self.high[:, j] == value) & (self.high[:, j] > self.low[:, j])
        return np.asarray(self.at_low[:, j] * low + self.at_high[:, j] * high)


def extremes(outcome: Mask, x: Array) -> Extremes:
    """Of the columns of `x`, shape (n, p)."""
    sides = [x[~outcome], x[outcome]]
    low = np.array([side.min(axis=0, initial=np.inf) for side in sides])
    high = np.array([side.max(axis=0, initial=-np.inf) for side in sides])
    return Extremes(
        np.array([len(side) for side in sides]),
        low,
        high,
        np.array([(side == least).sum(axis=0) for side, least in zip(sides, low, strict=True)]),
        np.array([(side == most).sum(axis=0) for side, most in zip(sides, high, strict=True)]),
    )


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

    def look(j: int, _: Sequence[tuple[int, float]]) -> Extremes:
        return extremes(outcome[rows], x[rows, j : j + 1])

    def leave_out(j: int, value: float) -> None:
        rows[x[:, j] == value] = False

    found = prune(names, look, leave_out)
    return Pruned(rows, found.columns, found.notes)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What perfect predictors take away.

    Attributes
    ----------
    columns : ndarray of bool, shape (p,)
        Columns that stay.
    values : tuple of (int, float)
        By column that does not, the value whose rows do not either.
    notes : tuple of str
    """

    columns: Mask
    values: tuple[tuple[int, float], ...]
    notes: tuple[str, ...]


def prune(
    names: Sequence[str],
    look: Callable[[int, Sequence[tuple[int, float]]], Extremes],
    leave_out: Callable[[int, float], None],
) -> LeftOut:
    """`prune_perfect`, wherever the rows are.

    Parameters
    ----------
    names : sequence of str
    look : callable
        The extremes of one column, given what has been left out so far.
    leave_out : callable
        Told of each column and value.
    """
    columns = np.ones(len(names), dtype=bool)
    left_out: list[tuple[int, float]] = []
    notes: list[str] = []
    changed = True
    while changed:
        changed = False
        for j in map(int, np.flatnonzero(columns)):
            at = look(j, left_out)
            if not at.n.all():
                raise CommandError(2000, "outcome does not vary after perfect predictors are left out")
            _refuse_separation(at, names[j])
            pure = _pure_value(at)
            if pure is None:
                continue
            value, other, success = pure
            what = "success" if success else "failure"
            notes += [
                f"note: {names[j]} != {other:g} predicts {what} perfectly;",
                f"      {names[j]} omitted and {at.counts(0, value).sum():,} obs not used.",
            ]
            leave_out(j, value)
            left_out.append((j, value))
            columns[j] = False
            changed = True
    return LeftOut(columns, tuple(left_out), tuple(notes))


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


def _pure_value(at: Extremes) -> tuple[float, float, bool] | None:
    """Of a two-valued column: the value with one outcome only, the other value, that outcome."""
    low, high = float(at.low.min()), float(at.high.max())
    if low == high:
        return None
    at_low, at_high = at.counts(0, low), at.counts(0, high)
    if at_low.sum() + at_high.sum() != at.n.sum():
        return None
    if not at_high.all():
        return high, low, bool(at_high[1] > 0)
    if not at_low.all():
        return low, high, bool(at_low[1] > 0)
    return None


def _refuse_separation(at: Extremes, name: str) -> None:
    """Refuse a column whose values for the two outcomes do not overlap."""
    for above, below, sign in ((1, 0, ">"), (0, 1, "<=")):
        if at.low[above, 0] > at.high[below, 0]:
            raise CommandError(
                2000,
                f"outcome = {name} {sign} {at.high[below, 0]:g} predicts data perfectly",
                hint=f"leave {name} out of the model",
            )
