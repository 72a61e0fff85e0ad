"""Results in columns: which rows, which numbers, and where a parameter is missing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from memagic.display.formats import g
from memagic.display.grid_table import GridTable
from memagic.errors import CommandError
from memagic.results.estimates import Estimates
from memagic.results.side_by_side import TableOptions, check_statistics, side_by_side

Make = Callable[..., Estimates]


def cells(table: GridTable) -> dict[str, tuple[str, ...]]:
    return {row.label: row.cells for row in table.rows if not row.heading}


@pytest.fixture(scope="module")
def small(estimates_of: Make) -> Estimates:
    return estimates_of("melogit win x || g:", [0.5, 0.1, 0.25], [0.1, 0.2, 0.3], ll=-80.0)


@pytest.fixture(scope="module")
def large(estimates_of: Make) -> Estimates:
    return estimates_of("melogit win x i.arm || g: x", [0.4, 0.3, -0.3, 0.2, 0.5, 0.6], [0.25] * 6, ll=-75.0)


def test_rows_and_numbers(small: Estimates, large: Estimates) -> None:
    table = side_by_side([("a", small), ("b", large)], TableOptions(se=True, statistics=("ll", "N", "aic")))
    assert table.heads == ("a", "b")
    assert [(row.label, row.heading) for row in table.rows] == [
        ("Fixed part", True),
        ("x", False),
        ("1.arm", False),
        ("2.arm", False),
        ("_cons", False),
        ("Random part", True),
        ("var(x[g])", False),
        ("var(_cons[g])", False),
        ("Statistics", True),
        ("ll", False),
        ("N", False),
        ("aic", False),
    ]
    shown = cells(table)
    assert shown["x"] == (".5\n.1", ".4\n.25")
    assert shown["1.arm"] == ("", ".3\n.25")
    assert shown["var(_cons[g])"] == (".25\n.3", ".6\n.25")
    assert shown["ll"] == ("-80", "-75")
    assert shown["N"] == ("120", "120")
    assert shown["aic"] == (f"{160 + 2 * 3}", f"{150 + 2 * 6}")
    assert table.notes == ("Legend: b/se",)


def test_only_coefficients_are_exponentiated(small: Estimates) -> None:
    table = side_by_side([("a", small)], TableOptions(se=True, exponentiated=True))
    shown = cells(table)
    assert shown["x"] == (f"{g(np.exp(0.5), 10)}\n{g(0.1 * np.exp(0.5), 10)}",)
    assert shown["var(_cons[g])"] == (".25\n.3",)


def test_stars(large: Estimates) -> None:
    table = side_by_side([("b", large)], TableOptions(stars=(0.25, 0.15)))
    shown = cells(table)
    # z is 1.6, 1.2, -1.2 and .8: p is .11, .23, .23 and .42; variances are not tested.
    assert shown["x"] == (".4**",)
    assert shown["1.arm"] == (".3* ",)
    assert shown["2.arm"] == ("-.3* ",)
    assert shown["_cons"] == (".2  ",)
    assert shown["var(x[g])"] == (".5  ",)
    assert table.notes == ("Legend: * p<.25; ** p<.15",)


def test_ancillary_and_residual_parameters(estimates_of: Make) -> None:
    counts = estimates_of("menbreg count x || g:", [0.5, 0.1, 0.2, -1.0], [0.1] * 4)
    linear = estimates_of("meglm y x || g:", [0.5, 0.1, 0.2, 2.0], [0.1] * 4)
    table = side_by_side([("a", counts), ("b", linear)], TableOptions())
    assert [row.label for row in table.rows] == [
        "Fixed part",
        "x",
        "_cons",
        "Ancillary parameters",
        "lnalpha",
        "Random part",
        "var(_cons[g])",
        "var(e.y)",
    ]
    assert cells(table)["lnalpha"] == ("-1", "")


def test_what_is_omitted_or_held(estimates_of: Make) -> None:
    text = "melogit win arm##sex ibn.sex if !(arm == 2 & sex == 1) || g:"
    made = estimates_of(text, [0.1] * 6, [0.1] * 6)
    shown = cells(side_by_side([("a", made)], TableOptions(se=True)))
    assert shown["2.arm#1.sex"] == ("(empty)",)
    assert shown["0.sex"] == ("(omitted)",)


def test_statistics_have_to_be_there(small: Estimates) -> None:
    check_statistics([("chi2_c", (0, 1)), ("bic", (2, 3))], [("a", small)])
    with pytest.raises(CommandError, match=r"stats\(\): lll not found") as raised:
        check_statistics([("ll", (0, 1)), ("lll", (2, 5))], [("a", small)])
    assert (raised.value.rc, raised.value.span, raised.value.hint) == (198, (2, 5), "did you mean ll?")
