"""The marginlist of margins, and what compares margins: `contrast()`, `pwcompare()`, `mcompare()`.

Source: [R] margins, contrast; [R] margins, pwcompare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from memagic.errors import CommandError
from memagic.spec.command_options import Allowed, Given, chosen_word, read_options
from memagic.spec.contrast_terms import OPERATORS, ContrastTerm, read_terms
from memagic.spec.tree import Factor, Term
from memagic.spec.varlist import read_varlist

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Span

__all__ = ["ADJUSTMENTS", "Comparison", "Marginlist", "read_comparison", "read_marginlist"]

Kind = Literal["contrast", "pwcompare"]
Columns = Literal["cieffects", "pveffects", "effects"]
Adjustment = Literal["noadjust", "bonferroni", "sidak", "scheffe"]

ADJUSTMENTS = {"noadjust": 2, "bonferroni": 3, "sidak": 3, "scheffe": 3}
"""What mcompare() may be, with the least letters of each."""

_COLUMNS = {"effects": Allowed(3), "cieffects": Allowed(4), "pveffects": Allowed(4)}
_ALLOWED: dict[Kind, dict[str, Allowed]] = {
    "contrast": {**_COLUMNS, "nowald": Allowed(6), "atcontrast": Allowed(5, "required")},
    "pwcompare": _COLUMNS,
}


@dataclass(frozen=True, slots=True)
class Marginlist:
    """The terms; `operators` has those of contrasts by variable, if there are any."""

    terms: tuple[Term, ...]
    operators: tuple[ContrastTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What margins are compared by.

    Attributes
    ----------
    kind : {"contrast", "pwcompare"}
    operators : mapping of str to (str, float or None)
        Kind and base of the operator of each variable of the marginlist that has one.
    at_operator : str
        The operator of the points of `at()`; empty where these are not contrasted.
    columns : str
    effects : bool
        Whether single contrasts are asked for.
    wald : bool
        Whether joint tests are shown.
    adjustment : str
    """

    kind: Kind
    operators: Mapping[str, tuple[str, float | None]] = field(default_factory=dict)
    at_operator: str = ""
    columns: Columns = "cieffects"
    effects: bool = False
    wald: bool = True
    adjustment: Adjustment = "noadjust"
    span: Span = (0, 0)


def read_marginlist(body: Cursor) -> Marginlist:
    """Read the terms, with operators of contrasts where one of these is typed."""
    index = body.position
    while index < body.stop and body.tokens[index].text not in ("if", "in"):
        following = body.tokens[index + 1].text if index + 1 < body.stop else ""
        if OPERATORS.fullmatch(body.tokens[index].text) and following == ".":
            found = read_terms(body, operators=True)
            terms = tuple(
                Term(tuple(Factor(f.name, "i", span=f.span) for f in term.factors), term.span)
                for term in found
            )
            return Marginlist(terms, found)
        index += 1
    return Marginlist(read_varlist(body))


def _plain(term: ContrastTerm) -> Term:
    return Term(tuple(Factor(f.name, "i", span=f.span) for f in term.factors), term.span)


def read_comparison(options: tuple[Given, ...], marginlist: Marginlist) -> Comparison | None:
    """What contrast(), pwcompare(), mcompare() and the operators of the marginlist ask for.

    Raises
    ------
    CommandError
        Both of them, or mcompare() without either, r(198).
    """
    given = {option.name: option for option in options}
    known: tuple[Kind, ...] = ("contrast", "pwcompare")
    kinds = [name for name in known if name in given]
    if len(kinds) > 1:
        message = "only one of contrast and pwcompare may be specified"
        raise CommandError(198, message, span=given["pwcompare"].span)
    if not kinds and marginlist.operators:
        kinds = ["contrast"]
    if not kinds:
        if "mcompare" in given:
            hint = "it goes with contrast or pwcompare"
            raise CommandError(198, "option mcompare() not allowed", span=given["mcompare"].span, hint=hint)
        return None
    kind = kinds[0]
    operators = {f.name: (f.kind, f.base) for term in marginlist.operators for f in term.factors}
    if kind == "pwcompare" and marginlist.operators:
        hint = "pwcompare compares all pairs: leave out the operator"
        span = marginlist.operators[0].span
        raise CommandError(198, "contrast operators are not allowed with pwcompare", span=span, hint=hint)
    adjustment = "noadjust"
    if "mcompare" in given:
        adjustment = chosen_word(given["mcompare"], ADJUSTMENTS, "noadjust")
    option = given.get(kind)
    inner = None if option is None else option.inner
    inside = {} if inner is None else _suboptions(kind, inner)
    words: tuple[Columns, ...] = ("effects", "cieffects", "pveffects")
    shown = [word for word in words if word in inside]
    if len(shown) > 1:
        message = f"only one of {' and '.join(shown)} may be specified"
        raise CommandError(198, message, span=inside[shown[1]].span)
    return Comparison(
        kind,
        operators,
        _at_operator(inside["atcontrast"]) if "atcontrast" in inside else "",
        shown[0] if shown else "cieffects",
        bool(shown) or "nowald" in inside or any(operator for operator, _ in operators.values()),
        "nowald" not in inside,
        cast("Adjustment", adjustment),
        (0, 0) if option is None else option.span,
    )


def _suboptions(kind: Kind, inner: Cursor) -> dict[str, Given]:
    # What is in the parentheses are options from the start, without a comma.
    return {option.name: option for option in read_options(inner, _ALLOWED[kind])}


def _at_operator(option: Given) -> str:
    word = "" if option.inner is None else option.inner.words()
    if word not in ("r", "a", "ar", "g"):
        hint = "type atcontrast(r), a, ar or g"
        raise CommandError(198, "option atcontrast() incorrectly specified", span=option.span, hint=hint)
    return word
