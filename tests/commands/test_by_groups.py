"""Commands with prefixes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError, Session
from memagic.commands.by_groups import ByGroups
from memagic.results import MEResults

FIT = "melogit y x || g:"


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(9)
    data = pd.DataFrame({"g": np.arange(240) // 8, "x": rng.normal(size=240)})
    data["region"] = np.where(data["g"] < 12, "north", "south")
    data["year"] = np.where(data["g"] % 2, 2001.0, 2000.0)
    data["y"] = rng.binomial(1, 1.0 / (1.0 + np.exp(-data["x"] - rng.normal(size=30)[data["g"]])))
    return data


def test_by_is_a_condition_for_each_group() -> None:
    data = frame()
    session = Session(data)
    found = session.run(f"by region: {FIT}")
    assert isinstance(found, ByGroups)
    assert list(found) == ["north", "south"]
    for region, result in found.items():
        alone = memagic.run(f'melogit y x if region == "{region}" || g:', data)
        assert result.params.equals(alone.params)
    assert session.last is found["south"]
    text = str(found)
    assert text.count("Mixed-effects logistic regression") == 2
    assert text.index("-> region = north") < text.index("-> region = south")
    assert "<h4>region = south</h4>" in found.to_html()


def test_bysort_sorts_and_by_does_not() -> None:
    data = frame()
    session = Session(data)
    with pytest.raises(CommandError) as raised:
        session.run(f"by year: {FIT}")
    assert (raised.value.rc, raised.value.message) == (5, "not sorted")
    assert raised.value.hint == "type bysort year: in place of by year:"
    found = session.run(f"bysort region year: {FIT}")
    assert isinstance(found, ByGroups)
    assert list(found) == [("north", 2000.0), ("north", 2001.0), ("south", 2000.0), ("south", 2001.0)]
    assert "-> region = north, year = 2000" in str(found)
    sizes = data.groupby(["region", "year"]).size()
    assert [result.nobs for result in found.values()] == list(sizes)
    assert data.equals(frame())


def test_row_numbers_count_within_the_group() -> None:
    found = Session(frame()).run("bysort region: melogit y x if _n > 16 || g:")
    assert isinstance(found, ByGroups)
    assert [result.nobs for result in found.values()] == [12 * 8 - 16, 18 * 8 - 16]


def test_missing_values_are_the_last_group() -> None:
    data = frame().assign(year=lambda f: f["year"].where(f["g"] > 5))
    found = Session(data).run(f"bysort year: {FIT}")
    assert isinstance(found, ByGroups)
    assert str(found).count("-> year = .\n") == 1
    assert len(found) == 3


def test_a_group_that_fails() -> None:
    data = frame()
    data.loc[data["region"] == "north", "x"] = 1.0
    data.loc[data["region"] == "north", "y"] = 1
    session = Session(data)
    before = session.run(f"{FIT.replace(' ||', ' if g > 20 ||')}")
    with pytest.raises(CommandError) as raised:
        session.run(f"by region: {FIT}")
    assert raised.value.rc == 2000
    assert raised.value.hint == "it happened where region = north; with by varlist, rc0: others go on"
    assert session.last is before
    found = session.run(f"by region, rc0: {FIT}")
    assert isinstance(found, ByGroups)
    assert isinstance(found["north"], CommandError)
    assert isinstance(found["south"], MEResults)
    assert "outcome does not vary" in str(found)


def test_the_last_estimates_stay_where_a_later_group_fails() -> None:
    data = frame()
    data.loc[data["region"] == "south", "y"] = 1
    session = Session(data)
    before = session.run(f"{FIT.replace(' ||', ' if g < 12 ||')}")
    with pytest.raises(CommandError) as raised:
        session.run(f"by region: {FIT}")
    assert raised.value.hint is not None
    assert "region = south" in raised.value.hint
    assert session.last is before


def test_capture_keeps_the_return_code() -> None:
    session = Session(frame())
    assert session.run("capture melogit z x || g:") is None
    assert session.rc == 111
    shown = session.run("capture noisily melogit z x || g:")
    assert str(shown).split("\n") == [
        "capture noisily melogit z x || g:",
        "                        ^",
        "variable z not found",
        "r(111);",
    ]
    assert isinstance(session.run(f"capture {FIT}"), MEResults)
    assert session.rc == 0


def test_quietly_streams_nothing() -> None:
    session = Session(frame())
    lines: list[str] = []
    session.run(f"quietly {FIT}", stream=lines.append)
    assert lines == []
    assert session.last is not None
    assert session.last.e["cmdline"] == FIT
    session.run(f"quietly noisily {FIT}", stream=lines.append)
    assert lines


def test_an_error_points_into_the_text_with_its_prefixes() -> None:
    text = "quietly by region: melogit y zz || g:"
    with pytest.raises(CommandError) as raised:
        Session(frame()).run(text)
    assert raised.value.text == text
    assert raised.value.span is not None
    assert text[slice(*raised.value.span)] == "zz"


def test_by_is_for_estimation() -> None:
    session = Session(frame())
    session.run(FIT)
    for text in ("by region: melogit, or", "by region: quadchk"):
        with pytest.raises(CommandError, match="may not be combined with by") as raised:
            session.run(text)
        assert raised.value.span is not None
        assert text[slice(*raised.value.span)] == text.split(": ")[1].split(",")[0]
    with pytest.raises(CommandError, match="invalid syntax") as raised:
        session.run("by region: : melogit y x || g:")
    assert raised.value.span == (11, 12)
