"""Time-series operators, against pandas on data with gaps and panels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memagic.data.design import make_design
from memagic.data.panel import describe
from memagic.data.resolve import resolve
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.parser import parse_command
from memagic.spec.tree import TimeSettings

FIRM = TimeSettings("year", "firm")


def panel_frame(seed: int = 2) -> pd.DataFrame:
    """Firms over years, some years missing, in no order."""
    rng = np.random.default_rng(seed)
    full = pd.MultiIndex.from_product([["b", "a", "c"], range(2000, 2015)], names=["firm", "year"])
    frame = full.to_frame(index=False)
    frame["x"] = rng.normal(size=len(frame))
    frame["y"] = rng.normal(size=len(frame))
    frame["h"] = rng.integers(1, 4, size=len(frame))
    frame.loc[rng.choice(len(frame), 4, replace=False), "x"] = np.nan
    kept = rng.permutation(len(frame))[: len(frame) - 10]
    return frame.iloc[kept].reset_index(drop=True)


def by_pandas(frame: pd.DataFrame, name: str, shift: int) -> np.ndarray:
    """`shift` periods before, by the full grid of firms and years."""
    grid = frame.set_index(["firm", "year"])[name].unstack()
    grid = grid.reindex(columns=range(int(grid.columns.min()) - 50, int(grid.columns.max()) + 51))
    moved = grid.shift(shift, axis=1)
    keys = zip(frame["firm"], frame["year"], strict=True)
    return np.array([moved.loc[firm, year] for firm, year in keys])


@pytest.mark.parametrize("lag", [1, 2, 14, 15, 40, -1, -3, -20])
def test_lags_and_leads(lag: int) -> None:
    frame = panel_frame()
    name = f"L{lag}.x" if lag > 0 else f"F{-lag}.x"
    found = Variables(frame, FIRM).numbers(name.replace("L1.", "L.").replace("F1.", "F."))
    np.testing.assert_array_equal(found, by_pandas(frame, "x", lag))
    assert np.isfinite(found).any() == (abs(lag) < 15)


def test_differences() -> None:
    frame = panel_frame()
    variables = Variables(frame, FIRM)
    before, second = by_pandas(frame, "x", 1), by_pandas(frame, "x", 2)
    x = frame["x"].to_numpy()
    np.testing.assert_allclose(variables.numbers("D.x"), x - before)
    np.testing.assert_allclose(variables.numbers("D2.x"), x - 2 * before + second)
    np.testing.assert_allclose(variables.numbers("S2.x"), x - second)
    np.testing.assert_allclose(variables.numbers("LD.x"), before - second)
    seasonal = x - by_pandas(frame, "x", 3)
    frame["s"] = seasonal
    expected = seasonal - by_pandas(frame, "s", 1)
    np.testing.assert_allclose(variables.numbers("DS3.x"), expected)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-6, 6)), unique=True, min_size=1), st.integers(-8, 8)
)
def test_any_panels(cells: list[tuple[int, int]], lag: int) -> None:
    """By looking each one up."""
    frame = pd.DataFrame(cells, columns=["firm", "year"])
    frame["x"] = np.arange(len(frame)) ** 2.0
    of = dict(zip(cells, frame["x"], strict=True))
    expected = [of.get((firm, year - lag), np.nan) for firm, year in cells]
    operator = f"L{lag if lag > 1 else ''}." if lag > 0 else f"F{-lag if lag < -1 else ''}." if lag else ""
    np.testing.assert_array_equal(Variables(frame, FIRM).numbers(f"{operator}x"), expected)


def test_one_series_and_its_unit() -> None:
    frame = pd.DataFrame({"t": [10.0, 14.0, 12.0, 18.0], "x": [1.0, 3.0, 2.0, 5.0]})
    variables = Variables(frame, TimeSettings("t", delta=2.0))
    np.testing.assert_array_equal(variables.numbers("L.x"), [np.nan, 2, 1, np.nan])
    tenths = frame.assign(t=[0.1, 0.3, 0.2, 0.4])
    np.testing.assert_array_equal(
        Variables(tenths, TimeSettings("t", delta=0.1)).numbers("L.x"), [np.nan, 2, 1, 3]
    )


def test_rows_without_time_have_no_past() -> None:
    frame = pd.DataFrame({"t": [1.0, np.nan, 2.0, np.nan], "x": [1.0, 2.0, 3.0, 4.0]})
    found = Variables(frame, TimeSettings("t")).numbers("L.x")
    np.testing.assert_array_equal(found, [np.nan, np.nan, 1, np.nan])
    with_firm = frame.assign(f=[1.0, 1.0, np.nan, 1.0])
    assert np.isnan(Variables(with_firm, TimeSettings("t", "f")).numbers("L.x")).all()


def test_design_is_that_of_columns_made_by_hand() -> None:
    frame = panel_frame()
    made = frame.assign(
        lx=by_pandas(frame, "x", 1), dx=frame["x"] - by_pandas(frame, "x", 1), lh=by_pandas(frame, "h", 1)
    )

    def design(text: str) -> np.ndarray:
        command = resolve(parse_command(f"meglm {text}"), made, time=FIRM)
        return np.column_stack([(found := make_design(command, made, None)).y, found.x])

    np.testing.assert_allclose(design("y L.x D.x iL.h"), design("y lx dx i.lh"))
    np.testing.assert_allclose(design("y c.x#cL.x iL.h#c.x"), design("y c.x#c.lx i.lh#c.x"))
    np.testing.assert_allclose(design("y 2L.h || firm: L.x"), design("y 2.lh || firm: lx"))
    # The past of a row does not depend on whether the rows before are in the sample.
    np.testing.assert_allclose(design("y L.x if year > 2005"), design("y lx if year > 2005"))
    changes = frame.assign(dy=frame["y"] - by_pandas(frame, "y", 1), ly=by_pandas(frame, "y", 1))
    found = resolve(parse_command("meglm D.y L.y"), changes, time=FIRM)
    by_hand = make_design(parse_command("meglm dy ly"), changes, None)
    np.testing.assert_allclose(make_design(found, changes, None).y, by_hand.y)
    np.testing.assert_allclose(make_design(found, changes, None).x, by_hand.x)


def test_names() -> None:
    frame = panel_frame()
    command = resolve(parse_command("meglm y L(0/2).x iL.h L.h#c.x c.x#cL2.x"), frame, time=FIRM)
    found = make_design(command, frame, None)
    names = "x L.x L2.x 2L.h 3L.h 2L.h#c.x 3L.h#c.x c.x#cL2.x _cons"
    assert [column.name for column in found.fixed] == names.split()
    stripes = "x L.x L2.x 1bL.h 2L.h 3L.h 1bL.h#co.x 2L.h#c.x 3L.h#c.x c.x#cL2.x _cons"
    assert [column.stripe for column in found.with_bases] == stripes.split()


@pytest.mark.parametrize(
    ("frame", "time", "rc", "message"),
    [
        ({"t": [1, 1]}, TimeSettings("t"), 451, "repeated time values in sample"),
        ({"t": [1, 1], "f": [2, 2]}, TimeSettings("t", "f"), 451, "repeated time values within panel"),
        ({"t": [1, 1.5]}, TimeSettings("t"), 451, "time variable must contain only integer values"),
        ({"t": [1, 2]}, TimeSettings("t", delta=2.0), 451, "time values with period less than delta() found"),
        ({"t": [1, 1e300]}, TimeSettings("t"), 451, "values of time variable t are too large"),
        ({"t": [1, np.inf]}, TimeSettings("t"), 451, "values of time variable t are too large"),
        ({"t": ["a", "b"]}, TimeSettings("t"), 109, "type mismatch: t is a string variable"),
        (
            {"t": pd.date_range("2020", periods=2)},
            TimeSettings("t"),
            109,
            "type mismatch: t is a date variable",
        ),
        ({"u": [1, 2]}, TimeSettings("t"), 111, "variable t not found"),
        ({"t": [1, 2]}, None, 111, "time variable not set"),
    ],
)
def test_errors(frame: dict[str, object], time: TimeSettings | None, rc: int, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        Variables(pd.DataFrame({**frame, "x": [1.0, 2.0]}), time).numbers("L.x", (4, 7))
    assert (caught.value.rc, caught.value.message, caught.value.span) == (rc, message, (4, 7))


@pytest.mark.parametrize(
    ("firm", "year", "balance", "gaps"),
    [
        ([1, 1, 2, 2], [1, 2, 1, 2], "strongly balanced", False),
        ([1, 1, 2, 2], [1, 2, 2, 3], "weakly balanced", False),
        ([1, 1, 2], [1, 2, 2], "unbalanced", False),
        ([1, 1, 2, 2], [1, 3, 1, 3], "strongly balanced", True),
    ],
)
def test_balance(firm: list[int], year: list[int], balance: str, gaps: bool) -> None:
    frame = pd.DataFrame({"firm": firm, "year": year})
    found = describe(FIRM, Variables(frame, FIRM).panel(), frame["year"].to_numpy(float))
    assert (found.balance, found.gaps, found.first, found.last) == (balance, gaps, min(year), max(year))


def test_a_frame_before_a_column_is_no_operator() -> None:
    """`df.x` is the difference's lead, where there is time."""
    with pytest.raises(CommandError) as caught:
        make_design(parse_command("meglm y df.x"), panel_frame(), None)
    assert caught.value.message == "time variable not set"
    assert caught.value.hint is not None
    assert caught.value.hint.endswith("type x")
    frame = panel_frame()
    np.testing.assert_allclose(
        Variables(frame, FIRM).numbers("FD.x"), by_pandas(frame, "x", -1) - frame["x"].to_numpy()
    )
