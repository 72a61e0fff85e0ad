"""The last estimates in conditions and weights."""

import numpy as np
import pandas as pd
import pytest

from memagic import Session
from memagic.errors import CommandError
from memagic.spec.parser import parse_command
from memagic.spec.printer import unparse
from memagic.spec.tree import Estimated
from memagic.spec.walk import nodes_of


@pytest.fixture(scope="module")
def session():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(30), 6)
    x = rng.normal(size=180)
    y = 1.0 + 2.0 * x + rng.normal(size=30)[g] + rng.normal(size=180)
    made = Session(pd.DataFrame({"y": y, "x": x, "g": g, "u": g % 2}))
    made.run("meglm y x i.u if x > -1 || g:")
    return made


CASES = [
    ("e(sample)", lambda last, d: d["x"] > -1),
    ("!e(sample)", lambda last, d: d["x"] <= -1),
    ("e(sample) & u == 1", lambda last, d: (d["x"] > -1) & (d["u"] == 1)),
    ("y < _b[_cons] + _b[x] * x", lambda last, d: d["y"] < last.params["_cons"] + last.params["x"] * d["x"]),
    ("x > _b[y:1.u]", lambda last, d: d["x"] > last.params["1.u"]),
    ("x > _se[ x ]", lambda last, d: d["x"] > last.bse["x"]),
    ("x^2 < _b[/var(_cons[g])]", lambda last, d: d["x"] ** 2 < last.params["/var(_cons[g])"]),
    ("_n <= e(N)", lambda last, d: np.arange(len(d)) < last.nobs),
]


@pytest.mark.parametrize(("condition", "rows"), CASES)
def test_conditions(session, condition, rows):
    """The same rows as pandas takes with the numbers of the result."""
    other = Session(session.data)
    other._last = session.last
    fit = other.run(f"meglm y x if {condition} || g:")
    np.testing.assert_array_equal(fit.estimates.design.sample, np.asarray(rows(session.last, session.data)))


@pytest.mark.parametrize(
    ("condition", "rc", "message", "place", "hint"),
    [
        ("x > _b[xx]", 111, "[xx] not found", "_b[xx]", None),
        ("x > _se[1.uu]", 111, "[1.uu] not found", "_se[1.uu]", "did you mean 1.u?"),
        ("x > e(Nn)", 111, "e(Nn) is no number", "e(Nn)", "did you mean N?"),
        ("x > e(cmd)", 111, "e(cmd) is no number", "e(cmd)", None),
        ("x > _b[]", 198, "invalid '_b[]'", "_b[]", "type _b[x], _b[1.g], _se[_cons], e(N) or e(sample)"),
        (
            "x > e(a b)",
            198,
            "invalid 'e(a b)'",
            "e(a b)",
            "type _b[x], _b[1.g], _se[_cons], e(N) or e(sample)",
        ),
    ],
)
def test_refused(session, condition, rc, message, place, hint):
    text = f"meglm y x if {condition} || g:"
    with pytest.raises(CommandError) as caught:
        session.run(text)
    error = caught.value
    assert (error.rc, error.message, text[slice(*error.span)]) == (rc, message, place)
    assert hint is None or error.hint == hint


def test_without_estimates(session):
    with pytest.raises(CommandError, match="last estimates not found") as caught:
        Session(session.data).run("meglm y x if e(sample) || g:")
    assert caught.value.rc == 301


def test_the_sample_of_other_data(session):
    other = Session(session.data.set_index(session.data.index + 1000).iloc[:50])
    other._last = session.last
    with pytest.raises(CommandError, match="of other data") as caught:
        other.run("meglm y x if e(sample) || g:")
    assert caught.value.rc == 322
    assert caught.value.hint.startswith("no label of the index is one of the estimation sample's")


def test_a_part_of_the_sample_is_told(session):
    part = session.data.iloc[:50]
    other = Session(part)
    other._last = session.last
    fit = other.run("meglm y x if e(sample) & _b[x] > 0 || g:")
    np.testing.assert_array_equal(fit.estimates.design.sample, part["x"] > -1)
    n = session.last.nobs
    note = f"({n - fit.nobs} of the {n} observations of the estimation sample are not in the data)"
    assert fit.estimates.notes == (note,)
    svy = Session(part)
    svy._last = session.last
    svy.run("svyset g")
    surveyed = svy.run("svy, subpop(if e(sample)): meglm y x if e(sample) || g:")
    assert [line for line in surveyed.estimates.notes if "estimation sample" in line][:1] == [note]
    assert surveyed.estimates.notes.count(note) == 1


def test_rows_sorted_after_the_fit(session):
    """The rows of the sample, wherever they are now."""
    for ordered in (session.data.sort_values("x"), session.data.iloc[::-1]):
        other = Session(ordered)
        other._last = session.last
        fit = other.run("meglm y x i.u if e(sample) || g:")
        np.testing.assert_array_equal(fit.estimates.design.sample, ordered["x"] > -1)
        np.testing.assert_allclose(fit.params, session.last.params, rtol=1e-6)
    numbered = Session(session.data.sort_values("x", ignore_index=True))
    numbered._last = session.last
    text = "meglm y if e(sample) || g:"
    with pytest.raises(CommandError, match="of other data") as caught:
        numbered.run(text)
    assert (caught.value.rc, text[slice(*caught.value.span)]) == (322, "e(sample)")
    assert "keep the index" in caught.value.hint


def test_printed_as_typed():
    command = parse_command("meglm y if _b[1.a#c.x] > -_se[ y : x ] & e(sample) | x[_b[k]] || g:")
    found = [node for node in nodes_of(command.fixed.condition) if isinstance(node, Estimated)]
    assert [(node.kind, node.name) for node in found] == [
        ("_b", "1.a#c.x"),
        ("_se", "y:x"),
        ("e", "sample"),
        ("_b", "k"),
    ]
    assert parse_command(unparse(command)) == command


def test_in_a_subpopulation(session):
    """`subpop(if e(sample))` is the same subpopulation as the condition of the last command."""
    made = Session(session.data)
    made._last = session.last
    made.run("svyset g")
    by_sample = made.run("svy, subpop(if e(sample)): meglm y x || g:")
    by_condition = made.run("svy, subpop(if x > -1): meglm y x || g:")
    np.testing.assert_array_equal(by_sample.params, by_condition.params)
    np.testing.assert_array_equal(by_sample.bse, by_condition.bse)
