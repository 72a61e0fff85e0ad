"""The numbers of a fit with the names of its parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from memagic.data.design import Design
from memagic.engine.constraints import LinearConstraints
from memagic.engine.fit import Fit
from memagic.engine.nodes import Method
from memagic.engine.problem import Problem
from memagic.models import ModelKind
from memagic.spec.tree import Command

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Role = Literal["coefficient", "ancillary", "variance", "covariance", "residual"]

__all__ = ["Estimates", "Parameter", "Wald", "confidence_limits", "name_parameters", "wald_test"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One element of `e(b)`.

    Attributes
    ----------
    name : str
        Its address in `_b[]`: ``age``, ``/var(_cons[district])``.
    role : str
    label : str
        As the table shows it: ``var(_cons)``.
    group : str
        The group label of a variance or covariance: ``district``.
    at_zero : bool
        A variance that is zero, or a covariance with such a one.
    held : bool
        Whether constraints give it a value.
    """

    name: str
    role: Role
    label: str
    group: str = ""
    at_zero: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class Estimates:
    """Everything a fit says, as plain values.

    Attributes
    ----------
    command : Command
    kind : ModelKind
    design : Design
    problem : Problem
        What the engine was given.
    fit : Fit
    method : str
    n_points : int or None
        Integration points; None for a method that has none.
    parameters : tuple of Parameter
        In the order of b.
    positions : ndarray of int, shape (k,)
        Where the fit has each parameter.
    categories : ndarray, shape (C,)
        The values of an ordinal response; empty for others.
    value_labels : dict
        Words for the values of the factor variables of the model.
    log : tuple of str
        The iteration log, line by line.
    notes : tuple of str
    n_user_constraints : int
        How many of the fit's constraints, the first ones, are the user's; the others are those of
        covariance structures.
    """

    command: Command
    kind: ModelKind
    design: Design
    problem: Problem
    fit: Fit
    method: Method
    n_points: int | None
    parameters: tuple[Parameter, ...]
    positions: Index
    categories: Array
    value_labels: dict[str, dict[float, str]]
    log: tuple[str, ...]
    notes: tuple[str, ...]
    n_user_constraints: int = 0

    @property
    def b(self) -> Array:
        """Estimates, shape (k,)."""
        return self.fit.estimates[self.positions]

    @property
    def v(self) -> Array:
        """Their covariance, shape (k, k)."""
        return self.fit.covariance[np.ix_(self.positions, self.positions)]

    @property
    def se(self) -> Array:
        """Standard errors, shape (k,)."""
        return np.sqrt(np.maximum(np.diag(self.v), 0.0))

    @property
    def n_obs(self) -> int:
        return len(self.design.y)

    @property
    def constraints(self) -> LinearConstraints | None:
        """Constraints on b; None without any."""
        found = self.fit.constraints
        return None if found is None else LinearConstraints(found.matrix[:, self.positions], found.values)

    @property
    def rank(self) -> int:
        """Rank of V."""
        se = self.se
        known = se > 0.0
        if self.fit.constraints is None:
            return int(np.count_nonzero(known))
        correlation = self.v[np.ix_(known, known)] / np.outer(se[known], se[known])
        return int(np.linalg.matrix_rank(correlation, tol=1e-9, hermitian=True)) if known.any() else 0

    @property
    def tested(self) -> Index:
        """Positions of the coefficients in the overall Wald test: all but the constant and what is held."""
        return np.array(
            [
                k
                for k, parameter in enumerate(self.parameters)
                if parameter.role == "coefficient" and parameter.name != "_cons" and not parameter.held
            ],
            dtype=np.intp,
        )


@dataclass(frozen=True, slots=True)
class Wald:
    """A joint test that coefficients are zero; chi2 is nan where there are none."""

    df: int
    chi2: float


def wald_test(estimates: Estimates) -> Wald:
    """The overall test of the model, b'V^-1 b with the rank of V as degrees of freedom."""
    at = estimates.tested
    if len(at) == 0:
        return Wald(0, float("nan"))
    b, v = estimates.b[at], estimates.v[np.ix_(at, at)]
    scale = np.sqrt(np.maximum(np.diag(v), 1e-300))
    rank = int(np.linalg.matrix_rank(v / np.outer(scale, scale), hermitian=True))
    if rank == 0:
        return Wald(0, float("nan"))
    inverse = np.linalg.pinv(v / np.outer(scale, scale), hermitian=True)
    return Wald(rank, float((b / scale) @ inverse @ (b / scale)))


def confidence_limits(estimates: Estimates, level: float) -> Array:
    """Limits of every parameter, shape (k, 2): variances by way of the log, all else symmetric.

    Variances at zero and parameters that constraints hold have none.
    """
    b, se = estimates.b, estimates.se
    z = float(ndtri(0.5 + level / 200.0))
    limits = np.column_stack([b - z * se, b + z * se])
    for k, parameter in enumerate(estimates.parameters):
        if parameter.role in ("variance", "residual"):
            if parameter.at_zero or b[k] <= 0.0:
                limits[k] = np.nan
            else:
                exponent = z * se[k] / b[k]
                # A variance of which nothing is known has no limits that a double could hold.
                limits[k] = b[k] * np.exp([-exponent, exponent]) if exponent < 700.0 else np.nan
        elif parameter.at_zero:
            limits[k] = np.nan
        if parameter.held:
            limits[k] = np.nan
    return limits


def name_parameters(
    command: Command,
    kind: ModelKind,
    ancillary: tuple[str, ...],
    design: Design,
    fit: Fit | None,
    problem: Problem,
) -> tuple[tuple[Parameter, ...], Index]:
    """The parameters in the order of `e(b)`, and their positions among the fit's estimates.

    Before there is a fit, none is marked as zero or held.

    The engine has coefficients, elements of Sigma and the family's parameters in this order. `e(b)`
    has ancillary parameters before the variances, and a residual variance after them.
    """
    names = [column.name for column in design.fixed if column.state == "estimated"]
    coefficients = [Parameter(name, "coefficient", name) for name in names]
    components = _components(design, fit, problem)
    own = [Parameter(f"/{name}", "ancillary", f"/{name}") for name in ancillary]
    if kind.family == "gaussian":
        label = f"var(e.{command.depvar.name})"
        own = [Parameter(f"/{label}", "residual", label)]
    p, m = len(coefficients), len(components)
    parameters = [*coefficients, *components, *own]
    if fit is not None and fit.held:
        parameters = [replace(p, held=held) for p, held in zip(parameters, fit.held, strict=True)]
    order = np.arange(len(parameters))
    if kind.family != "gaussian":
        order = np.concatenate([order[:p], order[p + m :], order[p : p + m]])
    return tuple(parameters[k] for k in order), order


def _components(design: Design, fit: Fit | None, problem: Problem) -> list[Parameter]:
    """Variances and covariances, in the order of the structure's entries."""
    if problem.structure is None:
        return []
    places = [
        (level.grouping.path, equation, column)
        for level in design.levels
        for equation in level.equations
        for column in equation.columns
    ]
    at_zeros = () if fit is None else fit.at_zero
    zero = {r for (r, _), at_zero in zip(problem.structure.entries, at_zeros, strict=False) if at_zero}
    components = []
    for row, column in problem.structure.entries:
        path, equation, effect = places[row]
        at_zero = row in zero or column in zero
        role: Role = "variance" if row == column else "covariance"
        what = "var" if row == column else "cov"
        if equation.covariance in ("identity", "exchangeable") and len(equation.columns) > 1:
            # One parameter for all effects of the equation: all are named.
            shared = " ".join(c.name for c in equation.columns)
            label, address = f"{what}({shared})", f"/{what}({shared}[{path}])"
        elif row == column:
            label, address = f"var({effect.name})", f"/var({effect.name}[{path}])"
        else:
            # The effect that comes first in the equation is named first.
            first, second = places[min(row, column)][2].name, places[max(row, column)][2].name
            label, address = f"cov({first},{second})", f"/cov({first}[{path}],{second}[{path}])"
        components.append(Parameter(address, role, label, path, at_zero))
    return components
