"""The option that a word stands for, or what may have been meant by it."""

from __future__ import annotations

from difflib import get_close_matches

from memagic.errors import CommandError, closest
from memagic.spec.lacking import lacking_hint
from memagic.spec.option import OptionSpec, Scope
from memagic.spec.options import COMMANDS, OPTIONS, options_of

__all__ = ["find_option"]


def find_option(
    typed: str, command: str, scopes: tuple[Scope, ...], span: tuple[int, int], *, argument: bool = False
) -> OptionSpec:
    """The option that a word stands for.

    Parameters
    ----------
    typed : str
        The option's name, perhaps shortened.
    command : str
        The full name of the command.
    scopes : tuple of {"fixed", "random", "global"}
        Where the word stands.
    span : tuple of int
        Its place, for the error.
    argument : bool
        Whether parentheses follow.

    Returns
    -------
    OptionSpec
        The one option of the command that it shortens.

    Raises
    ------
    CommandError
        r(198) if there is none.
    """
    here = options_of(command, *scopes)
    for spec in here:
        if len(typed) >= spec.minimum and spec.name.startswith(typed):
            return spec
    shown = f"{typed}()" if argument else typed
    raise CommandError(
        198, f"option {shown} not allowed", span=span, hint=_hint(typed, command, scopes, here)
    )


def _hint(typed: str, command: str, scopes: tuple[Scope, ...], here: list[OptionSpec]) -> str | None:
    """What may have been meant: a longer form, another place, another command, or a near name."""
    if typed in ("if", "in"):
        return "if and in stand before the comma"
    longer = [spec for spec in here if spec.name.startswith(typed)]
    if longer:
        return "the shortest form is " + " or ".join(spec.name[: spec.minimum] for spec in longer)
    for spec in OPTIONS:
        if len(typed) >= spec.minimum and spec.name.startswith(typed):
            if not spec.allows(command):
                takers = [name for name in COMMANDS if spec.allows(name)]
                return f"{spec.shown} is an option of {', '.join(takers)}"
            if spec.scope not in scopes:
                place = "before the first ||" if spec.scope == "fixed" else "after a level: || level: , ..."
                return f"{spec.shown} belongs {place}"
    if lacking := lacking_hint(typed):
        return lacking
    # Also against the first letters: `covv` is far from the whole of `covariance`.
    begun = {spec.name[: len(typed)]: spec.name for spec in here}
    near = get_close_matches(typed.lower(), begun, n=1, cutoff=0.7)
    if hint := closest(typed.lower(), [spec.name for spec in here]):
        return hint
    if near:
        return f"did you mean {begun[near[0]]}?"
    return "variables stand before the comma, separated by blanks" if "fixed" in scopes else None
