"""Expressions: ``age > 30 & !missing(x)``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from memagic.errors import CommandError, closest
from memagic.spec.constraint import read_address
from memagic.spec.cursor import Cursor
from memagic.spec.functions import FUNCTIONS, SPELLINGS
from memagic.spec.slips import column_hint, method_hint
from memagic.spec.tree import Binary, Call, Estimated, Expression, Indexed, Name, Number, String, Unary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memagic.spec.scanner import Token
    from memagic.spec.tree import Span

    _BinaryOperator = Literal["^", "/", "*", "-", "+", "!=", ">", "<", "<=", ">=", "==", "&", "|"]

__all__ = [
    "BINARY_PRECEDENCE",
    "parse_expression",
    "read_expression",
    "read_response_expression",
    "unexpected",
]

# All associate to the left. Unary minus stands between `*` and `^`, `!` above `^`.
BINARY_PRECEDENCE = {
    "|": 1,
    "&": 2,
    **dict.fromkeys(("!=", ">", "<", "<=", ">=", "=="), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/"), 5),
    "^": 7,
}
_SIGN_PRECEDENCE = 6

# Bounds that keep every walk over the tree far from Python's own recursion limit.
_DEEPEST = 40
_MOST_OPERATORS = 400

# What holds values of the last estimates, and the bracket after it.
_ESTIMATED = {"_b": "[", "_se": "[", "e": "("}
# What is a prediction of every observation, in expressions of responses.
_PREDICTED = {**_ESTIMATED, "predict": "(", "xb": "("}

_PYTHON_WORDS = {
    "and": "type & for and",
    "or": "type | for or",
    "not": "type ! for not",
    "is": "type == . to test for missing values",
    "True": "a true condition is 1: type x == 1, or just x",
    "False": "a false condition is 0: type x == 0, or !x",
    "None": "a missing value is a period: type x == . or missing(x)",
}
_OTHER_MARKS = {
    "=": "type == to compare",
    "&&": "type one & for and",
    "||": "in a condition, or is a single |",
    "<>": "type != for unequal",
    "=>": "type >= for at least",
    "=<": "type <= for at most",
    "=!": "type != for unequal",
    "**": "type ^ for powers",
    "~": "type ~= or != for unequal",
    "%": "type mod(x, y) for a remainder",
}


@dataclass(slots=True)
class _Budget:
    """What is left of the bounds on one expression, and what holds values of estimates in it."""

    depth: int = _DEEPEST
    operators: int = _MOST_OPERATORS
    estimated: Mapping[str, str] = field(default_factory=lambda: _ESTIMATED)


def parse_expression(text: str) -> Expression:
    """Read a text that is one expression.

    Parameters
    ----------
    text : str
        For example ``"age > 30 & !missing(x)"``.

    Returns
    -------
    Expression
        The syntax tree.

    Raises
    ------
    CommandError
        r(198) for a syntax error, r(133) for an unknown function.
    """
    try:
        cursor = Cursor(text, fragment=True)
        tree = read_expression(cursor)
        if not cursor.done:
            raise unexpected(cursor)
    except CommandError as error:
        error.located(text)
        raise
    return tree


def read_expression(cursor: Cursor) -> Expression:
    """Read the longest expression that starts at the cursor."""
    return _binary(cursor, 1, _Budget())


def read_response_expression(cursor: Cursor) -> Expression:
    """As `read_expression`, of responses: ``predict()`` and ``xb()`` are predictions in it."""
    return _binary(cursor, 1, _Budget(estimated=_PREDICTED))


def unexpected(cursor: Cursor) -> CommandError:
    """The error at what cannot follow an expression."""
    token = cursor.peek()
    if token is None:
        return cursor.invalid()
    after, before = cursor.peek(1), cursor.tokens[cursor.position - 1] if cursor.position else None
    pairs = [
        token.text + after.text if after and cursor.joined() else "",
        before.text + token.text if before and before.end == token.start else "",
    ]
    hints = [_PYTHON_WORDS.get(token.text), *map(_OTHER_MARKS.get, [*pairs, token.text])]
    hint = next((hint for hint in hints if hint), None)
    return cursor.invalid(hint=hint)


def _binary(cursor: Cursor, lowest: int, budget: _Budget) -> Expression:
    """Operands joined by operators whose precedence is at least `lowest`."""
    first = cursor.position
    left = _signed(cursor, budget) if lowest <= _SIGN_PRECEDENCE else _complement(cursor, budget)
    while token := cursor.peek():
        operator = "!=" if token.text == "~=" else token.text
        precedence = BINARY_PRECEDENCE.get(operator, 0) if token.kind == "mark" else 0
        if not precedence or precedence < lowest:
            break
        budget.operators -= 1
        if budget.operators < 0:
            raise _too_complicated(token.span)
        cursor.take()
        # What is raised to a power may carry a sign: 2^-1. All else binds by precedence alone.
        right = (
            _operand_of_power(cursor, budget) if operator == "^" else _binary(cursor, precedence + 1, budget)
        )
        left = Binary(cast("_BinaryOperator", operator), left, right, cursor.span_from(first))
    return left


def _signed(cursor: Cursor, budget: _Budget) -> Expression:
    """A power, with signs before it that bind less than ``^``."""
    if not cursor.at("-", "+"):
        return _binary(cursor, _SIGN_PRECEDENCE + 1, budget)
    first = cursor.position
    sign = cast('Literal["-", "+"]', cursor.take().text)
    _enter(cursor, budget)
    operand = _signed(cursor, budget)
    budget.depth += 1
    return Unary(sign, operand, cursor.span_from(first))


def _operand_of_power(cursor: Cursor, budget: _Budget) -> Expression:
    if not cursor.at("-", "+"):
        return _complement(cursor, budget)
    first = cursor.position
    sign = cast('Literal["-", "+"]', cursor.take().text)
    _enter(cursor, budget)
    operand = _operand_of_power(cursor, budget)
    budget.depth += 1
    return Unary(sign, operand, cursor.span_from(first))


def _complement(cursor: Cursor, budget: _Budget) -> Expression:
    if not cursor.at("!", "~"):
        return _primary(cursor, budget)
    first = cursor.position
    cursor.take()
    _enter(cursor, budget)
    operand = _operand_of_power(cursor, budget)
    budget.depth += 1
    return Unary("!", operand, cursor.span_from(first))


def _primary(cursor: Cursor, budget: _Budget) -> Expression:
    """A literal, a variable, a function's call or an expression in parentheses."""
    token = cursor.peek()
    if token is None:
        raise cursor.invalid(hint="an expression is expected here")
    if token.text == "(":
        _enter(cursor, budget)
        inner = cursor.inside()
        tree = _binary(inner, 1, budget)
        if not inner.done:
            raise unexpected(inner)
        budget.depth += 1
        return tree
    if token.kind == "string":
        cursor.take()
        quotes = 2 if token.text.startswith("`") else 1
        return String(token.text[quotes:-quotes], token.span)
    first = cursor.position
    value = cursor.number()
    if value is not None:
        return Number(value, None, cursor.span_from(first))
    if token.text == ".":
        cursor.take()
        return _missing(cursor, token.span)
    if token.kind == "name" and token.text not in _PYTHON_WORDS:
        return _named(cursor, budget)
    if token.text == "[" and _starts_equation(cursor.peek(1)):
        return _of_equation(cursor)
    raise unexpected(cursor)


def _missing(cursor: Cursor, span: Span) -> Number:
    """The missing value whose period has been taken: `.` or `.a` to `.z`."""
    letter = cursor.peek()
    if letter is None or letter.kind != "name" or letter.start != span[1]:
        return Number(float("nan"), ".", span)
    span = (span[0], letter.end)
    if len(letter.text) != 1 or not "a" <= letter.text <= "z":
        raise cursor.invalid(span, "missing values are . and .a to .z")
    cursor.take()
    return Number(float("nan"), f".{letter.text}", span)


def _named(cursor: Cursor, budget: _Budget) -> Expression:
    """A variable, one of its rows, or a function's call."""
    first = cursor.position
    name = cursor.take()
    if name.text in budget.estimated and cursor.at(budget.estimated[name.text]):
        return _estimated(cursor, first)
    if cursor.at("("):
        return _call(cursor, first, budget)
    # `x [pw=w]` is a variable followed by a weight.
    if cursor.at("[") and not (cursor.at_kind("name", ahead=1) and cursor.at("=", ahead=2)):
        _enter(cursor, budget)
        inner = cursor.inside()
        if inner.at_kind("string"):
            column = inner.tokens[inner.position].text[1:-1]
            simple = f"columns are named without their frame: type {column}"
            raise inner.invalid(hint=simple if column.isidentifier() else column_hint(column))
        index = _binary(inner, 1, budget)
        if not inner.done:
            raise unexpected(inner)
        budget.depth += 1
        return Indexed(name.text, index, cursor.span_from(first))
    if cursor.at(".") and cursor.joined(0):
        hint = method_hint(cursor, name.text)
        end = cursor.tokens[min(cursor.position + 1, cursor.stop - 1)].end
        raise cursor.invalid((name.start, end), hint)
    return Name(name.text, name.span)


def _starts_equation(token: Token | None) -> bool:
    return token is not None and (token.kind in ("name", "digits") or token.text == "/")


def _of_equation(cursor: Cursor) -> Estimated:
    """``[y]x``, ``[y]_b[x]`` or ``[y]_se[x]``: a parameter with its equation before it."""
    first = cursor.position
    closing = cursor.partner[first]
    after = cursor.tokens[closing + 1] if closing + 1 < cursor.stop else None
    if after is None or cursor.tokens[closing].end != after.start:
        raise unexpected(cursor)
    kind: Literal["_b", "_se"] = "_b"
    if after.text in ("_b", "_se"):
        kind = cast('Literal["_b", "_se"]', after.text)
        equation = cursor.inside().words()
        cursor.take()
        if not cursor.at("["):
            raise cursor.invalid(hint=f"type [{equation}]{kind}[x]")
        name = cursor.inside().words().replace(" ", "")
        return Estimated(kind, f"{equation}:{name}", span=cursor.span_from(first))
    found = read_address(cursor)
    name = found.name if found.equation is None else f"{found.equation}:{found.name}"
    return Estimated(kind, name, span=cursor.span_from(first))


def _estimated(cursor: Cursor, first: int) -> Estimated:
    """A value of the last estimates; its name is kept as typed, without blanks.

    The name of a prediction is what stands in its parentheses.
    """
    kind = cast('Literal["_b", "_se", "e", "predict", "xb"]', cursor.tokens[first].text)
    inner = cursor.inside()
    span = cursor.span_from(first)
    if kind in ("predict", "xb"):
        return Estimated(kind, inner.words(), span=span)
    plain = inner.at_kind("name") and inner.stop == inner.position + 1
    if inner.done or (kind == "e" and not plain):
        raise cursor.invalid(span, "type _b[x], _b[1.g], _se[_cons], e(N) or e(sample)")
    return Estimated(kind, inner.words().replace(" ", ""), span=span)


def _call(cursor: Cursor, first: int, budget: _Budget) -> Call:
    typed = cursor.tokens[first]
    function = SPELLINGS.get(typed.text, typed.text)
    if function not in FUNCTIONS:
        hint = closest(typed.text, [*FUNCTIONS, *SPELLINGS])
        raise CommandError(133, f"unknown function {typed.text}()", span=typed.span, hint=hint)
    _enter(cursor, budget)
    inner = cursor.inside()
    arguments: list[Expression] = []
    while not inner.done:
        arguments.append(_binary(inner, 1, budget))
        if inner.at(","):
            inner.take()
            if inner.done:
                raise inner.invalid(hint="an argument is expected after the comma")
        elif not inner.done:
            raise unexpected(inner)
    budget.depth += 1
    span = cursor.span_from(first)
    signature = FUNCTIONS[function]
    if len(arguments) < signature.least or len(arguments) > (signature.most or len(arguments)):
        hint = f"{function}() takes {signature.count}"
        raise CommandError(198, "invalid syntax", span=span, hint=hint)
    return Call(function, tuple(arguments), span)


def _enter(cursor: Cursor, budget: _Budget) -> None:
    budget.depth -= 1
    if budget.depth < 0:
        raise _too_complicated(cursor.here())


def _too_complicated(span: Span) -> CommandError:
    return CommandError(
        198, "expression too complicated", span=span, hint="compute a part of it as a variable first"
    )
