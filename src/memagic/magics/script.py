"""The cell magic ``%%me``: its text cut into commands, as a do-file is."""

from __future__ import annotations

import re

__all__ = ["command_around", "commands_of"]

_STRING_OR_COMMENT = re.compile(r'"[^"\n]*"|///?|/\*')


def commands_of(cell: str) -> list[str]:
    """The commands of a cell, without those that are comments only.

    A line is a command. It goes on in the next one after ``///``, inside ``/* */``, and where the next
    one begins with ``||`` or a comma. Line ends inside a command stay, so that an error shows its line.
    """
    texts = ("\n".join(lines).rstrip() for lines in _grouped(cell))
    return [text for text in texts if _says_something(text)]


def command_around(cell: str, cursor: int) -> tuple[list[str], str, int]:
    """The command that a place of a cell belongs to.

    Returns
    -------
    before : list of str
        The commands before it.
    text : str
        The command as far as it goes, nothing in an empty line.
    cursor : int
        The place in it.
    """
    start = 0
    before: list[str] = []
    for lines in _grouped(cell):
        text = "\n".join(lines)
        if cursor <= start + len(text):
            return before, text, max(cursor - start, 0)
        before.append(text)
        start += len(text) + 1
    return before, "", 0


def _grouped(cell: str) -> list[list[str]]:
    """The lines of a cell, those of a command together."""
    commands: list[list[str]] = []
    goes_on = within = False
    for line in cell.split("\n"):
        if goes_on or within or (commands and line.strip().startswith(("||", ","))):
            commands[-1].append(line)
        else:
            commands.append([line])
        goes_on, within = _ends(line, within)
    return commands


def _ends(line: str, within: bool) -> tuple[bool, bool]:
    """Whether the command goes on after a line, and whether a comment does."""
    position = 0
    if within:
        end = line.find("*/")
        if end < 0:
            return False, True
        position = end + 2
    while match := _STRING_OR_COMMENT.search(line, position):
        if match[0] in ("//", "///"):
            return match[0] == "///", False
        position = match.end()
        if match[0] == "/*":
            end = line.find("*/", position)
            if end < 0:
                return False, True
            position = end + 2
    return False, False


def _says_something(text: str) -> bool:
    bare = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    lines = (re.sub(r"//.*", "", line).strip() for line in bare.split("\n"))
    return any(line and not line.startswith("*") for line in lines)
