"""Factor-variable operators, and number lists."""

import pytest

from memagic.errors import CommandError
from memagic.spec.numlist import parse_numlist
from memagic.spec.printer import term_text
from memagic.spec.tree import Factor
from memagic.spec.varlist import parse_varlist

OPERATORS = [
    ("x", Factor("x", "c")),
    ("c.x", Factor("x", "c")),
    ("i.g", Factor("g", "i")),
    ("ib3.g", Factor("g", "i", base=3.0)),
    ("b3.g", Factor("g", "i", base=3.0)),
    ("ib(3).g", Factor("g", "i", base=3.0)),
    ("ib(#2).g", Factor("g", "i", base=("order", 2))),
    ("ib(first).g", Factor("g", "i", base="first")),
    ("ib(last).g", Factor("g", "i", base="last")),
    ("b(freq).g", Factor("g", "i", base="freq")),
    ("ibn.g", Factor("g", "i", base="none")),
    ("bn.g", Factor("g", "i", base="none")),
    ("2.g", Factor("g", "i", levels=(2.0,))),
    ("i2.g", Factor("g", "i", levels=(2.0,))),
    ("i(2/4).g", Factor("g", "i", levels=(2.0, 3.0, 4.0))),
    ("i(2 7 2).g", Factor("g", "i", levels=(2.0, 7.0))),
    ("o3.g", Factor("g", "i", omitted=(3.0,))),
    ("io3.g", Factor("g", "i", omitted=(3.0,))),
    ("io(2/3).g", Factor("g", "i", omitted=(2.0, 3.0))),
]


@pytest.mark.parametrize(("text", "factor"), OPERATORS)
def test_operators(text, factor):
    (term,) = parse_varlist(text)
    assert term.operands == (factor,)
    assert term.span == (0, len(text))
    assert parse_varlist(term_text(term)) == (term,)


EXPANSIONS = [
    ("a b", "a b"),
    ("a a c.a i.a", "a i.a"),
    ("a#b", "i.a#i.b"),
    ("a#b b#a", "i.a#i.b"),
    ("a#c.x", "i.a#c.x"),
    ("a##b", "i.a i.b i.a#i.b"),
    ("a##c.x", "i.a x i.a#c.x"),
    ("c.x##c.x", "x c.x#c.x"),
    ("a##b##c", "i.a i.b i.a#i.b i.c i.a#i.c i.b#i.c i.a#i.b#i.c"),
    ("i.(a b)", "i.a i.b"),
    ("c.(x z)", "x z"),
    ("ibn.(a b)", "ibn.a ibn.b"),
    ("a#(b c)", "i.a#i.b i.a#i.c"),
    ("(a b)#(c d)", "i.a#i.c i.a#i.d i.b#i.c i.b#i.d"),
    ("a##(b c)", "i.a i.b i.a#i.b i.c i.a#i.c"),
    ("g#c.(x z)", "i.g#c.x i.g#c.z"),
    ("g#(c.x b#d)", "i.g#c.x i.g#i.b#i.d"),
    ("ib2.a#3.b", "ib2.a#3.b"),
    ("a # b", "i.a#i.b"),
]


@pytest.mark.parametrize(("text", "expanded"), EXPANSIONS)
def test_expansion(text, expanded):
    assert " ".join(map(term_text, parse_varlist(text))) == expanded


@pytest.mark.parametrize(
    "text", ["i.", "i. x", "(", "()", "#a", "a##", "ib(2 3).g", "ib(#0).g", "i.x.y", "c2.x", "a(b)"]
)
def test_invalid(text):
    with pytest.raises(CommandError):
        parse_varlist(text)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2", (2,)),
        ("1 2 3", (1, 2, 3)),
        ("1, 2,3", (1, 2, 3)),
        ("1/3", (1, 2, 3)),
        ("3/1", (3, 2, 1)),
        ("-8/-5", (-8, -7, -6, -5)),
        ("1 2 to 4", (1, 2, 3, 4)),
        ("1 2:4", (1, 2, 3, 4)),
        ("10 15 to 30", (10, 15, 20, 25, 30)),
        ("1(2)9", (1, 3, 5, 7, 9)),
        ("1[2]9", (1, 3, 5, 7, 9)),
        ("1(2)10", (1, 3, 5, 7, 9)),
        ("9(-2)1", (9, 7, 5, 3, 1)),
        ("-1(.5)2.5", (-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5)),
        ("0(.1).3", (0, 0.1, 0.2, 0.3)),
        ("5/5 1e2", (5, 100)),
    ],
)
def test_numlist(text, numbers):
    assert parse_numlist(text) == pytest.approx(numbers)


@pytest.mark.parametrize(
    ("text", "rc"),
    [
        ("", 122),
        ("a", 121),
        ("1/", 121),
        ("1(0)5", 121),
        ("1(-1)5", 121),
        ("1 to 3", 121),
        ("1(2 3)9", 121),
        ("1/1e9", 123),
    ],
)
def test_invalid_numlist(text, rc):
    with pytest.raises(CommandError) as caught:
        parse_numlist(text)
    assert caught.value.rc == rc
    assert caught.value.span is not None
