"""The display of the iteration log in a notebook front end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memagic.display.log_lines import grid_progress, iteration_progress
from memagic.errors import Break, CommandError
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


def test_a_long_command_tells_how_far_it_is_and_how_to_stop_it() -> None:
    screen = Screen()
    with screen.log() as log:
        log("Refining starting values:")
        log.progress(grid_progress(1, 4))
        log("Grid node 0:")
        assert "progress" not in screen.shown[-1][0]["text/html"]
        screen.now = 90.0
        log.progress(grid_progress(2, 4))
        log("Grid node 1:")
        data = screen.shown[-1][0]
        assert data["text/plain"] == "Refining starting values:\nGrid node 0:\nGrid node 1:"
        assert '<progress value="0.500" aria-label="grid node 2 of 4">' in data["text/html"]
        assert "Grid node 2 of 4, about 1 min 30 s to go (1 min 30 s so far)" in data["text/html"]
        assert 'data-commandlinker-command="notebook:interrupt-kernel"' in data["text/html"]
        log.progress(iteration_progress(3, 2e-3, 1e-5))
        log("Iteration 3:")
        words = "Iteration 3, scaled gradient 2e-03, to go below 1e-05 (1 min 30 s so far)"
        assert words in screen.shown[-1][0]["text/html"]
    assert screen.shown[-1][0] == EMPTY


def test_progress_without_a_log() -> None:
    screen = Screen()
    with screen.log() as log:
        log.progress(grid_progress(1, 4))
        assert screen.shown == []
        screen.now = 2.0
        log.progress(grid_progress(2, 4))
        assert "Grid node 2 of 4" in screen.shown[-1][0]["text/html"]
    assert screen.shown[-1][0] == EMPTY


def test_an_error_takes_the_button_away() -> None:
    screen = Screen()

    def stopped() -> None:
        with screen.log() as log:
            screen.now = 2.0
            log.progress(grid_progress(2, 4))
            log("Grid node 1:")
            assert "Stop" in screen.shown[-1][0]["text/html"]
            raise Break

    with pytest.raises(Break):
        stopped()
    assert screen.shown[-1][0] == {"text/plain": "Grid node 1:", "text/html": "<pre>Grid node 1:</pre>"}
