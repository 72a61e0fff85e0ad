"""Commands with prefixes."""

from __future__ import annotations

import pickle
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError, Session
from memagic.commands import estimate
from memagic.commands.by_groups import ByGroups
from memagic.commands.estimate import fit_with_log
from memagic.engine.start import NotFeasible
from memagic.errors import Break
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


@pytest.mark.slow
def test_groups_in_other_processes_are_those_of_this_one(processes: Executor) -> None:
    here: list[str] = []
    there: list[str] = []
    session = Session(frame(), executor=processes)
    found = session.run(f"bysort region year: {FIT}", stream=there.append)
    expected = Session(frame()).run(f"bysort region year: {FIT}", stream=here.append)
    assert str(found) == str(expected)
    assert there == here
    assert isinstance(found, ByGroups)
    assert session.last is found["south", 2001.0]
    for key, result in found.items():
        assert isinstance(expected, ByGroups)
        np.testing.assert_array_equal(result.params, expected[key].params)


def failing() -> pd.DataFrame:
    """Data whose second group has one outcome only."""
    data = frame()
    data["half"] = data["g"] % 3
    data.loc[data["half"] == 1, "y"] = 1
    return data


def test_a_group_that_fails_there_is_the_error_here() -> None:
    with ThreadPoolExecutor(2) as pool:
        session = Session(failing(), executor=pool)
        with pytest.raises(CommandError, match="outcome does not vary") as raised:
            session.run(f"bysort half: {FIT}")
        assert raised.value.hint == "it happened where half = 1; with by varlist, rc0: others go on"
        assert session.last is None
        found = session.run(f"bysort half, rc0: {FIT}")
    assert isinstance(found, ByGroups)
    assert isinstance(found[1], CommandError)
    assert str(found) == str(Session(failing()).run(f"bysort half, rc0: {FIT}"))


def test_an_error_of_a_fit_comes_back_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def hopeless(*arguments: object) -> NoReturn:
        raise NotFeasible

    monkeypatch.setattr(estimate, "fit", hopeless)
    errors = []
    with ThreadPoolExecutor(2) as pool:
        for executor in (None, pool):
            with pytest.raises(CommandError) as raised:
                Session(frame(), executor=executor).run(f"by region: {FIT}")
            errors.append(raised.value.lines())
    assert errors[1] == errors[0]
    assert errors[0][0] == "initial values not feasible"


def test_errors_travel_with_all_they_know() -> None:
    error = CommandError(111, "variable x not found", span=(8, 9), hint="did you mean z?", text="melogit x")
    assert pickle.loads(pickle.dumps(error)).lines() == error.lines()
    broken = pickle.loads(pickle.dumps(Break(so_far="this", hint="go on")))
    assert (broken.rc, broken.so_far, broken.hint) == (1, "this", "go on")


def test_what_depends_on_the_group_before_stays_here() -> None:
    sent: list[object] = []

    class Recorded(ThreadPoolExecutor):
        def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
            sent.append(function)
            return super().submit(function, *args, **kwargs)

    text = "bysort region: melogit y x if x < 1 + _b[x] || g:"
    expected = Session(frame())
    expected.run(FIT)
    with Recorded(2) as pool:
        session = Session(frame(), executor=pool)
        session.run(FIT)
        assert str(session.run(text)) == str(expected.run(text))
        assert sent == []
        session.run(f"by region: {FIT}")
    assert sent == [fit_with_log] * 2
