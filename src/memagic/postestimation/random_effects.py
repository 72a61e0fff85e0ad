"""Empirical Bayes predictions of the random effects, with the names of groups and effects.

Source: manual [ME] meglm postestimation, `predict, reffects` with `ebmeans`, `ebmodes` and `reses()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from memagic.data.levels import DesignLevel, Grouping
from memagic.data.sample import ALL
from memagic.engine.posterior import EffectMoments, posterior_means, posterior_modes
from memagic.errors import CommandError, closest
from memagic.results.estimates import Estimates

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Statistic = Literal["ebmeans", "ebmodes"]
# The name of a group variable with its value in each of the M groups.
Key = tuple[str, NDArray[Any]]

__all__ = ["EmpiricalBayes", "GroupEffects", "Statistic", "effect_moments", "random_effects"]


@dataclass(frozen=True, slots=True, eq=False)
class GroupEffects:
    """The random effects of the groups of one level, or of the values of one crossed factor.

    Attributes
    ----------
    name : str
        As the variances have it: ``district``, ``school>class``, ``_all>male``.
    keys : tuple of (str, ndarray of shape (M,))
        The group variables that tell the groups apart, highest first, with their values.
    effects : tuple of str, length q
        ``_cons``, ``age``, ``1.urban``, in the order of the design.
    value : ndarray, shape (M, q)
    se : ndarray, shape (M, q)
    """

    name: str
    keys: tuple[Key, ...]
    effects: tuple[str, ...]
    value: Array
    se: Array

    def __post_init__(self) -> None:
        self.value.setflags(write=False)
        self.se.setflags(write=False)

    @property
    def variable(self) -> str:
        """The group variable itself, without those above it."""
        return self.keys[-1][0]

    def index(self) -> pd.Index:
        """The groups: an Index of values, or a MultiIndex with the groups that these lie in."""
        import pandas as pd

        if len(self.keys) == 1:
            name, values = self.keys[0]
            return pd.Index(values, name=name)
        return pd.MultiIndex.from_arrays(
            [values for _, values in self.keys], names=[name for name, _ in self.keys]
        )

    def labels(self) -> tuple[str, ...]:
        """One text a group: ``12``, or ``3, 12`` within a group."""
        columns = [[str(value) for value in values] for _, values in self.keys]
        return tuple(", ".join(parts) for parts in zip(*columns, strict=True))

    def frame(self) -> pd.DataFrame:
        """The effects, one row a group and one column an effect."""
        return self._frame(self.value)

    def se_frame(self) -> pd.DataFrame:
        """Their standard errors, in the same form."""
        return self._frame(self.se)

    def _frame(self, values: Array) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(values.copy(), index=self.index(), columns=list(self.effects))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EmpiricalBayes:
    """Predictions of all random effects of a model.

    Attributes
    ----------
    statistic : str
        "ebmeans" for posterior means with posterior standard deviations, "ebmodes" for modes with
        standard errors by the curvature there.
    groups : tuple of GroupEffects
        Highest level first; crossed factors in the order typed.
    """

    statistic: Statistic
    groups: tuple[GroupEffects, ...]

    def __repr__(self) -> str:
        parts = [f"{g.name} ({len(g.value):,} groups: {', '.join(g.effects)})" for g in self.groups]
        return f"<posterior {self.statistic.removeprefix('eb')} of {'; '.join(parts) or 'no random effects'}>"

    def level(self, name: str | None = None) -> GroupEffects:
        """The effects of one level, by its path or its own variable; the first one by default.

        Raises
        ------
        CommandError
            There is no such level, or no random effects, r(111).
        """
        if not self.groups:
            raise CommandError(111, "the model has no random effects")
        if name is None:
            return self.groups[0]
        for group in self.groups:
            if name in (group.name, group.variable):
                return group
        names = [group.name for group in self.groups]
        hint = closest(name, names) or f"levels are {', '.join(names)}"
        raise CommandError(111, f"level {name} not found", hint=hint)


def random_effects(estimates: Estimates, statistic: Statistic = "ebmeans") -> EmpiricalBayes:
    """Predict the random effects at the estimates.

    Parameters
    ----------
    estimates : Estimates
    statistic : {"ebmeans", "ebmodes"}
        After the Laplacian approximation the means are those of the approximation, which are the
        modes.

    Raises
    ------
    CommandError
        Another statistic, r(198).
    """
    if estimates.problem.structure is None:
        return EmpiricalBayes(statistic, ())
    moments = effect_moments(estimates, statistic)
    groups: list[GroupEffects] = []
    parents: list[Grouping] = []
    parts = zip(moments.value, moments.se, strict=True)
    for level in estimates.design.levels:
        keys = _keys(level.grouping, parents)
        groups += _of_level(level, keys, parts)
        if level.grouping.name != ALL:
            parents.append(level.grouping)
    return EmpiricalBayes(statistic, tuple(groups))


def effect_moments(estimates: Estimates, statistic: Statistic = "ebmeans") -> EffectMoments:
    """The same as arrays by level.

    Raises
    ------
    CommandError
        Not one of the statistics, r(198).
    """
    theta = estimates.fit.theta
    if statistic == "ebmodes":
        return posterior_modes(estimates.problem, theta)
    if statistic != "ebmeans":
        raise CommandError(198, f"{statistic} is not a statistic", hint="ebmeans or ebmodes")
    settings = estimates.settings
    return posterior_means(estimates.problem, theta, settings.method, settings.n_points)


def _keys(grouping: Grouping, parents: list[Grouping]) -> tuple[Key, ...]:
    """The values of the group variables from the highest level down, in the groups of this one."""
    above = tuple((p.name, p.values[p.codes[grouping.first]]) for p in parents)
    return above if grouping.name == ALL else (*above, (grouping.name, grouping.values))


def _of_level(
    level: DesignLevel, keys: tuple[Key, ...], parts: Iterator[tuple[Array, Array]]
) -> list[GroupEffects]:
    """Crossed factors by themselves, and the effects of all other equations together.

    Parameters
    ----------
    parts : iterator of (ndarray, ndarray)
        Effects and standard errors: of every factor, and of ordinary equations that follow each other.
    """
    found: list[GroupEffects] = []
    own: list[tuple[Array, Array]] = []
    path = level.grouping.path
    ordinary = False
    for equation in level.equations:
        if equation.codes is None:
            if not ordinary:
                own.append(next(parts))
            ordinary = True
            continue
        ordinary = False
        value, se = next(parts)
        group = np.zeros(len(value), dtype=np.intp)
        group[equation.codes] = level.grouping.codes
        above = tuple((name, values[group]) for name, values in keys)
        own_keys = (*above, (equation.factor, equation.values))
        found.append(GroupEffects(f"{path}>{equation.factor}", own_keys, ("_cons",), value, se))
    if own:
        names = tuple(c.name for e in level.equations if e.codes is None for c in e.columns)
        keys = keys or ((ALL, level.grouping.values),)
        value, se = (np.concatenate(arrays, axis=1) for arrays in zip(*own, strict=True))
        found.append(GroupEffects(path, keys, names, value, se))
    return found
