"""The command `use`, as it is typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memagic.errors import CommandError

if TYPE_CHECKING:
    from memagic.spec.tree import Span

__all__ = ["UseCommand", "parse_use"]

# `use name`, `use "a path"`, and the option that the manual asks for where data would be lost.
_USE = re.compile(r'\s*use\b\s*(?P<quote>"?)(?P<source>.*?)(?P=quote)\s*(?P<clear>,\s*clear\s*)?', re.DOTALL)

_COMMENT = re.compile(r"\s//.*")


@dataclass(frozen=True, slots=True)
class UseCommand:
    """What to put in use.

    Attributes
    ----------
    source : str
        A name or a path; nothing to tell what is in use.
    span : (int, int)
        Its place.
    """

    source: str
    span: Span


def parse_use(text: str) -> UseCommand:
    """Read ``use [name or path] [, clear]``; `clear` changes nothing: data in use need no permission to go.

    Raises
    ------
    CommandError
        r(198).
    """
    match = _USE.fullmatch(_COMMENT.sub("", text))
    if match is None:
        hint = "type use and one name or path"
        raise CommandError(198, "invalid syntax", hint=hint, text=text)
    if match["clear"] and not match["source"]:
        hint = "type use and a name; the data that are in use need not be cleared"
        raise CommandError(198, "invalid syntax", span=match.span("clear"), hint=hint, text=text)
    return UseCommand(match["source"], match.span("source"))
