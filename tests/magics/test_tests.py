"""Tests, combinations and margins as magics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pandas as pd

    from conftest import Shell

NAMES = (
    "test",
    "testparm",
    "lincom",
    "nlcom",
    "testnl",
    "contrast",
    "pwcompare",
    "lrtest",
    "margins",
    "marginsplot",
)


def test_magics_run_on_the_last_estimates(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df
    for name in NAMES[:-2]:
        assert shell.error(f"%{name} x").rc in (301, 111), name
    shell.value("%melogit -q y x || g:")
    assert shell.value("%test x").df == 1
    assert shell.value("%lincom x, or").labels == ("(1)",)
    found = shell.value("%nlcom -o ratio exp(_b[x])")
    assert shell["ratio"] is found
    assert shell.value("%test -q x") is None
    assert shell.value("%testnl _b[x]^2 = 1").df == 1
    shell.value("%estimates store one")
    shell.value("%melogit -q y || g:")
    assert shell.value("%lrtest one, dir").df == 1
    assert shell.value("%margins").n_obs == len(df)
    assert shell.value("%margins, level(90)").level == 90.0
    error = shell.error("%test nothere")
    assert (error.rc, error.span) == (111, (5, 12))


@pytest.mark.parametrize("name", NAMES)
def test_help(shell: Shell, name: str) -> None:
    assert f"%{name}" in shell.ip.object_inspect(f"%{name}")["docstring"]


def test_results_of_the_notebook_are_found_by_lrtest(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df
    shell.value("%melogit -q -o small y || g:")
    shell.value("%melogit -q -o large y x || g:")
    found = shell.value("%lrtest small large, bootstrap(3) seed(5)")
    assert found.bootstrap.done == 3
    assert (found.smaller, found.larger) == ("small", "large")


def test_marginsplot_is_one_axes(shell: Shell, df: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    shell["df"] = df
    shell.value("%melogit -q y x || g:")
    shell.value("%margins -q , at(x=(0 1 2))")
    capsys.readouterr()
    assert shell.value("%marginsplot, horizontal").get_ylabel() == "x"
    capsys.readouterr()
    ax = shell.value("%marginsplot")
    assert ax.get_xlabel() == "x"
    assert "Variables that uniquely identify margins: x" in capsys.readouterr().out
    from matplotlib import pyplot

    pyplot.close("all")


@pytest.mark.parametrize(
    "line",
    [
        "test -d nosuch x",
        "testparm -d nosuch x",
        "lincom -d nosuch x",
        "contrast -d nosuch x",
        "estat -d nosuch ic",
        "quadchk -d nosuch",
        "lrtest -d nosuch, mixture",
        "quietly estat -d nosuch ic",
        "quietly -d nosuch test x",
        "melogit -d nosuch, or",
        "marginsplot -d nosuch",
    ],
)
def test_data_for_what_needs_none(shell: Shell, df: pd.DataFrame, line: str) -> None:
    shell["df"] = df
    shell.value("%use df\n%melogit -q y x || g:")
    error = shell.error(f"%{line}")
    assert (error.rc, error.message) == (198, "flag -d not allowed")
    assert error.text[slice(*error.span)] == "nosuch"
    assert error.hint == "the command needs no data: type it without -d"


def test_data_for_margins(shell: Shell, df: pd.DataFrame) -> None:
    half = [k % 2 for k in range(len(df))]
    shell["df"], shell["other"] = df, df.assign(half=half)
    fit = shell.value("%use df\n%melogit y x || g:")
    assert shell.error("%margins -d nosuch").rc == 601
    assert shell.error("%margins, over(half)").rc == 111
    found = shell.value("%margins -d other, over(half)")
    assert list(found.b) == list(fit.margins(over="half", data=shell["other"]).b)
    assert list(shell.value("%noisily margins -d other, over(half)").b) == list(found.b)
    assert shell.error("%margins, over(half)").rc == 111
