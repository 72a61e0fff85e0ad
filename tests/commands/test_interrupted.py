"""An interrupt at the worst moment: all of a command is done, or nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import Break, Session


@pytest.fixture
def session() -> Session:
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(15), 8)
    x = rng.normal(size=g.size)
    y = rng.random(g.size) < 1 / (1 + np.exp(-x - rng.normal(size=15)[g]))
    session = Session(pd.DataFrame({"y": y.astype(int), "x": x, "g": g}))
    session.run("melogit y x || g: x")
    return session


def test_new_variables_are_all_there_or_none(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, insert = session.data, pd.DataFrame.insert
    assert frame is not None
    before = frame.copy()

    def interrupted(self: pd.DataFrame, loc: int, column: str, value: object) -> None:
        if column == "u2":
            raise KeyboardInterrupt
        insert(self, loc, column, value)

    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "insert", interrupted)
        with pytest.raises(Break):
            session.run("predict u*, reffects")
    pd.testing.assert_frame_equal(frame, before)
    session.run("predict u*, reffects")
    assert list(frame.columns[-2:]) == ["u1", "u2"]


@pytest.mark.parametrize("after", [False, True])
def test_a_file_is_whole(
    after: bool, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt just before the new file takes the old one's place, and just after."""
    path = tmp_path / "fit.mefit"
    session.run(f'estimates save "{path}"')
    session.run("melogit y || g:")
    replaced: Callable[..., None] = os.replace

    def interrupted(source: str, target: Path) -> None:
        if after:
            replaced(source, target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(Break):
            session.run(f'estimates save "{path}", replace')
    assert list(tmp_path.iterdir()) == [path]
    assert ("x" in memagic.load(path).params) is not after
