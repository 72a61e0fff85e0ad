"""What is remembered between commands: data, estimates, constraints and matrices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from memagic.errors import Break, CommandError
from memagic.spec.options import COMMANDS
from memagic.spec.parser import command_name, is_replay, parse_command, parse_replay
from memagic.spec.prefixes import read_prefixes

if TYPE_CHECKING:
    import pandas as pd

    from memagic.commands.by_groups import ByGroups
    from memagic.commands.constrained import Definitions
    from memagic.commands.define import Listing
    from memagic.commands.estimate import Model
    from memagic.commands.predict import NewVariables
    from memagic.commands.stored_estimates import Shelf, Tabulation
    from memagic.commands.tsset import TimeReport
    from memagic.data.sources import Data
    from memagic.display.log_lines import Progress
    from memagic.plots.margins import Drawn
    from memagic.postestimation.contrasts import ContrastResult
    from memagic.postestimation.likelihood_ratio import LikelihoodRatio
    from memagic.postestimation.margins_result import Margins
    from memagic.postestimation.quadchk import QuadratureCheck
    from memagic.postestimation.shown import Shown as ShownTable
    from memagic.postestimation.typed import Tested
    from memagic.postestimation.wald import WaldResult
    from memagic.results import MEResults
    from memagic.results.posted import AnyEstimates, Posted
    from memagic.results.replay import Replay
    from memagic.spec.constraint import Constraint
    from memagic.spec.prefixes import ByPrefix
    from memagic.spec.survey import SurveyDesign
    from memagic.spec.tree import Command, TimeSettings
    from memagic.widgets.start_grid import StartGrid

__all__ = ["TESTS", "InUse", "Session", "Shown"]

Shown: TypeAlias = (
    "MEResults | Replay | ShownTable | NewVariables | StartGrid | InUse | Listing | Tabulation | "
    "TimeReport | ByGroups | Tested | LikelihoodRatio | Margins | Drawn | None"
)
"""What a command has to show."""

TESTS = ("test", "testparm", "lincom", "nlcom", "testnl", "contrast", "pwcompare")
"""Commands that test or combine the last estimates."""

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


@dataclass(frozen=True, slots=True)
class _Call:
    """A command with what it was given besides its text."""

    text: str
    data: Data | None = None
    stream: Callable[[str], None] | None = None
    progress: Callable[[Progress], None] | None = None


class Session:
    """One notebook's memory. A command that fails or is interrupted leaves it as it was.

    Parameters
    ----------
    data : DataFrame or str, optional
        The data in use, as `use` takes them; `predict` adds variables, nothing else changes them.
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
    varabbrev : bool
        Whether the first letters of a variable's name are enough; ``set varabbrev off`` says no.
    rc : int
        The return code of the last command under ``capture``; 0 if it went well.
    time : TimeSettings or None
        What `tsset` has set; other data in use, unless by the same name, take it away.
    """

    def __init__(
        self,
        data: Data | None = None,
        *,
        matrices: Mapping[str, Any] | None = None,
        constraints: Mapping[int, str] | None = None,
    ) -> None:
        self.matrices: MutableMapping[str, Any] = {}
        self.constraints: dict[int, Constraint] = {}
        self.varabbrev = True
        self.rc = 0
        self.time: TimeSettings | None = None
        if matrices or constraints:
            from memagic.commands.define import as_constraints, as_matrices

            self.matrices, self.constraints = as_matrices(matrices), as_constraints(constraints)
        self._data: pd.DataFrame | None = None
        self._source: Data | None = None
        self._name = ""
        self._last: MEResults | None = None
        # Margins in the place of the last estimates, which are then none of a model.
        self._posted: Posted | None = None
        self._survey: SurveyDesign | None = None
        # The last test, with what it tested: option accumulate adds to it.
        self._tested: tuple[AnyEstimates, WaldResult] | None = None
        self._margins: Margins | None = None
        self._stored: dict[str, MEResults] = {}
        self._stored_posted: dict[str, Posted] = {}
        self._titles: dict[str, str] = {}
        self.variables: Mapping[str, Any] = {}
        if data is not None:
            self.use(data)

    @property
    def data(self) -> pd.DataFrame | None:
        """The data in use."""
        return self._data

    @property
    def source(self) -> Data | None:
        """The data in use as they were given: the frame of another library, or their name."""
        return self._source

    @property
    def last(self) -> MEResults | None:
        """The last estimates; None where these are margins that were posted."""
        return self._last

    @property
    def stored(self) -> dict[str, MEResults]:
        """Results by the names that `estimates store` gave them."""
        return self._stored

    @property
    def results(self) -> list[str]:
        """The names of the results that commands may name."""
        return list(self._shelf().known())

    @property
    def in_use(self) -> InUse | None:
        """Name, title and size of the data in use, as they are now."""
        if self._data is None:
            return None
        return InUse(self._name, str(self._data.attrs.get("title") or ""), *self._data.shape)

    def use(self, source: Data, name: str | None = None) -> pd.DataFrame:
        """Put data in use: a DataFrame, the name of an example data set, or a path to a .dta file.

        Parameters
        ----------
        source : DataFrame, Arrow table or str
            Of pandas, polars or another library that narwhals knows.
        name : str, optional
            What to call a DataFrame.

        Raises
        ------
        CommandError
            ``file x not found``, r(601).
        """
        from memagic.data.sources import find_data

        self._data = find_data(source)
        self._source = source
        name = name or (source if isinstance(source, str) else "DataFrame")
        if name != self._name:
            self.time = None
        self._name = name
        return self._data

    def run(
        self,
        text: str,
        *,
        data: Data | None = None,
        stream: Callable[[str], None] | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Shown:
        r"""Run one command: an estimation, a replay, or one of those below.

        Parameters
        ----------
        text : str
            ``melogit c_use i.urban age || district:``, perhaps with the prefix ``svy:``. A command's
            name alone or with display options, ``melogit, or``, shows the last estimates again without
            fitting. ``use bangladesh`` puts data in use, ``use`` tells what is. ``quadchk`` repeats the
            last fit with other numbers of integration points. ``predict p`` adds predictions to the data,
            ``estat icc`` and its kin tell more of the last estimates. ``constraint 1 age = 0``, ``constraint
            dir``, ``matrix A = (1, . \ 0, 1)`` and ``matrix list A`` define, list and drop constraints
            and matrices. ``svyset psu, weight(w)`` describes a survey. ``estimates store name`` and its
            kin keep results and show them again. ``tsset panel time`` tells what time-series operators
            refer to, ``set varabbrev off`` that names of variables have to be in full. Prefixes are
            ``quietly``, ``noisily``, ``capture``, which keeps the return code in `rc`, ``by varlist:`` and
            ``bysort``.
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
        prefixed = read_prefixes(text)
        if prefixed.quiet:
            stream = progress = None
        call = _Call(prefixed.text, data, stream, progress)
        try:
            shown = self._handler(call.text)(call) if prefixed.by is None else self._by(prefixed.by, call)
        except CommandError as error:
            # Places in the command are those in the text, with the prefixes.
            error.text = text if error.text in (None, call.text) else error.text
            if not prefixed.capture or isinstance(error, Break):
                raise
            from memagic.commands.define import Listing

            self.rc = error.rc
            return None if prefixed.quiet else Listing("\n".join(error.lines()))
        except KeyboardInterrupt:
            raise Break().located(text) from None
        if prefixed.capture:
            self.rc = 0
        return shown

    def prepared(self, text: str, data: Data | None = None) -> Model:
        """An estimation command on its data, ready to be fitted.

        Raises
        ------
        CommandError
            What is wrong with the command or the data.
        """
        from memagic.commands.estimate import prepare
        from memagic.commands.estimated import with_estimates

        try:
            command, frame = parse_command(text), self._frame(data)
            command = self._resolved(command, frame)
            return prepare(with_estimates(command, self._last, len(frame)), frame, self._definitions)
        except CommandError as error:
            raise error.located(text) from None

    def explore_start(self, text: str, data: Data | None = None) -> StartGrid:
        """Explore the starting values of an estimation command, as a widget.

        Its fits become the last estimates by its button or its method ``keep``, and not before.

        Parameters
        ----------
        text : str
            The command; what it says in ``startgrid()`` is the grid to begin with.
        data : DataFrame or str, optional
            For this command; else the data in use.

        Raises
        ------
        CommandError
            What is wrong with the command or the data; no variances to explore, r(198).
        """
        from memagic.commands.exploration import explore
        from memagic.widgets.start_grid import StartGrid

        try:
            return StartGrid(explore(self.prepared(text, data), self._keep))
        except CommandError as error:
            raise error.located(text) from None

    # --- commands -----------------------------------------------------------------------------

    def _handler(self, text: str) -> Callable[[_Call], Shown]:
        """What runs a command, by its name."""
        name = command_name(text) or ""
        if name.startswith("est") and "estimates".startswith(name):
            return self._estimates
        handlers: dict[str, Callable[[_Call], Shown]] = {
            "use": self._use,
            "quadchk": self._quadchk,
            "predict": self._predict,
            "estat": self._estat,
            "constraint": self._define_constraint,
            "matrix": self._define_matrix,
            "mat": self._define_matrix,
            "set": self._set,
            "tsset": self._set_time,
            "xtset": self._set_time,
            "svyset": self._svyset,
            "svy": self._svy,
            "lrtest": self._lrtest,
            "margins": self._run_margins,
            "marginsplot": self._marginsplot,
            **dict.fromkeys(TESTS, self._test),
        }
        return handlers.get(name, self._replay if is_replay(text) else self._estimate)

    def _by(self, by: ByPrefix, call: _Call) -> ByGroups:
        """One command on every group of the data; the last estimates are those of the last group."""
        from memagic.commands.by_groups import ByGroups, groups_of

        name = command_name(call.text) or ""
        if name not in COMMANDS or is_replay(call.text):
            raise CommandError(190, f"{name} may not be combined with by", hint=_BY_HINT)
        found = ByGroups()
        for group in groups_of(self._frame(call.data), by, abbreviations=self.varabbrev):
            if call.stream is not None:
                call.stream(f"-> {group.name}")
            try:
                found.add(group, self._estimate(replace(call, data=group.frame)))
            except Break:
                raise
            except CommandError as error:
                if not by.go_on:
                    error.hint = f"it happened where {group.name}; with by varlist, rc0: others go on"
                    raise
                found.add(group, error)
        return found

    def _use(self, call: _Call) -> InUse:
        match = _USE.fullmatch(call.text)
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

    def _set(self, call: _Call) -> None:
        from memagic.spec.tsset import parse_set

        self.varabbrev = parse_set(call.text)

    def _set_time(self, call: _Call) -> TimeReport | None:
        from memagic.commands.tsset import set_time

        self.time, report = set_time(call.text, lambda: self._frame(call.data), self.time, self.varabbrev)
        return report

    def _estimate(self, call: _Call) -> Shown:
        options = parse_command(call.text).options
        if "widget" in options and "startgrid" in options:
            return self.explore_start(call.text, call.data)
        return self._fit(self.prepared(call.text, call.data), call)

    def _svy(self, call: _Call) -> MEResults:
        from memagic.spec.survey import parse_survey_command

        prefix, command = parse_survey_command(call.text)
        if self._survey is None:
            hint = "type svyset first: svyset psu, weight(w2) || _n, weight(w1)"
            raise CommandError(119, "data not set up for svy, use svyset", hint=hint)
        from memagic.commands.estimated import expression_with_estimates, with_estimates
        from memagic.commands.survey import prepare_survey

        frame = self._frame(call.data)
        command = with_estimates(self._resolved(command, frame), self._last, len(frame))
        if prefix.subpopulation is not None:
            inside = expression_with_estimates(prefix.subpopulation, self._last, len(frame))
            prefix = replace(prefix, subpopulation=inside)
        return self._fit(prepare_survey(prefix, command, self._survey, frame, self._definitions), call)

    def _fit(self, model: Model, call: _Call) -> MEResults:
        """Fit a model, which becomes the last estimates."""
        from memagic.commands.estimate import fit_model

        result = fit_model(model, call.stream, call.progress)
        result = result.beside(self._shelf().known()) if model.options.widget else result
        self._keep(result)
        return result

    def _keep(self, result: MEResults) -> None:
        self._last, self._posted = result, None

    def _quadchk(self, call: _Call) -> QuadratureCheck:
        from memagic.commands.quadchk import check_quadrature

        return check_quadrature(call.text, self._estimated().estimates, call.stream)

    def _predict(self, call: _Call) -> NewVariables:
        from memagic.commands.predict import add_predictions

        return add_predictions(call.text, self._estimated(), self._frame(call.data))

    def _estat(self, call: _Call) -> ShownTable:
        from memagic.commands.estat import estat_command

        return estat_command(call.text, self._estimated().estimates)

    def _estimated(self) -> MEResults:
        """The last estimates, where a command needs some."""
        return self._shelf().last()

    def _test(self, call: _Call) -> Tested:
        from memagic.postestimation.typed import COMMANDS, run_test

        last = self._shelf().latest()
        name = command_name(call.text) or ""
        if name not in ("test", "testparm"):
            return COMMANDS[name](call.text, last)
        before = self._tested[1] if self._tested is not None and self._tested[0] is last else None
        found = run_test(call.text, last, before)
        self._tested = (last, found)
        return found

    def _run_margins(self, call: _Call) -> Margins | ContrastResult:
        from memagic.postestimation.margins_result import Margins
        from memagic.postestimation.typed import posted, read_margins_command, run_margins_command

        command = read_margins_command(call.text)
        found = run_margins_command(command, self._shelf().last().estimates, self._data)
        self._margins = found if isinstance(found, Margins) else None
        if command.post and isinstance(found, Margins):
            self._last, self._posted = None, posted(found)
        return found

    def _marginsplot(self, call: _Call) -> Drawn:
        from memagic.commands.marginsplot import marginsplot

        return marginsplot(call.text, self._margins, call.stream)

    def _lrtest(self, call: _Call) -> LikelihoodRatio:
        from memagic.commands.lrtest import lrtest_command

        return lrtest_command(call.text, self._shelf(), _counted(call.stream))

    def _replay(self, call: _Call) -> Replay:
        name, options = parse_replay(call.text)
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

    def _estimates(self, call: _Call) -> Shown:
        from memagic.commands.stored_estimates import estimates_command

        shelf = self._shelf()
        shown = estimates_command(call.text, shelf)
        self._last, self._posted = shelf.active, shelf.posted
        return shown

    def _define_constraint(self, call: _Call) -> Listing | None:
        from memagic.commands.define import constraint_command

        return constraint_command(call.text, self.constraints)

    def _define_matrix(self, call: _Call) -> Listing | None:
        from memagic.commands.define import matrix_command

        return matrix_command(call.text, self.matrices)

    def _svyset(self, call: _Call) -> Listing:
        from memagic.commands.survey import survey_command

        self._survey, listing = survey_command(call.text, self._survey, self._data)
        return listing

    # --- what commands work with --------------------------------------------------------------

    def _resolved(self, command: Command, frame: pd.DataFrame) -> Command:
        """The command with the variables of the data in full, and what time is."""
        from memagic.data.resolve import resolve

        return resolve(command, frame, abbreviations=self.varabbrev, time=self.time)

    def _frame(self, data: Data | None) -> pd.DataFrame:
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

    def _shelf(self) -> Shelf:
        """The results that commands may name."""
        from memagic.commands.stored_estimates import Shelf

        return Shelf(
            self._last, self._stored, self._titles, self.variables, self._posted, self._stored_posted
        )


def _counted(stream: Callable[[str], None] | None) -> Callable[[int, int], None] | None:
    """Lines that tell how many replications are done, ten of them in all."""
    if stream is None:
        return None

    def tell(done: int, total: int) -> None:
        if done == total or done % max(1, total // 10) == 0:
            stream(f"Bootstrap replications: {done:,} of {total:,}")

    return tell


_BY_HINT = "by is for estimation commands: by region: melogit y x || school:"


def _no_data() -> CommandError:
    return CommandError(
        3, "no data in memory", hint="pass data=, or put a DataFrame or an example in use first"
    )
