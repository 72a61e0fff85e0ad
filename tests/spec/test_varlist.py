"""Factor-variable operators, and number lists."""

import contextlib
from time import process_time

import pytest

from memagic.errors import CommandError
from memagic.spec.numlist import parse_numlist
from memagic.spec.printer import term_text
from memagic.spec.tree import Factor, TimeOperator
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
    ("o.x", Factor("x", "c", omitted=())),
    ("co.x", Factor("x", "c", omitted=())),
    ("x*", Factor("x*", "c")),
    ("i.x?_*9", Factor("x?_*9", "i")),
    ("??", Factor("??", "c")),
    ("*x", Factor("*x", "c")),
    ("x~z", Factor("x~z", "c")),
    ("i.a-d", Factor("a-d", "i")),
    ("_all", Factor("_all", "c")),
    ("L.x", Factor("x", "c", time=TimeOperator(1))),
    ("l.x", Factor("x", "c", time=TimeOperator(1))),
    ("L1.x", Factor("x", "c", time=TimeOperator(1))),
    ("L2.x", Factor("x", "c", time=TimeOperator(2))),
    ("LL2.x", Factor("x", "c", time=TimeOperator(3))),
    ("F3.x", Factor("x", "c", time=TimeOperator(-3))),
    ("FL.x", Factor("x", "c")),
    ("L0.x", Factor("x", "c")),
    ("D.x", Factor("x", "c", time=TimeOperator(difference=1))),
    ("d2.x", Factor("x", "c", time=TimeOperator(difference=2))),
    ("S.x", Factor("x", "c", time=TimeOperator(difference=1))),
    ("S12.x", Factor("x", "c", time=TimeOperator(seasonal=(12,)))),
    ("ld2ls12d.x", Factor("x", "c", time=TimeOperator(2, 3, (12,)))),
    ("S12S4.x", Factor("x", "c", time=TimeOperator(seasonal=(4, 12)))),
    ("cL.x", Factor("x", "c", time=TimeOperator(1))),
    ("iL.g", Factor("g", "i", time=TimeOperator(1))),
    ("Li.g", Factor("g", "i", time=TimeOperator(1))),
    ("iF2.g", Factor("g", "i", time=TimeOperator(-2))),
    ("2L.g", Factor("g", "i", levels=(2.0,), time=TimeOperator(1))),
    ("ib(last)L2.g", Factor("g", "i", base="last", time=TimeOperator(2))),
    ("io(2 3)L.g", Factor("g", "i", omitted=(2.0, 3.0), time=TimeOperator(1))),
    ("L(2).x", Factor("x", "c", time=TimeOperator(2))),
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
    ("L(0/3).x", "x L.x L2.x L3.x"),
    ("L(-1/1).x", "F.x x L.x"),
    ("F(1 3).x", "F.x F3.x"),
    ("D(0/2).x", "x D.x D2.x"),
    ("L(0/1)D.x", "D.x LD.x"),
    ("L(1/2)F(0/1).x", "L.x x L2.x"),
    ("L(1/2).(x z)", "L.x L2.x L.z L2.z"),
    ("L.(D.x S2.z)", "LD.x LS2.z"),
    ("i.(a L.b)", "i.a iL.b"),
    ("L.(i.a x)", "iL.a L.x"),
    ("a#L.b", "i.a#iL.b"),
    ("a##cL(0/1).x", "i.a x i.a#c.x L.x i.a#cL.x"),
    ("c.x#cD.x", "c.x#cD.x"),
    ("i.(x* a-d)#c.z?", "i.x*#c.z? i.a-d#c.z?"),
    ("a - d x*y", "a-d x*y"),
    ("o.(x z)", "co.x co.z"),
    ("a#co.x", "i.a#co.x"),
    ("a##b##c##d##e##f##g##h", None),
]


@pytest.mark.parametrize(("text", "expanded"), EXPANSIONS)
def test_expansion(text, expanded):
    terms = parse_varlist(text)
    if expanded is None:
        # Eight variables: every selection of them.
        assert len(terms) == 2**8 - 1
        assert len(terms[-1].operands) == 8
        return
    assert " ".join(map(term_text, terms)) == expanded


@pytest.mark.parametrize(
    "text",
    [
        *("i.", "i. x", "(", "()", "#a", "a##", "ib(2 3).g", "ib(#0).g", "i.x.y", "c2.x", "a(b)"),
        *("L. x", "iD.x", "D.g#x", "i.S2.x", "L(1.5).x", "D(-1).x", "S0.x", "D101.x", "L99999.x", "LiL.g"),
        *("L().x", "Q.x", "*", "x **", "a-", "-b", "a-b-c", "i.(c.x)", "LD2.", "a##b##c##d##e##f##g##h##k"),
    ],
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


# What would take long if anything were read again and again, each some 10,000 characters.
LONG = {
    "names": "x " * 5000,
    "interactions": "a#" * 5000 + "a",
    "with main effects": "a##" * 3300 + "a",
    "parentheses": "(" * 5000 + "x" + ")" * 5000,
    "nested operators": "i.(a L.(" * 1200 + "x" + "))" * 1200,
    "lags": "L" * 9990 + ".x",
    "differences": "D" * 9990 + ".x",
    "lists of lags": "L(0/9)" * 1600 + ".x",
    "lags and differences": "L(0/2400)" + "D1L1" * 40 + ".x",
    "stars": "x" + "*a" * 4990,
    "ranges": "a-b " * 2500,
    "periods": "i." * 4990 + "x",
    "levels": "i(1/30).g " * 900,
    "products": "#".join(["(a b c d e f g h i j)"] * 4),
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_long_lists_take_milliseconds(text):
    start = process_time()
    with contextlib.suppress(CommandError):
        parse_varlist(text)
    # Some 50 ms; whatever is exponential, or quadratic with a large factor, takes far longer.
    assert process_time() - start < 2.0
