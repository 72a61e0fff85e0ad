"""Parts of a problem with the tasks of an executor: a pool of processes, of this machine or of others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any
from uuid import uuid4

from memagic.engine.crossed.threads import one_thread
from memagic.engine.parts import Task, step
from memagic.engine.problem import Problem

__all__ = ["OnExecutor"]

# What a worker keeps between tasks: by fit and part, the problem's objective. An executor does not tell
# which worker a task goes to, and has no other place for it: this is the one variable of the package
# that is shared by all of a process. It holds nothing that is not also with the one who asks.
_KEPT: OrderedDict[str, dict[int, Any]] = OrderedDict()
# Fits that a worker keeps parts of; those of others that take turns are sent again.
_MOST_FITS = 4

Make = Callable[[Problem], Any]


class _Absent:
    """What a worker answers that does not have the part."""


class OnExecutor:
    """What `make` makes of each part, in whatever worker a task comes to.

    Parameters
    ----------
    parts : sequence of Problem
    make : callable
        It can be pickled.
    executor : Executor
        Of this machine or of others. It is not shut down here.
    """

    def __init__(self, parts: Sequence[Problem], make: Make, executor: Executor) -> None:
        self._parts = parts
        self._make = make
        self._executor = executor
        self._token = uuid4().hex
        self._memories: list[Any] = [None] * len(parts)
        self._sent = False

    def each(self, task: Task, *arguments: object) -> list[Any]:
        """What `task` gives for each part, in order.

        After an error or an interrupt the tasks that have not begun are taken back.
        """
        pending: list[Future[Any]] = []
        found: list[Any] = []
        try:
            pending += [self._submit(i, task, arguments, self._sent) for i in range(len(self._parts))]
            self._sent = True
            for i in range(len(self._parts)):
                answer = pending[i].result()
                if isinstance(answer, _Absent):
                    pending.append(self._submit(i, task, arguments, False))
                    answer = pending[-1]
                found.append(answer)
            found = [one.result() if isinstance(one, Future) else one for one in found]
        except BaseException:
            for one in pending:
                one.cancel()
            raise
        # Only now, so that an interrupt leaves the memories as they were.
        self._memories = [memory for _, memory in found]
        return [result for result, _ in found]

    def _submit(self, i: int, task: Task, arguments: Sequence[object], known: bool) -> Future[Any]:
        part = None if known else (self._parts[i], self._make)
        return self._executor.submit(_at_worker, self._token, i, part, self._memories[i], task, arguments)


def _at_worker(
    token: str,
    number: int,
    part: tuple[Problem, Make] | None,
    memory: Any,
    task: Task,
    arguments: Sequence[object],
) -> Any:
    """A step on a part that is kept here, or comes with the task."""
    hosted = _kept(token, number, part)
    if hosted is None:
        return _Absent()
    with one_thread():
        return step(hosted, memory, task, arguments)


def _kept(token: str, number: int, part: tuple[Problem, Make] | None) -> Any:
    fit = _KEPT.setdefault(token, {})
    _KEPT.move_to_end(token)
    while len(_KEPT) > _MOST_FITS:
        _KEPT.popitem(last=False)
    if number not in fit and part is not None:
        problem, make = part
        fit[number] = make(problem)
    return fit.get(number)
