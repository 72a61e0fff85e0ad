"""Prefixes of a command: ``quietly``, ``noisily``, ``capture``, ``by varlist:`` and ``bysort``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from memagic.errors import CommandError
from memagic.spec.cursor import Cursor
from memagic.spec.scanner import scan

if TYPE_CHECKING:
    from memagic.spec.tree import Span

__all__ = ["ByPrefix", "Prefixed", "prefix_of", "read_prefixes"]

# Words with their least letters. Each may be followed by a colon.
_WORDS: tuple[tuple[Literal["quietly", "noisily", "capture"], int], ...] = (
    ("quietly", 3),
    ("noisily", 1),
    ("capture", 3),
)
_BY = "by varlist: command, or bysort varlist: command"


@dataclass(frozen=True, slots=True)
class ByPrefix:
    """``by`` and ``bysort``.

    Attributes
    ----------
    variables : tuple of (str, Span)
        A group for each combination of their values.
    within : tuple of (str, Span)
        What groups are sorted by: ``bysort g (t):``.
    sort : bool
        Whether to sort, or to ask that the data are sorted.
    go_on : bool
        Whether a group that fails is passed over (``rc0``).
    """

    variables: tuple[tuple[str, Span], ...]
    within: tuple[tuple[str, Span], ...] = ()
    sort: bool = False
    go_on: bool = False


@dataclass(frozen=True, slots=True)
class Prefixed:
    """A command without its prefixes.

    Attributes
    ----------
    text : str
        The command, after as many blanks as the prefixes had characters: places in it are those in
        the text that was typed.
    quiet : bool
        Whether nothing is shown.
    capture : bool
        Whether an error is kept as a return code.
    by : ByPrefix or None
    """

    text: str
    quiet: bool = False
    capture: bool = False
    by: ByPrefix | None = None

    @property
    def plain(self) -> bool:
        """Whether there is no prefix."""
        return not (self.quiet or self.capture or self.by is not None) and not self.text[:1].isspace()


def read_prefixes(text: str) -> Prefixed:
    """Take the prefixes off a command.

    Raises
    ------
    CommandError
        r(198), r(100) for ``by`` without variables, r(199) for prefixes without a command.
    """
    try:
        if _first_prefix(text) is None:
            return Prefixed(text)
        return _read(Cursor(text))
    except CommandError as error:
        error.located(text)
        raise


def _first_prefix(text: str) -> str | None:
    try:
        token = next(scan(text), None)
    except CommandError:
        # The command's own reader says what is wrong.
        return None
    return None if token is None else prefix_of(token.text)


def prefix_of(word: str) -> str | None:
    """The prefix that a word is or begins; None for any other word."""
    for name, least in _WORDS:
        if len(word) >= least and name.startswith(word):
            return name
    if word == "by" or (len(word) >= 3 and "bysort".startswith(word)):
        return "bysort" if len(word) > 2 else "by"
    return None


def _read(cursor: Cursor) -> Prefixed:
    quiet = capture = False
    by: ByPrefix | None = None
    while not cursor.done and (kind := prefix_of(cursor.tokens[cursor.position].text)) is not None:
        word = cursor.take()
        if kind in ("by", "bysort"):
            if by is not None:
                raise CommandError(198, "by may not be combined with by", span=word.span)
            by = _by(cursor, sort=kind == "bysort")
            continue
        if cursor.at(":"):
            cursor.take()
        quiet = kind != "noisily"
        capture = capture or kind == "capture"
    if cursor.done:
        hint = "a prefix goes before a command: quietly melogit y x || g:"
        raise CommandError(199, "no command", span=cursor.here(), hint=hint)
    start = cursor.tokens[cursor.position].start
    # Line ends stay: an error shows the line it is in.
    blank = "".join(character if character == "\n" else " " for character in cursor.text[:start])
    return Prefixed(blank + cursor.text[start:], quiet, capture, by)


def _by(cursor: Cursor, *, sort: bool) -> ByPrefix:
    colon = cursor.find(":")
    if colon >= cursor.stop:
        raise CommandError(198, "invalid syntax", span=cursor.here(), hint=f"type {_BY}")
    part = cursor.part(cursor.position, colon)
    cursor.position = colon + 1
    body = part.part(part.position, part.find(","))
    options = part.part(min(body.stop + 1, part.stop), part.stop)
    variables = _names(body)
    within: tuple[tuple[str, Span], ...] = ()
    if body.at("("):
        within = _names(body.inside())
    if not body.done:
        raise body.invalid(hint=f"type {_BY}")
    if not variables:
        raise CommandError(100, "varlist required", span=body.here(), hint=f"type {_BY}")
    go_on = False
    while not options.done:
        word = options.take()
        if word.text in ("sort", "s", "so", "sor"):
            sort = True
        elif word.text == "rc" and options.at("0"):
            options.take()
            go_on = True
        elif word.text == "rc0":
            go_on = True
        else:
            hint = "options of by are sort and rc0"
            raise CommandError(198, f"option {word.text} not allowed", span=word.span, hint=hint)
    return ByPrefix(variables, within, sort, go_on)


def _names(cursor: Cursor) -> tuple[tuple[str, Span], ...]:
    found: list[tuple[str, Span]] = []
    while cursor.at_kind("name"):
        token = cursor.take()
        found.append((token.text, token.span))
    return tuple(found)
