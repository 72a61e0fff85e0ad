"""Factor variables to columns: which there are, in which order, and what they are called."""

from __future__ import annotations

import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from memagic.data.coded import coded_terms, dense, moments
from memagic.data.collinear import dependent_columns
from memagic.data.design import Design, make_design
from memagic.data.terms import expand, expand_with_bases, values_of
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.parser import parse_command
from memagic.spec.varlist import parse_varlist

_rng = np.random.default_rng(11)
N = 120
FRAME = pd.DataFrame(
    {
        "y": _rng.normal(size=N),
        "a": np.arange(N) % 2,
        "b": np.arange(N) // 2 % 2,
        "h": np.arange(N) // 4 % 2,
        # Levels 1, 2, 3 with 30, 60 and 30 rows.
        "g": np.tile([1, 2, 3, 2], N // 4)[_rng.permutation(N)],
        "x": _rng.normal(size=N),
        "z": _rng.normal(size=N),
        "half": np.tile([0.5, 1.0], N // 2),
        "minus": np.tile([-1, 1], N // 2),
        "big": np.tile([1, 40_000], N // 2),
        "word": np.tile(["u", "v"], N // 2),
    }
)


def columns(varlist: str, frame: pd.DataFrame = FRAME, sample: np.ndarray | None = None) -> list[str]:
    """Names of the columns of a variable list, in the order of `e(b)`."""
    rows = np.ones(len(frame), dtype=bool) if sample is None else sample
    found = expand(Variables(frame), parse_varlist(varlist), rows)
    return [column.name for column in found if column.state == "estimated"]


def design(text: str, frame: pd.DataFrame = FRAME) -> Design:
    return make_design(parse_command(f"meglm {text}"), frame, None)


def states(found: Design) -> dict[str, str]:
    return {column.name: column.state for column in found.fixed}


@pytest.mark.parametrize(
    ("varlist", "expected"),
    [
        ("x", "x"),
        ("c.x", "x"),
        ("i.g", "2.g 3.g"),
        ("ibn.g", "1.g 2.g 3.g"),
        ("ib2.g", "1.g 3.g"),
        ("b2.g", "1.g 3.g"),
        ("ib(#3).g", "1.g 2.g"),
        ("ib(first).g", "2.g 3.g"),
        ("ib(last).g", "1.g 2.g"),
        ("ib(freq).g", "1.g 3.g"),
        ("i2.g", "2.g"),
        ("2.g", "2.g"),
        ("i(1 3).g", "1.g 3.g"),
        ("i(1/3).g", "1.g 2.g 3.g"),
        ("o2.g", "1.g 3.g"),
        ("io(2/3).g", "1.g"),
        ("x i.g z", "x 2.g 3.g z"),
        ("i.(a g)", "1.a 2.g 3.g"),
        # An interaction alone has all cells but one.
        ("a#b", "0.a#1.b 1.a#0.b 1.a#1.b"),
        ("a##b", "1.a 1.b 1.a#1.b"),
        ("i.a i.b a#b", "1.a 1.b 1.a#1.b"),
        ("a##ib1.b", "1.a 0.b 1.a#0.b"),
        # b nested in a: an effect of b in each level of a.
        ("i.a a#b", "1.a 0.a#1.b 1.a#1.b"),
        ("i.b a#b", "1.b 1.a#0.b 1.a#1.b"),
        ("a##b##h", "1.a 1.b 1.a#1.b 1.h 1.a#1.h 1.b#1.h 1.a#1.b#1.h"),
        (
            "a#b#h",
            "0.a#0.b#1.h 0.a#1.b#0.h 0.a#1.b#1.h 1.a#0.b#0.h 1.a#0.b#1.h 1.a#1.b#0.h 1.a#1.b#1.h",
        ),
        # A slope in each level, or differences from the base's slope.
        ("g#c.x", "1.g#c.x 2.g#c.x 3.g#c.x"),
        ("x g#c.x", "x 2.g#c.x 3.g#c.x"),
        ("i.g g#c.x", "2.g 3.g 1.g#c.x 2.g#c.x 3.g#c.x"),
        ("g##c.x", "2.g 3.g x 2.g#c.x 3.g#c.x"),
        ("ib3.g##c.x", "1.g 2.g x 1.g#c.x 2.g#c.x"),
        ("g#c.(x z)", "1.g#c.x 2.g#c.x 3.g#c.x 1.g#c.z 2.g#c.z 3.g#c.z"),
        ("c.x#c.x", "c.x#c.x"),
        ("c.x##c.x", "x c.x#c.x"),
        ("c.x##c.z", "x z c.x#c.z"),
        ("a##b##c.x", "1.a 1.b 1.a#1.b x 1.a#c.x 1.b#c.x 1.a#1.b#c.x"),
        # A level that was named is not the whole factor: the other cells have columns of their own.
        ("3.g a#g", "3.g 0.a#2.g 1.a#1.g 1.a#2.g 1.a#3.g"),
        ("o3.g a#g", "1.g 2.g 0.a#3.g 1.a#1.g 1.a#2.g 1.a#3.g"),
        ("i.a 3.g a#3.g", "1.a 3.g 1.a#3.g"),
        ("x c.x#c.x#g", "x c.x#c.x#1.g c.x#c.x#2.g c.x#c.x#3.g"),
        # A base is the variable's wherever it stands, unless it has another there.
        ("ib2.g g#c.x x", "1.g 3.g 1.g#c.x 3.g#c.x x"),
        ("i.g g#c.x x ib3.g", "1.g 2.g 1.g#c.x 2.g#c.x x"),
        ("ib2.g ib3.g#c.x x", "1.g 3.g 1.g#c.x 2.g#c.x x"),
        ("ibn.g g#c.x x", "1.g 2.g 3.g 2.g#c.x 3.g#c.x x"),
        ("ib2.g 2.g#c.x", "1.g 3.g 2.g#c.x"),
        # Each column once, however often it is listed.
        ("i.g i.g x x", "2.g 3.g x"),
        ("a##b a##h", "1.a 1.b 1.a#1.b 1.h 1.a#1.h"),
    ],
)
def test_names_and_order(varlist: str, expected: str) -> None:
    assert columns(varlist) == expected.split()


@pytest.mark.parametrize(
    ("varlist", "rank"),
    [
        ("3.g a#g", 6),
        ("a#b", 4),
        ("i.a a#b", 4),
        ("a##b##h", 8),
        ("a#b#h", 8),
        ("g##c.x", 6),
        ("i.g g#c.x", 6),
        ("g##a", 6),
    ],
)
def test_columns_span_the_cells(varlist: str, rank: int) -> None:
    """With the constant, the columns are independent and as many as there are cells or slopes."""
    found = design(f"y {varlist}")
    assert set(states(found).values()) == {"estimated"}
    assert found.x.shape[1] == np.linalg.matrix_rank(found.x) == rank


def test_values() -> None:
    variables = Variables(FRAME)
    everywhere = np.ones(N, dtype=bool)
    made = {
        column.name: values_of(variables, column, slice(None))
        for column in expand(variables, parse_varlist("g##c.x c.x#c.x"), everywhere)
    }
    np.testing.assert_array_equal(made["2.g"], (FRAME["g"] == 2).to_numpy(float))
    np.testing.assert_array_equal(made["3.g#c.x"], ((FRAME["g"] == 3) * FRAME["x"]).to_numpy())
    np.testing.assert_array_equal(made["c.x#c.x"], (FRAME["x"] ** 2).to_numpy())


def test_base_is_of_the_estimation_sample() -> None:
    assert [c.name for c in design("y i.g if g > 1").fixed] == ["3.g", "_cons"]
    missing = FRAME.assign(x=FRAME["x"].where(FRAME["g"] != 1))
    assert [c.name for c in design("y i.g x", missing).fixed] == ["3.g", "x", "_cons"]
    # Without level 2, the most frequent of all rows, the levels 1 and 3 are left.
    only = design("y ib(freq).g if g != 2 & !(g == 1 & x > 0)")
    assert [c.name for c in only.fixed] == ["1.g", "_cons"]


def test_base_that_no_observation_has() -> None:
    with pytest.raises(CommandError) as caught:
        design("y ib1.g if g > 1")
    assert caught.value.rc == 198
    assert caught.value.message == "g: base level 1 is not in the estimation sample"
    assert caught.value.hint == "its levels are 2, 3"
    with pytest.raises(CommandError) as caught:
        design("y ib(#4).g")
    assert (caught.value.rc, caught.value.span) == (198, (8, 16))
    with pytest.raises(CommandError) as caught:
        design("y g#c.x ib9.g")
    assert (caught.value.rc, caught.value.span) == (198, (14, 19))


def test_headings() -> None:
    found = design("y x i.g a##b g#c.z c.x#c.x")
    assert [(c.name, c.heading) for c in found.fixed] == [
        ("x", ""),
        ("2.g", "g"),
        ("3.g", "g"),
        ("1.a", "a"),
        ("1.b", "b"),
        ("1.a#1.b", "a#b"),
        ("1.g#c.z", "g#c.z"),
        ("2.g#c.z", "g#c.z"),
        ("3.g#c.z", "g#c.z"),
        ("c.x#c.x", ""),
        ("_cons", ""),
    ]


def test_empty_cell() -> None:
    found = design("y a##g if !(a == 1 & g == 3)")
    assert states(found)["1.a#3.g"] == "empty"
    assert found.notes == ("note: 1.a#3.g identifies no observations in the sample.",)
    assert found.x.shape[1] == 5
    assert design("y i9.g").notes == ("note: 9.g identifies no observations in the sample.",)


@pytest.mark.parametrize(
    ("text", "omitted"),
    [
        ("y x double", ["double"]),
        ("y double x", ["x"]),
        ("y x seven", ["seven"]),
        ("y zero x", ["zero"]),
        ("y x z sum", ["sum"]),
        ("y x sum z", ["z"]),
        ("y ibn.g", ["3.g"]),
        ("y ibn.g, noconstant", []),
        ("y seven, noconstant", []),
        ("y seven ibn.g, noconstant", ["3.g"]),
        ("y ibn.a ibn.b, noconstant", ["1.b"]),
        ("y i.a i.copy", ["1.copy"]),
        ("y x shifted", ["shifted"]),
        ("y x shifted, noconstant", []),
    ],
)
def test_collinear(text: str, omitted: list[str]) -> None:
    """The first stay and the later ones go, with a note each."""
    frame = FRAME.assign(
        double=2 * FRAME["x"],
        seven=7.0,
        zero=0,
        sum=FRAME["x"] - 3 * FRAME["z"],
        copy=FRAME["a"],
        shifted=1e3 - FRAME["x"],
    )
    found = design(text, frame)
    gone = [c.name for c in found.fixed if c.state == "omitted" and c.factors]
    assert gone == omitted
    assert found.notes == tuple(f"note: {name} omitted because of collinearity." for name in omitted)
    assert found.x.shape[1] == sum(state == "estimated" for state in states(found).values())
    assert np.linalg.matrix_rank(found.x) == found.x.shape[1]


def test_scales_far_apart_are_not_collinear() -> None:
    """Years, their squares and a variable in the billions."""
    year = 1990.0 + np.arange(N) % 30
    frame = FRAME.assign(year=year, money=1e9 * (2 + _rng.normal(size=N)), tiny=1e-9 * FRAME["z"])
    found = design("y c.year##c.year money tiny", frame)
    assert set(states(found).values()) == {"estimated"}


def test_noconstant_keeps_a_place_for_the_constant() -> None:
    found = design("y x, noconstant")
    assert states(found) == {"x": "estimated", "_cons": "omitted"}
    assert found.x.shape == (N, 1)


@pytest.mark.parametrize(
    ("text", "rc", "message", "span", "hint"),
    [
        (
            "y i.half",
            452,
            "half:  factor variables may not contain noninteger values",
            (8, 14),
            "c.half enters it as a continuous variable",
        ),
        (
            "y i.minus",
            452,
            "minus:  factor variables may not contain negative values",
            (8, 15),
            "c.minus enters it as a continuous variable",
        ),
        (
            "y i.big",
            452,
            "big:  factor variables may not contain values above 32740",
            (8, 13),
            "c.big enters it as a continuous variable",
        ),
        ("y a#half", 452, "half:  factor variables may not contain noninteger values", (10, 14), "c.half"),
        ("y i.wrod", 111, "variable wrod not found", (8, 14), "did you mean word?"),
        ("y x nothere", 111, "variable nothere not found", (10, 17), None),
        ("yy x", 111, "variable yy not found", (6, 8), None),
        ("y x || gg: x", 111, "variable gg not found", (13, 15), None),
        ("y x || a: nothere", 111, "variable nothere not found", (16, 23), None),
        ("y x, offset(nothere)", 111, "variable nothere not found", (18, 25), None),
        ("y x if nothere > 2", 111, "variable nothere not found", (13, 20), None),
    ],
)
def test_errors_have_their_place(
    text: str, rc: int, message: str, span: tuple[int, int], hint: str | None
) -> None:
    with pytest.raises(CommandError) as caught:
        design(text)
    assert (caught.value.rc, caught.value.message, caught.value.span) == (rc, message, span)
    if hint:
        assert caught.value.hint is not None
        assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("text", ["y i.word", "y word", "y a#word", "word x", "y x || a: word"])
def test_text_is_no_number(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        design(text)
    assert caught.value.rc == 109
    assert "word" in caught.value.message
    assert caught.value.hint is not None
    # A response is no covariate: see test_responses.py.
    assert ("has to be numbers" if text.startswith("word") else "categorical") in caught.value.hint
    command = f"meglm {text}"
    assert caught.value.span is not None
    assert command[slice(*caught.value.span)].endswith("word")


def test_text_of_digits_is_text() -> None:
    """However pandas keeps it: what `if` reads as text does not silently become a number."""
    for dtype in (object, "string"):
        frame = FRAME.assign(digits=pd.Series(np.tile(["1", "2"], N // 2), dtype=dtype))
        with pytest.raises(CommandError) as caught:
            design("y digits", frame)
        assert caught.value.rc == 109


def test_negative_and_fractional_values_out_of_the_sample_do_not_matter() -> None:
    assert [c.name for c in design("y i.minus if minus > 0").fixed] == ["_cons"]
    assert design("y i.half if half == 1").x.shape[1] == 1


def test_value_labels() -> None:
    frame = pd.DataFrame(
        {
            "plain": [1, 2, 1],
            "words": pd.Categorical(["lo", "hi", "lo"], categories=["lo", "mid", "hi"]),
            "years": pd.Categorical([1991, 1990, 1991]),
            "parts": pd.Categorical([0.5, 1.5, 0.5]),
            "flags": pd.Categorical([True, False, True]),
        }
    )
    frame.attrs["value_labels"] = {"plain": {1: "one", 2: "two"}, "nothere": {1: "x"}}
    variables = Variables(frame)
    assert variables.value_labels("plain") == {1.0: "one", 2.0: "two"}
    assert variables.value_labels("words") == {1.0: "lo", 2.0: "mid", 3.0: "hi"}
    assert variables.value_labels("years") == {}
    assert variables.value_labels("parts") == {1.0: "0.5", 2.0: "1.5"}
    np.testing.assert_array_equal(variables.numbers("words"), [1, 3, 1])
    np.testing.assert_array_equal(variables.numbers("years"), [1991, 1990, 1991])
    np.testing.assert_array_equal(variables.numbers("parts"), [1, 2, 1])
    # As a plain column of true and false.
    assert variables.value_labels("flags") == {}
    np.testing.assert_array_equal(variables.numbers("flags"), [1, 0, 1])
    assert [c.name for c in expand(variables, parse_varlist("i.words"), np.ones(3, bool))] == ["3.words"]


@pytest.mark.parametrize(
    ("varlist", "expected"),
    [
        ("x", "x"),
        ("o.x", "o.x"),
        ("i.g", "1b.g 2.g 3.g"),
        ("ib2.g", "1.g 2b.g 3.g"),
        ("ib(last).g", "1.g 2.g 3b.g"),
        ("ib(freq).g", "1.g 2b.g 3.g"),
        ("ib(#2).g", "1.g 2b.g 3.g"),
        ("ibn.g", "1bn.g 2.g 3.g"),
        ("2.g", "2.g"),
        ("i(2/3).g", "2.g 3.g"),
        ("o2.g", "1.g 2o.g 3.g"),
        ("io(2 3).g", "1.g 2o.g 3o.g"),
        ("a##b", "0b.a 1.a 0b.b 1.b 0b.a#0b.b 0b.a#1o.b 1o.a#0b.b 1.a#1.b"),
        # Cells of their own keep the sign of the base, which is none for the cell as a whole.
        ("a#b", "0b.a#0b.b 0b.a#1.b 1.a#0b.b 1.a#1.b"),
        ("i.a a#b", "0b.a 1.a 0b.a#0b.b 0b.a#1.b 1o.a#0b.b 1.a#1.b"),
        ("g##c.x", "1b.g 2.g 3.g x 1b.g#co.x 2.g#c.x 3.g#c.x"),
        ("g#c.x", "1b.g#c.x 2.g#c.x 3.g#c.x"),
        ("ibn.g#c.x", "1bn.g#c.x 2.g#c.x 3.g#c.x"),
        ("c.x##c.x", "x c.x#c.x"),
        ("x c.x#co.z", "x co.x#co.z"),
        ("ib2.g ib3.g#c.x x", "1.g 2b.g 3.g 1.g#c.x 2.g#c.x 3b.g#co.x x"),
        # What is named is estimated, whatever is the base elsewhere.
        ("i.g 1.g", "2.g 3.g 1.g"),
    ],
)
def test_names_in_e_b(varlist: str, expected: str) -> None:
    found = expand_with_bases(Variables(FRAME), parse_varlist(varlist), np.ones(N, dtype=bool))
    assert [column.stripe for column in found] == expected.split()
    # Apart from the signs it is the address.
    assert [re.sub(r"(?<=\d)(bn|b|o)(?=\.)|(?<=c)o(?=\.)|^o\.", "", c.stripe) for c in found] == [
        c.name.removeprefix("o.") for c in found
    ]


def test_collinear_and_empty_in_e_b() -> None:
    found = design("y double x a##g if !(a == 1 & g == 3)", FRAME.assign(double=2 * FRAME["x"]))
    names = [column.stripe for column in found.with_bases]
    assert "o.x" in names
    assert "1o.a#3o.g" in names
    assert names[-1] == "_cons"


def test_bases_that_are_shown_elsewhere() -> None:
    """A base of an interaction is implied where every factor variable has a term of its own."""
    rows = np.ones(N, dtype=bool)

    def shown(varlist: str) -> list[str]:
        found = expand_with_bases(Variables(FRAME), parse_varlist(varlist), rows)
        return [c.name for c in found if c.state == "base" and not c.implied]

    assert shown("a##b") == ["0.a", "0.b"]
    assert shown("a#b") == ["0.a#0.b"]
    assert shown("i.a a#b") == ["0.a", "0.a#0.b", "1.a#0.b"]
    assert shown("g##c.x") == ["1.g"]


def test_too_many_columns() -> None:
    frame = pd.DataFrame({"y": np.zeros(400), "g": np.arange(400), "h": np.arange(400)})
    with pytest.raises(CommandError) as caught:
        design("y g##h", frame)
    assert (caught.value.rc, caught.value.span) == (103, (8, 12))


@pytest.mark.parametrize(
    ("varlist", "made"),
    [
        ("i.g", ["g2", "g3"]),
        ("ibn.g, noconstant", ["g1", "g2", "g3"]),
        ("ib(last).g x", ["g1", "g2", "x"]),
        ("g##c.x", ["g2", "g3", "x", "g2x", "g3x"]),
        ("c.x##c.x", ["x", "xx"]),
        ("a##g", ["a", "g2", "g3", "ag2", "ag3"]),
        ("a##b##c.x", ["a", "b", "ab", "x", "ax", "bx", "abx"]),
    ],
)
def test_design_is_that_of_dummies_made_by_hand(varlist: str, made: list[str]) -> None:
    frame = FRAME.assign(**{f"g{k}": (FRAME["g"] == k).astype(float) for k in (1, 2, 3)})
    frame = frame.assign(xx=frame.x**2, g2x=frame.g2 * frame.x, g3x=frame.g3 * frame.x)
    frame = frame.assign(ag2=frame.a * frame.g2, ag3=frame.a * frame.g3, ab=frame.a * frame.b)
    frame = frame.assign(ax=frame.a * frame.x, bx=frame.b * frame.x, abx=frame.ab * frame.x)
    expected = frame[made].to_numpy(float)
    if "noconstant" not in varlist:
        expected = np.column_stack([expected, np.ones(N)])
    np.testing.assert_array_equal(design(f"y {varlist}").x, expected)


@pytest.mark.parametrize(
    "varlist", ["x i.g", "a##g c.x##c.z", "g##c.year ibn.a", "a#b#h i.g#c.x x", "i.a i.g a#g#c.z"]
)
@pytest.mark.parametrize("centre", [True, False])
def test_moments_are_those_of_the_columns(varlist: str, centre: bool) -> None:
    frame = FRAME.assign(year=1990.0 + np.arange(N) % 20)
    rows = FRAME["x"].to_numpy() > -1
    variables = Variables(frame)
    columns = expand(variables, parse_varlist(varlist), rows)
    x = np.column_stack([values_of(variables, column, rows) for column in columns])
    terms = coded_terms(variables, columns, rows)
    np.testing.assert_array_equal(dense(terms, len(x)), x)
    found = moments(terms, len(x), x.shape[1], centre=centre)
    about = x - x.mean(axis=0) if centre else x
    np.testing.assert_allclose(found.products, about.T @ about, rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(found.length, (x**2).sum(axis=0))


def test_a_thousand_levels_take_little_memory() -> None:
    """A code a row, and no text and no column of indicators: these alone would be 8 GB."""
    n, k = 1_000_000, 1000
    codes = np.random.default_rng(1).integers(0, k, size=n)
    labels = pd.Index([f"level {j}" for j in range(k)])
    frame = pd.DataFrame({"g": pd.Categorical.from_codes(codes, categories=labels), "x": codes % 7 + 0.5})
    rows = np.ones(n, dtype=bool)
    tracemalloc.start()
    variables = Variables(frame)
    columns = expand(variables, parse_varlist("x i.g"), rows)
    sums = moments(coded_terms(variables, columns, rows), n, len(columns), centre=True)
    dependent = dependent_columns(sums)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(columns) == k
    # x is a function of the level.
    assert np.flatnonzero(dependent).tolist() == [k - 1]
    assert peak < 150e6


@pytest.mark.parametrize(
    ("varlist", "expected"),
    [
        ("i.g x", "1.g* 2.g 3.g x"),
        ("ib2.g", "1.g 2.g* 3.g"),
        ("ibn.g", "1.g 2.g 3.g"),
        ("2.g", "2.g"),
        # The base of an interaction is told by those of its variables, where they have terms.
        ("i.a##i.b", "0.a* 1.a 0.b* 1.b 1.a#1.b"),
        ("i.a##c.x", "0.a* 1.a x 1.a#c.x"),
        ("i.a#i.b", "0.a#0.b* 0.a#1.b 1.a#0.b 1.a#1.b"),
        ("x i.a#c.x", "x 0.a#c.x* 1.a#c.x"),
        ("i.a#c.x", "0.a#c.x 1.a#c.x"),
        # What is a base in one term and a column of another is a column, where that term stands.
        ("i.a ibn.a", "1.a 0.a"),
    ],
)
def test_base_levels(varlist: str, expected: str) -> None:
    rows = np.ones(len(FRAME), dtype=bool)
    found = expand_with_bases(Variables(FRAME), parse_varlist(varlist), rows)
    shown = [c for c in found if not c.implied]
    assert " ".join(c.name + "*" * (c.state == "base") for c in shown) == expected
    assert [c for c in found if c.state != "base"] == expand(Variables(FRAME), parse_varlist(varlist), rows)


def test_base_levels_of_a_design() -> None:
    found = design("y i.g i.a ibn.a x")
    assert [c for c in found.with_bases if c.state != "base"] == list(found.fixed)
    assert [(c.name, c.state) for c in found.with_bases][:3] == [
        ("1.g", "base"),
        ("2.g", "estimated"),
        ("3.g", "estimated"),
    ]
    assert found.with_bases[-1].name == "_cons"
