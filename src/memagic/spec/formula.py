"""Formulas of R and Python, told apart from a command and said in its language."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.spec.cursor import Cursor
from memagic.spec.formula_terms import Formula, read_formula

if TYPE_CHECKING:
    from collections.abc import Container

    from memagic.spec.formula_terms import RandomTerm

__all__ = ["called_with_formula", "refuse_formula"]

# What a call names its model by, in the words of R and Python, and the command that fits it.
_FAMILIES = {
    "binomial": "melogit",
    "bernoulli": "melogit",
    "logit": "melogit",
    "probit": "meprobit",
    "cloglog": "mecloglog",
    "poisson": "mepoisson",
    "nbinom2": "menbreg",
    "negbin": "menbreg",
    "clmm": "meologit",
    "ordinal": "meologit",
}
_GENERIC = "as in y x1 x2 || group: x1: variables separated by blanks, and || before each level"


def refuse_formula(cursor: Cursor, name: str) -> None:
    """Refuse ``y ~ x + (1 | g)``, ``y = x`` and ``y x (1 | g)``, saying what to type instead.

    Parameters
    ----------
    cursor : Cursor
        After the command's name; it does not move.
    name : str
        The command's name, for the hint.

    Raises
    ------
    CommandError
        r(198), with the command that the formula stands for as far as there is one.
    """
    token = cursor.peek()
    if token is None:
        return
    if token.kind == "string" and "~" in token.text:
        inside = _translated(token.text.strip("`\"'"), name)
        raise CommandError(198, f"invalid '{token.text}'", span=token.span, hint=_hint(name, inside))
    end = min(cursor.find(*stop) for stop in (("||",), (",",), ("if",), ("in",), ("[",)))
    text = cursor.text[token.start : cursor.tokens[end - 1].end] if end > cursor.position else ""
    rest = cursor.text[cursor.tokens[end].start :].rstrip() if end < cursor.stop else ""
    place = cursor.position + 1
    if cursor.at_kind("name") and cursor.at("~", "=", "==", ahead=1) and place < end:
        span, sign = cursor.tokens[place].span, cursor.tokens[place].text
        text = text.replace(sign, "~", 1)
    else:
        group = _group(cursor, end)
        if group is None or token.kind != "name":
            return
        span = (cursor.tokens[group].start, cursor.tokens[cursor.partner[group]].end)
        text = f"{token.text} ~ {cursor.text[token.end : cursor.tokens[end - 1].end]}"
    found = _translated(text, name)
    shown = cursor.text[slice(*span)]
    raise CommandError(198, f"invalid '{shown}'", span=span, hint=_hint(name, found, rest))


def called_with_formula(cursor: Cursor) -> str | None:
    """The command for a call such as ``glmer(y ~ x + (1 | g), family=binomial)``, or None.

    Parameters
    ----------
    cursor : Cursor
        At the first word; it does not move.
    """
    opening = cursor.find("(")
    if opening == cursor.stop or cursor.find("||", ",", "if") < opening:
        return None
    inner = cursor.part(opening + 1, cursor.partner[opening])
    words = {token.text.lower() for token in cursor.tokens}
    name = next((command for word, command in _FAMILIES.items() if word in words), "meglm")
    comma = inner.find(",")
    if inner.at_kind("string"):
        text = inner.take().text.strip("`\"'")
    elif comma > inner.position:
        text = cursor.text[inner.tokens[inner.position].start : inner.tokens[comma - 1].end]
    else:
        return None
    return _translated(text, name) if "~" in text else None


def _group(cursor: Cursor, end: int) -> int | None:
    """The index of a parenthesis with ``|`` right inside it, as in ``(1 | g)``, before `end`."""
    index = cursor.position
    while index < end:
        partner = cursor.partner.get(index)
        if partner is not None:
            inside = cursor.part(index + 1, partner)
            if cursor.tokens[index].text == "(" and inside.find("|", "||") < partner:
                return index
            index = partner
        index += 1
    return None


def _hint(name: str, translated: str | None, rest: str = "") -> str:
    if translated is None:
        return f"{name} takes no formula: type it {_GENERIC}"
    if rest and "||" not in translated and rest.startswith(("||", "if ", "in ", ",", "[")):
        translated += rest if rest.startswith(",") else f" {rest}"
    return f"type {translated}"


def _translated(text: str, name: str) -> str | None:
    """The command for a formula, or None where there is none."""
    try:
        formula = read_formula(Cursor(text, fragment=True))
    except CommandError:
        return None
    equations = None if formula is None else _equations(formula)
    if formula is None or equations is None:
        return None
    options = [*([] if formula.constant else ["noconstant"]), *formula.options]
    fixed = " ".join([name, formula.response, *formula.terms])
    if options:
        fixed += f", {' '.join(options)}"
    command = " ".join([fixed, *equations])
    if formula.columns:
        made = " and ".join(f"{column} = {source}" for column, source in formula.columns.items())
        command += f" once the data have {made}"
    return command


def _equations(formula: Formula) -> list[str] | None:
    """The random-effects equations; nested levels from the highest down, crossed ones by ``_all: R.``."""
    terms: dict[tuple[str, ...], list[RandomTerm]] = {}
    # The intercept belongs to the last equation of a level.
    for term in sorted(formula.random, key=lambda term: term.constant):
        terms.setdefault(term.path, []).append(term)
    by_depth = sorted(terms, key=len)
    if all(low[: len(high)] == high for high, low in pairwise(by_depth)):
        return [_equation(_name(path, terms, formula), term) for path in by_depth for term in terms[path]]
    # Only one of crossed factors may have random coefficients; it comes last.
    paths = list(dict.fromkeys(term.path for term in formula.random))
    sloped = [path for path in paths if any(term.effects for term in terms[path])]
    if len(sloped) > 1:
        return None
    last = sloped[0] if sloped else paths[-1]
    equations = [f"|| _all: R.{_name(path, (), formula)}" for path in paths if path != last]
    return equations + [_equation(_name(last, (), formula), term) for term in terms[last]]


def _name(path: tuple[str, ...], paths: Container[tuple[str, ...]], formula: Formula) -> str:
    """The level's variable; groups within others that are no level themselves need one of their own."""
    if len(path) == 1 or path[:-1] in paths:
        return path[-1]
    name = "_".join(path)
    formula.columns[name] = f"the groups of {' and '.join(path)}"
    return name


def _equation(level: str, term: RandomTerm) -> str:
    options = []
    if term.correlated and len(term.effects) + term.constant > 1:
        options.append("covariance(unstructured)")
    if not term.constant:
        options.append("noconstant")
    inside = " ".join([f"|| {level}:", *term.effects])
    return f"{inside}, {' '.join(options)}" if options else inside
