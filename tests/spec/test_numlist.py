"""Number lists: every form of the manual, and what is none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memagic.errors import CommandError
from memagic.spec.numlist import parse_numlist


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2", [2]),
        ("1 2 3", [1, 2, 3]),
        ("3 2 1", [3, 2, 1]),
        (".5 1 1.5", [0.5, 1, 1.5]),
        ("-2.12 1 2.5e1", [-2.12, 1, 25]),
        ("1/3", [1, 2, 3]),
        ("3/1", [3, 2, 1]),
        ("5/8", [5, 6, 7, 8]),
        ("-8/-5", [-8, -7, -6, -5]),
        ("1.5/4", [1.5, 2.5, 3.5]),
        ("1 2 to 4", [1, 2, 3, 4]),
        ("1 2:4", [1, 2, 3, 4]),
        ("4 3 to 1", [4, 3, 2, 1]),
        ("10 15 to 30", [10, 15, 20, 25, 30]),
        ("1 2 4 to 9", [1, 2, 4, 6, 8]),
        ("1(2)9", [1, 3, 5, 7, 9]),
        ("1[2]9", [1, 3, 5, 7, 9]),
        ("1 (2) 10", [1, 3, 5, 7, 9]),
        ("9(-2)1", [9, 7, 5, 3, 1]),
        ("9[-2]1", [9, 7, 5, 3, 1]),
        ("-1(.5)2.5", [-1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5]),
        ("1 2 3/5 8(2)12", [1, 2, 3, 4, 5, 8, 10, 12]),
        ("1,2,3/5 8[2]12", [1, 2, 3, 4, 5, 8, 10, 12]),
        ("1 2 3/5 8 10 to 12", [1, 2, 3, 4, 5, 8, 10, 12]),
        ("1,2,3/5,8 10:12", [1, 2, 3, 4, 5, 8, 10, 12]),
        ("1 2 to 4 8 10 to 14", [1, 2, 3, 4, 8, 10, 12, 14]),
        ("7/7", [7]),
        ("-0", [0]),
        ("+1", [1]),
    ],
)
def test_forms(text, numbers):
    assert list(parse_numlist(text)) == numbers


def test_steps_that_binary_numbers_miss():
    assert parse_numlist("0(.1).3") == pytest.approx((0, 0.1, 0.2, 0.3), abs=1e-15)
    assert len(parse_numlist("0(.01)1")) == 101


@pytest.mark.parametrize(
    ("text", "rc", "message", "place"),
    [
        ("", 122, "invalid numlist has too few elements", None),
        ("a", 121, "invalid numlist", "a"),
        ("1 x", 121, "invalid numlist", "x"),
        ("1/", 121, "invalid numlist", None),
        ("1 to 4", 121, "invalid numlist", "1 to"),
        ("to 4", 121, "invalid numlist", "to"),
        ("1 1 to 4", 121, "invalid numlist", "to 4"),
        ("1 2 to 0", 121, "invalid numlist", "to 0"),
        ("1(0)4", 121, "invalid numlist", "1(0)4"),
        ("1(-1)4", 121, "invalid numlist", "1(-1)4"),
        ("1(2 3)4", 121, "invalid numlist", "3"),
        ("1(2)", 121, "invalid numlist", None),
        (",1", 121, "invalid numlist", ","),
        ("1,,2", 121, "invalid numlist", ","),
        ("1/1e9", 123, "invalid numlist has too many elements", "1/1e9"),
        ("1/2500 1", 123, "invalid numlist has too many elements", "1/2500 1"),
        ("1e999", 198, "invalid '1e999'", "1e999"),
    ],
)
def test_no_number_lists(text, rc, message, place):
    with pytest.raises(CommandError) as caught:
        parse_numlist(text)
    error = caught.value
    assert (error.rc, error.message) == (rc, message)
    assert place is None or error.text[slice(*error.span)] == place


def test_the_longest_list():
    assert len(parse_numlist("1/2500")) == 2500


@settings(max_examples=100, deadline=None)
@given(st.integers(-50, 50), st.integers(1, 7), st.integers(0, 40), st.booleans())
def test_ways_to_say_one_list(start, step, count, down):
    step = -step if down else step
    expected = tuple(float(start + k * step) for k in range(count + 1))
    last = start + count * step
    assert parse_numlist(f"{start}({step}){last}") == expected
    assert parse_numlist(" ".join(str(int(number)) for number in expected)) == expected
    if count > 1:
        assert parse_numlist(f"{start} {start + step} to {last}") == expected
    if abs(step) == 1:
        assert parse_numlist(f"{start}/{last}") == expected
