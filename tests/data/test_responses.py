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
    return frame


@pytest.mark.parametrize(
    ("command", "message", "hint", "same"),
    [
        (
            "melogit text || g:",
            "type mismatch: text is a string variable",
            'make it true and false: df["text"] = df["text"] == "yes"',
            "melogit y || g:",
        ),
        (
            "melogit category || g:",
            "outcome does not vary",
            'no value of it is 0; make it true and false: df["category"] = df["category"] == "yes"',
            "melogit y || g:",
        ),
        (
            "meglm coded || g:, family(bernoulli)",
            "outcome does not vary",
            'no value of it is 0; make it true and false: df["coded"] = df["coded"] == 2',
            "melogit y || g:",
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
    exec(hint.partition(": ")[2], {"df": df, "pd": pd})
    assert memagic.run(command, df).llf == pytest.approx(memagic.run(same, df).llf, rel=1e-9)


def test_a_response_that_does_not_vary_has_no_such_hint(df: pd.DataFrame) -> None:
    with pytest.raises(CommandError) as caught:
        memagic.run("melogit y if y == 1 || g:", df)
    assert caught.value.hint is None


def test_a_covariate_that_is_text_keeps_its_own(df: pd.DataFrame) -> None:
    with pytest.raises(CommandError) as caught:
        memagic.run("melogit y text || g:", df)
    assert 'astype("category")' in str(caught.value.hint)
