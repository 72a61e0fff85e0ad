"""Where data come from: frames, examples, Stata files with their labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from memagic import datasets
from memagic.data.sources import find_data, read_dta
from memagic.errors import CommandError

FRAME = pd.DataFrame(
    {
        "outcome": np.array([0, 1, 1, 0], dtype="int8"),
        "treated": np.array([1, 2, 2, 1], dtype="int16"),
        "weight": [1.5, np.nan, 2.5, 3.5],
        "town": ["a", "", "c", "d"],
    }
)
LABELS = {"outcome": {0: "No", 1: "Yes"}, "treated": {1: "Control", 2: "Drug"}}


def write(path: Path, version: int) -> None:
    FRAME.to_stata(
        path,
        write_index=False,
        version=version,
        data_label="A trial",
        variable_labels={"outcome": "Has it worked", "town": "Where"},
        value_labels=LABELS,
    )


@pytest.fixture(params=[114, 117, 118, 119])
def stata_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "trial.dta"
    write(path, request.param)
    return path


def test_round_trip(stata_file: Path) -> None:
    found = find_data(str(stata_file))
    pd.testing.assert_frame_equal(found, FRAME, check_dtype=False)
    assert found.dtypes[["outcome", "treated"]].tolist() == [np.dtype("int8"), np.dtype("int16")]
    assert found.attrs["title"] == "A trial"
    assert found.attrs["variable_labels"] == {"outcome": "Has it worked", "town": "Where"}
    assert found.attrs["value_labels"] == LABELS


def renamed_set(path: Path, variable: str, label_set: str, count: int) -> None:
    """Give the set of labels of a variable another name of the same length, in the file itself."""
    content = path.read_bytes()
    old, new = variable.encode() + b"\0", label_set.encode() + b"\0"
    places = [k for k in range(len(content)) if content.startswith(old, k)]
    assert len(places) == 3, "the variable, its set, and the set itself"
    for place in places[1 : 1 + count]:
        content = content[:place] + new + content[place + len(new) :]
    path.write_bytes(content)


def test_set_of_labels_with_a_name_of_its_own(stata_file: Path) -> None:
    renamed_set(stata_file, "outcome", "no_or_y", 2)
    assert find_data(str(stata_file)).attrs["value_labels"] == LABELS


def test_set_of_labels_named_like_another_variable(stata_file: Path) -> None:
    """The variable `outcome` uses the set called `treated`; the set `outcome` is there and not used."""
    renamed_set(stata_file, "outcome", "treated", 1)
    labels = find_data(str(stata_file)).attrs["value_labels"]
    assert labels == {"outcome": LABELS["treated"], "treated": LABELS["treated"]}


def test_labels_without_a_set(stata_file: Path) -> None:
    renamed_set(stata_file, "outcome", "nothere", 1)
    assert find_data(str(stata_file)).attrs["value_labels"] == {"treated": LABELS["treated"]}


def test_categories_become_labels(tmp_path: Path) -> None:
    frame = pd.DataFrame({"size": pd.Categorical(["small", "large", None], categories=["small", "large"])})
    frame.to_stata(tmp_path / "sizes.dta", write_index=False)
    found = find_data(str(tmp_path / "sizes.dta"))
    assert found.attrs["value_labels"] == {"size": {0: "small", 1: "large"}}
    assert found["size"].dtype.kind in "if"
    np.testing.assert_array_equal(found["size"].to_numpy(float), [0, 1, np.nan])


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "TRIAL.DTA", 118)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for source in ("TRIAL.DTA", "./TRIAL.DTA", "~/TRIAL.DTA", str(tmp_path / "TRIAL.DTA")):
        assert len(find_data(source)) == 4


def test_frame_is_itself() -> None:
    assert find_data(FRAME) is FRAME


def test_examples() -> None:
    first, second = find_data("bangladesh"), find_data("bangladesh")
    assert first is not second
    pd.testing.assert_frame_equal(first, datasets.load("bangladesh"))
    assert first.attrs["value_labels"]["children"][0] == "None"


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("bangladehs", "did you mean bangladesh?"),
        ("zzz", f"example data sets: {', '.join(datasets.names())}"),
        ("", f"example data sets: {', '.join(datasets.names())}"),
    ],
)
def test_names_that_are_not_there(source: str, hint: str) -> None:
    with pytest.raises(CommandError) as caught:
        find_data(source)
    assert (caught.value.rc, caught.value.message) == (601, f"file {source} not found")
    assert caught.value.hint == hint


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        find_data(str(tmp_path / "none.dta"))
    assert caught.value.rc == 601
    with pytest.raises(CommandError) as caught:
        read_dta(tmp_path)
    assert caught.value.rc == 601


@pytest.mark.parametrize("content", [b"", b"x", b"a,b\n1,2\n", b"<stata_dta>", bytes(300), b"\x72\x02\x01"])
def test_files_of_another_kind(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.dta"
    path.write_bytes(content)
    with pytest.raises(CommandError) as caught:
        find_data(str(path))
    assert (caught.value.rc, caught.value.message) == (610, f"file {path} is not a Stata data set")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8, 0.95])
def test_files_cut_short(stata_file: Path, share: float) -> None:
    content = stata_file.read_bytes()
    stata_file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CommandError) as caught:
        find_data(str(stata_file))
    assert caught.value.rc == 610
