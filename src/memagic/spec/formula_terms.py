"""The terms of a formula of R or Python: ``y ~ x + C(g) + I(x**2) + (1 + x | a/b)``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor

__all__ = ["Formula", "RandomTerm", "read_formula"]

_FACTORS = ("C", "factor")
_HIGHEST_POWER = 8


@dataclass(frozen=True, slots=True)
class RandomTerm:
    """``(1 + x | a:b)``: the effects, whether there is an intercept, and the group variables.

    `correlated` is whether the effects are, as ``|`` has it and ``||`` has not.
    """

    path: tuple[str, ...]
    effects: tuple[str, ...]
    constant: bool
    correlated: bool


@dataclass(slots=True)
class Formula:
    """What a formula says, its terms in the manual's operators.

    `columns` are the variables that have to be made first, with what of.
    """

    response: str
    terms: list[str] = field(default_factory=list)
    constant: bool = True
    random: list[RandomTerm] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)


def read_formula(cursor: Cursor) -> Formula | None:
    """Read a formula, or None where it has what no command says.

    Parameters
    ----------
    cursor : Cursor
        At the response.
    """
    if not (cursor.at_kind("name") and cursor.at("~", ahead=1)):
        return None
    formula = Formula(cursor.take().text)
    cursor.take()
    return formula if _sum(cursor, formula, formula.terms) else None


def _sum(cursor: Cursor, formula: Formula, terms: list[str]) -> bool:
    """Read terms joined by ``+``, or by blanks; whether all were understood."""
    while not cursor.done:
        minus = cursor.at("-")
        if cursor.at("+", "-"):
            cursor.take()
        if cursor.at("1", "0"):
            formula.constant = (cursor.take().text == "1") != minus
        elif minus or not _summand(cursor, formula, terms):
            return False
    return True


def _summand(cursor: Cursor, formula: Formula, terms: list[str]) -> bool:
    if cursor.at("("):
        return _random(cursor.inside(), formula)
    if cursor.at("offset") and cursor.at("(", ahead=1):
        cursor.take()
        operand = _operand(cursor.inside(), formula)
        formula.options.append(f"offset({operand})")
        return operand is not None and operand.isidentifier()
    term = _product(cursor, formula)
    if term is not None:
        terms.append(term)
    return term is not None


def _product(cursor: Cursor, formula: Formula) -> str | None:
    """Operands joined by ``:`` or ``*``, which are ``#`` and ``##``."""
    operand = _operand(cursor, formula)
    if operand is None or not cursor.at(":", "*"):
        return operand
    text = _interacted(operand)
    while cursor.at(":", "*"):
        join = "#" if cursor.take().text == ":" else "##"
        operand = _operand(cursor, formula)
        if operand is None:
            return None
        text += join + _interacted(operand)
    return text


def _interacted(operand: str) -> str:
    return operand if "." in operand else f"c.{operand}"


def _operand(cursor: Cursor, formula: Formula) -> str | None:
    """A variable, ``C(g)``, a power ``I(x**2)``, or a function of a variable, which becomes a column."""
    if not cursor.at_kind("name"):
        return None
    first = cursor.position
    word = cursor.take().text
    while cursor.at(".") and cursor.at_kind("name", ahead=1) and cursor.joined():
        # np.log, as.factor
        cursor.take()
        word = cursor.take().text
    if not (cursor.at("(") and cursor.joined(0)):
        return word if cursor.position == first + 1 else None
    inner = cursor.inside()
    if not inner.at_kind("name"):
        return None
    name = inner.take().text
    if word in _FACTORS and (inner.done or inner.at(",")):
        return f"i.{name}"
    if word == "I":
        return _power(inner, name)
    if not inner.done:
        return None
    column = f"{word}_{name}"
    formula.columns[column] = cursor.text[cursor.tokens[first].start : cursor.tokens[cursor.position - 1].end]
    return column


def _power(inner: Cursor, name: str) -> str | None:
    """``x**2`` or ``x^2`` as the product of x with itself."""
    if inner.at("*") and inner.at("*", ahead=1):
        inner.take()
    if not inner.at("^", "*") or not inner.at_kind("digits", ahead=1):
        return None
    inner.take()
    power = int(inner.take().text[:2])
    if not inner.done or not 2 <= power <= _HIGHEST_POWER:
        return None
    return "#".join([f"c.{name}"] * power)


def _random(cursor: Cursor, formula: Formula) -> bool:
    """Read ``1 + x | a/b`` into random terms, one for each group variable."""
    bar = cursor.find("|", "||")
    if bar == cursor.stop or any(token.text in ("|", "||") for token in cursor.tokens[cursor.position : bar]):
        return False
    inside = Formula("")
    if not _sum(cursor.part(cursor.position, bar), inside, inside.terms) or inside.random or inside.options:
        return False
    groups = cursor.part(bar + 1, cursor.stop)
    path: list[str] = []
    paths: list[tuple[str, ...]] = []
    while groups.at_kind("name"):
        path.append(groups.take().text)
        if groups.at("/", ":"):
            if groups.take().text == "/":
                paths.append(tuple(path))
            continue
        paths.append(tuple(path))
        break
    if not groups.done or not paths or len(paths[-1]) < len(path):
        return False
    correlated = cursor.tokens[bar].text == "|"
    effects = tuple(inside.terms)
    formula.random += [RandomTerm(path, effects, inside.constant, correlated) for path in paths]
    formula.columns |= inside.columns
    return True
