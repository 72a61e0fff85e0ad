"""Crossed effects: the engine against dense matrices, differences and nested levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal

from memagic.engine import families
from memagic.engine.covariance import identity, independent, unstructured
from memagic.engine.crossed import difference, elimination, system
from memagic.engine.crossed.laplace import CrossedLaplace
from memagic.engine.crossed.linear import CrossedLinear
from memagic.engine.crossed.nested import dimensions, nested_problem
from memagic.engine.crossed.pieces import Pieces
from memagic.engine.crossed.problem import CrossedProblem
from memagic.engine.crossed.rows import Rows
from memagic.engine.fit import Settings, fit, make_objective
from memagic.engine.laplace import LaplaceObjective
from memagic.engine.maximize import Stopping, maximize
from memagic.engine.problem import Level
from memagic.engine.space import Whole

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Design = tuple[tuple[Level, ...], tuple[Index | None, ...]]

N = 240
OMEGA = np.array([0.8, 0.6, 0.3, 0.5, 0.7])
FAMILIES: dict[str, tuple[families.Family, list[float]]] = {
    "logit": (families.BinomialLogit(), []),
    "probit": (families.BinomialProbit(), []),
    "cloglog": (families.BinomialCloglog(), []),
    "poisson": (families.PoissonLog(), []),
    "gaussian": (families.GaussianIdentity(), [-0.3]),
    "gaussian-log": (families.GaussianLog(), [-0.3]),
    "gamma": (families.GammaLog(), [-0.3]),
    "nbinomial-mean": (families.NegativeBinomialMean(), [-0.5]),
    "nbinomial-constant": (families.NegativeBinomialConstant(), [-0.5]),
    "ologit": (families.OrdinalLogit(3), [-0.5, 0.7]),
    "oprobit": (families.OrdinalProbit(3), [-0.5, 0.7]),
    "ocloglog": (families.OrdinalCloglog(3), [-0.5, 0.7]),
}


def numbered(codes: Index) -> Index:
    return np.asarray(np.unique(codes, return_inverse=True)[1])


def factor(codes: Index, within: Index) -> tuple[Level, Index]:
    return Level(numbered(within * 1000 + codes), np.ones((len(codes), 1)), identity(1)), within


def design(kind: str, rng: np.random.Generator, n: int = N) -> Design:
    """Levels of a crossed problem, and what their factors are within."""
    a, b, g = rng.integers(0, 6, n), rng.integers(0, 9, n), rng.integers(0, 4, n)
    one, x, everything = np.ones((n, 1)), rng.normal(size=(n, 1)), np.zeros(n, dtype=np.intp)
    if kind == "two factors":
        parts = [factor(a, everything), (Level(b, one, independent(1)), None)]
    elif kind == "three factors":
        parts = [factor(a, everything), factor(b, everything), factor(g, everything)]
    elif kind == "slope":
        parts = [factor(a, everything), (Level(b, np.hstack([x, one]), unstructured(2)), None)]
    else:
        parts = [
            (Level(g, x, independent(1)), None),
            factor(a, g),
            (Level(numbered(g * 100 + b), np.hstack([x, one]), unstructured(2)), None),
        ]
    return tuple(level for level, _ in parts), tuple(within for _, within in parts)


DESIGNS = ("two factors", "three factors", "slope", "within groups")


def problem_of(name: str, kind: str, seed: int = 1) -> tuple[CrossedProblem, Array]:
    """A problem with an offset, and a theta away from its maximum."""
    rng = np.random.default_rng(seed)
    family, phi = FAMILIES[name]
    levels, within = design(kind, rng)
    columns = [rng.normal(size=N)] if name.startswith("o") else [rng.normal(size=N), np.ones(N)]
    x = np.column_stack(columns)
    eta = 0.3 * x.sum(axis=1) + 0.5 * rng.normal(size=20)[levels[0].cluster]
    if name in ("logit", "probit", "cloglog"):
        y = (rng.random(N) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    elif name == "poisson" or name.startswith("nbinomial"):
        y = rng.poisson(np.exp(eta)).astype(float)
    elif name.startswith("o"):
        y = np.digitize(eta + rng.logistic(size=N), phi).astype(float)
    else:
        y = np.exp(eta) * rng.gamma(3.0, 1.0 / 3.0, N)
    problem = CrossedProblem(family, y, x, 0.1 * rng.normal(size=N), 1.0, levels, within=within)
    theta = np.concatenate([np.full(x.shape[1], 0.25), OMEGA[: problem.n_omega], phi])
    return problem, theta


def differences(function: Callable[[Array], float | Array], theta: Array, step: float = 1e-5) -> Array:
    shifts = step * np.eye(len(theta))
    return np.array([(function(theta + s) - function(theta - s)) / (2.0 * step) for s in shifts])


@pytest.mark.parametrize("kind", DESIGNS)
@pytest.mark.parametrize("name", FAMILIES)
def test_the_gradient_is_that_of_the_approximation(name: str, kind: str) -> None:
    problem, theta = problem_of(name, kind)
    objective = CrossedLaplace(problem)
    value, scores = objective.scores(theta)
    assert scores.shape == (problem.n_clusters, len(theta))
    gradient = scores.sum(axis=0)
    numerical = differences(objective.value, theta)
    np.testing.assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-6 * np.abs(gradient).max())
    assert objective.value(theta) == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize("kind", DESIGNS)
@pytest.mark.parametrize("name", FAMILIES)
def test_indicators_give_the_same(name: str, kind: str) -> None:
    # The same problem with a column for every value, by the elimination over nested levels.
    problem, theta = problem_of(name, kind)
    ours = CrossedLaplace(problem).evaluate(theta)
    dense = LaplaceObjective(nested_problem(problem)).evaluate(theta)
    assert ours.value == pytest.approx(dense.value, rel=1e-12)
    np.testing.assert_allclose(ours.gradient, dense.gradient, rtol=1e-9, atol=1e-9)
    size = np.abs(dense.hessian).max()
    np.testing.assert_allclose(ours.hessian, dense.hessian, rtol=1e-6, atol=2e-8 * size)


@pytest.mark.parametrize("kind", DESIGNS)
def test_one_sided_differences_are_as_good(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, theta = problem_of("logit", kind)
    central = CrossedLaplace(problem).evaluate(theta).hessian
    monkeypatch.setattr(difference, "_MANY_ROWS", 0)
    one_sided = CrossedLaplace(problem).evaluate(theta).hessian
    np.testing.assert_allclose(one_sided, central, atol=1e-6 * np.abs(central).max())


@pytest.mark.parametrize("kind", DESIGNS)
def test_gaussian_responses_in_closed_form(kind: str) -> None:
    problem, theta = problem_of("gaussian", kind)
    objective = CrossedLinear(problem)
    at = objective.evaluate(theta)
    assert problem.structure is not None
    p, m = problem.p, problem.n_omega
    covariance = np.exp(2.0 * theta[-1]) * np.eye(N)
    sigma, first = problem.structure.sigma(theta[p : p + m]), 0
    for level in problem.levels:
        last = first + level.structure.q
        same = level.cluster[:, None] == level.cluster
        covariance += same * (level.z @ sigma[first:last, first:last] @ level.z.T)
        first = last
    expected = multivariate_normal(problem.fixed_part(theta[:p]), covariance).logpdf(problem.y)
    assert at.value == pytest.approx(expected, rel=1e-11)
    np.testing.assert_allclose(at.gradient, differences(objective.value, theta), rtol=1e-5, atol=1e-6)
    slopes = differences(lambda theta: objective.scores(theta)[1].sum(axis=0), theta)
    np.testing.assert_allclose(at.hessian, slopes, atol=1e-7 * np.abs(slopes).max())
    # The Laplacian approximation of a Gaussian posterior is none.
    laplace = CrossedLaplace(problem).evaluate(theta)
    assert laplace.value == pytest.approx(at.value, rel=1e-12)
    np.testing.assert_allclose(laplace.gradient, at.gradient, rtol=1e-8, atol=1e-8)


def test_a_response_and_covariates_far_from_zero() -> None:
    # Sums of squares of years and of a response in the millions: nothing of the residuals may be lost.
    problem, theta = problem_of("gaussian", "slope")
    near = CrossedLinear(problem).evaluate(theta)
    x = problem.x + np.array([2000.0, 0.0])
    beta = np.array([theta[0], theta[1] - 2000.0 * theta[0]])
    far = replace(problem, x=x, y=problem.y + x @ np.array([300.0, 1e6]))
    moved = np.r_[beta + np.array([300.0, 1e6]), theta[2:]]
    at = CrossedLinear(far).evaluate(moved)
    assert at.value == pytest.approx(near.value, rel=1e-9)
    np.testing.assert_allclose(at.gradient[2:], near.gradient[2:], rtol=1e-7)
    np.testing.assert_allclose(at.gradient[0] - 2000.0 * at.gradient[1], near.gradient[0], rtol=1e-6)
    size = np.abs(near.hessian).max()
    np.testing.assert_allclose(at.hessian[2:, 2:], near.hessian[2:, 2:], atol=1e-7 * size)


@pytest.mark.parametrize("name", ["logit", "poisson", "ologit", "gaussian"])
def test_secants_end_where_newton_does(name: str) -> None:
    problem, _ = problem_of(name, "two factors", seed=4)
    found = fit(problem, Settings("laplace"))
    assert found.converged
    assert found.concave
    objective = make_objective(problem, Settings("laplace"))
    whole = Whole(problem)
    newton = maximize(
        objective, found.theta + 0.05, Stopping(), lambda event: None, whole.coordinates(found.theta)
    )
    assert newton.converged
    errors = np.sqrt(np.diag(np.linalg.inv(-newton.evaluation.hessian)))
    np.testing.assert_array_less(np.abs(newton.theta - found.theta), 1e-6 * errors)
    np.testing.assert_allclose(found.hessian, newton.evaluation.hessian, rtol=1e-5, atol=1e-5)


def test_standard_errors_are_those_of_the_log_likelihood() -> None:
    problem, _ = problem_of("logit", "two factors", seed=4)
    found = fit(problem, Settings("laplace"))
    objective = CrossedLaplace(problem)
    d, step = len(found.theta), 2e-3
    hessian = np.empty((d, d))
    e = step * np.eye(d)
    for a in range(d):
        for b in range(d):
            corners = [(e[a] + e[b], 1.0), (e[a] - e[b], -1.0), (e[b] - e[a], -1.0), (-e[a] - e[b], 1.0)]
            total = sum(sign * objective.value(found.theta + shift) for shift, sign in corners)
            hessian[a, b] = total / (4.0 * step**2)
    np.testing.assert_allclose(
        np.sqrt(np.diag(np.linalg.inv(-found.hessian))), np.sqrt(np.diag(np.linalg.inv(-hessian))), rtol=1e-5
    )


# Groups by term and effects in each; groups of one piece lie in no other.
SYSTEMS = (
    ("one term", ((5, 1),), 1),
    ("two terms", ((5, 1), (7, 1)), 1),
    ("several effects", ((5, 2), (7, 1), (4, 3)), 1),
    ("several pieces", ((5, 1), (7, 2), (4, 3)), 6),
    ("large pieces", ((60, 2), (20, 2), (15, 1)), 3),
)


def rows_of(codes: list[Index], q: list[int], rng: np.random.Generator) -> Rows:
    n = len(codes[0])
    levels = tuple(
        Level(numbered(c), np.hstack([np.ones((n, 1)), rng.normal(size=(n, k - 1))]), independent(k))
        for c, k in zip(codes, q, strict=True)
    )
    everything = (None,) * len(levels)
    problem = CrossedProblem(
        families.PoissonLog(), np.zeros(n), np.zeros((n, 1)), None, 1.0, levels, within=everything
    )
    return Rows(problem)


def check_system(rows: Rows, rng: np.random.Generator) -> system.System:
    """Factor, solve and invert, against a dense matrix."""
    weight = rng.uniform(0.5, 2.0, rows.n)
    columns = []
    for term in rows.terms:
        z = np.zeros((rows.n, term.size, term.q))
        for a, values in enumerate(term.z):
            z[np.arange(rows.n), term.code, a] = 1.0 if values is None else values
        columns.append(z.reshape(rows.n, -1))
    joint = np.hstack(columns)
    dense = np.eye(joint.shape[1]) + joint.T @ (weight[:, None] * joint)
    ours = system.System(rows)
    factored = ours.factor(rows.curvature(weight))
    assert factored.log_det == pytest.approx(np.linalg.slogdet(dense)[1], rel=1e-12)
    for rhs in (rng.normal(size=rows.n_columns), rng.normal(size=(rows.n_columns, 3))):
        np.testing.assert_allclose(dense @ ours.solve(factored, rhs), rhs, atol=1e-10)
    by_row = ours.factor_weighted(ours.row_places(rows), rows.z, weight)
    assert by_row.log_det == pytest.approx(factored.log_det, rel=1e-13)
    inverse, inverted = np.linalg.inv(dense), ours.blocks(ours.invert(factored))
    offsets = np.cumsum([0] + [term.size * term.q for term in rows.terms])
    places = [
        offsets[t] + np.arange(term.size)[:, None] * term.q + np.arange(term.q)
        for t, term in enumerate(rows.terms)
    ]
    for t, at in enumerate(places):
        np.testing.assert_allclose(inverted.own[t], inverse[at[:, :, None], at[:, None, :]], atol=1e-11)
    for (t, u), link in rows.links.items():
        left, right = places[t][link.first], places[u][link.second]
        expected = inverse[left[:, :, None], right[:, None, :]]
        np.testing.assert_allclose(inverted.shared[t, u], expected, atol=1e-11)
    return ours


@pytest.mark.parametrize("listed", [True, False], ids=["pairs", "dense rows"])
@pytest.mark.parametrize(("specification", "pieces"), [s[1:] for s in SYSTEMS], ids=[s[0] for s in SYSTEMS])
def test_the_system(
    specification: tuple[tuple[int, int], ...], pieces: int, listed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not listed:
        monkeypatch.setattr(elimination, "_DENSE_WORK", np.inf)
        monkeypatch.setattr(elimination, "_CHUNK", 500)
    rng = np.random.default_rng(3)
    piece = rng.integers(0, pieces, 900)
    codes = [numbered(piece * 1000 + rng.integers(0, m, 900)) for m, _ in specification]
    check_system(rows_of(codes, [q for _, q in specification], rng), rng)


@pytest.mark.parametrize(("chain", "q"), [(False, (1, 1, 1)), (False, (1, 2, 2)), (True, (1, 1, 2))])
def test_nested_terms_are_eliminated_one_after_another(
    chain: bool, q: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "_FEW_COLUMNS", 0)
    rng = np.random.default_rng(8)
    low = rng.integers(0, 60, 400)
    middle = rng.integers(0, 20, 60)[low]
    high = rng.integers(0, 5, 20)[middle] if chain else rng.integers(0, 7, 400)
    ours = check_system(rows_of([high, middle, low], list(q), rng), rng)
    rest = ours._matrix._rest
    assert isinstance(rest, elimination.Elimination)
    inner = rest._rest
    left = inner._rest if chain and isinstance(inner, elimination.Elimination) else inner
    assert isinstance(left, Pieces)
    assert len(left.columns) == (0 if chain else 7 * q[0])


def test_pieces_are_found() -> None:
    rng = np.random.default_rng(2)
    piece = rng.integers(0, 12, 600)
    codes = [numbered(piece * 1000 + rng.integers(0, m, 600)) for m in (9, 4)]
    rest = system.System(rows_of(codes, [1, 1], rng))._matrix._rest
    assert isinstance(rest, Pieces)
    assert len(rest.size) == 12
    assert rest.length < 48**2 / 10


def test_dimensions_of_quadrature() -> None:
    rng = np.random.default_rng(1)
    for kind, expected in (("two factors", 7), ("three factors", 16), ("slope", 8), ("within groups", 9)):
        levels, within = design(kind, rng)
        problem = CrossedProblem(
            families.PoissonLog(), np.ones(N), np.ones((N, 1)), None, 1.0, levels, within=within
        )
        assert dimensions(problem) == expected
        structure = nested_problem(problem).structure
        assert structure is not None
        assert structure.q == expected
        assert structure.size == problem.n_omega
