"""What each option of the maximization does to a fit, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import Session, datasets
from memagic.errors import CommandError
from memagic.results import MEResults

BASE = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"
VARIANCE = "/var(_cons[district])"
COVARIANCE = "/cov(1.urban[district],_cons[district])"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return datasets.load("bangladesh")


@pytest.fixture(scope="module")
def default(frame: pd.DataFrame) -> MEResults:
    return memagic.run(BASE, data=frame)


def log_of(result: MEResults) -> str:
    return "\n".join(result.estimates.log)


def refused(options: str, frame: pd.DataFrame, base: str = BASE) -> CommandError:
    with pytest.raises(CommandError) as caught:
        memagic.run(f"{base} {options}", data=frame)
    return caught.value


def marked(error: CommandError) -> str:
    assert error.text is not None
    assert error.span is not None
    return error.text[slice(*error.span)]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("tech(bhhh)", "bhhh"),
        ("tech(dfp)", "dfp"),
        ("tech(bfgs)", "bfgs"),
        ("tech(bhhh 3 nr 10)", "bhhh 3 nr 10"),
        ("dif", "nr"),
        ("startv(zero)", "nr"),
        ("startv(constantonly)", "nr"),
        ("startv(iv, iterate(2))", "nr"),
        ("startv(iterate(1))", "nr"),
        ("startg(.1 1 _cons[district])", "nr"),
        ("dnumerical", "nr"),
    ],
)
def test_the_maximum_is_the_same(frame: pd.DataFrame, default: MEResults, options: str, name: str) -> None:
    found = memagic.run(f"{BASE} {options}", data=frame)
    assert found.converged
    assert found.e["technique"] == name
    np.testing.assert_allclose(found.params, default.params, atol=1e-6)
    np.testing.assert_allclose(found.bse, default.bse, rtol=1e-4)
    assert found.llf == pytest.approx(default.llf, abs=1e-7)


def test_final_estimates_are_a_start_that_converges_at_once(frame: pd.DataFrame, default: MEResults) -> None:
    found = memagic.melogit(BASE.removeprefix("melogit "), frame, from_=default.params)
    assert found.e["ic"] == 1
    assert found.e["ilog"][0, 0] == pytest.approx(default.llf, abs=1e-9)
    by_name = memagic.run(f"{BASE} from(b)", frame, matrices={"b": default.e["b"]})
    assert by_name.e["ic"] == 1
    by_place = memagic.run(f"{BASE} from(b, copy)", frame, matrices={"b": dict(enumerate(default.params))})
    assert by_place.e["ic"] == 1
    session = Session(frame)
    session.matrices["start"] = default.params
    again = session.run(f"{BASE} from(start)")
    assert isinstance(again, MEResults)
    assert again.e["ic"] == 1
    smaller = "melogit c_use age || district:,"
    with pytest.raises(CommandError) as caught:
        session.run(f"{smaller} from(start)")
    assert caught.value.hint == "type from(start, skip) to leave out what this model does not have"
    assert isinstance(session.run(f"{smaller} from(start, skip)"), MEResults)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("from(c_use:age = .5 1.urban=-1)", {"age": 0.5, "1.urban": -1.0}),
        ("from(/cov(_cons[district], 1.urban[district])=-.3)", {COVARIANCE: -0.3}),
        ("from(other = 1 age = .5, skip)", {"age": 0.5}),
        (f"startv(zero) from({VARIANCE} = 3)", {"age": 0.0, "_cons": 0.0, VARIANCE: 3.0}),
        ("startv(constantonly)", {"age": 0.0, "1.urban": 0.0, VARIANCE: 1.0}),
        ("startgrid(.3 _cons[district])", {VARIANCE: 0.3, "/var(1.urban[district])": 1.0}),
        ("startgrid(-.1 .1 _cons[district]*1.urban[district])", {COVARIANCE: -0.1}),
        ("startgrid(.4 1.urban[district]) startgrid(.3 _cons[district])", {VARIANCE: 0.3}),
    ],
)
def test_starting_values_are_shown(frame: pd.DataFrame, options: str, expected: dict[str, float]) -> None:
    found = memagic.run(f"{BASE} noest {options}", data=frame)
    for name, value in expected.items():
        assert found.params[name] == pytest.approx(value, abs=1e-12)
    text = found.to_text(log=True)
    assert "Legend" in text
    assert f"_b[{VARIANCE}]" in text
    assert "Fitting full model" not in text
    assert "LR test" not in text
    assert found.e["converged"] == 0


def test_residual_variance_and_lower_levels(frame: pd.DataFrame) -> None:
    base = "meglm age || district: || children:, noestimate"
    found = memagic.run(f"{base} startgrid(50 e.age) from(/var(_cons[children]) = 2)", data=frame)
    assert found.params["/var(e.age)"] == pytest.approx(50.0)
    assert found.params["/var(_cons[district>children])"] == pytest.approx(2.0)


def test_cutpoints(frame: pd.DataFrame) -> None:
    base = "meologit children age || district:, noestimate"
    found = memagic.run(f"{base} from(/cut1 = -1.5) startv(zero)", data=frame)
    assert found.params["/cut1"] == -1.5
    assert found.params["age"] == 0.0
    assert found.params["/cut2"] < found.params["/cut3"]


def test_a_grid_helps_where_the_default_is_bad(frame: pd.DataFrame) -> None:
    found = memagic.run("melogit c_use age || district:, startgrid(.01 .2 100)", data=frame)
    nodes = [float(value) for value in re.findall(r"Grid node \d+: +Log likelihood = *(\S+)", log_of(found))]
    assert len(nodes) == 4
    assert max(nodes) == nodes[2] > nodes[0]
    assert found.e["ilog"][0, 0] == pytest.approx(nodes[2], abs=1e-3)


def test_impossible_nodes_are_missing(frame: pd.DataFrame) -> None:
    found = memagic.run(f"{BASE} startgrid(5 -.1 _cons[district]*1.urban[district])", data=frame)
    assert re.search(r"Grid node 1: +Log likelihood = +\.$", log_of(found), re.MULTILINE)


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("tr", r"Coefficient vector:"),
        ("grad", r"Gradient vector \(length = \S+\):"),
        ("hess", r"Negative Hessian:"),
        ("showstep", r"  step 1:  length = \S+  Log likelihood = +\S+"),
        ("showtol", r"  nrtolerance +\S+  g\*inv\(-H\)\*g'"),
        ("tech(bhhh 2 nr 9)", r"\(switching technique to nr\)"),
        ("startv(constantonly)", r"Fitting constant-only model:"),
        ("startg(.1)", r"Grid node 1: +Log likelihood = +\S+"),
    ],
)
def test_what_the_log_shows(frame: pd.DataFrame, default: MEResults, option: str, line: str) -> None:
    found = memagic.run(f"{BASE} {option}", data=frame)
    assert re.search(f"^{line}", log_of(found), re.MULTILINE)
    assert not re.search(f"^{line}", log_of(default), re.MULTILINE)
    assert memagic.run(f"{BASE} {option} nolog", data=frame).estimates.log == ()


def test_names_of_the_parameters_in_a_replay(frame: pd.DataFrame) -> None:
    session = Session(frame)
    session.run("melogit c_use age || district:")
    assert "_b[age]" in str(session.run("melogit, coefl"))
    assert session.last is not None
    assert "_b[age]" in str(session.last.replay(coeflegend=True))
    assert "_b[age]" not in str(session.run("melogit"))


def test_collinear_keeps_what_is_not_quite_collinear() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=200)
    data = pd.DataFrame({"x": x, "near": x + 3e-7 * rng.normal(size=200), "g": np.arange(200) % 20})
    data["y"] = (x + rng.logistic(size=200) > 0).astype(int)
    assert "near" not in memagic.run("melogit y x near || g:", data).params
    kept = memagic.run("melogit y x near || g:, col", data)
    assert kept.converged
    assert kept.params["near"] != 0.0
    error = refused(", collinear", data.assign(same=x), "melogit y x same || g:")
    assert (error.rc, marked(error)) == (430, "collinear")


@pytest.mark.parametrize(
    ("options", "rc", "message", "place"),
    [
        ("from(b)", 111, "matrix b not found", "b"),
        ("from(zz = 1)", 111, "parameter zz not found", "zz = 1"),
        (f"from({VARIANCE} = -1)", 1400, "initial values not feasible", f"{VARIANCE} = -1"),
        ("startgrid(age[district])", 111, "age[district] not found", "age[district]"),
        ("startgrid(e.c_use)", 111, "e.c_use not found", "e.c_use"),
        ("startgrid(-1)", 198, "may not be negative", "-1"),
        ("startgrid(1/200)", 198, "40,000 nodes", "startgrid(1/200)"),
    ],
)
def test_refused(frame: pd.DataFrame, options: str, rc: int, message: str, place: str) -> None:
    error = refused(options, frame)
    assert error.rc == rc
    assert message in error.message
    assert marked(error) == place


@pytest.mark.parametrize(
    ("matrix", "suboption", "rc"),
    [
        ({"age": 0.1, "other": 1.0}, "", 111),
        ({"age": "much"}, "", 109),
        ({"age": np.nan}, "", 504),
        ([0.1, 0.2], "", 111),
        ("abc", "", 109),
        ({"age": 0.1}, ", copy", 503),
    ],
)
def test_matrices_that_do_not_fit(frame: pd.DataFrame, matrix: object, suboption: str, rc: int) -> None:
    with pytest.raises(CommandError) as caught:
        memagic.run(f"{BASE} from(b{suboption})", frame, matrices={"b": matrix})
    assert caught.value.rc == rc
    assert marked(caught.value).startswith("b")


def test_no_grid_without_variances(frame: pd.DataFrame) -> None:
    error = refused(", startgrid", frame, "melogit c_use age")
    assert (error.rc, marked(error)) == (198, "startgrid")


@pytest.mark.parametrize("kind", ["vector", "row", "list"])
def test_a_matrix_without_names_is_taken_by_place(frame: pd.DataFrame, default: MEResults, kind: str) -> None:
    values = default.params.to_numpy()
    given = {"vector": values, "row": values[np.newaxis], "list": values.tolist()}[kind]
    with pytest.raises(CommandError) as caught:
        memagic.run(f"{BASE} from(b0)", frame, matrices={"b0": given})
    assert caught.value.rc == 111
    assert "from(b0, copy) takes its values in the order of e(b)" in str(caught.value.hint)
    assert memagic.run(f"{BASE} from(b0, copy)", frame, matrices={"b0": given}).e["ic"] == 1
