"""What is said of commands that Python or pandas has."""

from __future__ import annotations

import pandas as pd
import pytest

import memagic
from memagic.spec.in_python import in_python


@pytest.mark.parametrize(
    ("word", "instead"),
    [
        ("d", "in pandas: df.info()"),
        ("di", "in Python: print(...)"),
        ("g", 'in pandas: df["z"] = df["x"] ** 2'),
        ("drop", 'in pandas: df = df.drop(columns="x"), or df[df["x"] > 0]'),
        ("dro", None),
        ("melogit", None),
    ],
)
def test_least_letters(word: str, instead: str | None) -> None:
    assert in_python(word) == instead


def test_what_is_said_of_results_is_there() -> None:
    said = str(in_python("return"))
    assert said.endswith('found = %test x, then found.r["chi2"], found.r')
    g = [k // 10 for k in range(60)]
    df = pd.DataFrame({"y": [k * 7 % 11 for k in range(60)], "x": [k * 5 % 13 for k in range(60)], "g": g})
    found = memagic.meglm("y x || g:", df).test("x")
    assert found.r["chi2"] > 0
