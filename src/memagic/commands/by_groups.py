"""The prefix `by`: one command on each group of the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from memagic.data.names import match_name
from memagic.data.variables import Variables
from memagic.display.rich import Rich
from memagic.errors import CommandError
from memagic.spec.prefixes import ByPrefix

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ByGroups", "Group", "groups_of"]

_RULE = "-" * 78


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one combination of values, and what it is called: ``district = 1, urban = 0``."""

    key: tuple[Any, ...]
    name: str
    frame: pd.DataFrame


class ByGroups(Rich, Mapping[Any, Any]):
    """What a command gave for each group, by the group's value; a tuple of them for several variables.

    A group that failed has its error.
    """

    def __init__(self) -> None:
        self._names: dict[Any, str] = {}
        self._results: dict[Any, Any] = {}

    def add(self, group: Group, result: object) -> None:
        """Keep what the command gave for a group."""
        key = group.key[0] if len(group.key) == 1 else group.key
        self._names[key] = group.name
        self._results[key] = result

    def __getitem__(self, key: Any) -> Any:
        return self._results[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def to_text(self) -> str:
        """The groups one after the other, as the manual separates them."""
        parts = [f"{_RULE}\n-> {self._names[key]}\n\n{result}" for key, result in self._results.items()]
        return "\n\n".join(parts)

    def to_html(self) -> str:
        """One HTML fragment."""
        parts = []
        for key, result in self._results.items():
            html = result.to_html() if hasattr(result, "to_html") else f"<pre>{escape(str(result))}</pre>"
            parts.append(f"<h4>{escape(self._names[key])}</h4>\n{html}")
        return "\n".join(parts)


def groups_of(frame: pd.DataFrame, by: ByPrefix, *, abbreviations: bool = True) -> list[Group]:
    """The data of every group, in the order of its values; missing values are a group of their own.

    Parameters
    ----------
    frame : DataFrame
    by : ByPrefix
    abbreviations : bool
        Whether the first letters of a variable's name are enough.

    Raises
    ------
    CommandError
        A variable that is not there, r(111); data that are not sorted, r(5); no rows, r(2000).
    """
    variables, known = Variables(frame), [str(column) for column in frame.columns]
    names = [match_name(name, known, span, abbreviations=abbreviations) for name, span in by.variables]
    inner = [match_name(name, known, span, abbreviations=abbreviations) for name, span in by.within]
    codes = [_codes(variables, name, span) for name, (_, span) in zip(names, by.variables, strict=True)]
    within = [_codes(variables, name, span) for name, (_, span) in zip(inner, by.within, strict=True)]
    order = np.lexsort([*within[::-1], *codes[::-1]])
    if not by.sort and (np.diff(order) < 0).any():
        typed = " ".join(name for name, _ in by.variables)
        hint = f"type bysort {typed}: in place of by {typed}:"
        raise CommandError(5, "not sorted", span=by.variables[0][1], hint=hint)
    table = np.column_stack(codes)[order]
    if not len(table):
        raise CommandError(2000, "no observations", span=by.variables[0][1])
    starts: Any = np.flatnonzero(np.r_[True, (np.diff(table, axis=0) != 0).any(axis=1)])
    groups = []
    for start, stop in zip(starts, [*starts[1:], len(order)], strict=True):
        rows = order[start:stop]
        key = tuple(frame[name].iloc[rows[0]] for name in names)
        words = ", ".join(f"{name} = {_shown(value)}" for name, value in zip(names, key, strict=True))
        groups.append(Group(key, words, frame.iloc[rows]))
    return groups


def _codes(variables: Variables, name: str, span: tuple[int, int]) -> Any:
    codes = variables.groups(name, span)
    # Missing values come last.
    return np.where(codes < 0, np.iinfo(np.intp).max, codes)


def _shown(value: object) -> str:
    if value is None or value != value:
        return "."
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)
