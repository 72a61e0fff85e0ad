"""The parametric bootstrap of a likelihood-ratio statistic."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from memagic.engine.fit import fit
from memagic.engine.start import NotFeasible
from memagic.errors import CommandError
from memagic.postestimation.likelihood_ratio import Bootstrapped, LikelihoodRatio
from memagic.postestimation.simulate import draw_response
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]

__all__ = ["bootstrapped"]

_MOST = 100_000


def bootstrapped(
    test: LikelihoodRatio,
    small: Estimates,
    large: Estimates,
    replications: int,
    seed: int,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> LikelihoodRatio:
    """The test with a bootstrap of its statistic under the smaller model.

    Every replication has a generator of its own from the seed, so that the number of workers changes
    no number. An interrupt ends it with the replications done so far.

    Parameters
    ----------
    test : LikelihoodRatio
    small, large : Estimates
        The models of the test.
    replications : int
    seed : int
    workers : int
        Threads.
    progress : callable, optional
        Told how many replications are done and how many there are.

    Raises
    ------
    CommandError
        A number of replications that is none, r(198); models of different samples or with weights, r(498).
    """
    if not 1 <= replications <= _MOST:
        raise CommandError(198, f"bootstrap() must be between 1 and {_MOST:,}")
    if not np.array_equal(small.design.sample, large.design.sample):
        raise CommandError(
            498, "the estimation samples differ", hint="bootstrap() needs models of one sample"
        )
    if small.problem.weighted or large.problem.weighted:
        raise CommandError(498, "bootstrap() does not go with weights")
    children = np.random.SeedSequence(seed).spawn(replications)
    found = _carry_out(lambda k: _replication(small, large, children[k]), replications, workers, progress)
    statistics = np.array([value for value in found if value is not None and np.isfinite(value)])
    done = sum(value is not None for value in found)
    if not len(statistics):
        raise CommandError(498, "no replication could be fitted", hint=f"{done:,} were carried out")
    # Maximization ends within its tolerance of the maximum.
    as_large = int(np.count_nonzero(statistics >= test.chi2 - 1e-6))
    p = (1.0 + as_large) / (1.0 + len(statistics))
    result = Bootstrapped(statistics, replications, done, done - len(statistics), seed, p)
    return replace(test, bootstrap=result)


def _carry_out(
    task: Callable[[int], float],
    n: int,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> list[float | None]:
    """The tasks' values in their order; None for those that an interrupt left undone."""
    found: list[float | None] = [None] * n
    pool = ThreadPoolExecutor(max_workers=max(1, workers))
    waiting: dict[Future[float], int] = {pool.submit(task, k): k for k in range(n)}
    done = 0
    try:
        while waiting:
            ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ready:
                found[waiting.pop(future)] = future.result()
                done += 1
                if progress is not None:
                    progress(done, n)
    except KeyboardInterrupt:
        # What runs now runs to its end; what waits is given up.
        pool.shutdown(wait=True, cancel_futures=True)
        for future, k in waiting.items():
            if not future.cancelled() and future.exception() is None:
                found[k] = future.result()
        if all(value is None for value in found):
            raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return found


def _replication(small: Estimates, large: Estimates, seed: np.random.SeedSequence) -> float:
    """The statistic of one simulated response; nan where a model has no maximum."""
    y = draw_response(small, np.random.default_rng(seed))
    values = []
    for estimates in (small, large):
        try:
            with np.errstate(all="ignore"):
                again = fit(
                    replace(estimates.problem, y=y), estimates.settings, constraints=estimates.fit.constraints
                )
        except (NotFeasible, np.linalg.LinAlgError):
            return float("nan")
        if not again.converged:
            return float("nan")
        values.append(again.log_likelihood)
    return max(0.0, 2.0 * (values[1] - values[0]))
