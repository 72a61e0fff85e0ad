"""Variable lists with their operators: ``i.urban c.age##c.age L(1/2).x inc*``."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.spec.cursor import Cursor
from memagic.spec.operators import Operator, combined, not_allowed, prefix_end, read_operator
from memagic.spec.slips import call_hint
from memagic.spec.tree import Factor, Term, TimeOperator

if TYPE_CHECKING:
    from memagic.spec.tree import Span

__all__ = ["parse_varlist", "read_depvar", "read_varlist"]

_WIDEST = 8
_MOST_TERMS = 10_000
_DEEPEST = 20
_WILD = ("*", "?", "~")

# The operands of one term.
_Product = tuple[Factor, ...]


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
    for operands in _list(cursor, Operator(), _DEEPEST):
        term = Term(operands, (min(o.span[0] for o in operands), max(o.span[1] for o in operands)))
        # a#b and b#a are the same columns.
        terms.setdefault(frozenset(Counter(operands).items()), term)
    return tuple(terms.values())


def _list(cursor: Cursor, outer: Operator, depth: int, interacted: bool = False) -> list[_Product]:
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
        return token is not None and (token.text == "(" or _at_pattern(cursor))
    return token.text not in ("if", "in")


def _at_pattern(cursor: Cursor) -> bool:
    """Whether a pattern starts here with ``?`` or ``*``; a star alone rather means a product."""
    if cursor.at("?"):
        return True
    following = cursor.at_kind("name", 1) or cursor.at_kind("digits", 1) or cursor.at("?", ahead=1)
    return cursor.at("*") and cursor.joined() and following


def _item(cursor: Cursor, outer: Operator, depth: int, interacted: bool) -> list[_Product]:
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
    index = prefix_end(cursor) or cursor.position
    if index < cursor.stop and cursor.tokens[index].text == "(":
        return cursor.partner[index] + 1
    ahead = cursor.part(index, cursor.stop)
    _name(ahead)
    return ahead.position


def _operand(cursor: Cursor, outer: Operator, depth: int, interacted: bool) -> list[_Product]:
    """A variable, or a list in parentheses, with the operator before it."""
    end = prefix_end(cursor)
    operator = outer
    if end is not None:
        operator = _nested(cursor, outer, read_operator(cursor, end))
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
    first = cursor.position
    name = _name(cursor)
    if not name:
        raise _invalid_name(cursor)
    span = cursor.span_from(first)
    if cursor.at("(") and cursor.joined(0):
        argument = cursor.peek(1)
        hint = call_hint(name, argument.text if argument else "")
        raise cursor.invalid((span[0], span[1] + 1), hint)
    kind = operator.kind or ("i" if interacted else "c")
    factor = Factor(
        name,
        kind,
        operator.base,
        operator.levels,
        operator.omitted,
        span=(operator.span[0] if end is not None else span[0], span[1]),
    )
    for time in operator.times:
        if kind == "i" and (time.difference or time.seasonal):
            hint = f"a factor variable takes lags and leads only; type c{time}.{name}"
            raise not_allowed(cursor, factor.span, hint)
    return [(replace(factor, time=time),) for time in operator.times]


def _nested(cursor: Cursor, outer: Operator, inner: Operator) -> Operator:
    """An operator within parentheses that have one, too."""
    if outer.kind is not None and inner.kind is not None:
        raise not_allowed(cursor, inner.span, "one operator before the parentheses is enough")
    if outer.in_time and inner.in_time:
        times = tuple(dict.fromkeys(combined(a, b) for a in outer.times for b in inner.times))
    else:
        times = inner.times if inner.in_time else outer.times
    factor = outer if inner.kind is None else inner
    return replace(factor, times=times, span=inner.span)


def _name(cursor: Cursor) -> str:
    """Take a variable's name, a pattern (``x*``, ``x~y``) or a range (``a-d``); empty where none is."""
    first = cursor.position
    if not (cursor.at_kind("name") or _at_pattern(cursor)) or cursor.at("if", "in"):
        return ""
    cursor.take()
    wild = cursor.tokens[first].kind == "mark"
    while not cursor.done and cursor.joined(0) and (cursor.at(*_WILD) or cursor.at_kind("name") or wild):
        if not (cursor.at(*_WILD) or cursor.at_kind("name") or cursor.at_kind("digits")):
            break
        wild = wild or cursor.at(*_WILD)
        cursor.take()
    text = cursor.text[slice(*cursor.span_from(first))]
    if not wild and cursor.at("-") and cursor.at_kind("name", ahead=1):
        cursor.take()
        text += f"-{cursor.take().text}"
    return text


def read_depvar(cursor: Cursor) -> Factor:
    """Read the dependent variable, which may have a time-series operator: ``D.y``.

    Raises
    ------
    CommandError
        It is a list, or has a factor-variable operator, r(198).
    """
    first = cursor.position
    token = cursor.tokens[first]
    end = prefix_end(cursor)
    operator = Operator() if end is None else read_operator(cursor, end)
    if end is not None and (operator.kind is not None or len(operator.times) > 1):
        span = (token.start, token.end if cursor.done else cursor.tokens[cursor.position].end)
        hint = "type the dependent variable without an operator"
        raise CommandError(198, "depvar may not be a factor variable", span=span, hint=hint)
    if not cursor.at_kind("name") or (end is not None and not cursor.joined(0)):
        raise cursor.invalid(hint="a dependent variable is expected here")
    name = cursor.take().text
    time = operator.times[0] if operator.times else TimeOperator()
    return Factor(name, "c", time=time, span=cursor.span_from(first))


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


def _too_many(span: Span) -> CommandError:
    hint = f"interactions have at most {_WIDEST} variables"
    return CommandError(103, "too many variables specified", span=span, hint=hint)
