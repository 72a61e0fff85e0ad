"""Responses of margins that are expressions of predictions, parameters and variables: `expression()`.

Source: [R] margins, option expression().
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError
from memagic.postestimation.differentiation import Dual, constant, differentiate
from memagic.postestimation.marginal_response import Response, Valued, response_at, slope_at
from memagic.postestimation.nonlinear import estimated
from memagic.postestimation.scenes import RandomPart, Scene, Shares
from memagic.spec.margins_predict import Formula
from memagic.spec.tree import Estimated, Name
from memagic.spec.walk import nodes_of

Array = NDArray[np.float64]

__all__ = ["Answer", "FormulaResponse", "slope_of", "value_of"]


@dataclass(frozen=True, slots=True, eq=False)
class FormulaResponse:
    """An expression as the response.

    Attributes
    ----------
    formula : Formula
    responses : mapping of str to Response
        The predictions in it, by their names in the tree.
    stored : mapping
        What ``e(name)`` is.
    column : callable
        A variable that the model has not, for all rows of the estimation sample.
    """

    formula: Formula
    responses: Mapping[str, Response]
    stored: Mapping[str, Any]
    column: Callable[[str, tuple[int, int]], Array]

    @property
    def offset(self) -> bool:
        """Whether the offset is in one of the predictions."""
        return any(one.offset for one in self.responses.values())

    @property
    def trials(self) -> bool:
        """Whether the number of trials is in one of the predictions."""
        return any(one.trials for one in self.responses.values())

    def columns(self, covariates: Mapping[str, Array]) -> list[str]:
        """The variables in it that the model has not."""
        names = [node.name for node in nodes_of(self.formula.tree) if isinstance(node, Name)]
        return [name for name in names if name not in covariates and name != "_pi"]


Answer: TypeAlias = Response | FormulaResponse
"""What a margin is the mean of."""


def value_of(scene: Scene, answer: Answer, part: RandomPart) -> Valued:
    """The response of every row of a scene."""
    if isinstance(answer, Response):
        return response_at(scene, answer, part)
    found = _evaluated(scene, answer, part, None)
    return Valued(found.value, found.gradient)


def slope_of(scene: Scene, answer: Answer, part: RandomPart, variable: str) -> tuple[Valued, Valued]:
    """The response of every row, and its derivative in a continuous variable."""
    if isinstance(answer, Response):
        return slope_at(scene, answer, part, variable)
    found = _evaluated(scene, answer, part, variable)
    return Valued(found.value, found.gradient), Valued(found.slope, found.cross)


def _evaluated(scene: Scene, answer: FormulaResponse, part: RandomPart, variable: str | None) -> Dual:
    """The expression with its derivatives by row, its slope in a variable."""
    k, n = len(scene.estimates.parameters), len(scene.rows)

    def leaf(node: Estimated | Name) -> Dual:
        if isinstance(node, Name):
            return _variable(scene, answer, node, variable, k)
        if node.kind not in ("predict", "xb"):
            return estimated(scene.estimates, node, answer.stored)
        response = answer.responses[f"{node.kind}({node.name})"]
        if variable is None:
            found = response_at(scene, response, part)
            return Dual(found.value, found.gradient, np.zeros(n), np.zeros((n, k)))
        value, slope = slope_at(scene, response, part, variable)
        return Dual(value.value, value.gradient, slope.value, slope.gradient)

    found = differentiate(answer.formula.tree, leaf, k)
    if not (np.isfinite(found.value).all() and np.isfinite(found.gradient).all()):
        hint = "a logarithm, a root or a ratio?"
        raise CommandError(459, "expression() has missing values", span=answer.formula.span, hint=hint)
    # What is the same for all rows.
    return Dual(
        np.broadcast_to(found.value, (n,)),
        np.broadcast_to(found.gradient, (n, k)),
        np.broadcast_to(found.slope, (n,)),
        np.broadcast_to(found.cross, (n, k)),
    )


def _variable(scene: Scene, answer: FormulaResponse, node: Name, variable: str | None, k: int) -> Dual:
    if node.name not in scene.estimates.design.covariates:
        return constant(answer.column(node.name, node.span)[scene.rows], k)
    given = scene.settings.get(node.name)
    if isinstance(given, Shares):
        return constant(sum(value * share for value, share in given.of.items()), k)
    found = constant(scene.value(node.name), k)
    if node.name == variable:
        return Dual(found.value, found.gradient, np.ones(len(scene.rows)), found.cross)
    return found
