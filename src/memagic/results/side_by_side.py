"""Several fits in the columns of one table, fixed and random parts apart.

Source: [R] estimates table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from memagic.display.formats import f, g
from memagic.display.grid_table import GridRow, GridTable
from memagic.errors import CommandError, closest
from memagic.results.estimates import Role
from memagic.results.inference import table_numbers
from memagic.results.posted import AnyEstimates, Posted
from memagic.results.stored import scalars_of

__all__ = ["TableOptions", "check_parameters", "check_statistics", "side_by_side"]

_WIDTH = 10  # the numbers are in the format %10.0g
_USUAL = {"b": f"%{_WIDTH}.0g", "se": f"%{_WIDTH}.0g", "t": "%7.2f", "p": "%7.4f"}
_FIXED = re.compile(r"%([0-9]+)\.([0-9])f(c?)")

Part = Literal["Fixed part", "Ancillary parameters", "Random part"]
_PARTS: dict[Role, Part] = {
    "coefficient": "Fixed part",
    "ancillary": "Ancillary parameters",
    "variance": "Random part",
    "covariance": "Random part",
    "residual": "Random part",
}


@dataclass(frozen=True, slots=True)
class TableOptions:
    """The options of `estimates table`.

    Attributes
    ----------
    se : bool
        Whether standard errors stand under the estimates.
    statistics : tuple of str
        Scalars of `e()`, ``aic`` and ``bic``, for the rows below.
    exponentiated : bool
        Whether coefficients are exponentiated; parameters of the random part never are.
    stars : tuple of float
        Levels of significance, the largest first; empty for no stars.
    t, p : bool
        Whether test statistics and p-values stand below.
    formats : mapping of str to str
        By ``b``, ``se``, ``t`` and ``p``, ``%9.4f`` or ``%9.0g``. Estimates are ``%10.0g`` without one,
        standard errors as estimates, test statistics ``%7.2f`` and p-values ``%7.4f``.
    keep, drop : tuple of str
        The parameters that are shown, or not; empty for all, or none.
    """

    se: bool = False
    statistics: tuple[str, ...] = ()
    exponentiated: bool = False
    stars: tuple[float, ...] = ()
    t: bool = False
    p: bool = False
    formats: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    @property
    def legend(self) -> str:
        """What stands below each other in a cell: ``b/se``."""
        return "/".join(["b", *(name for name in ("se", "t", "p") if getattr(self, name))])

    def shows(self, name: str) -> bool:
        """Whether a parameter is among those to show."""
        return name not in self.drop and (not self.keep or name in self.keep)

    def number(self, what: str, value: float) -> str:
        """A number of the table in the format of what it is: ``b``, ``se``, ``t`` or ``p``."""
        format_ = self.formats.get(what) or (self.formats.get("b") if what == "se" else "") or _USUAL[what]
        match = _FIXED.fullmatch(format_)
        if match is not None:
            return f(value, int(match[1]), int(match[2]), commas=bool(match[3]))
        return g(value, int(format_[1:].split(".")[0]))


def side_by_side(models: Sequence[tuple[str, AnyEstimates]], options: TableOptions) -> GridTable:
    """Fits in columns and parameters in rows.

    Parameters
    ----------
    models : sequence of (str, Estimates)
        What stands above each column, and the column.
    options : TableOptions

    Returns
    -------
    GridTable
        A cell is blank where a model does not have the parameter.
    """
    columns = [_column(estimates, options) for _, estimates in models]
    rows: list[GridRow] = []
    for part in dict.fromkeys(_PARTS.values()):
        names = _merged([list(column.get(part, {})) for column in columns])
        if names:
            rows.append(GridRow(part, heading=True, ruled=True))
        for name in names:
            cells = tuple(column.get(part, {}).get(name, "") for column in columns)
            rows.append(GridRow(name, cells, indented=True))
    if options.statistics:
        rows.append(GridRow("Statistics", heading=True, ruled=True))
        found = [_statistics(estimates, options.statistics) for _, estimates in models]
        rows += (
            GridRow(name, tuple(values[name] for values in found), indented=True)
            for name in options.statistics
        )
    notes = []
    if "/" in options.legend:
        notes.append(f"Legend: {options.legend}")
    if options.stars:
        words = "; ".join(
            f"{'*' * k} p<{level:g}".replace("0.", ".") for k, level in enumerate(options.stars, 1)
        )
        notes.append(f"Legend: {words}")
    if options.exponentiated:
        notes.append("Note: Coefficients of the fixed part are exponentiated.")
    return GridTable("Estimates", tuple(name for name, _ in models), tuple(rows), tuple(notes))


def _statistic_names(estimates: AnyEstimates) -> list[str]:
    """What `stats()` may name: the scalars of `e()`, and the information criteria."""
    return [*_known_statistics(estimates)]


def check_statistics(
    asked: Sequence[tuple[str, tuple[int, int]]], models: Sequence[tuple[str, AnyEstimates]]
) -> None:
    """Refuse statistics that none of the models has.

    Parameters
    ----------
    asked : sequence of (str, span)
        Names and their places in the command.
    models : sequence of (str, Estimates)

    Raises
    ------
    CommandError
        r(198).
    """
    known = {name for _, estimates in models for name in _statistic_names(estimates)}
    for name, span in asked:
        if name not in known:
            hint = closest(name, known) or f"statistics are {', '.join(sorted(known))}"
            raise CommandError(198, f"stats(): {name} not found", span=span, hint=hint)


def check_parameters(
    asked: Sequence[tuple[str, tuple[int, int]]], models: Sequence[tuple[str, AnyEstimates]]
) -> tuple[str, ...]:
    """The names of rows that `keep()` or `drop()` names.

    Raises
    ------
    CommandError
        A name that none of the models has, r(111).
    """
    known = {
        column.name
        for _, estimates in models
        if not isinstance(estimates, Posted)
        for column in estimates.design.fixed
    }
    known |= {p.name.removeprefix("/") for _, estimates in models for p in estimates.parameters}
    for name, span in asked:
        if name.removeprefix("/") not in known:
            hint = closest(name.removeprefix("/"), known) or f"parameters are {', '.join(sorted(known))}"
            raise CommandError(111, f"parameter {name} not found", span=span, hint=hint)
    return tuple(name.removeprefix("/") for name, _ in asked)


def _column(estimates: AnyEstimates, options: TableOptions) -> dict[Part, dict[str, str]]:
    """The cells of one model by part and name."""
    numbers = table_numbers(estimates, exponentiated=options.exponentiated)
    cells: dict[Part, dict[str, str]] = {}
    for column in () if isinstance(estimates, Posted) else estimates.design.fixed:
        # In the order of the equation, so that what is omitted keeps its place.
        if options.shows(column.name):
            cells.setdefault("Fixed part", {})[column.name] = f"({column.state})"
    for k, parameter in enumerate(estimates.parameters):
        name = parameter.name.removeprefix("/")
        if not options.shows(name):
            continue
        shown = [options.number("b", float(numbers.b[k]))]
        if options.stars:
            shown[0] += f"{_stars(float(numbers.p[k]), options.stars):<{len(options.stars)}}"
        if options.se:
            shown.append("(constrained)" if parameter.held else options.number("se", float(numbers.se[k])))
        if not np.isnan(numbers.z[k]):
            shown += [options.number("t", float(numbers.z[k]))] * options.t
            shown += [options.number("p", float(numbers.p[k]))] * options.p
        cells.setdefault(_PARTS[parameter.role], {})[name] = "\n".join(shown)
    return cells


def _stars(p: float, levels: Sequence[float]) -> str:
    return "*" * sum(p < level for level in levels)


def _statistics(estimates: AnyEstimates, names: Sequence[str]) -> dict[str, str]:
    known = _known_statistics(estimates)
    return {name: g(float(known[name]), _WIDTH) if name in known else "" for name in names}


def _known_statistics(estimates: AnyEstimates) -> dict[str, float]:
    scalars = scalars_of(estimates)
    if "ll" not in scalars:
        return scalars
    ll, rank, n = scalars["ll"], scalars["rank"], estimates.n_obs
    return scalars | {"aic": -2.0 * ll + 2.0 * rank, "bic": -2.0 * ll + rank * float(np.log(n))}


def _merged(lists: Sequence[Sequence[str]]) -> list[str]:
    """Every name once: new ones come after the name that they follow in their own list."""
    merged: list[str] = []
    for names in lists:
        place = 0
        for name in names:
            if name in merged:
                place = merged.index(name) + 1
            else:
                merged.insert(place, name)
                place += 1
    return merged
