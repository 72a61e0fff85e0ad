"""A design's columns on other rows: names, words, levels and groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from memagic import CommandError
from memagic.data.design import Design, make_design
from memagic.data.new_rows import MISSING, NEW, NewRows
from memagic.spec.parser import parse_command
from memagic.spec.tree import Command

TEXT = "meglm y ib2.a##c.x i.word, offset(o) || school: x || room: R.rater"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 80
    return pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "a": np.arange(n) % 3 + 1,
            "x": rng.normal(size=n),
            "word": pd.Categorical(np.array(["no", "yes"])[np.arange(n) // 2 % 2], ["yes", "no"]),
            "o": rng.normal(size=n),
            "school": np.array(["east", "west"])[np.arange(n) // 40],
            "room": np.arange(n) // 10 % 4 // 2 + 1,
            "rater": np.arange(n) % 5,
        },
        index=np.arange(n) * 2,
    )


@pytest.fixture(scope="module")
def command() -> Command:
    return parse_command(TEXT)


@pytest.fixture(scope="module")
def design(command: Command, frame: pd.DataFrame) -> Design:
    return make_design(command, frame[frame["x"] > -1.5], None)


def test_what_is_kept_of_the_sample(design: Design, frame: pd.DataFrame) -> None:
    origin = design.origin
    assert origin.index is not None
    assert origin.index.equals(frame.index[frame["x"] > -1.5])
    assert {name: values.tolist() for name, values in origin.seen.items()} == {"a": [1, 2, 3], "word": [1, 2]}
    assert origin.words == {"word": {1.0: "yes", 2.0: "no"}}


def test_the_samples_own_rows(command: Command, design: Design, frame: pd.DataFrame) -> None:
    rows = NewRows(design, command, frame[frame["x"] > -1.5])
    np.testing.assert_array_equal(rows.fixed(), design.x)
    np.testing.assert_array_equal(rows.offset(), design.offset)
    for level, codes in zip(design.levels, rows.groups(), strict=True):
        np.testing.assert_array_equal(codes, level.grouping.codes)
    school, rater = rows.codes()
    np.testing.assert_array_equal(school, design.levels[0].grouping.codes)
    np.testing.assert_array_equal(rater, design.levels[1].equations[0].codes)
    for level, z in zip(design.levels, rows.z(), strict=True):
        np.testing.assert_array_equal(z, level.z)


def test_few_rows_with_words_in_another_form(command: Command, design: Design, frame: pd.DataFrame) -> None:
    kept = frame[frame["x"] > -1.5]
    some = kept.iloc[[7, 3]].drop(columns="y")
    some["word"] = some["word"].astype(str)
    rows = NewRows(design, command, some)
    np.testing.assert_array_equal(rows.fixed(), design.x[[7, 3]])


def test_groups_are_known_with_those_above(command: Command, design: Design, frame: pd.DataFrame) -> None:
    other = frame.iloc[:5].assign(
        school=["west", "north", None, "east", "west"], room=[2, 1, 1, 9, np.nan], rater=[0, 0, 7, 0, np.nan]
    )
    rows = NewRows(design, command, other)
    school, room = rows.groups()
    assert school.tolist() == [1, NEW, MISSING, 0, 1]
    grouping = design.levels[1].grouping
    kept = frame[frame["x"] > -1.5]
    west_two = grouping.codes[((kept["school"] == "west") & (kept["room"] == 2)).to_numpy().argmax()]
    assert room.tolist() == [west_two, NEW, MISSING, NEW, MISSING]
    # A factor's value is known within its group.
    codes = design.levels[1].equations[0].codes
    assert codes is not None
    same = (kept["school"] == "west") & (kept["room"] == 2) & (kept["rater"] == 0)
    raters = rows.codes()[1]
    assert raters.tolist() == [codes[same.to_numpy().argmax()], NEW, MISSING, NEW, MISSING]


def test_levels_and_words_that_are_new(command: Command, design: Design, frame: pd.DataFrame) -> None:
    for changed, words in (
        ({"a": 4}, "a has levels that are not in the estimation sample: 4"),
        ({"word": "maybe"}, "word has values that the data of the estimates do not have: maybe"),
        ({"word": 3}, "word has levels that are not in the estimation sample: 3"),
    ):
        with pytest.raises(CommandError) as raised:
            NewRows(design, command, frame.head(3).assign(**changed)).fixed()
        assert raised.value.rc == 459
        assert raised.value.message == words


def test_missing_values(command: Command, design: Design, frame: pd.DataFrame) -> None:
    other = frame.head(3).assign(a=[1, np.nan, 1], word=["yes", "no", None])
    x = NewRows(design, command, other).fixed()
    missing = np.isnan(x)
    names = [column.name for column in design.fixed if column.state == "estimated"]
    at = {name: missing[:, k].tolist() for k, name in enumerate(names)}
    assert at["1.a"] == at["1.a#c.x"] == [False, True, False]
    assert at["2.word"] == [False, False, True]
    assert at["x"] == at["_cons"] == [False, False, False]
