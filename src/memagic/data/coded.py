"""Columns of an equation by their terms: a code for each row in place of a column for each level.

A factor of a thousand levels has one code a row; sums over its indicators are counts by code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from memagic.data.terms import Column
from memagic.data.variables import Variables, check_size

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

__all__ = ["CodedTerm", "Moments", "coded_terms", "compact", "dense", "moments"]


@dataclass(frozen=True, slots=True)
class CodedTerm:
    """The columns of products of the same variables.

    Attributes
    ----------
    positions : ndarray of int, shape (k,)
        Of the columns among those of the equation.
    codes : ndarray of int, shape (n,), or None
        Which of the columns a row belongs to, -1 for none; None where the one column has all rows.
    values : ndarray, shape (n,), or None
        The product of the continuous variables; None stands for ones.
    """

    positions: Index
    codes: Index | None
    values: Array | None


def coded_terms(variables: Variables, columns: Sequence[Column], sample: Mask) -> list[CodedTerm]:
    """The columns in groups of one code each.

    Parameters
    ----------
    variables : Variables
    columns : sequence of Column
        Without the constant.
    sample : ndarray of bool, shape (N,)

    Raises
    ------
    CommandError
        Products are too large, r(459).
    """
    groups: dict[tuple[tuple[str, bool], ...], list[int]] = {}
    for j, column in enumerate(columns):
        key = tuple((name, level is None) for name, level in column.factors)
        groups.setdefault(key, []).append(j)
    terms = []
    for key, positions in groups.items():
        members = [columns[j] for j in positions]
        continuous = [variables.numbers(name)[sample] for name, plain in key if plain]
        values = _product(continuous, members[0]) if continuous else None
        codes = _codes(variables, members, sample) if not all(plain for _, plain in key) else None
        terms.append(CodedTerm(np.array(positions, dtype=np.intp), codes, values))
    return terms


def _product(continuous: list[Array], column: Column) -> Array:
    if len(continuous) == 1:
        return continuous[0]
    # What is infinite here is refused by the next line; infinity times zero is no number.
    with np.errstate(over="ignore", invalid="ignore"):
        values = reduce(np.multiply, continuous)
    check_size(values, column.name, column.span)
    return values


def _codes(variables: Variables, columns: list[Column], sample: Mask) -> Index:
    """For each row the column with its levels, shape (n,)."""
    codes = own = None
    for k, (name, level) in enumerate(columns[0].factors):
        if level is None:
            continue
        levels = np.array(sorted({column.factors[k][1] or 0.0 for column in columns}), dtype=np.intp)
        rank = np.full(int(levels[-1]) + 2, -1, dtype=np.intp)
        rank[levels] = np.arange(len(levels))
        values = variables.numbers(name)[sample]
        # Levels are whole numbers, and what is above the last one has the last place of the table.
        found = rank[np.minimum(values, len(rank) - 1).astype(np.intp)]
        of_columns = rank[[int(column.factors[k][1] or 0) for column in columns]]
        if codes is None or own is None:
            codes, own = found, of_columns
            continue
        codes = np.where((codes >= 0) & (found >= 0), codes * len(levels) + found, -1)
        own = own * len(levels) + of_columns
        # Only the cells that are columns keep a code, so that codes stay below their number.
        present, own = np.unique(own, return_inverse=True)
        own = own.reshape(len(columns))
        place = np.full(int(present[-1]) + 2, -1, dtype=np.intp)
        place[present] = np.arange(len(present))
        codes = place[np.where((codes < 0) | (codes > present[-1]), len(place) - 1, codes)]
    assert codes is not None
    # The last place is that of rows without a column, whose code is -1.
    column_of = np.full(len(columns) + 1, -1, dtype=np.intp)
    column_of[own] = np.arange(len(columns))
    return column_of[codes]


def compact(terms: Sequence[CodedTerm]) -> tuple[list[CodedTerm], list[int]]:
    """Some terms as an equation of their own, and the positions that their columns had."""
    places = sorted(int(position) for term in terms for position in term.positions)
    rank = {position: k for k, position in enumerate(places)}
    moved = [
        replace(term, positions=np.array([rank[int(position)] for position in term.positions], dtype=np.intp))
        for term in terms
    ]
    return moved, places


def dense(terms: Sequence[CodedTerm], n: int, extra: int = 0) -> Array:
    """The columns themselves, shape (n, p + extra); the last ones are left at zero."""
    out = np.zeros((n, sum(len(term.positions) for term in terms) + extra))
    for term in terms:
        values = 1.0 if term.values is None else term.values
        if term.codes is None:
            out[:, term.positions[0]] = values
            continue
        rows = np.flatnonzero(term.codes >= 0)
        out[rows, term.positions[term.codes[rows]]] = values if isinstance(values, float) else values[rows]
    return out


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums of squares and products.

    Attributes
    ----------
    length : ndarray, shape (p,)
        Sums of squares.
    products : ndarray, shape (p, p)
        Of the columns, or of their deviations from their means.
    mean : ndarray, shape (p,)
        What they are taken from: means, or zeros.
    n : int
        Rows.
    """

    length: Array
    products: Array
    mean: Array
    n: int

    def __add__(self, other: Moments) -> Moments:
        """Those of two parts of the rows together."""
        n, apart = self.n + other.n, other.mean - self.mean
        share = other.n / max(n, 1)
        products = self.products + other.products + self.n * share * np.outer(apart, apart)
        return Moments(self.length + other.length, products, self.mean + share * apart, n)


def moments(terms: Sequence[CodedTerm], n: int, p: int, *, centre: bool) -> Moments:
    """Sums of squares and products of `p` columns over `n` rows, or those of their deviations from means.

    Continuous variables are centred beforehand: years and their squares lose too many digits
    otherwise. Indicators have none to lose.
    """
    length, mean = np.zeros(p), np.zeros(p)
    products = np.zeros((p, p))
    plain = [term for term in terms if term.codes is None]
    coded = [term for term in terms if term.codes is not None]
    x = np.empty((n, len(plain)))
    at = np.array([term.positions[0] for term in plain], dtype=np.intp)
    for j, term in enumerate(plain):
        x[:, j] = term.values
    length[at] = np.einsum("ij,ij->j", x, x)
    own = x.mean(axis=0) if centre and n else np.zeros(len(plain))
    x -= own
    products[np.ix_(at, at)] = x.T @ x
    for k, term in enumerate(coded):
        sums, squares = _by_code(term, None), _by_code(term, term.values)
        mean[term.positions] = sums / max(n, 1)
        length[term.positions] = squares
        products[term.positions, term.positions] = squares
        for j, position in enumerate(at):
            products[term.positions, position] = products[position, term.positions] = _by_code(term, x[:, j])
        for other in coded[:k]:
            block = _crossed(term, other)
            products[np.ix_(term.positions, other.positions)] = block
            products[np.ix_(other.positions, term.positions)] = block.T
    if centre:
        products -= n * np.outer(mean, mean)
    else:
        mean[:] = 0.0
    mean[at] = own
    return Moments(length, products, mean, n)


def _by_code(term: CodedTerm, by: Array | None) -> Array:
    """Sums of a term's columns, times another variable, shape (k,)."""
    assert term.codes is not None
    weights = term.values if by is None else by if term.values is None else by * term.values
    # The place of rows without a column is the first one.
    sums = np.bincount(term.codes + 1, weights, minlength=len(term.positions) + 1)
    return np.asarray(sums[1:], dtype=float)


def _crossed(first: CodedTerm, second: CodedTerm) -> Array:
    """Sums of products of the columns of two terms, shape (k1, k2)."""
    assert first.codes is not None
    assert second.codes is not None
    shape = (len(first.positions), len(second.positions))
    rows = np.flatnonzero((first.codes >= 0) & (second.codes >= 0))
    weights = None
    for values in (first.values, second.values):
        if values is not None:
            weights = values[rows] if weights is None else weights * values[rows]
    cells = first.codes[rows] * shape[1] + second.codes[rows]
    return np.asarray(np.bincount(cells, weights, minlength=shape[0] * shape[1]), dtype=float).reshape(shape)
