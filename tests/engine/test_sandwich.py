"""Variance estimators against statsmodels, loops over strata, and each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from memagic.engine import families
from memagic.engine.covariance import independent
from memagic.engine.fit import Settings, fit, make_objective
from memagic.engine.problem import Level, Problem
from memagic.engine.sandwich import Design, SingleUnit, Variance, meat

Array = NDArray[np.float64]


def plain(n: int = 300) -> Problem:
    rng = np.random.default_rng(11)
    x = np.column_stack([rng.normal(size=n), rng.integers(0, 2, n), np.ones(n)])
    y = rng.binomial(1, 1.0 / (1.0 + np.exp(-x @ [0.8, -0.5, 0.1]))).astype(float)
    return Problem(families.BinomialLogit(), y, x)


def test_robust_of_a_plain_model_is_that_of_statsmodels() -> None:
    problem = plain()
    found = fit(problem, Settings(variance=Variance("robust")))
    other = sm.Logit(problem.y, problem.x).fit(disp=False, cov_type="HC0", tol=1e-12)
    np.testing.assert_allclose(found.covariance, other.cov_params() * 300 / 299, rtol=1e-8)
    assert found.modelbased is not None
    np.testing.assert_allclose(found.modelbased, sm.Logit(problem.y, problem.x).fit(disp=False).cov_params())


def test_clusters_of_a_plain_model_are_those_of_statsmodels() -> None:
    problem = plain()
    groups = np.random.default_rng(5).integers(0, 40, 300)
    found = fit(problem, Settings(variance=Variance("robust", groups, 40)))
    other = sm.Logit(problem.y, problem.x).fit(
        disp=False, cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}, tol=1e-12
    )
    np.testing.assert_allclose(found.covariance, other.cov_params() * 40 / 39, rtol=1e-8)


def test_opg_is_the_inverse_outer_product() -> None:
    problem = plain()
    found = fit(problem, Settings(variance=Variance("opg")))
    residual = problem.y - 1.0 / (1.0 + np.exp(-problem.x @ found.estimates))
    scores = problem.x * residual[:, None]
    np.testing.assert_allclose(found.covariance, np.linalg.inv(scores.T @ scores), rtol=1e-9)


def random_intercepts() -> Problem:
    rng = np.random.default_rng(4)
    cluster = np.repeat(np.arange(40), 8)
    x = np.column_stack([rng.normal(size=320), np.ones(320)])
    eta = x @ [0.7, -0.2] + rng.normal(size=40)[cluster]
    y = rng.binomial(1, 1.0 / (1.0 + np.exp(-eta))).astype(float)
    return Problem(
        families.BinomialLogit(), y, x, levels=(Level(cluster, np.ones((320, 1)), independent(1)),)
    )


@pytest.mark.parametrize("estimator", ["opg", "robust"])
def test_frequency_weights_are_copies(estimator: str) -> None:
    problem = random_intercepts()
    (level,) = problem.levels
    copies = np.random.default_rng(1).integers(1, 4, 40).astype(float)
    keys = [(c, k) for c in level.cluster for k in range(int(copies[c]))]
    rows = [i for i, c in enumerate(level.cluster) for _ in range(int(copies[c]))]
    code = {key: k for k, key in enumerate(sorted(set(keys)))}
    many = replace(
        problem,
        y=problem.y[rows],
        x=problem.x[rows],
        levels=(replace(level, cluster=np.array([code[key] for key in keys]), z=level.z[rows]),),
    )
    one = replace(problem, levels=(replace(level, weight=copies),))
    variance = Variance(estimator, copies=copies)  # type: ignore[arg-type]
    found = fit(one, Settings(variance=variance))
    expected = fit(many, Settings(variance=replace(variance, copies=None)))
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(found.estimates, expected.estimates, rtol=1e-7)
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-6)


def test_the_variance_passes_through_the_jacobian() -> None:
    """On the scale of the standard deviation the sandwich is direct; the variance is its square."""
    problem = random_intercepts()
    found = fit(problem, Settings(variance=Variance("robust")))
    deviation = found.theta[2]
    assert found.estimates[2] == pytest.approx(deviation**2)
    free = np.linalg.inv(found.hessian)
    scores = make_objective(problem, Settings()).evaluate(found.theta).scores
    sandwich = free @ scores.T @ scores @ free * 40 / 39
    assert found.covariance[2, 2] == pytest.approx(4.0 * deviation**2 * sandwich[2, 2], rel=1e-7)


def by_stratum(sums: Array, design: Design) -> Array:
    total = np.zeros((sums.shape[1], sums.shape[1]))
    for h, fraction in enumerate(design.fraction):
        units = sums[design.stratum == h]
        if len(units) < 2:
            continue
        total += (1.0 - fraction) * len(units) * np.cov(units, rowvar=False)
    return total


def test_linearized_within_strata() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(60, 3))
    unit = rng.integers(0, 20, 60)
    design = Design(np.repeat([0, 1, 2], [8, 5, 7]), np.array([0.1, 0.0, 0.5]))
    sums = np.array([scores[unit == g].sum(axis=0) for g in range(20)])
    found = meat(scores, Variance("linearized", unit, 20, design=design))
    np.testing.assert_allclose(found, by_stratum(sums, design), rtol=1e-12)


def test_one_stratum_is_robust() -> None:
    scores = np.random.default_rng(3).normal(size=(60, 3))
    scores -= scores.mean(axis=0)  # as at a maximum
    robust, linearized = meat(scores, Variance("robust")), meat(scores, Variance("linearized"))
    np.testing.assert_allclose(linearized, robust, rtol=1e-12)


@pytest.mark.parametrize("single", ["missing", "certainty", "scaled", "centered"])
def test_a_stratum_with_one_unit(single: SingleUnit) -> None:
    scores = np.random.default_rng(6).normal(size=(9, 2))
    design = Design(np.array([0, 0, 0, 0, 1, 2, 2, 2, 2]), np.array([0.2, 0.3, 0.0]), single)
    found = meat(scores, Variance("linearized", np.arange(9), 9, design=design))
    others = by_stratum(scores, design)
    if single == "missing":
        assert np.isnan(found).all()
    elif single == "certainty":
        np.testing.assert_allclose(found, others)
    elif single == "scaled":
        np.testing.assert_allclose(found, others * 3 / 2)
    else:
        far = scores[4] - scores.mean(axis=0)
        np.testing.assert_allclose(found, others + 0.7 * np.outer(far, far))


def test_one_cluster_has_no_variance() -> None:
    assert np.isnan(meat(np.ones((5, 2)), Variance("robust", np.zeros(5, dtype=np.intp), 1))).all()
