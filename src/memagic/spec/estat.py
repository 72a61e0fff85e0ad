"""The grammar of `estat`: its subcommands and their options, in one table.

Source: [ME] estat icc, estat sd, estat group; [R] estat ic, estat vce, estat summarize.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memagic.errors import CommandError, closest

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Span

__all__ = ["ELSEWHERE", "SUBCOMMANDS", "EstatCommand", "EstatOption", "Subcommand", "read_estat"]


@dataclass(frozen=True, slots=True)
class EstatOption:
    """An option: its name, how many letters must be typed, whether it takes a number, what it does."""

    name: str
    minimum: int
    number: bool
    help: str


@dataclass(frozen=True, slots=True)
class Subcommand:
    """What may follow `estat`: how many letters must be typed, its options, what it shows."""

    minimum: int
    help: str
    options: tuple[EstatOption, ...] = ()


_LEVEL = EstatOption("level", 1, True, "confidence level")

SUBCOMMANDS: dict[str, Subcommand] = {
    "icc": Subcommand(3, "intraclass correlations", (_LEVEL,)),
    "sd": Subcommand(
        2,
        "random effects as standard deviations and correlations",
        (_LEVEL, EstatOption("verbose", 4, False, "all parameters")),
    ),
    "group": Subcommand(2, "numbers and sizes of groups"),
    "ic": Subcommand(
        2, "Akaike's and Schwarz's information criteria", (EstatOption("n", 1, True, "N to use in BIC"),)
    ),
    "vce": Subcommand(
        3,
        "covariance of the estimators",
        (EstatOption("correlation", 1, False, "as correlations"),),
    ),
    "summarize": Subcommand(2, "the variables of the model in the estimation sample"),
}
"""By full name."""

ELSEWHERE = {
    "recovariance": "estat recovariance follows mixed and menl; estat sd has the correlations",
    "wcorrelation": "estat wcorrelation follows mixed and menl; estat icc has correlations within groups",
    "df": "estat df follows mixed",
}
_SHORTEST_ELSEWHERE = {"recovariance": 5, "wcorrelation": 4, "df": 2}


@dataclass(frozen=True, slots=True)
class EstatCommand:
    """What was typed.

    Attributes
    ----------
    name : str
        The subcommand in full, perhaps one of other commands.
    options : dict of str to (number or True)
    span : tuple of int
        The place of the subcommand and all after it.
    """

    name: str
    options: dict[str, float | bool]
    span: Span


def read_estat(cursor: Cursor) -> EstatCommand:
    """Read ``estat subcommand [, options]``.

    Raises
    ------
    CommandError
        r(198) for what has no place.
    """
    cursor.take()
    if cursor.done:
        hint = f"type one of {', '.join(SUBCOMMANDS)} after estat"
        raise CommandError(198, "subcommand required", span=cursor.here(), hint=hint)
    first = cursor.position
    name = _subcommand(cursor)
    span = cursor.span_from(first)
    if name in ELSEWHERE:
        # Whatever their options are, they are not for these estimates.
        return EstatCommand(name, {}, span)
    if not cursor.done and not cursor.at(","):
        raise cursor.invalid(hint=f"type estat {name} [, options]")
    found: dict[str, float | bool] = {}
    while not cursor.done:
        if cursor.at(","):
            cursor.take()
            continue
        _read_option(cursor, name, found)
    return EstatCommand(name, found, cursor.span_from(first))


def _subcommand(cursor: Cursor) -> str:
    token = cursor.take()
    shortest = {name: one.minimum for name, one in SUBCOMMANDS.items()} | _SHORTEST_ELSEWHERE
    for name, minimum in shortest.items():
        if len(token.text) >= minimum and name.startswith(token.text):
            return name
    hint = closest(token.text, SUBCOMMANDS) or f"subcommands are {', '.join(SUBCOMMANDS)}"
    raise CommandError(198, f"invalid subcommand {token.text}", span=token.span, hint=hint)


def _read_option(cursor: Cursor, name: str, found: dict[str, float | bool]) -> None:
    first = cursor.position
    token = cursor.take()
    known = SUBCOMMANDS[name].options
    option = next((o for o in known if len(token.text) >= o.minimum and o.name.startswith(token.text)), None)
    if option is None:
        words = ", ".join(o.name for o in known)
        hint = f"estat {name} takes {words}" if known else f"estat {name} takes no options"
        raise CommandError(198, f"option {token.text} not allowed", span=token.span, hint=hint)
    if option.name in found:
        raise CommandError(198, f"option {option.name} specified more than once", span=token.span)
    if not option.number:
        found[option.name] = True
        return
    inner = cursor.inside() if cursor.at("(") else None
    number = None if inner is None or inner.done else inner.number()
    if inner is None or number is None or not inner.done:
        span = cursor.span_from(first)
        raise CommandError(198, f"option {option.name}() incorrectly specified", span=span)
    found[option.name] = number
