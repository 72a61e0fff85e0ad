"""The example data: what is in them and how they are asked for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from memagic import datasets
from memagic.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def test_names() -> None:
    assert datasets.names() == ["bangladesh", "fifeschool"]


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("bangladesh", 1934, "district c_use urban age child1 child2 child3 children"),
        ("fifeschool", 3435, "pid sid attain vrq sex"),
    ],
)
def test_shape_and_order(name: str, rows: int, columns: str) -> None:
    frame = datasets.load(name)
    assert len(frame) == rows
    assert list(frame.columns) == columns.split()
    assert not frame.isna().any().any()


@pytest.mark.parametrize("name", ["bangladesh", "fifeschool"])
def test_agrees_with_the_manuals_data(name: str) -> None:
    path = SHARED / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    expected = pd.read_csv(path)
    frame = datasets.load(name)
    pd.testing.assert_frame_equal(
        frame[list(expected.columns)], expected, check_dtype=False, check_exact=True
    )


def test_small_integers() -> None:
    frame = datasets.load("bangladesh")
    assert frame["c_use"].dtype == "int8"
    assert frame["age"].dtype == "float64"
    assert datasets.load("fifeschool")["pid"].dtype == "int16"


def test_bangladesh_corrections() -> None:
    frame = datasets.load("bangladesh")
    assert frame.loc[[673, 1924], "children"].tolist() == [2, 2]
    assert frame["age"].tolist()[1] == -5.55999
    assert frame["district"].nunique() == 60
    for count in (1, 2, 3):
        assert frame[f"child{count}"].eq(frame["children"].eq(count)).all()


def test_labels() -> None:
    attrs = datasets.load("bangladesh").attrs
    assert attrs["title"] == "Bangladesh Fertility Survey, 1989"
    assert attrs["variable_labels"]["age"] == "Age, mean centered"
    assert attrs["value_labels"]["c_use"] == {0: "no", 1: "yes"}
    assert attrs["value_labels"]["children"][3] == "3 or more children"
    assert "age" not in attrs["value_labels"]
    assert datasets.load("fifeschool").attrs["value_labels"] == {}


def test_every_value_of_a_labelled_variable_has_a_text() -> None:
    for name in datasets.names():
        frame = datasets.load(name)
        for variable, texts in frame.attrs["value_labels"].items():
            assert set(frame[variable].tolist()) == set(texts)


def test_each_load_is_fresh() -> None:
    first = datasets.load("fifeschool")
    first.loc[0, "attain"] = 1
    first.attrs["variable_labels"]["attain"] = "changed"
    second = datasets.load("fifeschool")
    assert second.loc[0, "attain"] == 10
    assert second.attrs["variable_labels"]["attain"] == "Attainment score at age 16"


def test_describe() -> None:
    shown = datasets.describe("bangladesh")
    assert list(shown.columns) == ["type", "value label", "label"]
    assert list(shown.loc["children"]) == ["byte", "childlbl", "Number of children"]
    assert shown.loc["age", "value label"] == ""


@pytest.mark.parametrize("ask", [datasets.load, datasets.describe])
def test_unknown_name(ask: Callable[[str], pd.DataFrame]) -> None:
    with pytest.raises(CommandError) as caught:
        ask("bangladsh")
    assert caught.value.rc == 601
    assert caught.value.message == "file bangladsh not found"
    assert caught.value.hint == "did you mean bangladesh?"


def test_loading_is_fast() -> None:
    datasets.load("bangladesh")
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        datasets.load("fifeschool")
        best = min(best, time.perf_counter() - start)
    assert best < 0.05
