"""Data with variables of every kind, and sessions in which commands have been run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from memagic import Session


def frame(rows: int = 240) -> pd.DataFrame:
    """Data with variables of every kind, under the names of the examples."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(rows // 8), 8)
    x, u = rng.normal(size=rows), rng.normal(size=rows // 8)
    return pd.DataFrame(
        {
            "y": (rng.random(rows) < 1 / (1 + np.exp(-x - u[g]))).astype(int),
            "c_use": (rng.random(rows) < 1 / (1 + np.exp(-x - u[g]))).astype(int),
            "x": x,
            "age": x * 3,
            "vrq": x,
            "g": g,
            "district": g,
            "sid": g,
            "firm": g,
            "school": g // 5,
            "h": rng.integers(0, 3, rows),
            "urban": rng.integers(0, 2, rows),
            "sex": rng.integers(0, 2, rows),
            "children": rng.integers(0, 4, rows),
            "attain": rng.poisson(3.0, rows),
            "w": rng.uniform(1, 2, rows),
            "year": np.arange(rows) % 8 + 2000,
            "text": np.array(["a", "b", "c"])[rng.integers(0, 3, rows)],
            "when": pd.date_range("2020-01-01", periods=rows),
            "flag": rng.random(rows) < 0.5,
            "kind": pd.Categorical.from_codes(rng.integers(0, 3, rows).tolist(), ["low", "mid", "high"]),
            "empty": np.full(rows, np.nan),
        }
    )


SITUATIONS: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "logit": (
        "melogit c_use i.urban age i.children || district:",
        "estimates store r_int",
        "melogit c_use i.urban age || district: age",
        "estimates store r_urban",
        "melogit c_use i.urban age i.children || district:",
    ),
    "ordinal": ("meologit children i.urban age || district:", "estimates store r_int"),
    "count": ("mepoisson attain i.sex vrq || school: || sid:", "estimates store r_int"),
    "linear": ("meglm vrq i.urban i.children || district: urban, covariance(unstructured)",),
    "crossed": ("melogit c_use i.urban age || _all: R.district || school:",),
    "svy": ("svyset district", "svy: melogit c_use i.urban age i.children || district:"),
    "posted": ("melogit c_use i.urban age i.children || district:", "margins urban, post"),
    "poststored": (
        "melogit c_use i.urban age i.children || district:",
        "margins children, post",
        "estimates store m",
        "melogit c_use age || district:",
        "tsset firm year",
    ),
    "unestimated": ("melogit c_use i.urban age || district:, noestimate",),
    "constrained": ("constraint 1 age = 0", "melogit c_use i.urban age || district:, constraints(1)"),
    "single": ("meprobit c_use i.urban age",),
}
"""Commands that have been run before, by the name of the situation."""


def situation(name: str) -> Session:
    """A session in which those commands have been run."""
    session = Session(frame(), matrices={"A": np.array([[0.2, 0.0], [0.0, np.nan]])})
    for text in SITUATIONS[name]:
        session.run(text)
    return session
