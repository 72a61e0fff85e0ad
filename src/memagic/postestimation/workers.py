"""Independent tasks on threads or processes, with progress and interrupts.

Processes are loky's: unlike those of the standard library they do not import the main module again,
which a notebook has not and a script survives only with a guard, and they can be ended at once.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from memagic.errors import CommandError

__all__ = ["Crew", "carry_out", "crew_of"]

_Item = TypeVar("_Item")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Crew:
    """Who carries tasks out.

    Attributes
    ----------
    executor : Executor
    give_up : callable
        Given the tasks that are not done when an interrupt comes: it returns once none of them runs.
    """

    executor: Executor
    give_up: Callable[[Collection[Future[Any]]], object]


@contextmanager
def crew_of(workers: int, executor: Executor | None = None) -> Iterator[Crew]:
    """So many processes, one thread for one worker, or an executor of the caller's, which stays open.

    However it is left, no process of ours stays behind.
    """
    if executor is not None:
        yield Crew(executor, _cancel)
    elif workers < 2:
        with ThreadPoolExecutor(max_workers=1) as thread:
            yield Crew(thread, _cancel)
    else:
        from loky import ProcessPoolExecutor

        pool = ProcessPoolExecutor(max_workers=workers, initializer=_leave_interrupts)

        def kill(left: Collection[Future[Any]]) -> None:
            pool.shutdown(wait=True, kill_workers=True)

        try:
            yield Crew(pool, kill)
        except BaseException:
            kill(())
            raise
        pool.shutdown(wait=True)


def carry_out(
    task: Callable[[_Item], _Value],
    items: Sequence[_Item],
    crew: Crew,
    progress: Callable[[int, int], None] | None,
) -> list[_Value | None]:
    """The tasks' values in the order of the items; None for those that an interrupt left undone.

    Parameters
    ----------
    task : callable
    items : sequence
    crew : Crew
    progress : callable, optional
        Told how many tasks are done and how many there are.

    Raises
    ------
    KeyboardInterrupt
        One came before any task was done.
    CommandError
        A process died, r(498).
    """
    found: list[_Value | None] = [None] * len(items)
    waiting = {crew.executor.submit(task, item): k for k, item in enumerate(items)}
    done = 0
    try:
        while waiting:
            ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ready:
                found[waiting[future]] = future.result()
                del waiting[future]
                done += 1
                if progress is not None:
                    progress(done, len(items))
    except KeyboardInterrupt:
        crew.give_up(waiting)
        for future, k in waiting.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                found[k] = future.result()
        if all(value is None for value in found):
            raise
    except BrokenProcessPool:
        hint = "perhaps for want of memory: use fewer workers"
        raise CommandError(498, "a worker process ended before its task was done", hint=hint) from None
    except BaseException:
        crew.give_up(waiting)
        raise
    return found


def _cancel(left: Collection[Future[Any]]) -> None:
    """What runs now runs to its end; what waits is given up."""
    wait([future for future in left if not future.cancel()])


def _leave_interrupts() -> None:
    """An interrupt from the keyboard reaches all processes: the parent alone deals with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
