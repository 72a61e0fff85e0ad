"""Parts of a problem on the workers of a cluster, which have the data: a client of Dask or of its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Protocol

import numpy as np

from memagic.engine.parts import Task, step

__all__ = ["Client", "OnWorkers"]


class Client(Protocol):
    """What is asked of a client: see `distributed.Client`."""

    def submit(self, function: Callable[..., Any], /, *args: Any, pure: bool) -> Any:
        """A future of a call. Futures among the arguments stand for what is on the workers."""

    def gather(self, futures: list[Any]) -> list[Any]: ...

    def cancel(self, futures: list[Any]) -> Any: ...


class OnWorkers:
    """Something of each part, on the worker that has it.

    A task is a pure function of what is hosted and of the memory before it, and its memory stays where
    it was worked on. So a worker that is lost takes nothing away that the others cannot make again.

    Parameters
    ----------
    client : Client
    hosted : sequence of futures
    """

    def __init__(self, client: Client, hosted: Sequence[Any]) -> None:
        self._client = client
        self._hosted = list(hosted)
        self._memories: list[Any] = [None] * len(hosted)

    def prepared(self, make: Callable[..., object]) -> OnWorkers:
        """What `make` makes of each, kept where it is made."""
        return OnWorkers(self._client, [self._client.submit(make, one, pure=False) for one in self._hosted])

    def each(self, task: Task, *arguments: object) -> list[Any]:
        """What `task` gives for each, in order.

        After an error or an interrupt what has not begun is taken back.
        """
        submit = self._client.submit
        futures: list[Any] = []
        try:
            steps = [
                submit(_attempt, one, memory, task, arguments, pure=False)
                for one, memory in zip(self._hosted, self._memories, strict=True)
            ]
            futures += steps
            results = [submit(itemgetter(0), one, pure=False) for one in steps]
            memories = [submit(itemgetter(1), one, pure=False) for one in steps]
            futures += [*results, *memories]
            found = self._client.gather(results)
        except BaseException:
            self._client.cancel(futures)
            raise
        for error in (one for one in found if isinstance(one, np.linalg.LinAlgError)):
            raise error
        self._memories = memories
        return found


def _attempt(hosted: Any, memory: Any, task: Task, arguments: Sequence[object]) -> tuple[Any, Any]:
    """A step, or why theta is not feasible: workers log exceptions as faults."""
    try:
        return step(hosted, memory, task, arguments)
    except np.linalg.LinAlgError as error:
        return error, memory
