"""Models without random effects against statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import memagic


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(21)
    n = 300
    x1, x2 = rng.normal(size=n), rng.integers(0, 2, size=n)
    eta = 0.5 * x1 - 0.7 * x2 + 0.2
    trials = rng.integers(1, 7, size=n)
    off = 0.3 * rng.normal(size=n)
    return pd.DataFrame(
        {
            "x1": x1,
            "x2": x2,
            "n": trials,
            "off": off,
            "y": rng.binomial(1, 1.0 / (1.0 + np.exp(-eta))),
            "k": rng.binomial(trials, 1.0 / (1.0 + np.exp(-eta))),
            "c": rng.poisson(np.exp(eta + off)),
            "w": np.exp(eta) + 0.4 * rng.normal(size=n),
        }
    )


MODELS = [
    ("melogit y x1 x2", "y", sm.families.Binomial()),
    ("meprobit y x1 x2", "y", sm.families.Binomial(sm.families.links.Probit())),
    ("mecloglog y x1 x2", "y", sm.families.Binomial(sm.families.links.CLogLog())),
    ("melogit k x1 x2, binomial(n)", "k", sm.families.Binomial()),
    ("meprobit k x1 x2, binomial(n)", "k", sm.families.Binomial(sm.families.links.Probit())),
    (
        "meglm k x1 x2, family(binomial n) link(cloglog)",
        "k",
        sm.families.Binomial(sm.families.links.CLogLog()),
    ),
    ("mepoisson c x1 x2, offset(off)", "c", sm.families.Poisson()),
    ("mepoisson c x1 x2", "c", sm.families.Poisson()),
]


@pytest.mark.parametrize(("command", "response", "family"), MODELS, ids=[model[0] for model in MODELS])
def test_glm(command: str, response: str, family: sm.families.Family, frame: pd.DataFrame) -> None:
    ours = memagic.run(command, data=frame)
    y = frame[[response]].to_numpy(float)
    if response == "k":
        y = np.column_stack([frame["k"], frame["n"] - frame["k"]])
    x = np.column_stack([frame["x1"], frame["x2"], np.ones(len(frame))])
    offset = frame["off"] if "offset" in command else None
    reference = sm.GLM(y, x, family=family, offset=offset)
    theirs = reference.fit(tol=1e-12)
    assert ours.converged
    assert ours.params.to_numpy() == pytest.approx(theirs.params, rel=1e-7)
    # statsmodels scores a binomial response as a share, with its trials as weights: the same up to
    # the combinations, which both include.
    assert ours.llf == pytest.approx(theirs.llf, rel=1e-10)
    # Observed information, which differs from the expected one where the link is not canonical.
    information = -reference.hessian(theirs.params, observed=True)
    assert ours.bse.to_numpy() == pytest.approx(np.sqrt(np.diag(np.linalg.inv(information))), rel=1e-5)


@pytest.mark.parametrize(
    ("command", "family"),
    [
        ("meglm w x1 x2", sm.families.Gaussian()),
        ("meglm w x1 x2, family(gaussian) link(log)", sm.families.Gaussian(sm.families.links.Log())),
    ],
)
def test_gaussian(command: str, family: sm.families.Family, frame: pd.DataFrame) -> None:
    ours = memagic.run(command, data=frame)
    x = np.column_stack([frame["x1"], frame["x2"], np.ones(len(frame))])
    start = None if family.link.__class__.__name__ == "Identity" else ours.params.to_numpy()[:3]
    theirs = sm.GLM(frame["w"].to_numpy(), x, family=family).fit(tol=1e-12, start_params=start)
    assert ours.params.to_numpy()[:3] == pytest.approx(theirs.params, rel=1e-6)
    # Maximum likelihood divides by n, and so do the standard errors here.
    variance = float(np.mean((frame["w"] - theirs.fittedvalues) ** 2))
    assert ours.params["/var(e.w)"] == pytest.approx(variance, rel=1e-6)
    assert ours.bse["/var(e.w)"] == pytest.approx(variance * np.sqrt(2.0 / len(frame)), rel=1e-4)
    n = len(frame)
    assert ours.llf == pytest.approx(-0.5 * n * (np.log(2.0 * np.pi * variance) + 1.0), rel=1e-10)
