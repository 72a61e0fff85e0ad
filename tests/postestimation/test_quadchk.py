"""quadchk: refits at other numbers of points, its table and its verdict."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError, Session
from memagic.postestimation.quadchk import QuadratureCheck, quadchk
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]

BANGLADESH = "melogit c_use i.urban age i.children || district:"


def few_groups(seed: int = 2) -> pd.DataFrame:
    """Twelve groups of eight with a standard deviation of four."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(12), 8)
    x, u = rng.normal(size=96), 4.0 * rng.normal(size=12)[g]
    return pd.DataFrame({"g": g, "x": x, "y": (x + u + rng.logistic(size=96) > 0).astype(int)})


def check(
    points: tuple[int, ...],
    b: list[list[float]],
    *,
    converged: tuple[bool, ...] = (),
    names: tuple[str, ...] = ("age", "/var(_cons[g])"),
) -> QuadratureCheck:
    """A check with numbers chosen by hand, the log likelihood always -100."""
    values = np.column_stack([np.full(len(b), -100.0), b])
    return QuadratureCheck(
        names=names,
        points=points,
        log_likelihood=values[:, 0],
        b=values[:, 1:],
        converged=converged or (True,) * len(points),
        differs=(values - values[0]) / np.abs(values[0]),
    )


def test_points_that_suffice(fitted: Fitted) -> None:
    found = fitted(BANGLADESH, "bangladesh").quadchk()
    assert found.points == (7, 3, 11)
    assert found.trustworthy
    assert found.verdict.startswith("The quadrature can be trusted: the largest relative difference to 11")
    assert found.largest < 1e-5


def test_numbers_are_those_of_a_fit_with_as_many_points(fitted: Fitted) -> None:
    result = fitted(BANGLADESH, "bangladesh")
    found = result.quadchk([5, 9])
    for k, n in enumerate(found.points):
        other = fitted(f"{BANGLADESH}, intpoints({n})", "bangladesh")
        np.testing.assert_allclose(found.b[k], other.params, rtol=1e-6)
        assert found.log_likelihood[k] == pytest.approx(other.llf, rel=1e-10)
        np.testing.assert_allclose(
            found.differs[k][1:], (other.params - result.params) / result.params.abs(), atol=1e-6
        )


def test_points_that_do_not_suffice() -> None:
    result = memagic.run("melogit y x || g:, intpoints(3)", data=few_groups())
    found = result.quadchk()
    assert found.points == (3, 2, 7)
    assert not found.trustworthy
    assert found.verdict.startswith("The quadrature cannot be trusted: ")
    assert "intpoints(7)" in found.verdict
    assert found.largest > 1e-2
    assert not memagic.run("melogit y x || g:, intpoints(3)", data=few_groups(5)).quadchk().trustworthy


def test_verdicts() -> None:
    near, off, far = [1.00001, 2.0], [1.0, 2.004], [1.0, 2.2]
    fit = [1.0, 2.0]
    assert check((7, 11), [fit, near]).trustworthy
    # Fewer points than the fit's do not count where there are more.
    assert check((7, 3, 11), [fit, far, near]).trustworthy
    assert not check((7, 3), [fit, far]).trustworthy
    assert check((7, 11), [fit, off]).verdict == (
        "The quadrature can be trusted to a few digits: the largest relative difference to 11 points is "
        "2.0e-03, between 1e-4 and 1e-2; refit with more integration points, intpoints(11) or beyond, if "
        "more digits matter."
    )
    assert check((7, 11), [fit, far]).verdict == (
        "The quadrature cannot be trusted: the largest relative difference to 11 points is 1.0e-01, not "
        "below 1e-2; refit with more integration points, intpoints(11) or beyond."
    )
    failed = check((7, 3, 11), [fit, far, near], converged=(True, False, False))
    assert not failed.trustworthy
    assert "with 11 points the fit did not converge" in failed.verdict


def test_text() -> None:
    assert str(check((7, 3, 11), [[-0.5, 2.0], [-0.55, 2.2], [-0.5, 2.00001]])) == (
        "Quadrature check\n"
        "\n"
        "----------------------------------------------------\n"
        "                    |    Fitted  Refitted   Refitted\n"
        "                    |  7 points  3 points  11 points\n"
        "--------------------+-------------------------------\n"
        "     Log likelihood |      -100      -100       -100\n"
        "relative difference |             0.0e+00    0.0e+00\n"
        "--------------------+-------------------------------\n"
        "                age |       -.5      -.55        -.5\n"
        "relative difference |            -1.0e-01    0.0e+00\n"
        "      var(_cons[g]) |         2       2.2    2.00001\n"
        "relative difference |             1.0e-01    5.0e-06\n"
        "----------------------------------------------------\n"
        "The quadrature can be trusted: the largest relative difference to 11 points is\n"
        "5.0e-06, below 1e-4."
    )


def test_html_escapes() -> None:
    made = check((7, 11), [[1.0, 2.0], [1.0, 2.0]], names=("a<b>", "/var(_cons[school>class])"))
    html = made.to_html()
    assert "a&lt;b&gt;" in html
    assert "var(_cons[school&gt;class])" in html
    assert "<b>" not in html
    assert html.count("<table") == html.count("</table>") == 1
    assert html.count("<tbody>") == html.count("</tbody>") == 2
    assert made._repr_mimebundle_()["text/html"] == html
    assert made._repr_mimebundle_()["text/plain"] == str(made) == repr(made)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("melogit y x || g:, intmethod(laplace)", "intmethod(laplace) has no number of points to vary"),
        ("meglm x y || g:", "has a closed form"),
        ("melogit y x", "The model has no random effects"),
    ],
)
def test_nothing_to_check(command: str, words: str) -> None:
    found = memagic.run(command, data=few_groups()).quadchk()
    assert words in found.verdict
    assert words in " ".join(str(found).split())
    assert "<table" not in found.to_html()
    assert not found.trustworthy
    assert found.points == ()
    assert np.isnan(found.largest)


def test_a_variance_at_zero_has_no_relative_difference() -> None:
    frame = few_groups()
    frame["y"] = np.arange(96) % 2
    found = memagic.run("melogit y x || g:", data=frame).quadchk([9])
    assert np.isnan(found.differs[1][-1])
    assert found.trustworthy
    rows = [line.split() for line in str(found).splitlines()]
    assert ["relative", "difference", "|", "."] in rows


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "numbers of integration points required"),
        ([1], "1 is not a number of integration points"),
        ([5, 196], "196 is not"),
        ([7.5], "7.5 is not"),
        ([7], "fitted with 7 points"),
    ],
)
def test_wrong_numbers(points: list[float], message: str, fitted: Fitted) -> None:
    with pytest.raises(CommandError, match=message) as raised:
        quadchk(fitted(BANGLADESH, "bangladesh").estimates, points)
    assert raised.value.rc == 198


def test_too_many_nodes(fitted: Fitted) -> None:
    command = "melogit c_use i.urban age || district: age i.urban"
    with pytest.raises(CommandError, match="150 points in each of 3 dimensions make 3,375,000 nodes"):
        fitted(command, "bangladesh").quadchk([150])


def test_as_a_command() -> None:
    session = Session(few_groups())
    with pytest.raises(CommandError, match="last estimates not found") as raised:
        session.run("quadchk")
    assert raised.value.rc == 301
    before = session.run("melogit y x || g:, intpoints(9)")
    assert isinstance(before, MEResults)
    lines: list[str] = []
    found = session.run("quadchk 5/7 12", stream=lines.append)
    assert isinstance(found, QuadratureCheck)
    assert found.points == (9, 5, 6, 7, 12)
    assert lines == [f"Refitting model with intpoints({n}) ..." for n in (5, 6, 7, 12)]
    assert session.last is before
    again = session.run("quadchk")
    assert isinstance(again, QuadratureCheck)
    assert again.points == (9, 5, 13)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("quadchk 5 1", ["quadchk 5 1", "        ^^^", "1 is not a number of integration points"]),
        ("quadchk 5 a", ["quadchk 5 a", "          ^", "invalid numlist"]),
        ("quadchk, replay", ["quadchk, replay", "       ^", "invalid numlist"]),
        ("quadchk 4.5", ["quadchk 4.5", "        ^^^", "4.5 is not a number of integration points"]),
    ],
)
def test_errors_show_their_place(text: str, lines: list[str]) -> None:
    session = Session(few_groups())
    session.run("melogit y x || g:")
    with pytest.raises(CommandError) as raised:
        session.run(text)
    assert raised.value.lines()[:3] == lines
    assert raised.value.rc == 198


def test_starting_values_are_no_estimates() -> None:
    session = Session(few_groups())
    session.run("melogit y x || g:, noestimate")
    with pytest.raises(CommandError) as raised:
        session.run("quadchk")
    assert raised.value.rc == 301
