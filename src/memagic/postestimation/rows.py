"""The rows that predictions are for: those of the estimation sample, or those of any frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from memagic.data.new_rows import NewRows
from memagic.data.same_rows import sample_rows
from memagic.errors import CommandError
from memagic.results.estimates import Estimates

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Rows", "rows_of"]


class Rows(Protocol):
    """What a prediction asks of its rows; values that are missing are nan."""

    @property
    def index(self) -> pd.Index:
        """Length n."""

    def fixed(self) -> Array:
        """The estimated columns of the fixed-effects equation, shape (n, p)."""

    def offset(self) -> Array:
        """Shape (n,); zero without one."""

    def trials(self) -> Array | float:
        """Number of trials of a binomial response, else 1."""

    def response(self) -> Array:
        """As the engine takes it, shape (n,)."""

    def z(self) -> tuple[Array, ...]:
        """The columns of the random effects by level of the problem, each shape (n, q)."""

    def groups(self) -> tuple[Index, ...]:
        """Codes of the groups by level of the problem, `NEW` or `MISSING` where there is none."""

    def sampled(self) -> Index:
        """Where the observations of the estimation sample are among the rows, -1 if they are not; shape (n,).

        Raises
        ------
        CommandError
            None is among them, or they cannot be told apart, r(322).
        """


def rows_of(estimates: Estimates, frame: pd.DataFrame | None) -> Rows:
    """The rows of a frame, or those of the estimation sample."""
    return _Sample(estimates) if frame is None else _Frame(estimates, frame)


class _Sample:
    """The estimation sample, as the design has it."""

    def __init__(self, estimates: Estimates) -> None:
        self._problem = estimates.problem
        self._design = estimates.design

    @property
    def index(self) -> pd.Index:
        import pandas as pd

        index = self._design.origin.index
        return pd.RangeIndex(len(self._design.y)) if index is None else index

    def fixed(self) -> Array:
        return self._problem.x

    def offset(self) -> Array:
        offset = self._problem.offset
        return np.zeros(len(self._problem.y)) if offset is None else offset

    def trials(self) -> Array | float:
        return self._problem.trials

    def response(self) -> Array:
        return self._problem.y

    def z(self) -> tuple[Array, ...]:
        return tuple(level.z for level in self._problem.levels)

    def groups(self) -> tuple[Index, ...]:
        return tuple(level.cluster for level in self._problem.levels)

    def sampled(self) -> Index:
        return np.arange(len(self._problem.y))


class _Frame:
    """The rows of a frame."""

    def __init__(self, estimates: Estimates, frame: pd.DataFrame) -> None:
        self._estimates = estimates
        self._rows = NewRows(estimates.design, estimates.command, frame)
        self._frame = frame
        self._z: tuple[Array, ...] | None = None
        self._groups: tuple[Index, ...] | None = None

    @property
    def index(self) -> pd.Index:
        return self._frame.index

    def fixed(self) -> Array:
        return self._rows.fixed()

    def offset(self) -> Array:
        return self._rows.offset()

    def trials(self) -> Array | float:
        trials = self._estimates.kind.trials
        return self._rows.number(trials) if isinstance(trials, str) else float(trials or 1.0)

    def response(self) -> Array:
        y = self._rows.number(self._estimates.command.depvar.name)
        family = self._estimates.kind.family
        if family == "bernoulli":
            return np.where(np.isnan(y), np.nan, (y != 0.0).astype(float))
        if family == "ordinal":
            categories = self._estimates.categories
            at = np.minimum(np.searchsorted(categories, y), len(categories) - 1)
            return np.where(categories[at] == y, at.astype(float), np.nan)
        return y

    def z(self) -> tuple[Array, ...]:
        if self._z is None:
            self._z = self._rows.z()
        return self._z

    def groups(self) -> tuple[Index, ...]:
        if self._groups is None:
            try:
                self._groups = self._rows.codes()
            except CommandError as error:
                error.hint = "conditional(fixedonly) and marginal do without groups"
                raise
        return self._groups

    def sampled(self) -> Index:
        return sample_rows(self._estimates.design, self._estimates.command, self._frame)
