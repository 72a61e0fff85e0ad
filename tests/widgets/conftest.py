"""Sessions with a fitted model each, of several families."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest

from memagic import Session

COMMANDS = {
    "logit": "melogit win i.arm##c.x || g:, intmethod(laplace)",
    "poisson": "mepoisson count i.arm x || g:, intmethod(laplace)",
    "ordinal": "meologit grade x i.sex || g:, intmethod(laplace)",
    "probit": "meprobit win x || g:, intmethod(laplace)",
    "linear": "meglm y x || g:, intmethod(laplace)",
}


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    """Ten groups of twelve, responses of several kinds."""
    rng = np.random.default_rng(11)
    n = 120
    g = np.repeat(np.arange(10), 12)
    x = rng.normal(size=n)
    eta = 0.4 * x + 0.8 * rng.normal(size=10)[g]
    frame = pd.DataFrame(
        {
            "y": eta + rng.normal(size=n),
            "win": (eta + rng.logistic(size=n) > 0).astype(int),
            "count": rng.poisson(np.exp(0.4 * eta + 1)),
            "grade": np.digitize(eta + rng.logistic(size=n), (-0.7, 0.8)),
            "x": x,
            "g": g,
            "arm": rng.integers(0, 3, size=n),
            "sex": rng.integers(0, 2, size=n),
        }
    )
    frame.attrs["value_labels"] = {"arm": {0: "placebo", 1: "low", 2: "high"}}
    return frame


@pytest.fixture(scope="session")
def session_of(frame: pd.DataFrame) -> Callable[[str], Session]:
    """A session whose last estimates are those of a family; ``null`` is stored beside them."""

    @cache
    def fitted(family: str) -> Session:
        session = Session(frame)
        command = COMMANDS[family]
        name, rest = command.split("||")
        session.run(f"{' '.join(name.split()[:2])} || {rest}")
        session.run("estimates store null")
        session.run(command)
        return session

    return fitted
