"""Simulate data from known models, fit them, and tabulate bias, coverage and convergence.

``python scripts/recovery.py [--replications N] [--seed S] [--model NAME ...] [--output FILE]``

The table is written to docs/recovery.md. A replication's data depend on the seed, the model and the
replication's number alone, so that one replication can be repeated by itself.
"""

from __future__ import annotations

import argparse
import math
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtr

import memagic
from memagic.errors import CommandError

Array = NDArray[np.float64]
Drawn = NDArray[np.float64] | NDArray[np.signedinteger[Any]]
Draw = Callable[[np.random.Generator], pd.DataFrame]

OUTPUT = Path(__file__).resolve().parents[1] / "docs" / "recovery.md"

GROUPS, SIZE = 100, 10
SCHOOLS, CLASSES, PUPILS = 50, 4, 10

# What all models have in common, unless a model's own comment says otherwise.
BETA = (0.5, -0.4, -0.3)
VARIANCE = 0.5
LEVEL = 0.95


@dataclass(frozen=True)
class Model:
    """A command, the parameters that its data are drawn from, and how they are drawn."""

    name: str
    command: str
    true: dict[str, float]
    draw: Draw


@dataclass(frozen=True)
class Study:
    """All replications of one model that converged.

    Attributes
    ----------
    estimates, errors, lower, upper : ndarray, shape (R, k)
        Estimates, standard errors and limits of the intervals; nan where there is none.
    replications : int
        How many were run.
    refused : int
        How many ended in an error.
    seconds : float
        Mean time of a fit.
    """

    model: Model
    estimates: Array
    errors: Array
    lower: Array
    upper: Array
    replications: int
    refused: int
    seconds: float

    @property
    def converged(self) -> int:
        return len(self.estimates)


def coefficients(beta: Sequence[float] = BETA) -> dict[str, float]:
    """The coefficients of x, t and the constant."""
    return dict(zip(("x", "t", "_cons"), beta, strict=True))


def covariates(rng: np.random.Generator, group: NDArray[np.int64]) -> pd.DataFrame:
    """A continuous covariate that varies within groups and a binary one that does not."""
    treated = rng.permutation(np.arange(group.max() + 1) % 2)
    return pd.DataFrame({"g": group, "x": rng.normal(size=len(group)), "t": treated[group]})


def fixed_part(frame: pd.DataFrame, constant: float = BETA[2]) -> Array:
    """The linear predictor without random effects."""
    return np.asarray(BETA[0] * frame["x"] + BETA[1] * frame["t"] + constant, dtype=float)


def intercepts(
    response: Callable[[np.random.Generator, Array], Drawn],
    constant: float = BETA[2],
    variance: float = VARIANCE,
) -> Draw:
    """Draws a response to a linear predictor with a random intercept."""

    def draw(rng: np.random.Generator) -> pd.DataFrame:
        frame = covariates(rng, np.repeat(np.arange(GROUPS), SIZE))
        effect = rng.normal(scale=math.sqrt(variance), size=GROUPS)
        eta = fixed_part(frame, constant) + effect[frame["g"]]
        return frame.assign(y=response(rng, eta))

    return draw


SLOPES = np.array([[0.4, 0.15], [0.15, 0.6]])


def slopes(rng: np.random.Generator) -> pd.DataFrame:
    """A binary response with a random coefficient of x and a random intercept, correlated."""
    frame = covariates(rng, np.repeat(np.arange(GROUPS), SIZE))
    effect = (rng.normal(size=(GROUPS, 2)) @ np.linalg.cholesky(SLOPES).T)[frame["g"]]
    eta = fixed_part(frame) + effect[:, 0] * frame["x"].to_numpy() + effect[:, 1]
    return frame.assign(y=rng.binomial(1, expit(eta)))


SCHOOL_VARIANCE, CLASS_VARIANCE = 0.4, 0.6


def three_levels(rng: np.random.Generator) -> pd.DataFrame:
    """A binary response of pupils in classes in schools; t is of the school."""
    frame = covariates(rng, np.repeat(np.arange(SCHOOLS), CLASSES * PUPILS))
    frame["h"] = np.repeat(np.arange(SCHOOLS * CLASSES), PUPILS)
    school = rng.normal(scale=math.sqrt(SCHOOL_VARIANCE), size=SCHOOLS)
    room = rng.normal(scale=math.sqrt(CLASS_VARIANCE), size=SCHOOLS * CLASSES)
    eta = fixed_part(frame) + school[frame["g"]] + room[frame["h"]]
    return frame.assign(y=rng.binomial(1, expit(eta)))


ALPHA = 0.4
GAMMA_DEVIATION = 0.7
CUTS = (-0.8, 0.4, 1.6)
RESIDUAL = 1.5


def ordinal(rng: np.random.Generator, eta: Array) -> Array:
    """Four categories: a logistic latent response, cut at three points."""
    return np.asarray(1.0 + np.searchsorted(CUTS, eta + rng.logistic(size=len(eta))), dtype=float)


VAR = "/var(_cons[g])"

MODELS = (
    Model(
        "bernoulli logit",
        "melogit y x t || g:",
        {**coefficients(), VAR: VARIANCE},
        intercepts(lambda rng, eta: rng.binomial(1, expit(eta))),
    ),
    Model(
        "bernoulli probit",
        "meprobit y x t || g:",
        {**coefficients(), VAR: VARIANCE},
        intercepts(lambda rng, eta: rng.binomial(1, ndtr(eta))),
    ),
    Model(
        "bernoulli cloglog",
        "mecloglog y x t || g:",
        {**coefficients(), VAR: VARIANCE},
        intercepts(lambda rng, eta: rng.binomial(1, -np.expm1(-np.exp(eta)))),
    ),
    Model(
        "binomial logit, 8 trials",
        "melogit y x t, binomial(8) || g:",
        {**coefficients(), VAR: VARIANCE},
        intercepts(lambda rng, eta: rng.binomial(8, expit(eta))),
    ),
    Model(
        "poisson",
        "mepoisson y x t || g:",
        {**coefficients(), VAR: VARIANCE},
        intercepts(lambda rng, eta: rng.poisson(np.exp(eta))),
    ),
    # A larger mean than the others': with counts near zero there is little to tell alpha from.
    Model(
        "nbinomial mean",
        "menbreg y x t || g:",
        {**coefficients((*BETA[:2], 1.0)), "/lnalpha": math.log(ALPHA), VAR: VARIANCE},
        intercepts(lambda rng, eta: rng.poisson(np.exp(eta) * rng.gamma(1 / ALPHA, ALPHA, len(eta))), 1.0),
    ),
    Model(
        "gamma",
        "meglm y x t || g:, family(gamma)",
        {**coefficients(), "/logs": math.log(GAMMA_DEVIATION), VAR: VARIANCE},
        intercepts(
            lambda rng, eta: np.exp(eta) * rng.gamma(GAMMA_DEVIATION**-2, GAMMA_DEVIATION**2, len(eta))
        ),
    ),
    # The cutpoints take the place of the constant.
    Model(
        "ordinal logit",
        "meologit y x t || g:",
        {
            "x": BETA[0],
            "t": BETA[1],
            **{f"/cut{k}": cut for k, cut in enumerate(CUTS, 1)},
            VAR: VARIANCE,
        },
        intercepts(ordinal, 0.0),
    ),
    Model(
        "gaussian",
        "meglm y x t || g:",
        {**coefficients(), VAR: VARIANCE, "/var(e.y)": RESIDUAL},
        intercepts(lambda rng, eta: rng.normal(eta, math.sqrt(RESIDUAL))),
    ),
    Model(
        "bernoulli logit, unstructured slope",
        "melogit y x t || g: x, covariance(unstructured)",
        {
            **coefficients(),
            "/var(x[g])": SLOPES[0, 0],
            VAR: SLOPES[1, 1],
            "/cov(x[g],_cons[g])": SLOPES[0, 1],
        },
        slopes,
    ),
    Model(
        "bernoulli logit, three levels",
        "melogit y x t || g: || h:",
        {**coefficients(), VAR: SCHOOL_VARIANCE, "/var(_cons[g>h])": CLASS_VARIANCE},
        three_levels,
    ),
)


def simulate(model: Model, number: int, replications: int, seed: int) -> Study:
    """Run the replications of one model.

    Parameters
    ----------
    model : Model
    number : int
        Its place in `MODELS`, which is part of the seed.
    replications : int
    seed : int

    Returns
    -------
    Study
    """
    names = list(model.true)
    rows: list[Array] = []
    refused = 0
    seconds = 0.0
    for replication in range(replications):
        frame = model.draw(np.random.default_rng([seed, number, replication]))
        start = time.perf_counter()
        try:
            result = memagic.run(model.command, data=frame)
        except CommandError:
            refused += 1
            continue
        finally:
            seconds += time.perf_counter() - start
        if result.converged:
            # By name: an estimate under another name than the true value's is an error here.
            limits = result.conf_int(1.0 - LEVEL).loc[names].to_numpy(dtype=float)
            estimates = result.params[names].to_numpy(dtype=float)
            rows.append(np.stack([estimates, result.bse[names].to_numpy(dtype=float), *limits.T]))
    kept = np.stack(rows, axis=1) if rows else np.empty((4, 0, len(names)))
    return Study(model, kept[0], kept[1], kept[2], kept[3], replications, refused, seconds / replications)


@dataclass(frozen=True)
class Recovered:
    """What became of one parameter.

    Attributes
    ----------
    bias, monte_carlo : float
        Mean estimate less the true value, and the standard error of that mean.
    ratio : float
        Mean standard error by the standard deviation of the estimates.
    coverage : float
        Share of the intervals that contain the true value; an interval that is missing does not.
    """

    name: str
    true: float
    mean: float
    bias: float
    monte_carlo: float
    ratio: float
    coverage: float
    replications: int

    @property
    def off(self) -> bool:
        """Whether bias or coverage is beyond three Monte Carlo standard errors."""
        allowed = 3.0 * math.sqrt(LEVEL * (1.0 - LEVEL) / self.replications)
        return abs(self.bias) > 3.0 * self.monte_carlo or abs(self.coverage - LEVEL) > allowed


def recovered(study: Study) -> list[Recovered]:
    """Bias and coverage by parameter."""
    n = study.converged
    out = []
    for k, (name, true) in enumerate(study.model.true.items()):
        estimates = study.estimates[:, k]
        deviation = float(estimates.std(ddof=1))
        covered = (study.lower[:, k] <= true) & (true <= study.upper[:, k])
        out.append(
            Recovered(
                name=name,
                true=true,
                mean=float(estimates.mean()),
                bias=float(estimates.mean()) - true,
                monte_carlo=deviation / math.sqrt(n),
                ratio=float(study.errors[:, k].mean()) / deviation,
                coverage=float(covered.mean()),
                replications=n,
            )
        )
    return out


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """A Markdown table whose first `left` columns are to the left."""
    rule = [":--" if k < left else "--:" for k in range(len(head))]
    return [f"| {' | '.join(line)} |" for line in (head, rule, *rows)]


def versions() -> str:
    """What the numbers were made with."""
    packages = []
    for name in ("memagic", "numpy", "scipy", "pandas", "statsmodels"):
        try:
            packages.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            packages.append(f"{name} not installed")
    return f"{', '.join(packages)}, Python {platform.python_version()}"


READING = """\
**How to read it.** Every replication draws new covariates, random effects and responses from the true
values, and fits the command with its defaults. *Bias* is the mean estimate less the true value, and
*bias/MCSE* is that over its own Monte Carlo standard error: of unbiased estimates, one in twenty is
beyond 2 and one in 370 beyond 3. *SE/SD* is the mean standard error over the standard deviation of the
estimates: 1 where standard errors are right. *Coverage* is the share of 95% intervals (symmetric; for
variances by way of the logarithm) that contain the true value; with {n} replications it varies by
{spread:.3f} around .95 by chance alone (one standard error). A row with a star has a bias or a coverage
beyond three Monte Carlo standard errors; by chance alone that is about one row in 200. What is measured
is maximum likelihood, which has a bias of its own: the variance of a random intercept comes out too
small by about the number of group-level coefficients over the number of groups (here 2/100 and 2/50),
and coefficients of a binary response come out a little too large. Intervals have normal quantiles, so
that those of group-level coefficients cover a little less than 95% (about 94.5% with 100 groups). That
bias goes away with more groups, not with more replications. Fits that do not converge are left out of
the second table and counted in the first.
"""


def report(studies: Sequence[Study], replications: int, seed: int) -> str:
    """The Markdown page."""
    fits = [
        [
            study.model.name,
            f"`{study.model.command}`".replace("|", r"\|"),
            f"{study.converged / study.replications:.1%}",
            str(study.refused),
            f"{study.seconds:.3f}",
        ]
        for study in studies
    ]
    parameters = [
        [
            study.model.name,
            f"`{r.name}`",
            f"{r.true:.4g}",
            f"{r.mean:.4f}",
            f"{r.bias:+.4f}",
            f"{r.bias / r.monte_carlo:+.2f}",
            f"{r.ratio:.3f}",
            f"{r.coverage:.3f}" + (" \\*" if r.off else ""),
        ]
        for study in studies
        if study.converged > 1
        for r in recovered(study)
    ]
    spread = math.sqrt(LEVEL * (1.0 - LEVEL) / replications)
    lines = [
        "# Recovery of known parameters",
        "",
        f"A simulation by `scripts/recovery.py`: {replications} replications of each model, seed {seed};",
        f"{versions()}.",
        f"Two-level models have {GROUPS} groups of {SIZE} observations; the three-level model has {SCHOOLS}",
        f"top-level groups of {CLASSES} groups of {PUPILS}. "
        "`x` varies within groups, `t` only at the top level.",
        "",
        *READING.format(n=replications, spread=spread).splitlines(),
        "",
        "## Fits",
        "",
        *markdown(["model", "command", "converged", "errors", "seconds a fit"], fits, 2),
        "",
        "## Parameters",
        "",
        *markdown(
            ["model", "parameter", "true", "mean", "bias", "bias/MCSE", "SE/SD", "coverage"], parameters, 2
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is asked for and write the page."""
    parser = argparse.ArgumentParser(description="Simulate, fit, and tabulate bias and coverage.")
    parser.add_argument("--replications", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20240501)
    parser.add_argument("--model", action="append", choices=[model.name for model in MODELS])
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    if options.replications < 2:
        parser.error("a standard deviation needs two replications at least")
    studies = []
    for number, model in enumerate(MODELS):
        if options.model and model.name not in options.model:
            continue
        study = simulate(model, number, options.replications, options.seed)
        print(
            f"{model.name}: {study.converged} of {study.replications} converged, {study.seconds:.3f} s a fit"
        )
        studies.append(study)
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(report(studies, options.replications, options.seed), encoding="utf-8")


if __name__ == "__main__":
    main()
