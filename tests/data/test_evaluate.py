"""Missing values, types and rows of expressions over data."""

import os
import time
from decimal import Decimal
from operator import add, eq, ge, gt, le, lt, mul, ne, sub, truediv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memagic.data.evaluate import condition_mask, evaluate, row_range_mask
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.expression import parse_expression
from memagic.spec.tree import Binary, Call, Indexed, Name, Number, RowRange, Unary

NAN = np.nan
FRAME = pd.DataFrame(
    {
        "x": [1.0, 5.0, NAN, -2.0],
        "k": [1, 2, 3, 4],
        "yes": [True, False, True, False],
        "name": ["ann", "", None, "bob"],
        "whole": pd.array([1, None, 3, 4], dtype="Int64"),
        "maybe": pd.array([True, None, False, True], dtype="boolean"),
        "words": pd.array(["a", None, "b", "a"], dtype="string"),
        "codes": pd.Categorical([10, 20, None, 10]),
        "group": pd.Categorical(["lo", None, "hi", "lo"]),
        "mixed": pd.Series([1, None, 2.5, True], dtype=object),
        "huge": [np.inf, -np.inf, 1.0, 2.0],
        "day": pd.to_datetime(["2020-01-01"] * 4),
        "cos": [1, 2, 3, 4],
        "things": pd.Series([[1], {}, "a", 1], dtype=object),
        "void": pd.Series([None] * 4, dtype=object),
    }
)


def value(text):
    return evaluate(parse_expression(text), FRAME)


NUMBERS = [
    ("x > 2", [0, 1, 1, 0]),
    ("x < .", [1, 1, 0, 1]),
    ("x == .", [0, 0, 1, 0]),
    ("x == .z", [0, 0, 0, 0]),
    ("x < .a", [1, 1, 1, 1]),
    ("x >= .a", [0, 0, 0, 0]),
    (".a < .b & . < .a & .z > 1e300 & .z == .z", [1, 1, 1, 1]),
    ("cond(k < 3, .b, .c) > .b", [0, 0, 1, 1]),
    ("-.a == . & .a + 1 == . & max(.a, .b) == .", [1, 1, 1, 1]),
    ("inlist(.b, ., .a, .b)", [1, 1, 1, 1]),
    ("missing(.q)", [1, 1, 1, 1]),
    ("x >= .", [0, 0, 1, 0]),
    ("x != 1", [0, 1, 1, 1]),
    ("!x", [0, 0, 0, 0]),
    ("!missing(x)", [1, 1, 0, 1]),
    ("missing(x, name)", [0, 1, 1, 0]),
    ("x & 1", [1, 1, 1, 1]),
    ("x > 0 & k > 1", [0, 1, 1, 0]),
    ("x == 1 | k == 4", [1, 0, 0, 1]),
    ("x + k", [2, 7, NAN, 2]),
    ("x ^ 0", [1, 1, NAN, 1]),
    ("1 ^ x", [1, 1, NAN, 1]),
    ("-x ^ 2", [-1, -25, NAN, -4]),
    ("x ^ .5", [1, 5**0.5, NAN, NAN]),
    ("1 / (k - 1)", [NAN, 1, 0.5, 1 / 3]),
    ("ln(x)", [0, np.log(5), NAN, NAN]),
    ("log(k)", list(np.log([1, 2, 3, 4]))),
    ("sqrt(x)", [1, 5**0.5, NAN, NAN]),
    ("exp(1000 * k)", [NAN] * 4),
    ("mod(k, 3)", [1, 2, 0, 1]),
    ("mod(x, 0)", [NAN] * 4),
    ("mod(x, 3)", [1, 2, NAN, 1]),
    ("int(x / 3)", [0, 1, NAN, 0]),
    ("abs(x)", [1, 5, NAN, 2]),
    ("max(x, k)", [1, 5, 3, 4]),
    ("min(x, 2, .)", [1, 2, 2, -2]),
    ("max(., .)", [NAN] * 4),
    ("cond(x, 1, 0)", [1, 1, 1, 1]),
    ("cond(x, 1, 0, 9)", [1, 1, 9, 1]),
    ("cond(x > 2, k, -k)", [-1, 2, 3, -4]),
    ("inlist(k, 1, 4)", [1, 0, 0, 1]),
    ("inlist(x, ., 5)", [0, 1, 1, 0]),
    ('inlist(name, "bob", "")', [0, 1, 1, 1]),
    ("inrange(x, 0, 4)", [1, 0, 0, 0]),
    ("inrange(x, ., 4)", [1, 0, 0, 1]),
    ("inrange(x, 0, .)", [1, 1, 0, 0]),
    ('inrange(name, "a", "az")', [1, 0, 0, 0]),
    ("_n", [1, 2, 3, 4]),
    ("_N - _n", [3, 2, 1, 0]),
    ("k[_n-1]", [NAN, 1, 2, 3]),
    ("k[_n+1]", [2, 3, 4, NAN]),
    ("k[1]", [1, 1, 1, 1]),
    ("k[.]", [NAN] * 4),
    ("k[1e300]", [NAN] * 4),
    ('name[_n-1] == "ann"', [0, 1, 0, 0]),
    ("yes", [1, 0, 1, 0]),
    ("whole", [1, NAN, 3, 4]),
    ("maybe", [1, NAN, 0, 1]),
    ("codes", [10, 20, NAN, 10]),
    ('group == "lo"', [1, 0, 0, 1]),
    ('group == ""', [0, 1, 0, 0]),
    ('words == "a"', [1, 0, 0, 1]),
    ("missing(words)", [0, 1, 0, 0]),
    ("mixed", [1, NAN, 2.5, 1]),
    ("huge", [NAN, NAN, 1, 2]),
    ("missing(void)", [1, 1, 1, 1]),
    ('name < "b"', [1, 1, 1, 0]),
    ('name + "!" == "ann!"', [1, 0, 0, 0]),
    ("1e308 * 10", [NAN] * 4),
    ("3", [3] * 4),
    ("round(x / 2)", [1, 3, NAN, -1]),
    ("round(k / 4, .5)", [0.5, 0.5, 1, 1]),
    ("round(1.25, 0)", [1.25] * 4),
    ("floor(x / 2)", [0, 2, NAN, -1]),
    ("ceil(x / 2)", [1, 3, NAN, -1]),
    ("trunc(x / 3)", [0, 1, NAN, 0]),
    ("sign(x)", [1, 1, NAN, -1]),
    ("log10(1000)", [3] * 4),
    ("logit(invlogit(k))", [1, 2, 3, 4]),
    ("invlogit(-1000)", [0] * 4),
    ("logit(k)", [NAN] * 4),
    # Printed tables of the normal, chi2, t and F distributions.
    ("round(normal(1.96), .0001)", [0.975] * 4),
    ("invnormal(normal(k / 4))", [0.25, 0.5, 0.75, 1]),
    ("invnormal(0)", [NAN] * 4),
    ("invnormal(1.2)", [NAN] * 4),
    ("normal(x[2] - 5) + normal(.)", [NAN] * 4),
    ("normalden(0)", [1 / np.sqrt(2 * np.pi)] * 4),
    ("normalden(k, 2) - normalden(k / 2) / 2", [0] * 4),
    ("normalden(k, 1, 3) - normalden((k - 1) / 3) / 3", [0] * 4),
    ("normalden(1, 0)", [NAN] * 4),
    ("exp(lnnormalden(k, 1, 3)) / normalden(k, 1, 3)", [1] * 4),
    ("round(lnnormal(-40), .001)", [-804.608] * 4),
    ("round(chi2(1, 3.841459), .00001)", [0.95] * 4),
    ("round(chi2tail(2, 5.991465), .00001)", [0.05] * 4),
    ("chi2tail(1, -1)", [1] * 4),
    ("round(invchi2(3, .95), .0001)", [7.8147] * 4),
    ("invchi2tail(3, .05) / invchi2(3, .95)", [1] * 4),
    ("round(invttail(10, .025), .0001)", [2.2281] * 4),
    ("round(ttail(10, 2.228139), .0001)", [0.025] * 4),
    ("round(invFtail(2, 10, .05), .0001)", [4.1028] * 4),
    ("round(Ftail(2, 10, 4.102821), .0001)", [0.05] * 4),
    ("exp(lngamma(k + 1))", [1, 2, 6, 24]),
    ("exp(lnfactorial(k))", [1, 2, 6, 24]),
    ("lnfactorial(1.5)", [NAN] * 4),
    ("comb(4, k)", [4, 6, 4, 1]),
    ("k * (digamma(k + 1) - digamma(k))", [1] * 4),
    ("round(trigamma(1), .000001)", [1.644934] * 4),
    # By reflection: trigamma(1 - x) + trigamma(x) = (_pi / sin(_pi x))^2.
    ("(trigamma(-1.3) + trigamma(2.3)) / (_pi / sin(2.3 * _pi))^2", [1] * 4),
    ("digamma(-1)", [NAN] * 4),
    ("invcloglog(cloglog(k / 5))", [0.2, 0.4, 0.6, 0.8]),
    ("1e20 * expm1(1e-20) + 1e20 * log1p(1e-20) - 1e20 * ln1m(1e-20)", [3] * 4),
    ("sin(_pi / 6) + cos(0) + tan(_pi / 4)", [2.5] * 4),
    ("asin(sin(1)) + acos(cos(1)) + atan(tan(1)) + atan2(1, 1) * 4 - _pi", [3] * 4),
    ("asinh(sinh(k)) + acosh(cosh(k)) + atanh(tanh(k))", [3, 6, 9, 12]),
    ("asin(2)", [NAN] * 4),
    ("clip(x, 0, 3)", [1, 3, NAN, 0]),
    ("clip(x, ., 3)", [1, 3, NAN, -2]),
    ("cos", [1, 2, 3, 4]),
    ("_pi", [np.pi] * 4),
    ("strlen(name)", [3, 0, 0, 3]),
    ('strpos(name, "n")', [2, 0, 0, 0]),
    ('strmatch(name, "?o*")', [0, 0, 0, 1]),
    ('strmatch("[a]", "[a]")', [1] * 4),
    ('strmatch(name, "o")', [0] * 4),
    ('regexm(name, "^[ab].*n$")', [1, 0, 0, 0]),
    ('real("1.5e1") + real(" -.5 ")', [14.5] * 4),
    ('real("1_0") + real("nan") + real("x")', [NAN] * 4),
    ('wordcount(" a  b ")', [2] * 4),
]


@pytest.mark.parametrize(("text", "expected"), NUMBERS)
def test_values(text, expected):
    result = value(text)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, np.asarray(expected, dtype=float))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("upper(name)", ["ANN", "", "", "BOB"]),
        ('lower("ÄB")', ["äb"] * 4),
        ("substr(name, 2, 1)", ["n", "", "", "o"]),
        ("substr(name, -2, .)", ["nn", "", "", "ob"]),
        ("substr(name, 0, 1) + substr(name, 9, 1)", [""] * 4),
        ("substr(name, k, 9)", ["ann", "", "", ""]),
        ('subinstr(name, "n", "m", 1)', ["amn", "", "", "bob"]),
        ('subinstr(name, "n", "", .)', ["a", "", "", "bob"]),
        ('trim("  a  b ")', ["a  b"] * 4),
        ('itrim("a   b")', ["a b"] * 4),
        ('word("one two", 2) + word("one two", -2) + word("a", 3)', ["twoone"] * 4),
        ("reverse(name)", ["nna", "", "", "bob"]),
        ("string(k / 4)", [".25", ".5", ".75", "1"]),
        ("strofreal(x)", ["1", "5", ".", "-2"]),
    ],
)
def test_functions_of_text(text, expected):
    assert list(value(text)) == expected


def test_a_million_rows():
    """Text is looked at once for equal values, and numbers by whole columns."""
    frame = pd.DataFrame(
        {"x": np.arange(1e6) % 7, "s": np.tile(np.array(["a", "bc"], dtype=object), 500_000)}
    )
    variables = Variables(frame)
    for text, kept in [("x > 3 & x < . & !missing(x)", 3 / 7), ('substr(s, 2, 1) == "c"', 1 / 2)]:
        began = time.perf_counter()
        assert condition_mask(parse_expression(text), variables).mean() == pytest.approx(kept, abs=1e-5)
        assert time.perf_counter() - began < 2.0


def test_strings():
    assert list(value('cond(k > 2, name, "none")')) == ["none", "none", "", "bob"]
    assert list(value("name[_n-1]")) == ["", "ann", "", ""]


@pytest.mark.parametrize(
    ("text", "rc", "message", "span"),
    [
        ("k > agee", 111, "variable agee not found", (4, 8)),
        ("nam == 1", 111, "variable nam not found", (0, 3)),
        ("k == name", 109, "type mismatch", (0, 9)),
        ("1 + name", 109, "type mismatch", (0, 8)),
        ("-name", 109, "type mismatch", (0, 5)),
        ("!name", 109, "type mismatch", (0, 5)),
        ("k & name", 109, "type mismatch", (0, 8)),
        ("ln(name)", 109, "type mismatch", (0, 8)),
        ("k[name]", 109, "type mismatch", (0, 7)),
        ("cond(k, name, 1)", 109, "type mismatch", (0, 16)),
        ("inlist(k, 1, name)", 109, "type mismatch", (0, 18)),
        ("strlen(k)", 109, "type mismatch", (0, 9)),
        ("substr(name, name, 1)", 109, "type mismatch", (0, 21)),
        ('regexm(name, "(")', 198, "regexp: missing ), unterminated subpattern at position 0", (13, 16)),
        ("strmatch(name, name)", 198, "invalid syntax", (15, 19)),
        ("day > 1", 109, "type mismatch: day is a date variable", (0, 3)),
        ("things", 109, "type mismatch: things holds values that are neither numbers nor text", (0, 6)),
    ],
)
def test_errors(text, rc, message, span):
    with pytest.raises(CommandError) as caught:
        value(text)
    assert (caught.value.rc, caught.value.message, caught.value.span) == (rc, message, span)


def test_the_nearest_variable_is_named():
    with pytest.raises(CommandError) as caught:
        value("nam")
    assert caught.value.hint == "did you mean name?"


CATEGORIES = pd.DataFrame(
    {
        "flags": pd.Categorical([True, False, None]),
        "parts": pd.Categorical([0.5, 1.5, 0.5]),
        "cut": pd.cut(pd.Series([1, 2, 3]), 2),
        "mixed": pd.Categorical([1, "a", None]),
        "blank": pd.Categorical(["", "a", "b"]),
    }
)


def test_categories_are_the_numbers_of_covariates():
    """An expression reads no other numbers than the equations do, or refuses."""
    variables = Variables(CATEGORIES)
    np.testing.assert_array_equal(evaluate(parse_expression("flags"), CATEGORIES), [1, 0, NAN])
    np.testing.assert_array_equal(variables.numbers("flags"), [1, 0, NAN])
    for name in ("parts", "cut", "mixed"):
        with pytest.raises(CommandError) as caught:
            evaluate(parse_expression(name), CATEGORIES)
        assert (caught.value.rc, caught.value.span) == (109, (0, len(name)))
        assert np.nanmin(variables.numbers(name)) == 1
    # The empty string is missing for both.
    assert list(evaluate(parse_expression("missing(blank)"), CATEGORIES)) == [1, 0, 0]
    np.testing.assert_array_equal(variables.numbers("blank"), [NAN, 2, 3])
    assert variables.value_labels("blank") == {2.0: "a", 3.0: "b"}


def test_decimal_numbers():
    frame = pd.DataFrame({"d": pd.Series([Decimal("1.5"), None, Decimal(2)], dtype=object)})
    np.testing.assert_array_equal(evaluate(parse_expression("d"), frame), [1.5, NAN, 2])
    np.testing.assert_array_equal(Variables(frame).numbers("d"), [1.5, NAN, 2])


def test_numbers_beyond_doubles():
    frame = pd.DataFrame({"d": pd.Series([1, 10**400], dtype=object)})
    with pytest.raises(CommandError) as caught:
        evaluate(parse_expression("d"), frame)
    assert caught.value.rc == 459


def test_variables_serve_as_the_frame():
    variables = Variables(FRAME)
    result = evaluate(parse_expression("x"), variables)
    result[:] = 0
    np.testing.assert_array_equal(variables.numbers("x"), FRAME["x"])
    assert list(condition_mask(parse_expression("x > 2"), variables)) == [False, True, True, False]


def test_condition_mask():
    assert list(condition_mask(parse_expression("x > 2"), FRAME)) == [False, True, True, False]
    assert list(condition_mask(parse_expression("x"), FRAME)) == [True] * 4
    with pytest.raises(CommandError, match="type mismatch"):
        condition_mask(parse_expression("name"), FRAME)


def test_no_rows():
    assert evaluate(parse_expression("x > 2 & k[_n-1] == 1"), FRAME.iloc[:0]).shape == (0,)


def test_the_frame_and_its_index_do_not_matter():
    frame = FRAME.set_index(pd.Index([7, 7, 1, 0]))
    before = frame.copy()
    result = evaluate(parse_expression("x"), frame)
    result[:] = 0
    pd.testing.assert_frame_equal(frame, before)


def test_a_long_chain():
    tree = parse_expression(" + ".join(["k"] * 400))
    np.testing.assert_array_equal(evaluate(tree, FRAME), 400 * np.arange(1, 5))


@pytest.mark.parametrize(
    ("first", "last", "kept"),
    [(1, 2, [1, 1, 0, 0]), (3, 3, [0, 0, 1, 0]), (-2, -1, [0, 0, 1, 1]), (2, -1, [0, 1, 1, 1])],
)
def test_row_range(first, last, kept):
    assert list(row_range_mask(RowRange(first, last), 4)) == [bool(k) for k in kept]


@pytest.mark.parametrize(("first", "last"), [(1, 5), (3, 2), (-5, -1), (5, 5)])
def test_row_range_outside(first, last):
    with pytest.raises(CommandError, match="observation numbers out of range") as caught:
        row_range_mask(RowRange(first, last, (3, 9)), 4)
    assert (caught.value.rc, caught.value.span) == (198, (3, 9))


# --- against an interpreter of single numbers ------------------------------------------------

LEAVES = ["x", "k", "_n", "_N", "x[_n-1]", "k[_n+1]", "1", "2.5", "0", ".", ".a", ".z"]
OPERATORS = [*"+-*/^&|<>", "==", "!=", "<=", ">="]
arithmetic = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(" ".join),
        st.tuples(st.sampled_from("-!"), inner).map("".join),
        inner.map(lambda e: f"({e})"),
        st.tuples(st.sampled_from(["missing({})", "abs({})", "max({}, 1)", "cond({}, 1, 2)"]), inner).map(
            lambda e: e[0].format(e[1])
        ),
    ),
    max_leaves=8,
)


def one(node, row):
    """The value of an expression in one row: a number, or the literal of a missing value."""
    match node:
        case Number():
            return node.missing or node.value
        case Name("_n"):
            return row + 1.0
        case Name("_N"):
            return 4.0
        case Name():
            value = FRAME[node.name][row]
            return "." if np.isnan(value) else float(value)
        case Indexed():
            index = one(node.index, row)
            return one(Name(node.name), int(index) - 1) if 1 <= index <= 4 else "."
        case Unary("!"):
            return float(one(node.operand, row) == 0)
        case Unary():
            value = one(node.operand, row)
            return "." if isinstance(value, str) else -value
        case Call("missing"):
            return float(isinstance(one(node.arguments[0], row), str))
        case Call("abs"):
            value = one(node.arguments[0], row)
            return "." if isinstance(value, str) else abs(value)
        case Call("max"):
            value = one(node.arguments[0], row)
            return 1.0 if isinstance(value, str) else max(value, 1.0)
        case Call("cond"):
            return 1.0 if one(node.arguments[0], row) != 0 else 2.0
        case Binary("&"):
            return float(one(node.left, row) != 0 and one(node.right, row) != 0)
        case Binary("|"):
            return float(one(node.left, row) != 0 or one(node.right, row) != 0)
    return two(node.operator, one(node.left, row), one(node.right, row))


COMPARED = {"==": eq, "!=": ne, "<": lt, ">": gt, "<=": le, ">=": ge}


def two(operator, left, right):
    """Comparisons rank missing values; arithmetic with them, and without a real result, gives a period."""
    if operator in COMPARED:
        ranks = [(1, ord(v[1:] or " ")) if isinstance(v, str) else (0, v) for v in (left, right)]
        return float(COMPARED[operator](*ranks))
    if isinstance(left, str) or isinstance(right, str):
        return "."
    try:
        result = {"+": add, "-": sub, "*": mul, "/": truediv, "^": pow}[operator](left, right)
    except (ZeroDivisionError, OverflowError):
        return "."
    return "." if isinstance(result, complex) or not np.isfinite(result) else result


@settings(max_examples=150 * int(os.environ.get("MEMAGIC_FUZZ", "1")), deadline=None)
@given(arithmetic)
def test_columns_and_single_numbers_agree(text):
    tree = parse_expression(text)
    expected = [one(tree, row) for row in range(4)]
    numbers = [np.nan if isinstance(v, str) else v for v in expected]
    np.testing.assert_allclose(evaluate(tree, FRAME), numbers, rtol=1e-12, atol=0)
