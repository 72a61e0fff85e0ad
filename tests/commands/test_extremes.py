"""Values at the ends of what floating point holds: an answer or an error, no traceback and no warning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from memagic import Session
from memagic.errors import CommandError
from memagic.results import MEResults


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(20), 8)
    x, u = rng.normal(size=160), rng.normal(size=20)
    y = (rng.random(160) < 1.0 / (1.0 + np.exp(-x - u[g]))).astype(int)
    return pd.DataFrame({"y": y, "x": x, "g": g, "school": g // 5, "z": rng.integers(0, 2, 160)})


@pytest.mark.parametrize(
    ("command", "scale", "message"),
    [
        ("meglm x z || g:", 1e-200, "initial values not feasible"),
        ("meglm x z || g:, noestimate", 1e-200, "initial values not feasible"),
        ("meglm x z || g:", 1e100, "initial values not feasible"),
        ("meglm x z || _all: R.g || school:", 1e100, "initial values not feasible"),
        ("meglm x z || g:, noestimate", 1e100, "numerical overflow"),
    ],
)
def test_responses_beyond_all_bounds(command: str, scale: float, message: str, frame: pd.DataFrame) -> None:
    session = Session(frame)
    first = session.run("melogit y z || g:")
    with pytest.raises(CommandError) as raised:
        session.run(command, data=frame.assign(x=frame.x * scale))
    assert (raised.value.rc, raised.value.message) == (1400, message)
    assert session.last is first


def test_weights_whose_squares_are_infinite(frame: pd.DataFrame) -> None:
    with pytest.raises(CommandError, match="initial values not feasible"):
        Session(frame.assign(w=1e300)).run("melogit y z [pweight=w] || g:")


def test_a_covariate_whose_squares_are_zero_is_left_out(frame: pd.DataFrame) -> None:
    with_it = Session(frame.assign(x=frame.x * 1e-160)).run("melogit y z x || g:")
    without = Session(frame).run("melogit y z || g:")
    assert isinstance(with_it, MEResults)
    assert isinstance(without, MEResults)
    assert list(with_it.params.index) == list(without.params.index)
    assert with_it.llf == without.llf


def test_a_random_coefficient_of_a_covariate_beyond_all_bounds_is_shown(frame: pd.DataFrame) -> None:
    fit = Session(frame.assign(x=frame.x * 1e100)).run("melogit y z || g: x")
    assert "var(x)" in str(fit)


def test_combinations_beyond_all_bounds_have_no_standard_errors(frame: pd.DataFrame) -> None:
    session = Session(frame)
    session.run("melogit y z || g:")
    shown = str(session.run("lincom 1e308*z"))
    assert shown.split("(1) |")[1].split()[1:5] == [".", ".", ".", "."]


def test_nothing_is_predicted_from_infinite_values(frame: pd.DataFrame) -> None:
    session = Session(frame)
    session.run("melogit y x || g: x")
    rows = frame.assign(x=np.where(frame.index == 3, np.inf, frame.x))
    for text in ("predict p", "predict eta, xb", "predict m, marginal"):
        session.run(text, data=rows)
    assert (rows[["p", "eta", "m"]].isna().all(axis=1) == (rows.index == 3)).all()


def test_residuals_of_certain_outcomes_are_missing(frame: pd.DataFrame) -> None:
    """Where the mean is 0 or 1 to the last bit."""
    session = Session(frame)
    session.run("melogit y x || g: x")
    rows = frame.assign(x=np.where(frame.index == 3, 1e8, np.where(frame.index == 4, -1e8, frame.x)))
    for text in ("predict r, pearson", "predict d, deviance"):
        session.run(text, data=rows)
    assert (rows[["r", "d"]].isna().all(axis=1) == rows.index.isin([3, 4])).all()


def test_groups_that_are_no_single_values(frame: pd.DataFrame) -> None:
    session = Session(frame)
    session.run("melogit y x || g:")
    rows = frame.assign(g=pd.Series([[1]] * len(frame), dtype=object))
    with pytest.raises(CommandError, match="type mismatch: g holds") as raised:
        session.run("predict p", data=rows)
    assert raised.value.rc == 109
    assert "p" not in rows


def test_columns_under_two_levels_take_no_new_variables(frame: pd.DataFrame) -> None:
    session = Session(frame)
    session.run("melogit y x || g:")
    with pytest.raises(CommandError, match="names of several levels") as raised:
        session.run("predict s*, scores", data=pd.concat({"a": frame}, axis=1))
    assert raised.value.span == (8, 10)


def test_by_groups_of_no_rows(frame: pd.DataFrame) -> None:
    with pytest.raises(CommandError, match="no observations") as raised:
        Session(frame.iloc[:0]).run("by z: melogit y x || g:")
    assert raised.value.rc == 2000


def test_testnl_of_nothing(frame: pd.DataFrame) -> None:
    session = Session(frame)
    session.run("melogit y x || g:")
    with pytest.raises(CommandError, match="invalid syntax") as raised:
        session.run("testnl")
    assert raised.value.rc == 198
