"""Which command is being typed at a place of a cell: in a line magic or in the body of a cell magic."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise

from memagic.magics.script import command_around
from memagic.spec.options import COMMANDS

__all__ = ["Typed", "typed_at"]

_CELL = re.compile(r"\s*%%(?P<name>\w+)(?P<line>[^\n]*)(?:\n|$)")
_LINE = re.compile(r"(?:[^%\"'#\n]*=)?\s*%(?P<name>\w+)")
_AUTOMAGIC = re.compile(r"\s*(?P<name>\w+)(?=[ ,:]|$)(?!\s*=)(?!\s*\.)")
_FLAG = re.compile(r"\s*-(?P<letter>[A-Za-z]?)(?:(?P<gap>[ \t]+)(?P<value>[^\s,]*))?")
_FLAG_HERE = re.compile(r"-\w*$")
_USE = re.compile(r"[ \t]*%?(?:quietly +|qui +)?use +\"?(?P<name>[\w.]+)\"?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Typed:
    """A command that is being typed.

    Attributes
    ----------
    text : str
        The command, with blanks in place of a magic's flags.
    cursor : int
        The place in it.
    data : str or None
        The name of its data where the cell says one.
    flag : str or None
        What is being typed where the place is in the magic's own arguments: a flag, or the name of data.
    names_data : bool
        Whether data may be named there.
    """

    text: str = ""
    cursor: int = 0
    data: str | None = None
    flag: str | None = None
    names_data: bool = False


def typed_at(code: str, cursor: int, names: Container[str], automagic: Container[str] = ()) -> Typed | None:
    """The command that is being typed.

    Parameters
    ----------
    code : str
        A cell.
    cursor : int
        The place in it.
    names : container of str
        The commands that are line magics.
    automagic : container of str
        Those that may stand without a percent sign.

    Returns
    -------
    Typed or None
        None where the place is in no command.
    """
    cell = _CELL.match(code)
    if cell is not None and cell["name"] in (*COMMANDS, "me"):
        if cursor < cell.end("name"):
            return None
        if cursor <= cell.end("line"):
            return _in_head(code[cell.start("line") : cursor])
        return _in_body(cell, code[cell.end() :], cursor - cell.end())
    return _in_line(code, cursor, names, automagic)


def _in_head(line: str) -> Typed | None:
    """The first line of a cell magic: a DataFrame's name, and flags."""
    if flag := _FLAG_HERE.search(line):
        return Typed(flag=flag[0])
    *before, word = re.split(r"[ \t]+", line)
    last = before[-1] if before else ""
    named = any(not other.startswith("-") and flag not in ("-o", "-d") for flag, other in pairwise(before))
    if not before or last == "-o" or (named and last != "-d"):
        return None
    return Typed(flag=word, names_data=True)


def _in_body(cell: re.Match[str], body: str, cursor: int) -> Typed:
    """The body of a cell magic: one command, or the one around the place in a script."""
    words = re.sub(r"-q\b|-o\s+\S+|-d\s", " ", cell["line"]).split()
    data = words[0] if words else None
    if cell["name"] != "me":
        text = f"{cell['name']}\n{body}"
        return Typed(text, len(cell["name"]) + 1 + cursor, data)
    before, text, position = command_around(body, cursor)
    return Typed(text, position, _used(before) or data)


def _used(commands: list[str]) -> str | None:
    """The data that the last `use` among some commands puts in use."""
    for command in reversed(commands):
        if match := _USE.match(command):
            return match["name"]
    return None


def _in_line(code: str, cursor: int, names: Container[str], automagic: Container[str]) -> Typed | None:
    """A line magic, which goes on in the next line after a backslash."""
    start = code.rfind("\n", 0, cursor) + 1
    while start > 1 and code[start - 2] == "\\":
        start = code.rfind("\n", 0, start - 1) + 1
    end = code.find("\n", cursor)
    line = code[start : end if end >= 0 else None].replace("\\\n", "  ")
    match = _LINE.match(line)
    if match is None or match["name"] not in names:
        match = _AUTOMAGIC.match(line)
        if match is None or match["name"] not in automagic:
            return None
    position = cursor - start
    if position <= match.end("name"):
        return None
    before = _used(code[:start].splitlines())
    return _flags_off(line[match.start("name") :], position - match.start("name"), before)


def _flags_off(text: str, cursor: int, data: str | None) -> Typed | None:
    """Take the flags off a line magic's text, and see whether the place is in one of them."""
    end = re.match(r"\w+[,:]?", text)
    position = 0 if end is None else end.end()
    while match := _FLAG.match(text, position):
        takes = match["letter"] in ("d", "o") and match["value"] is not None
        stop = match.end() if takes else match.end("letter")
        if position < cursor <= stop:
            if takes and cursor > match.start("gap"):
                here = text[match.start("value") : cursor]
                return Typed(flag=here, names_data=True) if match["letter"] == "d" else None
            return Typed(flag=text[match.start() : cursor].strip())
        if takes and match["letter"] == "d":
            data = match["value"]
        text = text[: match.start()] + " " * (stop - match.start()) + text[stop:]
        position = stop
    return Typed(text, cursor, data)
