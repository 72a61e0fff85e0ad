"""Data that are in partitions on the workers of a cluster: a Dask DataFrame with its client."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Semaphore
from typing import TYPE_CHECKING, Any

from memagic.errors import CommandError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Partitions", "is_partitioned", "partitions_of"]


class PatientClient:
    """A client that waits here for what it gathers: an interrupt finds nothing that waits elsewhere.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def compute(self, delayed: Any) -> list[Any]:
        """Futures of what is delayed."""
        found: list[Any] = self._client.compute(delayed)
        return found

    def submit(self, function: Callable[..., Any], /, *args: Any, pure: bool) -> Any:
        """A future of a call."""
        return self._client.submit(function, *args, pure=pure)

    def gather(self, futures: list[Any]) -> list[Any]:
        """What the futures stand for, once all are done."""
        done = Semaphore(0)
        for future in futures:
            future.add_done_callback(lambda _: done.release())
        for _ in futures:
            done.acquire()
        found: list[Any] = self._client.gather(futures)
        return found

    def cancel(self, futures: list[Any]) -> None:
        """Take back what has not begun."""
        self._client.cancel(futures)


@dataclass(frozen=True, slots=True)
class Partitions:
    """A DataFrame in partitions.

    Attributes
    ----------
    frame : dask.dataframe.DataFrame
    client : PatientClient
        Whose workers have it, or will.
    """

    frame: Any
    client: PatientClient

    def empty(self) -> pd.DataFrame:
        """The columns without rows."""
        import pandas as pd

        types = self.frame.dtypes
        return pd.DataFrame({name: pd.Series(dtype=types[name]) for name in self.frame.columns})

    def futures(self, columns: Sequence[str]) -> list[Any]:
        """Each partition's rows as a DataFrame of pandas, on a worker.

        Parameters
        ----------
        columns : sequence of str
            Only these are read.
        """
        return self.client.compute(self.frame[list(columns)].to_delayed())

    def each(self, function: Callable[..., Any], parts: Sequence[Any], *arguments: Any) -> list[Any]:
        """What a function makes of each part, kept there: futures.

        A user's mistake is what it makes of a part, too, and of what else is made of that.
        """
        return [self.client.submit(_attempt, function, part, *arguments, pure=False) for part in parts]

    def gathered(self, function: Callable[..., Any], parts: Sequence[Any], *arguments: Any) -> list[Any]:
        """What a function makes of each part, brought here.

        After an interrupt what has not begun is taken back.

        Raises
        ------
        CommandError
            What is wrong with the first part that anything is wrong with.
        """
        futures = self.each(function, parts, *arguments)
        try:
            found = self.client.gather(futures)
        except BaseException:
            self.client.cancel(futures)
            raise
        for error in (one for one in found if isinstance(one, CommandError)):
            raise error
        return found


def _attempt(function: Callable[..., Any], part: Any, *arguments: Any) -> Any:
    """What a function makes of a part, or the user's mistake: workers log exceptions as faults."""
    if isinstance(part, CommandError):
        return part
    try:
        return function(part, *arguments)
    except CommandError as error:
        return error


def is_partitioned(value: object) -> bool:
    """Whether data are a Dask DataFrame. Nothing is imported to find out."""
    dask = sys.modules.get("dask.dataframe")
    return dask is not None and isinstance(value, dask.DataFrame)


def partitions_of(frame: Any) -> Partitions:
    """A Dask DataFrame with the client that is in use.

    Raises
    ------
    CommandError
        There is none, r(198).
    """
    try:
        from distributed import get_client

        return Partitions(frame, PatientClient(get_client()))
    except (ImportError, ValueError):
        hint = "from dask.distributed import Client; client = Client() starts one on this machine"
        raise CommandError(198, "a Dask DataFrame needs a client", hint=hint) from None
