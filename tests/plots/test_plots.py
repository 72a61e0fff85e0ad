"""What the figures show: that drawn numbers are the result's, and that words and colours are right."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from memagic import CommandError
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]
SLOPE = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"
CROSSED = "meglm attain_gt_6 sex, family(bernoulli) || _all: R.sid || pid:"
VARIANCE = "/var(_cons[district])"


@pytest.fixture(scope="module")
def result(fitted: Fitted) -> MEResults:
    return fitted(SLOPE, "bangladesh")


def points(ax: Axes) -> NDArray[np.float64]:
    """The markers of a figure, shape (k, 2)."""
    marked = [line for line in ax.get_lines() if line.get_marker() == "o"]
    return np.concatenate([np.column_stack(line.get_data()) for line in marked])


def segments(ax: Axes) -> NDArray[np.float64]:
    """The intervals, one row (y, low, high) each, in the order of y."""
    found = [part for lines in ax.collections for part in lines.get_segments()]
    return np.array(sorted((part[0, 1], part[0, 0], part[1, 0]) for part in found))


def luminance(color: object) -> float:
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color))  # type: ignore[arg-type]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_effects(result: MEResults) -> None:
    ax = result.plot.effects()
    effects = result.random_effects["district"]["_cons"].sort_values()
    se = result.random_effects_se["district"]["_cons"].loc[effects.index]
    np.testing.assert_allclose(points(ax)[:, 0], effects)
    drawn = segments(ax)
    np.testing.assert_allclose(drawn[:, 1], effects - 1.959964 * se, atol=1e-6)
    np.testing.assert_allclose(drawn[:, 2], effects + 1.959964 * se, atol=1e-6)
    assert ax.get_ylabel() == "district"
    assert ax.get_xlabel() == "Random intercept (log odds)"
    assert ax.get_title(loc="left") == "Posterior means with 95% intervals"


def test_labels_of_many_groups_are_thinned_and_true(result: MEResults) -> None:
    ax = result.plot.effects()
    order = result.random_effects["district"]["_cons"].sort_values().index
    ticks = [int(tick) for tick in ax.get_yticks()]
    assert ticks[0] == 0
    assert ticks[-1] == len(order) - 1
    assert len(ticks) <= 20
    assert [text.get_text() for text in ax.get_yticklabels()] == [str(order[k]) for k in ticks]
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.get_yticklabels()]
    assert all(lower.y1 <= upper.y0 for lower, upper in pairwise(boxes))


def test_another_effect_level_and_statistic(result: MEResults, fitted: Fitted) -> None:
    ax = result.plot.effects("district", "1.urban", statistic="ebmodes", confidence=90)
    modes = result.empirical_bayes("ebmodes").level().frame()["1.urban"].sort_values()
    np.testing.assert_allclose(points(ax)[:, 0], modes)
    assert ax.get_xlabel() == "Random coefficient of urban = urban (log odds)"
    assert ax.get_title(loc="left") == "Posterior modes with 90% intervals"
    crossed = fitted(CROSSED, "fifeschool")
    ax = crossed.plot.effects("sid")
    np.testing.assert_allclose(points(ax)[:, 0], crossed.random_effects["_all>sid"]["_cons"].sort_values())
    assert len(ax.get_yticks()) == 19


def test_coefficients(result: MEResults) -> None:
    ax = result.plot.coefficients(constant=True)
    names = [name for name in result.params.index if not name.startswith("/")]
    np.testing.assert_allclose(points(ax)[:, 0], result.params[names])
    np.testing.assert_allclose(segments(ax)[:, 1:], result.conf_int().loc[names])
    assert [text.get_text() for text in ax.get_yticklabels()][:2] == ["urban = urban", "age"]
    # The first is on top.
    assert ax.yaxis_inverted()
    assert ax.get_xscale() == "linear"


def test_ratios_are_on_a_log_axis_with_plain_numbers(result: MEResults) -> None:
    ax = result.plot.coefficients(or_=True, level=90)
    assert ax.get_xscale() == "log"
    np.testing.assert_allclose(points(ax)[:, 0], np.exp(result.params.iloc[:5]))
    assert ax.get_xlabel() == "Odds ratio (log scale, 90% confidence interval)"
    ax.figure.draw_without_rendering()
    low, high = ax.get_xlim()
    shown = [t.get_text() for t in ax.get_xticklabels() if low <= float(t.get_position()[0]) <= high]
    assert len(shown) >= 2
    assert all("10" not in text or text == "10" for text in shown)
    assert "1" in shown


def test_constrained_coefficients_have_no_interval(fitted: Fitted) -> None:
    from memagic import Session, datasets

    session = Session(data=datasets.load("bangladesh"))
    session.run("constraint 1 age = -.02")
    ax = session.run("melogit c_use age i.urban || district:, constraints(1)").plot.coefficients()
    assert len(points(ax)) == 2
    assert len(segments(ax)) == 1


def test_fit_by_group(result: MEResults) -> None:
    from memagic.postestimation.group_fit import group_fit

    ax = result.plot.fit_by_group()
    found = group_fit(result.estimates)
    drawn = np.asarray(ax.collections[0].get_offsets())
    np.testing.assert_allclose(drawn, np.column_stack([found.fitted, found.observed]))
    assert ax.get_xlim() == ax.get_ylim()
    (line,) = ax.get_lines()
    np.testing.assert_array_equal(*line.get_data())
    sizes = ax.collections[0].get_sizes()
    assert sizes[np.argmax(found.sizes)] == sizes.max()
    assert ax.get_ylabel() == "Observed proportion with c_use"
    assert ax.get_title(loc="left") == "60 groups of district; area by number of observations"


def test_profile(result: MEResults) -> None:
    told: list[int] = []
    ax = result.plot.profile(VARIANCE, points=7, progress=lambda done, of: told.append(of - done))
    found = result.profile(VARIANCE, points=7)
    assert told[-1] == 0
    curve, quadratic = (line for line in ax.get_lines() if line.get_label()[0] in "pq")
    # The curve goes through the fits.
    x, y = np.array(curve.get_data())
    for value, ll in zip(found.values, found.log_likelihood, strict=True):
        if x[0] <= value <= x[-1]:
            assert np.interp(value, x, y) == pytest.approx(ll - result.llf, abs=5e-3)
    assert quadratic.get_label() == "quadratic in the log, by the standard error"
    cutoff = next(line for line in ax.get_lines() if line.get_label() == "95% cutoff")
    assert cutoff.get_ydata()[0] == pytest.approx(-3.841459 / 2, abs=1e-6)  # type: ignore[index]
    assert ax.get_xlabel() == "Variance of the intercept, district"
    low, high = found.limits
    assert ax.get_title(loc="left") == f"95% limits by the likelihood: {low:.4g} to {high:.4g}"


def test_given_axes_are_drawn_on(result: MEResults) -> None:
    figure, axes = pyplot.subplots(1, 3)
    assert result.plot.effects(ax=axes[0]) is axes[0]
    assert result.plot.coefficients(ax=axes[1]) is axes[1]
    assert result.plot.fit_by_group(ax=axes[2]) is axes[2]
    assert pyplot.get_fignums() == [figure.number]


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_readable_on_light_and_dark(result: MEResults, style: str) -> None:
    with pyplot.style.context(style):
        ax = result.plot.coefficients()
        background = luminance(ax.get_facecolor()[:3])
        for color in (
            ax.xaxis.label.get_color(),
            ax.get_lines()[-1].get_color(),
            ax.collections[0].get_color()[0][:3],
        ):
            a, b = sorted((luminance(color), background))
            assert (b + 0.05) / (a + 0.05) > 4.0
        # Two colours are used, neither red nor green.
        ax = result.plot.profile("age", points=5)
        colors = {line.get_color() for line in ax.get_lines() if line.get_label()[0] in "pq"}
        assert len(colors) == 2


def test_mistakes(result: MEResults, fitted: Fitted) -> None:
    with pytest.raises(CommandError, match="random effect age not found") as caught:
        result.plot.effects(effect="age")
    assert "effects are 1.urban, _cons" in str(caught.value.hint)
    with pytest.raises(CommandError, match="level school not found"):
        result.plot.effects("school")
    with pytest.raises(CommandError, match="only one of or and eform"):
        result.plot.coefficients(or_=True, eform=True)
    with pytest.raises(CommandError, match=r"level\(\) must be"):
        result.plot.effects(confidence=3)
    empty = fitted("melogit c_use || district:", "bangladesh")
    with pytest.raises(CommandError, match="the model has no coefficients"):
        empty.plot.coefficients()
    with pytest.raises(CommandError, match="the model has no random effects"):
        fitted("melogit c_use age", "bangladesh").plot.effects()
    assert pyplot.get_fignums() == []
    assert "profile(parameter)" in repr(result.plot)
