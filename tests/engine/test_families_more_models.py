"""Gamma, negative binomial and ordinal models: starts, models without random effects, two levels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats
from statsmodels.discrete.discrete_model import NegativeBinomial
from statsmodels.miscmodels.ordinal_model import OrderedModel

from memagic.engine.covariance import independent, unstructured
from memagic.engine.families import (
    Family,
    GammaLog,
    NegativeBinomialConstant,
    NegativeBinomialMean,
    OrdinalCloglog,
    OrdinalLogit,
    OrdinalProbit,
)
from memagic.engine.fit import Settings, fit, make_objective
from memagic.engine.maximize import Maximum, Stopping, maximize
from memagic.engine.nodes import Method
from memagic.engine.plain import PlainObjective, plain_start
from memagic.engine.problem import Level, Problem

Array = NDArray[np.float64]

TESTS = Path(__file__).resolve().parents[1]
SHARED = TESTS.parents[1] / "shared" / "data"
ORDINAL = (OrdinalLogit, OrdinalProbit, OrdinalCloglog)


def read_tvsfpors() -> tuple[pd.DataFrame, Array, Array]:
    """The data, x and y; skips where the data are not there."""
    path = SHARED / "tvsfpors.csv"
    if not path.is_file():
        pytest.skip("tvsfpors.csv may not be shipped, and ../shared/data does not have it")
    data = pd.read_csv(path)
    x = np.column_stack([data.prethk, data.cc, data.tv, data.cc * data.tv]).astype(float)
    return data, x, np.unique(data.thk, return_inverse=True)[1].astype(float)


def intercept(group: pd.Series) -> Level:
    """A random intercept by group."""
    return Level(np.unique(group, return_inverse=True)[1], np.ones((len(group), 1)), independent(1))


def maximize_plain(problem: Problem) -> Maximum:
    return maximize(PlainObjective(problem), plain_start(problem), Stopping(), lambda event: None)


class TestPlainModel:
    @pytest.fixture
    def x(self) -> Array:
        rng = np.random.default_rng(11)
        return np.column_stack([rng.normal(size=400), rng.integers(0, 2, 400), np.ones(400)])

    def test_tvsfpors_log(self) -> None:
        _, x, y = read_tvsfpors()
        maximum = maximize_plain(Problem(OrdinalLogit(4), y, x))
        assert maximum.converged
        printed = ["-2212.7750", "-2125.5090", "-2125.1034", "-2125.1032"]
        assert [f"{value:.4f}" for value in maximum.log] == printed

    @pytest.mark.parametrize(("family", "distribution"), [(OrdinalLogit, "logit"), (OrdinalProbit, "probit")])
    def test_ordinal_against_statsmodels(self, x: Array, family: Any, distribution: str) -> None:
        rng = np.random.default_rng(3)
        latent = x[:, :2] @ [0.8, -0.5] + rng.logistic(size=400)
        y = np.searchsorted([-1.0, 0.5, 2.0], latent).astype(float)
        maximum = maximize_plain(Problem(family(4), y, x[:, :2]))
        model = OrderedModel(y, x[:, :2], distr=distribution)
        result = model.fit(method="bfgs", disp=0, gtol=1e-8)
        assert maximum.evaluation.value == pytest.approx(result.llf, rel=1e-10)
        np.testing.assert_allclose(maximum.theta[:2], result.params[:2], rtol=1e-5)
        cuts = model.transform_threshold_params(result.params)[1:-1]
        np.testing.assert_allclose(maximum.theta[2:], cuts, rtol=1e-5)

    @pytest.mark.parametrize("family", ORDINAL)
    def test_ordinal_offset_moves_cutpoints(self, x: Array, family: Any) -> None:
        y = np.random.default_rng(5).integers(0, 3, 400).astype(float)
        bare = maximize_plain(Problem(family(3), y, x[:, :2]))
        shifted = maximize_plain(Problem(family(3), y, x[:, :2], offset=np.full(400, 2.5)))
        np.testing.assert_allclose(shifted.theta[:2], bare.theta[:2], rtol=1e-7)
        np.testing.assert_allclose(shifted.theta[2:], bare.theta[2:] + 2.5, rtol=1e-7)
        assert shifted.log[0] == pytest.approx(bare.log[0], rel=1e-12)

    @pytest.mark.parametrize(
        ("family", "kind"), [(NegativeBinomialMean(), "nb2"), (NegativeBinomialConstant(), "nb1")]
    )
    def test_nbinomial_against_statsmodels(self, x: Array, family: Family, kind: str) -> None:
        mean = np.exp(x @ [0.4, -0.3, 1.0])
        y = np.random.default_rng(9).negative_binomial(1.5, 1.5 / (1.5 + mean)).astype(float)
        maximum = maximize_plain(Problem(family, y, x))
        model = NegativeBinomial(y, x, loglike_method=kind)
        # Before its own fit the model takes the log of the dispersion, as here.
        assert maximum.evaluation.value == pytest.approx(model.loglike(maximum.theta), rel=1e-11)
        np.testing.assert_allclose(model.score(maximum.theta), 0.0, atol=1e-5)

    def test_gamma_against_statsmodels(self, x: Array) -> None:
        mean = np.exp(x @ [0.4, -0.3, 1.0])
        y = np.random.default_rng(13).gamma(2.0, mean / 2.0)
        maximum = maximize_plain(Problem(GammaLog(), y, x))
        result = sm.GLM(y, x, family=sm.families.Gamma(sm.families.links.Log())).fit(tol=1e-12)
        np.testing.assert_allclose(maximum.theta[:3], result.params, rtol=1e-7)
        shape = np.exp(-2.0 * maximum.theta[3])
        expected = stats.gamma.logpdf(y, shape, scale=result.fittedvalues / shape).sum()
        assert maximum.evaluation.value == pytest.approx(expected, rel=1e-10)


@dataclass(frozen=True)
class Model:
    """A model of `values.json` by the columns of its data."""

    family: Family
    data: str
    y: str
    x: list[str]
    group: str
    offset: str | None = None
    method: Method = "mvaghermite"

    def problem(self) -> Problem:
        data = pd.read_csv(TESTS / "reference" / "data" / f"{self.data}.csv")
        y, columns = data[self.y].to_numpy(dtype=float), [data[name].to_numpy(dtype=float) for name in self.x]
        if isinstance(self.family, ORDINAL):
            y = np.unique(y, return_inverse=True)[1].astype(float)
        else:
            columns.append(np.ones(len(data)))
        return Problem(
            self.family,
            y,
            np.column_stack(columns),
            offset=None if self.offset is None else data[self.offset].to_numpy(dtype=float),
            levels=(intercept(data[self.group]),),
        )


EPIL = ("epil", "seizures", ["treat", "lage", "v4"], "subject", "lbas")
WINE = ("wine", "rating", ["warm", "contact"], "judge")
MODELS = {
    "epil-nbinomial-mean": Model(NegativeBinomialMean(), *EPIL),
    "epil-nbinomial-constant": Model(NegativeBinomialConstant(), *EPIL),
    "epil-laplace-nbinomial": Model(NegativeBinomialMean(), *EPIL, method="laplace"),
    "positive-gamma": Model(GammaLog(), "positive", "waiting", ["x"], "g"),
    "wine-ordinal-logit": Model(OrdinalLogit(5), *WINE),
    "wine-ordinal-probit": Model(OrdinalProbit(5), *WINE),
}


class TestTwoLevels:
    @pytest.mark.parametrize("name", MODELS)
    def test_agrees_with_r(self, name: str) -> None:
        models = json.loads((TESTS / "reference" / "values.json").read_text(encoding="utf-8"))["models"]
        expected = next(model for model in models if model["id"] == name)
        model = MODELS[name]
        problem = model.problem()
        result = fit(problem, Settings(method=model.method, n_points=25))
        assert result.converged
        assert result.log_likelihood == pytest.approx(expected["ll"], rel=1e-9)
        # The file has the variance last.
        p = problem.p
        order = [*range(p), *range(p + 1, len(result.estimates)), p]
        se = np.sqrt(np.diag(result.covariance))[order]
        params, expected_se = (np.array(list(expected[key].values())) for key in ("params", "se"))
        assert len(params) == len(order)
        np.testing.assert_array_less(np.abs(result.estimates[order] - params), 1e-6 * expected_se)
        np.testing.assert_allclose(se, expected_se, rtol=1e-6)

    @pytest.mark.parametrize(("n_points", "expected"), [(7, -624.82478687), (25, -624.82478489)])
    def test_seizures(self, n_points: int, expected: float) -> None:
        data = pd.read_csv(TESTS / "reference" / "data" / "epil.csv")
        data["both"] = data.lbas * data.treat
        x = np.column_stack(
            [data[["treat", "lbas", "both", "lage", "v4"]].to_numpy(dtype=float), np.ones(len(data))]
        )
        problem = Problem(
            NegativeBinomialMean(),
            data.seizures.to_numpy(dtype=float),
            x,
            levels=(intercept(data.subject),),
        )
        result = fit(problem, Settings(n_points=n_points))
        # The reference takes modes and curvature with seven points: the same to six digits.
        assert result.log_likelihood == pytest.approx(
            expected, abs=1e-9 if n_points == 25 else 1e-5, rel=1e-11
        )
        assert result.estimates[4] == pytest.approx(-0.1172417, abs=1e-6)
        assert result.estimates[-1] == pytest.approx(-2.0019604, abs=1e-5)

    @pytest.mark.parametrize(
        ("family", "ll", "estimates"),
        [
            (
                OrdinalLogit,
                -2119.7427656,
                [0.4032892, 0.9237907, 0.2749939, -0.4659262, 0.0735117, -0.0884493, 1.153364, 2.3319497],
            ),
            (
                OrdinalProbit,
                -2121.771523,
                [0.2369804, 0.5490957, 0.1695406, -0.2951837, 0.0288527, -0.0682011, 0.67681, 1.3906495],
            ),
        ],
    )
    def test_tvsfpors(self, family: Any, ll: float, estimates: list[float]) -> None:
        data, x, y = read_tvsfpors()
        problem = Problem(family(4), y, x, levels=(intercept(data.school),))
        result = fit(problem, Settings())
        assert result.log_likelihood == pytest.approx(ll, abs=1e-6)
        np.testing.assert_allclose(result.estimates, estimates, atol=2e-7)

    def test_three_levels(self) -> None:
        # Printed in the manual, [ME] meglm.
        data, x, y = read_tvsfpors()
        classes = data.groupby("school")["class"].transform(lambda c: pd.factorize(c)[0])
        levels = (
            intercept(data.school),
            Level(classes.to_numpy(dtype=np.intp), np.ones((len(y), 1)), independent(1)),
        )
        result = fit(Problem(OrdinalLogit(4), y, x, levels=levels), Settings())
        assert result.log_likelihood == pytest.approx(-2114.5881, abs=5e-5)
        printed = [0.4085273, 0.8844369, 0.236448, -0.3717699, 0.0448735, 0.1482157]
        np.testing.assert_allclose(result.estimates, [*printed, -0.0959459, 1.177478, 2.383672], atol=2e-6)

    @pytest.mark.parametrize("family", [f(5) for f in ORDINAL], ids=lambda f: type(f).__name__)
    @pytest.mark.parametrize("method", ["mvaghermite", "mcaghermite", "laplace"])
    def test_crossed_cutpoints_are_turned_down(self, family: Family, method: Method) -> None:
        # As a trial step may have them; with two random effects, whose moments are matrices.
        model = Model(family, *WINE).problem()
        judges = model.levels[0].cluster
        problem = Problem(
            family,
            model.y,
            model.x,
            levels=(Level(judges, np.column_stack([model.x[:, 0], np.ones(len(model.y))]), unstructured(2)),),
        )
        objective = make_objective(problem, Settings(method=method))
        theta = np.r_[1.0, 0.5, unstructured(2).start, -1.0, 1.0, 0.5, 2.0]
        with np.errstate(invalid="ignore", divide="ignore"):
            assert not objective.value(theta) > -np.inf
