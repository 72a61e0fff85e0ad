"""Constraints: what is read, and what is refused at which place."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memagic.errors import CommandError
from memagic.spec.constraint import parse_constraint, parse_constraint_command

READ = [
    ("[c_use]age = 0", {"age": 1.0}, 0.0),
    ("age", {"age": 1.0}, 0.0),
    ("age == -.5e1", {"age": 1.0}, -5.0),
    ("1.children = 2.children", {"1.children": 1.0, "2.children": -1.0}, 0.0),
    ("1b.g - i2.g#c.x = 0", {"1b.g": 1.0, "i2.g#c.x": -1.0}, 0.0),
    ("3 = x1", {"x1": -1.0}, -3.0),
    ("2*x1 + x2*3 - x3/4 = 1 + 1", {"x1": 2.0, "x2": 3.0, "x3": -0.25}, 2.0),
    ("-(x1 - 2*(x2 + 1)) = 4", {"x1": -1.0, "x2": 2.0}, 2.0),
    ("1.5*1.g = 2", {"1.g": 1.5}, 2.0),
    ("_b[/var(_cons[district])] = 1", {"/var(_cons[district])": 1.0}, 1.0),
    ("/var(_cons[a>b]) = 2*/cut1", {"/var(_cons[a>b])": 1.0, "/cut1": -2.0}, 0.0),
    ("[/]cov(x[g], _cons[g]) = .5", {"/cov(x[g],_cons[g])": 1.0}, 0.5),
    ("/var(e.weight)/2 = /lnalpha", {"/var(e.weight)": 0.5, "/lnalpha": -1.0}, 0.0),
    ("_b[y:1.g] = 1", {"1.g": 1.0}, 1.0),
]


@pytest.mark.parametrize(("text", "coefficients", "value"), READ)
def test_constraints(text: str, coefficients: dict[str, float], value: float) -> None:
    read = parse_constraint(text)
    assert {address.name: coefficient for coefficient, address in read.terms} == coefficients
    assert read.value == value
    assert read.text == text


def test_equations_and_places() -> None:
    read = parse_constraint("[c_use]age = _b[y:x]")
    assert [address.equation for _, address in read.terms] == ["c_use", "y"]
    assert [address.span for _, address in read.terms] == [(0, 10), (13, 20)]
    assert [address.equation for _, address in parse_constraint("[/]cut1 = x").terms] == [None, None]


# The place is marked by « and ».
REFUSED = [
    ("2 «age» = 1", "invalid 'age'"),
    ("«3 = 3»", "a constraint without parameters"),
    ("«var»(_cons[g]) = 1", "invalid 'var'"),
    ("x = «1/y»", "a constraint must be linear"),
    ("x = «1/0»", "a constraint must be linear"),
    ("«x*y» = 1", "a constraint must be linear"),
    ("«2*age*x» = 1", "a constraint must be linear"),
    ("«=» 3", "invalid '='"),
    ("x =«»", "invalid syntax"),
    ("x = 1 «=» 2", "invalid '='"),
    ("x = 1 «if» z", "invalid 'if'"),
    ("[«3»]x = 1", "invalid '3'"),
    ("[y «z»]x = 1", "invalid 'z'"),
    ("_b[x «y»] = 1", "invalid 'y'"),
    ("ln«(»x) = 1", "invalid '('"),
    ("«x = 1e308*1e308»", "a number that is too large"),
]


@pytest.mark.parametrize(("marked", "message"), REFUSED)
def test_refused(marked: str, message: str) -> None:
    text = marked.replace("«", "").replace("»", "")
    with pytest.raises(CommandError) as caught:
        parse_constraint(text)
    assert (caught.value.rc, caught.value.message) == (198, message)
    start = marked.index("«")
    assert caught.value.span is not None
    assert caught.value.span[0] == start
    assert max(start + 1, marked.index("»") - 1) == caught.value.span[1]


@pytest.mark.parametrize(
    ("text", "action", "numbers"),
    [
        ("constraint 1 x = 0", "define", (1,)),
        ("constraint define 12 x = 0", "define", (12,)),
        ("constraint dir", "dir", ()),
        ("constraint dir _all", "dir", ()),
        ("constraint list 1/3", "dir", (1, 2, 3)),
        ("constraint drop 1 4", "drop", (1, 4)),
        ("constraint drop _all", "drop", ()),
    ],
)
def test_commands(text: str, action: str, numbers: tuple[int, ...]) -> None:
    read = parse_constraint_command(text)
    assert (read.action, read.numbers) == (action, numbers)
    assert (read.constraint is None) == (action != "define")


@pytest.mark.parametrize(
    ("text", "rc", "place"),
    [
        ("constraint", 198, ""),
        ("constraint x = 1", 198, "x"),
        ("constraint 0 x = 1", 198, "0"),
        ("constraint 2000 x = 1", 198, "2000"),
        ("constraint 3", 198, ""),
        ("constraint drop", 122, ""),
        ("constraint drop x", 121, "x"),
        ("constraint dir _all 3", 198, "3"),
    ],
)
def test_commands_refused(text: str, rc: int, place: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_constraint_command(text)
    assert caught.value.rc == rc
    assert caught.value.text == text
    assert caught.value.span is not None
    assert text[slice(*caught.value.span)] == place


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["x", "1.g", "2", ".5", "*", "/", "+", "-", "=", "(", ")", "[y]", "/var(x[g])", "_b[x]", "#", " "]
        ),
        max_size=12,
    ).map("".join)
)
def test_anything_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(CommandError):
        assert parse_constraint(text).terms
    with contextlib.suppress(CommandError):
        parse_constraint_command(f"constraint {text}")
