"""What may be typed at a place of an estimation command: variables, levels, options and their values."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memagic.spec.expected import Expected, Place, place
from memagic.spec.functions import FUNCTIONS
from memagic.spec.option import OptionSpec, Scope
from memagic.spec.options import DISPERSIONS, EXCLUSIVE, options_of
from memagic.spec.qualifiers import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memagic.spec.expected import Before
    from memagic.spec.scanner import Token

__all__ = ["in_estimation", "in_expression", "in_weight"]

_OPERATORS = ("i.", "c.", "ibn.")
_EQUALITIES = ("==", "!=", "~=")
_MATRIX_STRUCTURES = ("fixed", "pattern")
# The level of an operator, typed before a variable that stands there already: `ib|.children`.
_LEVEL = re.compile(r"(?:i|b|ib|o|io)?(?P<digits>[0-9]*)")
_VARIABLE_AFTER = re.compile(r"\)?\.(?P<name>[^\W\d]\w*)")

_VARIABLES = Expected(sources=("variable",))
_KEYWORDS = Expected(words=("if", "in"), kind="operator")


def in_estimation(before: Before, first: int, later: Sequence[Token]) -> Expected | None:
    """What may be typed at the end of an estimation command.

    Parameters
    ----------
    before : Before
        The command as far as it goes.
    first : int
        The index of the command's name among its tokens.
    later : sequence of Token
        All tokens after the name, those behind the place too: options that are given there are not
        offered again.
    """
    command, tokens = before.tokens[first].text, before.tokens[first + 1 :]
    here = place(tokens)
    if here.comma is not None:
        scopes: tuple[Scope, ...] = ("random" if here.part else "fixed", "global")
        replay = here.part == 0 and here.comma == 0
        known = [spec for spec in options_of(command, *scopes) if spec.replay or not replay]
        if here.opened:
            return _in_option(tokens, here, known)
        typed = _typed(later, here.part, command)
        return Expected(words=tuple(_offered(known, typed, before.rest)), kind="option")
    if here.part:
        return _in_random(before, first, here)
    return _in_fixed(before, first, here)


def _in_fixed(before: Before, first: int, here: Place) -> Expected | None:
    """The dependent variable, the covariates, a condition or a weight."""
    tokens = before.tokens[first + 1 :]
    keywords = [
        index for index, token in enumerate(tokens) if token.text in ("if", "in") and _outside(tokens, index)
    ]
    if here.opened and tokens[here.opened[0]].text == "[":
        return in_weight(tokens[here.opened[0] + 1 :])
    if keywords:
        return None if tokens[keywords[-1]].text == "in" else in_expression(tokens[keywords[-1] + 1 :])
    if any(token.text == "[" for token in tokens):
        return _KEYWORDS
    expected = _in_varlist(before, first + 1)
    if expected is None or expected.levels_of is not None:
        return expected
    if not tokens:
        return _VARIABLES
    if here.opened or not expected.words or before.joined(len(before.tokens) - 1):
        return expected
    return replace(expected, words=(*expected.words, *_KEYWORDS.words))


def _in_random(before: Before, first: int, here: Place) -> Expected | None:
    """The group variable, or after its colon the variables with random coefficients."""
    tokens = before.tokens[first + 1 :]
    colon = next((k for k in range(here.start, len(tokens)) if tokens[k].text == ":"), None)
    if colon is None:
        group = Expected(words=("_all",), kind="operator", sources=("variable",))
        return group if here.start == len(tokens) else None
    expected = _in_varlist(before, first + 1 + colon + 1)
    if expected is not None and expected.words and colon + 1 == len(tokens):
        return replace(expected, words=(*expected.words, "R."))
    return expected


def _outside(tokens: Sequence[Token], index: int) -> bool:
    return not place(tokens[:index]).opened


# --- parts of several commands -------------------------------------------------------------------


def _in_varlist(before: Before, first: int) -> Expected | None:
    """A variable list that begins at the token `first`: variables, and operators before them."""
    if before_level := _before_variable(before):
        return before_level
    if before.fragment[:1].isdigit():
        return None
    if len(before.tokens) <= first:
        return Expected(words=_OPERATORS, kind="operator", sources=("variable",))
    last = before.tokens[-1]
    if before.joined(len(before.tokens) - 1):
        if last.text in (".", "-"):
            return _VARIABLES
        opens = len(before.tokens) > 1 and before.joined(len(before.tokens) - 2)
        if last.text == "(" and opens and before.tokens[-2].kind == "name":
            # The levels of i(1 2).x, whose variable is not known yet.
            return None
        if last.text not in ("#", "##", "(", ":"):
            return None
    return Expected(words=_OPERATORS, kind="operator", sources=("variable",))


def _before_variable(before: Before) -> Expected | None:
    """A level before the period of a variable that stands there already."""
    variable, level = _VARIABLE_AFTER.match(before.rest), _LEVEL.fullmatch(before.fragment)
    if variable is None or level is None or (not before.fragment and not _starts_word(before)):
        return None
    return Expected(level["digits"], levels_of=variable["name"])


def _starts_word(before: Before) -> bool:
    """Whether nothing is joined to the place but a mark that goes before an operator."""
    last = len(before.tokens) - 1
    return last < 0 or not before.joined(last) or before.tokens[last].text in ("#", "##", "(")


def in_weight(tokens: Sequence[Token]) -> Expected:
    """Inside the brackets of a weight: its kind, then an expression."""
    if any(token.text == "=" for token in tokens):
        return _VARIABLES
    return Expected(words=tuple(f"{kind}=" for kind in WEIGHTS), kind="option")


def in_expression(tokens: Sequence[Token]) -> Expected | None:
    """A condition: variables and functions, the values of a variable it is compared with."""
    last = tokens[-1] if tokens else None
    if last is not None:
        if last.text in _EQUALITIES and len(tokens) > 1 and tokens[-2].kind == "name":
            return Expected(levels_of=tokens[-2].text, quoted=True)
        opened = place(tokens).opened
        start = opened[-1] if opened else 0
        if last.text == "," and start > 0 and tokens[start - 1].text == "inlist":
            subject = tokens[start + 1]
            return Expected(levels_of=subject.text, quoted=True) if subject.kind == "name" else None
        if last.kind != "mark" or last.text in (")", "]"):
            return None if opened else Expected(words=("in",), kind="operator")
    functions = tuple(f"{name}(" for name in FUNCTIONS)
    return Expected(words=functions, kind="function", sources=("variable",))


# --- options -------------------------------------------------------------------------------------


def _offered(known: Sequence[OptionSpec], typed: frozenset[str], rest: str) -> list[str]:
    """Options that may still be typed, as they are typed."""
    words: dict[str, None] = {}
    for spec in known:
        if spec.name in typed and not spec.repeated:
            continue
        if any(spec.name in group and typed & set(group) for group in EXCLUSIVE):
            continue
        if spec.kind == "flag" or spec.bare or rest.startswith("("):
            words[spec.name] = None
        if spec.kind != "flag" and not rest.startswith("("):
            words[f"{spec.name}("] = None
    return list(words)


@dataclass(frozen=True, slots=True)
class _Given:
    """An option's word and the part it stands in."""

    word: str
    part: int


def _typed(tokens: Sequence[Token], part: int, command: str) -> frozenset[str]:
    """The options given in a part, and those of the whole command given anywhere."""
    names: set[str] = set()
    for given in _given(tokens):
        scopes: tuple[Scope, ...] = ("random" if given.part else "fixed", "global")
        spec = _option(given.word, options_of(command, *scopes))
        if spec is not None and (spec.scope == "global" or given.part == part):
            names.add(spec.name)
    return frozenset(names)


def _given(tokens: Sequence[Token]) -> list[_Given]:
    found: list[_Given] = []
    depth = part = 0
    after_comma = False
    for token in tokens:
        depth = max(0, depth + (token.text in ("(", "[")) - (token.text in (")", "]")))
        if depth == 0 and token.text == "||":
            part, after_comma = part + 1, False
        elif depth == 0 and token.text == ",":
            after_comma = True
        elif depth == 0 and after_comma and token.kind == "name":
            found.append(_Given(token.text, part))
    return found


def _option(typed: str, known: Sequence[OptionSpec]) -> OptionSpec | None:
    matching = (spec for spec in known if len(typed) >= spec.minimum and spec.name.startswith(typed))
    return next(matching, None)


def _in_option(tokens: Sequence[Token], here: Place, known: Sequence[OptionSpec]) -> Expected | None:
    """Inside the parentheses of an option: its words, or what its kind takes."""
    opening = here.opened[0]
    spec = _option(tokens[opening - 1].text, known) if opening else None
    if spec is None:
        return None
    inner = tokens[opening + 1 :]
    if not inner:
        return _first_value(spec)
    word = inner[0].text
    choice = next((c.name for c in spec.choices if len(word) >= c.minimum and c.name.startswith(word)), "")
    match spec.kind, choice:
        case "vcetype", "cluster":
            return _VARIABLES if len(inner) == 1 else None
        case "family", "binomial":
            return _VARIABLES if len(inner) == 1 else None
        case "family", "nbinomial":
            return Expected(words=tuple(one.name for one in DISPERSIONS)) if len(inner) == 1 else None
        case "vartype", structure if structure in _MATRIX_STRUCTURES and inner[-1].text == "(":
            return Expected(sources=("matrix",))
        case "techniques", _:
            return _words(spec)
        case "numlist", _:
            return Expected(sources=("constraint",))
        case "grid", _ if inner[-1].text in ("[", ">") or inner[-1].text == ",":
            return _VARIABLES
        case "start", "fixedonly" | "iv" if inner[-1].text == ",":
            return Expected(words=("iterate(",), kind="option")
        case "initial", _ if inner[-1].text == ",":
            return Expected(words=("skip", "copy"), kind="option")
    return None


def _first_value(spec: OptionSpec) -> Expected | None:
    """What an option takes first."""
    match spec.kind:
        case "varname" | "trials":
            return _VARIABLES
        case "numlist":
            return Expected(sources=("constraint",))
        case "initial":
            return Expected(sources=("matrix", "result"))
    return _words(spec) if spec.choices else None


def _words(spec: OptionSpec) -> Expected:
    takes_matrix = spec.kind == "vartype"
    return Expected(
        words=tuple(
            f"{choice.name}(" if takes_matrix and choice.name in _MATRIX_STRUCTURES else choice.name
            for choice in spec.choices
        )
    )
