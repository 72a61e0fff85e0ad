"""Whether a sample is large enough, and its columns independent enough, to be fitted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError
from memagic.models import ModelKind
from memagic.spec.tree import Command

Array = NDArray[np.float64]

__all__ = ["check_rank", "check_size"]

# Least eigenvalue of X'X, scaled to a unit diagonal, that is more than rounding.
_ROUNDING = 1e-15


def check_size(n: int, p: int, kind: ModelKind) -> None:
    """Refuse samples with no more observations than coefficients."""
    if n <= p and kind.family == "gaussian":
        hint = f"{n} observations, {p} coefficients"
        raise CommandError(2001, "insufficient observations", hint=hint)


def check_rank(command: Command, products: Array) -> None:
    """Refuse columns kept by `collinear` that others determine to the last digit.

    Parameters
    ----------
    command : Command
    products : ndarray, shape (p, p)
        X'X.
    """
    if "collinear" not in command.options or len(products) < 2:
        return
    scale = np.sqrt(np.maximum(np.diag(products), 1e-300))
    least = np.linalg.eigvalsh(products / np.outer(scale, scale))[0]
    if least < _ROUNDING * len(products):
        raise CommandError(
            430,
            "Hessian is singular: the fixed-effects equation has collinear variables",
            span=command.options["collinear"].span,
            hint="without option collinear those that others determine are omitted",
        )
