"""One group's integrand: the integral against scipy's, the rules against the engine's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad, trapezoid
from scipy.stats import binom, norm, poisson

from memagic.engine.integrand import exact_log_likelihood, group_problem, integrand
from memagic.engine.laplace import LaplaceObjective
from memagic.engine.linear import LinearObjective
from memagic.engine.nodes import Method
from memagic.engine.problem import Problem
from memagic.engine.quadrature import QuadratureObjective

Array = NDArray[np.float64]
Maker = Callable[..., tuple[Problem, Array]]
RULES: tuple[Method, ...] = ("ghermite", "mcaghermite", "mvaghermite")
FAMILIES = ["bernoulli-logit", "binomial-probit", "poisson-log", "bernoulli-cloglog"]


def by_quad(family: str, problem: Problem, theta: Array) -> float:
    """The log likelihood of a group with scipy's densities and scipy's integral."""
    parts = problem.unpack(theta)
    fixed, z = problem.fixed_part(parts.beta), problem.levels[0].z[:, 0]

    def likelihood(v: float) -> float:
        eta = fixed + z * parts.omega[0] * v
        if family == "poisson-log":
            f = poisson.pmf(problem.y, np.exp(eta))
        elif family == "gaussian-identity":
            f = norm.pdf(problem.y, eta, np.exp(parts.phi[0]))
        else:
            mu = 1.0 / (1.0 + np.exp(-eta)) if family.endswith("logit") else norm.cdf(eta)
            f = binom.pmf(problem.y, problem.trials, mu)
        return float(np.prod(f) * norm.pdf(v))

    value, _ = quad(likelihood, -12.0, 12.0, epsabs=0.0, epsrel=1e-12, limit=500, points=[-2.0, 0.0, 2.0])
    return float(np.log(value))


@pytest.mark.parametrize("family", ["bernoulli-logit", "binomial-probit", "poisson-log", "gaussian-identity"])
def test_exact_value_is_that_of_scipy(model: Maker, family: str) -> None:
    problem, theta = model(family)
    for group in range(problem.n_clusters):
        own = group_problem(problem, group)
        assert exact_log_likelihood(own, theta) == pytest.approx(by_quad(family, own, theta), abs=1e-10)


def test_exact_values_sum_to_the_closed_form(model: Maker) -> None:
    problem, theta = model("gaussian-identity")
    total = sum(exact_log_likelihood(group_problem(problem, j), theta) for j in range(problem.n_clusters))
    assert total == pytest.approx(LinearObjective(problem).value(theta), abs=1e-10)


@pytest.mark.parametrize("method", RULES)
@pytest.mark.parametrize("family", FAMILIES)
def test_groups_sum_to_the_objective(model: Maker, family: str, method: Method) -> None:
    problem, theta = model(family)
    total = sum(
        integrand(group_problem(problem, j), theta, method, 7).log_likelihood
        for j in range(problem.n_clusters)
    )
    assert total == pytest.approx(QuadratureObjective(problem, method, 7).value(theta), abs=1e-10)


def test_laplace_sums_to_its_objective(model: Maker) -> None:
    problem, theta = model("bernoulli-logit")
    views = [integrand(group_problem(problem, j), theta, "laplace", 1) for j in range(problem.n_clusters)]
    assert sum(v.log_likelihood for v in views) == pytest.approx(
        LaplaceObjective(problem).value(theta), abs=1e-10
    )
    for view in views:
        # The approximation touches the integrand at the mode, and its area is the likelihood's ratio.
        assert np.interp(view.mean, view.u, view.normal) == pytest.approx(view.heights[0], rel=1e-3)
        peak = float(view.heights[0]) * view.sd * np.sqrt(2.0 * np.pi)
        assert np.log(peak) == pytest.approx(view.error, abs=1e-10)


@pytest.mark.parametrize("method", RULES)
@pytest.mark.parametrize("family", FAMILIES)
def test_many_points_converge_to_the_exact_value(model: Maker, family: str, method: Method) -> None:
    problem, theta = model(family)
    own = group_problem(problem, 2)
    # Nodes that do not move to the integrand need to be many.
    many = 121 if method == "ghermite" else 31
    errors = [abs(integrand(own, theta, method, n).error) for n in (3, many)]
    assert errors[1] < 1e-7
    assert errors[1] < 1e-3 * errors[0]


@pytest.mark.parametrize("method", [*RULES, "laplace"])
def test_nodes_and_weights_are_the_sum(model: Maker, method: Method) -> None:
    problem, theta = model("poisson-log")
    own = group_problem(problem, 1)
    view = integrand(own, theta, method, 5)
    parts = own.unpack(theta)
    eta = own.fixed_part(parts.beta)[:, None] + own.levels[0].z * view.nodes
    likelihood = np.prod(poisson.pmf(own.y[:, None], np.exp(eta)), axis=0)
    assert np.log(view.weights @ likelihood) == pytest.approx(view.log_likelihood, abs=1e-12)
    assert view.shares == pytest.approx(view.weights * likelihood / np.exp(view.log_likelihood))
    density = likelihood * norm.pdf(view.nodes, scale=view.sigma) / np.exp(view.exact)
    assert view.heights == pytest.approx(density)
    assert np.all(np.diff(view.nodes) > 0.0)


def test_curves_are_densities(model: Maker) -> None:
    problem, theta = model("bernoulli-logit")
    view = integrand(group_problem(problem, 2), theta, "mvaghermite", 7)
    assert trapezoid(view.density, view.u) == pytest.approx(1.0, abs=2e-3)
    assert view.prior == pytest.approx(norm.pdf(view.u, scale=view.sigma))
    assert view.normal == pytest.approx(norm.pdf(view.u, view.mean, view.sd))
    # Mean-variance adaptation puts the normal density at the posterior's own moments.
    mean = trapezoid(view.u * view.density, view.u)
    assert view.mean == pytest.approx(mean, abs=5e-3)


def test_sign_of_omega_changes_nothing_but_its_own(model: Maker) -> None:
    problem, theta = model("bernoulli-logit")
    own = group_problem(problem, 2)
    turned = theta.copy()
    turned[problem.p] *= -1.0
    first, second = integrand(own, theta, "mcaghermite", 4), integrand(own, turned, "mcaghermite", 4)
    assert second.nodes == pytest.approx(first.nodes)
    assert second.mean == pytest.approx(first.mean)
    assert second.sigma == first.sigma


@pytest.mark.parametrize("sigma", [0.01, 0.5, 5.0, 20.0])
def test_standard_deviations_near_and_far(model: Maker, sigma: float) -> None:
    problem, theta = model("bernoulli-logit")
    theta = theta.copy()
    theta[problem.p] = sigma
    own = group_problem(problem, 0)
    assert exact_log_likelihood(own, theta) == pytest.approx(
        by_quad("bernoulli-logit", own, theta), abs=1e-10
    )
