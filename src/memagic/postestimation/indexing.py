"""Index letters for observations and groups, and which of them a variable varies by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.data.design import Design
from memagic.data.levels import Grouping
from memagic.data.sample import ALL
from memagic.data.terms import Column

Array = NDArray[np.float64]

__all__ = ["Indexing", "index_letters"]

_LETTERS = "ijklmnpqrstabcdfgh"


@dataclass(frozen=True, slots=True)
class Indexing:
    """The letters of a model.

    Attributes
    ----------
    full : str
        All letters: of an observation, of the groups from the lowest level up, of crossed factors.
    groups : dict
        The letters of the groups of a level, by its path; none for the level of all observations.
    factors : dict
        The letters of the values of a crossed factor, by path and factor.
    variables : dict
        The letters of what a variable varies by; variables that are not there have all letters.
    words : tuple of (str, str)
        What the letters stand for: ``observation``, i; ``in class``, j; ``in school``, k.
    """

    full: str
    groups: dict[str, str]
    factors: dict[tuple[str, str], str]
    variables: dict[str, str]
    words: tuple[tuple[str, str], ...]


def index_letters(design: Design) -> Indexing:
    """Letters for the observations, groups and crossed factors of a design."""
    nested = [level.grouping for level in design.levels if level.grouping.name != ALL]
    letters = iter(_LETTERS)
    observation = next(letters)
    groups = {ALL: ""}
    above = ""
    own = [next(letters) for _ in nested]
    words = [("observation", observation)]
    words += [(f"in {g.name}", letter) for g, letter in zip(reversed(nested), own, strict=True)]
    for grouping, letter in zip(nested, reversed(own), strict=True):
        above = letter + above
        groups[grouping.path] = above
    factors: dict[tuple[str, str], str] = {}
    crossed = ""
    for level in design.levels:
        path = level.grouping.path
        for equation in level.equations:
            if equation.factor:
                letter = next(letters)
                crossed += letter
                factors[path, equation.factor] = letter + groups[path]
                where = "" if level.grouping.name == ALL else f" within {level.grouping.name}"
                words.append((f"and {equation.factor}{where}", letter))
    full = observation + (groups[nested[-1].path] if nested else "") + crossed
    return Indexing(full, groups, factors, _constant(design, nested, groups), tuple(words))


def _constant(design: Design, nested: list[Grouping], groups: dict[str, str]) -> dict[str, str]:
    """The letters of the highest groups within which a variable is constant."""
    found: dict[str, str] = {}
    columns: dict[str, list[Array]] = {}
    for column, values in _columns(design):
        if len(column.factors) == 1:
            columns.setdefault(column.factors[0][0], []).append(values)
    for variable, parts in columns.items():
        for grouping in nested:
            if all(np.array_equal(part, part[grouping.first][grouping.codes]) for part in parts):
                found[variable] = groups[grouping.path]
                break
    return found


def _columns(design: Design) -> Iterable[tuple[Column, Array]]:
    estimated = [column for column in design.fixed if column.state == "estimated"]
    yield from zip(estimated, design.x.T, strict=True)
    for level in design.levels:
        yield from zip(level.columns, level.z.T, strict=True)
