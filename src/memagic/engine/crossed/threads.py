"""Threads of BLAS while a model is fitted.

Its threads wait for each other in a loop. Where other programs keep the processors busy this makes
factorizations of a thousand columns ten times slower, and at best a third faster: they get one thread.
So do nested levels, whose matrices are small: a product takes less time than threads to meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from memagic.engine.crossed.problem import CrossedProblem

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

# Columns left after the largest term from which on BLAS is used at all, and several threads pay.
_FEW = 48
_MANY = 2500

__all__ = ["modest_threads", "one_thread"]


@cache
def _controller() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread, where others work beside."""
    with _controller().limit(limits=1, user_api="blas"):
        yield


@contextmanager
def modest_threads(problem: object) -> Iterator[None]:
    """One thread for `problem`, unless it has very many crossed effects or so few that BLAS is not used."""
    if isinstance(problem, CrossedProblem):
        sizes = [level.n_clusters * level.structure.q for level in problem.levels]
        if not _FEW < sum(sizes) - max(sizes) < _MANY:
            yield
            return
    with one_thread():
        yield
