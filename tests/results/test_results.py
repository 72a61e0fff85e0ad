"""The result as users hold it: its parts agree with each other and with numbers recomputed by hand."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, multivariate_normal, norm

import memagic
from memagic.errors import CommandError
from memagic.results import MEResults

Run = Callable[[str], MEResults]

COMMANDS = [
    "melogit win x i.arm || g:",
    "meglm y x i.arm || g: z, covariance(unstructured)",
    "meprobit win x, noconstant || g:",
    "mecloglog win || g:",
    "mepoisson count x, exposure(expo) || g:, irr level(90)",
    "meglm y x i.arm c.x#i.sex || g: x, covariance(exchangeable)",
    "meglm y x x i.sex",
    "melogit win x, or",
    "melogit even x || g:",
]
every_fit = pytest.mark.parametrize("command", COMMANDS)


def rank_of(v: pd.DataFrame) -> int:
    """Rank of a covariance matrix, on the scale of its standard errors."""
    se = np.sqrt(np.diag(v))
    scale = np.where(se > 0, se, 1.0)
    return int(np.linalg.matrix_rank(v.to_numpy() / np.outer(scale, scale), tol=1e-9, hermitian=True))


# --- numbers ---------------------------------------------------------------------------------


@every_fit
def test_parts_agree(fit: Run, command: str) -> None:
    found = fit(command)
    names = list(found.params.index)
    k = len(names)
    assert len(set(names)) == k
    for series in (found.params, found.bse, found.tvalues, found.pvalues):
        assert list(series.index) == names
    v = found.cov_params()
    assert list(v.index) == list(v.columns) == names
    np.testing.assert_allclose(v, v.T)
    assert np.linalg.eigvalsh(v.to_numpy()).min() > -1e-10 * np.trace(v.to_numpy())
    np.testing.assert_allclose(found.bse, np.sqrt(np.diag(v)))
    testable = [not name.startswith("/var") and found.bse[name] > 0 for name in names]
    np.testing.assert_allclose(found.tvalues[testable], (found.params / found.bse)[testable])
    assert found.tvalues[[not t for t in testable]].isna().all()
    np.testing.assert_allclose(found.pvalues[testable], 2 * norm.sf(np.abs(found.tvalues[testable])))
    assert found.nobs == found.e["N"] == found.e["sample"].sum() == len(found.estimates.design.y)
    assert found.llf == found.e["ll"]
    rank = found.e["rank"]
    # A variance at zero, as that of an outcome that goes with no group, is no longer free.
    free = [not parameter.at_zero for parameter in found.estimates.parameters]
    assert rank == rank_of(v.loc[free, free])
    assert found.aic == pytest.approx(-2 * found.llf + 2 * rank)
    assert found.bic == pytest.approx(-2 * found.llf + rank * np.log(found.nobs))
    assert found.converged


@every_fit
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_confidence_limits(fit: Run, command: str, alpha: float) -> None:
    found = fit(command)
    z = norm.ppf(1 - alpha / 2)
    limits = found.conf_int(alpha)
    for name in found.params.index:
        b, se = found.params[name], found.bse[name]
        if not name.startswith("/var"):
            expected = [b - z * se, b + z * se]
        elif "zero" in found.to_text() and found.e["chi2_c"] < 1e-8:
            expected = [np.nan, np.nan]
        else:
            expected = [b * np.exp(-z * se / b), b * np.exp(z * se / b)]
        np.testing.assert_allclose(limits.loc[name], expected, err_msg=name)


@every_fit
def test_table(fit: Run, command: str) -> None:
    found = fit(command)
    table = found.table
    assert list(table.index) == ["b", "se", "z", "pvalue", "ll", "ul", "df", "crit", "eform"]
    assert list(table.columns) == list(found.params.index)
    pd.testing.assert_frame_equal(found.r["table"], table)
    level = 90 if "level(90)" in command else 95
    np.testing.assert_allclose(table.loc["crit"], norm.ppf(0.5 + level / 200))
    limits = found.conf_int(1 - level / 100)
    exponentiated = "irr" in command or ", or" in command
    for name in found.params.index:
        ratio = exponentiated and not name.startswith("/")
        assert table.loc["eform", name] == float(ratio)
        b = np.exp(found.params[name]) if ratio else found.params[name]
        assert table.loc["b", name] == pytest.approx(b)
        assert table.loc["se", name] == pytest.approx(found.bse[name] * (b if ratio else 1))
        expected = np.exp(limits.loc[name]) if ratio else limits.loc[name]
        np.testing.assert_allclose(table.loc[["ll", "ul"], name], expected)
    np.testing.assert_allclose(table.loc["z"], found.tvalues)
    np.testing.assert_allclose(table.loc["pvalue"], found.pvalues)


def test_series_are_not_exponentiated(fit: Run) -> None:
    np.testing.assert_allclose(fit("melogit win x, or").params, fit("melogit win x").params)


def test_coefficients_of_a_plain_model(fit: Run, frame: pd.DataFrame) -> None:
    """Without random effects, linear regression by maximum likelihood."""
    found = fit("meglm y x i.sex")
    x = np.column_stack([frame["x"], frame["sex"], np.ones(len(frame))])
    b, rss, *_ = np.linalg.lstsq(x, frame["y"].to_numpy(), rcond=None)
    np.testing.assert_allclose(found.params.iloc[:3], b)
    s2 = rss[0] / len(frame)
    assert found.params["/var(e.y)"] == pytest.approx(s2)
    np.testing.assert_allclose(found.bse.iloc[:3], np.sqrt(s2 * np.diag(np.linalg.inv(x.T @ x))))
    assert found.bse["/var(e.y)"] == pytest.approx(s2 * np.sqrt(2 / len(frame)), rel=1e-5)


# --- the covariance of variances, by second differences on their own scale ----------------------


def hessian(function: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Second derivatives by central differences."""
    step = 1e-3 * np.maximum(np.abs(at), 0.1)
    k = len(at)
    found = np.empty((k, k))
    for i in range(k):
        for j in range(i + 1):
            total = 0.0
            for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                point = at.copy()
                point[i] += a * step[i]
                point[j] += b * step[j]
                total += a * b * function(point)
            found[i, j] = found[j, i] = total / (4 * step[i] * step[j])
    return found


@pytest.mark.parametrize("structure", ["independent", "identity", "exchangeable", "unstructured"])
def test_covariance_of_variances(fit: Run, frame: pd.DataFrame, structure: str) -> None:
    """The linear model as one multivariate normal distribution a group."""
    found = fit(f"meglm y x || g: z, covariance({structure})")
    fixed = np.column_stack([frame["x"], np.ones(len(frame))])
    effects = np.column_stack([frame["z"], np.ones(len(frame))])
    sigma = {
        "independent": lambda s: np.diag(s),
        "identity": lambda s: s[0] * np.eye(2),
        "exchangeable": lambda s: np.array([[s[0], s[1]], [s[1], s[0]]]),
        "unstructured": lambda s: np.array([[s[0], s[2]], [s[2], s[1]]]),
    }[structure]

    def log_likelihood(b: np.ndarray) -> float:
        total = 0.0
        for rows in np.split(np.arange(len(frame)), 12):
            z = effects[rows]
            cov = z @ sigma(b[2:-1]) @ z.T + b[-1] * np.eye(len(rows))
            mean = fixed[rows] @ b[:2]
            total += float(multivariate_normal.logpdf(frame["y"].to_numpy()[rows], mean, cov))
        return total

    b = found.params.to_numpy()
    assert found.llf == pytest.approx(log_likelihood(b), abs=1e-8)
    expected = np.linalg.inv(-hessian(log_likelihood, b))
    np.testing.assert_allclose(found.bse, np.sqrt(np.diag(expected)), rtol=2e-3)
    np.testing.assert_allclose(found.cov_params(), expected, rtol=2e-2, atol=1e-3 * np.diag(expected).min())


def test_standard_error_of_a_variance_is_that_of_the_deviation(fit: Run) -> None:
    """The derivative of sd^2 is 2 sd."""
    found = fit("melogit win x || g:")
    fitted = found.estimates.fit
    deviation = abs(fitted.theta[-1])
    assert found.params["/var(_cons[g])"] == pytest.approx(deviation**2)
    from memagic.engine.fit import Settings, make_objective

    information = -make_objective(found.estimates.problem, Settings()).evaluate(fitted.theta).hessian
    se = np.sqrt(np.linalg.inv(information)[-1, -1])
    assert found.bse["/var(_cons[g])"] == pytest.approx(2 * deviation * se, rel=1e-4)


# --- stored results --------------------------------------------------------------------------

ALWAYS = {
    *("N", "k", "k_dv", "k_eq", "k_eq_model", "k_f", "k_r", "k_rs", "k_rc", "df_m", "ll", "chi2", "p"),
    *("rank", "ic", "rc", "converged", "cmd", "cmd2", "cmdline", "depvar", "covariates", "model", "title"),
    *(
        "link",
        "family",
        "chi2type",
        "vce",
        "opt",
        "which",
        "ml_method",
        "technique",
        "singularHmethod",
        "datasignature",
    ),
    *("datasignaturevars", "properties", "b", "V", "ilog", "gradient", "sample"),
}
WITH_RANDOM_EFFECTS = {
    *("ll_c", "chi2_c", "df_c", "p_c", "ivars", "intmethod", "n_quad", "N_g", "g_min", "g_avg", "g_max"),
}

# Names of 'Stored results' that none of these models has.
ABSENT = {
    *("k_cat", "cat", "dispersion", "N_clust", "clustvar", "vcetype", "V_modelbased", "user", "estat_cmd"),
    *("wtype", "wexp", "fweight1", "iweight1", "pweight1", "marginswtype", "marginswexp", "predict"),
    *("marginsnotok", "asbalanced", "asobserved"),
}


@every_fit
def test_names_of_stored_results(fit: Run, command: str) -> None:
    expected = ALWAYS.copy()
    if "||" in command:
        expected |= WITH_RANDOM_EFFECTS
    if "exposure" in command:
        expected.add("offset")
    if "noconstant" in command:
        expected.add("Cns")
    found = fit(command)
    assert set(found.e) == expected
    assert not set(found.e) & set(ABSENT)
    assert len(found.e) == len(expected)


def test_names_of_stored_results_with_trials(frame: pd.DataFrame) -> None:
    found = memagic.run("melogit count x if count <= 9, binomial(9) || g:", data=frame)
    assert found.e["binomial"] == "9"
    assert found.e["family"] == "binomial"
    by_variable = memagic.run(
        "melogit win x, binomial(m) offset(off) || g:, intmethod(laplace)", data=frame.assign(m=1)
    )
    assert by_variable.e["binomial"] == "m"
    assert by_variable.e["offset"] == "off"
    assert by_variable.e["intmethod"] == "laplace"
    assert "n_quad" not in by_variable.e


def test_stored_results(fit: Run, frame: pd.DataFrame) -> None:
    command = "melogit win x i.arm || g: x, covariance(unstructured)"
    e = fit(command).e
    assert {name: e[name] for name in ("N", "k", "k_f", "k_r", "k_rs", "k_rc", "k_dv", "k_eq_model")} == {
        "N": 120,
        "k": 7,
        "k_f": 4,
        "k_r": 3,
        "k_rs": 2,
        "k_rc": 1,
        "k_dv": 1,
        "k_eq_model": 1,
    }
    assert (e["cmd"], e["cmd2"], e["cmdline"], e["depvar"]) == ("meglm", "melogit", command, "win")
    assert fit("meglm y x i.sex").e["cmd"] == "gsem"
    assert e["covariates"] == "x 1.arm 2.arm"
    assert (e["ivars"], e["intmethod"], e["n_quad"]) == ("g", "mvaghermite", 7)
    assert (e["model"], e["title"]) == ("logistic", "Mixed-effects logistic regression")
    assert (e["family"], e["link"]) == ("bernoulli", "logit")
    assert (e["rc"], e["converged"], e["which"], e["properties"]) == (0, 1, "max", "b V")
    assert e["datasignaturevars"] == "win x arm g"
    assert e["chi2_c"] == pytest.approx(2 * (e["ll"] - e["ll_c"]))
    # The correlation is 1: V has one rank less, and the test one degree of freedom.
    assert fit(command).estimates.parameters[-1].perfect
    assert (e["rank"], e["df_c"]) == (6, 2)
    assert e["p_c"] == pytest.approx(chi2.sf(e["chi2_c"], 2))
    assert e["p"] == pytest.approx(chi2.sf(e["chi2"], e["df_m"]))
    plain = memagic.run("melogit win x i.arm", data=frame)
    assert e["ll_c"] == pytest.approx(plain.llf)
    assert [float(e[name][0, 0]) for name in ("N_g", "g_min", "g_avg", "g_max")] == [12, 10, 10, 10]
    assert e["ilog"].shape[0] == 1
    assert e["ilog"].shape[1] <= 20
    assert e["ilog"][0, -1] == pytest.approx(e["ll"])
    assert e["b"].columns[:4].tolist() == ["x", "0b.arm", "1.arm", "2.arm"]
    assert e["b"].loc["y1", "0b.arm"] == 0.0
    assert e["b"].shape == (1, 8)
    assert (e["V"].shape, e["V"].loc["0b.arm"].abs().max()) == ((8, 8), 0.0)
    # Where the correlation is perfect the likelihood in the variances has no derivative to give.
    gradient = e["gradient"].loc["r1"]
    assert gradient.isna().tolist() == [False] * 5 + [True] * 3
    assert gradient.abs().max() < 1e-3
    assert e["sample"].dtype == bool


def test_gradient_is_that_of_the_reported_parameters(frame: pd.DataFrame) -> None:
    """Before convergence, against differences of the likelihood as one multivariate normal a group."""
    found = memagic.run("meglm y x || g: z, covariance(unstructured) iterate(1)", data=frame)
    fixed = np.column_stack([frame["x"], np.ones(len(frame))])
    effects = np.column_stack([frame["z"], np.ones(len(frame))])

    def log_likelihood(b: np.ndarray) -> float:
        total = 0.0
        for rows in np.split(np.arange(len(frame)), 12):
            z = effects[rows]
            cov = z @ np.array([[b[2], b[4]], [b[4], b[3]]]) @ z.T + b[5] * np.eye(len(rows))
            total += float(multivariate_normal.logpdf(frame["y"].to_numpy()[rows], fixed[rows] @ b[:2], cov))
        return total

    b = found.params.to_numpy()
    steps = 1e-5 * np.eye(6)
    expected = [(log_likelihood(b + h) - log_likelihood(b - h)) / 2e-5 for h in steps]
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(found.e["gradient"].loc["r1"], expected, rtol=1e-5, atol=1e-6)


def test_gradient_at_zero_variance(fit: Run) -> None:
    gradient = fit("melogit even x || g:").e["gradient"].loc["r1"]
    assert gradient.isna().tolist() == [False, False, True]


def test_half_the_tail_for_one_variance(fit: Run) -> None:
    e = fit("melogit win x i.arm || g:").e
    assert e["df_c"] == 1
    assert e["p_c"] == pytest.approx(0.5 * chi2.sf(e["chi2_c"], 1))


def test_sample_counts_rows_of_the_frame(frame: pd.DataFrame) -> None:
    found = memagic.run("melogit win x if x > 0 || g:", data=frame)
    np.testing.assert_array_equal(found.e["sample"], (frame["x"] > 0).to_numpy())


def test_signature_changes_with_the_data(frame: pd.DataFrame, fit: Run) -> None:
    same = memagic.run("meglm y x i.sex", data=frame.copy())
    other = memagic.run("meglm y x i.sex", data=frame.assign(x=frame["x"] + 1e-9 * (frame.index == 5)))
    here = fit("meglm y x i.sex").e["datasignature"]
    assert same.e["datasignature"] == here != other.e["datasignature"]


def test_signature_covers_offset_and_trials(frame: pd.DataFrame) -> None:
    """Every variable that the estimates depend on is among those of the checksum."""
    found = memagic.run(
        "melogit win x, binomial(m) offset(off) || g:, intmethod(laplace)", data=frame.assign(m=1)
    )
    assert set(found.e["datasignaturevars"].split()) == {"win", "x", "m", "off", "g"}
    command = "melogit count x if count <= 9, binomial(m) offset(off)"
    signatures = {
        memagic.run(command, data=frame.assign(m=m, off=shift * frame["off"])).e["datasignature"]
        for m, shift in ((9, 1), (10, 1), (9, 2))
    }
    assert len(signatures) == 3
    assert all(signature.split(":")[1] == "4" for signature in signatures)


def test_one_group_of_all_is_no_variable(frame: pd.DataFrame) -> None:
    found = memagic.run("meglm y x || _all: || g:", data=frame)
    assert found.e["datasignaturevars"] == "y x g"


def test_zero_variance(fit: Run) -> None:
    found = fit("melogit even x || g:")
    assert found.converged
    assert found.params["/var(_cons[g])"] == pytest.approx(0, abs=1e-8)
    assert (found.e["p_c"], found.e["df_c"]) == (1.0, 1)
    assert found.e["chi2_c"] == pytest.approx(0, abs=1e-6)
    assert found.llf == pytest.approx(found.e["ll_c"], abs=1e-6)
    text = found.to_text()
    assert "chibar2(01) = 0.00" in text
    assert "Prob >= chibar2 = 1.0000" in text
    plain = fit("melogit even x")
    np.testing.assert_allclose(found.params.iloc[:2], plain.params, rtol=1e-4)
    np.testing.assert_allclose(found.bse.iloc[:2], plain.bse, rtol=1e-4)


def test_correlation_at_its_boundary(fit: Run) -> None:
    """Variances and covariance of perfectly correlated effects: three estimates, two free ones."""
    found = fit("melogit win x i.arm || g: x, covariance(unstructured)")
    v1, v2, cov = found.params.iloc[-3:]
    assert cov**2 == pytest.approx(v1 * v2, rel=1e-4)
    assert found.e["rank"] == rank_of(found.cov_params()) == 6
    text = " ".join(found.to_text().split())
    assert "Note: cov(x,_cons) estimated at the boundary of its range: the correlation is perfect." in text
    assert "at the boundary" not in fit("meglm y x i.arm || g: z, covariance(unstructured)").to_text()


def test_read_only(fit: Run) -> None:
    found = fit("melogit win x i.arm || g:")
    with pytest.raises(TypeError):
        found.e["N"] = 1  # the mapping has no __setitem__
    with pytest.raises(KeyError):
        found.e["nothere"]
    for name in ("llf", "nobs", "aic", "bic", "df_model", "converged", "r"):
        with pytest.raises(AttributeError):
            setattr(found, name, 1)


@pytest.mark.parametrize("name", ["b", "V", "gradient", "ilog", "sample", "N_g"])
def test_changing_what_was_given_changes_nothing(frame: pd.DataFrame, name: str) -> None:
    found = (
        memagic.run("meglm y x", data=frame) if name != "N_g" else memagic.run("meglm y || g:", data=frame)
    )
    text, given = found.to_text(), found.e[name]
    before = given.copy()
    if isinstance(given, pd.DataFrame):
        given.iloc[:, :] = 77.0
    else:
        given[:] = not given[0] if given.dtype == bool else 77
    np.testing.assert_array_equal(np.asarray(found.e[name]), np.asarray(before))
    np.testing.assert_allclose(found.bse, np.sqrt(np.diag(found.cov_params())))
    assert found.to_text() == text


def test_changing_series_and_tables_changes_nothing(frame: pd.DataFrame) -> None:
    found = memagic.run("meglm y x", data=frame)
    before = found.params.copy()
    for given in (found.params, found.bse, found.tvalues, found.pvalues):
        given.iloc[:] = 77.0
    for given in (found.table, found.r["table"], found.cov_params()):
        given.iloc[:, :] = 77.0
    pd.testing.assert_series_equal(found.params, before)
    np.testing.assert_allclose(found.table.loc["b"], before)
    coefficients = ["x", "_cons"]
    np.testing.assert_allclose(found.tvalues[coefficients], (found.params / found.bse)[coefficients])


# --- display ---------------------------------------------------------------------------------


def test_replay(fit: Run) -> None:
    found = fit("melogit win x i.arm || g:")
    plain = found.replay().to_text()
    assert plain == found.to_text() == str(found) == found.summary().to_text()
    ratios = found.replay(or_=True, level=90).to_text()
    assert "Odds ratio" in ratios
    assert "[90% conf. interval]" in ratios
    assert "Number of obs" not in found.replay(noheader=True).to_text()
    assert "Coefficient" not in found.replay(notable=True).to_text()
    assert "Obs per group" not in found.replay(nogroup=True).to_text()
    assert "low dose" in plain
    assert "low dose" not in found.replay(nofvlabel=True).to_text()
    assert "exp(b)" in found.replay(eform=True).to_text()
    assert found.to_text() == plain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"or_": True, "eform": True}, "only one of or and eform may be specified"),
        ({"irr": True}, "option irr not allowed"),
        ({"level": 5}, "level() must be between 10 and 99.99 inclusive"),
        ({"level": 100}, "level() must be between 10 and 99.99 inclusive"),
        ({"level": float("nan")}, "level() must be between 10 and 99.99 inclusive"),
    ],
)
def test_replay_refuses(fit: Run, options: dict[str, bool | float], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        fit("melogit win x i.arm || g:").replay(**options)
    assert (caught.value.rc, caught.value.message) == (198, message)


def test_replay_with_the_options_of_the_command(fit: Run) -> None:
    found = fit("mepoisson count x, exposure(expo) || g:, irr level(90)")
    assert "IRR" in found.to_text()
    assert "[90% conf. interval]" in found.to_text()
    assert re.search(r"ln\(expo\) \|\s+1\s+\(exposure\)", found.to_text())
    bare = found.replay().to_text()
    assert "Coefficient" in bare
    assert "[95% conf. interval]" in bare


def test_no_constant_in_the_text(fit: Run) -> None:
    text = fit("meprobit win x, noconstant || g:").to_text()
    assert "( 1)  [win]_cons = 0" in text
    assert re.search(r"_cons \|\s+0\s+\(omitted\)", text)


def test_notes_go_with_the_log(frame: pd.DataFrame) -> None:
    found = memagic.run("melogit win x twice || g:", data=frame.assign(twice=2 * frame["x"]))
    note = "note: twice omitted because of collinearity."
    assert note in found.to_text(log=True)
    assert "Iteration 0:" in found.to_text(log=True)
    assert note not in found.to_text()
    assert re.search(r"twice \|\s+0\s+\(omitted\)", found.to_text())


@every_fit
def test_shown(fit: Run, command: str) -> None:
    found = fit(command)
    assert len(repr(found)) < 90
    assert "\n" not in repr(found)
    bundle = found._repr_mimebundle_()
    assert bundle["text/plain"] == found.to_text()
    assert bundle["text/html"] == found.to_html()
    assert "<table" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert r"\begin{tabular}" in found.to_latex()
    replayed = found.replay()
    assert replayed._repr_mimebundle_()["text/plain"] == repr(replayed) == replayed.to_text()
    assert r"\begin{tabular}" in replayed.to_latex()
    shown = repr(found.e)
    assert shown.count("\n") == len(found.e) - 1
    assert max(map(len, shown.splitlines())) < 90
