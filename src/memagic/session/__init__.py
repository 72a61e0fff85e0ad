"""One notebook's memory, and the commands that work with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memagic.errors import Break, CommandError
from memagic.session.groups import GroupHandlers
from memagic.session.handlers import TESTS, Shown
from memagic.session.memory import Call, InUse
from memagic.spec.in_python import value_hint
from memagic.spec.prefixes import read_prefixes

if TYPE_CHECKING:
    from memagic.data.sources import Data
    from memagic.display.log_lines import Progress

__all__ = ["TESTS", "InUse", "Session", "Shown"]


class Session(GroupHandlers):
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
    threads : int
        How many blocks of the data a fit works on at once, 0 for as many as suit.
    executor : concurrent.futures.Executor, optional
        What works on parts of the data, or on the groups of `by`: the processes of a pool, or those of
        other machines.

    Attributes
    ----------
    executor : Executor or None
        As it is given; it may be set between commands, as `threads`.
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

    def run(
        self,
        text: str,
        *,
        data: Data | None = None,
        name: str | None = None,
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
        name : str, optional
            What to call a DataFrame that is given for this command, in notes.
        stream : callable, optional
            Given each line of the iteration log as it comes.
        progress : callable, optional
            Told how far a fit is.

        Returns
        -------
        MEResults, another result that shows itself, or None
            What the command has to show; None for those that only set something.

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
        own = None if data is None else name or (data if isinstance(data, str) else "")
        call = Call(prefixed.text, data, stream, progress, own)
        try:
            shown = self._handler(call.text)(call) if prefixed.by is None else self._by(prefixed.by, call)
        except CommandError as error:
            # Places in the command are those in the text, with the prefixes.
            error.text = text if error.text in (None, call.text) else error.text
            error.hint = value_hint(text) or error.hint
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
