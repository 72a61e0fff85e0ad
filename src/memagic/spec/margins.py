"""The grammar of `margins`.

Source: [R] margins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from memagic.errors import CommandError
from memagic.spec.command_options import Allowed, Given, chosen_word, confidence_level, split_options
from memagic.spec.expression import read_expression, unexpected
from memagic.spec.margins_at import AtItem, read_at
from memagic.spec.margins_compare import Comparison, read_comparison, read_marginlist
from memagic.spec.margins_predict import Formula, Prediction, read_formula, read_prediction
from memagic.spec.varlist import read_varlist

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Expression, Span, Term

__all__ = ["AtItem", "MarginsCommand", "Prediction", "read_margins"]

Derivative = Literal["", "dydx", "eyex", "dyex", "eydx"]

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
    "expression": Allowed(4, "required"),
    "post": Allowed(4),
    "within": Allowed(4, "required"),
    "subpop": Allowed(3, "required"),
    "vce": Allowed(3, "required"),
    "contrast": Allowed(4, "optional"),
    "pwcompare": Allowed(2, "optional"),
    "mcompare": Allowed(4, "required"),
}


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
    over, within : tuple of (str, span)
        Groups; those of within() have the levels of nested factors that are theirs.
    subpopulation : tuple of Expression
        What is true of the observations that are averaged over.
    derivative : str
        Empty for margins of responses.
    variables : tuple of (str, span)
        Of the derivatives; ``_all`` for a star.
    predictions : tuple of Prediction
        Empty for the default.
    formula : Formula or None
        Of `expression()`.
    unconditional : bool
        Whether the covariates count as sampled.
    post : span or None
        Where option post stands, if it was given.
    comparison : Comparison or None
        Contrasts or pairwise comparisons instead of the margins themselves.
    level : float
    abbreviations : bool
        Whether the first letters of a variable's name are enough.
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
    within: tuple[tuple[str, Span], ...] = ()
    subpopulation: tuple[Expression, ...] = ()
    formula: Formula | None = None
    unconditional: bool = False
    post: Span | None = None
    comparison: Comparison | None = None
    level: float = 95.0
    abbreviations: bool = True


def read_margins(cursor: Cursor) -> MarginsCommand:
    """Read what follows ``margins``.

    Raises
    ------
    CommandError
        r(198) for a syntax error, r(121) for a list of numbers that is none.
    """
    body, options = split_options(cursor, _ALLOWED)
    marginlist = read_marginlist(body)
    condition = None
    if body.at("if"):
        body.take()
        condition = read_expression(body)
    if not body.done:
        raise unexpected(body)
    chosen = _only_one(options, *_DERIVATIVES)
    given = {option.name: option for option in options}
    _only_one(options, "expression", "predict")
    _only_one(options, "over", "within")
    derivative = cast("Derivative", chosen.name) if chosen is not None else ""
    return MarginsCommand(
        terms=marginlist.terms,
        condition=condition,
        at=tuple(read_at(_inside(option)) for option in options if option.name == "at"),
        atmeans="atmeans" in given,
        asbalanced="asbalanced" in given,
        legend="noatlegend" not in given,
        over=_variables(given["over"]) if "over" in given else (),
        within=_variables(given["within"]) if "within" in given else (),
        subpopulation=_restriction(given["subpop"]) if "subpop" in given else (),
        derivative=derivative,
        variables=_variables(chosen) if chosen is not None else (),
        predictions=tuple(
            read_prediction(_inside(option), option.span) for option in options if option.name == "predict"
        ),
        formula=_formula(given["expression"]) if "expression" in given else None,
        unconditional="vce" in given
        and chosen_word(given["vce"], {"delta": 5, "unconditional": 2}, "delta") == "unconditional",
        post=given["post"].span if "post" in given else None,
        comparison=read_comparison(options, marginlist),
        level=confidence_level(options),
    )


def _only_one(options: tuple[Given, ...], *names: str) -> Given | None:
    """The one of some options that was given, if any.

    Raises
    ------
    CommandError
        Two of them, r(198).
    """
    chosen = list({option.name: option for option in options if option.name in names}.values())
    if len(chosen) > 1:
        both = " and ".join(f"{option.name}()" for option in chosen[:2])
        raise CommandError(198, f"only one of {both} may be specified", span=chosen[1].span)
    return chosen[0] if chosen else None


def _restriction(option: Given) -> tuple[Expression, ...]:
    """``subpop(varname)``, ``subpop(if exp)``, or both: what has to be true."""
    inner = _inside(option)
    found: list[Expression] = []
    if not inner.at("if"):
        found.append(read_expression(inner))
    if inner.at("if"):
        inner.take()
        found.append(read_expression(inner))
    if not inner.done:
        raise unexpected(inner)
    return tuple(found)


def _formula(option: Given) -> Formula:
    return read_formula(_inside(option), option.span)


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
    for term in read_varlist(inner):
        if len(term.operands) > 1 or term.operands[0].levels is not None:
            raise inner.invalid(term.span, "names of variables are expected here")
        found.append((term.operands[0].variable, term.span))
    if not inner.done:
        raise inner.invalid(hint="names of variables are expected here")
    return tuple(found)
