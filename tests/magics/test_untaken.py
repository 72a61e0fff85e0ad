"""Every command of a cell shows what it has to show, once: in lines, loops and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pandas as pd

    from conftest import Shell


@pytest.fixture(autouse=True)
def fit(shell: Shell, df: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    shell["df"] = df
    shell.value("%use df\n%melogit -q -o fit y x || g:")
    capsys.readouterr()


TEST = "( 1)  [y]x = 0"
CONSTANT = "( 1)  [y]_cons = 0"


@pytest.mark.parametrize(
    ("cell", "times"),
    [
        ("%test x", 1),
        ("%test x\n1", 1),
        ("%test x\n%test x", 2),
        ("%test x\nr = %test x", 1),
        ("r = %test x\ntype(r).__name__", 0),
        ("%test -q x\n1", 0),
        ("%test x;\n1", 0),
        ("%test x\nNone", 1),
        ("%quietly test x\n1", 0),
        ("for _ in range(3):\n    %test x", 3),
        ("if True:\n    %test x\nelse:\n    %test _cons", 1),
        ("with open(__import__('os').devnull):\n    %test x", 1),
        ("try:\n    %test x\nfinally:\n    pass", 1),
        ("def again():\n    %test x\n    r = %test x\nagain()\nagain()", 2),
        ("again = lambda: get_ipython().run_line_magic('test', 'x')\nagain()\nNone", 0),
        ("%%time\n%test x\n%test x", 2),
        ("%%capture kept\n%test x\n%test x", 0),
        ("%timeit -n 2 -r 2 %test x", 0),
    ],
)
def test_how_often_a_test_is_shown(
    shell: Shell, cell: str, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    value = shell.cell(cell)
    value.raise_error()
    assert capsys.readouterr().out.count(TEST) == times


@pytest.mark.parametrize("how", ["all", "last", "last_expr", "last_expr_or_assign"])
def test_not_twice_where_the_shell_shows_more(
    shell: Shell, how: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell.ip, "ast_node_interactivity", how)
    shell.cell("%test x\nif True:\n    %test x\nfor _ in 'a':\n    %test x").raise_error()
    assert capsys.readouterr().out.count(TEST) == 3


def test_they_come_in_order_with_what_is_printed(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.value("%melogit, or\nprint('then')\n%capture noisily test z\nprint(_rc)\n%test _cons")
    shown = capsys.readouterr().out
    places = [shown.index(word) for word in ("Odds ratio", "then", "z not found", "\n111\n", CONSTANT)]
    assert places == sorted(places)


def test_the_cell_that_loads_the_extension(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.ip.run_line_magic("unload_ext", "memagic")
    cell = "%load_ext memagic\n%use df\n%melogit y x || g:, nolog\n%test x\n%estimates store a"
    shell.cell(cell).raise_error()
    shown = capsys.readouterr().out
    assert shown.count("Mixed-effects logistic regression") == 1
    assert shown.count(TEST) == 1


def test_axes_are_shown_by_their_figure(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    shell.cell("%margins, at(x=(0 1))\n%marginsplot\n1").raise_error()
    shown = capsys.readouterr().out
    assert "Adjusted predictions" in shown
    assert "Axes" not in shown
    pyplot.close("all")


def test_code_outside_the_notebook_keeps_its_peace(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.ip.run_line_magic("test", "x")
    assert capsys.readouterr().out == ""
