"""Tables of pandas, polars and Arrow, with every type of column: the same numbers, and no change to them."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic.data.frames import as_pandas, is_frame
from memagic.data.variables import Variables
from memagic.errors import CommandError

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

N = 60
_rng = np.random.default_rng(4)
BASE = pd.DataFrame(
    {
        "y": np.round(_rng.normal(size=N), 3),
        "x": np.round(_rng.normal(size=N), 3),
        "k": _rng.integers(1, 4, size=N),
        "flag": _rng.integers(0, 2, size=N).astype(bool),
        "word": np.array(["lo", "mid", "hi"])[_rng.integers(0, 3, size=N)],
        "id": np.repeat([f"school {j}" for j in range(10)], 6),
    }
)
GAPS = {"x": [3, 17], "k": [5], "flag": [9], "word": [20], "id": [31]}
COMMAND = "meglm y x i.k i.flag i.word || id:"
CATEGORIES = ["lo", "mid", "hi", "never"]


def columns() -> dict[str, list[Any]]:
    """Plain lists with None where values are missing."""
    found = {name: BASE[name].tolist() for name in BASE}
    for name, rows in GAPS.items():
        for row in rows:
            found[name][row] = None
    return found


def plain() -> pd.DataFrame:
    """Numpy's types: what is missing makes floats and objects."""
    frame = pd.DataFrame({name: pd.Series(values) for name, values in columns().items()})
    frame["flag"] = frame["flag"].astype(float)
    return frame.assign(word=pd.Categorical(frame["word"], categories=CATEGORIES))


def nullable() -> pd.DataFrame:
    types = {"y": "Float64", "x": "Float64", "k": "Int16", "flag": "boolean", "id": "string"}
    frame = pd.DataFrame({name: pd.array(columns()[name], dtype=dtype) for name, dtype in types.items()})
    word = pd.Categorical(columns()["word"], categories=CATEGORIES, ordered=True)
    return frame.assign(word=word)


def arrow_types() -> pd.DataFrame:
    types = {"y": "double", "x": "double", "k": "int8", "flag": "bool", "id": "string"}
    frame = pd.DataFrame(
        {name: pd.array(columns()[name], dtype=f"{dtype}[pyarrow]") for name, dtype in types.items()}
    )
    return frame.assign(word=pd.Categorical(columns()["word"], categories=CATEGORIES))


def polars_enum() -> Any:
    return pl.DataFrame(columns()).with_columns(pl.col("word").cast(pl.Enum(CATEGORIES)))


def arrow_table() -> Any:
    table = pa.table(columns())
    rank = {word: k for k, word in enumerate(CATEGORIES)}
    codes = pa.array([None if word is None else rank[word] for word in columns()["word"]], type=pa.int8())
    word = pa.DictionaryArray.from_arrays(codes, pa.array(CATEGORIES))
    return table.set_column(table.column_names.index("word"), "word", word)


TABLES: list[Callable[[], Any]] = [plain, nullable, arrow_types, polars_enum, arrow_table]


@pytest.fixture(scope="module")
def expected() -> memagic.MEResults:
    return memagic.run(COMMAND, data=plain())


@pytest.mark.parametrize("make", TABLES)
def test_same_estimates(make: Callable[[], Any], expected: memagic.MEResults) -> None:
    table = make()
    found = memagic.run(COMMAND, data=table)
    pd.testing.assert_series_equal(found.params, expected.params)
    pd.testing.assert_series_equal(found.bse, expected.bse)
    assert found.nobs == N - 6
    assert found.params.index[1:6].tolist() == ["2.k", "3.k", "1.flag", "2.word", "3.word"]
    # The category that no row has is no level, and the labels are the words.
    assert "never" not in found.to_text()
    assert "mid" in found.to_text()
    np.testing.assert_array_equal(found.e["sample"], expected.e["sample"])


@pytest.mark.parametrize("make", TABLES)
def test_tables_are_not_changed(make: Callable[[], Any]) -> None:
    table, same = make(), make()
    session = memagic.Session(table)
    session.run(COMMAND)
    if isinstance(table, pd.DataFrame):
        pd.testing.assert_frame_equal(table, same)
        assert table.attrs == {}
    else:
        assert table.equals(same)


@pytest.mark.parametrize("make", [polars_enum, arrow_table])
def test_every_door(make: Callable[[], Any], expected: memagic.MEResults) -> None:
    table = make()
    session = memagic.Session(table)
    assert session.source is table
    assert session.in_use is not None
    assert (session.in_use.rows, session.in_use.columns) == (N, 6)
    session.use(table)
    assert session.run(COMMAND).llf == expected.llf  # type: ignore[union-attr]
    assert memagic.Session().run(COMMAND, data=table).llf == expected.llf  # type: ignore[union-attr]
    assert memagic.meglm("y x i.k i.flag i.word || id:", table).llf == expected.llf


def test_types_of_columns() -> None:
    day, moment = dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3)
    table = pl.DataFrame(
        {
            "big": [2**60 + 1, None],
            "small": pl.Series([7, 8], dtype=pl.UInt8),
            "text": ["a", None],
            "day": [day, None],
            "moment": [moment, None],
            "length": [dt.timedelta(1), None],
            "exact": [Decimal("1.5"), None],
            "lists": [[1], None],
            "nothing": [None, None],
            "words": pl.Series(["u", None], dtype=pl.Categorical),
        }
    )
    for source in (table, table.to_arrow()):
        variables = Variables(as_pandas(source))
        # Identifiers that no double holds stay apart.
        assert variables.series("big")[0] == 2**60 + 1
        assert variables.groups("big").tolist() == [0, -1]
        assert variables.numbers("small").tolist() == [7, 8]
        assert variables.groups("text").tolist() == [0, -1]
        np.testing.assert_array_equal(variables.numbers("exact"), [1.5, np.nan])
        np.testing.assert_array_equal(variables.numbers("nothing"), [np.nan, np.nan])
        np.testing.assert_array_equal(variables.numbers("words"), [1, np.nan])
        assert variables.value_labels("words") == {1.0: "u"}
        for name, kind in (("day", "a date"), ("moment", "a date"), ("length", "a duration")):
            with pytest.raises(CommandError) as caught:
                variables.numbers(name)
            assert caught.value.message == f"type mismatch: {name} is {kind} variable"
        with pytest.raises(CommandError) as caught:
            variables.numbers("lists")
        assert caught.value.rc == 109


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: pl.DataFrame({"a": [1]}).lazy(), "collect() it first"),
        (lambda: {"a": [1]}, "give a DataFrame, an example's name, or a path to a .dta file"),
        (lambda: None, "give a DataFrame, an example's name, or a path to a .dta file"),
        (lambda: np.eye(2), "give a DataFrame, an example's name, or a path to a .dta file"),
    ],
)
def test_what_is_no_table(make: Callable[[], Any], hint: str) -> None:
    thing = make()
    assert not is_frame(thing)
    with pytest.raises(CommandError) as caught:
        as_pandas(thing)
    assert (caught.value.rc, caught.value.hint) == (109, hint)


def test_looking_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("polars", "pyarrow", "modin", "cudf"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "narwhals.stable.v2", None)
    assert not is_frame(object())
    assert is_frame(BASE)
