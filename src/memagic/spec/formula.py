"""Formulas of R and statsmodels, told apart from a command and said in its language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memagic.errors import CommandError

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor

__all__ = ["formula_hint"]


def formula_hint(body: Cursor, name: str) -> None:
    """Refuse ``y ~ x + (1 | g)`` and ``y = x``, saying what to type instead.

    Parameters
    ----------
    body : Cursor
        After the command's name; it does not move.
    name : str
        The command's name, for the hint.

    Raises
    ------
    CommandError
        r(198) if the second token is ``~`` or ``=``.
    """
    if not body.at_kind("name") or not body.at("~", "=", "==", ahead=1):
        return
    response, sign = body.tokens[body.position], body.tokens[body.position + 1]
    translated = _translated(body.part(body.position + 2, body.stop), f"{name} {response.text}")
    if translated is None:
        hint = f"type {name} {response.text} x1 x2 || group: x1"
    elif "||" in translated:
        hint = f"type {translated}"
    else:
        hint = f"leave out the {sign.text}"
    raise CommandError(198, f"invalid '{sign.text}'", span=sign.span, hint=hint)


def _translated(cursor: Cursor, start: str) -> str | None:
    """The command for a formula's right-hand side, or None where it is not simple enough."""
    fixed: list[str] = []
    random: list[str] = []
    constant = True
    while not cursor.done:
        if cursor.at("("):
            equation = _equation(cursor.inside())
            if equation is None:
                return None
            random.append(equation)
        elif cursor.at("0", "1"):
            constant = cursor.take().text == "1"
        else:
            term = _term(cursor)
            if term is None:
                return None
            fixed.append(term)
        if not cursor.done and not (cursor.at("+") and cursor.take() and not cursor.done):
            return None
    options = "" if constant else ", noconstant"
    return " ".join([start, *fixed]) + options + "".join(random)


def _equation(cursor: Cursor) -> str | None:
    """``|| g: x, covariance(unstructured)`` for ``1 + x | g``."""
    terms: list[str] = []
    constant = True
    while not cursor.at("|", "||"):
        if cursor.at("0", "1"):
            constant = cursor.take().text == "1"
        else:
            term = _term(cursor)
            if term is None:
                return None
            terms.append(term)
        if cursor.at("+"):
            cursor.take()
    correlated = cursor.take().text == "|" and len(terms) + constant > 1
    levels: list[str] = []
    while cursor.at_kind("name"):
        levels.append(cursor.take().text)
        if cursor.at("/") and not cursor.at_kind("name", ahead=1):
            return None
        if cursor.at("/"):
            cursor.take()
    if not levels or not cursor.done:
        return None
    options = [
        word
        for word, given in (("covariance(unstructured)", correlated), ("noconstant", not constant))
        if given
    ]
    inside = (" " + " ".join(terms) if terms else "") + (", " + " ".join(options) if options else "")
    return "".join(f" || {level}:{inside}" for level in levels)


def _term(cursor: Cursor) -> str | None:
    """A variable, or ``C(g)`` for a factor variable."""
    if not cursor.at_kind("name"):
        return None
    word = cursor.take().text
    if not cursor.at("("):
        return word
    inner = cursor.inside()
    simple = word in ("C", "factor") and inner.at_kind("name") and inner.stop - inner.position == 1
    return f"i.{inner.take().text}" if simple else None
