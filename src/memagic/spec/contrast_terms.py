"""The terms of `contrast` and `pwcompare`: ``i.g``, ``r.g``, ``a##b``.

Source: [R] contrast, contrast operators.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memagic.spec.command_options import Allowed, Given, split_options

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Span

__all__ = ["OPERATORS", "ContrastFactor", "ContrastTerm", "read_contrast_terms", "read_terms"]

# Differences from the base (r, rb#), from the next level (a) or the previous one (ar), from the mean (g).
_OPERATOR = re.compile(r"(?P<kind>i|r|a|ar|g|)(?:b(?P<base>\d+))?")


_CONTINUOUS = "c"

OPERATORS = re.compile(r"(r|a|ar|g)(b\d+)?")
"""The operators that only contrasts have."""


@dataclass(frozen=True, slots=True)
class ContrastFactor:
    """A factor variable with its contrast operator; `kind` is empty for a joint test alone."""

    name: str
    kind: str = ""
    base: float | None = None
    span: Span = (0, 0)


@dataclass(frozen=True, slots=True)
class ContrastTerm:
    """Factor variables whose interaction, or main effect, is meant.

    Attributes
    ----------
    factors : tuple of ContrastFactor
    span : Span
    slopes : tuple of str
        Continuous variables of the interaction: what is contrasted are then slopes.
    """

    factors: tuple[ContrastFactor, ...]
    span: Span = (0, 0)
    slopes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """``children#c.age``."""
        return "#".join([*(factor.name for factor in self.factors), *(f"c.{name}" for name in self.slopes)])


def read_contrast_terms(
    cursor: Cursor, allowed: dict[str, Allowed], *, operators: bool
) -> tuple[tuple[ContrastTerm, ...], tuple[Given, ...]]:
    """Read the terms and the options; operators are those of contrasts.

    Raises
    ------
    CommandError
        r(198) for a syntax error.
    """
    body, options = split_options(cursor, allowed)
    if body.done:
        raise body.invalid(hint="a factor variable of the model is expected here")
    return read_terms(body, operators=operators, slopes=True), options


def read_terms(body: Cursor, *, operators: bool, slopes: bool = False) -> tuple[ContrastTerm, ...]:
    """Read terms up to the end or to `if`; with `slopes`, ``c.x`` may be a part of them.

    Raises
    ------
    CommandError
        r(198) for what is no term.
    """
    found: dict[str, ContrastTerm] = {}
    while not body.done and not body.at("if", "in"):
        first = body.position
        factors = [_slope(body) or _factor(body, operators) if slopes else _factor(body, operators)]
        joins: list[str] = []
        while body.at("#", "##"):
            joins.append(body.take().text)
            factors.append(_slope(body) or _factor(body, operators) if slopes else _factor(body, operators))
        span = body.span_from(first)
        sets: list[tuple[ContrastFactor, ...]] = [(factors[0],)]
        for join, factor in zip(joins, factors[1:], strict=True):
            crossed = [(*left, factor) for left in sets]
            sets = [*sets, (factor,), *crossed] if join == "##" else crossed
        for one in sets:
            term = ContrastTerm(
                tuple(factor for factor in one if factor.kind != _CONTINUOUS),
                span,
                tuple(factor.name for factor in one if factor.kind == _CONTINUOUS),
            )
            found.setdefault(term.name, term)
    return tuple(found.values())


def _slope(body: Cursor) -> ContrastFactor | None:
    """A continuous variable, ``c.x``; None where there is none."""
    if not (body.at("c") and body.at(".", ahead=1) and body.joined() and body.at_kind("name", ahead=2)):
        return None
    first = body.position
    body.take()
    body.take()
    return ContrastFactor(body.take().text, _CONTINUOUS, None, body.span_from(first))


def _factor(body: Cursor, operators: bool) -> ContrastFactor:
    first = body.position
    word = ""
    while body.at_kind("name") or body.at_kind("digits"):
        following = body.peek(1)
        joined = following is not None and body.joined()
        if (
            not joined
            or following is None
            or not (following.text == "." or following.kind in ("name", "digits"))
        ):
            break
        word += body.take().text
        if body.at("."):
            break
    match = _OPERATOR.fullmatch(word)
    known = (
        match is not None
        and (operators or match["kind"] in ("", "i"))
        and (match["base"] is None or operators)
    )
    if word and not body.at("."):
        known = False
    if not known or match is None:
        body.position = first
        raise body.invalid(hint="type i.g, or an operator of contrasts: r.g, a.g, ar.g, g.g")
    if body.at("."):
        body.take()
    if not body.at_kind("name"):
        raise body.invalid(hint="a factor variable of the model is expected here")
    name = body.take().text
    kind = "" if match["kind"] == "i" else match["kind"]
    base = None if match["base"] is None else float(match["base"])
    return ContrastFactor(name, kind, base, body.span_from(first))
