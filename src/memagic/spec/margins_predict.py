"""The grammar of `predict()` and `expression()` in margins.

Source: [R] margins; [ME] meglm postestimation, margins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from memagic.errors import CommandError
from memagic.spec.cursor import Cursor
from memagic.spec.expression import read_response_expression, unexpected
from memagic.spec.tree import Estimated, Expression
from memagic.spec.walk import nodes_of

if TYPE_CHECKING:
    from memagic.spec.tree import Span

__all__ = ["Formula", "Prediction", "Statistic", "read_formula", "read_prediction"]

Statistic = Literal["mu", "pr", "xb", "eta"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """`predict()`: the statistic, whether random effects are at zero, the outcome, the offset.

    `outcome` is None for none, or the text in its parentheses: ``#1`` or a value. `text` is what
    was typed.
    """

    statistic: Statistic = "mu"
    fixed_only: bool = False
    outcome: str | None = None
    offset: bool = True
    text: str = ""
    span: Span = (0, 0)


@dataclass(frozen=True, slots=True)
class Formula:
    """`expression()`: an expression of predictions, parameters and variables.

    Attributes
    ----------
    tree : Expression
    text : str
    predictions : mapping of str to Prediction
        By the name that they have in the tree: what stands in their parentheses.
    """

    tree: Expression
    text: str
    predictions: Mapping[str, Prediction] = field(default_factory=dict)
    span: Span = (0, 0)


def read_formula(inner: Cursor, span: Span) -> Formula:
    """Read what stands in ``expression()``.

    Raises
    ------
    CommandError
        r(198) for a syntax error.
    """
    text = inner.words()
    tree = read_response_expression(inner)
    if not inner.done:
        raise unexpected(inner)
    found: dict[str, Prediction] = {}
    for node in nodes_of(tree):
        if not isinstance(node, Estimated) or node.kind not in ("predict", "xb"):
            continue
        if node.kind == "xb" and node.name:
            raise CommandError(
                198, "option expression() incorrectly specified", span=node.span, hint="type xb()"
            )
        try:
            one = read_prediction(Cursor(node.name, fragment=True), node.span)
        except CommandError as error:
            # Places are those in a text of its own.
            error.span, error.text = node.span, None
            raise
        found[f"{node.kind}({node.name})"] = Prediction("xb", text=one.text) if node.kind == "xb" else one
    return Formula(tree, text, found, span)


def read_prediction(inner: Cursor, span: Span) -> Prediction:
    """Read what stands in ``predict()``; nothing is the mean.

    Raises
    ------
    CommandError
        A statistic or an option that margins does not have, r(198).
    """
    text = inner.words()
    statistics: list[Statistic] = []
    fixed_only, offset = False, True
    outcome: str | None = None
    while not inner.done:
        first = inner.position
        if inner.at(","):
            inner.take()
            continue
        word = inner.take().text
        if word in ("mu", "pr", "xb", "eta"):
            statistics.append(cast("Statistic", word))
        elif _short(word, "outcome", 3) and inner.at("("):
            outcome = inner.inside().words().replace(" ", "")
        elif _short(word, "conditional", 4) and inner.at("("):
            given = inner.inside()
            if not given.at("fixedonly"):
                hint = "margins integrates over the random effects, or has them at zero: fixedonly"
                raise CommandError(
                    198, "option conditional() invalid with margins", span=inner.span_from(first), hint=hint
                )
            fixed_only = True
        elif _short(word, "nooffset", 5):
            offset = False
        elif word != "marginal":
            hint = "margins has predict(mu), pr, xb and eta, with outcome(), conditional(fixedonly), nooffset"
            message = f"{word} invalid in option predict()"
            raise CommandError(198, message, span=inner.span_from(first), hint=hint)
    if len(statistics) > 1:
        raise CommandError(198, "only one statistic may be specified", span=span)
    statistic: Statistic = statistics[0] if statistics else ("pr" if outcome is not None else "mu")
    return Prediction(statistic, fixed_only, outcome, offset, text, span)


def _short(word: str, name: str, least: int) -> bool:
    return len(word) >= least and name.startswith(word)
