"""The rows of an estimation sample in a frame that has changed since."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError, Session
from memagic.data.same_rows import by_labels, gone_note, same_order, sample_rows, whole_sample
from memagic.results import MEResults

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    n = 200
    made = pd.DataFrame(
        {
            "g": np.repeat([f"g{k}" for k in range(20)], 10),
            "x": rng.normal(size=n),
            "arm": pd.Categorical(rng.choice(["a", "b", "c"], n)),
            "z": rng.normal(size=n),
        }
    )
    made["y"] = (made.x + rng.logistic(size=n) > 0).astype(int)
    made["key"] = np.arange(n)
    return made


@pytest.fixture(scope="module")
def numbered(frame: pd.DataFrame) -> MEResults:
    return memagic.run("melogit y x i.arm if z > 0 || g:, intpoints(3)", data=frame)


@pytest.fixture(scope="module")
def labelled(frame: pd.DataFrame) -> MEResults:
    return memagic.run("melogit y x i.arm if z > 0 || g:, intpoints(3)", data=named(frame))


def named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index("r" + frame.key.astype(str))


def found(fit: MEResults, frame: pd.DataFrame) -> list[int]:
    """The keys of the rows that are found."""
    at = sample_rows(fit.estimates.design, fit.estimates.command, frame)
    return [int(key) for key in frame["key"].to_numpy()[at[at >= 0]]]


SHUFFLE = np.random.default_rng(1).permutation(200)

# What leaves the rows of the sample where labels and values can tell them.
TOLD: dict[str, Change] = {
    "nothing": lambda d: d,
    "a copy": lambda d: d.copy(),
    "sorted": lambda d: d.sort_values("x"),
    "shuffled": lambda d: d.iloc[SHUFFLE],
    "backwards": lambda d: d.iloc[::-1],
    "a new variable": lambda d: d.assign(w=d.x * 2),
    "rows after it": lambda d: pd.concat([d, d.head(7).set_index(d.index[:7] + type(d.index[0])(1000))]),
    "rows dropped": lambda d: d[d.x > -0.5],
    "an index besides": lambda d: d.reset_index(names="label"),
    "rows dropped and sorted": lambda d: d[d.x > -0.5].sort_values("z"),
    "x edited": lambda d: d.assign(x=d.x - d.x.mean()),
    "x edited and sorted": lambda d: d.assign(x=d.x.round(1)).sort_values("z"),
    "x gone": lambda d: d.drop(columns="x"),
    "y edited": lambda d: d.assign(y=d.y.where(d.x > 0, 1)),
    "y gone": lambda d: d.drop(columns="y"),
    "single precision": lambda d: d.astype({"x": "float32"}),
    "words as objects": lambda d: d.assign(arm=d.arm.astype(object)),
    "other order of categories": lambda d: d.assign(arm=d.arm.cat.reorder_categories(["c", "b", "a"])),
    "two words exchanged": lambda d: d.assign(arm=d.arm.map({"a": "b", "b": "a", "c": "c"})),
    "a word more": lambda d: d.assign(arm=d.arm.astype(object).where(d.z < 1, "d")),
}


@pytest.mark.parametrize("change", TOLD, ids=str)
@pytest.mark.parametrize("own", [False, True], ids=["numbers", "labels"])
def test_the_rows_of_the_sample(
    numbered: MEResults, labelled: MEResults, frame: pd.DataFrame, change: str, own: bool
) -> None:
    fit = labelled if own else numbered
    changed = TOLD[change](named(frame) if own else frame)
    there = set(changed["key"].iloc[:200])
    expected = [key for key in frame["key"][frame.z > 0] if key in there]
    assert found(fit, changed) == expected


# What makes row numbers lie.
MISLED: dict[str, Change] = {
    "sorted": lambda d: d.sort_values("x", ignore_index=True),
    "shuffled": lambda d: d.iloc[SHUFFLE].reset_index(drop=True),
    "shuffled, numbered, sorted": lambda d: d.iloc[SHUFFLE].reset_index(drop=True).sort_values("z"),
    "sorted within groups": lambda d: d.sort_values(["g", "x"], ignore_index=True),
    "dropped and numbered": lambda d: d[d.x > -0.5].reset_index(drop=True),
    "another frame": lambda d: d.assign(x=-d.x, y=1 - d.y, g=d.g.to_numpy()[SHUFFLE]),
    "x and y edited": lambda d: d.assign(x=d.x + 1, y=2 * d.y, arm="a"),
    "filtered, sorted, numbered, filtered": lambda d: d.sort_values("y", ignore_index=True)[
        lambda s: s.x > -1
    ],
    "nothing left": lambda d: d[["key", "z"]],
}


@pytest.mark.parametrize("change", MISLED, ids=str)
def test_row_numbers_are_not_believed(numbered: MEResults, frame: pd.DataFrame, change: str) -> None:
    with pytest.raises(CommandError) as caught:
        found(numbered, MISLED[change](frame))
    assert caught.value.rc == 322
    assert caught.value.hint is not None
    assert "fit again" in caught.value.hint


# A part of a frame has row numbers, too, and so have the parts of one that was put together.
PARTS: dict[str, Change] = {
    "filtered": lambda d: d[d.x > -1],
    "counted from 1": lambda d: d.set_index(pd.RangeIndex(1, 201)),
    "put together": lambda d: pd.concat([d[:100], d[100:].reset_index(drop=True)], keys=["a", "b"]),
    "0, 1, ... with a name": lambda d: d.rename_axis("row"),
}
RESORTED: dict[str, Change] = {
    "sorted": lambda d: d.sort_values("y", ignore_index=True),
    "shuffled": lambda d: d.iloc[SHUFFLE].reset_index(drop=True),
}


@pytest.mark.parametrize("resorted", RESORTED, ids=str)
@pytest.mark.parametrize("part", PARTS, ids=str)
def test_row_numbers_of_parts_are_not_believed(frame: pd.DataFrame, part: str, resorted: str) -> None:
    fit = memagic.run("melogit y x i.arm || g:, intpoints(3)", data=PARTS[part](frame))
    keys = list(PARTS[part](frame)["key"])
    assert found(fit, PARTS[part](frame)) == keys
    assert found(fit, PARTS[part](frame).assign(x=0, arm="a").sort_values("z")) == keys
    with pytest.raises(CommandError) as caught:
        found(fit, PARTS[part](RESORTED[resorted](frame)))
    assert caught.value.rc == 322


def test_labels_of_another_index(frame: pd.DataFrame) -> None:
    """Two keys of integers have labels in common, which are those of other rows."""
    one, other = (
        frame.set_index(pd.Index(key, name=name)) for key, name in ((frame.key + 1, "a"), (SHUFFLE + 2, "b"))
    )
    fit = memagic.run("melogit y x || g:, intpoints(3)", data=one)
    assert found(fit, one.assign(x=1, y=0).iloc[::-1]) == list(frame["key"])
    with pytest.raises(CommandError, match="of other data"):
        found(fit, other)


def test_labels_of_the_users_own_are_believed(labelled: MEResults, frame: pd.DataFrame) -> None:
    changed = named(frame).assign(x=1.0, y=0, arm="z").iloc[SHUFFLE]
    assert found(labelled, changed) == list(frame["key"][frame.z > 0])


def test_a_sort_that_leaves_the_response(frame: pd.DataFrame) -> None:
    """Sorted by y, then by y and x: y says nothing, and x has the same values at other rows."""
    by_y = frame.sort_values("y", ignore_index=True)
    fit = memagic.run("melogit y x", data=by_y)
    with pytest.raises(CommandError, match="have changed since estimation") as caught:
        found(fit, by_y.sort_values(["y", "x"], ignore_index=True))
    assert caught.value.hint is not None
    assert "the values of x are at other rows: the rows have been reordered" in caught.value.hint
    # Nor does it say anything where values of x are others, too.
    with pytest.raises(CommandError, match="of other data"):
        found(fit, by_y.assign(x=by_y.x + 1))


def test_a_sort_within_groups_that_are_in_no_order(frame: pd.DataFrame) -> None:
    """The groups stay where they are; the response of some rows looks as if it had been edited."""
    blocks = frame.iloc[
        np.argsort(np.random.default_rng(4).permutation(20)[np.arange(200) // 10], kind="stable")
    ]
    blocks = blocks.reset_index(drop=True).assign(block=np.arange(200) // 10)
    within = blocks.sort_values(["block", "z"], ignore_index=True)
    assert within["g"].equals(blocks["g"])
    fit = memagic.run("melogit y if x > 0 || g:, intpoints(3)", data=blocks)
    with pytest.raises(CommandError, match="of other data"):
        found(fit, within)
    assert found(fit, blocks.assign(z=0)) == list(blocks["key"][blocks.x > 0])


def test_what_is_in_order_within_groups_tells_nothing(frame: pd.DataFrame) -> None:
    """Sorted by g and y, then by x as well: y is where it was, as in every group it rises."""
    ordered = frame.sort_values(["g", "y"], ignore_index=True).assign(t=np.arange(200) % 10)
    fit = memagic.run("melogit y x || g:, intpoints(3)", data=ordered)
    again = ordered.sort_values(["g", "y", "x"], ignore_index=True)
    with pytest.raises(CommandError, match="of other data"):
        found(fit, again.assign(x=again.x - 1))
    # Unless it is different in all rows, together with something else: no other order has it so.
    timed = memagic.run("melogit y x t || g:, intpoints(3)", data=ordered)
    assert found(timed, ordered.assign(x=ordered.x - 1)) == list(ordered["key"])
    with pytest.raises(CommandError, match="of other data"):
        found(timed, ordered.assign(x=ordered.x - 1).iloc[[3]])


def test_a_treatment_turned_round(frame: pd.DataFrame) -> None:
    """As many ones as before, at other rows, or one variable permuted; all else is where it was."""
    treated = frame.assign(t=np.random.default_rng(3).permutation(np.arange(200) % 2))
    fit = memagic.run("melogit y x t || g:, intpoints(3)", data=treated)
    assert found(fit, treated.assign(t=1 - treated.t)) == list(frame["key"])
    assert found(fit, treated.assign(x=treated.x.to_numpy()[SHUFFLE])) == list(frame["key"])


def test_neighbours_are_not_the_same(frame: pd.DataFrame) -> None:
    """Of large numbers, in single precision one more is the same; it is another group, and another time."""
    at = pd.Series(1_700_000_001.0 + 1800 * SHUFFLE)
    numbers = frame.assign(g=300_000_001 + frame.key // 10, at=at, w=frame.x + 0.1)
    fit = memagic.run("meglm w at || g:", data=numbers)
    half = numbers.assign(w=0.0, at=at + np.where(frame.key == 150, 1500, 0))
    for changed in (half, numbers.assign(w=0.0, g=numbers.g + np.where(frame.key == 150, 1, 0))):
        with pytest.raises(CommandError, match="of other data"):
            found(fit, changed)
    for same in (
        numbers.astype({"w": "float32"}),
        numbers.astype({"g": "float32"}),
        numbers.assign(w=0.3 * (numbers.w / 0.3)),
    ):
        assert found(fit, same.assign(at=at)) == list(frame["key"])
    single = numbers.astype({"w": "float32"})
    assert found(memagic.run("meglm w at || g:", data=single), numbers) == list(frame["key"])


def test_labels_that_occur_twice(frame: pd.DataFrame) -> None:
    grouped = frame.set_index(frame.g.str[:2].rename("part"))
    fit = memagic.run("melogit y x if z > 0 || g:, intpoints(3)", data=grouped)
    sample = list(frame["key"][frame.z > 0])
    assert found(fit, grouped.assign(w=1)) == sample
    # New rows after the others are none of the sample.
    assert found(fit, pd.concat([grouped, grouped.head(9)])) == sample
    within = grouped.assign(block=np.arange(200) // 10).sort_values(["block", "x"])
    assert within.index.equals(grouped.index)
    # As many rows, but some are others that have the same response.
    other = grouped.assign(x=0).iloc[[*range(199), int(np.flatnonzero(grouped.y == grouped.y.iloc[-1])[0])]]
    for changed in (within, grouped.sort_values("x"), grouped.head(100), other):
        with pytest.raises(CommandError) as caught:
            found(fit, changed)
        assert caught.value.rc == 322


def test_rows_added_twice(numbered: MEResults, frame: pd.DataFrame) -> None:
    """Appended without other labels, rows leave those that were there."""
    assert found(numbered, pd.concat([frame, frame.iloc[SHUFFLE]])) == list(frame["key"][frame.z > 0])


def test_an_index_of_other_labels(labelled: MEResults, frame: pd.DataFrame) -> None:
    for index in (pd.MultiIndex.from_arrays([frame.g, frame.key]), "s" + frame.key.astype(str)):
        with pytest.raises(CommandError, match="the last estimates are of other data") as caught:
            found(labelled, frame.set_index(index))
        assert caught.value.hint is not None
        assert caught.value.hint.startswith("no label of the index is one of the estimation sample's: ")


@pytest.mark.parametrize("own", ["text", "numbers from 1", "twice"])
def test_an_index_that_was_reset(frame: pd.DataFrame, own: str) -> None:
    """The rows are where they were, or they are not: the values tell."""
    labels = {"text": "r" + frame.key.astype(str), "numbers from 1": frame.key + 1, "twice": frame.g}[own]
    made = frame.set_index(pd.Index(labels, name="id"))
    fit = memagic.run(
        "melogit y x i.arm if z > 0 || g:, intpoints(3)", data=made.assign(g=frame.g.to_numpy())
    )
    for index in (pd.RangeIndex(200), pd.RangeIndex(1, 201)):
        assert found(fit, frame.set_index(index)) == list(frame["key"][frame.z > 0])
    with pytest.raises(CommandError) as caught:
        found(fit, frame.sort_values("x", ignore_index=True))
    assert caught.value.rc == 322
    with pytest.raises(CommandError):
        found(fit, frame.head(150).set_index(-1 - frame.key.head(150)))


def test_an_index_of_several_levels(frame: pd.DataFrame) -> None:
    deep = frame.set_index(pd.MultiIndex.from_arrays([frame.g, frame.key]))
    fit = memagic.run("melogit y x if z > 0", data=deep)
    assert found(fit, deep.sort_values("x")) == list(frame["key"][frame.z > 0])


def test_lags_are_those_of_the_panels(frame: pd.DataFrame) -> None:
    session = Session(frame.assign(t=frame.groupby("g").cumcount()))
    session.run("xtset g t")
    assert session.data is not None
    fit = session.run("meglm x L.z")
    assert isinstance(fit, MEResults)
    assert found(fit, session.data.sort_values("y")) == list(frame["key"][session.data.t > 0])


def test_those_that_are_gone(numbered: MEResults, frame: pd.DataFrame) -> None:
    design, command = numbered.estimates.design, numbered.estimates.command
    at = whole_sample(design, command, frame)
    np.testing.assert_array_equal(at, np.flatnonzero(frame.z > 0))
    assert gone_note(at) == ()
    first = frame.drop(index=[int(at[0])])
    with pytest.raises(CommandError, match="have changed since estimation") as caught:
        whole_sample(design, command, first)
    assert caught.value.rc == 322
    (note,) = gone_note(sample_rows(design, command, first))
    assert note == f"(1 of the {len(at)} observations of the estimation sample is not in the data)"


def test_results_from_a_file(labelled: MEResults, frame: pd.DataFrame, tmp_path) -> None:  # type: ignore[no-untyped-def]
    labelled.save(tmp_path / "with")
    kept = memagic.load(tmp_path / "with")
    assert found(kept, named(frame).sort_values("x")) == list(frame["key"][frame.z > 0])
    labelled.save(tmp_path / "without", remove_data=True)
    with pytest.raises(CommandError, match="the estimation sample is not there") as caught:
        found(memagic.load(tmp_path / "without"), named(frame))
    assert caught.value.rc == 322


def test_orders_of_two_samples(numbered: MEResults, labelled: MEResults, frame: pd.DataFrame) -> None:
    ordered = frame.sort_values("x")
    other = memagic.run("melogit y x if z > 0 || g:, intpoints(3)", data=ordered).estimates.design
    design = numbered.estimates.design
    at = by_labels(design, other)
    assert at is not None
    np.testing.assert_array_equal(design.y, other.y[at])
    np.testing.assert_array_equal(design.covariates["x"], other.covariates["x"][at])
    assert by_labels(design, labelled.estimates.design) is None
    assert same_order(design, labelled.estimates.design)
    assert not same_order(design, other)
    # The same response in order, and other groups: sorted by y, the order shows in the groups alone.
    by_y = frame.sort_values("y")
    first, second = (
        memagic.run("melogit y || g:, intpoints(3)", data=data).estimates.design
        for data in (by_y, by_y.sort_values(["y", "x"]))
    )
    np.testing.assert_array_equal(first.y, second.y)
    assert not same_order(first, second)
