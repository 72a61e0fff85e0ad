"""Which data a command gets."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import TYPE_CHECKING
from weakref import ref

import pytest

from memagic.errors import CommandError
from memagic.magics.in_use import DataInUse
from memagic.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from conftest import Shell

Captured = pytest.CaptureFixture[str]


def test_an_example(shell: Shell, capsys: Captured) -> None:
    assert shell.value("%use bangladesh") is None
    assert capsys.readouterr().out == "(Bangladesh Fertility Survey, 1989)  1,934 rows, 8 columns\n"
    shell.value("%use")
    assert (
        capsys.readouterr().out == "bangladesh: 1,934 rows, 8 columns (Bangladesh Fertility Survey, 1989)\n"
    )
    assert shell.value("%melogit c_use age || district:").nobs == 1934


def test_nothing_in_use(shell: Shell, capsys: Captured) -> None:
    shell.value("%use")
    assert "no data in use" in capsys.readouterr().out


def test_frames_plain_and_dotted(shell: Shell, df: pd.DataFrame, capsys: Captured) -> None:
    shell["df"] = df
    shell["results"] = SimpleNamespace(inner=SimpleNamespace(frame=df[:64]))
    shell.value("%use df")
    shell.value("%use results.inner.frame")
    shell.value("%use")
    size = "64 rows, 3 columns"
    assert capsys.readouterr().out == (
        f"(df)  120 rows, 3 columns\n(results.inner.frame)  {size}\nresults.inner.frame: {size}\n"
    )
    assert shell.value("%melogit y x || g:").nobs == 64


def test_a_file(shell: Shell, df: pd.DataFrame, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "some data.dta"
    df.to_stata(path, write_index=False, data_label="A label")
    shell.value(f'%use "{path}", clear')
    assert capsys.readouterr().out == "(A label)  120 rows, 3 columns\n"
    plain = tmp_path / "d.dta"
    path.rename(plain)
    shell.value(f"%use {plain}")
    assert shell.value("%melogit y x || g:").nobs == 120
    assert shell.value(f"%melogit -d {plain} y x || g:").nobs == 120


def test_a_frame_goes_before_an_example(shell: Shell, df: pd.DataFrame, capsys: Captured) -> None:
    shell["bangladesh"] = df
    shell.value("%use bangladesh")
    assert capsys.readouterr().out == (
        "(DataFrame bangladesh of the notebook, not the example of that name)  120 rows, 3 columns\n"
    )
    shell["bangladesh"] = "a string does not"
    shell.value("%use bangladesh")
    assert "Fertility" in capsys.readouterr().out


def test_nothing_is_evaluated(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df
    shell["called"] = []
    assert shell.error("%use df.head()").rc == 601
    assert shell.error("%use called.append(1)").rc == 601
    assert shell["called"] == []


@pytest.mark.parametrize(
    ("line", "rc", "words"),
    [
        ("banglades", 601, "did you mean bangladesh?"),
        ("series", 109, "it is a Series"),
        ("df.x", 109, "it is a Series"),
        ("gone.dta", 601, "file gone.dta not found"),
    ],
)
def test_what_cannot_be_used(shell: Shell, df: pd.DataFrame, line: str, rc: int, words: str) -> None:
    shell["df"], shell["series"] = df, df["x"]
    error = shell.error(f"%use {line}")
    assert (error.rc, words in str(error)) == (rc, True)
    lines = error.lines()
    assert lines[:2] == [f"use {line}", "    " + "^" * len(line)]


def test_the_only_frame(shell: Shell, df: pd.DataFrame, capsys: Captured) -> None:
    shell["df"] = df
    shell["same"] = df
    shell["_hidden"] = df[:10]
    assert shell.value("%melogit y x || g:").nobs == 120
    first = "(the notebook's only DataFrame is used: df, 120 rows, 3 columns)"
    assert capsys.readouterr().out.startswith(first)
    shell["other"] = df[:64]
    error = shell.error("%melogit y x || g:")
    assert (error.rc, error.hint) == (3, "the notebook's DataFrames are df, other; type %use df first")


def test_no_frame(shell: Shell) -> None:
    error = shell.error("%melogit y x || g:")
    assert isinstance(error, CommandError)
    assert error.rc == 3
    assert "%use bangladesh" in str(error)


def test_a_frame_for_one_command_leaves_the_data_in_use(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"], shell["half"] = df, df[:64]
    shell.value("%use df")
    assert shell.value("%melogit -d half y x || g:").nobs == 64
    assert shell.value("%%melogit half\ny x || g:").nobs == 64
    assert shell.value("%melogit y x || g:").nobs == 120
    assert shell.value("%melogit -d bangladesh c_use || district:").nobs == 1934
    error = shell.error("%melogit -d haf y x || g:")
    assert error.lines()[:2] == ["melogit -d haf y x || g:", "           ^^^"]
    assert error.rc == 601
    assert shell.error("%%melogit haf\ny x || g:").lines()[:2] == ["%%melogit haf", "          ^^^"]


def test_the_name_in_use_is_followed(shell: Shell, df: pd.DataFrame, capsys: Captured) -> None:
    shell["df"] = df
    shell.value("%use df")
    shell.value("df = df.assign(z=df.x**2)")
    assert "z" in shell.value("%melogit -o r y z || g:").params
    assert "(df is another DataFrame now)  120 rows, 4 columns" in capsys.readouterr().out
    shell.value("del df")
    assert "z" in shell.value("%melogit y z || g:").params


def test_frames_of_other_libraries(shell: Shell, df: pd.DataFrame, capsys: Captured) -> None:
    polars = pytest.importorskip("polars")
    expected = shell_fit(shell, df)
    shell["pf"] = polars.DataFrame({name: df[name].to_numpy() for name in df})
    capsys.readouterr()
    shell.value("%use pf")
    assert capsys.readouterr().out == "(pf)  120 rows, 3 columns\n"
    assert shell.value("%melogit y x || g:").llf == expected
    assert shell.value("%melogit -d pf y x || g:").llf == expected
    # The same table is still in use: nothing is said about another.
    capsys.readouterr()
    shell.value("%melogit y x || g:")
    assert "another" not in capsys.readouterr().out
    shell.cell("pf = pf.head(64)")
    assert shell.value("%melogit y x || g:").nobs == 64
    assert "(pf is another DataFrame now)  64 rows, 3 columns" in capsys.readouterr().out


def shell_fit(shell: Shell, df: pd.DataFrame) -> float:
    shell["df"] = df
    llf: float = shell.value("%melogit -d df y x || g:").llf
    del shell.ip.user_ns["df"]
    return llf


def test_time(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df.assign(t=df.groupby("g").cumcount())
    shell.value("%use df")
    assert str(shell.value("%tsset g t")).startswith("Panel variable: g (strongly balanced)")
    assert shell.value("%melogit y L.x || g:").params.index[0] == "L.x"
    shell.value("%tsset, clear")
    assert shell.error("%melogit y L.x || g:").message == "time variable not set"
    assert shell.value("%xtset g") is not None
    shell.value("%set varabbrev off")
    assert shell.error("%melogit y L.x || nothere:").rc == 111


def test_clear_is_nothing_to_do(shell: Shell, df: pd.DataFrame, capsys: Captured) -> None:
    shell["df"] = df
    shell.value("%use df, clear")
    shell.value("%%me\nuse bangladesh, clear // an example")
    assert capsys.readouterr().out.startswith("(df)  120 rows, 3 columns\n(Bangladesh")
    error = shell.error("%use, clear")
    assert (error.rc, error.text[slice(*error.span)]) == (198, ", clear")
    assert "type use and a name" in error.hint


def test_files_of_others(shell: Shell, tmp_path: Path) -> None:
    error = shell.error("%use d.csv")
    assert (error.rc, error.message) == (601, "file d.csv not found")
    assert error.hint == 'pandas reads such files: df = pd.read_csv("d.csv"), then use df'
    (tmp_path / "d.csv").write_text("y,x\n1,2\n")
    assert shell.error(f"%use {tmp_path / 'd.csv'}").rc == 610


def test_a_variable_for_the_data_in_use(shell: Shell, capsys: Captured) -> None:
    shell.value("%use -o women bangladesh\n%melogit -q c_use age || district:")
    assert "(the data in use are the DataFrame women of the notebook)" in capsys.readouterr().out
    shell.value("%predict p")
    assert "women" not in capsys.readouterr().out
    assert "p" in shell["women"]
    # The variable is followed, as one that is named to %use.
    shell["women"] = shell["women"].head(900)
    assert shell.value("%melogit c_use age || district:").nobs == 900


def test_a_variable_for_what_predict_has_added(shell: Shell, df: pd.DataFrame, capsys: Captured) -> None:
    polars = pytest.importorskip("polars")
    df["id"] = range(120)
    shell["table"] = polars.DataFrame(df.to_dict("list"))
    shell.value("%use table\n%tsset g id\n%melogit -q y x || g:")
    capsys.readouterr()
    shell.value("%predict p")
    assert "(p is in the data in use; %use -o df makes these a DataFrame df" in capsys.readouterr().out
    assert "p" not in shell["table"].columns
    # Once is enough.
    shell.value("%predict again")
    assert "%use -o" not in capsys.readouterr().out
    shell.value("%use -o frame")
    assert list(shell["frame"].columns) == ["y", "x", "g", "id", "p", "again"]
    assert shell.value("%tsset") is not None, "what tsset has set is forgotten"
    assert "p" not in df
    error = shell.error("%predict -d table p2")
    assert error.message == "-d table has no place for new variables"
    assert error.hint == "type %use table first, and %use -o df after predict: df has the new variables"


def test_the_only_table_has_to_have_a_place(shell: Shell, df: pd.DataFrame) -> None:
    polars = pytest.importorskip("polars")
    shell["table"] = polars.DataFrame(df.to_dict("list"))
    shell.value("%melogit -q y x || g:")
    assert shell.error("%predict p").message == "table has no place for new variables"


def test_a_variable_for_nothing(shell: Shell) -> None:
    assert shell.error("%use -o df").rc == 3
    assert shell.error("%use -d df").message == "flag -d not allowed"
    assert "df" not in shell


def test_data_are_not_kept_for_what_has_been_said_of_them(shell: Shell, df: pd.DataFrame) -> None:
    data = DataInUse(Session(), shell.ip)
    held = ref(data.session.use(df.copy()))
    assert data.whereabouts(("p",)) is not None
    assert data.whereabouts(("p",)) is None, "it is said once"
    data.session.use(df)
    gc.collect()
    assert held() is None
    assert data.whereabouts(("p",)) is not None
