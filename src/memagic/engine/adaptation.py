"""Adaptation of the nodes to the posterior's moments by the rule itself (mvaghermite).

Every look at the nodes gives log L there, and the posterior's moments, which is where the nodes move
next. The map contracts at a steady rate, some 1e-4 with seven points. What a look leaves of the change
in log L is told by that rate and, at the first look, by how log L has answered to a move before: nodes
that hardly move are not looked at twice.

Source: manual [ME] meglm, Methods and formulas, 'Adaptive Gauss-Hermite quadrature'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.kernel_nodes import moments
from memagic.engine.modes import Limits
from memagic.engine.nodes import Nodes, Placement, Posterior
from memagic.engine.objective import Evaluation

Array = NDArray[np.float64]

__all__ = ["Experience", "Look", "Settled", "adapt", "likely_last", "look_at"]

# What the adaptation may still change in log L, relative to it, when it stops.
_SETTLED = 1e-11
_MAX_LOOKS = 100
# Moves that are rounding.
_STILL = 1e-13
# Moves below which rounding is seen in their ratios.
_ROUGH = 1e-9
# Moves after which the nodes mostly are where they stay.
_NEAR = 0.1
# Slack for what is taken from earlier adaptations.
_CAUTION = 10.0


@dataclass(frozen=True, slots=True)
class Experience:
    """What the last adaptation of a block tells about the next; nan where nothing is known.

    Attributes
    ----------
    rate : float
        Of contraction.
    response : float
        Change of log L when the nodes move by one, in units of what may be left.
    reach : float
        The move that this was seen in. Log L may answer to a larger one by far more.
    """

    rate: float = float("nan")
    response: float = float("nan")
    reach: float = float("nan")

    def left(self, shift: float) -> float:
        """What a move of this size may change in log L, in units of what may be left."""
        return self.response * shift if shift <= self.reach else float("inf")


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the nodes tells.

    Attributes
    ----------
    placement : Placement
        Of the nodes.
    log_l : ndarray, shape (M_1,)
    moved : Placement
        At the moments of the posterior by these nodes.
    shift : float
        How far that is, in standard deviations of the posterior.
    evaluation : Evaluation or None
        With the nodes held at `placement`, where derivatives have been computed.
    """

    placement: Placement
    log_l: Array
    moved: Placement
    shift: float
    evaluation: Evaluation | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The last look, and what was learnt on the way there."""

    last: Look
    experience: Experience


def look_at(
    nodes: Nodes, weights: Posterior, placement: Placement, evaluation: Evaluation | None = None
) -> Look:
    """The moments by the nodes at `placement`, which have the posterior weights `weights`."""
    if not np.isfinite(weights.log_l).all():
        return Look(placement, weights.log_l, placement, float("inf"), evaluation)
    means, roots, shift = [], [], 0.0
    for weight, chains, mean, root in zip(
        weights.joint, nodes.chains, placement.mean, placement.root, strict=True
    ):
        new_mean, new_root, move = moments(weight, chains, mean, root)
        means.append(new_mean)
        roots.append(new_root)
        shift = max(shift, move)
    return Look(placement, weights.log_l, Placement(tuple(means), tuple(roots)), shift, evaluation)


def likely_last(expected: float, experience: Experience) -> bool:
    """Whether a look that is likely to find the shift `expected` is likely to be the last."""
    return experience.left(expected) <= 1.0


def adapt(
    look: Callable[[Placement, bool], Look], first: Look, experience: Experience, limits: Limits | None = None
) -> Settled:
    """Move the nodes to the moments until log L settles.

    Parameters
    ----------
    look : callable
        Of a placement, and whether this look is likely to be the last.
    first : Look
        At the nodes to begin with.
    experience : Experience
        Without any, there is one more look at least.
    limits : Limits, optional
        Other than the default ones.
    """
    limits = limits or Limits()
    looks = _MAX_LOOKS if limits.steps is None else limits.steps
    settled = _SETTLED if limits.tolerance is None else limits.tolerance
    now = first
    left = 0.0 if now.shift <= _STILL else experience.left(_CAUTION * now.shift)
    for _ in range(looks):
        if left <= 1.0 or not np.isfinite(now.shift):
            break
        before = now
        is_last = before.shift <= _NEAR or likely_last(experience.rate * before.shift, experience)
        now = look(before.moved, is_last)
        left, experience = _judge(before, now, experience, settled)
    return Settled(now, experience)


def _judge(before: Look, now: Look, experience: Experience, settled: float) -> tuple[float, Experience]:
    """What is left of the change in log L, in units of what may be; and what was learnt."""
    may_be_left = settled * float(np.abs(now.log_l).sum())
    change = float(np.abs(now.log_l - before.log_l).sum()) / max(may_be_left, 1e-300)
    rate = now.shift / before.shift
    if before.shift > _ROUGH:
        experience = Experience(rate, change / before.shift, before.shift)
    if now.shift <= _STILL:
        return 0.0, experience
    return change * rate if rate < 0.9 else float("inf"), experience
