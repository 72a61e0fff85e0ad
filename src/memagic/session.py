"""What is remembered between commands: data, estimates, constraints and matrices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from memagic.errors import Break, CommandError, closest
from memagic.spec.parser import command_name, is_replay, parse_command, parse_replay

if TYPE_CHECKING:
    import pandas as pd

    from memagic.commands.constrained import Definitions
    from memagic.commands.define import Listing
    from memagic.commands.stored_estimates import Shelf, Tabulation
    from memagic.display.log_lines import Progress
    from memagic.postestimation.quadchk import QuadratureCheck
    from memagic.results import MEResults
    from memagic.results.results import Replay
    from memagic.spec.constraint import Constraint
    from memagic.spec.survey import SurveyDesign

__all__ = ["InUse", "Session", "Shown"]

Shown: TypeAlias = "MEResults | Replay | QuadratureCheck | InUse | Listing | Tabulation | None"
"""What a command has to show."""

# `use name`, `use "a path"`, and the option that the manual asks for where data would be lost.
_USE = re.compile(r'\s*use\b\s*(?P<quote>"?)(?P<source>.*?)(?P=quote)\s*(,\s*clear\s*)?', re.DOTALL)


@dataclass(frozen=True, slots=True)
class InUse:
    """What is known about the data in use.

    Attributes
    ----------
    name : str
        The name they were asked for by, "DataFrame" where a frame came without one.
    title : str
        The data set's own label, or nothing.
    rows, columns : int
    """

    name: str
    title: str
    rows: int
    columns: int

    @property
    def size(self) -> str:
        """``1,934 rows, 8 columns``."""
        return f"{self.rows:,} rows, {self.columns:,} columns"

    def __str__(self) -> str:
        """The data set's label as the manual prints it, and the size."""
        return f"({self.title or self.name})  {self.size}"

    def __repr__(self) -> str:
        return str(self)


class Session:
    """One notebook's memory. A command that fails or is interrupted leaves it as it was.

    Parameters
    ----------
    data : DataFrame or str, optional
        The data in use, as `use` takes them; never changed.
    matrices : mapping, optional
        What commands refer to by name: arrays, DataFrames or lists of rows, nan for missing values;
        for `from()` Series, DataFrames with one row such as e(b), or dicts.
    constraints : mapping of int to str, optional
        ``{1: "[c_use]age = 0"}``.

    Attributes
    ----------
    matrices : mutable mapping of str to matrix
        As they are given: Series, DataFrames and dicts with their names, all else as arrays.
    constraints : dict of int to Constraint
    variables : mapping of str to object
        Where results are found, too, that are not stored: the variables of a notebook.
    """

    def __init__(
        self,
        data: pd.DataFrame | str | None = None,
        *,
        matrices: Mapping[str, Any] | None = None,
        constraints: Mapping[int, str] | None = None,
    ) -> None:
        self.matrices: MutableMapping[str, Any] = {}
        self.constraints: dict[int, Constraint] = {}
        if matrices or constraints:
            from memagic.commands.define import as_constraints, as_matrices

            self.matrices, self.constraints = as_matrices(matrices), as_constraints(constraints)
        self._data: pd.DataFrame | None = None
        self._name = ""
        self._last: MEResults | None = None
        self._survey: SurveyDesign | None = None
        self._stored: dict[str, MEResults] = {}
        self._titles: dict[str, str] = {}
        self.variables: Mapping[str, Any] = {}
        if data is not None:
            self.use(data)

    @property
    def data(self) -> pd.DataFrame | None:
        """The data in use."""
        return self._data

    @property
    def last(self) -> MEResults | None:
        """The last estimates."""
        return self._last

    @property
    def stored(self) -> dict[str, MEResults]:
        """Results by the names that `estimates store` gave them."""
        return self._stored

    @property
    def in_use(self) -> InUse | None:
        """Name, title and size of the data in use, as they are now."""
        if self._data is None:
            return None
        return InUse(self._name, str(self._data.attrs.get("title") or ""), *self._data.shape)

    def use(self, source: pd.DataFrame | str, name: str | None = None) -> pd.DataFrame:
        """Put data in use: a DataFrame, the name of an example data set, or a path to a .dta file.

        Parameters
        ----------
        source : DataFrame or str
        name : str, optional
            What to call a DataFrame.

        Raises
        ------
        CommandError
            ``file x not found``, r(601).
        """
        from memagic.data.sources import find_data

        self._data = find_data(source)
        self._name = name or (source if isinstance(source, str) else "DataFrame")
        return self._data

    def run(
        self,
        text: str,
        *,
        data: pd.DataFrame | str | None = None,
        stream: Callable[[str], None] | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Shown:
        r"""Run one command: an estimation, a replay, ``quadchk``, ``use``, ``constraint`` or ``matrix``.

        Parameters
        ----------
        text : str
            ``melogit c_use i.urban age || district:``, or a command's name alone or with display
            options, ``melogit, or``, which shows the last estimates again without fitting, or
            ``use bangladesh``, or ``use`` alone, which tells what is in use, or ``quadchk``, perhaps
            with numbers of integration points, which repeats the last fit with them, or what defines,
            lists and drops constraints and matrices: ``constraint 1 age = 0``, ``constraint dir``,
            ``matrix A = (1, . \ 0, 1)``, ``matrix list A``. A definition returns nothing. Or
            ``estimates store r_int``, ``restore``, ``dir``, ``drop``, ``replay`` and ``table``.
        data : DataFrame or str, optional
            For this command; else the data in use.
        stream : callable, optional
            Given each line of the iteration log as it comes.
        progress : callable, optional
            Told how far a fit is.

        Raises
        ------
        CommandError
            What is wrong with the command or the data, with its place in `text`.
        Break
            r(1) where the keyboard interrupted it, with the estimates so far if there are any.
        """
        try:
            name = command_name(text)
            if name == "use":
                return self._use(text)
            if name == "quadchk":
                return self._quadchk(text, stream)
            if name in ("constraint", "matrix", "mat"):
                from memagic.commands.define import constraint_command, matrix_command

                if name == "constraint":
                    return constraint_command(text, self.constraints)
                return matrix_command(text, self.matrices)
            if name == "svyset":
                return self._svyset(text)
            if name == "svy":
                return self._svy(text, data, stream, progress)
            if name is not None and name.startswith("est") and "estimates".startswith(name):
                return self._estimates(text)
            if is_replay(text):
                return self._replay(text)
            return self._estimate(text, data, stream, progress)
        except CommandError as error:
            raise error.located(text) from None
        except KeyboardInterrupt:
            raise Break().located(text) from None

    def _use(self, text: str) -> InUse:
        match = _USE.fullmatch(text)
        if match is None:
            raise CommandError(198, "invalid syntax", hint="type use and one name or path")
        if match["source"]:
            try:
                self.use(match["source"])
            except CommandError as error:
                error.span = match.span("source")
                raise
        if self.in_use is None:
            raise _no_data()
        return self.in_use

    def _estimate(
        self,
        text: str,
        data: pd.DataFrame | str | None,
        stream: Callable[[str], None] | None,
        progress: Callable[[Progress], None] | None,
    ) -> MEResults:
        command = parse_command(text)
        widget = command.options.get("widget")
        if widget is not None and "startgrid" in command.options:
            raise CommandError(198, "options startgrid() and widget may not be combined", span=widget.span)
        from memagic.commands.estimate import estimate
        from memagic.commands.estimated import with_estimates

        frame = self._frame(data)
        command = with_estimates(command, self._last, len(frame))
        result = estimate(command, frame, stream, self._definitions, progress)
        self._last = result if widget is None else result.beside(self._shelf().known())
        return self._last

    def _frame(self, data: pd.DataFrame | str | None) -> pd.DataFrame:
        """The data of a command: its own, or those in use."""
        from memagic.data.sources import find_data

        frame = self._data if data is None else find_data(data)
        if frame is None:
            raise _no_data()
        return frame

    @property
    def _definitions(self) -> Definitions:
        from memagic.commands.constrained import Definitions

        return Definitions(self.constraints, self.matrices)

    def _svyset(self, text: str) -> Listing:
        from memagic.commands.define import Listing
        from memagic.commands.survey import describe
        from memagic.spec.survey import parse_survey

        parsed = parse_survey(text)
        if parsed == "clear":
            self._survey = None
        elif parsed != "report":
            if self._data is not None:
                for variable, span in parsed.variables:
                    if variable not in self._data.columns:
                        hint = closest(variable, map(str, self._data.columns))
                        raise CommandError(111, f"variable {variable} not found", span=span, hint=hint)
            self._survey = parsed
        return Listing("(no survey design set)" if self._survey is None else describe(self._survey))

    def _svy(
        self,
        text: str,
        data: pd.DataFrame | str | None,
        stream: Callable[[str], None] | None,
        progress: Callable[[Progress], None] | None,
    ) -> MEResults:
        from memagic.spec.survey import parse_survey_command

        prefix, command = parse_survey_command(text)
        if self._survey is None:
            hint = "type svyset first: svyset psu, weight(w2) || _n, weight(w1)"
            raise CommandError(119, "data not set up for svy, use svyset", hint=hint)
        from memagic.commands.estimate import fit_model
        from memagic.commands.estimated import expression_with_estimates, with_estimates
        from memagic.commands.survey import prepare_survey

        frame = self._frame(data)
        command = with_estimates(command, self._last, len(frame))
        if prefix.subpopulation is not None:
            inside = expression_with_estimates(prefix.subpopulation, self._last, len(frame))
            prefix = replace(prefix, subpopulation=inside)
        model = prepare_survey(prefix, command, self._survey, frame, self._definitions)
        self._last = fit_model(model, stream, progress)
        return self._last

    def _quadchk(self, text: str, stream: Callable[[str], None] | None) -> QuadratureCheck:
        if self._last is None:
            raise CommandError(301, "last estimates not found")
        from memagic.commands.quadchk import check_quadrature

        return check_quadrature(text, self._last.estimates, stream)

    def _replay(self, text: str) -> Replay:
        name, options = parse_replay(text)
        if self._last is None or self._last.estimates.command.name != name:
            last = None if self._last is None else self._last.estimates.command.name
            raise CommandError(
                301,
                "last estimates not found",
                hint=None if last is None else f"the last estimates are those of {last}",
            )
        from memagic.commands.estimate import display_options

        shown = display_options(options)
        if not shown.widget:
            return self._last.shown(shown)
        others = {name: other.estimates for name, other in self._shelf().known().items()}
        return self._last.shown(shown, beside=others)

    def _estimates(self, text: str) -> Shown:
        from memagic.commands.stored_estimates import estimates_command

        shelf = self._shelf()
        shown = estimates_command(text, shelf)
        self._last = shelf.active
        return shown

    def _shelf(self) -> Shelf:
        """The results that commands may name."""
        from memagic.commands.stored_estimates import Shelf

        return Shelf(self._last, self._stored, self._titles, self.variables)


def _no_data() -> CommandError:
    return CommandError(
        3, "no data in memory", hint="pass data=, or put a DataFrame or an example in use first"
    )
