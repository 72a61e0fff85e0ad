"""Variable lists with factor-variable operators: ``i.urban c.age##c.age``."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Literal

from memagic.errors import CommandError
from memagic.spec.cursor import Cursor
from memagic.spec.numlist import read_numlist
from memagic.spec.slips import call_hint, frame_hint
from memagic.spec.tree import Factor, Term

if TYPE_CHECKING:
    from memagic.spec.tree import Span

__all__ = ["parse_varlist", "read_varlist"]

_WIDEST = 8
_MOST_TERMS = 10_000
_DEEPEST = 20
_LARGEST_LEVEL = 32_740
_OPERATOR = re.compile(r"(?P<indicator>i?)(?P<role>[bo]?)(?P<value>[0-9]*|n)")

# The operands of one term.
_Product = tuple[Factor, ...]


@dataclass(frozen=True, slots=True)
class _Operator:
    """A factor-variable operator; `kind` None stands for none at all."""

    kind: Literal["c", "i"] | None = None
    base: float | str | tuple[str, int] | None = None
    levels: tuple[float, ...] | None = None
    omitted: tuple[float, ...] | None = None
    span: Span = (0, 0)


def parse_varlist(text: str) -> tuple[Term, ...]:
    """Read a text that is one list of variables.

    Parameters
    ----------
    text : str
        For example ``"i.urban c.age##c.age"``.

    Returns
    -------
    tuple of Term
        With ``##`` expanded, parentheses distributed, and every term once.

    Raises
    ------
    CommandError
        r(198) for a syntax error, r(103) for too many terms.
    """
    try:
        cursor = Cursor(text, fragment=True)
        terms = read_varlist(cursor)
        if not cursor.done:
            raise cursor.invalid()
    except CommandError as error:
        error.located(text)
        raise
    return terms


def read_varlist(cursor: Cursor) -> tuple[Term, ...]:
    """Read variables up to the end or to what no variable list has: `if`, `in`, a bracket, a mark."""
    terms: dict[frozenset[tuple[Factor, int]], Term] = {}
    for operands in _list(cursor, _Operator(), _DEEPEST):
        term = Term(operands, (min(o.span[0] for o in operands), max(o.span[1] for o in operands)))
        # a#b and b#a are the same columns.
        terms.setdefault(frozenset(Counter(operands).items()), term)
    return tuple(terms.values())


def _list(cursor: Cursor, outer: _Operator, depth: int, interacted: bool = False) -> list[_Product]:
    """The products of all items, with the operator of the parentheses around them."""
    if depth == 0:
        raise CommandError(198, "varlist too complicated", span=cursor.here())
    products: list[_Product] = []
    while _at_item(cursor):
        first = cursor.position
        products.extend(_item(cursor, outer, depth, interacted))
        if len(products) > _MOST_TERMS:
            raise _too_many(cursor.span_from(first))
    return products


def _at_item(cursor: Cursor) -> bool:
    token = cursor.peek()
    if token is None or token.kind in ("string", "mark"):
        return token is not None and token.text == "("
    return token.text not in ("if", "in")


def _item(cursor: Cursor, outer: _Operator, depth: int, interacted: bool) -> list[_Product]:
    """Operands joined by `#` and `##`."""
    first = cursor.position
    # What follows decides what a bare name is, so the operand is read before it is known.
    after = _after_operand(cursor)
    interacted = interacted or (after < cursor.stop and cursor.tokens[after].text in ("#", "##"))
    operands = [_operand(cursor, outer, depth, interacted)]
    joins: list[str] = []
    while cursor.at("#", "##"):
        joins.append(cursor.take().text)
        if not _at_item(cursor):
            raise cursor.invalid(hint="a variable is expected after #")
        operands.append(_operand(cursor, outer, depth, interacted=True))
    if not joins:
        return operands[0]
    count = 2 ** joins.count("##") if len(joins) < _WIDEST else _MOST_TERMS + 1
    for alternatives in operands:
        count *= len(alternatives)
    if count > _MOST_TERMS:
        raise _too_many(cursor.span_from(first))
    products: list[_Product] = []
    for combination in product(*operands):
        products.extend(_crossed(combination, joins))
    for operands_of_one in products:
        if len(operands_of_one) > _WIDEST:
            raise _too_many(cursor.span_from(first))
    return products


def _crossed(operands: tuple[_Product, ...], joins: list[str]) -> list[_Product]:
    """a##b##c is a b a#b c a#c b#c a#b#c: each further operand alone, then with all before it."""
    products = [operands[0]]
    for join, operand in zip(joins, operands[1:], strict=True):
        crossed = [left + operand for left in products]
        products = [*products, operand, *crossed] if join == "##" else crossed
    return products


def _after_operand(cursor: Cursor) -> int:
    """The index of the token after the operand that starts here."""
    index = cursor.position
    prefix = _prefix_end(cursor)
    if prefix is not None:
        index = prefix
    return cursor.partner.get(index, index) + 1


def _prefix_end(cursor: Cursor) -> int | None:
    """The index after an operator's period, or None where no operator starts here."""
    index = cursor.position + 1
    if index < cursor.stop and cursor.tokens[index].text == "(" and cursor.joined():
        index = cursor.partner[index] + 1
    if cursor.at("(") or index >= cursor.stop:
        return None
    period, before = cursor.tokens[index], cursor.tokens[index - 1]
    return index + 1 if period.text == "." and period.start == before.end else None


def _operand(cursor: Cursor, outer: _Operator, depth: int, interacted: bool) -> list[_Product]:
    """A variable, or a list in parentheses, with the operator before it."""
    prefix = _prefix_end(cursor)
    operator = outer
    if prefix is not None:
        operator = _operator(cursor, prefix)
        if outer.kind is not None:
            raise _not_allowed(cursor, operator.span, "one operator before the parentheses is enough")
        if cursor.done or not cursor.joined(0):
            raise cursor.invalid(operator.span, "a variable is expected right after the period")
    if cursor.at("("):
        inner = cursor.inside()
        if inner.done:
            raise inner.invalid(hint="variables are expected between the parentheses")
        products = _list(inner, operator, depth - 1, interacted)
        if not inner.done:
            raise inner.invalid()
        return products
    token = cursor.peek()
    if token is None or token.kind != "name" or token.text in ("if", "in"):
        raise _invalid_name(cursor)
    cursor.take()
    if cursor.at("(") and cursor.joined(0):
        argument = cursor.peek(1)
        hint = call_hint(token.text, argument.text if argument else "")
        raise cursor.invalid((token.start, token.end + 1), hint)
    start = operator.span[0] if prefix is not None else token.start
    kind = operator.kind or ("i" if interacted else "c")
    factor = Factor(
        token.text, kind, operator.base, operator.levels, operator.omitted, span=(start, token.end)
    )
    return [(factor,)]


def _operator(cursor: Cursor, end: int) -> _Operator:
    """The operator whose period is the token before index `end`; the cursor moves there."""
    word = cursor.tokens[cursor.position]
    argument = None
    if end - cursor.position > 2:
        cursor.position += 1
        argument = cursor.inside()
    cursor.position = end
    span = (word.start, cursor.tokens[end - 1].end)
    if word.text == "c" and argument is None:
        return _Operator("c", span=span)
    match = _OPERATOR.fullmatch(word.text)
    if match is None:
        hint = "type R.varname alone after a level: || _all: R.varname" if word.text in ("R", "r") else None
        if word.text in ("I", "C"):
            hint = f"did you mean {word.text.lower()}.?"
        if hint is None:
            hint = frame_hint(cursor, end)
        raise _not_allowed(cursor, span, hint)
    role, value = match["role"], match["value"]
    if value == "n" or (value and argument is not None):
        if role == "b" and argument is None:
            return _Operator("i", base="none", span=span)
        raise _not_allowed(cursor, span)
    if role == "b":
        base = _base(cursor, argument, span) if argument else _level(value, span) if value else None
        if base is None:
            raise _not_allowed(cursor, span, "type ib2. or ib(last). to choose the base")
        return _Operator("i", base=base, span=span)
    levels = _levels(argument) if argument else (_level(value, span),) if value else None
    if role == "o":
        if levels is None:
            raise _not_allowed(cursor, span, "leave the variable out of the list instead")
        return _Operator("i", omitted=levels, span=span)
    return _Operator("i", levels=levels, span=span)


def _base(cursor: Cursor, argument: Cursor, span: Span) -> float | str | tuple[str, int]:
    """The base in ``ib( ).``: a value, ``#k`` for the k-th, or first, last, freq."""
    if argument.at("first", "last", "freq", "none"):
        base: float | str | tuple[str, int] = argument.take().text
    elif argument.at("#") and argument.at_kind("digits", ahead=1):
        argument.take()
        base = ("order", int(_level(argument.take().text, span)))
        if base[1] == 0:
            raise _not_allowed(cursor, span, "#1 is the lowest value")
    elif argument.at_kind("digits"):
        base = _level(argument.take().text, span)
    else:
        raise _not_allowed(cursor, span, "type ib2., ib(#2)., ib(first)., ib(last)., ib(freq). or ibn.")
    if not argument.done:
        raise argument.invalid()
    return base


def _level(digits: str, span: Span) -> float:
    value = float(digits)
    if value > _LARGEST_LEVEL:
        raise _outside(span)
    return value


def _levels(argument: Cursor) -> tuple[float, ...]:
    first = argument.position
    levels = tuple(dict.fromkeys(read_numlist(argument)))
    if any(level < 0 or level > _LARGEST_LEVEL or level != int(level) for level in levels):
        raise _outside(argument.span_from(first))
    return levels


def _outside(span: Span) -> CommandError:
    message = f"levels of factor variables are integers from 0 to {_LARGEST_LEVEL}"
    return CommandError(198, message, span=span)


def _invalid_name(cursor: Cursor) -> CommandError:
    """The error where a variable should be: ``2nd`` is no name."""
    token = cursor.peek()
    if token is not None and token.kind == "digits":
        end = token.end
        follower = cursor.peek(1)
        if follower is not None and follower.kind == "name" and follower.start == end:
            end = follower.end
        text = cursor.text[token.start : end]
        return CommandError(198, f"{text} invalid name", span=(token.start, end))
    return cursor.invalid(hint="a variable is expected here")


def _not_allowed(cursor: Cursor, span: Span, hint: str | None = None) -> CommandError:
    operator = cursor.text[span[0] : span[1]]
    return CommandError(198, f"{operator} operator not allowed", span=span, hint=hint)


def _too_many(span: Span) -> CommandError:
    hint = f"interactions have at most {_WIDEST} variables"
    return CommandError(103, "too many variables specified", span=span, hint=hint)
