"""Log likelihood by Gauss-Hermite quadrature over nested levels, with analytic derivatives.

Derivatives are those with the nodes held, see held.py. Newton's method with these converges to the
root of the gradient g at re-adapted nodes.

Source: manual [ME] meglm, Methods and formulas, 'Adaptive Gauss-Hermite quadrature'.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.adaptation import Experience, Look, adapt, likely_last, look_at
from memagic.engine.blocks import Block, arrange
from memagic.engine.held import derivatives_look, evaluate_block, value_block
from memagic.engine.modes import Limits
from memagic.engine.nodes import (
    Method,
    Placement,
    RowDensity,
    apart,
    lay,
    place_mode_curvature,
    place_prior,
    posterior_at,
    row_density,
)
from memagic.engine.objective import Evaluation
from memagic.engine.pool import in_order
from memagic.engine.problem import Parameters, Problem
from memagic.engine.rules import PathRule, path_rule

Array = NDArray[np.float64]

__all__ = ["QuadratureObjective", "affordable", "affordable_nodes", "evaluate_block", "value_block"]


# Nodes an observation beyond which a fit takes hours where seven points in one dimension take a
# second, and nodes times the observations of a group beyond which an array takes a gigabyte.
_MOST_NODES = 1_000_000
_MOST_ELEMENTS = 100_000_000
# Where moments are refined in any case, modes to within some hundredths of a standard deviation do.
_SEED, _EXACT = 3e-2, 1e-13
# A shift, in standard deviations of the posterior, from which on nodes are placed by the mode instead.
_ASTRAY = 1.0


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where a block's nodes lie at given parameters, and what was learnt on the way there.

    `pace` is about how far the nodes move when theta changes by one, in standard deviations of the posterior.
    """

    theta: Array
    placement: Placement
    experience: Experience
    pace: float


class QuadratureObjective:
    """Log likelihood over theta = (beta, omega, phi); nodes are placed anew at every theta.

    The search for the modes starts at the means found last. It is only a start: what is returned
    depends on theta alone, to the tolerance of the adaptation.

    Blocks are worked on by `threads` at once; the sums over them do not depend on how many.
    """

    def __init__(
        self,
        problem: Problem,
        method: Method,
        n_points: int,
        limits: Limits | None = None,
        threads: int = 0,
    ) -> None:
        self._problem = problem
        self._threads = threads
        self._limits = limits
        self._method = method
        self._rule = path_rule(n_points, tuple(level.structure.q for level in problem.levels))
        self._blocks = arrange(problem, self._rule.n_paths)
        self._constant = problem.constant
        self._placed: list[_Placed | None] = [None] * len(self._blocks)
        self._theta = np.full(0, np.nan)

    @property
    def memory(self) -> tuple[_Placed | None, ...]:
        """Where the nodes were last: what the next evaluation starts from."""
        return tuple(self._placed)

    def recalling(self, memory: tuple[_Placed | None, ...]) -> QuadratureObjective:
        """A twin that starts from the memory of another one; this one stays as it is."""
        twin = copy(self)
        twin._placed = list(memory)
        return twin

    @property
    def blocks(self) -> list[Block]:
        return self._blocks

    @property
    def rule(self) -> PathRule:
        return self._rule

    def place(self, theta: Array) -> list[Placement]:
        """Where the nodes of every block lie at theta."""
        parameters = self._parameters(theta)
        return in_order(lambda i: self._place(i, parameters), len(self._blocks), self._threads)

    def value(self, theta: Array) -> float:
        parameters = self._parameters(theta)

        def value(i: int) -> float:
            return float(self._log_l(i, parameters).sum())

        total = self._constant
        for part in in_order(value, len(self._blocks), self._threads):
            total += part
        return total

    def around(self, theta: Array) -> Callable[[Array], Array]:
        """The clusters' log likelihoods, less constants, with the nodes held as they are at theta."""
        placements = self.place(theta)

        def values(theta: Array) -> Array:
            parameters = self._problem.unpack(theta)
            by_cluster = np.empty(self._problem.n_clusters)
            for block, placement in zip(self._blocks, placements, strict=True):
                part = value_block(self._problem, block, self._rule, placement, parameters)
                by_cluster[block.clusters] = part
            return by_cluster

        return values

    def evaluate(self, theta: Array) -> Evaluation:
        parameters = self._parameters(theta)
        d = len(theta)
        value = self._constant
        scores = np.empty((self._problem.n_clusters, d))
        hessian = np.zeros((d, d))

        def evaluated(i: int) -> tuple[float, Array]:
            part = self._evaluated(i, parameters)
            scores[self._blocks[i].clusters] = part.scores
            return part.value, part.hessian

        for of_block, hessian_of_block in in_order(evaluated, len(self._blocks), self._threads):
            value += of_block
            hessian += hessian_of_block
        return Evaluation(value, scores, hessian)

    def _parameters(self, theta: Array) -> Parameters:
        """The parts of theta, which is where the objective is from now on."""
        self._theta = theta.copy()
        return self._problem.unpack(self._theta)

    def _is_placed(self, i: int) -> bool:
        """Whether the nodes of a block have been placed at this theta."""
        last = self._placed[i]
        return last is not None and np.array_equal(last.theta, self._theta)

    def _log_l(self, i: int, parameters: Parameters) -> Array:
        """The log likelihoods of a block's clusters, weighted, less the constant, shape (M_1,)."""
        block = self._blocks[i]
        if self._method != "mvaghermite" or self._is_placed(i):
            return value_block(self._problem, block, self._rule, self._place(i, parameters), parameters)
        look = self._looking(i, row_density(self._problem, block, parameters))
        return block.counted(self._adapted(i, parameters, look).log_l, 0)

    def _place(self, i: int, parameters: Parameters) -> Placement:
        """Where the nodes of a block lie."""
        if self._method == "ghermite":
            return place_prior(self._blocks[i])
        last = self._placed[i]
        if last is not None and self._is_placed(i):
            return last.placement
        if self._method == "mcaghermite":
            placement = self._near_modes(i, parameters, _EXACT)
            self._keep(i, _Placed(self._theta, placement, Experience(), float("nan")))
            return placement
        density = row_density(self._problem, self._blocks[i], parameters)
        return self._adapted(i, parameters, self._looking(i, density)).placement

    def _evaluated(self, i: int, parameters: Parameters) -> Evaluation:
        """The derivatives of a block, in the look that settles its nodes where that can be told before."""
        problem, block, rule = self._problem, self._blocks[i], self._rule
        if self._method != "mvaghermite" or self._is_placed(i):
            placement = self._place(i, parameters)
            return evaluate_block(problem, block, rule, placement, parameters)
        density = row_density(problem, block, parameters)
        look = self._looking(i, density)

        def derive(placement: Placement) -> Look:
            return derivatives_look(problem, block, rule, placement, parameters, density)

        def derive_last(placement: Placement, is_last: bool) -> Look:
            return derive(placement) if is_last else look(placement, is_last)

        settled = self._adapted(i, parameters, derive_last)
        evaluation = settled.evaluation or derive(settled.placement).evaluation
        assert evaluation is not None
        return evaluation

    def _looking(self, i: int, density: RowDensity) -> Callable[[Placement, bool], Look]:
        """Looks at the nodes of a block, without derivatives."""
        block, rule = self._blocks[i], self._rule

        def look(placement: Placement, is_last: bool) -> Look:
            nodes = lay(block, placement, rule)
            return look_at(nodes, posterior_at(block, density, nodes), placement)

        return look

    def _adapted(self, i: int, parameters: Parameters, look: Callable[[Placement, bool], Look]) -> Look:
        """The look that finds the nodes of a block settled, from where they were last."""
        last, theta = self._placed[i], self._theta
        first, experience, pace = None, Experience(), float("nan")
        if last is not None:
            distance = float(np.abs(theta - last.theta).max(initial=0.0))
            experience, pace = last.experience, last.pace
            # The nodes are not looked at where they are likely to be out of place, or may be.
            if pace * distance <= _ASTRAY:
                first = look(last.placement, likely_last(pace * distance, experience))
                pace = first.shift / max(distance, 1e-300)
        if first is None or not first.shift <= _ASTRAY:
            first = look(self._near_modes(i, parameters, _SEED), False)
            if last is not None:
                pace = apart(last.placement, first.placement) / max(distance, 1e-300)
        settled = adapt(look, first, experience, self._limits)
        self._keep(i, _Placed(theta, settled.last.placement, settled.experience, pace))
        return settled.last

    def _near_modes(self, i: int, parameters: Parameters, enough: float) -> Placement:
        problem, block, last = self._problem, self._blocks[i], self._placed[i]
        assert problem.structure is not None
        fixed = block.fixed_part(parameters.beta)
        factor = problem.structure.factor(parameters.omega)
        start = None if last is None else last.placement.mean
        limits = Limits(tolerance=enough) if self._limits is None else self._limits
        return place_mode_curvature(block, problem.family, fixed, factor, parameters.phi, start, limits)

    def _keep(self, i: int, placed: _Placed) -> None:
        """Start from there next time, unless the likelihood has no moments there."""
        if all(np.isfinite(part).all() for part in (*placed.placement.mean, *placed.placement.root)):
            self._placed[i] = placed


def affordable(problem: Problem, n_points: int) -> bool:
    """Whether a rule of so many points a dimension can be evaluated in the time and memory there is."""
    assert problem.structure is not None
    largest = int(np.bincount(problem.levels[0].cluster).max())
    return affordable_nodes(n_points**problem.structure.q, largest)


def affordable_nodes(n_nodes: int, largest: int) -> bool:
    """Whether so many nodes are, where the largest top-level group has `largest` observations.

    A top-level group is integrated as a whole: its observations times the nodes are held at once.
    """
    return bool(n_nodes <= _MOST_NODES and n_nodes * largest <= _MOST_ELEMENTS)
