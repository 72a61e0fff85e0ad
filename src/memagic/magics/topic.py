"""One topic of the help: what is said of a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from memagic.display.help_page import HelpTable

__all__ = ["SECTIONS", "Section", "Topic"]

Section = Literal[
    "Data", "Estimation", "After a fit", "Surveys", "Definitions", "Prefixes and scripts", "Settings and help"
]

SECTIONS: tuple[Section, ...] = (
    "Data",
    "Estimation",
    "After a fit",
    "Surveys",
    "Definitions",
    "Prefixes and scripts",
    "Settings and help",
)


@dataclass(frozen=True, slots=True)
class Topic:
    """The help on a command.

    Attributes
    ----------
    section : str
        Where the list of all commands has it.
    title : str
        What the command does, in one line.
    syntax : tuple of (str, str)
        What may be typed, and what it does. Words to be replaced are ``name``, ``varname``, ``command``.
    tables : tuple of HelpTable
        Options.
    notes : tuple of str
    names : tuple of str
        What the list of all commands calls it; the topic's own name by default.
    others : tuple of str
        Further names that the help is found by.
    """

    section: Section
    title: str
    syntax: tuple[tuple[str, str], ...]
    tables: tuple[HelpTable, ...] = ()
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
