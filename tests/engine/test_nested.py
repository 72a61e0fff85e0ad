"""Nested levels: derivatives, what must be equal, and the way through the front door."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit

import memagic
from memagic.engine import blocks as blocks_module
from memagic.engine.covariance import block_diagonal, independent, unstructured
from memagic.engine.fit import Settings, fit, make_objective
from memagic.engine.laplace import LaplaceObjective
from memagic.engine.nodes import Method
from memagic.engine.objective import Objective
from memagic.engine.problem import Level, Problem
from memagic.engine.quadrature import QuadratureObjective, evaluate_block, value_block
from memagic.results import MEResults

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Effects = tuple[tuple[str, int], ...]
Maker = Callable[..., tuple[Problem, Array]]

MANUAL = Path(__file__).resolve().parents[1] / "reference" / "manual_examples.json"

# By level, highest first: structure and number of effects.
EFFECTS: tuple[Effects, ...] = (
    (("independent", 1), ("independent", 1)),
    (("unstructured", 2), ("exchangeable", 2)),
    (("identity", 2), ("unstructured", 3)),
    (("independent", 2), ("unstructured", 2), ("identity", 2)),
    (("independent", 1), ("exchangeable", 2), ("independent", 1)),
    (("unstructured", 2), ("independent", 1), ("identity", 1), ("exchangeable", 2)),
)
LABELS = ["-".join(f"{structure[:3]}{q}" for structure, q in effects) for effects in EFFECTS]
FAMILIES = ("bernoulli-logit", "binomial-probit", "binomial-cloglog", "poisson-log", "gaussian-log")
METHODS: tuple[Method, ...] = ("ghermite", "mcaghermite", "mvaghermite")
INTERCEPTS: Effects = (("independent", 1), ("independent", 1))


def differences(function: Callable[[Array], Array], theta: Array, step: float = 1e-5) -> Array:
    """Central differences of a function of theta; the last axis runs over theta."""
    columns = []
    for a in range(len(theta)):
        shift = np.zeros(len(theta))
        shift[a] = step
        columns.append((function(theta + shift) - function(theta - shift)) / (2.0 * step))
    return np.stack(columns, axis=-1)


def close(ours: Array, theirs: Array, tolerance: float) -> None:
    """Differences to a tolerance on the scale of the largest element."""
    assert np.isfinite(ours).all()
    assert np.abs(ours - theirs).max() < tolerance * (1.0 + np.abs(theirs).max())


# --- derivatives --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("effects", EFFECTS, ids=LABELS)
@pytest.mark.parametrize("family", FAMILIES)
def test_quadrature_with_nodes_held(family: str, effects: Effects, method: Method, nested: Maker) -> None:
    problem, theta = nested(family, effects)
    # With nodes held the identities are exact for any rule: in six dimensions two points do.
    n_points = 3 if sum(q for _, q in effects) < 6 else 2
    objective = QuadratureObjective(problem, method, n_points)
    blocks = list(zip(objective.blocks, objective.place(theta), strict=True))
    rule = objective.rule

    def values(at: Array) -> Array:
        parts = [value_block(problem, block, rule, held, problem.unpack(at)) for block, held in blocks]
        return np.concatenate(parts)

    def gradient(at: Array) -> Array:
        parts = [evaluate_block(problem, block, rule, held, problem.unpack(at)) for block, held in blocks]
        return np.asarray(np.concatenate([part.scores for part in parts]).sum(axis=0))

    here = objective.evaluate(theta)
    # Central differences with a step of 1e-5: truncation and rounding are each some 1e-10 of the values.
    close(here.scores, differences(values, theta), 1e-6)
    close(here.hessian, differences(gradient, theta), 1e-6)
    close(here.hessian, here.hessian.T, 1e-13)
    constant = float(problem.family.constant(problem.y, problem.trials).sum())
    assert here.value == pytest.approx(values(theta).sum() + constant, rel=1e-12)
    assert objective.value(theta) == pytest.approx(here.value, rel=1e-10)


@pytest.mark.parametrize("effects", EFFECTS, ids=LABELS)
@pytest.mark.parametrize("family", [*FAMILIES, "gaussian-identity"])
def test_laplace(family: str, effects: Effects, nested: Maker) -> None:
    problem, theta = nested(family, effects)
    objective = LaplaceObjective(problem)
    here = objective.evaluate(theta)
    # The modes are found to some 1e-13, which a step of 1e-5 makes 1e-8.
    close(here.gradient, differences(lambda at: np.array(objective.value(at)), theta), 1e-6)
    # The Hessian is itself a difference of scores; this is one with another step.
    close(here.hessian, differences(lambda at: objective.scores(at)[1].sum(axis=0), theta, 1e-4), 1e-5)
    assert objective.value(theta) == pytest.approx(here.value, rel=1e-12)


def one_top_group(problem: Problem, j: int) -> Problem:
    """The rows of top-level group j as a problem of their own; lower codes keep their gaps."""
    assert problem.offset is not None
    rows = problem.levels[0].cluster == j
    trials = problem.trials if isinstance(problem.trials, float) else problem.trials[rows]
    levels = [Level(level.cluster[rows], level.z[rows], level.structure) for level in problem.levels]
    levels[0] = replace(levels[0], cluster=np.zeros(int(rows.sum()), dtype=np.intp))
    return replace(
        problem,
        y=problem.y[rows],
        x=problem.x[rows],
        offset=problem.offset[rows],
        trials=trials,
        levels=tuple(levels),
    )


def quadrature(problem: Problem) -> Objective:
    return QuadratureObjective(problem, "mvaghermite", 3)


@pytest.mark.parametrize("effects", [EFFECTS[1], EFFECTS[4], EFFECTS[5]], ids=[LABELS[k] for k in (1, 4, 5)])
@pytest.mark.parametrize("objective", [quadrature, LaplaceObjective])
@pytest.mark.parametrize("family", ["binomial-probit", "gaussian-log"])
def test_a_top_group_scores_by_itself(
    family: str, objective: Callable[[Problem], Objective], effects: Effects, nested: Maker
) -> None:
    problem, theta = nested(family, effects)
    whole = objective(problem).evaluate(theta)
    alone = [objective(one_top_group(problem, j)).evaluate(theta) for j in range(problem.n_clusters)]
    # The adaptation stops for a block as a whole, at 1e-11 of its log likelihood.
    assert whole.value == pytest.approx(sum(part.value for part in alone), rel=1e-10)
    close(whole.scores, np.stack([part.gradient for part in alone]), 1e-7)
    close(whole.hessian, np.sum([part.hessian for part in alone], axis=0), 1e-6)


# --- brute force --------------------------------------------------------------------------------


def density(family: str, problem: Problem, row: int, eta: float, phi: Array) -> float:
    """F(y | eta) of one observation by scipy.stats."""
    y = float(problem.y[row])
    if family == "poisson-log":
        return float(stats.poisson.pmf(y, np.exp(eta)))
    if family == "gaussian-log":
        return float(stats.norm.pdf(y, np.exp(eta), np.exp(phi[0])))
    trials = problem.trials if isinstance(problem.trials, float) else float(problem.trials[row])
    success = float(stats.norm.cdf(eta)) if family.endswith("probit") else float(expit(eta))
    return float(stats.binom.pmf(y, trials, success))


def by_hand(family: str, problem: Problem, theta: Array, n_points: int) -> float:
    """Log L of a model with random intercepts at two levels, one integral within the other."""
    upper, lower = problem.levels
    parameters = problem.unpack(theta)
    first, second = parameters.omega
    fixed = problem.fixed_part(parameters.beta)
    points, weights = np.polynomial.hermite_e.hermegauss(n_points)
    weights = weights / weights.sum()
    total = 0.0
    for j in range(upper.n_clusters):
        marginal = 0.0
        for u, w in zip(points, weights, strict=True):
            product = 1.0
            for i in np.unique(lower.cluster[upper.cluster == j]):
                inner = 0.0
                for v, s in zip(points, weights, strict=True):
                    f = 1.0
                    for row in np.flatnonzero(lower.cluster == i).tolist():
                        f *= density(
                            family, problem, row, fixed[row] + first * u + second * v, parameters.phi
                        )
                    inner += s * f
                product *= inner
            marginal += w * product
        total += math.log(marginal)
    return total


@pytest.mark.parametrize("family", ["binomial-logit", "binomial-probit", "poisson-log", "gaussian-log"])
def test_two_integrals_one_within_the_other(family: str, nested: Maker) -> None:
    problem, theta = nested(family, INTERCEPTS, tree=((1, 2), (2,)))
    n_points = 41 if family == "binomial-logit" else 13
    exact = by_hand(family, problem, theta, n_points)
    # The same sum: only rounding differs.
    fixed = QuadratureObjective(problem, "ghermite", n_points)
    assert fixed.value(theta) == pytest.approx(exact, rel=1e-12)
    assert fixed.evaluate(theta).value == pytest.approx(exact, rel=1e-12)
    if n_points == 41:
        # Another rule for the same integral, which both have to nine digits.
        assert QuadratureObjective(problem, "mvaghermite", 25).value(theta) == pytest.approx(exact, rel=1e-9)
        assert QuadratureObjective(problem, "mcaghermite", 25).value(theta) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(
    ("family", "effects"),
    [
        ("binomial-logit", INTERCEPTS),
        ("poisson-log", INTERCEPTS),
        ("binomial-cloglog", INTERCEPTS),
        ("binomial-logit", (("independent", 1), ("unstructured", 2))),
        ("binomial-probit", (("unstructured", 2), ("independent", 1))),
        ("binomial-logit", (("independent", 1), ("independent", 1), ("independent", 1))),
    ],
)
def test_adaptive_and_fixed_nodes_agree(family: str, effects: Effects, nested: Maker) -> None:
    problem, theta = nested(family, effects)
    fixed = QuadratureObjective(problem, "ghermite", 31).evaluate(theta)
    adaptive = QuadratureObjective(problem, "mvaghermite", 15).evaluate(theta)
    curved = QuadratureObjective(problem, "mcaghermite", 15).evaluate(theta)
    # Both errors of these rules are below 1e-7 for posteriors as wide as these.
    assert adaptive.value == pytest.approx(fixed.value, rel=1e-7)
    assert curved.value == pytest.approx(fixed.value, rel=1e-7)
    # Derivatives of an integral to fewer digits than the integral itself.
    close(adaptive.scores, fixed.scores, 1e-5)
    close(adaptive.hessian, fixed.hessian, 1e-5)


def normal_density(problem: Problem, theta: Array) -> float:
    """The multivariate normal log density of each top-level group's responses."""
    parameters = problem.unpack(theta)
    mean = problem.fixed_part(parameters.beta)
    total, used = np.exp(2.0 * parameters.phi[0]) * np.eye(len(mean)), 0
    for level in problem.levels:
        omega = parameters.omega[used : used + level.structure.size]
        used += level.structure.size
        same = level.cluster[:, None] == level.cluster[None, :]
        total = total + same * (level.z @ level.structure.sigma(omega) @ level.z.T)
    return float(stats.multivariate_normal.logpdf(problem.y, mean, total))


@pytest.mark.parametrize("effects", EFFECTS, ids=LABELS)
def test_a_normal_response_is_multivariate_normal(effects: Effects, nested: Maker) -> None:
    problem, theta = nested("gaussian-identity", effects)
    exact = normal_density(problem, theta)
    objective = make_objective(problem, Settings())
    assert isinstance(objective, LaplaceObjective)
    here = objective.evaluate(theta)
    assert here.value == pytest.approx(exact, rel=1e-9)
    close(here.gradient, differences(lambda at: np.array(normal_density(problem, at)), theta), 1e-6)
    # The rule is exact for a normal posterior; of derivatives, polynomials of degree four, from three
    # points on. The moment updates stop at 1e-11 of the log likelihood.
    with_nodes = QuadratureObjective(problem, "mvaghermite", 3).evaluate(theta)
    assert with_nodes.value == pytest.approx(exact, rel=1e-9)
    close(with_nodes.scores, here.scores, 1e-6)
    close(with_nodes.hessian, here.hessian, 1e-6)


@pytest.mark.parametrize("effects", EFFECTS, ids=LABELS)
@pytest.mark.parametrize("family", FAMILIES)
def test_one_point_is_laplace(family: str, effects: Effects, nested: Maker) -> None:
    problem, theta = nested(family, effects)
    one_point = QuadratureObjective(problem, "mcaghermite", 1)
    assert one_point.value(theta) == pytest.approx(LaplaceObjective(problem).value(theta), rel=1e-12)
    assert isinstance(make_objective(problem, Settings("mcaghermite", 1)), LaplaceObjective)


# --- models that are each other's rewriting -----------------------------------------------------


@pytest.mark.parametrize("method", ["mvaghermite", "mcaghermite"])
@pytest.mark.parametrize("family", ["binomial-logit", "poisson-log", "binomial-cloglog"])
def test_a_level_that_adds_no_groups_adds_its_variance(family: str, method: Method, nested: Maker) -> None:
    problem, theta = nested(family, INTERCEPTS, tree=((3,), (1,), (5,), (2,), (4,)))
    upper = problem.levels[0]
    p = problem.p
    both = float(np.hypot(theta[p], theta[p + 1]))
    single = replace(problem, levels=(upper,))
    one = QuadratureObjective(single, method, 21).value(np.append(theta[:p], both))
    # Two rules for the same integral, one of them in two dimensions.
    assert QuadratureObjective(problem, method, 21).value(theta) == pytest.approx(one, rel=1e-8)


def test_a_level_that_adds_no_groups_to_a_normal_response(nested: Maker) -> None:
    problem, theta = nested("gaussian-identity", INTERCEPTS, tree=((3,), (1,), (5,), (2,), (4,)))
    p = problem.p
    both = np.array([*theta[:p], np.hypot(theta[p], theta[p + 1]), theta[-1]])
    single = make_objective(replace(problem, levels=problem.levels[:1]), Settings())
    assert LaplaceObjective(problem).value(theta) == pytest.approx(single.value(both), rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", ["binomial-logit", "poisson-log", "gaussian-log"])
def test_a_level_without_variance(family: str, method: Method, nested: Maker) -> None:
    problem, theta = nested(family, (("independent", 1), ("unstructured", 2)))
    upper, lower = problem.levels
    p = problem.p
    without_top, without_bottom = theta.copy(), theta.copy()
    without_top[p] = 0.0
    without_bottom[p + 1 : p + 4] = 0.0
    whole = QuadratureObjective(problem, method, 5)
    bottom = QuadratureObjective(replace(problem, levels=(lower,)), method, 5)
    top = QuadratureObjective(replace(problem, levels=(upper,)), method, 5)
    # With the prior's nodes the sums are the same; adapted ones differ by what the adaptation leaves.
    digits = 1e-13 if method == "ghermite" else 1e-10
    expected = bottom.value(np.delete(theta, p))
    assert whole.value(without_top) == pytest.approx(expected, rel=digits)
    expected = top.value(np.delete(theta, [p + 1, p + 2, p + 3]))
    assert whole.value(without_bottom) == pytest.approx(expected, rel=digits)


def test_laplace_of_a_level_without_variance(nested: Maker) -> None:
    problem, theta = nested("binomial-logit", (("independent", 1), ("unstructured", 2)))
    p = problem.p
    theta[p] = 0.0
    whole = LaplaceObjective(problem).evaluate(theta)
    part = LaplaceObjective(replace(problem, levels=problem.levels[1:])).evaluate(np.delete(theta, p))
    assert whole.value == pytest.approx(part.value, rel=1e-13)
    close(np.delete(whole.gradient, p), part.gradient, 1e-11)
    # The likelihood is even in a standard deviation.
    assert abs(whole.gradient[p]) < 1e-10


def relabelled(problem: Problem, rng: np.random.Generator, local: bool) -> tuple[Problem, Index]:
    """The same data with rows in another order and other codes, and the new codes of the top groups.

    Parameters
    ----------
    local : bool
        Lower codes begin anew within each group of the level above; else they are permuted.
    """
    assert problem.offset is not None
    rows = rng.permutation(len(problem.y))
    relabel = rng.permutation(problem.n_clusters)
    levels = []
    for k, level in enumerate(problem.levels):
        codes = level.cluster.copy()
        if k == 0:
            codes = relabel[codes]
        elif not local:
            codes = rng.permutation(level.n_clusters)[codes]
        else:
            above = problem.levels[k - 1].cluster
            for group in np.unique(above):
                inside = above == group
                codes[inside] = np.unique(codes[inside], return_inverse=True)[1]
        levels.append(Level(codes[rows], level.z[rows], level.structure))
    trials = problem.trials if isinstance(problem.trials, float) else problem.trials[rows]
    other = replace(
        problem,
        y=problem.y[rows],
        x=problem.x[rows],
        offset=problem.offset[rows],
        trials=trials,
        levels=tuple(levels),
    )
    return other, relabel


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("method", [*METHODS, "laplace"])
@pytest.mark.parametrize("effects", [EFFECTS[1], EFFECTS[4]], ids=[LABELS[1], LABELS[4]])
def test_order_and_labels_do_not_matter(effects: Effects, method: Method, local: bool, nested: Maker) -> None:
    problem, theta = nested("binomial-logit", effects)
    other, relabel = relabelled(problem, np.random.default_rng(3), local)
    settings = Settings(method, 3)
    here = make_objective(problem, settings).evaluate(theta)
    there = make_objective(other, settings).evaluate(theta)
    assert there.value == pytest.approx(here.value, rel=1e-10)
    close(there.scores[relabel], here.scores, 1e-10)
    # The Hessian of the approximation is a difference with a step of 6e-6.
    close(there.hessian, here.hessian, 1e-6 if method == "laplace" else 1e-10)


@pytest.mark.parametrize("elements", [1, 40, 200])
@pytest.mark.parametrize("method", [*METHODS, "laplace"])
@pytest.mark.parametrize("family", ["binomial-probit", "gaussian-log"])
def test_block_size_does_not_matter(
    family: str, method: Method, elements: int, nested: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, theta = nested(family, EFFECTS[4], tree=(((2, 1), (3,)), ((1, 4),), ((5,), (2,)), ((1,),)))
    settings = Settings(method, 3)
    whole = make_objective(problem, settings).evaluate(theta)
    monkeypatch.setattr(blocks_module, "_BLOCK_ELEMENTS", elements)
    if elements == 1:
        assert len(blocks_module.arrange(problem, 5)) == problem.n_clusters
    cut = make_objective(problem, settings).evaluate(theta)
    # The adaptation of the nodes stops for a block as a whole, at 1e-11 of its log likelihood.
    assert cut.value == pytest.approx(whole.value, rel=1e-10)
    close(cut.scores, whole.scores, 1e-7)
    close(cut.hessian, whole.hessian, 1e-6)


@pytest.mark.parametrize("method", [*METHODS, "laplace"])
def test_equations_of_one_level_are_a_covariance_of_zero(method: Method, nested: Maker) -> None:
    problem, theta = nested("binomial-logit", (("independent", 1), ("unstructured", 3)))
    upper, lower = problem.levels
    p = problem.p
    split = block_diagonal([unstructured(2), independent(1)])
    assert split.entries == ((0, 0), (1, 1), (2, 2), (1, 0))
    blocks = replace(problem, levels=(upper, replace(lower, structure=split)))
    omega = np.array([0.5, 0.6, -0.3, 0.7, 0.4])
    full = np.array([0.5, 0.6, -0.3, 0.0, 0.7, 0.0, 0.4])
    settings = Settings(method, 3)
    one = make_objective(blocks, settings).value(np.append(theta[:p], omega))
    other = make_objective(problem, settings).value(np.append(theta[:p], full))
    assert one == pytest.approx(other, rel=1e-13)


def test_the_stacked_structure_reports_by_level(nested: Maker) -> None:
    problem, theta = nested("poisson-log", (("unstructured", 2), ("exchangeable", 2)))
    kind = problem.structure
    assert kind is not None
    omega = problem.unpack(theta).omega
    upper, lower = (level.structure for level in problem.levels)
    first, second = upper.sigma(omega[: upper.size]), lower.sigma(omega[upper.size :])
    # Variances of both levels, then their covariances.
    expected = [first[0, 0], first[1, 1], second[0, 0], first[1, 0], second[1, 0]]
    assert kind.reported(omega) == pytest.approx(expected, rel=1e-14)
    close(kind.jacobian(omega), differences(kind.reported, omega), 1e-9)


# --- through the front door ---------------------------------------------------------------------


def same_fit(one: MEResults, other: MEResults) -> None:
    """Equal up to the order of summation: both are maximized to 1e-8 of a standard error or so."""
    assert other.llf == pytest.approx(one.llf, rel=1e-10)
    assert other.params.to_numpy() == pytest.approx(one.params.to_numpy(), rel=1e-6)
    assert other.bse.to_numpy() == pytest.approx(one.bse.to_numpy(), rel=1e-6)


@pytest.fixture(scope="module")
def classes(shared_data: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Students in classes in schools, with group variables in several codings."""
    frame = shared_data("tvsfpors").copy()
    frame["above"] = (frame["thk"] > 2).astype(int)
    within = frame.groupby("school")["class"].rank(method="dense").astype(int)
    frame["number"] = within
    frame["school_name"] = "school " + frame["school"].astype(str)
    frame["class_name"] = "class " + within.astype(str)
    return frame


@pytest.fixture(scope="module")
def by_class(classes: pd.DataFrame) -> MEResults:
    return memagic.run("melogit above prethk cc##tv || school: || class:", data=classes)


@pytest.mark.parametrize("groups", [("school", "number"), ("school_name", "class_name")])
def test_codes_of_lower_groups_may_begin_anew(
    groups: tuple[str, str], classes: pd.DataFrame, by_class: MEResults
) -> None:
    other = memagic.run(f"melogit above prethk cc##tv || {groups[0]}: || {groups[1]}:", data=classes)
    same_fit(by_class, other)
    assert list(other.params.index[-2:]) == [
        f"/var(_cons[{groups[0]}])",
        f"/var(_cons[{groups[0]}>{groups[1]}])",
    ]


def test_the_order_of_rows_does_not_matter(classes: pd.DataFrame, by_class: MEResults) -> None:
    shuffled = classes.sample(frac=1.0, random_state=np.random.default_rng(5))
    same_fit(by_class, memagic.run("melogit above prethk cc##tv || school: || class:", data=shuffled))


def test_the_table_of_groups(classes: pd.DataFrame, by_class: MEResults) -> None:
    examples: list[dict[str, Any]] = json.loads(MANUAL.read_text(encoding="utf-8"))["examples"]
    # The manual fits another response to the same groups.
    groups = next(example for example in examples if example["id"] == "meglm-3")["groups"]
    e = by_class.e
    assert e["ivars"] == "school class"
    assert e["N_g"].ravel().tolist() == [group["n"] for group in groups]
    assert e["g_min"].ravel().tolist() == [group["min"] for group in groups]
    assert e["g_max"].ravel().tolist() == [group["max"] for group in groups]
    assert np.round(e["g_avg"].ravel(), 1).tolist() == [group["avg"] for group in groups]
    rows = by_class.to_text().split("\n")
    for group in groups:
        row = next(line for line in rows if line.strip().startswith(f"{group['name']} |"))
        numbers = [float(cell.replace(",", "")) for cell in row.split("|")[1].split()]
        assert numbers == [group["n"], group["min"], group["avg"], group["max"]]
    counts = classes.groupby("school").size()
    assert (counts.min(), counts.max()) == (groups[0]["min"], groups[0]["max"])


def test_the_test_against_the_plain_model_has_two_degrees(by_class: MEResults, classes: pd.DataFrame) -> None:
    plain = memagic.run("melogit above prethk cc##tv", data=classes)
    assert by_class.e["ll_c"] == pytest.approx(plain.llf, rel=1e-12)
    assert by_class.e["chi2_c"] == pytest.approx(2.0 * (by_class.llf - plain.llf), rel=1e-9)
    assert by_class.e["df_c"] == 2


def pupils(seed: int = 4) -> pd.DataFrame:
    """Binary and normal responses of groups h in groups g; h begins anew in every g."""
    rng = np.random.default_rng(seed)
    g, h = np.repeat(np.arange(30), 20), np.tile(np.repeat(np.arange(4), 5), 30)
    x = rng.normal(size=600)
    eta = 0.5 * x - 0.2 + rng.normal(size=30)[g] * (0.7 + 0.5 * x) + 0.6 * rng.normal(size=120)[4 * g + h]
    return pd.DataFrame(
        {"g": g, "h": h, "x": x, "y": (rng.uniform(size=600) < expit(eta)).astype(int), "w": eta}
    ).assign(w=eta + rng.normal(size=600))


@pytest.mark.parametrize("command", ["melogit y x", "meglm w x", "melogit y x || g:"])
def test_equations_of_one_level_are_independent(command: str) -> None:
    group = "h" if "g:" in command else "g"
    together = memagic.run(f"{command} || {group}: x", data=pupils())
    apart = memagic.run(f"{command} || {group}: x, noconstant || {group}:", data=pupils())
    # The same arrays, and so the same numbers to the last bit.
    assert apart.llf == together.llf
    pd.testing.assert_series_equal(apart.params, together.params, check_exact=True)
    pd.testing.assert_series_equal(apart.bse, together.bse, check_exact=True)
    assert apart.e["N_g"].tolist() == together.e["N_g"].tolist()


@pytest.mark.parametrize("options", ["", "intmethod(laplace)", "intmethod(mcaghermite)"])
def test_a_top_level_variance_goes_to_zero(options: str) -> None:
    # In every top group two lower groups are high and two low: the means of the top groups are too even.
    rng = np.random.default_rng(2)
    g, h = np.repeat(np.arange(25), 24), np.tile(np.repeat(np.arange(4), 6), 25)
    high = np.array([0, 0, 0, 0, 0, 1]), np.array([0, 1, 1, 1, 1, 1])
    y = np.concatenate([high[k % 2] for k in range(100)])
    frame = pd.DataFrame({"g": g, "h": h, "y": y, "x": rng.normal(size=600)})
    frame["gh"] = 4 * frame["g"] + frame["h"]
    three = memagic.run(f"melogit y x || g: || h:, {options}", data=frame)
    two = memagic.run(f"melogit y x || gh:, {options}", data=frame)
    assert three.converged
    assert 0.0 <= three.params["/var(_cons[g])"] < 1e-6
    assert three.conf_int().loc["/var(_cons[g])"].isna().all()
    assert three.e["df_c"] == 1
    # Adapted nodes differ by their tolerance; a deviation of s changes estimates by a multiple of s^2.
    assert three.llf == pytest.approx(two.llf, abs=1e-7)
    names = ["x", "_cons", "/var(_cons[g>h])"]
    assert three.params[names].to_numpy() == pytest.approx(two.params.to_numpy(), rel=1e-5, abs=1e-6)
    assert three.bse[names].to_numpy() == pytest.approx(two.bse.to_numpy(), rel=1e-4)


def test_a_normal_response_is_maximized(nested: Maker) -> None:
    problem, _ = nested("gaussian-identity", EFFECTS[4], tree=(((4, 5), (6, 3, 4)), ((5, 4, 3),)) * 8, seed=6)
    fitted = fit(problem, Settings())
    assert fitted.converged
    assert fitted.log_likelihood == pytest.approx(normal_density(problem, fitted.theta), rel=1e-10)
    slope = differences(lambda at: np.array(normal_density(problem, at)), fitted.theta)
    # A step of 1e-5 in a log likelihood of some hundreds: 1e-8 of rounding.
    assert np.abs(slope).max() < 1e-4
    # An approximation that is exact does not depend on the method that is asked for.
    assert fit(problem, Settings("ghermite", 3)).log_likelihood == fitted.log_likelihood
