"""predict as a command: new variables in the data in use."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from memagic import CommandError, Session
from memagic.commands.predict import NewVariables

COMMAND = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"


@pytest.fixture(scope="module")
def fitted_session() -> Session:
    session = Session("bangladesh")
    session.run(COMMAND)
    return session


@pytest.fixture
def session(fitted_session: Session) -> Session:
    """The fit with data of its own."""
    assert fitted_session.data is not None
    fitted_session.use("bangladesh")
    return fitted_session


def added(session: Session, text: str) -> NewVariables:
    found = session.run(text)
    assert isinstance(found, NewVariables)
    return found


def test_the_default(session: Session) -> None:
    found = added(session, "predict p")
    assert session.data is not None
    assert session.last is not None
    np.testing.assert_allclose(session.data["p"], session.last.predict())
    assert session.data["p"].dtype == np.float64
    assert str(found) == (
        "(option mu assumed)\n"
        "(predictions based on fixed effects and posterior means of random effects)\n"
        "(using 7 quadrature points)"
    )
    assert session.data.attrs["variable_labels"]["p"] == "Predicted mean"


def test_rows_and_types(session: Session) -> None:
    found = added(session, "predict float m if urban & e(sample) in 1/100, mu marginal")
    data = session.data
    assert data is not None
    assert session.last is not None
    assert data["m"].dtype == np.float32
    chosen = (data["urban"] == 1) & (np.arange(len(data)) < 100)
    assert data["m"].notna().equals(chosen)
    np.testing.assert_allclose(data["m"][chosen], session.last.predict(marginal=True)[chosen], rtol=1e-6)
    assert found.notes == (f"({1934 - chosen.sum():,} missing values generated)",)


def test_random_effects_in_the_order_of_their_variances(session: Session) -> None:
    found = added(session, "predict u*, reffects reses(slope_se cons_se)")
    assert found.names == ("u1", "u2", "slope_se", "cons_se")
    assert found.labels[0] == "Posterior mean of 1.urban[district]"
    data = session.data
    assert data is not None
    assert session.last is not None
    effects, se = session.last.random_effects["district"], session.last.random_effects_se["district"]
    by_row = effects.loc[data["district"]]
    np.testing.assert_allclose(data[["u1", "u2"]], by_row)
    np.testing.assert_allclose(data[["slope_se", "cons_se"]], se.loc[data["district"]])


def test_scores(session: Session) -> None:
    found = added(session, "predict s*, scores")
    assert session.data is not None
    assert session.last is not None
    assert len(found.names) == 9
    np.testing.assert_allclose(session.data[list(found.names)], session.last.predict("scores"))


def test_categories() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"g": np.arange(200) // 20, "y": rng.integers(1, 4, 200)})
    session = Session(frame)
    session.run("meologit y || g:")
    one = added(session, "predict first")
    assert one.notes[:2] == ("(option mu assumed)", "(option outcome(#1) assumed)")
    added(session, "predict p*, pr")
    added(session, "predict a b c, pr conditional(fixedonly)")
    added(session, "predict second, pr outcome(2)")
    assert list(frame.columns[2:]) == ["first", "p1", "p2", "p3", "a", "b", "c", "second"]
    np.testing.assert_allclose(frame[["p1", "p2", "p3"]].sum(axis=1), 1.0)
    np.testing.assert_allclose(frame["first"], frame["p1"])
    np.testing.assert_allclose(frame["second"], frame["p2"])
    for text, rc in (("predict x z, pr", 102), ("predict x z w v, pr", 103), ("predict x z, pr out(1)", 103)):
        with pytest.raises(CommandError) as raised:
            session.run(text)
        assert raised.value.rc == rc
    assert len(frame.columns) == 10


def test_other_data(session: Session) -> None:
    other = pd.DataFrame(
        {"urban": [0, 1], "age": [1.0, 2.0], "children": [0, 3], "district": [1, 999]}, index=[5, 5]
    )
    with_new = session.run("predict p", data=other)
    assert "note: 1 observation has a value of district not in the estimation sample" in str(with_new)
    assert other["p"].notna().all()
    assert session.data is not None
    assert "p" not in session.data


@pytest.mark.parametrize(
    ("text", "rc", "message", "marked"),
    [
        ("predict age", 110, "variable age already defined", "age"),
        ("predict u*, reffects reses(age u9)", 110, "variable age already defined", "age"),
        ("predict u, reffects", 102, "too few variables specified", "u"),
        ("predict u v w, reffects", 103, "too many variables specified", "u v w"),
        ("predict r, residuals", 198, "residuals is allowed for Gaussian responses only", ""),
        ("predict u*, reffects reses(u*)", 198, "a name is there twice among the new variables", ""),
        ("predict p if agee > 3", 111, "variable agee not found", "agee"),
    ],
)
def test_mistakes_change_nothing(session: Session, text: str, rc: int, message: str, marked: str) -> None:
    assert session.data is not None
    before = list(session.data.columns)
    with pytest.raises(CommandError) as raised:
        session.run(text)
    assert raised.value.rc == rc
    assert raised.value.message == message
    assert raised.value.text == text
    if marked:
        assert raised.value.span is not None
        assert text[slice(*raised.value.span)] == marked
    assert list(session.data.columns) == before


def test_nothing_to_predict_from() -> None:
    for text in ("predict p", "estat icc"):
        with pytest.raises(CommandError, match="last estimates not found") as raised:
            Session("bangladesh").run(text)
        assert raised.value.rc == 301


def test_estat(session: Session) -> None:
    found = session.run("estat icc, level(90)")
    assert str(found) == str(session.last.icc(90))  # type: ignore[union-attr]
    with pytest.raises(CommandError) as raised:
        session.run("estat wcorrelation, list")
    assert raised.value.lines() == [
        "estat wcorrelation, list",
        "      ^^^^^^^^^^^^",
        "requested action not valid after most recent estimation command",
        "hint: estat wcorrelation follows mixed and menl; estat icc has correlations within groups",
        "r(321);",
    ]


def test_many_variables_at_once() -> None:
    """Also into a frame that was cut from another one."""
    rng = np.random.default_rng(2)
    whole = pd.DataFrame({"g": np.repeat(np.arange(130), 4), "y": rng.normal(size=520)})
    frame = whole[whole["g"] < 128]
    session = Session(frame)
    session.run("meglm y i.g")
    assert len(added(session, "predict s*, scores").names) == 129
    assert list(whole.columns) == ["g", "y"]
    assert frame.shape == (512, 131)
