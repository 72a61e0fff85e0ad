"""Variables by name, abbreviation, pattern and range, and commands with them written out."""

from __future__ import annotations

import pandas as pd
import pytest

from memagic.data.names import match_name, match_names
from memagic.data.resolve import resolve
from memagic.errors import CommandError
from memagic.spec.parser import parse_command
from memagic.spec.printer import unparse
from memagic.spec.tree import TimeSettings

NAMES = ("y", "inc1", "inc2", "income", "age", "ageband", "x10", "x1", "größe", "a_b", "id")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("y", "y"),
        # A name in full is itself, whatever else starts with it.
        ("age", "age"),
        ("x1", "x1"),
        ("ageb", "ageband"),
        ("inco", "income"),
        ("grö", "größe"),
        ("inc*", "inc1 inc2 income"),
        ("*", " ".join(NAMES)),
        ("*1", "inc1 x1"),
        ("inc?", "inc1 inc2"),
        ("??", "x1 id"),
        ("x1*", "x10 x1"),
        ("*n*", "inc1 inc2 income ageband"),
        ("i*m*e", "income"),
        ("a*a*d", "ageband"),
        ("a*", "age ageband a_b"),
        ("x~0", "x10"),
        ("inc~e", "income"),
        ("inc1-age", "inc1 inc2 income age"),
        ("age-age", "age"),
        ("ageb-x10", "ageband x10"),
        ("_all", " ".join(NAMES)),
        ("a?b", "a_b"),
        ("*b", "a_b"),
        ("ge*e", None),
    ],
)
def test_matching(typed: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(CommandError):
            match_names(typed, NAMES)
        return
    assert match_names(typed, NAMES) == expected.split()


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        ("inc", "inc ambiguous abbreviation", "it may be inc1, inc2, income"),
        ("in", "in ambiguous abbreviation", "it may be inc1, inc2, income"),
        ("inc~", "inc~ ambiguous abbreviation", "it may be inc1, inc2, income"),
        ("aeg", "variable aeg not found", "did you mean age?"),
        ("zz*", "variable zz* not found", None),
        ("age*x1", "variable age*x1 not found", "interactions are age#x1, or age##x1"),
        ("x1-inc1", "x1-inc1: variables out of order", "inc1 comes before x1 in the data; type inc1-x1"),
        ("inc-x1", "inc ambiguous abbreviation", "it may be inc1, inc2, income"),
        ("Age", "variable Age not found", "did you mean age?"),
        ("x1**2", "variable x1**2 not found", "powers are products: c.x#c.x is the square of x"),
    ],
)
def test_no_match(typed: str, message: str, hint: str | None) -> None:
    with pytest.raises(CommandError) as caught:
        match_names(typed, NAMES, (3, 5))
    assert (caught.value.rc, caught.value.message, caught.value.span) == (111, message, (3, 5))
    assert caught.value.hint == hint


def test_ambiguous_ones_are_listed_up_to_a_number() -> None:
    many = [f"v{k}" for k in range(30)]
    with pytest.raises(CommandError) as caught:
        match_name("v", many)
    assert caught.value.hint == "it may be " + ", ".join(many[:10]) + " and 20 more"


def test_without_abbreviations() -> None:
    with pytest.raises(CommandError) as caught:
        match_names("ageb", NAMES, abbreviations=False)
    assert caught.value.message == "variable ageb not found"
    assert caught.value.hint == "abbreviations are off (set varabbrev off); it may be ageband"
    assert match_names("ageb*", NAMES, abbreviations=False) == ["ageband"]


def test_many_stars_take_no_time() -> None:
    """A pattern that could divide the name in very many ways fits or not at once."""
    assert match_names("*a" * 40 + "*", ["a" * 60]) == ["a" * 60]
    with pytest.raises(CommandError):
        match_names("*a" * 40 + "b", ["a" * 60])


FRAME = pd.DataFrame(columns=[*NAMES, "district", "trials", "weight"])


def resolved(text: str, **options: object) -> str:
    return unparse(resolve(parse_command(text), FRAME, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("meglm y inc* || dist:", "meglm y inc1 inc2 income || district:"),
        (
            "meglm y inc1-ageb x1 || dist: ageb",
            "meglm y inc1 inc2 income age ageband x1 || district: ageband",
        ),
        ("meglm y i.inc?#c.x1", "meglm y i.inc1#c.x1 i.inc2#c.x1"),
        ("meglm y i.(inc? id)##c.x1", "meglm y i.inc1 i.inc2 x1 i.inc1#c.x1 i.inc2#c.x1 i.id i.id#c.x1"),
        # Each term once, also where patterns overlap.
        ("meglm y inc* inco c.inc1", "meglm y inc1 inc2 income"),
        ("meglm y inc?#inc?", "meglm y i.inc1#i.inc1 i.inc1#i.inc2 i.inc2#i.inc2"),
        ("meglm y L(0/1).inc? || _all: R.dist", "meglm y inc1 inc2 L.inc1 L.inc2 || _all: R.district"),
        ("meglm D.inco x1", "meglm D.income x1"),
        ("meglm y x1 if ageb > 2 & !missing(inco[_n-1]) in 1/2", None),
        ("meglm y x1, offset(wei) || id:", "meglm y x1, offset(weight) || id:"),
        (
            "meglm y x1 [pw=wei] || dist:, pw(tri)",
            "meglm y x1 [pweight=weight] || district:, pweight(trials)",
        ),
        ("meglm y x1 || id:, vce(cl dist)", "meglm y x1 || id:, vce(cluster district)"),
        ("melogit y x1, bin(tri)", "melogit y x1, binomial(trials)"),
        ("meglm y x1, family(bin tri)", "meglm y x1, family(binomial trials)"),
    ],
)
def test_commands(typed: str, full: str | None) -> None:
    expected = full or "meglm y x1 if ageband > 2 & !missing(income[_n - 1]) in 1/2"
    assert resolved(typed) == expected


def test_time_goes_with_the_command() -> None:
    settings = TimeSettings("age", "id")
    assert resolve(parse_command("meglm y x1"), FRAME, time=settings).time == settings


@pytest.mark.parametrize(
    ("typed", "marked"),
    [
        ("meglm y inc || id:", "inc"),
        ("meglm y zz* || id:", "zz*"),
        ("meglm y x1 || distr: nothere", "nothere"),
        ("meglm y x1 || inc: x1", "inc"),
        ("meglm y x1 if inc > 1", "inc"),
        ("meglm y x1, offset(inc)", "inc"),
        ("meglm yy x1", "yy"),
    ],
)
def test_errors_have_their_place(typed: str, marked: str) -> None:
    with pytest.raises(CommandError) as caught:
        resolved(typed)
    assert caught.value.rc == 111
    assert caught.value.span is not None
    assert typed[slice(*caught.value.span)] == marked


def test_long_conditions_are_no_trouble() -> None:
    """Deeper than Python's own stack."""
    text = "meglm y x1 if " + " + ".join(["ageb"] * 400)
    assert resolved(text).count("ageband") == 400


def test_too_many_terms() -> None:
    wide = pd.DataFrame(columns=["y", *(f"v{k}" for k in range(200))])
    with pytest.raises(CommandError) as caught:
        resolve(parse_command("meglm y c.v*#c.v*#c.v*"), wide)
    assert caught.value.rc == 103
