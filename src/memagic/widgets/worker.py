"""Work in a thread of its own, so that the kernel stays responsive and a button can stop it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

from memagic.errors import Break, CommandError

__all__ = ["Pace", "Stopped", "Worker"]


class Stopped(KeyboardInterrupt):
    """The work was asked to stop, which it takes as it takes an interrupt from the keyboard."""


class Worker:
    """One piece of work at a time.

    Parameters
    ----------
    ended : callable
        Called in the thread when the work has ended: given words on what went wrong, or nothing.
    """

    def __init__(self, ended: Callable[[str], None]) -> None:
        self._ended = ended
        self._stop = Event()
        self._thread: Thread | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, work: Callable[[], None]) -> None:
        """Begin; work that is under way is left alone, and nothing else begins."""
        if self.running:
            return
        self._stop.clear()
        self._thread = Thread(target=self._run, args=(work,), name="memagic-explorer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the work to end at its next check."""
        self._stop.set()

    def check(self) -> None:
        """Called by the work wherever it may end.

        Raises
        ------
        Stopped
            It was asked to.
        """
        if self._stop.is_set():
            raise Stopped

    def join(self, timeout: float | None = None) -> None:
        """Wait until the work has ended."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self, work: Callable[[], None]) -> None:
        words = ""
        try:
            work()
        except (Stopped, Break):
            words = "Stopped."
        except CommandError as error:
            words = str(error)
        except Exception as error:
            words = f"This should not have happened: {type(error).__name__}: {error}"
            raise
        finally:
            self._ended(words)


class Pace:
    """How often to show what changes: at once, then at intervals."""

    def __init__(self) -> None:
        self._due = 0.0

    def due(self, interval: float) -> bool:
        """Whether it is time to show again; the next time is then `interval` seconds away."""
        now = monotonic()
        if now < self._due:
            return False
        self._due = now + interval
        return True
