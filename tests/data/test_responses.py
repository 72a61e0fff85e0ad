"""What to make of a response that is text or categories; what is said makes the command work."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic.errors import CommandError


@pytest.fixture
def df() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(12), 10)
    y = (rng.random(120) < 1 / (1 + np.exp(-rng.normal(size=12)[g]))).astype(int)
    frame = pd.DataFrame({"y": y, "g": g, "three": rng.integers(0, 3, 120)})
    frame["text"] = np.where(y == 1, "yes", "no")
    frame["category"] = frame["text"].astype("category")
    frame["digits"] = frame["three"].astype(str)
    frame["order"] = np.array(["low", "mid", "top"])[frame["three"]]
    frame["coded"] = y + 1
    frame["quotes"] = np.where(y == 1, 'said "yes"', "no")
    frame["commas"] = [f"{number:,}" for number in rng.integers(900, 9_000_000, 120)]
    frame["income"] = [float(text.replace(",", "")) for text in frame["commas"]]
    # A response that is missing stays so, whatever is done to it; the empty text is missing, too.
    missing = [3, 50, 51, 119]
    frame.loc[missing, ["y", "three", "income"]] = np.nan
    frame.loc[missing, ["text", "category", "digits", "order", "coded", "quotes", "commas"]] = None
    frame.loc[3, "text"] = frame.loc[3, "quotes"] = ""
    return frame


@pytest.mark.parametrize(
    ("command", "message", "hint", "same"),
    [
        (
            "melogit text || g:",
            "type mismatch: text is a string variable",
            'make it 0 and 1: df["text"] = df["text"].map({"no": 0, "yes": 1})',
            "melogit y || g:",
        ),
        (
            "melogit category || g:",
            "outcome does not vary",
            'no value of it is 0; make it 0 and 1: df["category"] = df["category"].map({"no": 0, "yes": 1})',
            "melogit y || g:",
        ),
        (
            "meglm coded || g:, family(bernoulli)",
            "outcome does not vary",
            'no value of it is 0; make it 0 and 1: df["coded"] = df["coded"].map({1: 0, 2: 1})',
            "melogit y || g:",
        ),
        (
            "meprobit quotes || g:",
            "type mismatch: quotes is a string variable",
            'make it 0 and 1: df["quotes"] = df["quotes"].map({"no": 0, "said \\"yes\\"": 1})',
            "meprobit y || g:",
        ),
        (
            "meglm text || g:, family(bernoulli)",
            "type mismatch: text is a string variable",
            'make it 0 and 1: df["text"] = df["text"].map({"no": 0, "yes": 1})',
            "melogit y || g:",
        ),
        (
            "meglm commas || g:",
            "type mismatch: commas is a string variable",
            'make it numeric: df["commas"] = pd.to_numeric(df["commas"].str.replace(",", ""))',
            "meglm income || g:",
        ),
        (
            "meglm order || g:, family(ordinal)",
            "type mismatch: order is a string variable",
            "give its values an order, the lowest first: "
            'df["order"] = pd.Categorical(df["order"], ["low", "mid", "top"])',
            "meologit three || g:",
        ),
        (
            "meologit order || g:",
            "type mismatch: order is a string variable",
            "give its values an order, the lowest first: "
            'df["order"] = pd.Categorical(df["order"], ["low", "mid", "top"])',
            "meologit three || g:",
        ),
        (
            "mepoisson digits || g:",
            "type mismatch: digits is a string variable",
            'make it numeric: df["digits"] = pd.to_numeric(df["digits"])',
            "mepoisson three || g:",
        ),
        (
            "meologit digits || g:",
            "type mismatch: digits is a string variable",
            'make it numeric: df["digits"] = pd.to_numeric(df["digits"])',
            "meologit three || g:",
        ),
    ],
)
def test_what_is_said_works(df: pd.DataFrame, command: str, message: str, hint: str, same: str) -> None:
    with pytest.raises(CommandError) as caught:
        memagic.run(command, df)
    assert caught.value.message.startswith(message)
    assert caught.value.hint == hint
    missing = df["y"].isna()
    exec(hint.partition(": ")[2], {"df": df, "pd": pd})
    name = command.split()[1]
    assert df[name].isna().equals(missing)
    assert memagic.run(command, df).llf == pytest.approx(memagic.run(same, df).llf, rel=1e-9)


def test_a_response_that_does_not_vary_has_no_such_hint(df: pd.DataFrame) -> None:
    with pytest.raises(CommandError) as caught:
        memagic.run("melogit y if y == 1 || g:", df)
    assert caught.value.hint is None


def test_a_covariate_that_is_text_keeps_its_own(df: pd.DataFrame) -> None:
    with pytest.raises(CommandError) as caught:
        memagic.run("melogit y text || g:", df)
    assert 'astype("category")' in str(caught.value.hint)


@pytest.mark.parametrize(
    ("command", "values", "hint"),
    [
        (
            "mepoisson n || g:",
            ["few", "many"],
            'the response has to be numbers, and this one has "few", "many"',
        ),
        ("meglm n || g:, family(poisson)", ["few"], 'the response has to be numbers, and this one has "few"'),
        (
            "melogit n || g:, binomial(5)",
            ["a", "b"],
            'the response has to be numbers, and this one has "a", "b"',
        ),
        (
            "melogit n || g:",
            ["a", "b", "c"],
            'the response has to be 0 or 1, and this one has "a", "b", "c"',
        ),
        (
            "meologit n || g:",
            list("abcdefgh"),
            'list its values in their order, the lowest first: df["n"] = pd.Categorical(df["n"], values)',
        ),
        (
            "mepoisson n || g:",
            ["1", "2", "NA?"],
            '"NA?" is no number; to let such values be missing: '
            'df["n"] = pd.to_numeric(df["n"], errors="coerce")',
        ),
        (
            "melogit n || g:",
            [5, 6, 7],
            "it has 3 values, none of which is 0: all of them are positive outcomes",
        ),
        (
            "melogit n || g:",
            [1234567, 1234567.5],
            'no value of it is 0; make it 0 and 1: df["n"] = df["n"].map({1234567: 0, 1234567.5: 1})',
        ),
    ],
)
def test_what_is_said_goes_by_the_family(
    df: pd.DataFrame, command: str, values: list[object], hint: str
) -> None:
    df["n"] = (values * 120)[:120]
    with pytest.raises(CommandError) as caught:
        memagic.run(command, df)
    assert caught.value.hint == hint
