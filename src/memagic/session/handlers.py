"""What each command does with a session: one short method a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from memagic.data.partitions import is_partitioned
from memagic.errors import CommandError
from memagic.session.memory import Call, InUse, Memory, no_data
from memagic.spec.parser import command_name, is_replay, parse_command, parse_replay

if TYPE_CHECKING:
    from memagic.commands.by_groups import ByGroups
    from memagic.commands.define import Listing
    from memagic.commands.model import Model
    from memagic.commands.predict import NewVariables
    from memagic.commands.stored_estimates import Tabulation
    from memagic.commands.tsset import TimeReport
    from memagic.data.sources import Data
    from memagic.plots.margins import Drawn
    from memagic.postestimation.contrasts import ContrastResult
    from memagic.postestimation.likelihood_ratio_result import LikelihoodRatio
    from memagic.postestimation.margins_result import Margins
    from memagic.postestimation.quadchk import QuadratureCheck
    from memagic.postestimation.shown import Shown as ShownTable
    from memagic.postestimation.typed import Tested
    from memagic.results import MEResults
    from memagic.results.replay import Replay
    from memagic.spec.tree import Command
    from memagic.widgets.start_grid import StartGrid

__all__ = ["TESTS", "Handlers", "Shown"]

Shown: TypeAlias = (
    "MEResults | Replay | ShownTable | NewVariables | StartGrid | InUse | Listing | Tabulation | "
    "TimeReport | ByGroups | Tested | LikelihoodRatio | Margins | Drawn | None"
)
"""What a command has to show."""

TESTS = ("test", "testparm", "lincom", "nlcom", "testnl", "contrast", "pwcompare")
"""Commands that test or combine the last estimates."""


class Handlers(Memory):
    """The commands of a session."""

    def prepared(self, text: str, data: Data | None = None) -> Model:
        """An estimation command on its data, ready to be fitted.

        Raises
        ------
        CommandError
            What is wrong with the command or the data.
        """
        try:
            return self._prepared(parse_command(text), text, data)
        except CommandError as error:
            raise error.located(text) from None

    def _prepared(self, command: Command, text: str, data: Data | None) -> Model:
        """The command that a text was read as, on its data."""
        from memagic.commands.estimated import with_estimates
        from memagic.commands.model import prepare

        try:
            source = self._source if data is None else data
            if is_partitioned(source):
                return self._prepared_in_parts(command, source)
            frame = self._frame(data)
            command, notes = with_estimates(self._resolved(command, frame), self._last, frame)
            model = prepare(command, frame, self._definitions)
            return replace(model, notes=(*notes, *model.notes))
        except CommandError as error:
            raise error.located(text) from None

    def _prepared_in_parts(self, command: Command, source: Any) -> Model:
        """The same where the data are in partitions on the workers of a cluster."""
        from memagic.commands.estimated import with_estimates
        from memagic.commands.parted import prepare_in_parts
        from memagic.data.partitions import partitions_of

        data = partitions_of(source)
        command, _ = with_estimates(self._resolved(command, data.empty()), self._last, None)
        return prepare_in_parts(command, data, self._definitions)

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
            if is_partitioned(self._source if data is None else data):
                self._frame(data)  # says that these need their rows here
            return StartGrid(explore(self.prepared(text, data), self._keep))
        except CommandError as error:
            raise error.located(text) from None

    # --- commands -----------------------------------------------------------------------------

    def _handler(self, text: str) -> Callable[[Call], Shown]:
        """What runs a command, by its name."""
        name = command_name(text) or ""
        if name.startswith("est") and "estimates".startswith(name):
            return self._estimates
        handlers: dict[str, Callable[[Call], Shown]] = {
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

    def _use(self, call: Call) -> InUse:
        from memagic.spec.use import parse_use

        command = parse_use(call.text)
        if command.source:
            try:
                self.use(command.source)
            except CommandError as error:
                error.span = command.span
                raise
        if self.in_use is None:
            raise no_data()
        return self.in_use

    def _set(self, call: Call) -> None:
        from memagic.spec.tsset import parse_set

        self.varabbrev = parse_set(call.text)

    def _set_time(self, call: Call) -> TimeReport | None:
        from memagic.commands.tsset import set_time

        self.time, report = set_time(call.text, lambda: self._frame(call.data), self.time, self.varabbrev)
        return report

    def _estimate(self, call: Call) -> Shown:
        command = parse_command(call.text)
        if "widget" in command.options and "startgrid" in command.options:
            return self.explore_start(call.text, call.data)
        return self._fit(self._prepared(command, call.text, call.data), call)

    def _svy(self, call: Call) -> MEResults:
        from memagic.spec.survey import parse_survey_command

        prefix, command = parse_survey_command(call.text)
        if self._survey is None:
            hint = "type svyset first: svyset psu, weight(w2) || _n, weight(w1)"
            raise CommandError(119, "data not set up for svy, use svyset", hint=hint)
        from memagic.commands.estimated import expression_with_estimates, with_estimates
        from memagic.commands.survey import prepare_survey

        frame = self._frame(call.data)
        command, notes = with_estimates(self._resolved(command, frame), self._last, frame)
        if prefix.subpopulation is not None:
            inside, more = expression_with_estimates(prefix.subpopulation, self._last, frame)
            prefix, notes = replace(prefix, subpopulation=inside), tuple(dict.fromkeys((*notes, *more)))
        model = prepare_survey(prefix, command, self._survey, frame, self._definitions)
        return self._fit(replace(model, notes=(*notes, *model.notes)), call)

    def _fit(self, model: Model, call: Call) -> MEResults:
        """Fit a model, which becomes the last estimates."""
        from memagic.commands.estimate import fit_model

        model = self._threaded(model)
        result = fit_model(model, call.stream, call.progress, executor=self.executor)
        result = result.beside(self._shelf().known()) if model.options.widget else result
        self._keep(result)
        if call.own is not None:
            self._remember(result, call.own, call.data)
        return result

    def _threaded(self, model: Model) -> Model:
        """The model, to be fitted by the session's number of threads."""
        return replace(model, settings=replace(model.settings, threads=self.threads))

    def _quadchk(self, call: Call) -> QuadratureCheck:
        from memagic.commands.quadchk import check_quadrature

        return check_quadrature(call.text, self._estimated().estimates, call.stream)

    def _predict(self, call: Call) -> NewVariables:
        from memagic.commands.predict import add_predictions, added_elsewhere

        result, frame = self._estimated(), self._frame(call.data)
        fitted = None if call.data is not None else self._other_data(result)
        if fitted is not None:
            return added_elsewhere(call.text, result, frame, self._name, fitted)
        return add_predictions(call.text, result, frame)

    def _estat(self, call: Call) -> ShownTable:
        from memagic.commands.estat import estat_command

        return estat_command(call.text, self._estimated().estimates)

    def _test(self, call: Call) -> Tested:
        from memagic.postestimation.typed import COMMANDS, run_test

        last = self._shelf().latest()
        name = command_name(call.text) or ""
        if name not in ("test", "testparm"):
            return COMMANDS[name](call.text, last)
        before = self._tested[1] if self._tested is not None and self._tested[0] is last else None
        found = run_test(call.text, last, before)
        self._tested = (last, found)
        return found

    def _run_margins(self, call: Call) -> Margins | ContrastResult:
        from memagic.postestimation.margins_result import Margins
        from memagic.postestimation.typed import read_margins_command, run_margins_command

        command = replace(read_margins_command(call.text), abbreviations=self.varabbrev)
        frame = self._data if call.data is None else self._frame(call.data)
        found, posted = run_margins_command(command, self._shelf().last().estimates, frame)
        self._margins = found if isinstance(found, Margins) else None
        if posted is not None:
            self._last, self._posted = None, posted
        return found

    def _marginsplot(self, call: Call) -> Drawn:
        from memagic.commands.marginsplot import marginsplot

        return marginsplot(call.text, self._margins, call.stream)

    def _lrtest(self, call: Call) -> LikelihoodRatio:
        from memagic.commands.lrtest import lrtest_command

        return lrtest_command(call.text, self._shelf(), _counted(call.stream))

    def _replay(self, call: Call) -> Replay:
        name, options = parse_replay(call.text)
        if self._last is None or self._last.estimates.command.name != name:
            last = None if self._last is None else self._last.estimates.command.name
            raise CommandError(
                301,
                "last estimates not found",
                hint=None if last is None else f"the last estimates are those of {last}",
            )
        from memagic.commands.shown import display_options

        shown = display_options(options)
        if not shown.widget:
            return self._last.shown(shown)
        others = {name: other.estimates for name, other in self._shelf().known().items()}
        return self._last.shown(shown, beside=others)

    def _estimates(self, call: Call) -> Shown:
        from memagic.commands.stored_estimates import estimates_command

        shelf = self._shelf()
        shown = estimates_command(call.text, shelf)
        self._last, self._posted = shelf.active, shelf.posted
        return shown

    def _define_constraint(self, call: Call) -> Listing | None:
        from memagic.commands.define import constraint_command

        return constraint_command(call.text, self.constraints)

    def _define_matrix(self, call: Call) -> Listing | None:
        from memagic.commands.define import matrix_command

        return matrix_command(call.text, self.matrices)

    def _svyset(self, call: Call) -> Listing:
        from memagic.commands.survey import survey_command

        self._survey, listing = survey_command(call.text, self._survey, self._data)
        return listing


def _counted(stream: Callable[[str], None] | None) -> Callable[[int, int], None] | None:
    """Lines that tell how many replications are done, ten of them in all."""
    if stream is None:
        return None

    def tell(done: int, total: int) -> None:
        if done == total or done % max(1, total // 10) == 0:
            stream(f"Bootstrap replications: {done:,} of {total:,}")

    return tell
