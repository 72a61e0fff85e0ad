"""The grammar of `margins`.

Source: [R] margins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from memagic.errors import CommandError
from memagic.spec.command_options import Allowed, Given, confidence_level, split_options
from memagic.spec.expression import read_expression, unexpected
from memagic.spec.numlist import read_numlist, signed_number
from memagic.spec.varlist import read_varlist

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Expression, Span, Term

__all__ = ["AtItem", "MarginsCommand", "Prediction", "read_margins"]

Derivative = Literal["", "dydx", "eyex", "dyex", "eydx"]
Statistic = Literal["mu", "pr", "xb", "eta"]

_DERIVATIVES: tuple[Derivative, ...] = ("dydx", "eyex", "dyex", "eydx")
_ALLOWED: dict[str, Allowed] = {
    "at": Allowed(2, "required", repeated=True),
    "atmeans": Allowed(3),
    "over": Allowed(4, "required"),
    **dict.fromkeys(_DERIVATIVES, Allowed(4, "required")),
    "predict": Allowed(4, "required", repeated=True),
    "level": Allowed(1, "required"),
    "noatlegend": Allowed(5),
    "asbalanced": Allowed(5),
}
_STATISTIC = re.compile(r"o?(mean|median|p[1-9][0-9]?|min|max|zero|base|asobserved|asbalanced)")
_USAGE = "type at(x=1), at(x=(1 2 3)), at(x=(0(10)50)), at((mean) _all) or at(x=generate(x+1))"


@dataclass(frozen=True, slots=True)
class AtItem:
    """One part of `at()`: values of a variable, an expression for it, or a statistic of several.

    Attributes
    ----------
    names : tuple of str
        ``_all``, ``_factor`` and ``_continuous`` stand for lists.
    values : tuple of float
        Empty for the others.
    statistic : str
        ``mean``, ``p25``, with the prefix o over all observations; empty for the others.
    expression : Expression or None
    """

    names: tuple[str, ...]
    values: tuple[float, ...] = ()
    statistic: str = ""
    expression: Expression | None = None
    text: str = ""
    span: Span = (0, 0)


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
class MarginsCommand:
    """What was typed after `margins`.

    Attributes
    ----------
    terms : tuple of Term
        The marginlist.
    condition : Expression or None
    at : tuple of tuple of AtItem
        One entry an `at()`.
    atmeans, asbalanced, legend : bool
    over : tuple of (str, span)
    derivative : str
        Empty for margins of responses.
    variables : tuple of (str, span)
        Of the derivatives; ``_all`` for a star.
    predictions : tuple of Prediction
        Empty for the default.
    level : float
    """

    terms: tuple[Term, ...] = ()
    condition: Expression | None = None
    at: tuple[tuple[AtItem, ...], ...] = ()
    atmeans: bool = False
    asbalanced: bool = False
    legend: bool = True
    over: tuple[tuple[str, Span], ...] = ()
    derivative: Derivative = ""
    variables: tuple[tuple[str, Span], ...] = ()
    predictions: tuple[Prediction, ...] = ()
    level: float = 95.0


def read_margins(cursor: Cursor) -> MarginsCommand:
    """Read what follows ``margins``.

    Raises
    ------
    CommandError
        r(198) for a syntax error, r(121) for a list of numbers that is none.
    """
    body, options = split_options(cursor, _ALLOWED)
    terms = read_varlist(body)
    condition = None
    if body.at("if"):
        body.take()
        condition = read_expression(body)
    if not body.done:
        raise unexpected(body)
    chosen = [option for option in options if option.name in _DERIVATIVES]
    if len(chosen) > 1:
        names = " and ".join(f"{option.name}()" for option in chosen[:2])
        raise CommandError(198, f"only one of {names} may be specified", span=chosen[1].span)
    given = {option.name: option for option in options}
    derivative = cast("Derivative", chosen[0].name) if chosen else ""
    return MarginsCommand(
        terms=terms,
        condition=condition,
        at=tuple(_at(option) for option in options if option.name == "at"),
        atmeans="atmeans" in given,
        asbalanced="asbalanced" in given,
        legend="noatlegend" not in given,
        over=_variables(given["over"]) if "over" in given else (),
        derivative=derivative,
        variables=_variables(chosen[0]) if chosen else (),
        predictions=tuple(_prediction(option) for option in options if option.name == "predict"),
        level=confidence_level(options),
    )


def _inside(option: Given) -> Cursor:
    assert option.inner is not None
    if option.inner.done:
        raise CommandError(198, f"option {option.name}() incorrectly specified", span=option.span)
    return option.inner


def _variables(option: Given) -> tuple[tuple[str, Span], ...]:
    inner = _inside(option)
    if inner.at("*") and inner.stop == inner.position + 1:
        return (("_all", inner.take().span),)
    found: list[tuple[str, Span]] = []
    while not inner.done:
        # i.g and c.x are g and x here.
        if inner.at("i", "c") and inner.at(".", ahead=1) and inner.joined():
            inner.take()
            inner.take()
        if not inner.at_kind("name"):
            raise inner.invalid(hint="names of variables are expected here")
        token = inner.take()
        found.append((token.text, token.span))
    return tuple(found)


# --- at() ---------------------------------------------------------------------------------------


def _at(option: Given) -> tuple[AtItem, ...]:
    inner = _inside(option)
    items: list[AtItem] = []
    while not inner.done:
        items.append(_statistic(inner) if inner.at("(") else _values(inner))
    return tuple(items)


def _statistic(inner: Cursor) -> AtItem:
    first = inner.position
    word = inner.inside().words().replace(" ", "")
    match = _STATISTIC.fullmatch(word)
    if match is None:
        hint = "statistics are mean, median, p1 to p99, min, max, zero, base, asobserved, asbalanced"
        raise CommandError(198, f"{word} invalid statistic", span=inner.span_from(first), hint=hint)
    names: list[str] = []
    while inner.at_kind("name") and not inner.at("=", ahead=1):
        names.append(inner.take().text)
    if not names:
        raise inner.invalid(hint="type at((mean) _all), at((median) x z)")
    return AtItem(tuple(names), statistic=word, span=inner.span_from(first))


def _values(inner: Cursor) -> AtItem:
    first = inner.position
    if not inner.at_kind("name") or not inner.at("=", ahead=1):
        raise inner.invalid(hint=_USAGE)
    name = inner.take().text
    inner.take()
    if inner.at("generate", "gen") and inner.at("(", ahead=1):
        inner.take()
        part = inner.inside()
        text = part.words()
        expression = read_expression(part)
        if not part.done:
            raise unexpected(part)
        return AtItem((name,), expression=expression, text=text, span=inner.span_from(first))
    if inner.at("("):
        values = read_numlist(inner.inside())
    else:
        value = signed_number(inner)
        if value is None:
            raise inner.invalid(hint=_USAGE)
        values = (value,)
    return AtItem((name,), values=values, span=inner.span_from(first))


# --- predict() ----------------------------------------------------------------------------------


def _prediction(option: Given) -> Prediction:
    inner = _inside(option)
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
        raise CommandError(198, "only one statistic may be specified", span=option.span)
    statistic: Statistic = statistics[0] if statistics else ("pr" if outcome is not None else "mu")
    return Prediction(statistic, fixed_only, outcome, offset, text, option.span)


def _short(word: str, name: str, least: int) -> bool:
    return len(word) >= least and name.startswith(word)
