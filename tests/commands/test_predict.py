"""predict as a command: new variables in the data in use."""

from __future__ import annotations

from collections.abc import Callable

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


def rows_of(data: pd.DataFrame, name: str) -> pd.Series:
    return data[name].notna()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.sort_values("age"),
        lambda d: d.sample(frac=1.0, random_state=2),
        lambda d: d.assign(age=0.0).iloc[::-1],
    ],
)
def test_the_sample_in_another_order(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    made = Session("bangladesh")
    made.run("melogit c_use age if urban == 1 || district:, intpoints(3)")
    assert made.data is not None
    changed = made.use(change(made.data))
    assert changed is not None
    made.run("predict pe if e(sample)")
    assert rows_of(changed, "pe").equals(changed["urban"] == 1)
    part = made.use(changed.drop(columns="pe").iloc[:900])
    assert part is not None
    there = int((part["urban"] == 1).sum())
    found = added(made, "predict pe if e(sample)")
    note = f"({562 - there} of the 562 observations of the estimation sample are not in the data)"
    assert found.notes[1] == note
    assert rows_of(part, "pe").equals(part["urban"] == 1)
    made.use(changed.reset_index(drop=True))
    with pytest.raises(CommandError, match=r"other data|have changed") as caught:
        made.run("predict pe2 if e(sample)")
    assert (caught.value.rc, caught.value.span) == (322, (15, 24))


def test_data_in_use_that_were_not_fitted() -> None:
    """The data in use get the variables, as always, and the first note says whose estimates these are."""
    made = Session("bangladesh")
    assert made.data is not None
    rural = made.data[made.data.urban == 0].copy()
    fit = made.run("melogit c_use age || district:, intpoints(3)", data=rural, name="rural")
    said = "note: the last estimates are of rural, but bangladesh is in use, and gets the new variables"
    assert added(made, "predict p, mu conditional(fixedonly)").notes[0] == said
    assert "p" in made.data
    assert "p" not in rural
    # Not where the data are named, nor where those in use were fitted.
    assert said not in str(made.run("predict p, mu conditional(fixedonly)", data=rural))
    made.use(rural, "rural")
    assert "the last estimates are of" not in str(made.run("predict q, mu conditional(fixedonly)"))
    made.use("bangladesh")
    made.stored["of_rural"] = fit
    made.run("melogit c_use || district:, intpoints(3)")
    assert "the last estimates are of" not in str(made.run("predict p0, mu conditional(fixedonly)"))
    made.run("estimates restore of_rural")
    assert added(made, "predict p1, mu conditional(fixedonly)").notes[0] == said
    assert made.data is not None
    del made.data["age"]
    with pytest.raises(CommandError, match="variable age not found") as caught:
        made.run("predict p2")
    hint = (
        "the last estimates are of rural, but bangladesh is in use: type %use rural first, "
        "or -d rural before the new variable"
    )
    assert caught.value.hint == hint
    # A frame without a name.
    made.run("melogit c_use urban || district:, intpoints(3)", data=rural.assign(urban=rural.age > 0))
    assert "of other data, but bangladesh is in use" in added(made, "predict p3").notes[0]


def test_tables_that_allow_no_references() -> None:
    pa = pytest.importorskip("pyarrow")

    made = Session("bangladesh")
    assert made.data is not None
    made.run("melogit c_use || district:, intpoints(3)", data=pa.Table.from_pandas(made.data), name="arrow")
    assert added(made, "predict p").notes[0].startswith("note: the last estimates are of arrow,")


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
