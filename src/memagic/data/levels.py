"""The levels of a model: groups, and the columns of the random-effects equations."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from memagic.data.sample import ALL
from memagic.data.terms import Column, constant, expand, values_of
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.tree import Covariance, RandomEquation

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]
CovarianceKind = Literal["independent", "identity", "exchangeable", "unstructured", "fixed", "pattern"]

# Codes are numbered by a table of all possible ones up to so many times the rows.
_TABLE_SHARE = 32

__all__ = [
    "CovarianceKind",
    "DesignLevel",
    "Grouping",
    "RandomEffects",
    "make_levels",
    "refuse_zero",
    "touched",
]


@dataclass(frozen=True, slots=True)
class Grouping:
    """One level of groups in the estimation sample.

    Attributes
    ----------
    name : str
        The group variable, or ``_all``.
    path : str
        The group variables from the highest level down to this one: ``school>class``.
    codes : ndarray of int, shape (n,)
        0..M-1 by observation; groups are counted within those of the level above.
    sizes : ndarray of int, shape (M,)
        Observations in each group.
    values : ndarray, shape (M,)
        The group variable's value in each group, as the frame has it.
    """

    name: str
    path: str
    codes: Index
    sizes: Index
    values: NDArray[Any]

    @property
    def first(self) -> Index:
        """The first observation of each group, shape (M,)."""
        return _first(self.codes, len(self.sizes))


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """The columns of one random-effects equation, and the structure of their covariance.

    Attributes
    ----------
    columns : tuple of Column
    covariance : str
    factor : str
        The variable of `R.varname`, which stands for indicators of all its values with one variance;
        empty for other equations. It has one column, which is one everywhere.
    codes : ndarray of int, shape (n,), or None
        Its values within the groups of the level, 0..K-1; None for other equations.
    values : ndarray, shape (K,)
        What the frame has for them; empty for other equations.
    """

    columns: tuple[Column, ...]
    covariance: CovarianceKind
    factor: str = ""
    codes: Index | None = None
    values: NDArray[Any] = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True)
class DesignLevel:
    """One level of a model.

    Attributes
    ----------
    grouping : Grouping
    equations : tuple of RandomEffects
        In the order typed; the effects of different equations are independent.
    z : ndarray, shape (n, q)
        The columns of all equations.
    """

    grouping: Grouping
    equations: tuple[RandomEffects, ...]
    z: Array

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for equation in self.equations for column in equation.columns)

    @property
    def parts(self) -> tuple[tuple[RandomEffects, ...], ...]:
        """Every crossed factor by itself, and the other equations that follow each other together."""
        found: list[tuple[RandomEffects, ...]] = []
        for equation in self.equations:
            if found and not equation.factor and not found[-1][0].factor:
                found[-1] = (*found[-1], equation)
            else:
                found.append((equation,))
        return tuple(found)


def make_levels(
    variables: Variables, equations: tuple[RandomEquation, ...], codes: dict[str, Index], sample: Mask
) -> tuple[DesignLevel, ...]:
    """The levels, highest first; equations that follow each other at one level share it.

    Parameters
    ----------
    variables : Variables
    equations : tuple of RandomEquation
        In the order typed.
    codes : dict of str to ndarray of int, shape (N,)
        Of the group variables.
    sample : ndarray of bool, shape (N,)

    Raises
    ------
    CommandError
        A level comes back after another one, an equation has no effects, or a level has an effect
        twice, r(198).
    """
    levels: list[DesignLevel] = []
    groups = [list(members) for _, members in groupby(equations, key=lambda equation: equation.level)]
    for members in groups:
        name = members[0].level
        upper = levels[-1].grouping if levels else None
        if any(level.grouping.name == name for level in levels):
            raise CommandError(
                198,
                f"level {name} is there twice, with another level between",
                span=members[0].level_span,
                hint=f"put the equations of {name} next to each other",
            )
        grouping = _grouping(variables, name, codes.get(name), sample, upper)
        effects, parts = [], []
        for equation in members:
            if equation.factor is not None:
                effect = _crossed(variables, equation, codes[equation.factor], sample, grouping)
                z = np.ones((len(grouping.codes), 1))
            else:
                # Among equations of one level only the last has an intercept.
                effect = _effects(variables, equation, sample, intercept=equation is members[-1])
                z = np.column_stack([values_of(variables, column, sample) for column in effect.columns])
            effects.append(effect)
            parts.append(z)
        _refuse_repeated([column for effect in effects for column in effect.columns], name)
        z = np.concatenate(parts, axis=1)
        levels.append(DesignLevel(grouping, tuple(effects), z))
    return tuple(levels)


def _effects(
    variables: Variables, equation: RandomEquation, sample: Mask, *, intercept: bool
) -> RandomEffects:
    columns = [c for c in expand(variables, equation.terms, sample) if c.state == "estimated"]
    if intercept and "noconstant" not in equation.options:
        columns.append(constant())
    if not columns:
        raise CommandError(
            198,
            "random-effects equation has no random effects",
            span=equation.span,
            hint="leave out noconstant or name a variable",
        )
    return RandomEffects(tuple(columns), _covariance(equation))


def _crossed(
    variables: Variables, equation: RandomEquation, codes: Index, sample: Mask, grouping: Grouping
) -> RandomEffects:
    """The effects of all values of the variable of `R.varname`, with one variance."""
    assert equation.factor is not None
    option = equation.options.get("covariance")
    if option is not None and _covariance(equation) != "identity":
        raise CommandError(
            198,
            "R.varname has the covariance structure identity",
            span=option.span,
            hint="leave covariance() out of its equation",
        )
    name = equation.factor
    column = Column(f"R.{name}", f"R.{name}", ((name, None),))
    within = _numbered(grouping.codes * (int(codes.max()) + 1) + codes[sample])
    shown = _values_at(variables, name, sample, _first(within, int(within.max()) + 1))
    return RandomEffects((column,), "identity", name, within, shown)


def _covariance(equation: RandomEquation) -> CovarianceKind:
    option = equation.options.get("covariance")
    if option is None:
        return "independent"
    assert isinstance(option.value, Covariance)
    return option.value.kind


def _grouping(
    variables: Variables, name: str, codes: Index | None, sample: Mask, upper: Grouping | None
) -> Grouping:
    """The groups of the sample, within those of the level above; without codes all are one group."""
    n = int(np.count_nonzero(sample))
    used = np.zeros(n, dtype=np.intp) if codes is None else codes[sample]
    if upper is not None:
        used = _numbered(upper.codes * (int(used.max()) + 1) + used)
    counts = np.bincount(used)
    present = counts > 0
    if not present.all():
        rank = np.cumsum(present) - 1
        used = rank[used]
    # All observations as one group are no level that others would be named after.
    path = name if upper is None or upper.name == ALL else f"{upper.path}>{name}"
    sizes = counts[present]
    values = (
        np.array([ALL]) if codes is None else _values_at(variables, name, sample, _first(used, len(sizes)))
    )
    return Grouping(name, path, used, sizes, values)


def _first(codes: Index, size: int) -> Index:
    """Where each of the codes 0..size-1 comes first, shape (size,)."""
    first = np.empty(size, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return first


def _values_at(variables: Variables, name: str, sample: Mask, rows: Index) -> NDArray[Any]:
    """A variable as the frame has it, at rows of the sample."""
    found: NDArray[Any] = variables.series(name).array.take(np.flatnonzero(sample)[rows]).to_numpy()
    return found


def _numbered(codes: Index) -> Index:
    """The codes numbered without gaps, in their order."""
    size = int(codes.max(initial=0)) + 1
    if size > _TABLE_SHARE * len(codes) or int(codes.min(initial=0)) < 0:
        return np.unique(codes, return_inverse=True)[1].reshape(len(codes))
    present = np.zeros(size, dtype=bool)
    present[codes] = True
    return (np.cumsum(present) - 1)[codes]


def _refuse_repeated(columns: list[Column], level: str) -> None:
    """Refuse an effect in two equations of a level: only the sum of the variances would be known."""
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise CommandError(
                198,
                f"{column.name} has a random effect at level {level} twice",
                span=column.span,
                hint=f"leave {column.name} out of one of the equations of {level}",
            )
        seen.add(column.name)


def touched(levels: tuple[DesignLevel, ...]) -> Mask:
    """Which effects, of all levels, are not zero in every observation, shape (Q,)."""
    return np.array([bool(values.any()) for level in levels for values in level.z.T], dtype=bool)


def refuse_zero(
    equations: tuple[RandomEquation, ...], levels: tuple[DesignLevel, ...], is_touched: Mask
) -> None:
    """Refuse random effects that touch no observation: nothing is known of their variance.

    Parameters
    ----------
    equations : tuple of RandomEquation
    levels : tuple of DesignLevel
        Made of them.
    is_touched : ndarray of bool, shape (Q,)
        See `touched`.

    Raises
    ------
    CommandError
        r(459).
    """
    effects = [effects for level in levels for effects in level.equations]
    columns = [(c, equation) for equation, e in zip(equations, effects, strict=True) for c in e.columns]
    for (column, equation), found in zip(columns, is_touched, strict=True):
        if not found:
            raise CommandError(
                459,
                f"{column.name} is zero in every observation: its random effect is not identified",
                span=column.span or equation.span,
                hint=f"leave {column.name} out of the random-effects equation",
            )
