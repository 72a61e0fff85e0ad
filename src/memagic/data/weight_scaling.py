"""Option pwscale(): the observations' sampling weights put on another scale within their groups.

Source: [ME] mixed, Methods and formulas, 'pwscale()'; Rabe-Hesketh and Skrondal (2006), JRSS A 169,
805-827, section 3; Graubard and Korn (1996) for gk.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from memagic.data.weights import Weights
from memagic.errors import CommandError

if TYPE_CHECKING:
    from memagic.data.levels import Grouping
    from memagic.spec.tree import Option

__all__ = ["scale_weights"]


def scale_weights(weights: Weights | None, groupings: tuple[Grouping, ...], option: Option) -> Weights:
    """The weights of a two-level model, scaled.

    Parameters
    ----------
    weights : Weights or None
    groupings : tuple of Grouping
    option : Option
        ``size``: an observation's weights sum to the group's size; ``effective``: to its effective
        size, (sum w)^2 / sum w^2; ``gk``: the group has the mean of the products of both levels'
        weights, and the observations one.

    Raises
    ------
    CommandError
        Other models than those of two levels with sampling weights, r(198).
    """
    if weights is None or weights.kind != "pweight" or len(groupings) != 1:
        raise CommandError(
            198,
            "option pwscale() not allowed",
            span=option.span,
            hint="it is for models of two levels with sampling weights [pw=w]",
        )
    w, codes = weights.observations, groupings[0].codes
    total = np.bincount(codes, weights=w)
    sizes = groupings[0].sizes.astype(float)
    if option.value == "size":
        return replace(weights, observations=w * (sizes / total)[codes])
    if option.value == "effective":
        squares = np.bincount(codes, weights=w * w)
        return replace(weights, observations=w * (total / squares)[codes])
    upper = weights.levels[0]
    mean = total / sizes
    return replace(weights, observations=np.ones_like(w), levels=(mean if upper is None else mean * upper,))
