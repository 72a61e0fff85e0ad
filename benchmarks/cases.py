"""The cases that are measured: a command, its data, and the same model in lme4's notation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from memagic import datasets

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASES", "Case", "Formula"]

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Formula:
    """The same model for the package measured against."""

    formula: str
    family: str
    points: int = 7
    log_exposure: str | None = None
    factors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Boosted:
    """The same model for gpboost: grouped random intercepts, covariates and a constant."""

    likelihood: str
    groups: tuple[str, ...]
    covariates: tuple[str, ...] = ("x", "t")
    log_exposure: str | None = None


@dataclass(frozen=True)
class Case:
    """One model on one set of data; `data` gives None where its file is not here.

    `nodes` is how often the likelihood of a row is needed for one value of the parameters: 0 where it
    is in closed form. `boosted` is the model for gpboost, which has the Laplacian approximation only.
    `long` cases take minutes, here or by a peer.
    """

    name: str
    command: str
    data: Callable[[], pd.DataFrame | None]
    formula: Formula | None = None
    nodes: int = 0
    boosted: Boosted | None = None
    long: bool = False


def bangladesh() -> pd.DataFrame:
    """The contraceptive-use data."""
    return datasets.load("bangladesh")


def shared(name: str) -> pd.DataFrame | None:
    """A file next to the checkout."""
    path = SHARED / f"{name}.csv"
    return pd.read_csv(path) if path.exists() else None


def pig() -> pd.DataFrame | None:
    """Weights of pigs, which do not ship with the package."""
    return shared("pig")


def salamander() -> pd.DataFrame | None:
    """Matings of 60 males and 60 females, which do not ship with the package."""
    return shared("salamander")


def fife() -> pd.DataFrame:
    """Attainment of pupils by primary and secondary school."""
    frame = datasets.load("fifeschool")
    return frame.assign(attain_gt_6=(frame["attain"] > 6).astype(np.int8))


def insteval() -> pd.DataFrame:
    """Ratings of lecturers by students."""
    frame = pd.read_csv(Path(__file__).with_name("data") / "insteval.csv.xz")
    return frame.assign(y=(frame["rating"] >= 4).astype(np.int8))


def crossed_million() -> pd.DataFrame:
    """A binary response in 20,000 groups crossed with 500."""
    rng = np.random.default_rng(5)
    n = 1_000_000
    a, b, x = rng.integers(0, 20_000, n), rng.integers(0, 500, n), rng.normal(size=n)
    eta = -0.3 + 0.5 * x + rng.normal(scale=0.7, size=20_000)[a] + rng.normal(scale=0.5, size=500)[b]
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(np.int8)
    return pd.DataFrame({"a": a, "b": b, "x": x, "y": y})


def crossed_three() -> pd.DataFrame:
    """A binary response in 4,000, 800 and 400 groups, all crossed."""
    rng = np.random.default_rng(6)
    n, sizes, scales = 100_000, (4_000, 800, 400), (0.7, 0.5, 0.4)
    codes = [rng.integers(0, size, n) for size in sizes]
    x = rng.normal(size=n)
    eta = -0.3 + 0.5 * x
    for code, size, scale in zip(codes, sizes, scales, strict=True):
        eta = eta + rng.normal(scale=scale, size=size)[code]
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(np.int8)
    return pd.DataFrame({"a": codes[0], "b": codes[1], "c": codes[2], "x": x, "y": y})


def grouped(rows: int, groups: int, seed: int) -> tuple[np.random.Generator, pd.DataFrame]:
    """Equal groups with a continuous and a binary covariate."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rows // groups)
    frame = pd.DataFrame({"g": g, "x": rng.normal(size=rows), "t": (rng.random(rows) < 0.5).astype(np.int8)})
    return rng, frame


def logit_intercept(rows: int = 100_000) -> pd.DataFrame:
    """A binary response with a random intercept in groups of 50."""
    rng, frame = grouped(rows, rows // 50, 1)
    u = rng.normal(scale=0.7, size=rows // 50)[frame["g"]]
    eta = -0.5 + 0.4 * frame["x"] + 0.3 * frame["t"] + u
    return frame.assign(y=(rng.random(len(frame)) < 1 / (1 + np.exp(-eta))).astype(np.int8))


def logit_slope() -> pd.DataFrame:
    """A binary response with a random intercept and a correlated random coefficient."""
    rng, frame = grouped(50_000, 1_000, 2)
    u = rng.multivariate_normal([0, 0], [[0.5, 0.15], [0.15, 0.3]], size=1_000)[frame["g"]]
    eta = -0.5 + 0.4 * frame["x"] + 0.3 * frame["t"] + u[:, 0] + u[:, 1] * frame["x"]
    return frame.assign(y=(rng.random(len(frame)) < 1 / (1 + np.exp(-eta))).astype(np.int8))


def logit_three_levels() -> pd.DataFrame:
    """A binary response in 5,000 groups of 10, which lie in 500 groups of 10."""
    rng, frame = grouped(50_000, 500, 4)
    h = np.repeat(np.arange(5_000), 10)
    u = rng.normal(scale=0.6, size=500)[frame["g"]] + rng.normal(scale=0.7, size=5_000)[h]
    eta = -0.5 + 0.4 * frame["x"] + 0.3 * frame["t"] + u
    return frame.assign(h=h, y=(rng.random(len(frame)) < 1 / (1 + np.exp(-eta))).astype(np.int8))


def poisson_exposure() -> pd.DataFrame:
    """Counts over unequal exposure times with a random intercept."""
    rng, frame = grouped(100_000, 2_000, 3)
    time = rng.uniform(0.5, 3, size=len(frame))
    u = rng.normal(scale=0.5, size=2_000)[frame["g"]]
    mu = time * np.exp(0.2 + 0.3 * frame["x"] - 0.2 * frame["t"] + u)
    return frame.assign(time=time, log_time=np.log(time), y=rng.poisson(mu))


BANGLADESH_FIXED = "c_use ~ urban + age + children"

CASES = (
    Case(
        "melogit-1",
        "melogit c_use i.urban age i.children || district:",
        bangladesh,
        Formula(f"{BANGLADESH_FIXED} + (1 | district)", "binomial", factors=("children",)),
        nodes=7,
    ),
    Case(
        "melogit-2",
        "melogit c_use i.urban age i.children || district: i.urban, covariance(unstructured)",
        bangladesh,
        Formula(f"{BANGLADESH_FIXED} + (1 + urban | district)", "binomial", factors=("children",)),
        nodes=49,
    ),
    Case(
        "pig",
        "meglm weight week || id:",
        pig,
        Formula("weight ~ week + (1 | id)", "gaussian", points=1),
    ),
    Case(
        "logit-100k",
        "melogit y x i.t || g:",
        logit_intercept,
        Formula("y ~ x + t + (1 | g)", "binomial"),
        nodes=7,
    ),
    Case(
        "logit-slope-50k",
        "melogit y x i.t || g: x, covariance(unstructured)",
        logit_slope,
        Formula("y ~ x + t + (1 + x | g)", "binomial"),
        nodes=49,
    ),
    Case(
        "poisson-100k",
        "mepoisson y x i.t, exposure(time) || g:",
        poisson_exposure,
        Formula("y ~ x + t + (1 | g)", "poisson", log_exposure="log_time"),
        nodes=7,
    ),
    Case(
        "logit-1m",
        "melogit y x i.t || g:",
        lambda: logit_intercept(1_000_000),
        Formula("y ~ x + t + (1 | g)", "binomial"),
        nodes=7,
        long=True,
    ),
    Case(
        "logit-100k-laplace",
        "melogit y x i.t || g:, intmethod(laplace)",
        logit_intercept,
        Formula("y ~ x + t + (1 | g)", "binomial", points=1),
        nodes=1,
        boosted=Boosted("bernoulli_logit", ("g",)),
    ),
    Case(
        "logit-1m-laplace",
        "melogit y x i.t || g:, intmethod(laplace)",
        lambda: logit_intercept(1_000_000),
        Formula("y ~ x + t + (1 | g)", "binomial", points=1),
        nodes=1,
        boosted=Boosted("bernoulli_logit", ("g",)),
        long=True,
    ),
    Case(
        "poisson-100k-laplace",
        "mepoisson y x i.t, exposure(time) || g:, intmethod(laplace)",
        poisson_exposure,
        Formula("y ~ x + t + (1 | g)", "poisson", points=1, log_exposure="log_time"),
        nodes=1,
        boosted=Boosted("poisson", ("g",), log_exposure="log_time"),
    ),
    Case(
        "three-levels-laplace",
        "melogit y x i.t || g: || h:, intmethod(laplace)",
        logit_three_levels,
        Formula("y ~ x + t + (1 | g) + (1 | h)", "binomial", points=1),
        nodes=1,
        boosted=Boosted("bernoulli_logit", ("g", "h")),
    ),
    # Seven points at each of two levels, and crossed effects by the Laplacian approximation.
    Case("logit-three-levels-50k", "melogit y x i.t || g: || h:", logit_three_levels, nodes=49),
    Case(
        "fife-crossed",
        "melogit attain_gt_6 sex || _all: R.sid || pid:",
        fife,
        Formula("attain_gt_6 ~ sex + (1 | sid) + (1 | pid)", "binomial", points=1),
        nodes=1,
    ),
    Case(
        "salamander-crossed",
        "melogit y wsm##wsf || _all: R.male || female:",
        salamander,
        Formula("y ~ wsm * wsf + (1 | male) + (1 | female)", "binomial", points=1),
        nodes=1,
    ),
    Case(
        "insteval-linear",
        "meglm rating service || _all: R.d || s:",
        insteval,
        Formula("rating ~ service + (1 | d) + (1 | s)", "gaussian", points=1),
    ),
    Case(
        "insteval-logit",
        "melogit y service || _all: R.d || s:",
        insteval,
        Formula("y ~ service + (1 | d) + (1 | s)", "binomial", points=1),
        nodes=1,
        long=True,
    ),
    Case(
        "crossed-three-100k",
        "melogit y x || _all: R.b || _all: R.c || a:",
        crossed_three,
        Formula("y ~ x + (1 | b) + (1 | c) + (1 | a)", "binomial", points=1),
        nodes=1,
        long=True,
    ),
    Case(
        "crossed-1m",
        "melogit y x || _all: R.b || a:",
        crossed_million,
        Formula("y ~ x + (1 | b) + (1 | a)", "binomial", points=1),
        nodes=1,
        long=True,
    ),
)
