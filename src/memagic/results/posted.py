"""Estimates that a command has put in the place of the model's: margins with option post."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from memagic.results.addresses import address_key
from memagic.results.estimates import Estimates, Parameter
from memagic.results.uncertainty import Uncertainty

Array = NDArray[np.float64]

__all__ = ["AnyEstimates", "Posted"]


@dataclass(frozen=True, slots=True, eq=False)
class Posted:
    """Estimates with their covariance and names, and nothing of a model.

    Attributes
    ----------
    command : str
        The command's name.
    names : tuple of str, length k
        ``1.urban``, ``1._at#0.urban``; with an equation ``age:1._at``.
    b : ndarray, shape (k,)
    v : ndarray, shape (k, k)
    uncertainty : Uncertainty
    n_obs : int
    shown : object
        What shows them: the result of the command.
    """

    command: str
    names: tuple[str, ...]
    b: Array
    v: Array
    uncertainty: Uncertainty
    n_obs: int
    shown: Any

    @property
    def fitted(self) -> bool:
        """They are estimates."""
        return True

    @property
    def equation(self) -> str:
        """There is no dependent variable."""
        return ""

    @property
    def se(self) -> Array:
        """Standard errors, shape (k,)."""
        return np.sqrt(np.maximum(np.diag(self.v), 0.0))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """One for each name."""
        return tuple(Parameter(name, "coefficient", name) for name in self.names)

    @property
    def tested(self) -> NDArray[np.intp]:
        """Positions of all of them."""
        return np.arange(len(self.names))

    @property
    def scalars(self) -> dict[str, float]:
        """`e(N)`."""
        return {"N": self.n_obs}

    def place(self, name: str, equation: str | None) -> int | None:
        """The position of a name; None where it is not there."""
        for k, known in enumerate(self.names):
            head, _, rest = known.rpartition(":")
            if address_key(rest) == address_key(name) and (equation or "") == head:
                return k
        return None

    def members(self, equation: str) -> NDArray[np.intp]:
        """The positions of the names of an equation."""
        found = [k for k, name in enumerate(self.names) if name.rpartition(":")[0] == equation]
        return np.array(found, dtype=np.intp)


AnyEstimates: TypeAlias = Estimates | Posted
"""What tests and combinations are of."""
