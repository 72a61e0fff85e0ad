"""The iteration log while a model is fitted: one display that grows, or lines on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from itertools import count
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Log", "NotebookLog", "TerminalLog", "live_log"]

_PER_SECOND = 10.0
# The first lines come together and the first iteration may be a long one: they are not held back.
_AT_ONCE = 30

_EMPTY = {"text/plain": "", "text/html": ""}

_DISPLAYS = count()


class Log(Protocol):
    """Takes lines while the ``with`` block runs."""

    def __enter__(self) -> Log: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __call__(self, line: str) -> None: ...


def live_log(shell: InteractiveShell) -> Log:
    """The log that suits the front end."""
    if getattr(shell, "kernel", None) is None:
        return TerminalLog()

    def publish(data: dict[str, str], display_id: str, update: bool) -> None:
        # The publisher is looked up each time: %%capture puts another in its place.
        shell.display_pub.publish(data=data, transient={"display_id": display_id}, update=update)

    return NotebookLog(publish)


class TerminalLog:
    """Prints lines as they come."""

    def __enter__(self) -> TerminalLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def __call__(self, line: str) -> None:
        print(line, flush=True)


class NotebookLog:
    """Shows the lines in one display, which is emptied when all went well.

    The result that follows has the log folded in; after an error the lines so far remain.

    Parameters
    ----------
    publish : callable
        Given a mimebundle, the display's identifier, and whether it is there already.
    clock : callable
        Seconds.
    """

    def __init__(
        self, publish: Callable[[dict[str, str], str, bool], None], clock: Callable[[], float] = monotonic
    ) -> None:
        self._publish = publish
        self._clock = clock
        self._start = clock()
        self._lines: list[str] = []
        self._updates = 0
        self._pending = False
        self._id = f"memagic-log-{next(_DISPLAYS)}-{uuid4().hex}"

    def __enter__(self) -> NotebookLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and self._pending:
            self._show()
        elif kind is None and self._lines:
            self._publish(_EMPTY, self._id, True)

    def __call__(self, line: str) -> None:
        if not self._lines:
            # Tools that compare notebooks know displays and not their updates: begin as it ends.
            self._publish(_EMPTY, self._id, False)
        self._lines.append(line)
        self._pending = self._pending or bool(line)
        allowed = _AT_ONCE + _PER_SECOND * (self._clock() - self._start)
        if line and self._updates < allowed:
            self._show()

    def _show(self) -> None:
        text = "\n".join(self._lines).strip("\n")
        data = {"text/plain": text, "text/html": f"<pre>{escape(text)}</pre>"}
        self._publish(data, self._id, True)
        self._updates += 1
        self._pending = False
