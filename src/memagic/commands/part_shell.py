"""Designs and problems without rows, for a model whose data are elsewhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memagic.data.design import Design, DesignLevel, Grouping
from memagic.data.levels import touched
from memagic.data.sample import Dropped
from memagic.data.weights import Weights
from memagic.engine.families import Family
from memagic.engine.problem import Level, Problem
from memagic.models import covariance_structure
from memagic.results.removed import Removed
from memagic.results.uncertainty import GroupCounts, group_counts, observations

Mask = NDArray[np.bool_]

__all__ = ["DesignFacts", "design_facts", "shell_design", "shell_problem"]

_HINT = "it is in the partitions of a Dask DataFrame; give rows to predict for, or fit on df.compute()"


@dataclass(frozen=True, slots=True)
class DesignFacts:
    """What is known of the rows of a design, without them.

    Attributes
    ----------
    n : int
        Rows in the sample.
    n_obs : int
        Observations; more where frequency weights count them.
    groups : tuple of int
        By level, how many there are.
    counts : tuple of GroupCounts
    touched : ndarray of bool, shape (Q,)
        Which effects are not zero in every row.
    template : Design
        Without rows.
    digest : bytes
        Of the arrays.
    """

    n: int
    n_obs: int
    groups: tuple[int, ...]
    counts: tuple[GroupCounts, ...]
    touched: Mask
    template: Design
    digest: bytes

    def __add__(self, other: DesignFacts) -> DesignFacts:
        """Those of two parts together."""
        seen = {
            name: np.union1d(values, other.template.origin.seen[name])
            for name, values in self.template.origin.seen.items()
        }
        origin = replace(self.template.origin, seen=seen)
        return DesignFacts(
            self.n + other.n,
            self.n_obs + other.n_obs,
            tuple(map(sum, zip(self.groups, other.groups, strict=True))),
            tuple(_together(*pair) for pair in zip(self.counts, other.counts, strict=True)),
            self.touched | other.touched,
            replace(self.template, origin=origin),
            self.digest + other.digest,
        )


def _together(one: GroupCounts, other: GroupCounts) -> GroupCounts:
    n = one.n + other.n
    average = (one.n * one.average + other.n * other.average) / n
    return GroupCounts(n, min(one.minimum, other.minimum), average, max(one.maximum, other.maximum))


def design_facts(design: Design | None) -> DesignFacts | None:
    """What is known of a part's design; None where it has no rows."""
    if design is None:
        return None
    return DesignFacts(
        n=len(design.y),
        n_obs=observations(len(design.y), design.weights, design.groupings),
        groups=tuple(len(grouping.sizes) for grouping in design.groupings),
        counts=group_counts(design.weights, design.groupings),
        touched=touched(design.levels),
        template=_template(design),
        digest=_digest(design),
    )


def _template(design: Design) -> Design:
    """The design with no rows in its arrays."""
    none = np.empty(0)
    return replace(
        design,
        sample=none.astype(bool),
        y=none,
        x=design.x[:0],
        offset=None if design.offset is None else none,
        trials=design.trials if isinstance(design.trials, float) else none,
        levels=tuple(_empty(level) for level in design.levels),
        weights=None if design.weights is None else _weights(design.weights, none, none),
        covariates=dict.fromkeys(design.covariates, none),
        index=None,
        origin=replace(design.origin, index=None),
    )


def _empty(level: DesignLevel) -> DesignLevel:
    none = np.empty(0, dtype=np.intp)
    grouping = replace(level.grouping, codes=none, sizes=none, values=np.empty(0))
    return replace(level, grouping=grouping, z=level.z[:0])


def _weights(weights: Weights, rows: Any, groups: Any) -> Weights:
    levels = tuple(None if level is None else groups for level in weights.levels)
    return replace(weights, observations=rows, levels=levels)


def _digest(design: Design) -> bytes:
    digest = hashlib.blake2b(digest_size=8)
    arrays = [design.y, design.x, design.offset, np.atleast_1d(design.trials)]
    for level in design.levels:
        arrays += [level.z, level.grouping.codes.astype(float)]
    for array in arrays:
        if array is not None:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()


def shell_design(facts: DesignFacts, dropped: Dropped, notes: tuple[str, ...]) -> Design:
    """The design of all parts, of whose arrays the shapes are known."""
    template, rows = facts.template, _away(facts.n)
    return replace(
        template,
        sample=_away(dropped.rows),
        y=rows,
        x=_away(facts.n, template.x.shape[1]),
        offset=None if template.offset is None else rows,
        trials=template.trials if isinstance(template.trials, float) else rows,
        levels=tuple(
            _level(level, facts.n, size) for level, size in zip(template.levels, facts.groups, strict=True)
        ),
        weights=_shell_weights(facts),
        covariates=dict.fromkeys(template.covariates, rows),
        dropped=dropped,
        notes=notes,
    )


def _level(level: DesignLevel, n: int, size: int) -> DesignLevel:
    grouping: Grouping = replace(level.grouping, codes=_away(n), sizes=_away(size), values=_away(size))
    return replace(level, grouping=grouping, z=_away(n, level.z.shape[1]))


def _shell_weights(facts: DesignFacts) -> Weights | None:
    weights = facts.template.weights
    if weights is None:
        return None
    levels = tuple(
        None if level is None else _away(size)
        for level, size in zip(weights.levels, facts.groups, strict=True)
    )
    return replace(weights, observations=_away(facts.n), levels=levels)


def _away(*shape: int) -> Any:
    return Removed(shape, _HINT)


def shell_problem(design: Design, family: Family) -> Problem:
    """The problem of such a design, which has no crossed effects."""
    weights = design.weights
    of_level = (None,) * len(design.levels) if weights is None else weights.levels
    levels = tuple(
        Level(
            level.grouping.codes,
            level.z,
            covariance_structure((e.covariance, len(e.columns)) for e in level.equations),
            weight,
        )
        for level, weight in zip(design.levels, of_level, strict=True)
    )
    own = None if weights is None else weights.observations
    return Problem(family, design.y, design.x, design.offset, design.trials, levels, own)
