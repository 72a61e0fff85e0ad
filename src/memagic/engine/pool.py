"""One function on every block of a problem, on one thread or several, with the results in order."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

T = TypeVar("T")

__all__ = ["in_order", "suitable_threads"]

# With fewer blocks threads do not pay, and more threads mostly wait for the interpreter's lock.
_LEAST_BLOCKS, _MOST_THREADS = 4, 4


def suitable_threads(n: int) -> int:
    """How many threads suit n blocks on this machine."""
    return min(available_processors(), _MOST_THREADS) if n >= _LEAST_BLOCKS else 1


def available_processors() -> int:
    """Processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def in_order(function: Callable[[int], T], n: int, threads: int) -> list[T]:
    """``[function(0), ..., function(n - 1)]``.

    Results come in this order, so that sums over them are the same to the last bit whatever the number
    of threads. After an error or an interrupt nothing more is begun, and nothing is left running.

    Parameters
    ----------
    function : callable
        What it changes is its block's own.
    n : int
    threads : int
        At most so many blocks are worked on at once; 0 for as many as suit n blocks and the machine.
    """
    threads = threads or suitable_threads(n)
    if threads == 1 or n < 2:
        return [function(i) for i in range(n)]
    errors = np.geterr()

    def one(i: int) -> T:
        # Threads do not inherit what NumPy does about overflow.
        with np.errstate(**errors):
            return function(i)

    with ThreadPoolExecutor(min(threads, n)) as pool:
        pending = [pool.submit(one, i) for i in range(n)]
        try:
            return [task.result() for task in pending]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
