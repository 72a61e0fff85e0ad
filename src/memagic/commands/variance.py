"""Option vce(), weights and what they imply, as the engine's variance estimator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from memagic.data.design import Design
from memagic.engine.sandwich import Variance
from memagic.errors import CommandError
from memagic.results.uncertainty import Uncertainty
from memagic.spec.tree import Command, VarianceEstimator

if TYPE_CHECKING:
    from memagic.spec.tree import Option

Index = NDArray[np.intp]

__all__ = ["StandardErrors", "standard_errors"]


@dataclass(frozen=True, slots=True)
class StandardErrors:
    """The variance estimator as the engine takes it, and in words."""

    variance: Variance
    uncertainty: Uncertainty


def standard_errors(command: Command, design: Design) -> StandardErrors:
    """How the standard errors of a command are estimated.

    Sampling weights imply robust ones. These are adjusted for the groups of the highest level, or for
    those of `vce(cluster clustvar)`, which have to contain them.

    Raises
    ------
    CommandError
        vce(oim) or vce(opg) with sampling weights, r(198); groups that are not nested within the
        clusters, r(459).
    """
    option = command.options.get("vce")
    sampling = design.weights is not None and design.weights.kind == "pweight"
    chosen = VarianceEstimator("robust" if sampling else "oim")
    if option is not None:
        chosen = cast("VarianceEstimator", option.value)
    if sampling and chosen.kind in ("oim", "opg"):
        assert option is not None
        hint = "sampling weights imply vce(robust)"
        raise CommandError(
            198, f"vce({chosen.kind}) is not allowed with pweights", span=option.span, hint=hint
        )
    if chosen.kind == "oim":
        return StandardErrors(Variance(), Uncertainty())
    copies = _copies(design)
    if chosen.kind == "opg":
        return StandardErrors(Variance("opg", copies=copies), Uncertainty("opg"))
    if chosen.kind == "cluster":
        assert option is not None
        groups, n = _clusters(option, design)
        uncertainty = Uncertainty("cluster", chosen.cluster or "", n, pseudo=True)
        return StandardErrors(Variance("robust", groups, n), uncertainty)
    if not design.levels:
        return StandardErrors(Variance("robust", copies=copies), Uncertainty("robust", pseudo=True))
    top = design.levels[0].grouping
    n = len(top.sizes) if copies is None else round(float(copies.sum()))
    return StandardErrors(Variance("robust", copies=copies), Uncertainty("robust", top.name, n, pseudo=True))


def _copies(design: Design) -> NDArray[np.float64] | None:
    """What frequency weights make of one unit of the highest level."""
    weights = design.weights
    if weights is None or weights.kind != "fweight":
        return None
    return weights.levels[0] if design.levels else weights.observations


def _clusters(option: Option, design: Design) -> tuple[Index, int]:
    """The cluster of every top-level group, or of every observation; and how many clusters there are."""
    assert design.clusters is not None
    codes = np.unique(design.clusters, return_inverse=True)[1].reshape(len(design.clusters))
    n = int(codes.max()) + 1
    if not design.levels:
        return codes, n
    top = design.levels[0].grouping
    of_group = np.empty(len(top.sizes), dtype=np.intp)
    of_group[top.codes] = codes
    if (of_group[top.codes] != codes).any():
        name = cast("VarianceEstimator", option.value).cluster
        raise CommandError(
            459,
            f"highest-level groups are not nested within {name}",
            span=option.argument_span,
            hint=f"all observations of a {top.name} have to have the same {name}",
        )
    return of_group, n
