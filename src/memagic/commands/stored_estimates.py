"""The command `estimates`: results under names, and tables of them.

Source: [R] estimates store, estimates replay, estimates save, estimates stats, estimates table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from memagic.commands.define import Listing
from memagic.display.grid_latex import grid_latex
from memagic.display.grid_table import GridRow, GridTable, grid_html, grid_text
from memagic.display.rich import Rich
from memagic.errors import CommandError, closest
from memagic.postestimation.information import criteria_table, information_criteria
from memagic.results import MEResults
from memagic.results.posted import AnyEstimates, Posted
from memagic.results.saved import file_of
from memagic.results.side_by_side import TableOptions, check_parameters, check_statistics, side_by_side
from memagic.spec.cursor import Cursor
from memagic.spec.stored_estimates import EstimatesCommand, read_estimates_command

if TYPE_CHECKING:
    from memagic.results.replay import Replay
    from memagic.spec.tree import Span

__all__ = ["Shelf", "Tabulation", "estimates_command"]

_ACTIVE = "."


@dataclass(frozen=True, slots=True, repr=False)
class Tabulation(Rich):
    """What `estimates table`, `estimates stats` and `estimates dir` show: text, and a table in a notebook."""

    grid: GridTable

    def to_text(self) -> str:
        """The table in plain characters."""
        return grid_text(self.grid)

    def to_html(self) -> str:
        """One HTML fragment."""
        return grid_html(self.grid)

    def to_latex(self) -> str:
        """A LaTeX table; needs the package booktabs."""
        return grid_latex(self.grid)


@dataclass(slots=True)
class Shelf:
    """Results under names.

    Attributes
    ----------
    active : MEResults or None
        The last estimates, which a point stands for.
    stored : dict of str to MEResults
    titles : dict of str to str
    variables : mapping
        Where results are found that are not stored, as the variables of a notebook.
    posted : Posted or None
        The last estimates where these are margins that were posted.
    stored_posted : dict of str to Posted
        Such ones by their names, which are none of `stored`.
    """

    active: MEResults | None = None
    stored: dict[str, MEResults] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    posted: Posted | None = None
    stored_posted: dict[str, Posted] = field(default_factory=dict)

    def known(self) -> dict[str, MEResults]:
        """Every result that commands may name: stored ones go before variables of the same name."""
        held = {
            name: value
            for name, value in self.variables.items()
            if isinstance(value, MEResults) and not name.startswith("_")
        }
        return {**self.stored, **{name: value for name, value in held.items() if name not in self.stored}}

    def find(self, name: str, span: Span) -> MEResults:
        """A result by its name, or the last estimates for a point.

        Raises
        ------
        CommandError
            ``estimation result r not found``, r(111); no last estimates, r(301).
        """
        if name == _ACTIVE:
            return self.last(span)
        known = self.known()
        if name in self.stored_posted:
            message = f"estimation result {name} is of {self.stored_posted[name].command}, not of a model"
            raise CommandError(301, message, span=span)
        if name not in known:
            hint = closest(name, known) or f"store the last estimates: estimates store {name}"
            raise CommandError(111, f"estimation result {name} not found", span=span, hint=hint)
        return known[name]

    def last(self, span: Span | None = None) -> MEResults:
        """The last estimates.

        Raises
        ------
        CommandError
            There are none, r(301).
        """
        if self.active is None:
            hint = None
            if self.posted is not None:
                hint = f"the last estimates are those of {self.posted.command}; fit or restore a model"
            raise CommandError(301, "last estimates not found", span=span, hint=hint)
        return self.active

    def latest(self) -> AnyEstimates:
        """The last estimates, of a model or posted.

        Raises
        ------
        CommandError
            There are none, r(301).
        """
        return self.posted if self.posted is not None else self.last().estimates

    def numbers(self, name: str, span: Span) -> AnyEstimates:
        """The estimates under a name, of a model or posted; the last ones for a point.

        Raises
        ------
        CommandError
            As of `find`.
        """
        if name == _ACTIVE:
            return self.latest()
        return self.stored_posted.get(name) or self.find(name, span).estimates


Shown: TypeAlias = "Tabulation | Listing | Replay | None"


def estimates_command(text: str, shelf: Shelf) -> Shown:
    """Carry out ``estimates ...`` on the results of a session.

    Parameters
    ----------
    text : str
    shelf : Shelf
        Changed only where the whole command can be carried out.

    Raises
    ------
    CommandError
        What is wrong with the command; ``estimation result r not found``, r(111).
    """
    command = read_estimates_command(Cursor(text))
    match command.action:
        case "store":
            _store(command, shelf)
            return None
        case "restore":
            ((name, span),) = command.names
            shelf.posted = shelf.stored_posted.get(name)
            shelf.active = shelf.find(name, span) if shelf.posted is None else None
            return Listing(f"(results {name} are active now)")
        case "drop" | "clear":
            _drop(command, shelf)
            return None
        case "replay":
            ((name, span),) = command.names or ((_ACTIVE, (0, 0)),)
            held = shelf.posted if name == _ACTIVE else shelf.stored_posted.get(name)
            return shelf.find(name, span).shown_as(_title(name, shelf)) if held is None else held.shown
        case "dir":
            return _dir(shelf)
        case "table":
            return _table(command, shelf)
        case "stats":
            return _stats(command, shelf)
        case "save":
            return _save(command, shelf)
        case "use":
            return _use(command, shelf)


def _store(command: EstimatesCommand, shelf: Shelf) -> None:
    ((name, _),) = command.names
    if shelf.posted is not None:
        shelf.stored.pop(name, None)
        shelf.stored_posted[name] = shelf.posted
        shelf.titles[name] = command.title
        return
    result = _fitted(shelf)
    shelf.stored_posted.pop(name, None)
    shelf.stored[name] = result
    shelf.titles[name] = command.title


def _fitted(shelf: Shelf) -> MEResults:
    """The last estimates, if these are a model's."""
    result = shelf.last()
    if not result.estimates.fitted:
        hint = "option noestimate leaves starting values; fit the model to have estimates"
        raise CommandError(301, "last estimates not found", hint=hint)
    return result


def _save(command: EstimatesCommand, shelf: Shelf) -> Listing:
    result = _fitted(shelf)
    try:
        result.save(command.file, replace=command.replace, remove_data=command.remove_data)
    except CommandError as error:
        error.span = command.file_span
        raise
    return Listing(f"file {file_of(command.file)} saved")


def _use(command: EstimatesCommand, shelf: Shelf) -> Listing:
    try:
        shelf.active, shelf.posted = MEResults.load(command.file), None
    except CommandError as error:
        error.span = command.file_span
        raise
    return Listing(f"(results of file {file_of(command.file)} are active now)")


def _drop(command: EstimatesCommand, shelf: Shelf) -> None:
    for name, span in command.names:
        if name not in shelf.stored and name not in shelf.stored_posted:
            hint = closest(name, [*shelf.stored, *shelf.stored_posted])
            raise CommandError(111, f"estimation result {name} not found", span=span, hint=hint)
    for name in [name for name, _ in command.names] or [*shelf.stored, *shelf.stored_posted]:
        shelf.stored.pop(name, None)
        shelf.stored_posted.pop(name, None)
        shelf.titles.pop(name, None)


def _title(name: str, shelf: Shelf) -> str:
    if name == _ACTIVE:
        return "Active results"
    title = shelf.titles.get(name)
    return f"Model {name} ({title})" if title else f"Model {name}"


def _dir(shelf: Shelf) -> Shown:
    if not shelf.stored and not shelf.stored_posted:
        return Listing("no estimation results stored")
    rows = []
    for name, result in shelf.stored.items():
        estimates = result.estimates
        cells = (estimates.command.name, estimates.command.depvar.variable, str(len(estimates.parameters)))
        rows.append(GridRow(name, (*cells, shelf.titles.get(name, ""))))
    for name, held in shelf.stored_posted.items():
        cells = (held.command, "", str(len(held.names)))
        rows.append(GridRow(name, (*cells, shelf.titles.get(name, ""))))
    heads = ("Command", "Dependent\nvariable", "Number of\nparam.", "Title")
    return Tabulation(GridTable("Stored estimates", heads, tuple(rows)))


def _named(command: EstimatesCommand, shelf: Shelf) -> tuple[tuple[str, Span], ...]:
    """The names that were typed, a point without any; all that are stored for ``_all``."""
    if not command.all_names:
        return command.names or ((_ACTIVE, (0, 0)),)
    names = [*shelf.stored, *shelf.stored_posted]
    if not names:
        raise CommandError(301, "no estimation results stored", hint="type estimates store with a name")
    return tuple((name, (0, 0)) for name in names)


def _table(command: EstimatesCommand, shelf: Shelf) -> Tabulation:
    models = [
        ("Active" if name == _ACTIVE else name, shelf.numbers(name, span))
        for name, span in _named(command, shelf)
    ]
    if command.statistics:
        check_statistics(command.statistics, models)
    return Tabulation(
        side_by_side(
            models,
            TableOptions(
                se=command.se,
                statistics=tuple(word for word, _ in command.statistics),
                exponentiated=command.eform,
                stars=command.stars,
                t=command.t,
                p=command.p,
                formats=command.formats,
                keep=check_parameters(command.keep, models),
                drop=check_parameters(command.drop, models),
            ),
        )
    )


def _stats(command: EstimatesCommand, shelf: Shelf) -> Tabulation:
    rows = []
    for name, span in _named(command, shelf):
        estimates = shelf.find(name, span).estimates
        try:
            rows.append((name, information_criteria(estimates, command.n)))
        except CommandError as error:
            error.span = error.span or (span if span[1] else None)
            raise
    return Tabulation(criteria_table(rows))
