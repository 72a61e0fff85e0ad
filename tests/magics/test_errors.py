"""Users' mistakes: the line as typed, the caret, the message, the hint, the code, and no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memagic.errors import CommandError

if TYPE_CHECKING:
    import pandas as pd

    from conftest import Shell


@pytest.fixture(autouse=True)
def frame(shell: Shell, df: pd.DataFrame) -> None:
    shell["df"] = df
    shell.value("%use df")


def test_what_is_shown(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    result = shell.cell("print('before')\n%melogit y xx || g:\nprint('after')")
    assert isinstance(result.error_in_exec, CommandError)
    assert capsys.readouterr().out == (
        "before\nmelogit y xx || g:\n          ^^\nvariable xx not found\nhint: did you mean x?\nr(111);\n"
    )


@pytest.mark.parametrize(
    ("cell", "line", "place"),
    [
        ("%melogit -o r -d df y xx || g:", "melogit y xx || g:", "xx"),
        ("melogit y x || gg:", "melogit y x || gg:", "gg"),
        ("%melogit y x || g:, covv(un)", "melogit y x || g:, covv(un)", "covv"),
        ("%%melogit df\ny x\n  || g: xx\n  , or", "  || g: xx", "xx"),
        ("%%melogit df\ny xx\n  || g:", "y xx", "xx"),
        ("%melogit, nolog", "melogit, nolog", "nolog"),
        ("%melogit -x y x", "melogit -x y x", "-x"),
        ("%melogit -o 1r y x", "melogit -o 1r y x", "1r"),
        ("%melogit -o", "melogit -o", "-o"),
        ("%melogit -o class y x", "melogit -o class y x", "class"),
        ("%%melogit df y x\n|| g:", "%%melogit df y x", "y x"),
        ("%%melogit df -o r || g:\ny x", "%%melogit df -o r || g:", "|| g:"),
    ],
)
def test_places(shell: Shell, cell: str, line: str, place: str) -> None:
    error = shell.error(cell)
    assert isinstance(error, CommandError)
    start = line.rindex(place)
    carets = " " * start + "^" * len(place)
    assert error._render_traceback_()[:2] == [line, carets]
    assert error._render_traceback_()[-1] == f"r({error.rc});"


def test_a_failed_command_binds_and_forgets_nothing(shell: Shell) -> None:
    before = shell.value("%melogit y x || g:")
    shell.error("%melogit -o r y xx || g:")
    assert "r" not in shell
    assert str(shell.value("%melogit")) == str(before.replay())


def test_a_frame_in_place_of_a_variable(shell: Shell, df: pd.DataFrame) -> None:
    shell["other"] = df
    assert shell.error("%melogit other y x").hint == (
        "other is a DataFrame: type %use other first, or -d other before the command"
    )


def test_replay_without_estimates(shell: Shell) -> None:
    error = shell.error("%melogit, or")
    assert (error.rc, error.message) == (301, "last estimates not found")
    shell.value("%melogit y x || g:")
    assert shell.error("%meprobit").hint == "the last estimates are those of melogit"


def test_our_own_faults_stay_tracebacks(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr("memagic.commands.estimate.fit_model", broken)
    assert isinstance(shell.error("%melogit y x || g:"), ZeroDivisionError)
    assert "Traceback" in capsys.readouterr().out


def test_the_log_so_far_remains(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell["wrong"] = shell["df"].assign(y=-1)
    shell.error("%mepoisson -d wrong y x || g:")
    assert "r(" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("%melogit y {v} || g:", 'memagic.run(f"melogit y {v} || g:", df)'),
        ("%melogit y $v || g:", 'memagic.run(f"melogit y {v} || g:", df)'),
        ("%melogit y `v' || g:", 'memagic.run(f"melogit y {v} || g:", df)'),
        (
            '%melogit y x if z == "a" || g:, level({v})',
            """memagic.run(f'melogit y x if z == "a" || g:, level({v})', df)""",
        ),
        ("%quietly melogit y {v} || g:", "memagic.run"),
        ("%test {v}", 'get_ipython().run_line_magic("test", f"{v}")'),
        ("%melogit y x || g: # a comment", "a comment starts with //"),
        ("%mixed y x || g:", "type meglm for the linear multilevel model: meglm y x || group:"),
        ("%xtmelogit y x || g:", "type melogit for"),
        ("%mestreg y x || g:", "there is no mestreg here yet; commands are meglm"),
        ("%metobit y x || g:", "there is no metobit here yet; commands are meglm"),
        ("%%me\ngen z = 1", 'in pandas: df["z"] = '),
        ("%%me\nlist y x", "in Python: df"),
        ("%%me\nsummarize", 'in pandas: df["x"].describe()'),
        ("%%me\nlocal v x", "memagic.run(f"),
        ("%%me\nforeach v in a b {\nmelogit y x || g:\n}", "a loop is Python's: for v in"),
        ("%svyset, nothing", None),
        ("%predict, xb", "type a name for the new variable: predict mu"),
    ],
)
def test_hints(shell: Shell, cell: str, hint: str | None) -> None:
    shell.value("%melogit -q y x || g:")
    error = shell.error(cell)
    assert isinstance(error, CommandError)
    assert hint is None or hint in str(error.hint)


def test_what_the_hint_on_values_says_works(shell: Shell) -> None:
    error = shell.error("%melogit y {v} || g:")
    shell["v"] = "x"
    code = error.hint.partition(": ")[2]
    assert shell.value(f"import memagic\n{code}").nobs == 120


def test_svyset_clear(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.value("%svyset g\n%svyset, clear")
    assert "no survey design set" in str(shell.value("%svyset"))
