"""The design of a model with some of its variables set to other values than the data's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from memagic.data.terms import Column
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["RandomPart", "Scene", "Setting", "Shares", "random_part"]


@dataclass(frozen=True, slots=True)
class Shares:
    """A factor variable whose indicators are shares: means of indicators, or a balanced factor."""

    of: Mapping[float, float]


Setting: TypeAlias = Array | float | Shares
"""What a variable is set to: a value for every row, one for all of them, or shares of levels."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Some rows of the estimation sample, with variables set to values.

    Attributes
    ----------
    estimates : Estimates
    rows : ndarray of int, shape (n,)
    settings : mapping of str to Setting
        Values for every row are those of `rows`.
    """

    estimates: Estimates
    rows: Index
    settings: Mapping[str, Setting]

    def with_setting(self, name: str, value: Setting) -> Scene:
        """The same with one more variable set."""
        return Scene(self.estimates, self.rows, {**self.settings, name: value})

    def value(self, name: str) -> Array:
        """A continuous variable, shape (n,)."""
        given = self.settings.get(name)
        assert not isinstance(given, Shares)
        if given is None:
            return np.asarray(self.estimates.design.covariates[name][self.rows])
        return np.broadcast_to(np.asarray(given, dtype=float), self.rows.shape)

    def fixed(self) -> Array:
        """X, shape (n, p)."""
        columns = [c for c in self.estimates.design.fixed if c.state == "estimated"]
        return self._matrix(columns, self.estimates.problem.x)

    def random(self) -> Array:
        """Z of all levels, shape (n, Q)."""
        return self._of_levels(self._matrix)

    def fixed_slope(self, variable: str) -> Array:
        """Derivatives of X in a variable, shape (n, p)."""
        columns = [c for c in self.estimates.design.fixed if c.state == "estimated"]
        return self._slopes(columns, variable)

    def random_slope(self, variable: str) -> Array:
        """Derivatives of Z in a variable, shape (n, Q)."""
        return self._of_levels(lambda columns, z: self._slopes(columns, variable))

    def _of_levels(self, make: Callable[[Sequence[Column], Array], Array]) -> Array:
        parts: list[Array] = [np.empty((len(self.rows), 0))]
        for level in self.estimates.design.levels:
            first = 0
            for equation in level.equations:
                last = first + len(equation.columns)
                z = level.z[:, first:last]
                # The effects of R.varname do not depend on covariates.
                parts.append(z[self.rows] if equation.factor else make(equation.columns, z))
                first = last
        return np.concatenate(parts, axis=1)

    def _matrix(self, columns: Sequence[Column], fitted: Array) -> Array:
        found = np.empty((len(self.rows), len(columns)))
        for j, column in enumerate(columns):
            if any(name in self.settings for name, _ in column.factors):
                found[:, j] = self._product(column.factors)
            else:
                found[:, j] = fitted[self.rows, j]
        return found

    def _product(self, factors: Sequence[tuple[str, float | None]]) -> Array:
        values = np.ones(len(self.rows))
        for name, level in factors:
            values = values * self._operand(name, level)
        return values

    def _operand(self, name: str, level: float | None) -> Array | float:
        given = self.settings.get(name)
        if isinstance(given, Shares):
            if level is None:
                return sum(value * share for value, share in given.of.items())
            return given.of.get(level, 0.0)
        values = self.value(name)
        return values if level is None else (values == level).astype(float)

    def _slopes(self, columns: Sequence[Column], variable: str) -> Array:
        found = np.zeros((len(self.rows), len(columns)))
        for j, column in enumerate(columns):
            for k, (name, level) in enumerate(column.factors):
                if name == variable and level is None:
                    found[:, j] += self._product([*column.factors[:k], *column.factors[k + 1 :]])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class RandomPart:
    """Sigma as a sum of its reported elements times patterns.

    Attributes
    ----------
    patterns : ndarray, shape (m, Q, Q)
    values : ndarray, shape (m,)
    """

    patterns: Array
    values: Array

    def variances(self, z: Array) -> Array:
        """The products z' S_a z of every row and pattern, shape (m, n).

        Times `values` they sum to the variance.
        """
        return np.array([np.einsum("iq,iq->i", z @ pattern, z) for pattern in self.patterns]).reshape(
            len(self.patterns), len(z)
        )

    def crossed(self, z: Array, slope: Array) -> Array:
        """Half the derivatives of `variances` in what Z has the slopes of, shape (m, n)."""
        return np.array([np.einsum("iq,iq->i", z @ pattern, slope) for pattern in self.patterns]).reshape(
            len(self.patterns), len(z)
        )


def random_part(estimates: Estimates) -> RandomPart:
    """The patterns of Sigma; none without random effects."""
    problem = estimates.problem
    structure = problem.structure
    if structure is None:
        return RandomPart(np.empty((0, 0, 0)), np.empty(0))
    # Sigma is linear in its reported elements: differences from the identity are exact.
    start = structure.reported(structure.start)
    base = structure.sigma(structure.from_reported(start))
    step = 0.25 / structure.q
    patterns = []
    for a in range(structure.size):
        moved = start.copy()
        moved[a] += step
        patterns.append((structure.sigma(structure.from_reported(moved)) - base) / step)
    found = np.array(patterns)
    # What is a rounding error of a pattern of zeros and ones.
    return RandomPart(np.round(found, 9), estimates.fit.estimates[problem.p : problem.p + problem.n_omega])
