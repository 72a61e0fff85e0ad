"""The command `estimates`: what is kept, found, listed, dropped and put side by side."""

from __future__ import annotations

from pathlib import Path
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
        ("est tab r_int, se(4)", 198, "option se() incorrectly specified", "4", "type se(%9.4f)"),
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


def test_table_options(session: Session) -> None:
    names = "r_int ., b(%9.4f) se t p keep(age 1.urban /var(_cons[district]))"
    lines = str(session.run(f"estimates table {names}")).splitlines()
    first, last = session.stored["r_int"], session.last
    assert last is not None
    row = next(k for k, line in enumerate(lines) if line.lstrip().startswith("age |"))
    for shift, values, decimals in ((0, "params", 4), (1, "bse", 4), (2, "tvalues", 2), (3, "pvalues", 4)):
        cells = lines[row + shift].split("|")[1].split()
        assert cells == [f"{getattr(fit, values)['age']:.{decimals}f}" for fit in (first, last)]
    assert "Legend: b/se/t/p" in lines
    # A variance has no test, and rows that were not asked for are not there.
    place = next(k for k, line in enumerate(lines) if line.startswith("var(_cons[district]) |"))
    assert lines[place + 2].startswith("---")
    assert not any(line.lstrip().startswith("_cons |") for line in lines)
    dropped = str(session.run("estimates table r_int ., drop(_cons 1.urban) b(%12.0g)"))
    assert "1.urban" not in dropped
    assert "age" in dropped
    assert f"{first.params['age']:.10f}".lstrip("0")[:9] in dropped


def test_table_in_latex(session: Session) -> None:
    text = session.run("estimates table r_int ., star stats(ll)").to_latex()  # type: ignore[union-attr]
    first, last = session.stored["r_int"], session.last
    assert last is not None
    assert text.count(r"\begin") == text.count(r"\end") == 3
    assert r"\quad var(\_cons{[}district])" in text
    row = next(line for line in text.splitlines() if line.startswith(r"\quad \_cons"))
    cells = [cell.strip() for cell in row.removesuffix(r"\\").split("&")[1:]]
    for cell, fit in zip(cells, (first, last), strict=True):
        number = cell.removeprefix("$").removesuffix("^{***}$")
        assert float(number) == pytest.approx(fit.params["_cons"], rel=1e-6)
    assert all(line.count("&") == 2 for line in text.splitlines() if "&" in line)


def test_stats(session: Session) -> None:
    lines = str(session.run("estimates stats r_int .")).splitlines()
    last = session.last
    assert last is not None
    for name, fit in (("r_int", session.stored["r_int"]), (".", last)):
        cells = next(line for line in lines if line.split("|")[0].strip() == name).split("|")[1].split()
        assert cells[:2] == ["1,934", "."]
        found = [float(cell) for cell in cells[2:]]
        assert found == pytest.approx([fit.llf, fit.e["rank"], fit.aic, fit.bic], rel=1e-6)
    alone, dot = str(session.run("est stats")), str(session.run("estimates stats ."))
    assert alone == dot == str(last.estat("ic"))
    assert "BIC uses N = 500." in str(session.run("estimates stats _all, n(500)"))


def test_each_number_of_a_table_in_its_format(session: Session) -> None:
    def cell(options: str) -> list[str]:
        """What stands in the rows of age."""
        lines = str(session.run(f"estimates table r_int, keep(age) {options}")).splitlines()
        first = next(k for k, line in enumerate(lines) if line.strip().startswith("age"))
        below = [line.split("|") for line in lines[first : first + 4] if "|" in line]
        return [parts[-1].strip() for parts in below if parts[-1].strip()]

    fit = session.stored["r_int"]
    b, se = fit.params["age"], fit.bse["age"]
    z, p = b / se, fit.pvalues["age"]
    assert [float(x) for x in cell("b(%5.2f) se(%4.1f)")] == [round(b, 2), round(se, 1)]
    assert [float(x) for x in cell("b se(%9.5f) t(%9.4f) p(%9.2f)")] == pytest.approx(
        [float(f"{b:.7g}"), round(se, 5), round(z, 4), round(p, 2)], abs=1e-7
    )
    # Standard errors are as estimates, where nothing else is said.
    assert cell("b(%9.3f) se") == cell("b(%9.3f) se(%9.3f)")


def test_save_and_use(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    last = session.last
    assert last is not None
    before = str(last)
    assert str(session.run("estimates save m1")) == "file m1.mefit saved"
    assert str(session.run('est save "my model.v2", remove_data')) == "file my model.v2 saved"
    raised = error(session, "estimates save m1")
    assert (raised.rc, raised.span) == (602, (15, 17))
    session.run("estimates save m1, replace")
    session.run("estimates restore r_int")
    assert str(session.run("estimates use m1.mefit")) == "(results of file m1.mefit are active now)"
    assert session.last is not last
    assert str(session.last) == before
    assert "1.urban" in str(session.run("lincom 1.urban"))
    session.run("predict p")
    session.run('estimates use "my model.v2"')
    assert str(session.last) == before
    assert error(session, "predict p2").rc == 322
    # What fails leaves the last estimates alone.
    now = session.last
    (tmp_path / "bad.mefit").write_bytes((tmp_path / "m1.mefit").read_bytes()[:-1])
    for name, rc in (("bad", 610), ("nothing", 601)):
        raised = error(session, f"estimates use {name}")
        assert (raised.rc, raised.span) == (rc, (14, 14 + len(name)))
    assert session.last is now


def test_starting_values_are_not_saved(session: Session, tmp_path: Path) -> None:
    session.run("melogit c_use age || district:, noestimate")
    assert error(session, f'estimates save "{tmp_path}/x"').rc == 301
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "rc", "message"),
    [
        ("estimates save", 100, "filename required"),
        ("estimates use , replace", 100, "filename required"),
        ("estimates use m1, replace", 198, "option replace not allowed"),
        ('estimates save "a" b', 198, "invalid 'b'"),
        ("estimates table r_int, b(%f)", 198, "option b() incorrectly specified"),
        ("estimates table r_int, b(%5.0g)", 198, "option b() incorrectly specified"),
        ("estimates table r_int, keep()", 198, "option keep() incorrectly specified"),
        ("estimates table r_int, keep(zz)", 111, "parameter zz not found"),
        ("estimates table r_int, keep(age) drop(_cons)", 198, "options keep and drop may not be combined"),
        ("estimates table r_int, t star", 198, "options t and star may not be combined"),
        ("estimates stats zz", 111, "estimation result zz not found"),
        ("estimates stats r_int, n(x)", 198, "option n() incorrectly specified"),
        ("estimates stats r_int, n(0)", 198, "n() must be greater than zero"),
    ],
)
def test_errors_of_files_and_tables(session: Session, text: str, rc: int, message: str) -> None:
    raised = error(session, text)
    assert (raised.rc, raised.message) == (rc, message)
