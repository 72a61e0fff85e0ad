"""One option of a command: how it may be shortened, where it stands, what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Choice", "Kind", "OptionSpec", "Scope", "choices_of", "flag"]

Scope = Literal["fixed", "random", "global"]
Kind = Literal[
    "flag",
    "integer",
    "real",
    "varname",
    "trials",
    "choice",
    "family",
    "vartype",
    "vcetype",
    "numlist",
    "techniques",
    "start",
    "grid",
    "initial",
]


@dataclass(frozen=True, slots=True)
class Choice:
    """A word an option takes; it may be shortened to its first `minimum` letters."""

    name: str
    minimum: int


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """An option as the manual describes it.

    Parameters
    ----------
    name : str
        In full.
    minimum : int
        How many letters of the name must be typed.
    scope : {"fixed", "random", "global"}
        The fixed-effects equation's, a random-effects equation's, or the whole command's.
    kind : str
        What stands between the parentheses; a flag has none.
    help : str
        What it does, in a few words.
    commands : frozenset of str, optional
        The commands that have it; None stands for all.
    choices : tuple of Choice
        The words it takes, for the kinds that take words.
    limits : tuple of float, optional
        The smallest and the largest number it takes.
    replay : bool
        Whether it only changes what is shown, so that it may follow a command name alone.
    bare : bool
        Whether it may stand without its parentheses.
    repeated : bool
        Whether it may be given more than once.
    """

    name: str
    minimum: int
    scope: Scope
    kind: Kind
    help: str
    commands: frozenset[str] | None = None
    choices: tuple[Choice, ...] = ()
    limits: tuple[float, float] | None = None
    replay: bool = False
    bare: bool = False
    repeated: bool = False

    @property
    def shown(self) -> str:
        """The name as messages have it: with parentheses where it takes something."""
        return self.name if self.kind == "flag" else f"{self.name}()"

    def allows(self, command: str) -> bool:
        return self.commands is None or command in self.commands


def choices_of(*words: str) -> tuple[Choice, ...]:
    """Choices from words whose required letters are capital, as in ``UNstructured``."""
    return tuple(Choice(word.lower(), max(1, sum(map(str.isupper, word)))) for word in words)


def flag(
    word: str, scope: Scope, text: str, *, commands: frozenset[str] | None = None, replay: bool = False
) -> OptionSpec:
    """A flag from a word whose required letters are capital."""
    return OptionSpec(word.lower(), sum(map(str.isupper, word)), scope, "flag", text, commands, replay=replay)
