"""Estimation commands and replay, as line magics and as cell magics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import memagic
from memagic.results import MEResults
from memagic.results.replay import Replay
from memagic.spec.options import COMMANDS

if TYPE_CHECKING:
    import pandas as pd

    from conftest import Shell

FIT = "melogit y x || g:"
_ONLY = "(the notebook's only DataFrame is used: df, 120 rows, 3 columns)"


@pytest.fixture(autouse=True)
def frame(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df


def test_the_value_is_what_python_gives(shell: Shell, df: pd.DataFrame) -> None:
    result = shell.value(f"%{FIT}")
    assert isinstance(result, MEResults)
    assert str(result) == str(memagic.run(FIT, df))


def test_assignment(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.value(f"r = %{FIT}") is None
    assert isinstance(shell["r"], MEResults)
    assert "Number of obs" not in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_both_magics(shell: Shell, name: str) -> None:
    assert shell.value(f"%{name} y x || g:").estimates.command.name == name
    assert shell.value(f"%%{name} df\ny x || g:").estimates.command.name == name
    assert isinstance(shell.value(f"%{name}"), Replay)
    assert isinstance(shell.value(f"%{name}, eform level(90)"), Replay)


def test_automagic(shell: Shell) -> None:
    assert isinstance(shell.value(f"{FIT}, or"), MEResults)
    assert isinstance(shell.value("melogit"), Replay)


def test_cell_with_comments_breaks_and_a_leading_comma(shell: Shell, df: pd.DataFrame) -> None:
    shell.value(
        "%%meglm df -o fit\n"
        "// use of contraception\n"
        "y x ///\n"
        "    || g:  /* districts */  // one command\n"
        "\n"
        "    , family(bernoulli) link(logit)\n"
    )
    assert shell["fit"].llf == pytest.approx(memagic.run(FIT, df).llf)


def test_a_cell_without_a_frame(shell: Shell) -> None:
    assert shell.value("%%melogit\ny x || g:").nobs == 120


def test_out_and_data(shell: Shell, df: pd.DataFrame) -> None:
    shell["half"] = df[:60]
    result = shell.value("%melogit -o fit -d half y x || g:")
    assert shell["fit"] is result
    assert result.nobs == 60
    assert shell.value("%%melogit -d half -o fit2\ny x || g:") is shell["fit2"]
    assert shell.value("%melogit -o again, or") is shell["again"]


def test_quiet(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.value("use df")
    capsys.readouterr()
    assert shell.value("%melogit -q -o fit y x || g:") is None
    assert shell.value("%%melogit df -q\ny x || g:") is None
    assert shell.value("%melogit -o other y x || g:, or;") is None
    assert capsys.readouterr().out == ""
    assert isinstance(shell["fit"], MEResults)
    assert isinstance(shell["other"], MEResults)


def test_a_semicolon_in_a_comment_is_none(shell: Shell) -> None:
    assert shell.value("%%melogit df\ny x || g:  // done;\n") is not None


def test_replay_does_not_fit_again(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    result = shell.value(f"%{FIT}")
    capsys.readouterr()
    shown = shell.value("%melogit, or level(90)")
    assert str(shown) == str(result.replay(or_=True, level=90))
    assert str(shell.value("%melogit")) == str(result.replay())
    assert "Iteration" not in capsys.readouterr().out
    assert shell.value("r = %melogit, or") is None
    assert "Odds ratio" in str(shell["r"])


def test_no_variables_are_expanded(shell: Shell) -> None:
    shell["x"] = "nonsense"
    error = shell.error("%melogit y {x} || g:")
    assert "{x}" in str(error)
    assert "$x" in str(shell.error("%melogit y $x || g:"))


def test_the_log_on_a_terminal(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    result = shell.value(f"%{FIT}")
    log = "\n".join(result.estimates.log)
    out = capsys.readouterr().out
    assert out.startswith(f"{_ONLY}\n{log}\n")
    assert out.endswith(f"{result}\n")
    assert out.count("Iteration 0:") == 2
    shell.value(f"%{FIT}, nolog")
    assert "Iteration" not in capsys.readouterr().out


def test_unloading_takes_the_magics_away(shell: Shell) -> None:
    shell.ip.run_line_magic("unload_ext", "memagic")
    for name in (*COMMANDS, *(f"{name}," for name in COMMANDS), "use"):
        assert shell.ip.find_line_magic(name) is None
        assert shell.ip.find_cell_magic(name) is None
    shell.ip.run_line_magic("load_ext", "memagic")


@pytest.mark.parametrize("name", COMMANDS)
def test_help(shell: Shell, name: str) -> None:
    magic = shell.ip.find_line_magic(name)
    assert magic is not None
    text = magic.__doc__
    assert f"%{name} [flags] depvar" in text
    assert "covariance(vartype)" in text
    assert "-o NAME" in text
    assert ("irr" in text) == (name in ("meglm", "mepoisson", "menbreg"))
    example = [line.strip() for line in text.splitlines() if line.startswith(f"  %{name} ")][-1]
    from memagic.spec.parser import parse_command

    assert parse_command(example[1:]).name == name


def test_help_is_shown_by_the_shell(shell: Shell) -> None:
    info = shell.ip.object_inspect("%melogit")
    assert info["found"]
    assert "Options of the command" in info["docstring"]


def test_constraints_and_matrices(shell: Shell) -> None:
    shell.value("%constraint 1 x = .5")
    assert str(shell.value("%constraint dir")) == "     1: x = .5"
    assert shell.value(f"%{FIT}, constraints(1)").params["x"] == 0.5
    shell.value("%matrix A = (.25)")
    shell["B"] = [[0.75]]
    for name, value in [("A", 0.25), ("B", 0.75)]:
        fit = shell.value(f"%{FIT}, covariance(fixed({name}))")
        assert fit.params["/var(_cons[g])"] == value
    # The notebook's own variables are neither listed nor dropped.
    assert "A" not in shell
    assert str(shell.value("%matrix dir")).split() == ["A[1,1]"]
    shell.value("%matrix drop _all")
    assert "B" in shell
    assert str(shell.value("%matrix list B")).split() == ["B[1,1]", "c1", "r1", "0.75"]
    assert shell.error("%matrix list A").rc == 111
    assert shell.error("%matrix drop B").rc == 111
    assert "B" in shell


def test_a_survey(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df.assign(w=1.5)
    shell.cell("%use df")
    assert "Sampling unit 1: g" in str(shell.value("%svyset g [pw=w]"))
    result = shell.value("%svy: melogit y x")
    assert isinstance(result, MEResults)
    assert result.e["prefix"] == "svy"
    assert shell.value("%svy, subpop(if x > 0): melogit y x").nobs < result.nobs
    shell.cell("%svy -o kept linearized: melogit y x")
    assert shell["kept"].params.equals(result.params)
