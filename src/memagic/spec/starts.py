"""Options of the maximization with a grammar of their own.

``technique(bhhh 10 nr 1000)``, ``startvalues(iv, iterate(5))``, ``startgrid(.1 1 _cons[id])`` and
``from(age = .1 /var(_cons[id]) = 1, skip)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from memagic.errors import CommandError, closest
from memagic.spec.numlist import read_numlist, signed_number
from memagic.spec.tree import GridSearch, GridTarget, InitialValue, InitialValues, StartMethod, Technique

if TYPE_CHECKING:
    from typing import Literal

    from memagic.spec.cursor import Cursor
    from memagic.spec.option import OptionSpec

__all__ = ["read_grid", "read_initial", "read_start", "read_techniques"]

_LONGEST = 9


def read_techniques(cursor: Cursor, spec: OptionSpec) -> tuple[Technique, ...]:
    """Algorithms in the order of their turns, each perhaps with a number of iterations.

    Raises
    ------
    CommandError
        No such technique, r(111); a syntax error, r(198).
    """
    words = [choice.name for choice in spec.choices]
    found: list[Technique] = []
    while not cursor.done:
        if not cursor.at_kind("name"):
            raise cursor.invalid(hint=f"techniques are {', '.join(words)}")
        token = cursor.take()
        if token.text not in words:
            hint = closest(token.text, words) or f"techniques are {', '.join(words)}"
            raise CommandError(111, f"technique {token.text} not found", span=token.span, hint=hint)
        name = cast("Literal['nr', 'bhhh', 'dfp', 'bfgs']", token.text)
        turns = Technique(name).iterations
        if not cursor.done and not cursor.at_kind("name"):
            turns = _whole(cursor, 1, "the number of iterations of a technique")
        found.append(Technique(name, turns))
    return tuple(found)


def read_start(cursor: Cursor, spec: OptionSpec) -> StartMethod:
    """A method and `iterate()`, of which one may be missing.

    Raises
    ------
    CommandError
        No such method, r(198).
    """
    if cursor.at("iterate") and cursor.at("(", ahead=1):
        return StartMethod(iterations=_iterate(cursor))
    words = [choice.name for choice in spec.choices]
    if not cursor.at_kind("name"):
        raise cursor.invalid(hint=f"methods are {', '.join(words)}")
    token = cursor.take()
    if token.text not in words:
        hint = closest(token.text, words) or f"methods are {', '.join(words)}"
        raise CommandError(198, f"startvalues({token.text}) not allowed", span=token.span, hint=hint)
    name = cast("Literal['zero', 'constantonly', 'fixedonly', 'iv']", token.text)
    if cursor.done:
        return StartMethod(name)
    if not cursor.at(","):
        raise cursor.invalid(hint=f"type startvalues({name}, iterate(#))")
    cursor.take()
    if name in ("zero", "constantonly"):
        hint = "iterate() goes with fixedonly and iv"
        raise CommandError(198, "option iterate() not allowed", span=cursor.here(), hint=hint)
    if not (cursor.at("iterate") and cursor.at("(", ahead=1)):
        raise cursor.invalid(hint=f"type startvalues({name}, iterate(#))")
    return StartMethod(name, _iterate(cursor))


def read_grid(cursor: Cursor) -> GridSearch:
    """Numbers, then variances and covariances; one of the two may be missing.

    Raises
    ------
    CommandError
        A syntax error, r(198), or numbers that are none, r(121).
    """
    first = cursor.position
    stop = first
    while stop < cursor.stop and not _starts_target(cursor, stop):
        stop = cursor.partner.get(stop, stop) + 1
    values = read_numlist(cursor.part(first, stop)) if stop > first else ()
    cursor.position = stop
    targets: list[GridTarget] = []
    while not cursor.done:
        if not _starts_target(cursor, cursor.position):
            hint = "variances are effect[level], covariances effect[level]*effect[level], after the values"
            raise cursor.invalid(hint=hint)
        targets.append(_target(cursor))
    return GridSearch(values, tuple(targets), cursor.span_from(first))


def read_initial(cursor: Cursor) -> InitialValues:
    """Values by name, or the name of a matrix, with `skip` or `copy`.

    Raises
    ------
    CommandError
        A syntax error, r(198).
    """
    comma = cursor.find(",")
    body = cursor.part(cursor.position, comma)
    cursor.position = comma
    if body.done:
        raise body.invalid(hint="type from(name = # ...)")
    matrix = ""
    values: list[InitialValue] = []
    if body.find("=") == body.stop:
        if body.at_kind("name") and body.position + 1 == body.stop:
            matrix = body.take().text
        else:
            hint = "type from(name = # ...), or the name of a matrix"
            raise CommandError(198, "a list of values is not allowed in from()", span=_span(body), hint=hint)
    while not body.done:
        values.append(_initial_value(body))
    given = {"skip": False, "copy": False}
    while not cursor.done:
        if cursor.at(","):
            cursor.take()
            continue
        if not cursor.at("skip", "copy"):
            raise cursor.invalid(hint="from() takes skip and copy")
        token = cursor.take()
        if token.text == "copy" and not matrix:
            hint = "values with names have no need of a position"
            raise CommandError(198, "copy is for a matrix", span=token.span, hint=hint)
        given[token.text] = True
    return InitialValues(tuple(values), matrix, given["skip"], given["copy"])


def _initial_value(body: Cursor) -> InitialValue:
    first = body.position
    equals = body.find("=")
    name = body.part(first, equals)
    if equals == first or equals == body.stop or not _is_name(name):
        hint = "type name = #, with names as _b[] has them: age, /var(_cons[id])"
        raise CommandError(198, "from() incorrectly specified", span=_span(name), hint=hint)
    text = name.words().replace(", ", ",")
    body.position = equals + 1
    value = signed_number(body)
    if value is None:
        raise body.invalid(hint=f"type {text} = #")
    return InitialValue(text, value, body.span_from(first))


def _is_name(part: Cursor) -> bool:
    """Whether tokens follow each other without blanks, as in ``/var(x[id])``, brackets set apart."""
    index = part.position
    while index < part.stop:
        closing = part.partner.get(index, index)
        index = closing + 1
        if index < part.stop and part.tokens[closing].end != part.tokens[index].start:
            return False
    return part.tokens[part.position].kind in ("name", "digits") or part.at("/")


def _starts_target(cursor: Cursor, index: int) -> bool:
    """Whether ``e.y`` or ``effect[level]`` starts here."""
    tokens = cursor.tokens
    named = False
    if tokens[index].text == "to":
        return False
    while index < cursor.stop:
        token = tokens[index]
        if token.text == "[" or token.text in "()":
            return named and token.text == "["
        named = named or token.kind == "name"
        if index + 1 >= cursor.stop or tokens[index + 1].start != token.end:
            return named
        index += 1
    return False


def _target(cursor: Cursor) -> GridTarget:
    first = cursor.position
    if cursor.at("e") and cursor.at(".", ahead=1) and cursor.at_kind("name", ahead=2):
        cursor.position += 2
        return GridTarget(residual=cursor.take().text, span=cursor.span_from(first))
    effects = [_effect(cursor)]
    if cursor.at("*"):
        cursor.take()
        effects.append(_effect(cursor))
    return GridTarget(tuple(effects), span=cursor.span_from(first))


def _effect(cursor: Cursor) -> tuple[str, str]:
    """``x[level]``: the name of an effect, and where it varies."""
    bracket = cursor.find("[")
    name = cursor.part(cursor.position, bracket)
    if bracket == cursor.stop or name.done or not _is_name(name):
        raise CommandError(198, "a level is missing", span=_span(name), hint="type effect[level]")
    cursor.position = bracket
    level = cursor.inside()
    if level.done:
        raise level.invalid(hint="the level is missing between the brackets")
    return name.words(), level.words().replace(" ", "")


def _iterate(cursor: Cursor) -> int:
    cursor.take()
    inner = cursor.inside()
    count = _whole(inner, 0, "iterate()")
    if not inner.done:
        raise inner.invalid()
    return count


def _whole(cursor: Cursor, least: int, what: str) -> int:
    first = cursor.position
    value = signed_number(cursor)
    if value is None:
        raise cursor.invalid(hint="a number is expected here")
    if value != int(value) or not least <= value < 10**_LONGEST:
        span = cursor.span_from(first)
        raise CommandError(198, f"{what} must be an integer {least} or greater", span=span)
    return int(value)


def _span(part: Cursor) -> tuple[int, int]:
    """The place of all that is in `part`, or where it would be."""
    if part.done:
        return part.here()
    return (part.tokens[part.position].start, part.tokens[part.stop - 1].end)
