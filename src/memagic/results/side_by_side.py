"""Several fits in the columns of one table, fixed and random parts apart.

Source: [R] estimates table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from memagic.display.formats import g
from memagic.display.grid_table import GridRow, GridTable
from memagic.errors import CommandError, closest
from memagic.results.estimates import Role
from memagic.results.inference import table_numbers
from memagic.results.posted import AnyEstimates, Posted
from memagic.results.stored import scalars_of

__all__ = ["TableOptions", "check_statistics", "side_by_side", "statistic_names"]

_WIDTH = 10  # the numbers are in the format %10.0g

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
    """

    se: bool = False
    statistics: tuple[str, ...] = ()
    exponentiated: bool = False
    stars: tuple[float, ...] = ()


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
    if options.se:
        notes.append("Legend: b/se")
    if options.stars:
        words = "; ".join(
            f"{'*' * k} p<{level:g}".replace("0.", ".") for k, level in enumerate(options.stars, 1)
        )
        notes.append(f"Legend: {words}")
    if options.exponentiated:
        notes.append("Note: Coefficients of the fixed part are exponentiated.")
    return GridTable("Estimates", tuple(name for name, _ in models), tuple(rows), tuple(notes))


def statistic_names(estimates: AnyEstimates) -> list[str]:
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
    known = {name for _, estimates in models for name in statistic_names(estimates)}
    for name, span in asked:
        if name not in known:
            hint = closest(name, known) or f"statistics are {', '.join(sorted(known))}"
            raise CommandError(198, f"stats(): {name} not found", span=span, hint=hint)


def _column(estimates: AnyEstimates, options: TableOptions) -> dict[Part, dict[str, str]]:
    """The cells of one model by part and name."""
    numbers = table_numbers(estimates, exponentiated=options.exponentiated)
    cells: dict[Part, dict[str, str]] = {}
    for column in () if isinstance(estimates, Posted) else estimates.design.fixed:
        # In the order of the equation, so that what is omitted keeps its place.
        cells.setdefault("Fixed part", {})[column.name] = f"({column.state})"
    for k, parameter in enumerate(estimates.parameters):
        shown = g(float(numbers.b[k]), _WIDTH)
        if options.stars:
            shown += f"{_stars(float(numbers.p[k]), options.stars):<{len(options.stars)}}"
        if options.se:
            shown += "\n" + ("(constrained)" if parameter.held else g(float(numbers.se[k]), _WIDTH))
        cells.setdefault(_PARTS[parameter.role], {})[parameter.name.removeprefix("/")] = shown
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
