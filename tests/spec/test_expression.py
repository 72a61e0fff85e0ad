"""Precedence and literals of expressions."""

import math

import pytest

from memagic.errors import CommandError
from memagic.spec.expression import parse_expression
from memagic.spec.printer import expression_text
from memagic.spec.tree import Binary, Call, Indexed, Name, Number, String, Unary

GROUPED = [
    ("a + b - c", "(a + b) - c"),
    ("a / b * c", "(a / b) * c"),
    ("a + b * c", "a + (b * c)"),
    ("-a ^ 2", "-(a ^ 2)"),
    ("-a * b", "(-a) * b"),
    ("a ^ -b ^ c", "(a ^ (-b)) ^ c"),
    ("!a == b", "(!a) == b"),
    ("!a ^ 2", "(!a) ^ 2"),
    ("a == b & c != d | e", "((a == b) & (c != d)) | e"),
    ("a | b & c", "a | (b & c)"),
    ("a < b == c", "(a < b) == c"),
    ("a - -b", "a - (-b)"),
    ("a > b + 1", "a > (b + 1)"),
    ("~a ~= b", "(!a) != b"),
]


@pytest.mark.parametrize(("text", "grouped"), GROUPED)
def test_precedence(text, grouped):
    tree = parse_expression(text)
    assert tree == parse_expression(grouped)
    assert parse_expression(expression_text(tree)) == tree


def test_parentheses_that_are_needed_are_kept():
    for text in [
        "(a + b) * c",
        "a - (b - c)",
        "(-a) ^ 2",
        "-(a + b)",
        "!(a & b)",
        "a ^ (b ^ c)",
        "2 ^ (-a ^ 2)",
    ]:
        assert expression_text(parse_expression(text)) == text


def test_leaves():
    assert parse_expression("x[_n-1]") == Indexed("x", Binary("-", Name("_n"), Number(1.0)))
    assert parse_expression('"a b"') == String("a b")
    assert parse_expression('`"say "hi""\'') == String('say "hi"')
    assert parse_expression("mi(x, y)") == Call("missing", (Name("x"), Name("y")))
    assert parse_expression("+x") == Unary("+", Name("x"))
    assert [parse_expression(t).value for t in ("1", "1.", ".5", "1.5e-3", "2E2")] == [1, 1, 0.5, 0.0015, 200]
    for text in (".", ".a", ".z"):
        number = parse_expression(text)
        assert number.missing == text
        assert math.isnan(number.value)


def test_spans():
    tree = parse_expression("a + ln(b) * 2")
    assert tree.span == (0, 13)
    assert tree.right.span == (4, 13)
    assert tree.right.left.span == (4, 9)


@pytest.mark.parametrize(
    "text", ["", "a b", "a +", "* a", "()", "ln()", "ln(a,)", "x[", "x[]", ".A", "1 2", "a = b", "f(x"]
)
def test_invalid(text):
    with pytest.raises(CommandError) as caught:
        parse_expression(text)
    assert caught.value.span is not None
    assert caught.value.text == text


def test_a_long_chain():
    tree = parse_expression(" | ".join(f"x == {k}" for k in range(190)))
    assert parse_expression(expression_text(tree)) == tree
