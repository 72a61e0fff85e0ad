"""The session: data in use, last estimates, and what a failure leaves behind."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import memagic
from memagic import CommandError, Session, datasets
from memagic.errors import Break
from memagic.results import MEResults
from memagic.session import InUse

FIT = "melogit c_use age || district:, intmethod(laplace)"


@pytest.fixture
def session() -> Session:
    return Session("bangladesh")


def test_data_in_three_ways(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": [0, 1]})
    assert Session(frame).data is frame
    assert Session().data is None
    assert Session().in_use is None
    path = tmp_path / "d.dta"
    frame.to_stata(path, write_index=False)
    assert list(Session(str(path)).use(str(path)).columns) == ["y"]
    in_use = Session("bangladesh").in_use
    assert in_use == InUse("bangladesh", "Bangladesh Fertility Survey, 1989", 1934, 8)
    assert str(in_use) == repr(in_use)


def test_use_as_a_command(session: Session) -> None:
    shown = session.run("use fifeschool")
    assert isinstance(shown, InUse)
    assert session.run("use") == shown == session.in_use
    assert str(session.run('use "bangladesh", clear')).startswith("(Bangladesh")
    with pytest.raises(CommandError) as raised:
        session.run("use fifescool")
    assert raised.value.lines()[:2] == ["use fifescool", "    ^^^^^^^^^"]
    assert session.in_use is not None
    assert session.in_use.name == "bangladesh"
    with pytest.raises(CommandError, match="no data in memory"):
        Session().run("use")


def test_data_for_one_command(session: Session) -> None:
    half = datasets.load("bangladesh")[:900]
    assert session.run(FIT, data=half).nobs == 900
    assert session.run(FIT).nobs == 1934
    assert Session().run(FIT, data="bangladesh").nobs == 1934


def test_no_data() -> None:
    with pytest.raises(CommandError, match="no data in memory") as raised:
        Session().run(FIT)
    assert raised.value.rc == 3


def test_an_interrupt_leaves_the_session_as_it_was(session: Session) -> None:
    before = session.run(FIT)
    assert isinstance(before, MEResults)
    data = session.data
    lines: list[str] = []

    def stream(line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            raise KeyboardInterrupt

    with pytest.raises(CommandError) as raised:
        session.run("melogit c_use age || district: age", stream=stream)
    assert len(lines) == 3
    assert raised.value.rc == 1
    assert raised.value.lines() == ["--Break--", "r(1);"]
    assert session.last is before
    assert session.data is data
    assert str(session.run("melogit, or")) == str(before.replay(or_=True))


def test_an_interrupt_keeps_what_the_fit_has_reached(session: Session) -> None:
    before = session.run(FIT)
    text = "melogit c_use i.urban age || district: i.urban, covariance(unstructured)"

    def stream(line: str) -> None:
        if line.startswith("Iteration 2") and full:
            raise KeyboardInterrupt
        full.extend(["full"] * line.startswith("Fitting full"))

    full: list[str] = []
    with pytest.raises(Break) as raised:
        session.run(text, stream=stream)
    assert raised.value.lines() == ["--Break--", "r(1);"]
    assert session.last is before
    so_far = raised.value.so_far
    assert isinstance(so_far, MEResults)
    stopped = Session("bangladesh").run(f"{text} iterate(2)")
    assert isinstance(stopped, MEResults)
    assert so_far.params.equals(stopped.params)
    assert so_far.cov_params().equals(stopped.cov_params())
    assert not so_far.converged
    assert so_far.e["converged"] == 0
    assert "no estimates: the fit was interrupted after iteration 2." in so_far.to_text()
    session.matrices["reached"] = so_far
    onward = session.run(f"{text} from(reached)")
    whole = Session("bangladesh").run(text)
    assert isinstance(onward, MEResults)
    assert isinstance(whole, MEResults)
    assert onward.llf == pytest.approx(whole.llf, rel=1e-12)
    assert onward.e["ic"] < whole.e["ic"]


def test_an_interrupted_grid_tells_its_best_node(session: Session) -> None:
    before = session.run(FIT)
    text = "melogit c_use age || district:, startgrid(.01 .2 5)"

    def stream(line: str) -> None:
        if line.startswith("Grid node 2"):
            raise KeyboardInterrupt

    with pytest.raises(Break) as raised:
        session.run(text, stream=stream)
    assert raised.value.hint == "the best node so far is from(/var(_cons[district]) = .2)"
    assert session.last is before
    start = raised.value.hint.removeprefix("the best node so far is ")
    assert isinstance(session.run(f"melogit c_use age || district:, {start}"), MEResults)


def test_a_failure_leaves_the_session_as_it_was(session: Session) -> None:
    before = session.run(FIT)
    for text in ("melogit c_use agee || district:", "melogit c_use age ||", "melogt c_use", "melogit, orr"):
        with pytest.raises(CommandError) as raised:
            session.run(text)
        assert raised.value.text == text
    assert session.last is before


def test_replay_is_of_the_last_command(session: Session) -> None:
    with pytest.raises(CommandError, match="last estimates not found"):
        session.run("melogit")
    session.run(FIT)
    with pytest.raises(CommandError, match="those of melogit"):
        session.run("meprobit")


def test_threads_of_a_session_and_of_one_command(session: Session) -> None:
    serial = session.run(FIT)
    session.threads = 2
    assert isinstance(serial, MEResults)
    for several in (session.run(FIT), memagic.run(FIT, "bangladesh", threads=2)):
        assert isinstance(several, MEResults)
        assert several.estimates.settings.threads == 2
        assert several.params.equals(serial.params)
        assert several.llf == serial.llf


@pytest.mark.parametrize("threads", [-1, 1.5, True])
def test_a_number_of_threads_that_there_cannot_be(session: Session, threads: int) -> None:
    with pytest.raises(CommandError, match="threads must be a whole number"):
        session.threads = threads
    assert session.threads == 0
