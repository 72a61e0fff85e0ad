"""What is remembered between commands: data, estimates, constraints, matrices, a survey's design."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakKeyDictionary, ref

from memagic.data.partitions import is_partitioned
from memagic.errors import CommandError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd

    from memagic.commands.constrained import Definitions
    from memagic.commands.stored_estimates import Shelf
    from memagic.data.sources import Data
    from memagic.display.log_lines import Progress
    from memagic.postestimation.margins_result import Margins
    from memagic.postestimation.wald_result import WaldResult
    from memagic.results import MEResults
    from memagic.results.posted import AnyEstimates, Posted
    from memagic.spec.constraint import Constraint
    from memagic.spec.survey import SurveyDesign
    from memagic.spec.tree import Command, TimeSettings

__all__ = ["Call", "InUse", "Memory", "no_data"]


@dataclass(frozen=True, slots=True)
class InUse:
    """What is known about the data in use.

    Attributes
    ----------
    name : str
        The name they were asked for by, "DataFrame" where a frame came without one.
    title : str
        The data set's own label, or nothing.
    rows : int or None
        None where they have not been counted, as those of a Dask DataFrame.
    columns : int
    partitions : int
        Of data that are in partitions; else 0.
    """

    name: str
    title: str
    rows: int | None
    columns: int
    partitions: int = 0

    @property
    def size(self) -> str:
        """``1,934 rows, 8 columns``, or ``12 partitions, 8 columns``."""
        if self.rows is None:
            return f"{self.partitions:,} partitions, {self.columns:,} columns"
        return f"{self.rows:,} rows, {self.columns:,} columns"

    def __str__(self) -> str:
        """The data set's label as the manual prints it, and the size."""
        return f"({self.title or self.name})  {self.size}"

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Call:
    """A command with what it was given besides its text.

    `own` is what the data are called that the user gave for this command, nothing where they have no name;
    None for those in use.
    """

    text: str
    data: Data | None = None
    stream: Callable[[str], None] | None = None
    progress: Callable[[Progress], None] | None = None
    own: str | None = None


class Memory:
    """What a session remembers; see `memagic.session.Session`."""

    def __init__(
        self,
        data: Data | None = None,
        *,
        matrices: Mapping[str, Any] | None = None,
        constraints: Mapping[int, str] | None = None,
        threads: int = 0,
        executor: Executor | None = None,
    ) -> None:
        self.threads = threads
        self.executor = executor
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
        # Results of data that were given for one command, and were not in use then: the name and frame.
        self._elsewhere: WeakKeyDictionary[MEResults, tuple[str, ReferenceType[Any]]] = WeakKeyDictionary()
        self._stored: dict[str, MEResults] = {}
        self._stored_posted: dict[str, Posted] = {}
        self._titles: dict[str, str] = {}
        self.variables: Mapping[str, Any] = {}
        if data is not None:
            self.use(data)

    @property
    def threads(self) -> int:
        """How many blocks of the data a fit works on at once, 0 for as many as suit."""
        return self._threads

    @threads.setter
    def threads(self, threads: int) -> None:
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
            raise CommandError(198, "threads must be a whole number, or zero for as many as suit")
        self._threads = threads

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
        source: Any = self._source
        if is_partitioned(source):
            return InUse(self._name, "", None, len(source.columns), source.npartitions)
        if self._data is None:
            return None
        return InUse(self._name, str(self._data.attrs.get("title") or ""), *self._data.shape)

    def use(self, source: Data, name: str | None = None) -> pd.DataFrame | None:
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

        # What is on the workers of a cluster stays there.
        self._data = None if is_partitioned(source) else find_data(source)
        self._source = source
        name = name or (source if isinstance(source, str) else "DataFrame")
        if name != self._name:
            self.time = None
        self._name = name
        return self._data

    # --- what commands work with --------------------------------------------------------------

    def _estimated(self) -> MEResults:
        """The last estimates, where a command needs some."""
        return self._shelf().last()

    def _keep(self, result: MEResults) -> None:
        self._last, self._posted = result, None

    def _remember(self, result: MEResults, own: str, source: Data | None) -> None:
        """Keep in mind that a result is of data that are not in use."""
        if source is None or source is self._source or source is self._data:
            return
        try:
            frame: ReferenceType[Any] = ref(source)
        except TypeError:  # a name, or a table of a library that allows no references
            frame = _NOWHERE
        self._elsewhere[result] = own, frame

    def _other_data(self, result: MEResults) -> str | None:
        """What the data of a result are called, or nothing, where they are not in use; None if they are."""
        if result not in self._elsewhere:
            return None
        name, frame = self._elsewhere[result]
        held = frame()
        in_use = held is not None and (held is self._source or held is self._data)
        return None if in_use or name == self._name else name

    def _resolved(self, command: Command, frame: pd.DataFrame) -> Command:
        """The command with the variables of the data in full, and what time is."""
        from memagic.data.resolve import resolve

        return resolve(command, frame, abbreviations=self.varabbrev, time=self.time)

    def _frame(self, data: Data | None) -> pd.DataFrame:
        """The data of a command: its own, or those in use."""
        from memagic.data.sources import find_data

        if data is None and self._data is None and self._source is not None:
            data = self._source
        frame = self._data if data is None else find_data(data)
        if frame is None:
            raise no_data()
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


class _NoFrame:
    """What nothing refers to."""


_NOWHERE = ref(_NoFrame())


def no_data() -> CommandError:
    """There is nothing that a command could work on."""
    return CommandError(
        3, "no data in memory", hint="pass data=, or put a DataFrame or an example in use first"
    )
