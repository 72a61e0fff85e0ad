"""What to type instead, for common slips: the words of Python, R and pandas in a command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memagic.errors import CommandError, closest
from memagic.spec.formula import called_with_formula
from memagic.spec.functions import FUNCTIONS, SPELLINGS
from memagic.spec.in_python import in_python
from memagic.spec.options import COMMANDS, OPTIONS

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor

__all__ = [
    "UNKNOWN_MODELS",
    "call_hint",
    "column_hint",
    "frame_hint",
    "method_hint",
    "model_hint",
    "quoted_hint",
    "unknown_command",
]

_PREFIXES = {
    "by",
    "bysort",
    "bys",
    "bayes",
    "collect",
    "quietly",
    "qui",
    "noisily",
    "noi",
    "capture",
    "cap",
}
# Older names, and commands of single-level models.
_COUSINS = {
    "xtmelogit": "melogit",
    "meqrlogit": "melogit",
    "xtmepoisson": "mepoisson",
    "meqrpoisson": "mepoisson",
    "gllamm": "meglm",
    "logit": "melogit",
    "logistic": "melogit",
    "xtlogit": "melogit",
    "probit": "meprobit",
    "xtprobit": "meprobit",
    "cloglog": "mecloglog",
    "ologit": "meologit",
    "oprobit": "meoprobit",
    "poisson": "mepoisson",
    "nbreg": "menbreg",
    "glm": "meglm",
}
_LINEAR = {"mixed", "xtmixed", "regress", "reg", "lmer", "xtreg"}
# Multilevel models of the manual that there are not.
_ABSENT = {"mestreg", "metobit", "meintreg", "menl"}

UNKNOWN_MODELS = tuple(sorted({*_COUSINS, *_LINEAR, *_ABSENT} - {"lmer"}))
"""Commands of the manual whose names say what to type instead."""

# Methods of pandas, with what does the same.
_METHODS = {
    "isna": "missing({0})",
    "isnull": "missing({0})",
    "notna": "!missing({0})",
    "notnull": "!missing({0})",
    "isin": "inlist({0}, 1, 2)",
    "between": "inrange({0}, 1, 2)",
    "eq": "{0} == 1",
    "abs": "abs({0})",
}


def unknown_command(cursor: Cursor) -> CommandError:
    """The error at a first word that is no command; the cursor is at it."""
    token = cursor.tokens[cursor.position]
    word = token.text
    message = f"command {word} is unrecognized"
    hint = called_with_formula(cursor)
    if hint is not None:
        hint = f"type {hint}"
    elif word in _PREFIXES:
        message = f"prefix {word} is not supported"
        hint = "type the command without it"
    elif (instead := model_hint(word)) is not None:
        hint = instead
    elif word.lower() in COMMANDS:
        hint = f"type {word.lower()}: capital letters matter"
    elif cursor.at("~", "=", ahead=1) or cursor.at("||", ahead=2):
        hint = f"a command comes first: melogit {word} ..."
    else:
        hint = in_python(word) or closest(word.lower(), COMMANDS)
    return CommandError(199, message, span=token.span, hint=hint)


def model_hint(word: str) -> str | None:
    """What to type for a command of `UNKNOWN_MODELS`; None for other words."""
    if word in _COUSINS:
        return f"type {_COUSINS[word]} for the multilevel model: {_COUSINS[word]} y x || group:"
    if word in _LINEAR:
        return "type meglm for the linear multilevel model: meglm y x || group:"
    return f"there is no {word} here yet; commands are {', '.join(COMMANDS)}" if word in _ABSENT else None


def column_hint(name: str) -> str:
    """How a column gets a name that a command can have."""
    plain = re.sub(r"\W+", "_", name).strip("_") or "x"
    if plain[0].isdigit():
        plain = f"_{plain}"
    return f'a name has no blanks or signs; rename it: df.rename(columns={{"{name}": "{plain}"}})'


def quoted_hint(text: str) -> str:
    """What to type for a name in quotes where a variable is expected."""
    name = text.strip("`\"'")
    if name.isidentifier():
        return f"names stand without quotes: type {name}"
    return column_hint(name)


def call_hint(word: str, argument: str) -> str:
    """What to type for ``word(argument)`` among variables.

    Parameters
    ----------
    word : str
        Before the parenthesis.
    argument : str
        What stands first inside, or nothing.
    """
    if word in ("C", "factor") and argument.isidentifier():
        return f"type i.{argument} for a factor variable"
    if any(
        len(word) >= spec.minimum and spec.name.startswith(word) for spec in OPTIONS if spec.kind != "flag"
    ):
        return f"options follow a comma: , {word}("
    if word == "I":
        return "type c.x#c.x for a square"
    column = f"{word}_{argument}" if argument.isidentifier() else f"{word}_x"
    return f'make it a variable of the data first: df["{column}"] = ...'


def frame_hint(cursor: Cursor, place: int) -> str | None:
    """What to type for ``df.x`` and ``np.log(x)``; the word after the period is the token at `place`."""
    if place >= cursor.stop or cursor.tokens[place].kind != "name":
        return None
    word = cursor.tokens[place].text
    if place + 1 < cursor.stop and cursor.tokens[place + 1].text == "(":
        argument = cursor.tokens[place + 2].text
        return call_hint(word, argument)
    if len(cursor.tokens[place - 2].text) < 2:
        return None
    return f"columns are named without their frame: type {word}"


def method_hint(cursor: Cursor, name: str) -> str | None:
    """What to type for ``x.isin(...)``, ``df.x`` and ``np.nan`` in an expression.

    Parameters
    ----------
    cursor : Cursor
        At the period.
    name : str
        Before it.
    """
    token = cursor.peek(1)
    if token is None or token.kind != "name":
        return None
    if token.text in _METHODS:
        return f"type {_METHODS[token.text].format(name)}"
    if token.text in ("nan", "NaN", "NA", "inf"):
        return "a missing value is a period: type x == . or missing(x)"
    if cursor.at("(", ahead=2):
        return f"type {token.text}(x)" if token.text in FUNCTIONS or token.text in SPELLINGS else None
    if cursor.at("str", ahead=1):
        return 'functions of text are strlower(x), substr(x, 1, 2), strpos(x, "a") and others'
    return f"columns are named without their frame: type {token.text}"
