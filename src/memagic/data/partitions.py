"""Data that are in partitions on the workers of a cluster: a Dask DataFrame with its client."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memagic.errors import CommandError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Partitions", "is_partitioned", "partitions_of"]


@dataclass(frozen=True, slots=True)
class Partitions:
    """A DataFrame in partitions.

    Attributes
    ----------
    frame : dask.dataframe.DataFrame
    client : distributed.Client
        Whose workers have it, or will.
    """

    frame: Any
    client: Any

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
        parts: list[Any] = self.client.compute(self.frame[list(columns)].to_delayed())
        return parts

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
            found: list[Any] = self.client.gather(futures)
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

        return Partitions(frame, get_client())
    except (ImportError, ValueError):
        hint = "from dask.distributed import Client; client = Client() starts one on this machine"
        raise CommandError(198, "a Dask DataFrame needs a client", hint=hint) from None
