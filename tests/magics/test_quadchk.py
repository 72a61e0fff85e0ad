"""quadchk as a magic: on the last estimates, without data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pandas as pd

    from conftest import Shell


def test_quadchk(shell: Shell, df: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    shell["df"] = df
    assert shell.error("%quadchk").rc == 301
    shell.value("%melogit -q y x || g:")
    del shell.ip.user_ns["df"]
    capsys.readouterr()
    found = shell.value("%quadchk -o check 5 12")
    assert found.points == (7, 5, 12)
    assert shell["check"] is found
    assert "Refitting model with intpoints(12) ..." in capsys.readouterr().out
    assert shell.value("%quadchk").points == (7, 3, 11)
    assert shell.value("%quadchk -q") is None
    assert shell.error("%quadchk 1").rc == 198
    assert "%quadchk # # ..." in shell.ip.object_inspect("%quadchk")["docstring"]
