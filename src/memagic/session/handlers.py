"""What each command does with a session: one short method a command."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from memagic.errors import Break, CommandError
from memagic.session.memory import Call, InUse, Memory, no_data
from memagic.spec.options import COMMANDS
from memagic.spec.parser import command_name, is_replay, parse_command, parse_replay

if TYPE_CHECKING:
    from memagic.commands.by_groups import ByGroups, Group
    from memagic.commands.define import Listing
    from memagic.commands.estimate import Model
    from memagic.commands.predict import NewVariables
    from memagic.commands.stored_estimates import Tabulation
    from memagic.commands.tsset import TimeReport
    from memagic.data.sources import Data
    from memagic.plots.margins import Drawn
    from memagic.postestimation.contrasts import ContrastResult
    from memagic.postestimation.likelihood_ratio import LikelihoodRatio
    from memagic.postestimation.margins_result import Margins
    from memagic.postestimation.quadchk import QuadratureCheck
    from memagic.postestimation.shown import Shown as ShownTable
    from memagic.postestimation.typed import Tested
    from memagic.results import MEResults
    from memagic.results.replay import Replay
    from memagic.spec.prefixes import ByPrefix
    from memagic.widgets.start_grid import StartGrid

__all__ = ["TESTS", "Handlers", "Shown"]

Shown: TypeAlias = (
    "MEResults | Replay | ShownTable | NewVariables | StartGrid | InUse | Listing | Tabulation | "
    "TimeReport | ByGroups | Tested | LikelihoodRatio | Margins | Drawn | None"
)
"""What a command has to show."""

TESTS = ("test", "testparm", "lincom", "nlcom", "testnl", "contrast", "pwcompare")
"""Commands that test or combine the last estimates."""

# `use name`, `use "a path"`, and the option that the manual asks for where data would be lost.
_USE = re.compile(r'\s*use\b\s*(?P<quote>"?)(?P<source>.*?)(?P=quote)\s*(,\s*clear\s*)?', re.DOTALL)

_BY_HINT = "by is for estimation commands: by region: melogit y x || school:"


class Handlers(Memory):
    """The commands of a session."""

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

    def _by(self, by: ByPrefix, call: Call) -> ByGroups:
        """One command on every group of the data; the last estimates are those of the last group."""
        from memagic.commands.by_groups import ByGroups, groups_of

        name = command_name(call.text) or ""
        start = len(call.text) - len(call.text.lstrip())
        span = (start, start + max(len(name), 1))
        if not name:
            raise CommandError(198, "invalid syntax", span=span, hint=_BY_HINT)
        if name not in COMMANDS or is_replay(call.text):
            raise CommandError(190, f"{name} may not be combined with by", span=span, hint=_BY_HINT)
        found = ByGroups()
        groups = groups_of(self._frame(call.data), by, abbreviations=self.varabbrev)
        before = self._last, self._posted
        try:
            for group in groups:
                self._add_group(found, group, by, call)
        except BaseException:
            # The estimates of the groups before go with the command.
            self._last, self._posted = before
            raise
        return found

    def _add_group(self, found: ByGroups, group: Group, by: ByPrefix, call: Call) -> None:
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

    def _use(self, call: Call) -> InUse:
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
        options = parse_command(call.text).options
        if "widget" in options and "startgrid" in options:
            return self.explore_start(call.text, call.data)
        return self._fit(self.prepared(call.text, call.data), call)

    def _svy(self, call: Call) -> MEResults:
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

    def _fit(self, model: Model, call: Call) -> MEResults:
        """Fit a model, which becomes the last estimates."""
        from memagic.commands.estimate import fit_model

        result = fit_model(model, call.stream, call.progress)
        result = result.beside(self._shelf().known()) if model.options.widget else result
        self._keep(result)
        return result

    def _quadchk(self, call: Call) -> QuadratureCheck:
        from memagic.commands.quadchk import check_quadrature

        return check_quadrature(call.text, self._estimated().estimates, call.stream)

    def _predict(self, call: Call) -> NewVariables:
        from memagic.commands.predict import add_predictions

        return add_predictions(call.text, self._estimated(), self._frame(call.data))

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
        found, posted = run_margins_command(command, self._shelf().last().estimates, self._data)
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
        from memagic.commands.estimate import display_options

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
