"""Predictions as pandas holds them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.postestimation.predict import Prediction, predict
from memagic.postestimation.rows import rows_of
from memagic.results.estimates import Estimates
from memagic.spec.prediction import Conditional, Request

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["predicted"]


def predicted(
    estimates: Estimates,
    which: str = "mu",
    newdata: pd.DataFrame | None = None,
    *,
    conditional: Conditional = "ebmeans",
    marginal: bool = False,
    outcome: str | float | None = None,
    offset: bool = True,
    intpoints: int | None = None,
    iterate: int | None = None,
    tolerance: float | None = None,
) -> pd.Series | pd.DataFrame:
    """Predict for the estimation sample or for other rows; see `MEResults.predict`."""
    import pandas as pd

    request = Request(
        which, _outcome(estimates, outcome), conditional, marginal, offset, intpoints, iterate, tolerance
    )
    rows = rows_of(estimates, newdata)
    found = predict(estimates, rows, request)
    for text in found.warnings:
        warnings.warn(text, UserWarning, stacklevel=3)
    if _is_one(found, which, outcome):
        made: pd.Series | pd.DataFrame = pd.Series(found.values[:, 0], index=rows.index, name=which)
    else:
        made = pd.DataFrame(found.values, index=rows.index, columns=list(found.columns))
    made.attrs["notes"] = found.notes
    return made


def _is_one(found: Prediction, which: str, outcome: str | float | None) -> bool:
    """Whether the statistic is one column whatever the model; random effects and categories never are."""
    return found.columns == (which,) or outcome is not None


def _outcome(estimates: Estimates, outcome: str | float | None) -> int | float | None:
    """``"#2"`` as a category's number; all else is its value, or the word for it."""
    if outcome is None:
        return None
    if not isinstance(outcome, str):
        return float(outcome)
    if outcome.startswith("#") and outcome[1:].isdigit():
        return int(outcome[1:])
    words = estimates.design.origin.words.get(estimates.command.depvar.name, {})
    for value, word in words.items():
        if word == outcome:
            return value
    raise CommandError(198, f"outcome({outcome}) not found", hint="the first category is #1")
