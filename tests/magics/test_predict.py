"""predict and estat as magics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pandas as pd

    from conftest import Shell


def test_predictions_go_into_the_frame_in_use(
    shell: Shell, df: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    shell["df"] = df
    assert shell.error("%predict p").rc == 301
    shell.value("%use df")
    shell.value("%melogit -q y x || g:")
    capsys.readouterr()
    assert shell.value("%predict p") is None
    assert capsys.readouterr().out == (
        "(option mu assumed)\n"
        "(predictions based on fixed effects and posterior means of random effects)\n"
        "(using 7 quadrature points)\n"
    )
    assert shell.value("%predict -q m if x > 0, marginal") is None
    assert shell.value("%predict e*, reffects reses(se*)") is None
    assert list(df.columns) == ["y", "x", "g", "p", "m", "e1", "se1"]
    assert df["p"].between(0, 1).all()
    assert df["m"].notna().equals(df["x"] > 0)
    assert shell.error("%predict p").rc == 110
    # New variables are variables.
    assert shell.value("%meglm -q y p || g:") is None


def test_predictions_go_into_a_frame_by_name(shell: Shell, df: pd.DataFrame) -> None:
    shell["one"], shell["two"] = df, df.head(9).copy()
    shell.value("%melogit -q -d one y x || g:")
    shell.value("%predict -d two p, xb")
    assert "p" in shell["two"]
    assert "p" not in df
    assert shell.error("%predict -d bangladesh p").rc == 198
    assert shell.error("%predict p").rc == 3


def test_estat(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df
    assert shell.error("%estat icc").rc == 301
    shell.value("%melogit -q y x || g:")
    found = shell.value("%estat -o r icc, level(90)")
    assert shell["r"] is found
    assert found.r["level"] == 90.0
    assert found.r["label2"] == "g"
    assert shell.error("%estat wcorrelation").rc == 321


def test_help_has_every_option(shell: Shell) -> None:
    text = shell.ip.object_inspect("%predict")["docstring"]
    for words in ("distribution   (dist)", "outcome(#k or value)", "reses(names)", "tolerance(#)"):
        assert " ".join(words.split()) in " ".join(text.split())
    text = shell.ip.object_inspect("%estat")["docstring"]
    assert "%estat sd [, level(#) verbose]" in text


def test_the_frame_that_was_fitted_is_not_in_use(
    shell: Shell, df: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    shell["one"], shell["two"] = df, df.assign(k=1)
    shell.value("%use one")
    shell.value("%%melogit -q two\ny x || g:")
    capsys.readouterr()
    shell.value("%predict p")
    note = "note: the last estimates are of two, but one is in use, and gets the new variables\n"
    assert capsys.readouterr().out.startswith(note)
    assert "p" in df
    shell.value("%predict -d two p")
    assert "note" not in capsys.readouterr().out
    hint = shell.error("%predict q if k == 1").hint
    assert hint.startswith("the last estimates are of two, but one is in use: type %use two first")


def test_margins_are_of_the_frame_as_it_is_now(
    shell: Shell, df: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    shell["df"] = df
    shell.value("%use df")
    shell.value("%melogit -q y x || g:")
    shell["df"] = df.assign(half=range(len(df))).eval("half = half % 2").sort_values("x")
    found = shell.value("%margins -q -o m, over(half)")
    assert found is None
    assert "(df is another DataFrame now)" in capsys.readouterr().out
    before = shell["m"].b
    shell["df"] = df.assign(half=[k % 2 for k in range(len(df))])
    shell.value("%%me -o m\nmargins, over(half)")
    assert "(df is another DataFrame now)" in capsys.readouterr().out
    assert list(shell["m"].b) == pytest.approx(list(before), rel=1e-12)
    shell["df"] = shell["df"].sort_values("x", ignore_index=True)
    assert shell.error("%margins, over(half)").rc == 322
