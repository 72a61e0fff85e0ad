"""The prefix `by` in a session: group after group, or several at a time with an executor."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from memagic.errors import Break, CommandError
from memagic.session.handlers import Handlers
from memagic.session.memory import Call
from memagic.spec.options import COMMANDS
from memagic.spec.parser import command_name, is_replay, parse_command
from memagic.spec.tree import Estimated
from memagic.spec.walk import nodes_of

if TYPE_CHECKING:
    from memagic.commands.by_groups import ByGroups, Group
    from memagic.commands.model import Model
    from memagic.engine.fit import Fit
    from memagic.results import MEResults
    from memagic.session.handlers import Shown
    from memagic.spec.prefixes import ByPrefix

    Pending: TypeAlias = tuple[Model, Future[tuple[Fit, tuple[str, ...]]]]

__all__ = ["GroupHandlers"]

_HINT = "by is for estimation commands: by region: melogit y x || school:"


class GroupHandlers(Handlers):
    """The commands of a session, also for each group of the data."""

    def _by(self, by: ByPrefix, call: Call) -> ByGroups:
        """One command on every group of the data; the last estimates are those of the last group."""
        from memagic.commands.by_groups import ByGroups, groups_of

        _check_command(call.text)
        found = ByGroups()
        groups = groups_of(self._frame(call.data), by, abbreviations=self.varabbrev)
        pending = {} if self.executor is None else self._submitted(groups, by, call, self.executor)
        before = self._last, self._posted
        try:
            for number, group in enumerate(groups):
                self._add_group(found, group, by, call, pending.get(number))
        except BaseException:
            # The estimates of the groups before go with the command.
            self._last, self._posted = before
            raise
        finally:
            # Nothing is left to do, but after an error or an interrupt.
            for _, future in pending.values():
                future.cancel()
        return found

    def _add_group(
        self, found: ByGroups, group: Group, by: ByPrefix, call: Call, pending: Pending | None
    ) -> None:
        if call.stream is not None:
            call.stream(f"-> {group.name}")
        try:
            found.add(group, self._of_group(group, call, pending))
        except Break:
            raise
        except CommandError as error:
            if not by.go_on:
                error.hint = f"it happened where {group.name}; with by varlist, rc0: others go on"
                raise
            found.add(group, error)

    def _of_group(self, group: Group, call: Call, pending: Pending | None) -> Shown:
        """What the command gives for a group, here or from where it has been sent."""
        if pending is None:
            return self._estimate(replace(call, data=group.frame))
        from memagic.commands.estimate import result_of

        model, future = pending
        try:
            fitted, lines = future.result()
        except CommandError as error:
            raise error.located(call.text) from None
        if call.stream is not None:
            for line in lines:
                call.stream(line)
        result: MEResults = result_of(model, fitted, lines)
        self._keep(result)
        return result

    def _submitted(
        self, groups: list[Group], by: ByPrefix, call: Call, executor: Executor
    ) -> dict[int, Pending]:
        """The groups that have been sent to an executor, by number.

        One whose data do not go with the command is not: it is refused when its turn comes. None is,
        where a group's command depends on the estimates of the one before, or shows a widget.
        """
        from memagic.commands.estimate import fit_with_log

        command = parse_command(call.text)
        weight = command.fixed.weight
        asked = [command.fixed.condition, None if weight is None else weight.expression]
        nodes = (node for tree in asked if tree is not None for node in nodes_of(tree))
        if "widget" in command.options or any(isinstance(node, Estimated) for node in nodes):
            return {}
        pending: dict[int, Pending] = {}
        try:
            for number, group in enumerate(groups):
                try:
                    model = self._threaded(self.prepared(call.text, group.frame))
                except CommandError:
                    if not by.go_on:
                        break
                    continue
                pending[number] = model, executor.submit(fit_with_log, model)
        except BaseException:
            for _, future in pending.values():
                future.cancel()
            raise
        return pending


def _check_command(text: str) -> None:
    """Refuse what is no estimation command.

    Raises
    ------
    CommandError
        No command, r(198), or another one, r(190).
    """
    name = command_name(text) or ""
    start = len(text) - len(text.lstrip())
    span = (start, start + max(len(name), 1))
    if not name:
        raise CommandError(198, "invalid syntax", span=span, hint=_HINT)
    if name not in COMMANDS or is_replay(text):
        raise CommandError(190, f"{name} may not be combined with by", span=span, hint=_HINT)
