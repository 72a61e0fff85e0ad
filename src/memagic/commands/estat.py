"""The command estat."""

from __future__ import annotations

from memagic.errors import CommandError
from memagic.postestimation.estat import estat
from memagic.postestimation.shown import Shown
from memagic.results.estimates import Estimates
from memagic.spec.cursor import Cursor
from memagic.spec.estat import read_estat

__all__ = ["estat_command"]


def estat_command(text: str, estimates: Estimates) -> Shown:
    """Carry out ``estat subcommand [, options]`` on estimates.

    Raises
    ------
    CommandError
        What is wrong with the command, r(198); a subcommand that the estimates do not have, r(321).
    """
    command = read_estat(Cursor(text))
    try:
        return estat(estimates, command.name, **command.options)
    except CommandError as error:
        error.span = error.span or command.span
        raise
