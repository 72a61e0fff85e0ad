"""The one error type that users' mistakes end in."""

from __future__ import annotations

import traceback
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Break", "CommandError", "closest"]


class CommandError(Exception):
    """A command that cannot be carried out, in the manual's words.

    Parameters
    ----------
    rc : int
        The manual's return code, shown as ``r(111);``.
    message : str
        What is wrong, in the manual's terms.
    span : tuple of int, optional
        First and past-the-last character of the place in `text`.
    hint : str, optional
        What to type instead.
    text : str, optional
        The command as typed. Layers that only know a position leave it out; `located` adds it.

    Attributes
    ----------
    traced : bool
        Whether a notebook shows where in the package it was raised, too.
    """

    traced = False

    def __init__(
        self,
        rc: int,
        message: str,
        *,
        span: tuple[int, int] | None = None,
        hint: str | None = None,
        text: str | None = None,
    ) -> None:
        super().__init__(message)
        self.rc = rc
        self.message = message
        self.span = span
        self.hint = hint
        self.text = text

    def __reduce__(self) -> tuple[object, ...]:
        """As it is sent from one process to another: with all that it knows."""
        return type(self).__new__, (type(self), *self.args), self.__dict__

    def located(self, text: str) -> CommandError:
        """The same error with the command's text, unless it already has one."""
        if self.text is None:
            self.text = text
        return self

    def lines(self) -> list[str]:
        """The error as users see it: the line, a caret, the message, the hint, the code."""
        shown = [*self._excerpt(), self.message]
        if self.hint:
            shown.append(f"hint: {self.hint}")
        shown.append(f"r({self.rc});")
        return shown

    def _excerpt(self) -> list[str]:
        """The source line of `span` and a line of carets under it."""
        if self.text is None or self.span is None:
            return []
        start = min(self.span[0], len(self.text))
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", start)
        line = self.text[first : last if last >= 0 else None].expandtabs(1)
        width = max(1, min(self.span[1] - start, len(line) - (start - first)))
        return [line, " " * (start - first) + "^" * width]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        calls = traceback.format_tb(self.__traceback__) if self.traced else []
        return [*"".join(calls).splitlines(), *self.lines()]


class Break(CommandError):
    """The user interrupted a command.

    Parameters
    ----------
    so_far : object, optional
        A result that is not finished, and says so; None where there is nothing yet.
    """

    def __init__(self, so_far: object | None = None, hint: str | None = None) -> None:
        super().__init__(1, "--Break--", hint=hint)
        self.so_far = so_far


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """A hint that names the candidate nearest to `name`, or None where nothing is near."""
    near = get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else None
