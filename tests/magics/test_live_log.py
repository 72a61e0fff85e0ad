"""The display of the iteration log in a notebook front end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memagic.errors import CommandError
from memagic.magics.live_log import NotebookLog

EMPTY = {"text/plain": "", "text/html": ""}


class Screen:
    """Takes what is published; its clock stands where the test puts it."""

    def __init__(self) -> None:
        self.shown: list[tuple[dict[str, str], str, bool]] = []
        self.now = 0.0

    def publish(self, data: dict[str, str], display_id: str, update: bool) -> None:
        self.shown.append((data, display_id, update))

    def log(self) -> NotebookLog:
        return NotebookLog(self.publish, lambda: self.now)

    def texts(self) -> list[str]:
        return [data["text/plain"] for data, _, _ in self.shown]


def test_one_display_that_grows_and_is_emptied() -> None:
    screen = Screen()
    with screen.log() as log:
        for line in ("", "Fitting full model:", "", "Iteration 0: <1>"):
            log(line)
    assert screen.texts() == ["", "Fitting full model:", "Fitting full model:\n\nIteration 0: <1>", ""]
    assert screen.shown[2][0]["text/html"] == "<pre>Fitting full model:\n\nIteration 0: &lt;1&gt;</pre>"
    assert screen.shown[0][0] == screen.shown[-1][0] == EMPTY
    assert [update for _, _, update in screen.shown] == [False, True, True, True]
    assert len({display_id for _, display_id, _ in screen.shown}) == 1


def test_no_line_no_display() -> None:
    screen = Screen()
    with screen.log():
        pass
    with pytest.raises(CommandError), screen.log():
        raise CommandError(1, "--Break--")
    assert screen.shown == []


def test_every_log_has_a_display_of_its_own() -> None:
    screen = Screen()
    for _ in range(2):
        with screen.log() as log:
            log("a")
    assert len({display_id for _, display_id, _ in screen.shown}) == 2


def test_about_ten_a_second() -> None:
    screen = Screen()
    with screen.log() as log:
        for k in range(1000):
            screen.now = k / 100
            log(f"Iteration {k}:")
        updates = len(screen.shown)
        assert 100 <= updates <= 140
    assert screen.texts()[-1] == ""


def test_an_error_leaves_all_lines() -> None:
    screen = Screen()

    def fit(stream: Callable[[str], None]) -> None:
        for k in range(100):
            stream(f"Iteration {k}:")
        raise CommandError(1, "--Break--")

    with pytest.raises(CommandError), screen.log() as log:
        fit(log)
    assert screen.texts()[-1].endswith("Iteration 99:")
    assert len(screen.shown) < 50
