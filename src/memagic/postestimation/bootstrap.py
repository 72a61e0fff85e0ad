"""The parametric bootstrap of a likelihood-ratio statistic."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from memagic.data.same_rows import same_order
from memagic.engine.constraints import LinearConstraints
from memagic.engine.crossed.threads import modest_threads
from memagic.engine.fit import Fit, Settings, fit
from memagic.engine.problem import Problem
from memagic.engine.start import NotFeasible
from memagic.errors import CommandError
from memagic.postestimation.likelihood_ratio_result import Bootstrapped, LikelihoodRatio
from memagic.postestimation.simulate import draw_from
from memagic.postestimation.without import without
from memagic.postestimation.workers import carry_out, crew_of
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]

__all__ = ["Refittable", "bootstrapped", "refittable", "refittable_pair", "refittable_without_effects"]

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Refittable:
    """What is needed to fit a model to other responses; it goes to other processes.

    Attributes
    ----------
    problem : Problem
    settings : Settings
    constraints : LinearConstraints or None
    theta : ndarray
        The estimates as the engine has them, from which responses are drawn.
    """

    problem: Problem
    settings: Settings
    constraints: LinearConstraints | None
    theta: Array


@dataclass(frozen=True, slots=True)
class _Replication:
    """A response drawn under the smaller model, and both models fitted to it."""

    small: Refittable
    large: Refittable

    def __call__(self, seed: np.random.SeedSequence) -> float:
        """The statistic; nan where a model has no maximum."""
        with modest_threads(self.large.problem):
            return self._statistic(np.random.default_rng(seed))

    def _statistic(self, rng: np.random.Generator) -> float:
        y = draw_from(self.small.problem, self.small.theta, rng)
        values = []
        for model in (self.small, self.large):
            found = _refit(model, y)
            if found is None or not found.converged:
                return float("nan")
            values.append(found.log_likelihood)
        return max(0.0, 2.0 * (values[1] - values[0]))


def refittable(estimates: Estimates) -> Refittable:
    """The model of some estimates."""
    fitted = estimates.fit
    return Refittable(estimates.problem, estimates.settings, fitted.constraints, fitted.theta)


def refittable_pair(small: Estimates, large: Estimates) -> tuple[Refittable, Refittable]:
    """Two models of the same rows in the same order, to be fitted to the same responses.

    Raises
    ------
    CommandError
        Other rows, or another order, r(498).
    """
    if not same_order(small.design, large.design):
        hint = "bootstrap() needs models of one sample, with its rows in one order"
        raise CommandError(498, "the estimation samples differ", hint=hint)
    return refittable(small), refittable(large)


def refittable_without_effects(estimates: Estimates) -> Refittable:
    """The model that is left without random effects, fitted to the same response.

    Raises
    ------
    CommandError
        It has no maximum, r(498).
    """
    assert estimates.problem.structure is not None
    reduced = without(estimates, np.ones(estimates.problem.structure.q, dtype=np.bool_))
    start = replace(estimates.settings.start, given=(), grid=())
    settings = replace(estimates.settings, start=start)
    bare = Refittable(reduced.problem, settings, reduced.constraints, np.empty(0))
    found = _refit(bare, estimates.problem.y)
    if found is None:
        raise CommandError(498, "the model without random effects could not be fitted")
    return replace(bare, theta=found.theta)


def bootstrapped(
    test: LikelihoodRatio,
    small: Refittable,
    large: Refittable,
    replications: int,
    seed: int,
    *,
    workers: int = 1,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LikelihoodRatio:
    """The test with a bootstrap of its statistic under the smaller model.

    Every replication has a generator of its own from the seed, so that neither number nor kind of the
    workers changes a number. An interrupt ends it with the replications done so far.

    Parameters
    ----------
    test : LikelihoodRatio
    small, large : Refittable
        The models of the test, of the same rows.
    replications : int
    seed : int
    workers : int
        Processes; with 1, none but this one.
    executor : Executor, optional
        In place of `workers`: threads or processes of the caller's, which stay open.
    progress : callable, optional
        Told how many replications are done and how many there are.

    Raises
    ------
    CommandError
        A number of replications that is none, r(198); models with weights, or workers that died, r(498).
    """
    if not 1 <= replications <= _MOST:
        raise CommandError(198, f"bootstrap() must be between 1 and {_MOST:,}")
    if small.problem.weighted or large.problem.weighted:
        raise CommandError(498, "bootstrap() does not go with weights")
    children = np.random.SeedSequence(seed).spawn(replications)
    # Sums of several threads of BLAS need not be those of one: threads and processes get as many.
    with modest_threads(large.problem), crew_of(min(workers, replications), executor) as crew:
        found = carry_out(_Replication(small, large), children, crew, progress)
    statistics = np.array([value for value in found if value is not None and np.isfinite(value)])
    done = sum(value is not None for value in found)
    if not len(statistics):
        raise CommandError(498, "no replication could be fitted", hint=f"{done:,} were carried out")
    # Maximization ends within its tolerance of the maximum.
    as_large = int(np.count_nonzero(statistics >= test.chi2 - 1e-6))
    p = (1.0 + as_large) / (1.0 + len(statistics))
    result = Bootstrapped(statistics, replications, done, done - len(statistics), seed, p)
    return replace(test, bootstrap=result)


def _refit(model: Refittable, y: Array) -> Fit | None:
    """The fit of another response; None where the likelihood cannot be computed."""
    try:
        with np.errstate(all="ignore"):
            return fit(replace(model.problem, y=y), model.settings, constraints=model.constraints)
    except (NotFeasible, np.linalg.LinAlgError):
        return None
