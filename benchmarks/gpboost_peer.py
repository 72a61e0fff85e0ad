"""PyPI's gpboost: the Laplacian approximation of the same model, where it is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from cases import Boosted

__all__ = ["fit_gpboost", "has_gpboost"]


def has_gpboost() -> bool:
    """Whether it is installed."""
    return find_spec("gpboost") is not None


def fit_gpboost(boosted: Boosted, frame: pd.DataFrame) -> float:
    """The log likelihood that it ends at, by its default optimizer and exact factorizations.

    It has no standard errors here: these cost it a Hessian more.
    """
    import gpboost

    x = np.column_stack([np.ones(len(frame)), frame[list(boosted.covariates)].to_numpy(dtype=float)])
    offset = None if boosted.log_exposure is None else frame[boosted.log_exposure].to_numpy()
    model = gpboost.GPModel(
        group_data=frame[list(boosted.groups)].to_numpy(),
        likelihood=boosted.likelihood,
        matrix_inversion_method="cholesky",
    )
    model.fit(y=frame["y"].to_numpy(dtype=float), X=x, offset=offset, params={"trace": False})
    return -float(model.get_current_neg_log_likelihood())
