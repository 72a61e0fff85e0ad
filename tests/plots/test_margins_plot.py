"""marginsplot: what is drawn is what was computed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from memagic import CommandError, Session
from memagic.plots.margins import draw_margins
from memagic.postestimation.margins_dimensions import dimensions
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]


@pytest.fixture(scope="module")
def fit(fitted: Fitted) -> MEResults:
    return fitted("melogit c_use i.urban age i.children || district: i.urban", "bangladesh")


def test_lines_are_margins(fit: MEResults) -> None:
    found = fit.margins("urban, at(age=(-10 0 10))")
    ax = draw_margins(found)
    drawn = [line for line in ax.get_lines() if line.get_label() in ("rural", "urban")]
    assert [line.get_label() for line in drawn] == ["rural", "urban"]
    for k, line in enumerate(drawn):
        np.testing.assert_allclose(line.get_ydata(), found.b[k::2])
        np.testing.assert_allclose(line.get_xdata(), [-10, 0, 10], atol=0.5)
    assert ax.get_xlabel() == "age"
    assert ax.get_ylabel() == "Marginal predicted mean"
    assert ax.get_title(loc="left") == "Predictive margins with 95% CIs"
    assert ax.get_legend().get_title().get_text() == "urban"
    tops = [segment[:, 1].max() for c in ax.collections for segment in c.get_segments()]  # type: ignore[attr-defined]
    np.testing.assert_allclose(sorted(tops), sorted(found.upper))


def test_words_on_the_axis(fit: MEResults) -> None:
    found = fit.margins("children")
    ax = draw_margins(found, intervals=False)
    assert [text.get_text() for text in ax.get_xticklabels()] == [
        "None",
        "1 child",
        "2 children",
        "3 or more children",
    ]
    assert ax.get_legend() is None
    assert not ax.collections
    assert ax.get_title(loc="left") == "Predictive margins"


def test_effects_side_by_side(fit: MEResults) -> None:
    found = fit.margins(", dydx(age urban)")
    ax = draw_margins(found, horizontal=True)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["age", "urban: urban"]
    np.testing.assert_allclose(ax.get_lines()[0].get_xdata(), found.b)
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert ax.get_xlabel() == "Effects on marginal predicted mean"


def test_dimensions(fit: MEResults) -> None:
    def names(text: str) -> list[str]:
        return [one.name for one in dimensions(fit.margins(text))]

    assert names("urban#children, at(age=(0 1))") == ["age", "urban", "children"]
    assert names("urban, at(age=0)") == ["urban"]
    assert names(", at(age=0) at(urban=1)") == ["_at"]
    assert names(", at(age=(0 1) urban=1)") == ["age"]
    assert names("urban, predict(mu) predict(xb)") == ["urban", "_predict"]
    assert names("") == []
    draw_margins(fit.margins(""))


def test_the_axis_can_be_chosen(fit: MEResults) -> None:
    found = fit.margins("urban, at(age=(-10 0 10))")
    ax = draw_margins(found, xdimension="urban")
    assert ax.get_xlabel() == "urban"
    assert len(ax.get_legend().get_texts()) == 3
    with pytest.raises(CommandError) as error:
        draw_margins(found, xdimension="children")
    assert error.value.rc == 198


def test_the_command(shared_data: Callable[[str], pd.DataFrame], fit: MEResults) -> None:
    session = Session(data=shared_data("bangladesh"))
    with pytest.raises(CommandError) as error:
        session.run("marginsplot")
    assert error.value.rc == 301
    session.stored["r"] = fit
    session.run("estimates restore r")
    session.run("margins urban, at(age=(-10 0 10))")
    lines: list[str] = []
    ax = session.run("marginsplot, noci horizontal xdim(age)", stream=lines.append)
    assert lines == ["Variables that uniquely identify margins: age urban"]
    assert ax.get_ylabel() == "age"  # type: ignore[union-attr]
    for text in ("marginsplot age", "marginsplot, xdim(z)", "marginsplot, recast(line)"):
        with pytest.raises(CommandError):
            session.run(text)
