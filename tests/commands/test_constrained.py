"""Constraints and matrices through the session: equivalent models, display, stored results, mistakes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import Session
from memagic.errors import CommandError
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]

MODEL = "melogit c_use i.urban age i.children || district:"
SLOPE = "melogit c_use age || district: i.urban"


@pytest.fixture(scope="module")
def bangladesh(shared_data: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    return shared_data("bangladesh")


def run(command: str, data: pd.DataFrame, *constraints: str, **matrices: object) -> MEResults:
    return memagic.run(command, data, matrices=matrices, constraints=dict(enumerate(constraints, 1)))


def same(one: MEResults, other: MEResults, names: dict[str, str] | None = None) -> None:
    """Equal where `other` has a parameter, under its name or that of `names`."""
    assert one.converged
    assert one.llf == pytest.approx(other.llf, rel=1e-12)
    for name in other.params.index:
        there = (names or {}).get(name, name)
        assert one.params[there] == pytest.approx(other.params[name], rel=1e-6, abs=1e-9)
        assert one.bse[there] == pytest.approx(other.bse[name], rel=1e-6)


# --- equivalent models ---------------------------------------------------------------------------


def test_a_coefficient_held_at_zero(bangladesh: pd.DataFrame) -> None:
    held = run(f"{MODEL}, constraints(1)", bangladesh, "[c_use]age = 0")
    free = memagic.run(MODEL.replace(" age", ""), bangladesh)
    same(held, free)
    assert (held.params["age"], held.bse["age"]) == (0.0, 0.0)
    assert held.conf_int().loc["age"].isna().all()
    assert np.isnan(held.pvalues["age"])
    assert (held.e["rank"], held.e["df_m"]) == (free.e["rank"], free.e["df_m"])
    assert held.e["chi2"] == pytest.approx(free.e["chi2"], rel=1e-6)
    assert held.aic == pytest.approx(free.aic)


def test_equal_coefficients_are_those_of_a_collapsed_dummy(bangladesh: pd.DataFrame) -> None:
    equal = run(f"{MODEL}, const(1)", bangladesh, "1.children = 2.children")
    collapsed = bangladesh.assign(some=bangladesh["children"].isin([1, 2]), three=bangladesh["children"] == 3)
    free = memagic.run("melogit c_use i.urban age some three || district:", collapsed)
    same(equal, free, {"some": "1.children", "three": "3.children"})
    assert equal.params["1.children"] == equal.params["2.children"]
    assert equal.e["df_m"] == 4
    assert equal.e["chi2"] == pytest.approx(free.e["chi2"], rel=1e-6)


def test_a_variance_that_is_held_is_a_point_of_the_profile(bangladesh: pd.DataFrame) -> None:
    free = memagic.run(MODEL, bangladesh)
    at = float(free.params["/var(_cons[district])"])
    held = run(f"{MODEL}, constraints(1)", bangladesh, f"/var(_cons[district]) = {at!r}")
    assert held.llf == pytest.approx(free.llf, rel=1e-12)
    assert held.params.to_numpy() == pytest.approx(free.params.to_numpy(), rel=1e-6)
    # The variance of coefficients at a known variance is that given it.
    v = free.cov_params().to_numpy()
    given = v[:-1, :-1] - np.outer(v[:-1, -1], v[:-1, -1]) / v[-1, -1]
    assert held.cov_params().to_numpy()[:-1, :-1] == pytest.approx(given, rel=1e-4, abs=1e-8)
    # The profile falls off as its curvature says.
    se = float(free.bse["/var(_cons[district])"])
    beside = run(f"{MODEL}, constraints(1)", bangladesh, f"/var(_cons[district]) = {at + 0.02 * se!r}")
    assert free.llf - beside.llf == pytest.approx(0.5 * 0.02**2, rel=0.05)


@pytest.mark.parametrize(
    ("structure", "restricted", "matrix"),
    [
        ("independent", "fixed", [[np.nan, 0.0], [0.0, np.nan]]),
        ("identity", "pattern", [[1.0, 5.0], [5.0, 1.0]]),
        ("exchangeable", "pattern", [[1.0, np.nan], [2.0, 1.0]]),
        ("unstructured", "pattern", [[1.0, 0.0], [2.0, 3.0]]),
        ("unstructured", "fixed", [[np.nan, 7.0], [np.nan, np.nan]]),
    ],
)
def test_matrices_make_the_structures(
    bangladesh: pd.DataFrame, structure: str, restricted: str, matrix: list[list[float]]
) -> None:
    # The Laplacian approximation does not depend on which root of Sigma is taken.
    command = f"{SLOPE}, intmethod(laplace) covariance"
    free = memagic.run(f"{command}({structure})", bangladesh)
    constraints = {1: "/cov(1.urban[district],_cons[district]) = 0"} if structure == "identity" else {}
    option = "constraints(1)" if constraints else ""
    found = memagic.run(
        f"{command}({restricted}(A)) {option}", bangladesh, matrices={"A": matrix}, constraints=constraints
    )
    assert found.llf == pytest.approx(free.llf, abs=1e-8)
    shared = "/var(1.urban _cons[district])"
    names = {
        shared: "/var(1.urban[district])",
        shared.replace("var", "cov"): "/cov(1.urban[district],_cons[district])",
    }
    same(found, free, names)
    if not constraints and structure != "exchangeable":
        # The same number of parameters of covariances, the same test.
        assert (found.e["chi2_c"], found.e["df_c"]) == pytest.approx((free.e["chi2_c"], free.e["df_c"]))


def test_constraints_across_levels_and_families(
    fitted: Fitted, shared_data: Callable[[str], pd.DataFrame]
) -> None:
    data = shared_data("tvsfpors")
    command = "meologit thk prethk cc || school: || class:, intpoints(5)"
    held = memagic.run(
        f"{command} constraints(1/2)",
        data,
        constraints={1: "/cut2 - /cut1 = 1.2", 2: "/var(_cons[school]) = /var(_cons[school>class])"},
    )
    assert held.converged
    assert held.params["/cut2"] - held.params["/cut1"] == pytest.approx(1.2, abs=1e-12)
    assert held.params["/var(_cons[school])"] == held.params["/var(_cons[school>class])"]
    assert held.llf < memagic.run(command, data).llf


# --- display and stored results --------------------------------------------------------------------


def test_display(bangladesh: pd.DataFrame) -> None:
    session = Session(bangladesh)
    session.run("constraint 1 [c_use]age = 0")
    session.run("constraint 2 1.children = 2.children")
    session.run("constraint 3 2*/var(_cons[district]) = .4")
    result = session.run(f"{MODEL}, constraints(1/3) nolog")
    assert isinstance(result, MEResults)
    lines = result.to_text().splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("Log likelihood")) + 1
    assert lines[first : first + 3] == [
        " ( 1)  [c_use]age = 0",
        " ( 2)  [c_use]1.children - [c_use]2.children = 0",
        " ( 3)  2*[/]var(_cons[district]) = .4",
    ]
    assert any(line.endswith("age |          0  (omitted)") for line in lines)
    assert any(line.endswith("var(_cons)|         .2  (constrained)") for line in lines)
    assert "LR test" not in result.to_text()
    assert "chi2_c" not in result.e
    assert "( 1)" not in str(session.run("melogit, nocnsreport"))
    assert "( 1)" not in result.replay(nocnsreport=True).to_text()
    assert "( 3)" in result.to_html()
    assert " 1  (omitted)" in str(session.run("melogit, or"))
    cns = result.e["Cns"]
    assert list(cns.columns) == [*result.params.index, "_Cns"]
    assert cns.loc["r2", ["1.children", "2.children", "_Cns"]].tolist() == [1.0, -1.0, 0.0]
    assert cns.loc["r3", ["/var(_cons[district])", "_Cns"]].tolist() == [2.0, 0.4]
    assert (cns.to_numpy()[:, :-1] @ result.params.to_numpy()) == pytest.approx(cns["_Cns"].to_numpy())


def test_numbers_go_on_after_the_constant(bangladesh: pd.DataFrame) -> None:
    command = "melogit c_use age, noconstant || district:, constraints(1)"
    result = run(command, bangladesh, "age = .5")
    assert " ( 1)  [c_use]_cons = 0\n ( 2)  [c_use]age = .5\n" in result.to_text()
    assert result.e["Cns"].to_numpy().tolist() == [[0, 0, 1, 0], [1, 0, 0, 0.5]]
    assert "age |         .5  (constrained)" in result.to_text()


def test_structures_show_their_constraints(bangladesh: pd.DataFrame) -> None:
    result = run(f"{SLOPE}, cov(fixed(A))", bangladesh, A=pd.DataFrame([[0.5, 0.0], [np.nan, np.nan]]))
    text = result.to_text()
    assert " ( 1)  [/]var(1.urban[district]) = .5\n" in text
    assert "var(1.urban)|         .5  (constrained)" in text
    # A model with a variance of one half does not contain the one without random effects.
    assert "LR test" not in text


def test_redundant_constraints_are_left_out(bangladesh: pd.DataFrame) -> None:
    result = run(
        f"{MODEL}, constraints(1/4)",
        bangladesh,
        "age = 0",
        "1.children = 2.children",
        "2*1.children - 2*i2.children = 3*age",
        "2.children = 1b.children",
    )
    assert len(result.e["Cns"]) == 2
    assert "( 3)" not in result.to_text()


# --- the session ----------------------------------------------------------------------------------


def test_constraints_of_a_session() -> None:
    session = Session(constraints={7: "x = 1"})
    assert session.run("constraint 2 x1 = 2*x2") is None
    assert str(session.run("constraint dir")) == "     2: x1 = 2*x2\n     7: x = 1"
    assert repr(session.run("constraint dir 7 9")) == "     7: x = 1"
    session.run("constraint drop 2 5")
    assert list(session.constraints) == [7]
    session.run("constraint drop _all")
    assert str(session.run("constraint dir")) == "no constraints"


def test_matrices_of_a_session() -> None:
    session = Session(matrices={"B": np.eye(2), "C": [[1, 2]]})
    assert session.run(r"matrix A = (1, . \ 0, 10.5)") is None
    assert str(session.run("matrix list A")) == "A[2,2]\n    c1    c2\nr1   1     .\nr2   0  10.5"
    assert str(session.run("matrix dir")).split() == ["A[2,2]", "B[2,2]", "C[1,2]"]
    session.run("matrix drop B")
    assert list(session.matrices) == ["C", "A"]
    session.run("matrix drop _all")
    assert str(session.run("matrix dir")) == "no matrices"


def test_what_is_given_is_not_changed() -> None:
    matrix = np.eye(2)
    session = Session(matrices={"A": matrix})
    matrix[0, 0] = 5.0
    assert session.matrices["A"][0, 0] == 1.0


@pytest.mark.parametrize("matrix", [[["a"]], [1, 2], np.zeros((0, 2)), np.zeros((1, 1, 1))])
def test_matrices_that_are_none(matrix: object) -> None:
    with pytest.raises(CommandError) as caught:
        Session(matrices={"A": matrix})
    assert caught.value.rc == 109


# --- mistakes ---------------------------------------------------------------------------------------

MATRICES = {
    "three": np.eye(3),
    "wide": np.ones((1, 2)),
    "negative": [[-1.0, np.nan], [np.nan, np.nan]],
    "zero": [[0.0, np.nan], [np.nan, np.nan]],
    "words": [["a"]],
    "steep": [[1.0, np.nan], [2.0, 1.0]],
}
GIVEN = {
    1: "age = 0",
    2: "age = 1",
    3: "agee = 0",
    4: "[use]age = 0",
    5: "/var(_cons[school]) = 1",
    6: "/var(_cons[district]) = -1",
    7: "age = 9.urban",
}


@pytest.mark.parametrize(
    ("options", "rc", "message", "place"),
    [
        ("constraints(9)", 111, "constraint 9 is not defined", "9"),
        ("constraints(1/2)", 412, "redundant or inconsistent constraints", "1/2"),
        ("constraints(3)", 111, "agee not found among the parameters", "3"),
        ("constraints(4)", 111, "[use]age not found among the parameters", "4"),
        ("constraints(5)", 111, "/var(_cons[school]) not found among the parameters", "5"),
        ("constraints(6)", 1400, "initial values not feasible", None),
        ("constraints(7)", 111, "9.urban not found among the parameters", "7"),
        ("constraints(0)", 198, "constraints() takes integers between 1 and 1999", "0"),
        ("constraints(x)", 121, "invalid numlist", "x"),
        ("constraints", 198, "option constraints() incorrectly specified", "constraints"),
        ("cov(fixed(A))", 111, "matrix A not found", "fixed(A)"),
        ("cov(pattern(three))", 503, "conformability error", "pattern(three)"),
        ("cov(fixed(wide))", 503, "conformability error", "fixed(wide)"),
        ("cov(fixed(negative))", 506, "matrix not positive definite", "fixed(negative)"),
        ("cov(fixed(zero))", 506, "matrix not positive definite", "fixed(zero)"),
        ("cov(fixed(steep))", 506, "matrix not positive definite", "fixed(steep)"),
        ("cov(fixed(words))", 109, "matrix words has elements that are no numbers", "fixed(words)"),
        ("cov(fixed)", 198, "option covariance() incorrectly specified", ""),
        ("cov(pattern())", 198, "option covariance() incorrectly specified", ""),
        ("cov(fixed(a b))", 198, "option covariance() incorrectly specified", "b"),
    ],
)
def test_mistakes(bangladesh: pd.DataFrame, options: str, rc: int, message: str, place: str | None) -> None:
    command = f"{SLOPE}, {options}"
    with pytest.raises(CommandError) as caught:
        memagic.run(command, bangladesh, matrices=MATRICES, constraints=GIVEN)
    error = caught.value
    assert (error.rc, error.message, error.text) == (rc, message, command)
    assert place is None or (
        error.span is not None and command[slice(*error.span)].rstrip(")") == place.rstrip(")")
    )


def test_mistakes_of_the_session_commands() -> None:
    session = Session()
    for command, rc in [
        ("matrix list A", 111),
        ("matrix drop A", 111),
        ("matrix A = (1", 132),
        ("constraint 1 x*y = 0", 198),
        ("constraint drop x", 121),
    ]:
        with pytest.raises(CommandError) as caught:
            session.run(command)
        assert (caught.value.rc, caught.value.text) == (rc, command)
    assert session.constraints == {}
    assert session.matrices == {}


# --- with starting values and other options of the maximization ------------------------------------

TIED = "/var(1.urban[district]) = /var(_cons[district])"


@pytest.mark.parametrize(
    "options",
    [
        "technique(bfgs)",
        "technique(dfp 5 nr 5)",
        "technique(bhhh 5 nr 5)",
        "difficult",
        "dnumerical",
        "startvalues(zero)",
        "startvalues(constantonly)",
        "startvalues(iv)",
        "startvalues(fixedonly, iterate(1))",
        "startgrid(.1 1 _cons[district])",
        "startgrid",
        "from(age = .3 /var(_cons[district]) = .5)",
        "trace gradient hessian showstep showtolerance",
    ],
)
def test_one_maximum_from_everywhere(bangladesh: pd.DataFrame, options: str) -> None:
    plain = run(f"{SLOPE}, constraints(1 2)", bangladesh, TIED, "age = .01")
    other = run(f"{SLOPE}, constraints(1 2) {options}", bangladesh, TIED, "age = .01")
    assert other.llf == pytest.approx(plain.llf, rel=1e-9)
    assert other.params.to_numpy() == pytest.approx(plain.params.to_numpy(), rel=1e-3, abs=1e-5)
    assert other.params["age"] == 0.01


def test_starting_values_satisfy_the_constraints(bangladesh: pd.DataFrame) -> None:
    start = "from(age = .3 /var(1.urban[district]) = .5 /var(_cons[district]) = 1.5)"
    found = run(f"{SLOPE}, constraints(1 2) {start} noestimate", bangladesh, TIED, "age = .01")
    assert found.params["age"] == 0.01
    # The nearest point at which the two are equal.
    assert found.params["/var(1.urban[district])"] == pytest.approx(1.0)
    assert found.params["/var(_cons[district])"] == found.params["/var(1.urban[district])"]
    assert any(line.endswith("age |        .01  _b[age]") for line in found.to_text().splitlines())


def test_nodes_of_a_grid_satisfy_the_constraints(bangladesh: pd.DataFrame) -> None:
    command = f"{SLOPE}, constraints(1) startgrid(.5 2 _cons[district]) noestimate"
    found = run(command, bangladesh, "/var(_cons[district]) = .3")
    assert found.params["/var(_cons[district])"] == 0.3
    nodes = [line for line in found.to_text(log=True).splitlines() if line.startswith("Grid node")]
    assert len(nodes) == 3
    assert len({line.split("=")[1] for line in nodes}) == 1


def test_the_log_names_what_is_free(bangladesh: pd.DataFrame) -> None:
    found = run(f"{SLOPE}, constraints(1 2) trace gradient", bangladesh, TIED, "age = .01")
    lines = found.to_text(log=True).splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("Gradient vector"))
    assert [line.split()[0] for line in lines[first + 1 : first + 3]] == ["_cons", "/gamma2"]
    assert lines[first + 3] == ""
    first = lines.index("Coefficient vector:")
    assert [line.split()[0] for line in lines[first + 1 : first + 3]] == ["age", "_cons"]


def test_crossed_effects(bangladesh: pd.DataFrame) -> None:
    data = bangladesh.assign(region=bangladesh["district"].astype(int) % 7)
    command = "melogit c_use age || _all: R.region || district:"
    name = "/var(_cons[_all>region])"
    free = memagic.run(command, data)
    assert name in free.params
    held = run(f"{command}, constraints(1)", data, f"{name} = .1")
    assert held.params[name] == 0.1
    assert held.llf < free.llf
    # A level may be named without the path to it, as in from() and startgrid().
    short = run(f"{command}, constraints(1)", data, "/var(_cons[region]) = .1")
    assert short.params.to_dict() == held.params.to_dict()
    with pytest.raises(CommandError, match=r"R\.varname has the covariance structure identity"):
        run("melogit c_use age || _all: R.region, covariance(fixed(A)) || district:", data, A=[[1.0]])


def test_one_name_for_matrices_of_both_kinds(bangladesh: pd.DataFrame) -> None:
    session = Session(bangladesh)
    fit = session.run("melogit c_use age || district:")
    assert isinstance(fit, MEResults)
    session.matrices["b"] = fit.e["b"]
    session.run("matrix start = (.01, -.5, .2)")
    session.run("matrix A = (.25)")
    assert str(session.run("matrix dir")).split() == ["A[1,1]", "b[1,3]", "start[1,3]"]
    for option, values in [("from(b)", fit.params.to_numpy()), ("from(start, copy)", [0.01, -0.5, 0.2])]:
        found = session.run(f"melogit c_use age || district:, {option} noestimate")
        assert isinstance(found, MEResults)
        assert found.params.to_numpy() == pytest.approx(values)
    found = session.run("melogit c_use age || district:, covariance(fixed(A)) from(b)")
    assert isinstance(found, MEResults)
    assert found.params["/var(_cons[district])"] == 0.25


def test_vectors_keep_their_names() -> None:
    vector = pd.Series({"x": 1.0, "_cons": 2.0})
    session = Session(matrices={"b": vector, "d": {"x": 1.0}})
    vector["x"] = 5.0
    assert session.matrices["b"].to_dict() == {"x": 1.0, "_cons": 2.0}
    assert str(session.run("matrix dir")).split() == ["b[1,2]", "d[1,1]"]
