"""estat: numbers by hand, words and tables as the manual has them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError
from memagic.postestimation.deviations import Deviations
from memagic.postestimation.icc import IntraclassCorrelations, icc
from memagic.postestimation.information import InformationCriteria
from memagic.postestimation.matrices import EstimatorMatrix
from memagic.results import MEResults

Fitted = Callable[[str, str], MEResults]

INTERCEPT = "melogit c_use i.urban age i.children || district:"
SLOPE = "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)"
CROSSED = "meglm attain_gt_6 sex, family(bernoulli) || _all: R.sid || pid:"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n = 480
    region, state = np.arange(n) // 60, (np.arange(n) // 12) % 5
    x = rng.normal(size=n)
    eta = x + rng.normal(size=8)[region] + 0.8 * rng.normal(size=(8, 5))[region, state]
    return pd.DataFrame(
        {
            "region": region,
            "state": state,
            "x": x,
            "w": rng.integers(1, 4, n),
            "y": eta + rng.normal(size=n),
            "won": (eta + rng.logistic(size=n) > 0).astype(int),
            "grade": np.digitize(eta + rng.logistic(size=n), [-1, 1]),
            "count": rng.poisson(np.exp(0.3 * eta)),
        }
    )


def test_icc_by_hand(fitted: Fitted) -> None:
    fit = fitted(INTERCEPT, "bangladesh")
    found = fit.icc()
    v, se = fit.params["/var(_cons[district])"], fit.bse["/var(_cons[district])"]
    latent = np.pi**2 / 3
    share = v / (v + latent)
    error = se * latent / (v + latent) ** 2
    logit, half = np.log(share / (1 - share)), 1.959963984540054 * error / (share * (1 - share))
    limits = 1 / (1 + np.exp(-np.array([logit - half, logit + half])))
    assert found.r == {
        "level": 95.0,
        "icc2": pytest.approx(share),
        "se2": pytest.approx(error),
        "ci2": pytest.approx(limits[None]),
        "label2": "district",
    }
    assert str(found) == (
        "Residual intraclass correlation\n"
        "\n"
        "----------------------------------------------------------\n"
        "             |       ICC  Std. err.   [95% conf. interval]\n"
        "-------------+--------------------------------------------\n"
        "    district |  .0615089   .0196299    .0325594    .113187\n"
        "----------------------------------------------------------"
    )


@pytest.mark.parametrize(
    ("command", "residual"),
    [
        ("meglm y x || region: || state:", None),
        ("meprobit won x || region: || state:", 1.0),
        ("mecloglog won x || region: || state:", np.pi**2 / 6),
        ("meologit grade x || region: || state:", np.pi**2 / 3),
        ("meglm grade x, family(ordinal) link(probit) || region: || state:", 1.0),
    ],
)
def test_icc_of_two_levels(command: str, residual: float | None, frame: pd.DataFrame) -> None:
    """The delta method by differences of the definition."""
    fit = memagic.run(command, data=frame)
    names = ["/var(_cons[region])", "/var(_cons[region>state])"]
    names += ["/var(e.y)"] if residual is None else []

    def shares(b: np.ndarray) -> np.ndarray:
        total = b.sum() + (residual or 0.0)
        return np.array([b[0], b[0] + b[1]]) / total

    b, v = fit.params[names].to_numpy(), fit.cov_params().loc[names, names].to_numpy()
    steps = 1e-6 * np.eye(len(b))
    jacobian = np.stack([(shares(b + s) - shares(b - s)) / 2e-6 for s in steps], axis=1)
    found = fit.icc(90)
    assert found.labels == ("region", "state|region")
    np.testing.assert_allclose(found.icc, shares(b), rtol=1e-10)
    np.testing.assert_allclose(found.se, np.sqrt(np.diag(jacobian @ v @ jacobian.T)), rtol=1e-6)
    assert found.r["icc3"] == found.icc[0]
    assert found.r["label2"] == "state|region"
    assert "[90% conf." in str(found)
    # More of the same words where levels are more alike.
    assert (found.limits[:, 0] < found.icc).all()
    assert (found.icc < found.limits[:, 1]).all()


def test_icc_with_random_coefficients(fitted: Fitted) -> None:
    fit = fitted(SLOPE, "bangladesh")
    v = fit.params["/var(_cons[district])"]
    found = fit.icc()
    assert found.icc[0] == pytest.approx(v / (v + np.pi**2 / 3))
    assert str(found).startswith("Conditional intraclass correlation\n")
    assert str(found).endswith("Note: ICC is conditional on zero values of random-effects covariates.")


def test_icc_of_a_variance_at_zero() -> None:
    frame = pd.DataFrame({"g": np.repeat(np.arange(12), 8), "y": np.arange(96) % 2})
    found = memagic.run("melogit y || g:", data=frame).icc()
    assert found.icc[0] == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(found.limits).all()


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("mepoisson count x || region:", "linear, logit, probit"),
        ("meglm grade x, family(ordinal) link(cloglog) || region:", "linear, logit, probit"),
        ("melogit won x || _all: R.region || state:", "crossed"),
        ("melogit won x || region: x, noconstant", "no random intercepts"),
        ("melogit won x", "no random intercepts"),
    ],
)
def test_icc_refused(command: str, hint: str, frame: pd.DataFrame) -> None:
    with pytest.raises(CommandError) as raised:
        icc(memagic.run(command, data=frame).estimates)
    assert raised.value.rc == 321
    assert raised.value.message == "requested action not valid after most recent estimation command"
    assert hint in str(raised.value.hint)


def test_standard_deviations(fitted: Fitted) -> None:
    fit = fitted(SLOPE, "bangladesh")
    found = fit.estat("sd")
    assert isinstance(found, Deviations)
    table = found.frame()
    names = ["/var(1.urban[district])", "/var(_cons[district])", "/cov(1.urban[district],_cons[district])"]
    b, v = fit.params[names].to_numpy(), fit.cov_params().loc[names, names].to_numpy()

    def scaled(b: np.ndarray) -> np.ndarray:
        return np.array([np.sqrt(b[0]), np.sqrt(b[1]), b[2] / np.sqrt(b[0] * b[1])])

    jacobian = np.stack([(scaled(b + s) - scaled(b - s)) / 2e-6 for s in 1e-6 * np.eye(3)], axis=1)
    assert list(table.index) == [
        "/sd(1.urban[district])",
        "/sd(_cons[district])",
        "/corr(1.urban[district],_cons[district])",
    ]
    np.testing.assert_allclose(table["b"], scaled(b), rtol=1e-12)
    np.testing.assert_allclose(found.r["V"], jacobian @ v @ jacobian.T, rtol=1e-5)
    np.testing.assert_allclose(table["se"], np.sqrt(np.diag(found.r["V"])))
    limits = fit.conf_int().loc[names[:2]]
    np.testing.assert_allclose(table[["ll", "ul"]][:2], np.sqrt(limits))
    rho, se = table.loc[table.index[2], ["b", "se"]]
    half = 1.959963984540054 * se / (1 - rho**2)
    np.testing.assert_allclose(table.iloc[2, 2:], np.tanh(np.arctanh(rho) + np.array([-half, half])))
    assert "corr(1.urban,_cons) |  -.79" in str(found)
    everything = fit.estat("sd", verbose=True, level=90)
    assert isinstance(everything, Deviations)
    pd.testing.assert_series_equal(everything.frame()["b"][:6], fit.params[:6], check_names=False)
    assert "[90% conf." in str(everything)


def test_standard_deviations_of_structures(frame: pd.DataFrame) -> None:
    fit = memagic.run("meglm y x || region: x, covariance(exchangeable)", data=frame)
    table = fit.estat("sd").frame()  # type: ignore[attr-defined]
    p = fit.params
    assert list(table.index) == ["/sd(x _cons[region])", "/corr(x _cons[region])", "/sd(e.y)"]
    expected = [np.sqrt(p.iloc[2]), p.iloc[3] / p.iloc[2], np.sqrt(p.iloc[4])]
    np.testing.assert_allclose(table["b"], expected)
    # One variance: the quotient's derivative is that of a / b.
    v = fit.cov_params().to_numpy()
    gradient = np.array([-p.iloc[3] / p.iloc[2] ** 2, 1 / p.iloc[2]])
    assert table["se"].iloc[1] == pytest.approx(np.sqrt(gradient @ v[2:4, 2:4] @ gradient))
    with pytest.raises(CommandError, match="not valid after"):
        memagic.run("melogit won x", data=frame).estat("sd")


def test_information_criteria(fitted: Fitted) -> None:
    fit = fitted(INTERCEPT, "bangladesh")
    found = fit.estat("ic")
    assert isinstance(found, InformationCriteria)
    assert found.aic == pytest.approx(fit.aic)
    assert found.bic == pytest.approx(fit.bic)
    row = found.r["S"].iloc[0]
    assert row.tolist()[2:] == pytest.approx([fit.llf, 7.0, fit.aic, fit.bic])
    assert np.isnan(row["ll0"])
    other = fit.estat("ic", n=60)
    assert isinstance(other, InformationCriteria)
    assert other.bic == pytest.approx(-2 * fit.llf + 7 * np.log(60))
    assert str(other).endswith("Note: BIC uses N = 60.")
    assert "1,934         .  -1206.832   7  2427.66" in str(found)
    with pytest.raises(CommandError, match=r"n\(\) must be greater than zero"):
        fit.estat("ic", n=0)


def test_no_criteria_of_a_survey(frame: pd.DataFrame) -> None:
    session = memagic.Session(frame)
    session.run("svyset region || _n, weight(w)")
    session.run("svy: melogit won x || region:")
    with pytest.raises(CommandError) as raised:
        session.run("estat ic")
    assert raised.value.rc == 321
    assert "icc2" in session.run("estat icc").r  # type: ignore[union-attr]


def test_covariance_and_correlation(fitted: Fitted) -> None:
    fit = fitted(INTERCEPT, "bangladesh")
    found, correlations = fit.estat("vce"), fit.estat("vce", correlation=True)
    assert isinstance(found, EstimatorMatrix)
    assert isinstance(correlations, EstimatorMatrix)
    pd.testing.assert_frame_equal(found.frame(), fit.cov_params())
    np.testing.assert_allclose(correlations.r["V"], fit.cov_params() / np.outer(fit.bse, fit.bse), rtol=1e-12)
    assert str(found).startswith("Covariance matrix of coefficients of melogit model\n")
    assert str(correlations).startswith("Correlation matrix of coefficients of melogit model\n")
    # The lower triangle.
    lines = [line.split("|")[1].split() for line in str(correlations).splitlines() if ".urban |" in line]
    assert lines == [["1.0000"]]


def test_summary_of_the_sample(frame: pd.DataFrame) -> None:
    fit = memagic.run("meglm y x i.grade if x < 1 || region:", data=frame)
    used = frame[frame["x"] < 1]
    stats = fit.estat("summarize").r["stats"]  # type: ignore[attr-defined]
    assert list(stats.index) == ["y", "x", "1.grade", "2.grade"]
    for name in ("y", "x"):
        expected = [used[name].mean(), used[name].std(), used[name].min(), used[name].max()]
        np.testing.assert_allclose(stats.loc[name], expected)
    weighted = memagic.run("meglm y x [fweight=w]", data=frame).estat("summarize")
    long = frame.loc[frame.index.repeat(frame["w"]), "x"]
    np.testing.assert_allclose(
        weighted.r["stats"].loc["x"],  # type: ignore[attr-defined]
        [long.mean(), long.std(), long.min(), long.max()],
    )
    assert weighted.r["N"] == len(long)  # type: ignore[attr-defined]


def test_groups(frame: pd.DataFrame) -> None:
    fit = memagic.run("meglm y x if x < 1 || region: || state:", data=frame)
    found = fit.estat("group")
    for name in ("N_g", "g_min", "g_avg", "g_max"):
        np.testing.assert_array_equal(found.r[name], fit.e[name])  # type: ignore[attr-defined]
    assert "      region |       8" in str(found)
    with pytest.raises(CommandError, match="not valid after"):
        memagic.run("meglm y x", data=frame).estat("group")


def test_what_is_of_other_commands(fitted: Fitted) -> None:
    fit = fitted(INTERCEPT, "bangladesh")
    for name in ("recovariance", "wcorrelation", "df"):
        with pytest.raises(CommandError) as raised:
            fit.estat(name)
        assert raised.value.rc == 321
    with pytest.raises(CommandError, match="estat iccs not found") as raised:
        fit.estat("iccs")
    assert raised.value.hint == "did you mean icc?"
    with pytest.raises(CommandError, match="option verbose not allowed"):
        fit.estat("icc", verbose=True)
    with pytest.raises(CommandError, match=r"level\(\) must be between"):
        fit.icc(5)


def test_shown_in_a_notebook(fitted: Fitted) -> None:
    found = fitted(INTERCEPT, "bangladesh").icc()
    assert isinstance(found, IntraclassCorrelations)
    shown = found._repr_mimebundle_()
    assert shown["text/plain"] == str(found)
    assert "<table" in shown["text/html"]
    assert ">district<" in shown["text/html"]
