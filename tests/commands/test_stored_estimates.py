"""The command `estimates`: what is kept, found, listed, dropped and put side by side."""

from __future__ import annotations

from typing import Any

import pytest

from memagic import CommandError, Session
from memagic.widgets.start_grid import StartGrid

BASE = "melogit c_use age || district:, intmethod(laplace)"
MORE = "melogit c_use age i.urban || district:, intmethod(laplace) or"


@pytest.fixture(scope="module")
def fitted() -> Session:
    """Two models, the first stored as r_int."""
    session = Session("bangladesh")
    session.run(BASE)
    session.run('estimates store r_int, title("random intercept")')
    session.run(MORE)
    return session


@pytest.fixture
def session(fitted: Session) -> Session:
    """The same, for a test to change."""
    session = Session(fitted.data)
    session._last = fitted.last
    session._stored, session._titles = dict(fitted._stored), dict(fitted._titles)
    return session


def error(session: Session, text: str) -> CommandError:
    with pytest.raises(CommandError) as raised:
        session.run(text)
    assert raised.value.text == text
    return raised.value


def test_store_and_restore(session: Session) -> None:
    first, last = session.stored["r_int"], session.last
    assert session.run("est sto both") is None
    assert session.stored == {"r_int": first, "both": last}
    assert str(session.run("est res r_int")) == "(results r_int are active now)"
    assert session.last is first
    assert str(session.run("melogit")) == str(first.replay())
    session.run("estimates restore both")
    assert session.last is last
    # The name goes to what is stored last.
    session.run("estimates store r_int")
    assert session.stored["r_int"] is last


def test_stored_estimates_stay_when_others_are_fitted(session: Session) -> None:
    before = str(session.stored["r_int"])
    session.run("melogit c_use i.urban || district:, intmethod(laplace)")
    assert str(session.stored["r_int"]) == before


def test_dir(session: Session) -> None:
    session.run("estimates store more")
    shown: Any = session.run("estimates dir")
    rows = [line.split() for line in str(shown).splitlines() if "melogit" in line]
    assert rows == [
        ["r_int", "|", "melogit", "c_use", "3", "random", "intercept"],
        ["more", "|", "melogit", "c_use", "4"],
    ]
    assert set(shown._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert "random intercept" in shown.to_html()


def test_drop(session: Session) -> None:
    for name in ("a", "b", "c"):
        session.run(f"est store {name}")
    assert error(session, "est drop a d").rc == 111
    assert set(session.stored) == {"r_int", "a", "b", "c"}
    session.run("estimates drop a b")
    assert set(session.stored) == {"r_int", "c"}
    session.run("estimates drop _all")
    assert session.stored == {}
    assert str(session.run("estimates dir")) == "no estimation results stored"
    session.run("est store a")
    session.run("est clear")
    assert session.stored == {}
    assert session.last is not None


def test_replay(session: Session) -> None:
    shown = str(session.run("est r r_int"))
    assert shown == "Model r_int (random intercept)\n\n" + str(session.stored["r_int"].replay())
    active = str(session.run("estimates replay"))
    assert session.last is not None
    assert active == "Active results\n\n" + str(session.last.replay(or_=True))


def test_table(session: Session) -> None:
    first, last = session.stored["r_int"], session.last
    assert last is not None
    shown: Any = session.run("estimates table r_int ., se stats(ll N aic bic)")
    rows = {
        line.split("|")[0].strip(): line.split("|")[1].split()
        for line in str(shown).splitlines()
        if "|" in line
    }
    for name in ("age", "_cons"):
        assert [float(cell) for cell in rows[name]] == pytest.approx(
            [first.params[name], last.params[name]], rel=1e-6
        )
    assert [float(cell) for cell in rows["1.urban"]] == pytest.approx([last.params["1.urban"]], rel=1e-6)
    for name, values in {
        "ll": (first.llf, last.llf),
        "aic": (first.aic, last.aic),
        "bic": (first.bic, last.bic),
        "N": (1934, 1934),
    }.items():
        assert [float(cell) for cell in rows[name]] == pytest.approx(values, rel=1e-7)
    assert "Legend: b/se" in str(shown)


def test_names_in_a_table(session: Session) -> None:
    def heads(text: str) -> tuple[str, ...]:
        shown: Any = session.run(text)
        heads: tuple[str, ...] = shown.grid.heads
        return heads

    session.run("est store more")
    assert heads("est tab") == ("Active",)
    assert heads("estimates table _all") == heads("est tab *, star eform") == ("r_int", "more")
    assert heads("est tab more . r_int") == ("more", "Active", "r_int")
    stars: Any = session.run("est tab more, star(.1 .05)")
    assert stars.grid.notes == ("Legend: * p<.1; ** p<.05",)


def test_variables_are_found_too(session: Session) -> None:
    last = session.last
    session.variables = {"mine": last, "r_int": last, "n": 3, "_": last}
    shown: Any = session.run("estimates table mine r_int, stats(k_f)")
    # What is stored goes before a variable of its name.
    assert [row.cells for row in shown.grid.rows][-1] == ("3", "2")
    assert error(session, "est tab n").rc == 111
    assert error(session, "est tab _").rc == 111
    replayed: Any = session.run("melogit, widget")
    assert [name for _, name in replayed._live().other.options] == ["", "r_int"]
    session.run("est res r_int")
    replayed = session.run("melogit, widget")
    assert [name for _, name in replayed._live().other.options] == ["", "mine"]


@pytest.mark.parametrize(
    ("text", "rc", "message", "place", "hint"),
    [
        ("est replay r_itn", 111, "estimation result r_itn not found", "r_itn", "did you mean r_int?"),
        ("est tab . r", 111, "estimation result r not found", "r", "estimates store r"),
        ("est restore q", 111, "estimation result q not found", "q", "estimates store q"),
        ("est", 198, "subcommand required", "", "store"),
        ("est st x", 198, "invalid subcommand st", "st", "subcommands are"),
        ("est rstore x", 198, "invalid subcommand rstore", "rstore", "did you mean"),
        ("est store", 100, "name required", "", "estimates store name"),
        ("est store a b", 198, "invalid 'b'", "b", "estimates store name"),
        ("est store 3", 198, "invalid '3'", "3", "letters"),
        ("est store _all", 198, "_all invalid name", "_all", ""),
        ("est store a, tilte(x)", 198, "option tilte not allowed", "tilte", "did you mean title?"),
        ("est store a, title", 198, "option title() incorrectly specified", "title", "title(text)"),
        ("est dir r_int", 198, "invalid 'r_int'", "r_int", "estimates dir"),
        ("est drop", 100, "name required", "", "_all"),
        ("est drop _all r_int", 198, "_all may not be combined with names", "_all", ""),
        ("est tab r_int, se star", 198, "options se and star may not be combined", "star", ""),
        ("est tab r_int, se(4)", 198, "option se incorrectly specified", "se", "type se"),
        ("est tab r_int, se se", 198, "option se specified more than once", "se", ""),
        (
            "est tab r_int, star(.01 .05)",
            198,
            "option star() incorrectly specified",
            ".01 .05",
            "large to small",
        ),
        ("est tab r_int, stats(l)", 198, "stats(): l not found", "l", "ll"),
        ("est tab r_int, stats()", 198, "option stats() incorrectly specified", ")", ""),
        ("est replay r_int, or", 198, "option or not allowed", "or", "estimates replay [name]"),
    ],
)
def test_errors(session: Session, text: str, rc: int, message: str, place: str, hint: str) -> None:
    found = error(session, text)
    assert (found.rc, found.message) == (rc, message)
    assert found.span is not None
    if place:
        assert text[slice(*found.span)] == place
        assert found.span[0] == text.rindex(place)
    assert hint in (found.hint or "")
    assert list(session.stored) == ["r_int"]


def test_without_estimates() -> None:
    session = Session("bangladesh")
    for text in ("estimates store a", "estimates replay", "estimates table"):
        assert error(session, text).rc == 301
    assert error(session, "est tab _all").message == "no estimation results stored"
    session.run(f"{BASE} noestimate")
    found = error(session, "estimates store a")
    assert (found.rc, "noestimate" in (found.hint or "")) == (301, True)


def test_widget_and_startgrid(session: Session) -> None:
    before = session.last
    shown = session.run(f"{BASE} startgrid(.5 2) widget")
    assert isinstance(shown, StartGrid)
    assert session.last is before
