"""Estimates with numbers chosen by hand, and small fitted models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic.commands import estimate as estimation
from memagic.engine.events import Iteration, Listener
from memagic.engine.fit import Fit, Settings
from memagic.engine.problem import Problem
from memagic.results import MEResults
from memagic.results.estimates import Estimates


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    """Twelve groups of ten, responses of several kinds."""
    rng = np.random.default_rng(3)
    n = 120
    group = np.repeat(np.arange(12), 10)
    x, u = rng.normal(size=n), rng.normal(size=12)[group]
    z, slope = rng.normal(size=n), rng.normal(size=12)[group]
    eta = 0.3 + 0.5 * x + 0.7 * u
    data = pd.DataFrame(
        {
            "y": 2 + eta + 0.8 * slope * z + rng.normal(size=n),
            "win": (eta + rng.logistic(size=n) > 0).astype(int),
            "count": rng.poisson(np.exp(0.5 * eta)),
            "x": x,
            "z": z,
            "g": group,
            "sub": np.arange(n) % 10 // 4,
            "arm": rng.integers(0, 3, size=n),
            "sex": rng.integers(0, 2, size=n),
            "off": 0.1 * rng.normal(size=n),
            "expo": rng.uniform(1, 2, size=n),
            # The same four of ten in every group: less than chance would vary.
            "even": np.tile([0, 1, 0, 1, 0, 1, 0, 1, 0, 0], 12),
        }
    )
    data.attrs["value_labels"] = {"arm": {0: "placebo", 1: "low dose", 2: "high dose"}}
    return data


@pytest.fixture(scope="session")
def fit(frame: pd.DataFrame) -> Callable[[str], MEResults]:
    """The result of a command, fitted once."""

    @cache
    def run(command: str) -> MEResults:
        return memagic.run(command, data=frame)

    return run


@pytest.fixture(scope="session")
def estimates_of(frame: pd.DataFrame) -> Callable[..., Estimates]:
    """Estimates of a command whose b and standard errors are given instead of fitted.

    They are in the engine's order: coefficients, elements of Sigma, the family's own.
    """

    def make(
        text: str,
        b: Sequence[float],
        se: Sequence[float],
        *,
        ll: float = -100.0,
        plain: float | None = -104.0,
        at_zero: tuple[bool, ...] = (),
        converged: bool = True,
        concave: bool = True,
    ) -> Estimates:
        def given(problem: Problem, settings: Settings, listener: Listener, *others: object) -> Fit:
            listener(Iteration(0, ll))
            return Fit(
                estimates=np.array(b, dtype=float),
                covariance=np.diag(np.square(se)),
                gradient=np.zeros(len(b)),
                hessian=-np.diag([1.0 / s**2 if s else 1.0 for s in se]),
                theta=np.array(b, dtype=float),
                log_likelihood=ll,
                log_likelihood_plain=plain,
                at_zero=at_zero or (False,) * problem.n_omega,
                converged=converged,
                concave=concave,
                iterations=3,
                log=(ll,),
            )

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(estimation, "fit", given)
            found = memagic.run(text, data=frame).estimates
        assert len(found.parameters) == len(b) == len(se)
        return found

    return make
