"""Threads of BLAS while a model is fitted.

Its threads wait for each other in a loop. Where other programs keep the processors busy this makes
factorizations of a thousand columns ten times slower or worse: these get several threads only on a
machine that is idle when the fit begins, and all that is smaller gets one. So do nested levels, whose
matrices are small: a product takes less time than threads to meet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from memagic.engine.crossed.problem import CrossedProblem

if TYPE_CHECKING:
    from threadpoolctl import LibController

# Columns left after the largest term from which on BLAS is used at all.
_FEW = 48
# Columns of a dense matrix from which on idle processors are used, and all of them, idle or not.
_LARGE = 400
_HUGE = 2500
_SYSTEM = Path("/proc")
_TASKS = _SYSTEM / "self" / "task"

__all__ = ["dense_threads", "free_processors", "modest_threads", "one_thread", "several_threads"]


@cache
def _libraries() -> list[LibController]:
    """Those of BLAS that are loaded: NumPy's and SciPy's."""
    from threadpoolctl import ThreadpoolController

    return [one for one in ThreadpoolController().lib_controllers if one.user_api == "blas"]


@contextmanager
def _limited(count: int) -> Iterator[None]:
    """So many threads of BLAS; `threadpool_limits` would look up the libraries each time."""
    before = [(one, one.get_num_threads()) for one in _libraries()]
    for one, _ in before:
        one.set_num_threads(count)
    try:
        yield
    finally:
        for one, threads in before:
            one.set_num_threads(threads)


def free_processors() -> int:
    """Processors that no other program is using at this moment; one where the system does not tell."""
    try:
        # BLAS' own threads may still be in their loops, and leave them while this is looked at.
        before = _own_running()
        running = int((_SYSTEM / "loadavg").read_text().split()[3].split("/")[0])
        own = max(before, _own_running(), 1)
    except (OSError, ValueError, IndexError):
        return 1
    return max(1, (os.cpu_count() or 1) - max(running - own, 0))


def _own_running() -> int:
    """Threads of this process that are at work."""
    # The state comes after the name, which is in parentheses.
    states = [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in _TASKS.iterdir()]
    return states.count("R")


def dense_threads(columns: int) -> int:
    """How many threads are to factor dense matrices of up to so many columns."""
    if columns < _LARGE:
        return 1
    return free_processors() if columns < _HUGE else os.cpu_count() or 1


@contextmanager
def several_threads(count: int) -> Iterator[None]:
    """So many threads, within `modest_threads`; nothing changes for one."""
    if count == 1:
        yield
        return
    with _limited(count):
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread, where others work beside."""
    with _limited(1):
        yield


@contextmanager
def modest_threads(problem: object) -> Iterator[None]:
    """One thread for `problem`, unless it has so few crossed effects that BLAS is not used."""
    if isinstance(problem, CrossedProblem):
        sizes = [level.n_clusters * level.structure.q for level in problem.levels]
        if sum(sizes) - max(sizes) <= _FEW:
            yield
            return
    with one_thread():
        yield
