"""Crossed effects through the front door: spellings, sizes, what is the same and what is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit

import memagic
from memagic.errors import CommandError
from memagic.results import MEResults

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def crossed() -> pd.DataFrame:
    """Binary, count, ordinal and continuous responses in 12 by 15 groups, in 6 areas."""
    rng = np.random.default_rng(11)
    n = 500
    frame = pd.DataFrame(
        {name: rng.integers(0, size, n) for name, size in (("g", 6), ("a", 12), ("b", 15))}
        | {"x": rng.normal(size=n)}
    )
    u, v = rng.normal(scale=0.8, size=12), rng.normal(scale=0.9, size=15)
    slope = 0.5 + rng.normal(scale=0.4, size=6)[frame["g"]]
    eta = 0.3 + slope * frame["x"].to_numpy() + u[frame["a"]] + v[frame["b"]]
    return frame.assign(
        y=(rng.random(n) < expit(eta)).astype(int),
        count=rng.poisson(np.exp(0.5 * eta) * rng.gamma(2.0, 0.5, n)),
        level=np.digitize(eta + rng.logistic(size=n), [-1.0, 1.0]),
        score=eta + rng.normal(size=n),
    )


def same(one: MEResults, other: MEResults, order: list[int]) -> None:
    """Equal results, the parameters of the other in the given order."""
    assert one.converged
    assert other.converged
    assert other.llf == pytest.approx(one.llf, abs=1e-8)
    np.testing.assert_allclose(other.params, one.params.iloc[order], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(other.bse, one.bse.iloc[order], rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "order"),
    [
        ("melogit y x", [0, 1, 3, 2]),
        ("meprobit y x", [0, 1, 3, 2]),
        ("meologit level x", [0, 1, 2, 4, 3]),
        ("mepoisson count x", [0, 1, 3, 2]),
        ("menbreg count x", [0, 1, 2, 4, 3]),
        ("meglm score x", [0, 1, 3, 2, 4]),
    ],
)
def test_spellings(model: str, order: list[int], crossed: pd.DataFrame) -> None:
    one = memagic.run(f"{model} || _all: R.a || b:", data=crossed)
    place = list(range(len(order)))
    same(one, memagic.run(f"{model} || _all: R.a || _all: R.b", data=crossed), place)
    same(one, memagic.run(f"{model} || _all: R.b || _all: R.a", data=crossed), order)
    same(one, memagic.run(f"{model} || _all: R.b || a:", data=crossed), order)


def test_rows_and_labels_do_not_matter(crossed: pd.DataFrame) -> None:
    one = memagic.run("melogit y x || _all: R.a || b: x", data=crossed)
    rng = np.random.default_rng(2)
    mixed = crossed.iloc[rng.permutation(len(crossed))]
    mixed = mixed.assign(a=rng.permutation(12)[mixed["a"]] * 7.5, b=[f"school {k}" for k in mixed["b"]])
    same(one, memagic.run("melogit y x || _all: R.a || b: x", data=mixed), list(range(5)))


@pytest.mark.parametrize("model", ["melogit y x", "mepoisson count x", "meologit level x", "meglm score x"])
def test_factors_that_are_nested_in_truth(model: str, crossed: pd.DataFrame) -> None:
    nested = crossed.assign(c=crossed["a"] * 100 + crossed["b"] // 3)
    one = memagic.run(f"{model} || a: || c:, intmethod(laplace)", data=nested)
    other = memagic.run(f"{model} || _all: R.a || _all: R.c", data=nested)
    same(one, other, list(range(len(one.params))))


def test_factors_within_groups(crossed: pd.DataFrame) -> None:
    # A factor crossed within areas is the factor of all pairs of area and value.
    pairs = crossed.assign(ga=crossed["g"] * 100 + crossed["a"], gb=crossed["g"] * 100 + crossed["b"])
    one = memagic.run("melogit y x || g: R.a || b:", data=pairs)
    other = memagic.run("melogit y x || _all: R.ga || gb:", data=pairs)
    same(one, other, list(range(4)))
    assert list(one.params.index) == ["x", "_cons", "/var(_cons[g>a])", "/var(_cons[g>b])"]


def test_factors_and_coefficients_at_one_level(crossed: pd.DataFrame) -> None:
    one = memagic.run("meglm score x || g: R.a || g: x, noconstant || b:", data=crossed)
    other = memagic.run("meglm score x || g: x, noconstant || g: R.a || g: R.b", data=crossed)
    same(one, other, [0, 1, 3, 2, 4, 5])


def test_thousands_of_values() -> None:
    rng = np.random.default_rng(4)
    n = 6_000
    frame = pd.DataFrame(
        {"a": rng.integers(0, 1500, n), "b": rng.integers(0, 1200, n), "x": rng.normal(size=n)}
    )
    eta = (
        0.5 * frame["x"].to_numpy()
        + rng.normal(size=1500)[frame["a"]]
        + rng.normal(scale=0.7, size=1200)[frame["b"]]
    )
    frame["score"] = eta + rng.normal(size=n)
    result = memagic.run("meglm score x || _all: R.a || _all: R.b", data=frame)
    assert result.converged
    truth = np.array([0.5, 0.0, 1.0, 0.49, 1.0])
    assert (np.abs(result.params.to_numpy() - truth) < 4.0 * result.bse.to_numpy()).all()
    assert (result.bse < 0.1).all()


def test_a_factor_without_any_variance(crossed: pd.DataFrame) -> None:
    # Balanced against the response: nothing of it is left between the values.
    order = np.lexsort((crossed["score"], crossed["b"]))
    idle = np.empty(len(crossed), dtype=int)
    idle[order] = np.arange(len(crossed)) % 10
    data = crossed.assign(idle=idle)
    one = memagic.run("meglm score x || b:", data=data)
    other = memagic.run("meglm score x || _all: R.idle || b:", data=data)
    assert other.llf == pytest.approx(one.llf, abs=1e-7)
    assert other.params["/var(_cons[_all>idle])"] == pytest.approx(0.0, abs=1e-8)
    np.testing.assert_allclose(other.params.iloc[[0, 1, 3, 4]], one.params, rtol=1e-5)


def test_quadrature_of_few_values(crossed: pd.DataFrame) -> None:
    # Two values crossed with the groups: against a product of Gauss-Hermite rules with fixed nodes.
    data = crossed.assign(two=crossed["a"] % 2)
    result = memagic.run("melogit y x || _all: R.two || b:, intmethod(mvaghermite) intpoints(15)", data=data)
    said = "note: 15 points in each of 3 dimensions make 3,375 nodes an observation."
    assert said in result.to_text(log=True)
    beta, cons, first, second = result.params
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    log_weight = np.log(weight / np.sqrt(2.0 * np.pi))
    eta = (beta * data["x"] + cons).to_numpy()
    y, two, b = (data[name].to_numpy() for name in ("y", "two", "b"))
    total = np.empty((60, 60))
    for i in range(60):
        for j in range(60):
            shifted = eta + np.sqrt(first) * node[np.where(two == 0, i, j)]
            at_nodes = shifted[:, None] + np.sqrt(second) * node
            logf = np.where(y[:, None] == 1, -np.logaddexp(0, -at_nodes), -np.logaddexp(0, at_nodes))
            by_group = np.stack([np.bincount(b, column) for column in logf.T], axis=1)
            total[i, j] = np.logaddexp.reduce(by_group + log_weight, axis=1).sum()
    expected = np.logaddexp.reduce((total + log_weight[:, None] + log_weight).ravel())
    assert result.llf == pytest.approx(expected, abs=1e-5)


def test_quadrature_of_many_values_is_turned_down(crossed: pd.DataFrame) -> None:
    with pytest.raises(CommandError, match="7 points in each of 13 dimensions") as caught:
        memagic.run("melogit y x || _all: R.a || b:, intmethod(mvaghermite)", data=crossed)
    assert caught.value.rc == 198


def test_constraints_and_starting_values(crossed: pd.DataFrame) -> None:
    session = memagic.Session(data=crossed)
    free = session.run("melogit y x || _all: R.a || b:")
    session.run("constraint 1 _b[/var(_cons[_all>a])] = _b[/var(_cons[b])]")
    equal = session.run("melogit y x || _all: R.a || b:, constraints(1)")
    assert equal.params.iloc[2] == pytest.approx(equal.params.iloc[3], rel=1e-10)
    assert equal.llf < free.llf
    other = session.run("melogit y x || _all: R.a || b:, startvalues(iv) startgrid")
    np.testing.assert_allclose(other.params, free.params, rtol=1e-6)


@pytest.mark.parametrize("technique", ["bfgs", "dfp", "nr 2 bfgs 3"])
def test_techniques(technique: str, crossed: pd.DataFrame) -> None:
    command = "mepoisson count x || _all: R.a || b:"
    one = memagic.run(command, data=crossed)
    other = memagic.run(f"{command}, technique({technique})", data=crossed)
    assert other.converged
    np.testing.assert_allclose(other.params, one.params, rtol=1e-5)


def test_numerical_derivatives(crossed: pd.DataFrame) -> None:
    one = memagic.run("melogit y x || _all: R.a || b:", data=crossed)
    other = memagic.run("melogit y x || _all: R.a || b:, dnumerical", data=crossed)
    np.testing.assert_allclose(other.params, one.params, rtol=1e-4)
    np.testing.assert_allclose(other.bse, one.bse, rtol=1e-3)


def test_too_many_values_to_hold() -> None:
    rng = np.random.default_rng(3)
    n = 130_000
    codes = {name: rng.permutation(np.arange(n) % 25_000) for name in ("a", "b")}
    frame = pd.DataFrame(codes | {"y": rng.integers(0, 2, n)})
    with pytest.raises(CommandError, match="insufficient memory") as caught:
        memagic.run("melogit y || _all: R.a || b:", data=frame)
    assert caught.value.rc == 950
    assert "25,000" in str(caught.value.hint)


def test_modes_by_value(crossed: pd.DataFrame) -> None:
    # Nested in truth: the modes of the nested model, and their standard errors.
    nested = crossed.assign(c=crossed["a"] * 100 + crossed["b"] // 3)
    one = memagic.run("melogit y x || a: || c:, intmethod(laplace)", data=nested).empirical_bayes("ebmodes")
    other = memagic.run("melogit y x || _all: R.a || _all: R.c", data=nested).empirical_bayes("ebmodes")
    for left, right in (("a", "_all>a"), ("a>c", "_all>c")):
        ours, theirs = other.level(right), one.level(left)
        np.testing.assert_array_equal(ours.keys[-1][1], theirs.keys[-1][1])
        np.testing.assert_allclose(ours.value, theirs.value, atol=1e-6)
        np.testing.assert_allclose(ours.se, theirs.se, rtol=1e-5)


def test_means_by_quadrature(crossed: pd.DataFrame) -> None:
    data = crossed.assign(two=crossed["a"] % 2)
    command = "melogit y x || _all: R.two || b:, intmethod(mvaghermite) intpoints(15)"
    means = memagic.run(command, data=data).empirical_bayes("ebmeans")
    modes = memagic.run(command, data=data).empirical_bayes("ebmodes")
    for level in ("_all>two", "b"):
        one, other = means.level(level), modes.level(level)
        assert one.value.shape == other.value.shape
        # Means and modes of nearly normal posteriors.
        np.testing.assert_allclose(one.value, other.value, atol=0.15)


def test_weights_are_turned_down(crossed: pd.DataFrame) -> None:
    data = crossed.assign(w=1.0 + crossed["g"])
    with pytest.raises(CommandError, match="weights are not supported for crossed models") as caught:
        memagic.run("melogit y x [pw=w] || _all: R.a || b:", data=data)
    assert caught.value.rc == 198
