"""Symbols for the parameters of a model, or their numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memagic.data.levels import DesignLevel
from memagic.data.sample import ALL
from memagic.display.mathematics import Formula, number, subscripted, symbol
from memagic.engine.constraints import solve
from memagic.results.estimates import Estimates

__all__ = ["EffectSet", "Symbols", "effect_sets"]

_LETTERS = "uvwabcdfgh"
# The family's own parameters, by family and dispersion; the cutpoints of an ordinal one are counted.
_OWN: dict[tuple[str, str], tuple[Formula, ...]] = {
    ("bernoulli", ""): (),
    ("binomial", ""): (),
    ("gamma", ""): (symbol("s"),),
    ("gaussian", ""): (symbol(r"\sigma^2_e", "sigma2_e"),),
    ("nbinomial", "constant"): (symbol(r"\delta", "delta"),),
    ("nbinomial", "mean"): (symbol(r"\alpha", "alpha"),),
    ("poisson", ""): (),
}


@dataclass(frozen=True, slots=True)
class EffectSet:
    """Random effects that share one letter: a crossed factor's, or all others of a level.

    Attributes
    ----------
    letter : str
    path : str
        Of the level.
    factor : str
        The crossed factor; empty for the others.
    columns : tuple of int
        Positions among the effects of all levels, the intercept first; one for a crossed factor.
    covariance : str
        Its structure; empty where equations of several structures are together.
    """

    letter: str
    path: str
    factor: str
    columns: tuple[int, ...]
    covariance: str


def effect_sets(levels: tuple[DesignLevel, ...]) -> tuple[EffectSet, ...]:
    """The sets of a model from the lowest level up, crossed factors last."""
    letters = iter(_LETTERS)
    own: list[tuple[str, str, tuple[int, ...], str]] = []
    crossed: list[tuple[str, str, tuple[int, ...], str]] = []
    first = 0
    for level in levels:
        path, together = level.grouping.path, list[int]()
        names: dict[int, str] = {}
        for equation in level.equations:
            columns = range(first, first + len(equation.columns))
            first += len(columns)
            if equation.factor:
                crossed.append((path, equation.factor, (columns[0],), "identity"))
                continue
            names |= {k: column.name for k, column in zip(columns, equation.columns, strict=True)}
            together += columns
        # The intercept is last in a command and first in mathematics.
        together = [k for k in together if names[k] == "_cons"] + [k for k in together if names[k] != "_cons"]
        kinds = [equation.covariance for equation in level.equations if not equation.factor]
        if together:
            own.append((path, "", tuple(together), kinds[0] if len(kinds) == 1 else ""))
    nested = [found for found in reversed(own) if found[0] != ALL]
    ordered = [*nested, *(found for found in own if found[0] == ALL), *crossed]
    return tuple(EffectSet(next(letters), *found) for found in ordered)


class Symbols:
    """What stands for each parameter.

    Parameters
    ----------
    estimates : Estimates
    sets : tuple of EffectSet
    numbers : bool
        Estimates in place of symbols.
    """

    def __init__(self, estimates: Estimates, sets: tuple[EffectSet, ...], numbers: bool) -> None:
        self._estimates = estimates
        self._numbers = numbers
        problem = estimates.problem
        self._p, self._m = problem.p, problem.n_omega
        self._entry = _entries(estimates)
        self._own = self._own_symbols(sets)
        self._zero = {
            int(place)
            for place, parameter in zip(estimates.positions, estimates.parameters, strict=True)
            if parameter.at_zero
        }
        self._of = list(range(len(estimates.fit.estimates)))
        self._held: dict[int, float] = {}
        if estimates.fit.constraints is not None:
            self._follow(estimates)

    def coefficient(self, k: int) -> Formula:
        """Of the k-th estimated column."""
        return self._at(k)

    def is_number(self, k: int) -> bool:
        """Whether the k-th coefficient is a number: an estimate, or one that constraints hold."""
        return self._numbers or self._of[k] in self._held

    def value(self, k: int) -> float:
        """The k-th coefficient."""
        return float(self._estimates.fit.estimates[k])

    def covariance(self, row: int, column: int) -> Formula:
        """An element of Sigma, by positions among the effects of all levels."""
        entry = self._entry.get((max(row, column), min(row, column)))
        return symbol("0") if entry is None else self._at(self._p + entry)

    def residual_variance(self) -> Formula:
        return self._at(self._p + self._m)

    def own(self, k: int) -> Formula:
        """The k-th parameter of the family: a cutpoint, or the exponential of a log."""
        place = self._p + self._m + k
        if self._estimates.kind.family != "ordinal" and self.own_is_number(k):
            return number(float(np.exp(self._estimates.fit.estimates[place])))
        return self._at(place)

    def own_is_number(self, k: int) -> bool:
        """Whether the k-th parameter of the family is a number."""
        return self._numbers or self._of[self._p + self._m + k] in self._held

    def _at(self, place: int) -> Formula:
        found = self._of[place]
        if self._numbers or found in self._held:
            return number(0.0 if place in self._zero else float(self._estimates.fit.estimates[place]))
        return self._own[found]

    def _follow(self, estimates: Estimates) -> None:
        """Which parameters constraints make equal, and which they give a value."""
        assert estimates.fit.constraints is not None
        solution = solve(estimates.fit.constraints)
        for place, (row, point) in enumerate(zip(solution.basis, solution.point, strict=True)):
            if not row.any():
                self._held[place] = float(point)
                continue
            for earlier in range(place):
                same = np.array_equal(row, solution.basis[earlier]) and point == solution.point[earlier]
                if same and self._kind(place) == self._kind(earlier):
                    self._of[place] = earlier
                    break

    def _kind(self, place: int) -> str:
        if self._p <= place < self._p + self._m:
            assert self._estimates.problem.structure is not None
            row, column = self._estimates.problem.structure.entries[place - self._p]
            return "variance" if row == column else "covariance"
        return "coefficient" if place < self._p else "own"

    def _own_symbols(self, sets: tuple[EffectSet, ...]) -> list[Formula]:
        columns = [c for c in self._estimates.design.fixed if c.state == "estimated"]
        beta = symbol(r"\beta", "beta")
        found = [
            subscripted(beta, "0" if c.name == "_cons" else str(k + 1), "") for k, c in enumerate(columns)
        ]
        structure = self._estimates.problem.structure
        for row, column in () if structure is None else structure.entries:
            found.append(_component(sets, row, column))
        kind = self._estimates.kind
        if kind.family == "ordinal":
            kappa, n_phi = symbol(r"\kappa", "kappa"), self._estimates.problem.family.n_phi
            return [*found, *(subscripted(kappa, str(k + 1), "") for k in range(n_phi))]
        return [*found, *_OWN[kind.family, kind.dispersion]]


def _component(sets: tuple[EffectSet, ...], row: int, column: int) -> Formula:
    """The symbol of a variance or covariance."""
    owner = next(s for s in sets if row in s.columns)
    if len(owner.columns) == 1 or owner.covariance in ("identity", "exchangeable"):
        mark = "" if row == column else f"{owner.letter}'"
    else:
        digits = sorted({owner.columns.index(row), owner.columns.index(column)})
        mark = ("," if max(digits) > 9 else "").join(map(str, digits))
    if row == column:
        return symbol(rf"\sigma^2_{{{owner.letter}{mark}}}", f"sigma2_{owner.letter}{mark}")
    return symbol(rf"\sigma_{{{owner.letter}{mark}}}", f"sigma_{owner.letter}{mark}")


def _entries(estimates: Estimates) -> dict[tuple[int, int], int]:
    """Which reported element each element of Sigma is, in the lower triangle; zeros are not there."""
    structure = estimates.problem.structure
    if structure is None:
        return {}
    found = {(max(r, c), min(r, c)): k for k, (r, c) in enumerate(structure.entries)}
    first = 0
    for level in estimates.design.levels:
        for equation in level.equations:
            last = first + len(equation.columns)
            if equation.covariance in ("identity", "exchangeable"):
                variance = found[first, first]
                covariance = found.get((first + 1, first))
                for row in range(first, last):
                    found[row, row] = variance
                    for column in range(first, row):
                        if covariance is not None:
                            found[row, column] = covariance
            first = last
    return found
