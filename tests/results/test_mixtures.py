"""Weights of mixtures of chi2 distributions: known cones, projections by simulation, scores by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import nnls

import memagic
from memagic.errors import CommandError
from memagic.results.cones import covariance_weights, orthant_weights
from memagic.results.mixtures import mixture_without_effects
from memagic.results.null_information import null_information

INFORMATION = np.array([[2.0, 0.9, 0.3], [0.9, 1.0, -0.2], [0.3, -0.2, 1.5]])


@pytest.mark.parametrize("m", [1, 2, 3])
def test_uncorrelated_variances_are_binomial(m: int) -> None:
    found = orthant_weights(np.diag([1.0, 5.0, 0.1])[:m, :m])
    expected = {1: [1, 1], 2: [1, 2, 1], 3: [1, 3, 3, 1]}[m]
    assert list(found.values()) == pytest.approx(np.array(expected) / 2**m)


@pytest.mark.parametrize("m", [2, 3])
def test_orthants_by_projections(m: int) -> None:
    information = INFORMATION[:m, :m]
    found = orthant_weights(information)
    root = np.linalg.cholesky(information).T
    draws = np.random.default_rng(1).normal(size=(20_000, m))
    counted = np.bincount([np.count_nonzero(nnls(root, z)[0]) for z in draws], minlength=m + 1) / len(draws)
    assert list(found.values()) == pytest.approx(counted, abs=4 * 0.5 / np.sqrt(len(draws)))
    assert sum(found.values()) == pytest.approx(1.0)


def test_the_cone_of_covariance_matrices_of_a_circle() -> None:
    # With equal information on what v1, v2 and sqrt(2) c are, the cone is circular with half a right angle.
    found = covariance_weights(np.diag([1.0, 1.0, 2.0]))
    half, edge = 0.5 - np.sqrt(0.125), np.sqrt(0.125)
    assert list(found.values()) == pytest.approx([half, edge, edge, half], rel=1e-12)


def test_the_cone_of_covariance_matrices_by_projections() -> None:
    """The rim's nearest ray by a grid: inside, outside, or on the rim."""
    root = np.linalg.cholesky(INFORMATION).T
    draws = np.random.default_rng(2).normal(size=(20_000, 3))
    v1, v2, c = np.linalg.solve(root, draws.T)
    inside = (v1 > 0) & (v2 > 0) & (v1 * v2 > c**2)
    angle = np.linspace(0.0, np.pi, 2000, endpoint=False)
    rim = root @ np.array([np.cos(angle) ** 2, np.sin(angle) ** 2, np.sin(angle) * np.cos(angle)])
    outside = (draws @ (rim / np.sqrt((rim**2).sum(axis=0)))).max(axis=1) <= 0.0
    found = covariance_weights(INFORMATION)
    assert found[3] == pytest.approx(inside.mean(), abs=0.012)
    assert found[0] == pytest.approx(outside.mean(), abs=0.012)
    assert (found[0] + found[2], found[1] + found[3]) == (pytest.approx(0.5), pytest.approx(0.5))


def test_information_is_the_covariance_of_scores_by_simulation() -> None:
    """Scores of simulated responses of a model without random effects, coefficients known."""
    rng = np.random.default_rng(4)
    n = 240
    frame = pd.DataFrame({"g": np.repeat(range(40), 6), "h": np.repeat(range(120), 2)})
    frame["x"] = rng.normal(size=n)
    eta = 0.3 + 0.4 * frame.x.to_numpy()
    p = 1 / (1 + np.exp(-eta))
    frame["y"] = rng.binomial(1, p)
    fit = memagic.run("melogit y x || g: x, covariance(unstructured) || h:", data=frame)
    names = [q.name for q in fit.estimates.parameters if q.role in ("variance", "covariance")]
    z = np.column_stack([frame.x, np.ones(n)])
    at_g, at_h = pd.get_dummies(frame.g).to_numpy(float), pd.get_dummies(frame.h).to_numpy(float)
    draws = []
    for _ in range(6000):
        d1, d2 = rng.binomial(1, p) - p, -p * (1 - p)
        s, t = at_g.T @ (z * d1[:, None]), at_h.T @ d1
        cov = (s[:, 0] * s[:, 1]).sum() + (z[:, 0] * d2).sum()
        var = 0.5 * ((s**2).sum(axis=0) + (z**2).T @ d2)
        score = {"/var(x[g])": var[0], "/var(_cons[g])": var[1], "/cov(x[g],_cons[g])": cov}
        score["/var(_cons[g>h])"] = 0.5 * ((t**2).sum() + d2.sum())
        draws.append([*(score[name] for name in names), *(z.T @ d1)])
    whole = np.cov(np.array(draws).T)
    m = len(names)
    expected = whole[:m, :m] - whole[:m, m:] @ np.linalg.solve(whole[m:, m:], whole[m:, :m])
    found = null_information(fit.estimates)
    scale = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(found / np.outer(scale, scale), expected / np.outer(scale, scale), atol=0.12)


def test_what_has_no_weights() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"g": np.repeat(range(30), 6), "x": rng.normal(size=180)})
    frame["y"] = rng.normal(size=180) + frame.x * rng.normal(size=30)[frame.g]
    twice = memagic.run("meglm y x || g: x, covariance(exchangeable)", data=frame)
    with pytest.raises(CommandError) as error:
        mixture_without_effects(twice.estimates)
    assert error.value.rc == 498
    # One variance for two effects is one variance.
    shared = memagic.run("meglm y x || g: x, covariance(identity)", data=frame)
    assert mixture_without_effects(shared.estimates)[0] == {0: 0.5, 1: 0.5}
