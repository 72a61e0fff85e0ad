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

    from memagic.display.log_lines import Progress

__all__ = ["Log", "NotebookLog", "TerminalLog", "live_log"]

_PER_SECOND = 10.0
# The first lines come together and the first iteration may be a long one: they are not held back.
_AT_ONCE = 30

# A command that takes longer than this shows how far it is and how to stop it.
_LONG = 1.0

# JupyterLab and Notebook 7 carry out the command that a button names; elsewhere it would be dead.
_STOP = (
    "<style>.memagic-stop{display:none}.jp-OutputArea .memagic-stop{display:inline-block}</style>"
    '<button class="memagic-stop jp-mod-styled" type="button" title="Stop and keep what has been reached"'
    ' data-commandlinker-command="notebook:interrupt-kernel" data-commandlinker-args="{}">Stop</button>'
)

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

    def progress(self, progress: Progress) -> None:
        """Tell how far the command is."""


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

    def progress(self, progress: Progress) -> None:
        """The lines tell enough."""


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
        self._progress: Progress | None = None
        self._id = f"memagic-log-{next(_DISPLAYS)}-{uuid4().hex}"

    def __enter__(self) -> NotebookLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress = None
        if kind is not None and self._lines:
            self._show()
        elif kind is None and self._lines:
            self._publish(_EMPTY, self._id, True)

    def progress(self, progress: Progress) -> None:
        """Tell how far the command is; shown where it takes long."""
        self._progress = progress
        # With a log, the line that comes next shows it.
        if not self._lines and self._clock() - self._start > _LONG:
            self("")
            self._show()

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
        html = f"<pre>{escape(text)}</pre>"
        elapsed = self._clock() - self._start
        if self._progress is not None and elapsed > _LONG:
            html += _status(self._progress, elapsed)
        self._publish({"text/plain": text, "text/html": html}, self._id, True)
        self._updates += 1
        self._pending = False


def _status(progress: Progress, elapsed: float) -> str:
    """How far it is, for how long it has run and has to run, and a button that stops it."""
    words, bar = progress.words, ""
    if progress.share is not None:
        words += f", about {_time(elapsed * (1.0 / progress.share - 1.0))} to go"
        label = escape(progress.words, quote=True)
        bar = f'<progress value="{progress.share:.3f}" aria-label="{label}"></progress> '
    words = escape(f"{words} ({_time(elapsed)} so far)")
    return f'<p class="memagic-status" role="status">{bar}{words[:1].upper()}{words[1:]} {_STOP}</p>'


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
