"""The estimation sample, the groups, and the types of columns a frame can have."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from memagic.data.design import Design, Grouping, make_design
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.parser import parse_command

N = 40


def base_frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "y": rng.integers(0, 4, size=N).astype(float),
            "x": rng.normal(size=N),
            "w": rng.normal(size=N),
            "g": np.repeat(np.arange(8), 5),
            "off": rng.normal(size=N),
            "expo": rng.uniform(1, 2, size=N),
            "trials": np.full(N, 4.0),
        }
    )


FRAME = base_frame()


def grouping(found: Design) -> Grouping:
    """The groups of the one level."""
    (level,) = found.levels
    return level.grouping


def effects(found: Design) -> np.ndarray:
    """The columns of the one level's random effects."""
    (level,) = found.levels
    return level.z


def design(text: str, frame: pd.DataFrame = FRAME, trials: float | str | None = None) -> Design:
    return make_design(parse_command(f"meglm {text}"), frame, trials)


# --- the estimation sample -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("y", "y x || g: w"),
        ("x", "y x || g: w"),
        ("w", "y x || g: w"),
        ("g", "y x || g: w"),
        ("off", "y x, offset(off) || g:"),
        ("expo", "y x, exposure(expo) || g:, family(poisson)"),
        ("trials", "y x || g:, family(binomial trials)"),
        ("x", "y c.x#c.w || g:"),
    ],
)
def test_missing_values_drop_rows(name: str, text: str) -> None:
    frame = base_frame()
    frame[name] = frame[name].astype(float)
    frame.loc[[0, 7, 39], name] = np.nan
    found = design(text, frame, "trials" if name == "trials" else None)
    expected = np.ones(N, dtype=bool)
    expected[[0, 7, 39]] = False
    np.testing.assert_array_equal(found.sample, expected)
    np.testing.assert_array_equal(found.y, frame["y"].to_numpy()[expected])
    assert len(found.x) == N - 3
    assert len(grouping(found).codes) == grouping(found).sizes.sum() == N - 3
    for array in (found.x, effects(found), found.offset, found.trials):
        assert array is None or not np.isnan(array).any()


def test_variables_that_are_not_used_do_not_matter() -> None:
    frame = base_frame().assign(other=np.nan, words="a")
    assert design("y x || g:", frame).sample.all()


def test_if_and_in() -> None:
    found = design("y x if g > 2 & x < . in 5/30")
    rows = np.arange(N)
    np.testing.assert_array_equal(found.sample, (FRAME["g"] > 2).to_numpy() & (rows >= 4) & (rows < 30))
    assert design("y x in -5/-1").sample.tolist() == [False] * 35 + [True] * 5
    assert design("y x in 3").sample.nonzero()[0].tolist() == [2]


def test_if_keeps_missing_values_as_large_numbers() -> None:
    frame = base_frame()
    frame.loc[3, "w"] = np.nan
    np.testing.assert_array_equal(
        design("y x if w > 0", frame).sample, ((frame["w"] > 0) | frame["w"].isna()).to_numpy()
    )


def test_groups_that_lose_all_rows_are_not_counted() -> None:
    found = design("y x if g != 3 & g != 0 || g:")
    assert grouping(found).sizes.tolist() == [5] * 6
    assert sorted(set(grouping(found).codes.tolist())) == list(range(6))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("y x if x > 100 || g:", "no observation satisfies if and in and has all variables"),
        ("y empty || g:", "empty is missing in every observation"),
        ("empty x || g:", "empty is missing in every observation"),
        ("y x || g: empty", "empty is missing in every observation"),
        ("y x || empty:", "empty is missing in every observation"),
        ("y x, offset(empty) || g:", "empty is missing in every observation"),
        ("y x, exposure(empty) || g:, family(poisson)", "empty is missing in every observation"),
        ("odd even", None),
    ],
)
def test_no_observations(text: str, hint: str | None) -> None:
    alternate = np.arange(N) % 2 == 0
    frame = base_frame().assign(empty=np.nan)
    frame = frame.assign(odd=frame["y"].where(alternate), even=frame["x"].where(~alternate))
    with pytest.raises(CommandError) as caught:
        design(text, frame)
    assert (caught.value.rc, caught.value.message) == (2000, "no observations")
    assert caught.value.hint == hint


def test_frame_without_rows() -> None:
    with pytest.raises(CommandError) as caught:
        design("y x || g:", FRAME.iloc[:0])
    assert caught.value.rc == 2000
    with pytest.raises(CommandError) as caught:
        design("y x in 1/3 || g:", FRAME.iloc[:0])
    assert caught.value.rc == 198


@pytest.mark.parametrize(
    "text", ["y bad", "bad x", "y x || g: bad", "y x, offset(bad)", "y x, exposure(bad) || g:, f(poisson)"]
)
def test_infinite_values(text: str) -> None:
    frame = base_frame().assign(bad=np.where(np.arange(N) == 4, np.inf, 1.0 + np.arange(N)))
    with pytest.raises(CommandError) as caught:
        design(text, frame)
    assert (caught.value.rc, caught.value.message) == (459, "variable bad has infinite values")
    assert caught.value.span is not None
    assert f"meglm {text}"[slice(*caught.value.span)] == "bad"


def test_infinite_values_out_of_the_sample_do_not_matter() -> None:
    """Whichever way the row is left out; an infinite value in `if` is a missing one, above all others."""
    bad = np.where(np.arange(N) == 4, np.inf, 1.0 + np.arange(N))
    frame = base_frame().assign(bad=bad)
    for text in ("y bad if _n != 5", "y bad if bad < .", "y x in 6/40, offset(bad)"):
        assert not design(text, frame).sample[4]
    frame.loc[4, "x"] = np.nan
    assert design("y bad x", frame).sample.sum() == N - 1


def test_infinite_values_of_objects() -> None:
    frame = base_frame().assign(bad=pd.Series([np.inf, *range(N - 1)], dtype=object))
    with pytest.raises(CommandError) as caught:
        design("y bad", frame)
    assert caught.value.rc == 459


def test_products_that_are_too_large() -> None:
    frame = base_frame().assign(huge=1e200 * (1 + np.arange(N)))
    with pytest.raises(CommandError) as caught:
        design("y c.huge##c.huge", frame)
    assert caught.value.rc == 459


@pytest.mark.parametrize("text", ["y c.big#c.big", "y x || g: c.big#c.big", "y c.big#c.big#c.big"])
def test_columns_that_are_too_large(text: str) -> None:
    """Their squares are infinite, though every variable is all right."""
    frame = base_frame().assign(big=1e120 * FRAME["w"])
    for binary in (False, True):
        with pytest.raises(CommandError) as caught:
            make_design(parse_command(f"meglm {text}"), frame, None, binary=binary)
        product = text.split()[-1]
        assert (caught.value.rc, caught.value.message) == (459, f"values of {product} are too large")
        assert caught.value.span is not None
        assert f"meglm {text}"[slice(*caught.value.span)] == product


# --- offset and exposure ---------------------------------------------------------------------


def test_offset_and_exposure() -> None:
    assert design("y x").offset is None
    np.testing.assert_array_equal(design("y x, offset(off)").offset, FRAME["off"])
    exposed = design("y x, exposure(expo) || g:, family(poisson)")
    np.testing.assert_allclose(exposed.offset, np.log(FRAME["expo"]))


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_exposure_is_positive(value: float) -> None:
    frame = base_frame()
    frame.loc[6, "expo"] = value
    with pytest.raises(CommandError) as caught:
        design("y x, exposure(expo) || g:, family(poisson)", frame)
    assert (caught.value.rc, caught.value.message) == (459, "exposure() must be greater than zero")
    assert caught.value.span == (20, 24)
    # What is not in the sample need not be.
    assert design("y x if expo > 0, exposure(expo) || g:, family(poisson)", frame).sample.sum() == N - 1


def test_offset_with_exposure() -> None:
    with pytest.raises(CommandError) as caught:
        design("y x, offset(off) exposure(expo) || g:, family(poisson)")
    assert caught.value.rc == 198


def test_trials() -> None:
    assert design("y x").trials == 1.0
    assert design("y x", trials=6.0).trials == 6.0
    np.testing.assert_array_equal(design("y x", trials="trials").trials, FRAME["trials"])


# --- random effects --------------------------------------------------------------------------


def test_effects_in_the_order_of_the_equation() -> None:
    found = design("y x || g: w x")
    assert [c.name for c in found.levels[0].columns] == ["w", "x", "_cons"]
    np.testing.assert_array_equal(effects(found), np.column_stack([FRAME["w"], FRAME["x"], np.ones(N)]))
    assert [c.name for c in design("y x || g: w, noconstant").levels[0].columns] == ["w"]
    assert design("y x").levels == ()


def test_one_group_of_all() -> None:
    found = design("y x || _all: w")
    assert (grouping(found).name, grouping(found).sizes.tolist()) == ("_all", [N])


def test_equation_without_effects() -> None:
    with pytest.raises(CommandError) as caught:
        design("y x || g:, noconstant")
    assert caught.value.rc == 198
    assert caught.value.message == "random-effects equation has no random effects"


def test_effect_that_touches_nothing() -> None:
    with pytest.raises(CommandError) as caught:
        design("y x || g: zero", base_frame().assign(zero=0.0))
    assert caught.value.rc == 459
    assert "zero" in caught.value.message


def test_groups_within_groups() -> None:
    """Lower groups are counted within the upper ones, so that their numbers may start again."""
    frame = base_frame().assign(sub=np.arange(N) % 5 // 2, words=np.where(np.arange(N) % 5 > 2, "a", "b"))
    upper, lower, lowest = design("y x || g: w || sub: || words: x, noconstant", frame).levels
    assert [level.grouping.path for level in (upper, lower, lowest)] == ["g", "g>sub", "g>sub>words"]
    assert upper.grouping.sizes.tolist() == [5] * 8
    assert lower.grouping.sizes.tolist() == [2, 2, 1] * 8
    assert lowest.grouping.sizes.tolist() == [2, 1, 1, 1] * 8
    np.testing.assert_array_equal(lower.grouping.codes, 3 * (np.arange(N) // 5) + np.arange(N) % 5 // 2)
    assert [[c.name for c in level.columns] for level in (upper, lower, lowest)] == [
        ["w", "_cons"],
        ["_cons"],
        ["x"],
    ]
    # The same groups with numbers of their own.
    distinct = frame.assign(sub=10 * frame["g"] + frame["sub"])
    again = design("y x || g: w || sub: || words: x, noconstant", distinct).levels
    for one, other in zip((upper, lower, lowest), again, strict=True):
        np.testing.assert_array_equal(one.grouping.codes, other.grouping.codes)


def test_missing_groups_of_any_level() -> None:
    sub = pd.Series(np.arange(N) % 2, dtype=float)
    sub.iloc[3] = np.nan
    found = design("y x || g: || sub:", base_frame().assign(sub=sub))
    assert found.sample.nonzero()[0].tolist() == [k for k in range(N) if k != 3]


def test_equations_of_one_level() -> None:
    """Only the last has an intercept, and their effects are independent."""
    (level,) = design("y x || g: w, covariance(identity) || g: x, covariance(unstructured)").levels
    assert [[c.name for c in equation.columns] for equation in level.equations] == [["w"], ["x", "_cons"]]
    assert [equation.covariance for equation in level.equations] == ["identity", "unstructured"]
    assert level.z.shape == (N, 3)


@pytest.mark.parametrize("text", ["g: x || g: x", "g: x || g: w x", "g: i.h || g: x 1.h"])
def test_effect_that_is_repeated(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        design(f"y x || {text}", base_frame().assign(h=np.arange(N) % 2))
    assert caught.value.rc == 198
    assert "has a random effect at level g twice" in caught.value.message
    assert caught.value.hint is not None
    assert caught.value.span is not None
    assert caught.value.span[1] == len(f"meglm y x || {text}")


@pytest.mark.parametrize(
    ("text", "where"),
    [("y y", "covariates"), ("y x c.y#c.w", "covariates"), ("y x || g: y", "random effects")],
)
def test_response_among_the_covariates(text: str, where: str) -> None:
    with pytest.raises(CommandError) as caught:
        design(text)
    assert (caught.value.rc, caught.value.message) == (198, f"depvar y may not be among the {where}")
    assert caught.value.span is not None
    assert f"meglm {text}"[slice(*caught.value.span)].endswith("y")


def test_level_that_comes_back() -> None:
    with pytest.raises(CommandError) as caught:
        design("y x || g: || off: || g: w")
    assert caught.value.rc == 198
    assert caught.value.span == (27, 28)


GROUPS: dict[str, pd.Series] = {
    "int64": pd.Series(np.repeat(np.arange(8), 5)),
    "negative": pd.Series(np.repeat(np.arange(8), 5) - 100),
    # Differences of int8 values that int8 does not hold.
    "int8": pd.Series(np.repeat([-100, -90, -10, 0, 5, 45, 60, 100], 5), dtype="int8"),
    "int16": pd.Series(np.repeat([-600, -90, -3, 0, 5, 60, 100, 500], 5), dtype="int16"),
    "uint8": pd.Series(np.repeat([0, 1, 2, 3, 200, 220, 254, 255], 5), dtype="uint8"),
    "uint64 far apart": pd.Series(np.array([0, 1, 2, 3, 4, 5, 2**63, 2**64 - 1], dtype="uint64").repeat(5)),
    "extreme int64": pd.Series(np.array([-(2**63), -1, 0, 1, 2, 3, 4, 2**63 - 1]).repeat(5)),
    "uint64": pd.Series(np.repeat(np.arange(8, dtype="uint64") + np.uint64(2**63), 5)),
    "far apart": pd.Series(np.repeat([-(10**15), -5, 0, 1, 2, 3, 10**9, 10**18], 5)),
    "float": pd.Series(np.repeat(np.arange(8) / 3.0, 5)),
    "object strings": pd.Series(np.repeat(list("abcdefgh"), 5), dtype=object),
    "strings": pd.Series(np.repeat(list("abcdefgh"), 5), dtype="string"),
    "categorical": pd.Series(pd.Categorical(np.repeat(list("hgfedcba"), 5), categories=list("hgfedcba"))),
    "unused categories": pd.Series(
        pd.Categorical(np.repeat(list("abcdefgh"), 5), categories=list("0a1b2c3d4e5f6g7h8"))
    ),
    "Int64": pd.Series(np.repeat(np.arange(8), 5), dtype="Int64"),
    "Float64": pd.Series(np.repeat(np.arange(8) / 4, 5), dtype="Float64"),
    "dates": pd.Series(np.repeat(pd.date_range("2020-01-01", periods=8), 5)),
    "object numbers": pd.Series(np.repeat(np.arange(8), 5), dtype=object),
}


@pytest.mark.parametrize("kind", GROUPS)
@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_groups_of_every_type(kind: str, order: str) -> None:
    rows = np.arange(N) if order == "sorted" else np.random.default_rng(2).permutation(N)
    frame = base_frame().assign(g=GROUPS[kind]).iloc[rows]
    found = design("y x || g:", frame)
    codes = grouping(found).codes
    assert grouping(found).sizes.tolist() == [5] * 8
    np.testing.assert_array_equal(np.bincount(codes), [5] * 8)
    # Equal codes for equal values and only for them, in the order of the values.
    np.testing.assert_array_equal(codes, np.repeat(np.arange(8), 5)[rows])


@pytest.mark.parametrize("values", [[[1], [2]], [1, (1, 2)], [{}, {}]])
def test_groups_of_other_objects(values: list[object]) -> None:
    """What has no order or cannot be compared is no group variable; that is an error with its place."""
    column = pd.Series([values[k % 2] for k in range(N)], dtype=object)
    with pytest.raises(CommandError) as caught:
        design("y x || g:", base_frame().assign(g=column))
    assert (caught.value.rc, caught.value.span) == (109, (13, 14))


def test_groups_true_and_false() -> None:
    found = design("y x || g:", base_frame().assign(g=np.arange(N) >= 10))
    assert grouping(found).sizes.tolist() == [10, 30]


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("float", np.nan),
        ("object strings", None),
        ("object strings", ""),
        ("object strings", np.nan),
        ("strings", pd.NA),
        ("strings", ""),
        ("categorical", np.nan),
        ("Int64", pd.NA),
        ("Float64", pd.NA),
        ("dates", pd.NaT),
        ("object numbers", None),
    ],
)
def test_missing_groups(kind: str, missing: object) -> None:
    groups = GROUPS[kind].copy()
    groups.iloc[[0, 11, 12]] = missing
    found = design("y x || g:", base_frame().assign(g=groups))
    assert found.sample.nonzero()[0].tolist() == [k for k in range(N) if k not in (0, 11, 12)]
    assert grouping(found).sizes.tolist() == [4, 5, 3, 5, 5, 5, 5, 5]


def test_missing_groups_of_a_categorical_with_an_empty_category() -> None:
    """The empty string is the missing value of text, as a category too."""
    groups = pd.Series(pd.Categorical(["", *["a"] * 19, *["b"] * 20]))
    found = design("y x || g:", base_frame().assign(g=groups))
    assert grouping(found).sizes.tolist() == [19, 20]


# --- types of columns ------------------------------------------------------------------------

VALUES = np.tile([0, 1, 100, 120], N // 4)
COLUMNS: dict[str, pd.Series] = {
    "int8": pd.Series(VALUES, dtype="int8"),
    "uint8": pd.Series(VALUES, dtype="uint8"),
    "float32": pd.Series(VALUES, dtype="float32"),
    "Int8": pd.Series(VALUES, dtype="Int8"),
    "Int64": pd.Series(VALUES, dtype="Int64"),
    "Float64": pd.Series(VALUES, dtype="Float64"),
    "object": pd.Series(VALUES, dtype=object),
    "categorical": pd.Series(pd.Categorical(VALUES)),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_products_do_not_overflow(kind: str) -> None:
    found = design("y c.v##c.v i.v if x < . || g: v", base_frame().assign(v=COLUMNS[kind]))
    names = [c.name for c in found.fixed if c.state == "estimated"]
    np.testing.assert_array_equal(found.x[:, names.index("c.v#c.v")], VALUES.astype(float) ** 2)
    np.testing.assert_array_equal(found.x[:, names.index("v")], VALUES)
    np.testing.assert_array_equal(effects(found)[:, 0], VALUES)
    assert found.x.dtype == effects(found).dtype == found.y.dtype == np.float64


def test_float32_values_are_levels_of_a_factor() -> None:
    frame = base_frame().assign(v=COLUMNS["float32"])
    assert [c.name for c in design("y i.v", frame).fixed] == ["1.v", "100.v", "120.v", "_cons"]


@pytest.mark.parametrize("dtype", ["Int64", "Float64", object])
def test_missing_values_of_nullable_columns(dtype: str | type) -> None:
    column = pd.Series(VALUES, dtype=dtype)
    column.iloc[[1, 2]] = None if dtype is object else pd.NA
    found = design("y v", base_frame().assign(v=column))
    assert found.sample.nonzero()[0].tolist() == [0, *range(3, N)]


def test_missing_values_among_objects() -> None:
    column = pd.Series(VALUES, dtype=object)
    column.iloc[1], column.iloc[2], column.iloc[3] = pd.NA, None, np.nan
    assert design("y v", base_frame().assign(v=column)).sample.nonzero()[0].tolist() == [0, *range(4, N)]


@pytest.mark.parametrize("dtype", ["bool", "boolean", object])
def test_true_and_false(dtype: str | type) -> None:
    truth = np.arange(N) % 3 == 0
    frame = base_frame().assign(v=pd.Series(truth, dtype=dtype))
    np.testing.assert_array_equal(design("y v", frame).x[:, 0], truth.astype(float))
    assert [c.name for c in design("y i.v", frame).fixed] == ["1.v", "_cons"]
    np.testing.assert_array_equal(design("v x", frame).y, truth.astype(float))
    if dtype == "boolean":
        frame.loc[5, "v"] = pd.NA
        assert not design("y v", frame).sample[5]


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")
@pytest.mark.parametrize("dtype", ["int64[pyarrow]", "double[pyarrow]"])
def test_arrow_columns(dtype: str) -> None:
    column = pd.Series(VALUES).astype(dtype)
    column.iloc[1] = pd.NA
    found = design("y v || g:", base_frame().assign(v=column))
    assert found.sample.nonzero()[0].tolist() == [0, *range(2, N)]


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (pd.Series(pd.date_range("2020-01-01", periods=N)), "date"),
        (pd.Series(pd.date_range("2020-01-01", periods=N, tz="UTC")), "date"),
        (pd.Series(np.arange(N) * 1j), "complex"),
        # Neither is a string, and the ordinal numbers of months are nothing to regress on unasked.
        (pd.Series(pd.to_timedelta(np.arange(N), unit="s")), "duration"),
        (pd.Series(pd.period_range("2000-01", periods=N, freq="M")), "period"),
        (pd.Series(["a"] * N, dtype=object), "string"),
        (pd.Series(["a"] * N, dtype="string"), "string"),
    ],
)
def test_columns_that_are_no_numbers(values: pd.Series, what: str) -> None:
    with pytest.raises(CommandError) as caught:
        design("y v", base_frame().assign(v=values))
    assert (caught.value.rc, caught.value.span) == (109, (8, 9))
    assert what in caught.value.message


def test_columns_of_one_name() -> None:
    frame = pd.concat([base_frame(), FRAME[["x"]]], axis=1)
    with pytest.raises(CommandError) as caught:
        design("y x || g:", frame)
    twice = caught.value.rc
    with pytest.raises(CommandError) as caught:
        design("y w if x > 0 || g:", frame)
    # The same mistake, wherever it is found.
    assert caught.value.rc == twice
    assert design("y w || g:", frame).sample.all()


def test_names_that_are_no_text() -> None:
    frame = base_frame().assign(**{"zz": 1.0})
    frame.columns = pd.Index([*FRAME.columns, 2024])
    assert design("y x if w > 0 || g:", frame).sample.any()
    with pytest.raises(CommandError) as caught:
        design("y nothere || g:", frame)
    assert caught.value.rc == 111
    with pytest.raises(CommandError) as caught:
        design("y x if nothere || g:", frame)
    assert caught.value.rc == 111


def test_columns_with_two_levels_of_names() -> None:
    frame = pd.DataFrame({("y", "one"): [1.0, 2.0], ("y", "two"): [1.0, 2.0], ("x", ""): [1.0, 2.0]})
    with pytest.raises(CommandError):
        design("y x", frame)


INDEXES: dict[str, pd.Index] = {
    "text": pd.Index([f"row {k}" for k in range(N)]),
    "all equal": pd.Index([0] * N),
    "backwards": pd.RangeIndex(N, 0, -1),
    "two levels": pd.MultiIndex.from_arrays([np.arange(N) // 5, np.arange(N) % 5], names=["g", "x"]),
    "with missing values": pd.Index([np.nan, *range(N - 1)]),
    "dates": pd.date_range("2020-01-01", periods=N),
}


@pytest.mark.parametrize("kind", INDEXES)
def test_index_does_not_matter(kind: str) -> None:
    text = "y x i.g if w > -1 in 3/38, offset(off) || g: w"
    plain, other = design(text), design(text, base_frame().set_index(INDEXES[kind]))
    for name in ("sample", "y", "x", "offset"):
        np.testing.assert_array_equal(getattr(other, name), getattr(plain, name))
    np.testing.assert_array_equal(grouping(other).codes, grouping(plain).codes)
    np.testing.assert_array_equal(effects(other), effects(plain))


@pytest.mark.parametrize("kind", ["categorical", "strings", "object strings", "int64"])
def test_frame_is_not_changed(kind: str) -> None:
    frame = base_frame().assign(g=GROUPS[kind], v=COLUMNS["int8"], u=COLUMNS["categorical"])
    frame.loc[3, "x"] = np.nan
    frame.attrs["value_labels"] = {"v": {0: "none"}}
    before = frame.copy(deep=True)
    found = design("y x c.v##c.v i.u if w > -1, offset(off) || g: w", frame, "trials")
    for array in (found.y, found.x, effects(found), found.offset, found.trials, found.sample):
        assert isinstance(array, np.ndarray)
        array[:] = 0
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == before.attrs
    assert frame.index.equals(before.index)


def test_design_without_selection_does_not_share_memory_with_the_frame() -> None:
    frame = base_frame()
    found = design("y x, offset(off) || g: w", frame, "trials")
    for array in (found.y, found.offset, found.trials):
        assert isinstance(array, np.ndarray)
        for name in frame:
            assert not np.shares_memory(array, frame[name].to_numpy())


def test_numbers_are_read_once() -> None:
    variables = Variables(FRAME)
    assert variables.numbers("x") is variables.numbers("x")
