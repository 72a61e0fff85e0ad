"""What is remembered between commands: the current data and the last estimates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.spec.parser import is_replay, parse_command, parse_replay

if TYPE_CHECKING:
    import pandas as pd

    from memagic.results import MEResults
    from memagic.results.results import Replay

__all__ = ["Session"]


class Session:
    """One notebook's memory. A command that fails leaves it as it was.

    Parameters
    ----------
    data : DataFrame, optional
        The data in use; never changed.
    """

    def __init__(self, data: pd.DataFrame | None = None) -> None:
        self._data = data
        self._last: MEResults | None = None

    @property
    def data(self) -> pd.DataFrame | None:
        """The data in use."""
        return self._data

    @property
    def last(self) -> MEResults | None:
        """The last estimates."""
        return self._last

    def use(self, source: pd.DataFrame | str) -> pd.DataFrame:
        """Put data in use: a DataFrame, the name of an example data set, or a path to a .dta file.

        Raises
        ------
        CommandError
            ``file x not found``, r(601).
        """
        from memagic.data.sources import find_data

        self._data = find_data(source)
        return self._data

    def run(
        self,
        text: str,
        *,
        data: pd.DataFrame | None = None,
        stream: Callable[[str], None] | None = None,
    ) -> MEResults | Replay:
        """Run one estimation command, or replay the last estimates.

        Parameters
        ----------
        text : str
            ``melogit c_use i.urban age || district:``, or a command's name alone or with display
            options, ``melogit, or``, which shows the last estimates again without fitting.
        data : DataFrame, optional
            For this command; else the data in use.
        stream : callable, optional
            Given each line of the iteration log as it comes.

        Raises
        ------
        CommandError
            What is wrong with the command or the data, with its place in `text`.
        """
        try:
            if is_replay(text):
                return self._replay(text)
            return self._estimate(text, self._data if data is None else data, stream)
        except CommandError as error:
            raise error.located(text) from None

    def _estimate(
        self, text: str, data: pd.DataFrame | None, stream: Callable[[str], None] | None
    ) -> MEResults:
        command = parse_command(text)
        if data is None:
            raise CommandError(
                3, "no data in memory", hint="pass data=, or put a DataFrame or an example in use first"
            )
        from memagic.commands.estimate import estimate

        self._last = estimate(command, data, stream)
        return self._last

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

        return self._last.shown(display_options(options))
