"""Linear constraints: solving them, derivatives under them, and models that are each other's rewriting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from memagic.engine import covariance
from memagic.engine.constraints import (
    InconsistentConstraints,
    LinearConstraints,
    combined,
    solve,
)
from memagic.engine.fit import Fit, NotFeasible, Settings, fit, make_objective
from memagic.engine.plain import PlainObjective
from memagic.engine.problem import Level, Problem
from memagic.engine.restricted import RestrictedObjective, Restriction

Array = NDArray[np.float64]
Maker = Callable[..., tuple[Problem, Array]]


def constraints(*rows: list[float]) -> LinearConstraints:
    """Rows of coefficients, each with its value at the end."""
    table = np.array(rows, dtype=float)
    return LinearConstraints(table[:, :-1], table[:, -1])


# --- solving ---------------------------------------------------------------------------------


def test_what_is_held_and_what_is_equal_is_so_exactly() -> None:
    solution = solve(constraints([0, 1, 0, 0, 0.1], [3, 0, 0, -3, 0]))
    for gamma in np.random.default_rng(3).normal(size=(5, 2)):
        tau = solution.basis @ gamma + solution.point
        assert tau[1] == 0.1
        assert tau[0] == tau[3]


@pytest.mark.parametrize("seed", range(8))
def test_solutions_satisfy_the_constraints(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k, d = int(rng.integers(0, 5)), 5
    scale = 10.0 ** rng.integers(-5, 6, size=k)
    given = LinearConstraints(rng.normal(size=(k, d)) * scale[:, None], rng.normal(size=k) * scale)
    solution = solve(given)
    assert solution.kept == tuple(range(k))
    assert solution.basis.shape == (d, d - k)
    assert np.linalg.matrix_rank(solution.basis) == d - k
    size = np.abs(given.matrix).max(axis=1, initial=0.0)
    assert np.allclose(given.matrix @ solution.basis / size[:, None], 0.0, atol=1e-9)
    assert np.allclose(given.matrix @ solution.point, given.values, rtol=1e-8)
    tau = solution.basis @ rng.normal(size=d - k) + solution.point
    assert np.allclose(solution.basis @ solution.nearest(tau) + solution.point, tau)


def test_redundant_constraints_are_dropped() -> None:
    given = constraints([1, -1, 0, 0], [0, 1, -1, 0], [2, 0, -2, 0], [0, 0, 0, 0], [1, 1, 1, 3])
    solution = solve(given)
    assert solution.kept == (0, 1, 4)
    assert solution.basis.shape == (3, 0)
    assert solution.point == pytest.approx([1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        ([[1, 0, 1], [1, 0, 2]], 1),
        ([[0, 0, 1]], 0),
        ([[1, -1, 0], [2, -2, 0], [0, 1, 4], [1, 0, 3]], 3),
        ([[1e-6, 0, 1e-6], [1e-6, 0, 1.001e-6]], 1),
    ],
)
def test_inconsistent_constraints(rows: list[list[float]], first: int) -> None:
    with pytest.raises(InconsistentConstraints) as caught:
        solve(constraints(*rows))
    assert caught.value.row == first


def test_parts_and_columns() -> None:
    given = combined(constraints([1, 0, 0, 1]), constraints([0, 1, 1, 0], [1, 0, 2, 5]))
    assert len(given) == 3
    within = given.within(np.array([True, False, True]))
    assert within.matrix.tolist() == [[1, 0], [1, 2]]
    assert within.values.tolist() == [1, 5]


# --- the way back from reported elements ------------------------------------------------------


@pytest.mark.parametrize("q", [1, 2, 3])
@pytest.mark.parametrize("kind", ["independent", "identity", "exchangeable", "unstructured"])
def test_from_reported_inverts_reported(kind: str, q: int) -> None:
    one = getattr(covariance, kind)(q)
    whole = covariance.block_diagonal([one, covariance.unstructured(2), covariance.exchangeable(3)])
    rng = np.random.default_rng(q)
    for structure in (one, whole):
        omega = structure.start + 0.2 * rng.normal(size=structure.size)
        assert structure.from_reported(structure.reported(omega)) == pytest.approx(omega)
        change = rng.normal(size=structure.size)
        moved = structure.reported(omega + change) - structure.reported(omega)
        second = np.einsum("rab,a,b->r", structure.curvature, change, change)
        assert structure.jacobian(omega) @ change + 0.5 * second == pytest.approx(moved)


def test_no_root_of_an_indefinite_matrix() -> None:
    for structure, elements in (
        (covariance.independent(2), [1.0, -1.0]),
        (covariance.exchangeable(3), [1.0, -0.6]),
        (covariance.block_diagonal([covariance.unstructured(2), covariance.identity(1)]), [1, 1, 4, 2]),
    ):
        with pytest.raises(np.linalg.LinAlgError):
            structure.from_reported(np.array(elements))


def test_theta_is_missing_where_sigma_is_not_positive_definite(two_effects: dict[str, Problem]) -> None:
    held = Restriction(two_effects["unstructured"], constraints([0, 0, 0, 0, 1, 3]))
    gamma = held.start(np.array([0.1, 0.2, 4.0, 4.0, 0.0]))
    assert held.estimates(gamma)[0] == pytest.approx([0.1, 0.2, 4.0, 4.0, 3.0])
    assert np.isnan(held.theta(0.5 * gamma)[2:]).all()
    # Semidefinite is not enough: the elements could not be told apart.
    assert np.isnan(held.theta(np.array([0.1, 0.2, np.sqrt(3.0), np.sqrt(3.0)]))[2:]).all()


# --- derivatives -------------------------------------------------------------------------------


def rows_for(problem: Problem, seed: int) -> LinearConstraints:
    """A constraint among coefficients, one among elements of Sigma and one on all that phi has."""
    d = problem.p + problem.n_omega + problem.family.n_phi
    rng = np.random.default_rng(seed)
    rows = np.zeros((3, d))
    rows[0, : problem.p] = rng.normal(size=problem.p)
    rows[1, problem.p : problem.p + problem.n_omega] = rng.normal(size=problem.n_omega)
    rows[2, problem.p + problem.n_omega :] = 1.0
    rows[2, problem.p] = -0.5
    return LinearConstraints(rows, np.zeros(3))


def reported(problem: Problem, theta: Array) -> Array:
    parts = problem.unpack(theta)
    assert problem.structure is not None
    phi, _ = problem.family.report_phi(parts.phi)
    return np.concatenate([parts.beta, problem.structure.reported(parts.omega), phi])


@pytest.mark.parametrize("family", ["gaussian-identity", "gaussian-log", "bernoulli-logit", "poisson-log"])
@pytest.mark.parametrize(
    ("structure", "q"), [("independent", 2), ("exchangeable", 2), ("unstructured", 2), ("unstructured", 3)]
)
def test_derivatives_in_gamma(model: Maker, family: str, structure: str, q: int) -> None:
    problem, theta = model(family, structure, q)
    given = rows_for(problem, 4)
    # The constraints hold at the theta to look at.
    given = LinearConstraints(given.matrix, given.matrix @ reported(problem, theta))
    restriction = Restriction(problem, given)
    objective = make_objective(problem, Settings("laplace"))
    restricted = RestrictedObjective(objective, restriction)
    gamma = restriction.start(reported(problem, theta))
    assert restriction.theta(gamma) == pytest.approx(theta)
    tau, slope = restriction.estimates(gamma)
    assert tau == pytest.approx(reported(problem, theta))
    at = restricted.evaluate(gamma)
    assert at.value == pytest.approx(restricted.value(gamma))
    h = 1e-5
    for k in range(len(gamma)):
        step = np.zeros_like(gamma)
        step[k] = h
        up, down = restricted.evaluate(gamma + step), restricted.evaluate(gamma - step)
        assert at.gradient[k] == pytest.approx((up.value - down.value) / (2 * h), rel=1e-5, abs=1e-6)
        assert at.hessian[k] == pytest.approx((up.gradient - down.gradient) / (2 * h), rel=1e-4, abs=1e-4)
        moved = restriction.estimates(gamma + step)[0] - restriction.estimates(gamma - step)[0]
        assert slope[:, k] == pytest.approx(moved / (2 * h), rel=1e-6, abs=1e-8)


def test_without_random_effects(model: Maker) -> None:
    problem, _ = model("gaussian-identity")
    plain = replace(problem, levels=())
    held = fit(plain, Settings(), constraints=constraints([1, 0, 0, 0], [0, 0, 1, 0.5]))
    assert held.estimates[[0, 2]].tolist() == [0.0, 0.5]
    residual = plain.y - plain.fixed_part(np.zeros(2))
    assert held.estimates[1] == pytest.approx(residual.mean())
    assert held.covariance[1, 1] == pytest.approx(0.5 / len(residual))
    assert held.held == (True, False, True)
    assert held.log_likelihood == pytest.approx(PlainObjective(plain).value(held.theta))


# --- models that are each other's rewriting ------------------------------------------------------


@pytest.fixture(scope="module")
def two_effects(model: Maker) -> dict[str, Problem]:
    """One problem under every structure of its two random effects."""
    problem, _ = model("poisson-log", "unstructured", 2, tuple(8 for _ in range(40)), 5)
    (level,) = problem.levels
    return {
        kind: replace(problem, levels=(Level(level.cluster, level.z, getattr(covariance, kind)(2)),))
        for kind in ("independent", "identity", "exchangeable", "unstructured")
    }


def same(restricted: Fit, free: Fit, places: list[int]) -> None:
    """The unrestricted fit, with each of the restricted estimates at one of its places."""
    assert restricted.converged
    assert restricted.log_likelihood == pytest.approx(free.log_likelihood, rel=1e-12, abs=1e-8)
    assert restricted.estimates[: len(places)] == pytest.approx(free.estimates[places], rel=1e-6)
    deviation = np.sqrt(np.diag(restricted.covariance)[: len(places)])
    assert deviation == pytest.approx(np.sqrt(np.diag(free.covariance)[places]), rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "rows", "places"),
    [
        ("independent", [[0, 0, 0, 0, 1, 0]], [0, 1, 2, 3]),
        ("identity", [[0, 0, 0, 0, 1, 0], [0, 0, 1, -1, 0, 0]], [0, 1, 2, 2]),
        ("exchangeable", [[0, 0, 1, -1, 0, 0]], [0, 1, 2, 2, 3]),
    ],
)
def test_constraints_make_the_structures(
    two_effects: dict[str, Problem], kind: str, rows: list[list[float]], places: list[int]
) -> None:
    # The Laplacian approximation does not depend on which root of Sigma is taken.
    settings = Settings("laplace" if kind == "exchangeable" else "mvaghermite")
    free = fit(two_effects[kind], settings)
    same(fit(two_effects["unstructured"], settings, constraints=constraints(*rows)), free, places)


def test_constraints_on_coefficients_leave_the_variances_smooth(two_effects: dict[str, Problem]) -> None:
    problem = two_effects["unstructured"]
    restricted = fit(problem, Settings(), constraints=constraints([1, 0, 0, 0, 0, 0]))
    free = fit(replace(problem, x=problem.x[:, 1:]), Settings())
    assert restricted.log_likelihood == pytest.approx(free.log_likelihood, abs=1e-8)
    assert restricted.estimates[1:] == pytest.approx(free.estimates, rel=1e-6)
    assert restricted.covariance[1:, 1:] == pytest.approx(free.covariance, rel=1e-5, abs=1e-9)
    assert not restricted.covariance[0].any()
    assert restricted.log_likelihood_plain == pytest.approx(free.log_likelihood_plain, abs=1e-8)


def test_nothing_is_free(two_effects: dict[str, Problem]) -> None:
    problem = two_effects["independent"]
    rows = np.column_stack([np.eye(4), [0.4, -0.2, 0.3, 0.5]])
    held = fit(problem, Settings(), constraints=constraints(*rows.tolist()))
    assert held.estimates.tolist() == [0.4, -0.2, 0.3, 0.5]
    assert not held.covariance.any()
    theta = np.array([0.4, -0.2, np.sqrt(0.3), np.sqrt(0.5)])
    assert held.log_likelihood == pytest.approx(make_objective(problem, Settings()).value(theta))


def test_a_residual_variance_and_one_of_random_effects(model: Maker) -> None:
    problem, _ = model("gaussian-identity", "independent", 1, tuple(6 for _ in range(30)), 2)
    twice = fit(problem, Settings(), constraints=constraints([0, 0, 1, -2, 0]))
    assert twice.converged
    assert twice.estimates[2] == 2.0 * twice.estimates[3]
    free = fit(problem, Settings())
    assert twice.log_likelihood < free.log_likelihood
    held = fit(problem, Settings(), constraints=constraints([0, 0, 1, 0, free.estimates[2]]))
    assert held.log_likelihood == pytest.approx(free.log_likelihood, rel=1e-12)
    assert held.estimates == pytest.approx(free.estimates, rel=1e-6)


def test_values_that_no_covariance_matrix_has(two_effects: dict[str, Problem]) -> None:
    with pytest.raises(NotFeasible):
        fit(two_effects["unstructured"], Settings(), constraints=constraints([0, 0, 1, 0, 0, -1]))


def test_a_fixed_covariance_needs_large_variances(two_effects: dict[str, Problem]) -> None:
    held = fit(two_effects["unstructured"], Settings(), constraints=constraints([0, 0, 0, 0, 1, 3]))
    assert held.estimates[4] == 3.0
    assert held.estimates[2] * held.estimates[3] > 9.0


# The covariance is held at zero: were it free, the boundary would be a correlation of one, too.
@pytest.mark.parametrize("tied", [[], [[0, 0, 1, -1, 0, 0]], [[0, 0, 1, -2, 0, 0]]])
def test_variances_under_constraints_may_go_to_zero(model: Maker, tied: list[list[float]]) -> None:
    problem, _ = model("bernoulli-logit", "unstructured", 2, tuple(8 for _ in range(40)), 5)
    (level,) = problem.levels
    # The same successes in every cluster: less than chance would vary.
    even = replace(problem, y=np.zeros(len(problem.y)))
    for cluster in range(40):
        even.y[np.flatnonzero(level.cluster == cluster)[:4]] = 1.0
    found = fit(even, Settings(), constraints=constraints([0, 0, 0, 0, 1, 0], *tied))
    assert found.converged
    assert found.at_zero[1]
    assert found.log_likelihood_plain is not None
    assert found.log_likelihood >= found.log_likelihood_plain - 1e-6
