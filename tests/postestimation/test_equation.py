"""The equations of models of every family, and that LaTeX sets them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import CommandError, Session
from memagic.postestimation.equation import Equation
from memagic.results import MEResults

Fit = Callable[[str], MEResults]

COMMANDS = {
    "gaussian": "meglm y x_1 || g:",
    "gaussian-log": "meglm pos x_1, family(gaussian) link(log) || g:",
    "bernoulli": "melogit b i.arm##c.x_1 || g: x_1, covariance(unstructured)",
    "probit": "meprobit b x_1 || g: x_1, covariance(identity)",
    "cloglog": "mecloglog b x_1, offset(off) || g:",
    "binomial": "melogit k x_1, binomial(n) || g:",
    "binomial-number": "melogit k x_1, binomial(9) || g:",
    "poisson": "mepoisson c x_1, exposure(expo) || g:",
    "nbinomial": "menbreg c x_1 || g:",
    "nbinomial-constant": "menbreg c x_1, dispersion(constant) || g:",
    "gamma": "meglm pos x_1, family(gamma) || g:",
    "ordinal": "meologit o x_1 || g:",
    "ordinal-values": "meoprobit tens x_1 || g:",
    "nested": "meglm y x_1 up || g: x_1, covariance(exchangeable) || h:",
    "crossed": "melogit b x_1 || _all: R.rater || g:",
    "within": "melogit b x_1 || g: R.rater",
    "plain": "melogit b x_1",
    "two-equations": "meglm y x_1 || g: x_1 off, covariance(unstructured) noconstant || g:",
    "no-constant": "meglm y x_1, noconstant || g:",
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(12)
    n = 240
    g, h = np.repeat(np.arange(6), 40), np.arange(n) // 10
    x, up = rng.normal(size=n), rng.normal(size=6)[g]
    y = x + rng.normal(size=6)[g] + rng.normal(size=24)[h] + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "x_1": x, "up": up, "g": g, "h": h, "rater": np.arange(n) % 12})
    data["arm"] = rng.integers(0, 3, n)
    data["b"], data["c"] = (y > 0).astype(int), rng.poisson(np.exp(0.3 * y))
    data["n"] = rng.integers(5, 9, n)
    data["k"] = rng.binomial(data["n"], 1 / (1 + np.exp(-0.5 * y)))
    data["o"] = 1 + (y > -0.5).astype(int) + (y > 0.5)
    data["tens"] = 10 * data["o"]
    data["pos"] = np.exp(0.2 * y) * rng.gamma(9.0, 1 / 9.0, n)
    data["off"], data["expo"] = 0.1 * rng.normal(size=n), rng.uniform(1, 2, n)
    data.attrs["value_labels"] = {"arm": {0: "none", 1: "low_dose & 5%", 2: "high #$^~<{dose}>"}}
    return data


@pytest.fixture(scope="module")
def fit(frame: pd.DataFrame) -> Fit:
    return cache(lambda name: memagic.run(COMMANDS[name], data=frame))


def text(equation: Equation) -> list[str]:
    return [" ".join(line.split()) for line in equation.to_text().splitlines()]


def test_a_linear_model(fit: Fit) -> None:
    assert text(fit("gaussian").equation()) == [
        "y[i,j] = beta0 + beta1 x_1[i,j] + u[j] + e[i,j]",
        "e[i,j] ~ N(0, sigma2_e)",
        "u[j] ~ N(0, sigma2_u)",
        "observation i in g j",
    ]
    assert str(fit("gaussian").equation()).splitlines() == [
        "$$",
        r"\begin{aligned}",
        r"\mathrm{y}_{ij} &= \beta_{0} + \beta_{1}\, \mathrm{x\_1}_{ij} + u_{j} + e_{ij} \\",
        r"e_{ij} &\sim N\left( 0,\ \sigma^2_e \right) \\",
        r"u_{j} &\sim N\left( 0,\ \sigma^2_{u} \right) \\",
        r" & \text{observation}\ i\ \text{in g}\ j",
        r"\end{aligned}",
        "$$",
    ]


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("gaussian-log", "pos[i,j] = mu[i,j] + e[i,j]", "ln(mu[i,j]) = "),
        ("bernoulli", "b[i,j] | p[i,j] ~ Bernoulli(p[i,j])", "logit(p[i,j]) = "),
        ("probit", "b[i,j] | p[i,j] ~ Bernoulli(p[i,j])", "invnormal(p[i,j]) = "),
        ("cloglog", "b[i,j] | p[i,j] ~ Bernoulli(p[i,j])", "ln(-ln(1 - p[i,j])) = "),
        ("binomial", "k[i,j] | p[i,j] ~ Binomial(n[i,j], p[i,j])", "logit(p[i,j]) = "),
        ("binomial-number", "k[i,j] | p[i,j] ~ Binomial(9, p[i,j])", "logit(p[i,j]) = "),
        ("poisson", "c[i,j] | mu[i,j] ~ Poisson(mu[i,j])", "ln(mu[i,j]) = "),
        (
            "nbinomial",
            "c[i,j] | mu[i,j] ~ NegBinomial(mu[i,j], alpha), "
            "Var(c[i,j] | mu[i,j]) = mu[i,j] (1 + alpha mu[i,j])",
            "ln(mu[i,j]) = ",
        ),
        (
            "nbinomial-constant",
            "c[i,j] | mu[i,j] ~ NegBinomial(mu[i,j], delta), Var(c[i,j] | mu[i,j]) = mu[i,j] (1 + delta)",
            "ln(mu[i,j]) = ",
        ),
        (
            "gamma",
            "pos[i,j] | mu[i,j] ~ Gamma(mu[i,j], s), Var(pos[i,j] | mu[i,j]) = s^2 mu[i,j]^2",
            "ln(mu[i,j]) = ",
        ),
        (
            "ordinal",
            "logit(Pr(o[i,j] <= c)) = kappa_c - eta[i,j], c = 1, 2",
            "eta[i,j] = beta1 x_1[i,j] + u[j]",
        ),
        ("ordinal-values", "invnormal(Pr(tens[i,j] <= y_c)) = kappa_c - eta[i,j], c = 1, 2", "eta[i,j] = "),
    ],
)
def test_families_and_links(fit: Fit, name: str, first: str, second: str) -> None:
    lines = text(fit(name).equation())
    assert lines[0] == first
    assert lines[1].startswith(second)


def test_factor_levels_are_indicators_with_their_labels(fit: Fit) -> None:
    found = fit("bernoulli").equation()
    assert "1(arm[i,j] = low_dose & 5%) x_1[i,j]" in found.to_text()
    assert r"\mathbf{1}(\mathrm{arm}_{ij} = \text{low}\_\text{dose }\&\text{ 5}\%)" in found.to_latex()


def test_offset_and_exposure(fit: Fit) -> None:
    assert " + off[i,j] + u[j]" in fit("cloglog").equation().to_text()
    assert " + ln(expo[i,j]) + u[j]" in fit("poisson").equation().to_text()


def test_letters_of_nested_levels(fit: Fit) -> None:
    lines = text(fit("nested").equation())
    # A variable that is constant within the groups has their letter alone.
    assert lines[0] == "y[i,j,k] = beta0 + beta1 x_1[i,j,k] + beta2 up[k]"
    assert lines[1] == "+ u[j,k] + v0[k] + v1[k] x_1[i,j,k] + e[i,j,k]"
    assert lines[-1] == "observation i in h j in g k"


def test_crossed_factors_have_letters_of_their_own(fit: Fit) -> None:
    assert "u[j] + v[k]" in fit("crossed").equation().to_text()
    assert text(fit("crossed").equation())[-1] == "observation i in g j and rater k"
    assert "u[k,j] ~ N(0, sigma2_u)" in fit("within").equation().to_text()


@pytest.mark.parametrize(
    ("name", "matrix"),
    [
        ("bernoulli", "[sigma2_u0, sigma_u01; sigma_u01, sigma2_u1]"),
        ("probit", "sigma2_u I(2)"),
        ("nested", "[sigma2_v, sigma_vv'; sigma_vv', sigma2_v]"),
        ("two-equations", "[sigma2_u0, 0, 0; 0, sigma2_u1, sigma_u12; 0, sigma_u12, sigma2_u2]"),
    ],
)
def test_covariance_structures(fit: Fit, name: str, matrix: str) -> None:
    assert f"N(0, {matrix})" in fit(name).equation().to_text()


def test_matrices_of_the_user(frame: pd.DataFrame) -> None:
    """fixed(): numbers where the matrix has them; pattern(): one symbol for equal elements."""
    session = Session(data=frame)
    session.run("matrix A = (0.25, 0 \\ 0, .)")
    fixed = session.run("meglm y x_1 || g: x_1, covariance(fixed(A))").equation()
    assert "N(0, [sigma2_u0, 0; 0, 0.2500])" in fixed.to_text()
    session.run("matrix B = (1, 0 \\ 0, 1)")
    pattern = session.run("meglm y x_1 || g: x_1, covariance(pattern(B))").equation()
    (line,) = [line for line in text(pattern) if line.startswith("(u0[j]")]
    diagonal = line.split("[")[-1].rstrip("])").replace(";", ",").split(", ")
    assert diagonal[0] == diagonal[3] != "0"


def test_constraints_show(frame: pd.DataFrame) -> None:
    session = Session(data=frame)
    session.run("constraint 1 x_1 = 1")
    session.run("constraint 2 off = up")
    result = session.run("meglm y x_1 off up, constraints(1 2) || g:")
    assert text(result.equation())[0].startswith(
        "y[i,j] = beta0 + 1.000 x_1[i,j] + beta2 off[i,j] + beta2 up[j] + u[j]"
    )


def test_estimates_take_the_place_of_symbols(fit: Fit) -> None:
    result = fit("bernoulli")
    found = result.equation(estimates=True).to_text()
    assert "beta" not in found
    assert "sigma" not in found
    for name in result.params.index:
        assert f"{abs(result.params[name]):.4g}"[:5] in found, name
    # A negative coefficient is subtracted.
    negative = result.params[result.params < 0].index[0]
    assert f"- {abs(result.params[negative]):.4g}"[:6] in found or found.count("= -")


def test_estimates_of_family_parameters(fit: Fit) -> None:
    alpha = np.exp(fit("nbinomial").params["/lnalpha"])
    assert f"mu[i,j], {alpha:.4g}" in fit("nbinomial").equation(estimates=True).to_text()
    cuts = ", ".join(f"{fit('ordinal').params[f'/cut{k}']:#.4g}" for k in (1, 2))
    assert f"(kappa_1, kappa_2) = ({cuts})" in text(fit("ordinal").equation(estimates=True))
    assert "(y_1, y_2, y_3) = (10, 20, 30)" in text(fit("ordinal-values").equation())


def test_without_groups_or_constant(fit: Fit) -> None:
    assert text(fit("plain").equation()) == [
        "b[i] | p[i] ~ Bernoulli(p[i])",
        "logit(p[i]) = beta0 + beta1 x_1[i]",
    ]
    assert text(fit("no-constant").equation())[0] == "y[i,j] = beta1 x_1[i,j] + u[j] + e[i,j]"


def test_starting_values_are_no_estimates(frame: pd.DataFrame) -> None:
    result = memagic.run("meglm y x_1 || g:, noestimate", data=frame)
    assert "beta1" in result.equation().to_text()
    with pytest.raises(CommandError, match="last estimates not found"):
        result.equation(estimates=True)


def test_notebooks_get_latex_and_text(fit: Fit) -> None:
    found = fit("gaussian").equation()
    bundle = found._repr_mimebundle_()
    assert bundle == {"text/plain": repr(found), "text/latex": str(found)}
    assert found._repr_latex_() == str(found)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_sets_them_all(fit: Fit, tmp_path: Path) -> None:
    parts = [str(fit(name).equation(estimates=numbers)) for name in COMMANDS for numbers in (False, True)]
    preamble = "\\documentclass{article}\n\\usepackage{amsmath}\n\\begin{document}\n"
    source = tmp_path / "equations.tex"
    source.write_text(preamble + "\n\n".join(parts) + "\n\\end{document}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", source.name]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in (tmp_path / "equations.log").read_text(errors="replace")
