"""What a family asks of the response variable."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError
from memagic.models import ModelKind

Array = NDArray[np.float64]

__all__ = ["checked_response"]


def checked_response(
    kind: ModelKind, name: str, y: Array, trials: Array | float, span: tuple[int, int]
) -> tuple[Array, tuple[str, ...]]:
    """The response as the engine takes it, and notes on it.

    Raises
    ------
    CommandError
        The response is impossible for the family, r(459), or does not vary, r(2000).
    """
    if kind.family == "bernoulli":
        outcome = (y != 0.0).astype(float)
        if outcome.min() == outcome.max():
            raise CommandError(
                2000,
                "outcome does not vary; remember:\n"
                "                                  0 = negative outcome,\n"
                "        all other nonmissing values = positive outcome",
                span=span,
            )
        return outcome, ()
    if kind.family == "binomial":
        whole = np.all(y == np.floor(y)) and np.all(np.asarray(trials) == np.floor(trials))
        if not whole or np.any(y < 0.0) or np.any(y > trials) or np.any(np.asarray(trials) <= 0.0):
            raise CommandError(
                459,
                f"{name} must be a whole number between 0 and the number of trials",
                span=span,
                hint="name the number of trials, family(binomial trials)" if np.any(y > trials) else None,
            )
        if np.all(y == 0.0) or np.all(y == trials):
            raise CommandError(2000, "outcome does not vary", span=span)
        return y, ()
    if kind.family == "poisson":
        if np.any(y < 0.0):
            raise CommandError(459, f"{name} must be greater than or equal to zero", span=span)
        if not y.any():
            raise CommandError(498, f"{name} is zero for all observations", span=span)
        if np.any(y != np.floor(y)):
            return y, ("note: you are responsible for interpretation of noncount dep. variable.",)
        return y, ()
    if y.min() == y.max():
        raise CommandError(2000, f"outcome does not vary: {name} is {y[0]:g} throughout", span=span)
    return y, ()
