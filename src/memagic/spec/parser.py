"""A command's text to its syntax tree, and the replay of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.spec.cursor import Cursor
from memagic.spec.expression import read_expression, unexpected
from memagic.spec.formula import refuse_formula
from memagic.spec.options import COMMANDS
from memagic.spec.qualifiers import check_weights, read_rows, read_weight
from memagic.spec.scanner import scan
from memagic.spec.slips import quoted_hint, unknown_command
from memagic.spec.tree import Command, Factor, FixedEquation, Option, RandomEquation
from memagic.spec.values import add_option, check_exclusive, read_options
from memagic.spec.varlist import read_depvar, read_varlist

if TYPE_CHECKING:
    from memagic.spec.option import Scope
    from memagic.spec.tree import Expression, RowRange, Term, Weight

__all__ = ["command_name", "is_replay", "parse_command", "parse_replay", "read_command"]

_COMPARISONS = ("==", "!=", "~=", "<", ">", "<=", ">=", "=")


def command_name(text: str) -> str | None:
    """The word a command starts with, known or not; None where there is no word."""
    try:
        token = next(scan(text), None)
    except CommandError:
        return None
    return token.text if token is not None and token.kind == "name" else None


def is_replay(text: str) -> bool:
    """Whether the text is a known command's name with nothing but options after it."""
    try:
        tokens = scan(text)
        first, second = next(tokens, None), next(tokens, None)
    except CommandError:
        return False
    return first is not None and first.text in COMMANDS and (second is None or second.text == ",")


def parse_command(text: str) -> Command:
    """Read an estimation command.

    Parameters
    ----------
    text : str
        One command; line ends in it are white space.

    Returns
    -------
    Command
        The syntax tree, with all options checked for form but not for whether they go together
        with the model or the data.

    Raises
    ------
    CommandError
        With the place in `text`: r(198) for most syntax errors, r(199) for an unknown command,
        r(100) without a dependent variable.
    """
    try:
        return read_command(Cursor(text))
    except CommandError as error:
        error.located(text)
        raise


def parse_replay(text: str) -> tuple[str, dict[str, Option]]:
    """Read the replay of a command: its name, and options that change what is shown.

    Parameters
    ----------
    text : str
        For example ``"melogit, or level(90)"``.

    Returns
    -------
    name : str
        The command's name.
    options : dict of str to Option
        By full name.

    Raises
    ------
    CommandError
        r(198) for any other option.
    """
    try:
        cursor = Cursor(text)
        name = _known_name(cursor)
        if not cursor.done and not cursor.at(","):
            raise cursor.invalid()
        options: dict[str, Option] = {}
        for spec, option in read_options(cursor, name, ("global",)):
            if not spec.replay:
                hint = "a replay only changes what is shown; type the whole command to fit the model again"
                raise CommandError(198, f"option {spec.shown} not allowed", span=option.span, hint=hint)
            add_option(options, spec, option)
        check_exclusive(options)
    except CommandError as error:
        error.located(text)
        raise
    return name, options


def _known_name(cursor: Cursor) -> str:
    if cursor.done:
        raise CommandError(199, "no command", span=cursor.here(), hint=f"commands are {', '.join(COMMANDS)}")
    if not cursor.at(*COMMANDS):
        raise unknown_command(cursor)
    return cursor.take().text


def read_command(cursor: Cursor) -> Command:
    """Read a command from its name to the end of the text; a prefix may stand before it."""
    name = _known_name(cursor)
    refuse_formula(cursor, name)
    if cursor.at_kind("string"):
        raise cursor.invalid(hint=quoted_hint(cursor.tokens[cursor.position].text))
    options: dict[str, Option] = {}
    body, own = _part(cursor, name, ("fixed", "global"), options)
    depvar = _depvar(body, name)
    fixed = _fixed(body, own)
    random: list[RandomEquation] = []
    while not cursor.done:
        cursor.take()
        body, own = _part(cursor, name, ("random", "global"), options)
        random.append(_random(body, own))
    check_exclusive(options)
    command = Command(name, depvar, fixed, tuple(random), options, cursor.text)
    check_weights(command)
    return command


def _part(
    cursor: Cursor, name: str, scopes: tuple[Scope, ...], options: dict[str, Option]
) -> tuple[Cursor, dict[str, Option]]:
    """What stands before the next ``||``: its text before the comma, and its own options.

    Options of the whole command may stand in any part; they are added to `options`.
    """
    part = cursor.part(cursor.position, cursor.find("||"))
    cursor.position = part.stop
    comma = part.find(",")
    own: dict[str, Option] = {}
    for spec, option in read_options(part.part(comma, part.stop), name, scopes):
        add_option(options if spec.scope == "global" else own, spec, option)
    return part.part(part.position, comma), own


def _depvar(body: Cursor, name: str) -> Factor:
    token = body.peek()
    if token is None or token.text in ("if", "in", "["):
        hint = f"type the dependent variable after {name}"
        raise CommandError(100, "varlist required", span=body.here(), hint=hint)
    return read_depvar(body)


def _fixed(body: Cursor, options: dict[str, Option]) -> FixedEquation:
    """The covariates, then `if`, `in` and a weight in any order."""
    if body.at("#", "##"):
        raise body.invalid(hint="the dependent variable may not be a part of an interaction")
    terms = read_varlist(body)
    condition: Expression | None = None
    rows: RowRange | None = None
    weight: Weight | None = None
    while not body.done:
        if body.at("if") and condition is None:
            body.take()
            condition = read_expression(body)
        elif body.at("in") and rows is None:
            rows = read_rows(body)
        elif body.at("[") and weight is None:
            weight = read_weight(body)
        else:
            raise _misplaced(body, condition is not None)
    return FixedEquation(terms, condition, rows, weight, options)


def _misplaced(body: Cursor, in_condition: bool) -> CommandError:
    """The error at what ends neither a variable list nor a condition."""
    if body.at(":") and body.tokens[body.position - 2].text == "|":
        # A single bar reads as "or" in a condition; the colon gives it away.
        return body.invalid(body.tokens[body.position - 2].span, "type || before a level")
    if body.tokens[body.position - 1].kind == "digits" and (body.at(":") or body.at_kind("digits")):
        return body.invalid(hint="a range has a slash: in 1/10")
    if body.at("|"):
        return body.invalid(hint="type || before a level")
    if body.at(":"):
        return body.invalid(hint="type || before a level; interactions are x#z")
    token = body.peek()
    if token is not None and token.kind == "string":
        return body.invalid(hint=quoted_hint(token.text))
    if in_condition:
        return unexpected(body)
    hints = {
        "-": "a range of variables is x1-x9",
        "*": "interactions are x#z, or x##z with main effects; x* are all names that start with x",
        "~": "the one variable that starts with x and ends with z is x~z",
        "+": "separate variables by blanks",
        ">": "a condition starts with if",
        "<": "a condition starts with if",
        "==": "a condition starts with if",
        "=": "an option follows a comma and has its value in parentheses: , level(90)",
        "^": "powers are products: c.x#c.x is the square of x",
        ";": "one command at a time",
        "$": "there are no macros here: type the name itself",
    }
    if body.at("*") and body.at("*", ahead=1):
        return body.invalid(hint=hints["^"])
    return body.invalid(hint=hints.get(token.text) if token else None)


def _random(body: Cursor, options: dict[str, Option]) -> RandomEquation:
    """``level: terms`` or ``level: R.varname``."""
    first = body.position
    level = body.peek()
    if level is None:
        raise body.invalid(hint="a level is expected after ||, for example || school:")
    if level.kind != "name":
        raise body.invalid(hint="a level is the name of a variable, or _all")
    body.take()
    if not body.at(":"):
        raise _without_colon(body)
    body.take()
    factor = None
    factor_span = (0, 0)
    terms: tuple[Term, ...] = ()
    if body.at("R") and body.at(".", ahead=1) and body.joined():
        start = body.position
        body.position += 2
        if not body.at_kind("name") or not body.joined(0):
            raise body.invalid(body.span_from(start), "type R.varname")
        factor = body.take().text
        factor_span = body.span_from(start)
        if not body.done:
            raise body.invalid(hint=f"R.{factor} stands alone in its equation")
    else:
        terms = read_varlist(body)
    if body.at("["):
        raise body.invalid(hint="weights belong before the first ||; those of a level are an option: , pw(w)")
    if body.at("if", "in"):
        raise body.invalid(hint="if and in belong before the first ||")
    if not body.done:
        raise _misplaced(body, in_condition=False)
    return RandomEquation(level.text, terms, factor, options, body.span_from(first), level.span, factor_span)


def _without_colon(body: Cursor) -> CommandError:
    """The error at a level whose colon is missing."""
    level = body.tokens[body.position - 1]
    if body.at(*_COMPARISONS):
        return body.invalid(hint="in a condition, or is a single |")
    if body.at(".") and body.joined(0):
        operand = body.peek(1)
        operand_text = operand.text if operand and operand.kind == "name" else "varname"
        if level.text in ("R", "r"):
            return body.invalid(level.span, f"type _all: R.{operand_text}")
        return body.invalid(level.span, f"a level has no operator: type {operand_text}:")
    message = f"':' required after level variable {level.text}"
    return CommandError(198, message, span=level.span, hint=f"type {level.text}:")
