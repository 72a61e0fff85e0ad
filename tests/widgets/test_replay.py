"""The replay widget: its controls, the table they show, and the command that shows the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

import ipywidgets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memagic import Session
from memagic.engine import problem as engine_problem
from memagic.results import report as reports
from memagic.widgets.replay import ReplayExplorer

Sessions = Callable[[str], Session]

CHECKBOXES = ("bases", "labels", "intervals", "p_values", "header", "group", "legend")


def explorer(session: Session) -> ReplayExplorer:
    assert session.last is not None
    return session.last.explore(session.stored)


def shown(widget: ReplayExplorer) -> str:
    """What is in the live region."""
    match = re.fullmatch(r'<div aria-live="polite">(.*)</div>', widget.table.value, re.DOTALL)
    assert match is not None
    return match[1]


def typed(session: Session, widget: ReplayExplorer) -> str:
    """What the command shows that the widget tells to type."""
    assert widget.command.value.startswith("%")
    result: Any = session.run(widget.command.value[1:])
    return str(result.to_html())


@pytest.mark.parametrize("family", ["logit", "poisson", "ordinal"])
def test_the_table_and_the_command_agree(session_of: Sessions, family: str) -> None:
    session = session_of(family)
    fit = session.last
    assert fit is not None
    widget = explorer(session)
    scales = [scale for _, scale in widget.scale.options]
    others = [name for _, name in widget.other.options]

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        scale=st.sampled_from(scales),
        level=st.one_of(
            st.sampled_from([10.0, 95.0, 99.99]), st.floats(10.0, 99.99).map(lambda v: round(v, 4))
        ),
        ticks=st.tuples(*(st.booleans() for _ in CHECKBOXES)),
        other=st.sampled_from(others),
    )
    def agree(scale: str, level: float, ticks: tuple[bool, ...], other: str) -> None:
        widget.scale.value = scale
        widget.level.value = level
        for name, tick in zip(CHECKBOXES, ticks, strict=True):
            getattr(widget, name).value = tick
        widget.other.value = other
        assert typed(session, widget) == shown(widget)
        if not other:
            call = eval(widget.python.value, {"fit": fit})
            assert call.to_html() == shown(widget)

    agree()


def test_numbers_are_those_of_replay(session_of: Sessions) -> None:
    session = session_of("logit")
    fit = session.last
    assert fit is not None
    widget = explorer(session)
    assert shown(widget) == fit.replay().to_html()
    widget.scale.value = "or"
    widget.level.value = 83.4
    assert shown(widget) == fit.replay(or_=True, level=83.4).to_html()
    assert widget.command.value == "%melogit, or level(83.4)"
    assert "[83.4% conf. interval]" in shown(widget)
    for name in ("labels", "intervals", "p_values", "header"):
        getattr(widget, name).value = False
    widget.bases.value = True
    assert widget.command.value == ("%melogit, or level(83.4) baselevels noheader nofvlabel noci nopvalues")
    assert widget.python.value == (
        "fit.replay(or_=True, level=83.4, baselevels=True, noheader=True, nofvlabel=True, noci=True,"
        " nopvalues=True)"
    )
    assert "(base)" in shown(widget)
    assert "conf. interval" not in shown(widget)


def test_beside_another_result(session_of: Sessions) -> None:
    session = session_of("poisson")
    widget = explorer(session)
    assert [name for _, name in widget.other.options] == ["", "null"]
    widget.scale.value = "irr"
    widget.other.value = "null"
    assert widget.command.value == "%estimates table . null, se stats(ll N) eform"
    assert widget.level.disabled
    assert widget.header.disabled
    assert not widget.scale.disabled
    for words in ("Fixed part", "Random part", "Active", "null", "Legend: b/se", ">ll<", ">N<"):
        assert words in shown(widget)
    widget.other.value = ""
    assert not widget.level.disabled
    assert widget.command.value == "%mepoisson, irr"


def test_a_stored_result_goes_by_its_name(session_of: Sessions) -> None:
    session = session_of("logit")
    assert session.last is not None
    widget = session.last.explore({"mine": session.last, **session.stored})
    assert [name for _, name in widget.other.options] == ["", "null"]
    widget.other.value = "null"
    assert widget.command.value == "%estimates table mine null, se stats(ll N)"


@pytest.mark.parametrize(
    ("family", "scales"),
    [
        ("logit", ["", "or", "eform"]),
        ("ordinal", ["", "or", "eform"]),
        ("poisson", ["", "irr", "eform"]),
        ("probit", ["", "eform"]),
        ("linear", ["", "eform"]),
    ],
)
def test_scales_of_the_model(session_of: Sessions, family: str, scales: list[str]) -> None:
    assert [scale for _, scale in explorer(session_of(family)).scale.options] == scales


def test_nothing_is_evaluated_again(session_of: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of("logit")
    widget = explorer(session)

    def refuse(*args: object, **options: object) -> NoReturn:
        raise AssertionError("a likelihood was evaluated, or all observations were looked at")

    monkeypatch.setattr("memagic.engine.fit.fit", refuse)
    monkeypatch.setattr("memagic.commands.estimate.fit", refuse)
    monkeypatch.setattr(engine_problem.Problem, "unpack", refuse)
    monkeypatch.setattr(reports, "diagnose", refuse)
    before = shown(widget)
    for scale in ("or", "eform", ""):
        widget.scale.value = scale
        widget.other.value = "null"
        widget.other.value = ""
        for name in CHECKBOXES:
            box = getattr(widget, name)
            box.value = not box.value
            box.value = not box.value
    assert shown(widget) == before


def test_the_slider_and_the_number(session_of: Sessions) -> None:
    widget = explorer(session_of("logit"))
    stops = [value for _, value in widget.slider.options]
    assert (stops[0], stops[-1]) == (10.0, 99.99)
    assert stops == sorted(stops)
    widget.slider.value = 80.0
    assert widget.level.value == 80.0
    assert widget.command.value == "%melogit, level(80)"
    widget.level.value = 99.4
    assert widget.slider.value == 99.5
    assert widget.level.value == 99.4
    assert widget.command.value == "%melogit, level(99.4)"
    widget.slider.value = 99.9
    assert widget.level.value == 99.9
    # Out of range is brought into it.
    widget.level.value = 100.0
    assert widget.level.value == 99.99


def test_what_would_change_nothing_is_disabled(session_of: Sessions) -> None:
    widget = explorer(session_of("probit"))
    assert widget.bases.disabled
    assert widget.labels.disabled
    widget.header.value = False
    assert widget.group.disabled
    widget.intervals.value = False
    assert widget.level.disabled
    assert widget.slider.disabled
    widget.intervals.value = True
    assert not widget.level.disabled
    widget.legend.value = True
    assert widget.p_values.disabled
    assert widget.level.disabled
    labelled = explorer(session_of("logit"))
    assert not labelled.bases.disabled
    assert not labelled.labels.disabled
    # Base levels of `sex`, but no labels.
    assert explorer(session_of("ordinal")).labels.disabled


def test_what_is_typed_into_the_texts_is_put_back(session_of: Sessions) -> None:
    widget = explorer(session_of("logit"))
    command, python = widget.command.value, widget.python.value
    widget.command.value = "something"
    widget.python.value = ""
    assert (widget.command.value, widget.python.value) == (command, python)


def test_options_that_have_no_control_stay(session_of: Sessions) -> None:
    session = session_of("logit")
    replayed: Any = session.run("melogit, nocnsreport level(90) widget")
    widget = replayed._live()
    widget.p_values.value = False
    assert widget.command.value == "%melogit, level(90) nocnsreport nopvalues"
    assert typed(session, widget) == shown(widget)


def test_static_form_is_the_table_as_first_asked_for(session_of: Sessions) -> None:
    session = session_of("logit")
    replayed: Any = session.run("melogit, or level(90) widget")
    bundle = replayed._repr_mimebundle_()
    same: Any = session.run("melogit, or level(90)")
    assert bundle["text/html"] == same.to_html()
    assert bundle["text/plain"] == same.to_text() == str(replayed)
    assert "application/vnd.jupyter.widget-view+json" in bundle
    widget = replayed._live()
    widget.scale.value = ""
    assert widget._repr_mimebundle_()["text/html"] == same.to_html()


def test_an_estimation_with_widget(session_of: Sessions) -> None:
    session = session_of("linear")
    plain = session.last
    assert plain is not None
    fit: Any = Session(session.data).run("meglm y x || g:, intmethod(laplace) widget")
    bundle = fit._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == plain.to_html()
    assert str(fit) == str(plain)
    assert set(plain._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_starting_values(frame: Any) -> None:
    session = Session(frame)
    fit: Any = session.run("melogit win x || g:, noestimate")
    widget = fit.explore()
    assert widget.level.disabled
    assert shown(widget) == fit.replay().to_html()


def test_controls_say_what_they_are(session_of: Sessions) -> None:
    widget = explorer(session_of("logit"))
    controls = [control for row in widget.children[:-1] for control in row.children]
    assert len(controls) == 13
    assert all(control.tooltip for control in controls)
    assert all(control.description for control in controls)
    assert all(isinstance(control, ipywidgets.DOMWidget) and control.tabbable is None for control in controls)
