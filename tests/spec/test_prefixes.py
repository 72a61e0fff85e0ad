"""Prefixes of commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagic.errors import CommandError
from memagic.spec.prefixes import Prefixed, read_prefixes

FIT = "melogit y x || g:"


@pytest.mark.parametrize(
    ("prefix", "quiet", "capture"),
    [
        ("quietly ", True, False),
        ("qui ", True, False),
        ("quietly: ", True, False),
        ("noisily ", False, False),
        ("n ", False, False),
        ("capture ", True, True),
        ("cap noi ", False, True),
        ("capture quietly ", True, True),
        ("quietly noisily ", False, False),
    ],
)
def test_words(prefix: str, quiet: bool, capture: bool) -> None:
    found = read_prefixes(prefix + FIT)
    assert (found.quiet, found.capture, found.by) == (quiet, capture, None)
    assert found.text == " " * len(prefix) + FIT
    assert not found.plain


@pytest.mark.parametrize("text", [FIT, "qu melogit y", "ca x", "byte x", "bysorted x: y", "est dir", "", "'"])
def test_no_prefix(text: str) -> None:
    assert read_prefixes(text) == Prefixed(text)


def test_by() -> None:
    found = read_prefixes(f"quietly by region sex, rc0: {FIT}")
    assert found.quiet
    assert found.by is not None
    assert [name for name, _ in found.by.variables] == ["region", "sex"]
    assert (found.by.sort, found.by.go_on) == (False, True)
    assert found.text.strip() == FIT
    sorted_ = read_prefixes(f"bys region (time): {FIT}").by
    assert sorted_ is not None
    assert ([name for name, _ in sorted_.within], sorted_.sort) == (["time"], True)
    option = read_prefixes(f"by region, sort: {FIT}").by
    assert option is not None
    assert (option.variables[0][0], option.sort) == ("region", True)


@pytest.mark.parametrize(
    ("text", "rc", "message", "at"),
    [
        ("by: melogit y", 100, "varlist required", ":"),
        ("by region melogit y", 198, "invalid syntax", "region"),
        ("by region + 1: melogit y", 198, "invalid '+'", "+"),
        ("by region, sorted: melogit y", 198, "option sorted not allowed", "sorted"),
        ("by a: by b: melogit y", 198, "by may not be combined with by", "by"),
        ("quietly", 199, "no command", None),
    ],
)
def test_refused(text: str, rc: int, message: str, at: str | None) -> None:
    with pytest.raises(CommandError) as raised:
        read_prefixes(text)
    error = raised.value
    assert (error.rc, error.message, error.text) == (rc, message, text)
    if at is not None:
        assert error.span is not None
        assert text[slice(*error.span)] == at


@given(
    st.lists(st.sampled_from(["quietly", "n", "cap", "by g:", "bysort a b:", "\n"]), max_size=3),
    st.text(max_size=40),
)
def test_places_stay(prefixes: list[str], rest: str) -> None:
    text = " ".join([*prefixes, rest])
    try:
        found = read_prefixes(text)
    except CommandError:
        return
    assert len(found.text) == len(text)
    assert all(a == b or a == " " for a, b in zip(found.text, text, strict=True))
    assert found.text.count("\n") == text.count("\n")
