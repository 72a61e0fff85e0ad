"""marginsplot: what is drawn is what was computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from memagic import CommandError, Session
from memagic.plots.margins import Look, draw_margins, draw_panels
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
    ax = draw_margins(found, look=Look(intervals=False))
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
    ax = draw_margins(found, look=Look(horizontal=True))
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
    for text in ("marginsplot age", "marginsplot, xdim(z)", "marginsplot, recast(pie)"):
        with pytest.raises(CommandError):
            session.run(text)


def test_every_option(shared_data: Callable[[str], pd.DataFrame], fit: MEResults) -> None:
    from matplotlib import pyplot

    session = Session(data=shared_data("bangladesh"))
    session.stored["r"] = fit
    session.run("estimates restore r")
    session.run("margins urban#children, at(age=(-10 0 10))")
    found = fit.margins("urban#children, at(age=(-10 0 10)) level(80)")

    def drawn(options: str) -> Any:
        return session.run(f"marginsplot, {options}")

    panels = drawn("bydimension(children) plotdimension(urban)")
    assert [ax.get_title(loc="left") for ax in panels] == [
        "None",
        "1 child",
        "2 children",
        "3 or more children",
    ]
    lines = [line for line in panels[1].get_lines() if line.get_label() == "urban"]
    np.testing.assert_allclose(lines[0].get_ydata(), found.b[5::8])
    assert panels[0].figure.get_suptitle() == "Adjusted predictions with 95% CIs"
    assert drawn("plotdimension(children urban)").get_legend().get_title().get_text() == "children, urban"
    ax = drawn('level(80) title("As it is") nolabels')
    tops = [s[:, 1].max() for c in ax.collections for s in c.get_segments()]
    np.testing.assert_allclose(sorted(tops), sorted(found.upper))
    assert ax.get_title(loc="left") == "As it is"
    assert [text.get_text() for text in ax.get_legend().get_texts()][:2] == ["0, 0", "0, 1"]
    bars = drawn("recast(bar) noci")
    np.testing.assert_allclose(sorted(p.get_height() for p in bars.patches), sorted(found.b))
    assert all(line.get_linestyle() == "None" for line in drawn("recast(scatter) noci").get_lines())
    assert all(line.get_marker() == "" for line in drawn("recast(line) noci").get_lines())
    assert len(drawn("recastci(rarea)").collections) == 8
    assert len(drawn("recastci(rline)").get_lines()) == 24
    drawn("name(one)")
    assert "one" in pyplot.get_figlabels()
    drawn("name(one, replace)")
    assert pyplot.get_figlabels().count("one") == 1
    with pytest.raises(CommandError) as error:
        drawn("name(one)")
    assert error.value.rc == 110
    session.run("margins, at(age=(-14(1)14))")
    assert len(drawn("").get_xticks()) < 29
    assert len(drawn("allxlabels").get_xticks()) == 29
    for options in (
        "bydimension(age) xdim(age)",
        "noci level(90)",
        "noci recastci(rarea)",
        "bydim(z)",
        "name(1)",
        "recast(connected dot)",
    ):
        with pytest.raises(CommandError):
            drawn(options)
    session.run("margins r.urban")
    with pytest.raises(CommandError):
        drawn("")


def test_panels_share_their_axes(fit: MEResults) -> None:
    axes = draw_panels(fit.margins("urban, at(age=(-10 0 10))"), ["urban"], look=Look(horizontal=True))
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert len(axes) == 2
