"""test, testparm and lincom: by hand from b and V, and in the manual's words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from memagic import CommandError, Session
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]

URBAN = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"
SURVEY = "svy: melogit y x i.arm || psu:"


@pytest.fixture(scope="module")
def fit(fitted: Fitted) -> MEResults:
    return fitted(URBAN, "bangladesh")


@pytest.fixture(scope="module")
def survey() -> MEResults:
    """A small survey of sixteen units in two strata."""
    import pandas as pd

    rng = np.random.default_rng(8)
    psu = np.repeat(np.arange(16), 12)
    x, u = rng.normal(size=192), rng.normal(size=16)[psu]
    frame = pd.DataFrame(
        {
            "psu": psu,
            "strata": psu // 8,
            "x": x,
            "arm": rng.integers(0, 3, size=192),
            "w": rng.uniform(1, 3, size=16)[psu],
            "y": (0.5 * x + u + rng.logistic(size=192) > 0).astype(int),
        }
    )
    session = Session(data=frame)
    session.run("svyset psu, strata(strata) weight(w)")
    result = session.run(SURVEY)
    assert isinstance(result, MEResults)
    return result


def by_hand(fit: MEResults, rows: dict[str, float] | list[dict[str, float]], values: object = 0.0) -> float:
    """(R b - r)' (R V R')^-1 (R b - r)."""
    listed = rows if isinstance(rows, list) else [rows]
    matrix = np.array([[row.get(name, 0.0) for name in fit.params.index] for row in listed])
    difference = matrix @ fit.params.to_numpy() - np.asarray(values)
    v = matrix @ fit.cov_params().to_numpy() @ matrix.T
    return float(difference @ np.linalg.solve(v, difference))


@pytest.mark.parametrize(
    ("text", "rows", "values"),
    [
        ("1.urban", [{"1.urban": 1}], 0),
        ("1.urban age", [{"1.urban": 1}, {"age": 1}], 0),
        ("1.urban = age", [{"1.urban": 1, "age": -1}], 0),
        ("2*1.children - 3.children/2 = .5", [{"1.children": 2, "3.children": -0.5}], 0.5),
        (
            "1.children = 2.children = 3.children",
            [{"1.children": 1, "2.children": -1}, {"1.children": 1, "3.children": -1}],
            0,
        ),
        ("(age = -.02) ([c_use]1.urban = 1)", [{"age": 1}, {"1.urban": 1}], [-0.02, 1]),
        ("[c_use]: age 1.urban", [{"age": 1}, {"1.urban": 1}], 0),
        ("_b[/var(_cons[district])] = .3", [{"/var(_cons[district])": 1}], 0.3),
        ("/cov(_cons[district],1.urban[district])", [{"/cov(1.urban[district],_cons[district])": 1}], 0),
    ],
)
def test_statistic_is_the_quadratic_form(
    fit: MEResults, text: str, rows: list[dict[str, float]], values: object
) -> None:
    found = fit.wald_test(text)
    expected = by_hand(fit, rows, values)
    assert found.statistic == pytest.approx(expected, rel=1e-9)
    assert found.df == len(rows)
    assert found.p == pytest.approx(stats.chi2.sf(expected, len(rows)), rel=1e-9, abs=1e-300)
    assert found.r == {"p": found.p, "chi2": found.statistic, "df": len(rows), "drop": 0}


def test_text_of_the_manual(fit: MEResults) -> None:
    found = fit.wald_test("1.urban")
    z = fit.tvalues["1.urban"]
    assert str(found).split("\n") == [
        " ( 1)  [c_use]1.urban = 0",
        "",
        f"          chi2(  1) ={z**2:8.2f}",
        "        Prob > chi2 =    0.0000",
    ]
    assert "[c_use]1.urban = 0" in found.to_html()


def test_everything_is_the_models_own_test(fit: MEResults) -> None:
    assert fit.wald_test("").statistic == pytest.approx(fit.e["chi2"], rel=1e-9)
    assert fit.wald_test("[c_use]").statistic == pytest.approx(fit.e["chi2"], rel=1e-9)
    assert fit.wald_test("").df == fit.df_model


def test_testparm(fit: MEResults) -> None:
    rows = [{f"{k}.children": 1.0} for k in (1, 2, 3)]
    assert fit.testparm("i.children").statistic == pytest.approx(by_hand(fit, rows))
    assert fit.testparm("i(1 3).children").df == 2
    assert fit.testparm("i.children age").df == 4
    equal = [{f"{k}.children": 1.0, "1.children": -1.0} for k in (2, 3)]
    assert fit.testparm("i.children, equal").statistic == pytest.approx(by_hand(fit, equal))


def test_hypotheses_that_follow_from_others_are_dropped(fit: MEResults) -> None:
    found = fit.wald_test("(age = 0) (1.urban = 0) (age = 1.urban) (0.urban = 0)")
    assert found.dropped == (2, 3)
    assert found.df == 2
    assert found.statistic == pytest.approx(by_hand(fit, [{"age": 1}, {"1.urban": 1}]))
    assert found.r["drop"] == 1
    assert found.r["dropped_1"] == 3
    assert "Constraint 3 dropped" in str(found)


@pytest.mark.parametrize("method", ["bonferroni", "holm", "sidak", "noadjust"])
def test_multiple_tests(fit: MEResults, method: str) -> None:
    from statsmodels.stats.multitest import multipletests

    found = fit.wald_test(f"1.urban age 1.children, mtest({method})")
    names = ["1.urban", "age", "1.children"]
    np.testing.assert_allclose(found.single[:, 0], fit.tvalues[names] ** 2, rtol=1e-9)
    raw = fit.pvalues[names]
    expected = raw if method == "noadjust" else multipletests(raw, method=method)[1]
    np.testing.assert_allclose(found.single[:, 1], expected, rtol=1e-6, atol=1e-15)
    assert list(found.r["mtest"].columns) == ["chi2", "df", "p"]
    assert "(2)" in str(found).replace(" ", "")


def test_accumulate(shared_data: Callable[[str], object], fit: MEResults) -> None:
    session = Session(data=shared_data("bangladesh"))  # type: ignore[arg-type]
    with pytest.raises(CommandError) as none:
        session.run("test age")
    assert none.value.rc == 301
    session.run("melogit c_use age i.urban")
    with pytest.raises(CommandError) as first:
        session.run("test age, accumulate")
    assert first.value.rc == 301
    session.run("test age")
    both = session.run("test 1.urban, accumulate")
    result = session.last
    assert result is not None
    expected = by_hand(result, [{"age": 1}, {"1.urban": 1}])
    assert both.statistic == pytest.approx(expected)  # type: ignore[union-attr]
    session.run("melogit c_use age")
    with pytest.raises(CommandError):
        session.run("test age, accumulate")


def test_survey(survey: MEResults) -> None:
    d = 16 - 2
    found = survey.testparm("i.arm")
    w = by_hand(survey, [{"1.arm": 1}, {"2.arm": 1}])
    f = (d - 1) / (2 * d) * w
    assert found.name == "F"
    assert found.df == 2
    assert found.df_r == d - 1
    assert found.statistic == pytest.approx(f)
    assert found.p == pytest.approx(stats.f.sf(f, 2, d - 1))
    plain = survey.testparm("i.arm, nosvyadjust")
    assert plain.statistic == pytest.approx(w / 2)
    assert plain.df_r == d
    assert "F(  2,    13)" in str(found)
    line = survey.lincom("x - 1.arm")
    assert line.statistic == "t"
    assert line.df == d
    half = stats.t.ppf(0.975, d) * line.se[0]
    assert line.upper[0] - line.b[0] == pytest.approx(half)


@pytest.mark.parametrize(
    ("text", "rc", "message"),
    [
        ("nothere", 111, "nothere not found"),
        ("[other]age = 0", 111, "[other]age not found"),
        ("age*1.urban = 0", 198, "not possible with test"),
        ("i.children", 111, "i.children not found"),
        ("age, mtest(tukey)", 198, "option mtest() incorrectly specified"),
        ("age, nothing", 198, "option nothing not allowed"),
        ("(age = 0) ()", 198, "invalid syntax"),
    ],
)
def test_what_is_refused(fit: MEResults, text: str, rc: int, message: str) -> None:
    with pytest.raises(CommandError) as error:
        fit.wald_test(text)
    assert (error.value.rc, error.value.message) == (rc, message)


def test_testparm_of_what_is_not_there(fit: MEResults) -> None:
    with pytest.raises(CommandError) as error:
        fit.testparm("i.childrn")
    assert error.value.rc == 111
    assert error.value.hint == "did you mean children?"


def test_starting_values_are_no_estimates(shared_data: Callable[[str], object]) -> None:
    session = Session(data=shared_data("bangladesh"))  # type: ignore[arg-type]
    session.run("melogit c_use age || district:, noestimate")
    for command in ("test age", "lincom age", "nlcom _b[age]", "contrast age", "margins"):
        with pytest.raises(CommandError) as error:
            session.run(command)
        assert error.value.rc == 301, command


def test_lincom(fit: MEResults) -> None:
    found = fit.lincom("1.urban - 2*age + 3, level(90)")
    b, v = fit.params, fit.cov_params()
    se = np.sqrt(v.loc["1.urban", "1.urban"] + 4 * v.loc["age", "age"] - 4 * v.loc["1.urban", "age"])
    value = b["1.urban"] - 2 * b["age"] + 3
    assert found.r["estimate"] == pytest.approx(value)
    assert found.r["se"] == pytest.approx(se)
    assert found.r["lb"] == pytest.approx(value - stats.norm.ppf(0.95) * se)
    assert found.r["p"] == pytest.approx(2 * stats.norm.sf(value / se), rel=1e-6)
    assert found.hypotheses == ("( 1)  [c_use]1.urban - 2*[c_use]age = -3",)
    assert "[90% conf. interval]" in str(found)


def test_lincom_of_one_coefficient_is_its_row(fit: MEResults) -> None:
    found = fit.lincom("1.urban")
    row = fit.table["1.urban"] if "1.urban" in fit.table.columns else fit.table.loc["1.urban"]
    np.testing.assert_allclose(
        [found.b[0], found.se[0], found.z[0], found.p[0], found.lower[0], found.upper[0]],
        [row["b"], row["se"], row["z"], row["pvalue"], row["ll"], row["ul"]],
        rtol=1e-9,
    )
    text = str(found).split("\n")
    assert text[0] == " ( 1)  [c_use]1.urban = 0"
    assert text[-2].startswith("         (1) |   ")
    shown = next(line for line in str(fit).split("\n") if "1.urban |" in line or "urban  |" in line)
    assert text[-2].split("|")[1] == shown.split("|")[1]


def test_lincom_as_an_odds_ratio(fit: MEResults) -> None:
    found = fit.lincom("1.urban + age, or")
    plain = fit.lincom("1.urban + age")
    assert found.b[0] == pytest.approx(np.exp(plain.b[0]))
    assert found.se[0] == pytest.approx(np.exp(plain.b[0]) * plain.se[0])
    assert found.upper[0] == pytest.approx(np.exp(plain.upper[0]))
    assert found.z[0] == plain.z[0]
    assert "Odds ratio" in str(found)
    for text, message in (
        ("age, irr", "option irr not allowed"),
        ("age, or eform", "only one of or and eform may be specified"),
    ):
        with pytest.raises(CommandError) as error:
            fit.lincom(text)
        assert error.value.message == message


def test_denominator_degrees_of_freedom(fit: MEResults) -> None:
    from scipy.stats import f

    plain, found = fit.wald_test("1.urban = age"), fit.wald_test("1.urban = age, df(58)")
    assert (found.name, found.df, found.df_r) == ("F", 1, 58.0)
    assert found.statistic == pytest.approx(plain.statistic / plain.df)
    assert found.p == pytest.approx(f.sf(found.statistic, 1, 58))
    assert "F(  1,    58)" in str(found)
    for text in ("age, df(0)", "age, df(1.5)", "age 1.urban, df(20) mtest", "age, common"):
        with pytest.raises(CommandError):
            fit.wald_test(text)


def test_constrained_coefficients(fit: MEResults) -> None:
    # The minimum of the quadratic form under the hypotheses, by its Lagrange equations.
    found = fit.wald_test("(1.urban = age) (1.children = 1), coef")
    b, v = np.asarray(fit.params), np.asarray(fit.cov_params())
    r = found.matrix
    k, q = len(b), len(r)
    system = np.block([[np.linalg.inv(v), r.T], [r, np.zeros((q, q))]])
    solved = np.linalg.solve(system, np.concatenate([np.linalg.solve(v, b), found.values]))[:k]
    assert found.constrained is not None
    shown = [float(row.cells[0]) for row in found.constrained.rows]
    np.testing.assert_allclose(shown, solved, rtol=1e-5)
    assert found.constrained.rows[list(fit.params.index).index("1.children")].cells[1] == "(constrained)"
    assert "Constrained coefficients" in str(found)
    assert "(constrained)" in found.to_html()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("children", "type testparm i.children"),
        ("i.age", "type testparm age"),
        ("chldren", "did you mean children?"),
        ("i.children#i.age", "did you mean children?"),
    ],
)
def test_a_factor_variable_has_its_letter(fit: MEResults, text: str, hint: str) -> None:
    with pytest.raises(CommandError) as caught:
        fit.testparm(text)
    assert (caught.value.rc, caught.value.hint) == (111, hint)
    if hint.startswith("type"):
        assert fit.testparm(hint.removeprefix("type testparm ")).df >= 1


def test_an_interaction_has_its_letters(shared_data: Callable[[str], object]) -> None:
    session = Session(data=shared_data("bangladesh"))  # type: ignore[arg-type]
    session.run("melogit c_use i.urban##c.age")
    with pytest.raises(CommandError) as caught:
        session.run("testparm urban#age")
    assert caught.value.hint == "type testparm i.urban#c.age"
    session.run("testparm i.urban#c.age")
