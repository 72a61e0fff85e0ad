"""A model whose groups need not be nested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.engine.problem import Problem

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["CrossedProblem"]


@dataclass(frozen=True)
class CrossedProblem(Problem):
    """A model with crossed factors, `R.varname`, among its levels.

    Each factor is a level of its own: the groups are its values, within those of the level it was
    typed at, and its one effect is an intercept. So there is no column for a value, and a group need
    not lie in one group of the level before.

    Attributes
    ----------
    within : tuple of (ndarray of int, shape (n,), or None)
        By level: for a factor, the codes of the groups at whose level it was typed; None for
        ordinary levels.
    """

    within: tuple[Index | None, ...] = ()

    @property
    def top(self) -> Index:
        """Codes of the groups of the highest level, which are independent of each other, shape (n,)."""
        outer = self.within[0]
        return self.levels[0].cluster if outer is None else outer

    @property
    def n_clusters(self) -> int:
        """Groups of the highest level."""
        return int(self.top.max()) + 1 if self.levels else 0
