"""The integrand view, driven from Python as a page would drive it."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

import memagic
from memagic import CommandError
from memagic.postestimation.integrand import METHODS, group_integrand, groups_of
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]
COMMAND = "melogit c_use age || district:"


def drawing(html: str) -> ElementTree.Element:
    match = re.search(r"<svg.*</svg>", html, re.DOTALL)
    assert match is not None
    return ElementTree.fromstring(match[0])


def test_groups_sum_to_the_log_likelihood_of_the_fit(fitted: Fitted) -> None:
    fit = fitted(COMMAND, "bangladesh")
    groups = groups_of(fit.estimates)
    assert len(groups.sizes) == 60
    total = sum(group_integrand(groups, k, "mvaghermite", 7).log_likelihood for k in range(1, 61))
    assert total == pytest.approx(fit.llf, abs=1e-8)
    assert groups.sigma**2 == pytest.approx(fit.params["/var(_cons[district])"])


def test_begins_as_the_fit_and_follows_its_controls(fitted: Fitted) -> None:
    fit = fitted(COMMAND, "bangladesh")
    view = memagic.explore_integrand(fit, 3)
    assert (view.group.value, view.rule.value, view.points.value) == (3, "mvaghermite", 7)
    assert view.sigma.value == pytest.approx(view.shown.sigma)
    assert f"{view.shown.error:.2e}" in view.values.value
    before = view.shown
    view.rule.value = "ghermite"
    assert abs(view.shown.error) > abs(before.error)
    view.points.value = 2
    assert len(view.shown.nodes) == 2
    assert view.table.value.count("Node ") == 2
    view.sigma.value = 2.0
    assert view.shown.sigma == 2.0
    view.group.value = 1
    assert view.shown.exact != before.exact
    view.back.click()
    assert view.shown.sigma == pytest.approx(before.sigma)
    view.rule.value = "laplace"
    assert view.points.disabled
    assert "By laplace" in view.values.value


@pytest.mark.parametrize("method", METHODS)
def test_drawing_is_described_and_has_the_nodes(fitted: Fitted, method: str) -> None:
    view = fitted(COMMAND, "bangladesh").explore_integrand()
    view.rule.value = method
    svg = drawing(view.picture.value)
    assert svg.get("role") == "img"
    assert svg.get("fill") == "currentColor"
    desc = next(e.text for e in svg.iter() if e.tag.endswith("desc"))
    assert desc is not None
    assert method in desc
    inside = [u for u in view.shown.nodes if view.shown.u[0] <= u <= view.shown.u[-1]]
    assert len([e for e in svg.iter() if e.tag.endswith("circle")]) == len(inside) > 0
    # All that is drawn stays in the drawing.
    _, _, width, height = map(float, (svg.get("viewBox") or "").split())
    for line in (e for e in svg.iter() if e.tag.endswith("polyline")):
        pairs = [pair.split(",") for pair in (line.get("points") or "").split()]
        assert all(0.0 <= float(x) <= width and 0.0 <= float(y) <= height for x, y in pairs)


def test_static_form_and_descriptions(fitted: Fitted) -> None:
    fit = fitted(COMMAND, "bangladesh")
    # There is no district 54.
    assert fit.explore_integrand(54).group.label == "54 of 60: district 55 (6 observations)"
    view = fit.explore_integrand(2)
    bundle = view._repr_mimebundle_()
    assert "Group 2 of 60: district 2 (20 observations)" in bundle["text/plain"]
    assert "<svg" in bundle["text/html"]
    assert bundle["text/html"].count("<table") == 2
    controls = [view.group, view.rule, view.points, view.sigma, view.back]
    assert all(control.description and control.tooltip for control in controls)


def test_variance_near_zero_can_be_looked_at(fitted: Fitted) -> None:
    fit = fitted("meglm attain sex || pid:", "fifeschool")
    view = fit.explore_integrand()
    assert abs(view.shown.error) < 1e-8
    view.sigma.value = 0.01
    assert view.shown.exact == pytest.approx(view.shown.log_likelihood, abs=1e-8)


def test_refusals(fitted: Fitted) -> None:
    with pytest.raises(CommandError, match="more than one random effect"):
        fitted("melogit c_use age || district: urban", "bangladesh").explore_integrand()
    with pytest.raises(CommandError, match="no random effects"):
        fitted("melogit c_use age", "bangladesh").explore_integrand()
    fit = fitted(COMMAND, "bangladesh")
    with pytest.raises(CommandError, match="group 61 not found"):
        fit.explore_integrand(61)
    with pytest.raises(CommandError, match=r"intmethod\(x\)"):
        group_integrand(groups_of(fit.estimates), 1, "x", 7)  # type: ignore[arg-type]
    with pytest.raises(CommandError, match="greater than zero"):
        group_integrand(groups_of(fit.estimates), 1, "ghermite", 7, 0.0)
