"""A magic's own arguments: the flags before the command, or the first line of a cell magic."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from keyword import iskeyword

from memagic.errors import CommandError
from memagic.spec.options import COMMANDS
from memagic.spec.scanner import scan

__all__ = ["FLAGS", "Arguments", "Word", "read_cell", "read_line", "without_flags"]

FLAGS = (
    ("-d NAME", "data for this command: a DataFrame, an example or a .dta file"),
    ("-o NAME", "keep the result in the variable NAME"),
    ("-q", "show nothing; so does a semicolon at the end"),
)

# A flag, with its value where it has one; a comma ends it too, for `-o r2, or`.
_FLAG = re.compile(r"\s*(?P<flag>-(?P<letter>[A-Za-z]\w*))(?:(?=\s|,|$)|$)")
# After these a minus may begin an expression, `%lincom -age + 1.urban`, also of variables d, o and q. It is a
# flag's where an operand follows without an operator, which no expression has: `-o r 1.urban`, `-q 1.urban`.
_EXPRESSIONS = ("lincom", "nlcom", "test", "testnl")
_NAMING = r"-(?:d|o)(?=\s+[^\W\d])"
_OWN_FLAG = re.compile(rf"\s*(?P<flag>(?={_NAMING}|-q\s+(?:[\w.(\[]|{_NAMING}))-(?P<letter>[doq]))")
_VALUE = re.compile(r"\s*(?P<value>[^\s,-][^\s,]*)")
# Flags after a command's name that has a prefix before it; not where a minus may begin what is tested.
_LATER = re.compile(
    rf"[^\"]*?\b(?:{'|'.join((*COMMANDS, 'predict', 'margins', 'estat', 'quadchk', 'lrtest', 'svy'))})"
    r"(?=\s+-[doq](?:\s|,|$))"
)
_HINT = "a magic's flags are -d NAME, -o NAME and -q"


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its place in the line it was typed in."""

    text: str
    span: tuple[int, int]
    line: str

    def error(self, rc: int, message: str, hint: str | None) -> CommandError:
        """An error that points at the word."""
        return CommandError(rc, message, span=self.span, hint=hint, text=self.line)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a magic was called with.

    Attributes
    ----------
    data : Word or None
        Where the data come from.
    out : str or None
        The variable for the result.
    quiet : bool
        Whether to show nothing.
    text : str
        The command, which positions in errors refer to.
    """

    data: Word | None = None
    out: str | None = None
    quiet: bool = False
    text: str = ""

    def refuse_data(self, hint: str | None = None) -> None:
        """Refuse flag -d, for a command that would do nothing with it.

        Raises
        ------
        CommandError
            ``flag -d not allowed``, r(198).
        """
        if self.data is not None:
            raise self.data.error(198, "flag -d not allowed", hint)


def read_line(name: str, line: str) -> Arguments:
    """Read a line magic: ``[flags] command``.

    Parameters
    ----------
    name : str
        The command.
    line : str
        What follows it.

    Raises
    ------
    CommandError
        An unknown flag or one without its value, r(198).
    """
    flag = _OWN_FLAG if name in _EXPRESSIONS else _FLAG
    arguments, position = _flags(Arguments(), f"{name} {line}", len(name), flag)
    rest = f"{name} {line}"[position:].strip()
    glue = "" if not rest or rest.startswith(",") else " "
    return _without_semicolon(replace(arguments, text=f"{name}{glue}{rest}"))


def read_cell(name: str, line: str, body: str) -> Arguments:
    """Read a cell magic: ``[DataFrame] [flags]`` on its line and the command in its body.

    Raises
    ------
    CommandError
        As for `read_line`, or more than one word on the line, r(198).
    """
    head = f"%%{name} {line}".rstrip()
    arguments, position = _flags(Arguments(), head, len(name) + 2)
    if arguments.data is None and (match := _VALUE.match(head, position)):
        arguments = replace(arguments, data=Word(match["value"], match.span("value"), head))
        arguments, position = _flags(arguments, head, match.end())
    if position < len(head):
        start = position + len(head[position:]) - len(head[position:].lstrip())
        hint = f"the first line is %%{name} DataFrame; the command goes into the lines below"
        raise Word(head[start:], (start, len(head)), head).error(198, f"invalid '{head[start:]}'", hint)
    # On a line of its own, so that an error shows the lines of the body as they were typed.
    return _without_semicolon(replace(arguments, text=f"{name}\n{body.rstrip()}"))


def without_flags(arguments: Arguments) -> Arguments:
    """Read flags between a command and what follows it, ``quietly melogit -d df y x``, too.

    Raises
    ------
    CommandError
        As for `read_line`.
    """
    text = arguments.text
    match = _LATER.match(text)
    if match is None:
        return arguments
    arguments, end = _flags(arguments, text, match.end())
    return replace(arguments, text=text[: match.end()] + text[end:])


def _flags(
    arguments: Arguments, line: str, position: int, pattern: re.Pattern[str] = _FLAG
) -> tuple[Arguments, int]:
    """Read flags from `position` on; return where they end."""
    while match := pattern.match(line, position):
        position = match.end()
        flag = Word(match["flag"], match.span("flag"), line)
        if match["letter"] == "q":
            arguments = replace(arguments, quiet=True)
            continue
        if match["letter"] not in ("d", "o"):
            raise flag.error(198, f"flag {flag.text} not allowed", _HINT)
        value = _VALUE.match(line, position)
        if value is None:
            raise flag.error(198, f"flag {flag.text} needs a name", _HINT)
        position = value.end()
        word = Word(value["value"], value.span("value"), line)
        if match["letter"] == "d":
            arguments = replace(arguments, data=word)
        elif word.text.isidentifier() and not iskeyword(word.text):
            arguments = replace(arguments, out=word.text)
        else:
            raise word.error(198, f"{word.text} invalid name", "type the name of a Python variable")
    return arguments, position


def _without_semicolon(arguments: Arguments) -> Arguments:
    """Take a semicolon at the command's end for the notebook's sign to show nothing."""
    try:
        last = list(scan(arguments.text))[-1]
    except (CommandError, IndexError):
        return arguments
    if last.text != ";":
        return arguments
    text = f"{arguments.text[: last.start]} {arguments.text[last.end :]}".rstrip()
    return replace(arguments, quiet=True, text=text)
