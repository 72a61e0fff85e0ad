"""The cell magic %%me, and prefixes as magics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from memagic.errors import CommandError
from memagic.magics.script import commands_of
from memagic.results import MEResults

if TYPE_CHECKING:
    import pandas as pd

    from conftest import Shell


@pytest.mark.parametrize(
    ("cell", "commands"),
    [
        ("a\nb c", ["a", "b c"]),
        ("a ///\n  b\nc", ["a ///\n  b", "c"]),
        ("a\n   || g: x\n  , or\nb", ["a\n   || g: x\n  , or", "b"]),
        ("* a\n\n  // b\na // c\n/* d\ne */ f", ["a // c", "/* d\ne */ f"]),
        ('a "//" ///\nb\nc "/*"\nd', ['a "//" ///\nb', 'c "/*"', "d"]),
        ("/* x */\n/* a\nb\n*/\nc", ["c"]),
        ("", []),
        ("a /* b ///\n c */ d\ne", ["a /* b ///\n c */ d", "e"]),
    ],
)
def test_commands_of(cell: str, commands: list[str]) -> None:
    assert commands_of(cell) == commands


def test_several_commands(shell: Shell, df: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    shell["df"] = df
    shell.cell(
        "%%me\n"
        "* two models\n"
        "use df\n"
        "quietly melogit y || g:   // the first\n"
        "estimates store plain\n"
        "melogit y x ///\n"
        "    || g:\n"
        "    , or\n"
        "estimates table plain .\n"
    )
    shown = capsys.readouterr().out
    assert shown.startswith("(df)  120 rows, 3 columns\n")
    assert shown.count("Mixed-effects logistic regression") == 1
    assert "Odds ratio" in shown
    assert "plain" in shown


def test_an_error_ends_the_cell(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df
    error = shell.error("%%me df\nmelogit y ///\n  zz || g:\nmelogit y x || g:")
    assert isinstance(error, CommandError)
    assert error.lines()[:2] == ["  zz || g:", "  ^^"]
    assert "last estimates not found" in str(shell.error("%melogit"))


def test_prefixes(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df.assign(half=df["g"] > df["g"].median())
    assert shell.value("%quietly melogit y x || g:") is None
    assert isinstance(shell.value("%noisily melogit y x || g:"), MEResults)
    assert shell.value("%capture melogit y zz || g:") is None
    assert shell["_rc"] == 111
    assert shell.value("%cap melogit y x || g:") is None
    assert shell["_rc"] == 0
    found = shell.value("%bysort half: melogit y x || g:")
    assert len(found) == 2


@pytest.mark.parametrize(
    "line",
    [
        "%quietly -d two melogit y x || g:",
        "%quietly melogit -d two y x || g:",
        "%qui: melogit -d two y x || g:",
    ],
)
def test_flags_before_and_after_the_name(shell: Shell, df: pd.DataFrame, line: str) -> None:
    shell["one"], shell["two"] = df, df.head(64)
    assert shell.value(line) is None
    assert "Number of obs     =         64" in str(shell.value("%melogit"))


def test_a_flag_after_a_prefix_that_names_no_data(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df
    error = shell.error("%noisily melogit -d nope y x || g:")
    assert error.text[slice(*error.span)] == "nope"
    assert "file nope not found" in str(shell.value("%capture noisily melogit -d nope y x || g:"))
    assert shell["_rc"] == 601
    assert shell.value("%capture noisily melogit -o kept y x || g:") is shell["kept"]


def test_quietly_use(shell: Shell, df: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    shell["df"] = df
    shell.value("%quietly use df")
    assert capsys.readouterr().out == ""
    assert shell.value("%melogit y x || g:").nobs == 120


def test_a_minus_may_begin_an_expression(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df
    shell.value("%use df\n%melogit -q y x || g:")
    plus, minus = shell.value("%lincom -o r x"), shell.value("%lincom -x")
    assert minus.r["estimate"] == -plus.r["estimate"] == -shell["r"].r["estimate"]


def test_a_minus_before_a_variable_that_has_the_letter_of_a_flag(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df.assign(d=df["x"] ** 2, o=np.sin(df["x"]), q=np.cos(3 * df["x"]))
    b = shell.value("%melogit -d df y x d o q || g:").params
    for letter in "doq":
        assert shell.value(f"%lincom -{letter}").b[0] == -b[letter]
        assert shell.value(f"%lincom -{letter}, level(90)").level == 90
        assert shell.value(f"%lincom -{letter} + x").b[0] == pytest.approx(b["x"] - b[letter])
        assert shell.value(f"%lincom -{letter} - x").b[0] == pytest.approx(-b["x"] - b[letter])
        assert shell.value(f"%nlcom -_b[{letter}] * 2").b[0] == pytest.approx(-2 * b[letter])
        assert shell.value(f"%test -{letter} = x").df == 1
        assert shell.value(f"%test -{letter} = -1").df == 1
    # No operand follows another one in an expression: here the minus is a flag's.
    assert shell.value("%lincom -o d -d").b[0] == shell["d"].b[0] == -b["d"]
    assert shell.value("%lincom -q -o r (q)") is None
    assert shell["r"].b[0] == b["q"]
    assert shell.value("%test -q (d = 0) (o = 0)") is None
    assert shell.value("%nlcom -q _b[d]") is None


def test_data_in_use_under_capture(
    shell: Shell, df: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    shell["df"], shell["other"] = df, df.head(64)
    shell.value("%use df\n%capture use bangladesh")
    assert shell["_rc"] == 0
    assert shell.value("%melogit c_use age || district:").nobs == 1934
    assert "another DataFrame now" not in capsys.readouterr().out
    shell.value("%capture use other")
    assert shell["_rc"] == 0
    assert shell.value("%melogit y x || g:").nobs == 64
    assert shell.value("%capture use nosuch") is None
    assert shell["_rc"] == 601
    assert "file nosuch not found" in str(shell.value("%capture noisily use nosuch"))
    assert shell.value("%melogit y x || g:").nobs == 64
    capsys.readouterr()
    shell.value("%capture noisily use df")
    assert capsys.readouterr().out == "(df)  120 rows, 3 columns\n"
    assert shell["_rc"] == 0
    shell.value("%quietly -o same use df")
    assert shell["same"] is df
    assert shell.error("%quietly -d df use other").message == "flag -d not allowed"


def test_no_data_under_capture(shell: Shell) -> None:
    assert shell.value("%capture melogit y x || g:") is None
    assert shell["_rc"] == 3
