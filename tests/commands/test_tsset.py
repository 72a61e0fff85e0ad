"""`tsset`, `xtset` and `set varabbrev`, through a session."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic.errors import CommandError
from memagic.results import MEResults
from memagic.spec.tree import TimeSettings


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    made = pd.DataFrame({"firm": np.repeat(np.arange(12), 6), "year": np.tile(np.arange(1990, 1996), 12)})
    made["income"] = rng.normal(size=len(made))
    made["y"] = rng.normal(size=len(made)) + rng.normal(size=12)[made["firm"]]
    return made


@pytest.fixture
def session() -> memagic.Session:
    return memagic.Session(frame())


def fit(session: memagic.Session, text: str) -> MEResults:
    found = session.run(text)
    assert isinstance(found, MEResults)
    return found


def test_report(session: memagic.Session) -> None:
    expected = (
        "Panel variable: firm (strongly balanced)\n Time variable: year, 1990 to 1995\n         Delta: 1 unit"
    )
    assert str(session.run("tsset firm year")) == repr(session.run("tsset")) == expected
    assert str(session.run("xtset fi ye, delta(1)")) == expected
    session.use(frame().drop(index=[2, 40]), "other")
    gaps = str(session.run("tsset firm year"))
    assert "firm (unbalanced)" in gaps
    assert "1990 to 1995, but with gaps" in gaps
    session.use(frame()[:6], "one")
    assert str(session.run("tsset year")) == "Time variable: year, 1990 to 1995\n        Delta: 1 unit"
    assert str(session.run("tsset year, delta(.5)")).endswith("Delta: 0.5 units")
    assert str(session.run("xtset firm")) == "Panel variable: firm (balanced)"
    assert session.run("xtset, clear") is None
    assert session.time is None


def test_operators_follow_what_is_set(session: memagic.Session) -> None:
    session.run("tsset firm year")
    lagged = fit(session, "meglm y L.income || firm:")
    by_hand = frame()
    by_hand["before"] = by_hand.groupby("firm")["income"].shift(1)
    expected = memagic.run("meglm y before || firm:", by_hand)
    assert lagged.llf == expected.llf
    assert lagged.nobs == expected.nobs == 60
    assert lagged.params.index[0] == "L.income"
    assert lagged.e["datasignaturevars"] == "y L.income firm"
    assert fit(session, "meglm D.y D.income").e["depvar"] == "D.y"
    # For data of its own a command has the same names.
    other = fit(session, "meglm y L.income || firm:")
    again = session.run("meglm y L.income || firm:", data=frame()[:36])
    assert isinstance(again, MEResults)
    assert again.nobs == 30
    assert other.nobs == 60


def test_what_is_set_goes_with_the_data(session: memagic.Session) -> None:
    session.run("tsset firm year")
    session.use(frame()[:30])
    assert session.time == TimeSettings("year", "firm")
    session.use("bangladesh")
    assert session.time is None


def test_table(session: memagic.Session) -> None:
    session.run("tsset firm year")
    lines = fit(session, "meglm y L(0/1).income D.y iL.year || firm:").to_text().splitlines()
    labels = [line.partition("|")[0].strip() for line in lines if "|" in line]
    assert labels[labels.index("income") : labels.index("_cons")] == [
        *("income", "--.", "L1.", "", "y", "D1.", "", "L.year", "1991", "1992", "1993", "1994", ""),
    ]
    assert "         L1. |" in "\n".join(lines)
    assert fit(session, "meglm y L2D.income").to_text().count("L2D. |") == 1


@pytest.mark.parametrize(
    ("command", "rc", "message", "marked"),
    [
        ("tsset", 111, "time variable not set", None),
        ("meglm y L.income", 111, "time variable not set", "L.income"),
        ("tsset year", 451, "repeated time values in sample", "year"),
        ("tsset year firm", None, None, None),
        ("tsset firm income", 451, "time variable must contain only integer values", "income"),
        ("tsset firm nothere", 111, "variable nothere not found", "nothere"),
        ("tsset firm year income", 198, "too many variables specified", "income"),
        ("tsset firm year, clear", 198, "clear goes without variables", "firm"),
        ("tsset firm year, daily", 198, "option daily not allowed", "daily"),
        ("tsset firm year, delta(0)", 198, "option delta() incorrectly specified", None),
        ("tsset firm year, delta", 198, "option delta() incorrectly specified", "delta"),
        ("tsset firm year if", 198, "too many variables specified", "if"),
        ("tsset firm + year", 198, "invalid '+'", "+"),
        ("set", 198, "set not allowed", None),
        ("set seed 1", 198, "set seed not allowed", "seed"),
        ("set varabbrev maybe", 198, "invalid 'maybe'", "maybe"),
    ],
)
def test_errors(
    session: memagic.Session, command: str, rc: int | None, message: str | None, marked: str | None
) -> None:
    if rc is None:
        session.run(command)
        return
    before = session.time
    with pytest.raises(CommandError) as caught:
        session.run(command)
    assert (caught.value.rc, caught.value.message) == (rc, message)
    assert caught.value.text == command
    if marked is not None:
        assert caught.value.span is not None
        assert command[slice(*caught.value.span)] == marked
    assert session.time == before


def test_repeated_times_within_a_panel(session: memagic.Session) -> None:
    session.use(pd.concat([frame(), frame()[:1]]), "doubled")
    with pytest.raises(CommandError) as caught:
        session.run("tsset firm year")
    assert (caught.value.rc, caught.value.message) == (451, "repeated time values within panel")
    assert caught.value.hint == "year = 1990 comes twice in a panel"


def test_abbreviations_can_be_switched_off(session: memagic.Session) -> None:
    assert fit(session, "meglm y inc || fi:").params.index[0] == "income"
    session.run("set varabbrev off")
    assert not session.varabbrev
    with pytest.raises(CommandError) as caught:
        session.run("meglm y inc || firm:")
    assert (caught.value.rc, caught.value.message) == (111, "variable inc not found")
    assert fit(session, "meglm y inc* || firm:").params.index[0] == "income"
    session.run("set varabbrev on")
    assert fit(session, "meglm y inc || fi:").e["ivars"] == "firm"


def test_no_data() -> None:
    with pytest.raises(CommandError) as caught:
        memagic.Session().run("tsset firm year")
    assert caught.value.rc == 3
