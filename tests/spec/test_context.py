"""What may be typed at a place of a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagic.spec.context import expected
from memagic.spec.expected import Expected
from memagic.spec.options import options_of


def at(text: str) -> Expected:
    """What is expected where the text has a caret."""
    place = text.index("^")
    found = expected(text.replace("^", ""), place)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "fragment", "source"),
    [
        ("melogit ^", "", "variable"),
        ("melogit c_u^", "c_u", "variable"),
        ("melogit y ag^ || g:", "ag", "variable"),
        ("melogit y i.ur^", "ur", "variable"),
        ("melogit y c.a#i.b^", "b", "variable"),
        ("melogit y x || dis^", "dis", "variable"),
        ("melogit y x || g: i.^", "", "variable"),
        ("melogit y x if a^", "a", "variable"),
        ("melogit y x, offset(lo^)", "lo", "variable"),
        ("melogit y x || g:, pweight(^)", "", "variable"),
        ("melogit y x [pw=w^]", "w", "variable"),
        ("quietly by region: melogit y x^", "x", "variable"),
        ("by reg^", "reg", "variable"),
        ("svy: melogit y x^", "x", "variable"),
        ("use ban^", "ban", "data"),
        ("estimates restore r_^", "r_", "result"),
        ("melogit y || g:, covariance(fixed(A^))", "A", "matrix"),
    ],
)
def test_names(text: str, fragment: str, source: str) -> None:
    found = at(text)
    assert found.fragment == fragment
    assert source in found.sources


@pytest.mark.parametrize(
    ("text", "word", "kind"),
    [
        ("^", "melogit", "command"),
        ("mel^", "melogit", "command"),
        ("quietly ^", "melogit", "command"),
        ("svy: ^", "melogit", "command"),
        ("melogit y x, ^ || g:", "noconstant", "option"),
        ("melogit y x || g:, cov^", "covariance(", "option"),
        ("melogit y x || g:, covariance(un^)", "unstructured", "value"),
        ("melogit y x || g:, intmethod(^)", "laplace", "value"),
        ("melogit, ^", "level(", "option"),
        ("estimates ^", "store", "command"),
    ],
)
def test_words(text: str, word: str, kind: str) -> None:
    found = at(text)
    assert word in found.words
    if kind != "command":
        assert found.kind == kind


def test_options_are_those_of_the_scope() -> None:
    words = at("melogit y x || g:, ^").words
    taken = {word.removesuffix("(") for word in words}
    assert taken == {spec.name for spec in options_of("melogit", "random", "global")}
    # One that takes something is completed with its parenthesis; one that is there is not offered again.
    assert "covariance(" in words
    assert "or" in words
    again = at("melogit y x || g:, covariance(unstructured) or ^").words
    assert not {"covariance(", "or"} & set(again)


def test_replays_have_display_options_only() -> None:
    words = at("melogit, ^").words
    assert "or" in words
    assert "covariance(" not in words
    assert "intpoints(" not in words


def test_levels() -> None:
    assert at("melogit y ib^").levels_of is None
    found = at("melogit y x if region == ^")
    assert (found.levels_of, found.quoted) == ("region", True)


@pytest.mark.parametrize(
    "text", ['melogit y if region == "no^', "melogit y // x^", "melogit y /* x^ */", "* mel^"]
)
def test_nothing_in_comments_and_strings(text: str) -> None:
    place = text.index("^")
    assert expected(text.replace("^", ""), place) is None


PIECES = [
    "melogit ",
    "y x ",
    "|| g: ",
    ", ",
    "cov(",
    "un",
    ")",
    "i.",
    "#",
    "if ",
    "x == ",
    '"a"',
    "[pw=",
    "]",
    "by g: ",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=12).map("".join), st.data())
def test_any_text_at_any_place(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(-1, len(text) + 1))
    found = expected(text, place)
    if found is not None:
        cursor = min(max(place, 0), len(text))
        assert text[:cursor].endswith(found.fragment)
