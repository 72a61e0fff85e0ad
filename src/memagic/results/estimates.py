"""The numbers of a fit with the names of its parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memagic.data.design import Design
from memagic.engine.constraints import LinearConstraints
from memagic.engine.fit import Fit, Settings
from memagic.engine.nodes import Method
from memagic.engine.problem import Problem
from memagic.models import ModelKind
from memagic.results.uncertainty import GroupCounts, Uncertainty, group_counts, observations
from memagic.spec.tree import Command

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Role = Literal["coefficient", "ancillary", "variance", "covariance", "residual"]

__all__ = ["Estimates", "Parameter", "Role", "SampleFacts", "mark_boundary", "mark_held", "name_parameters"]

# Share of a conditional variance in the variance, below which a correlation counts as perfect.
_PERFECT = 1e-6


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
    perfect : bool
        A covariance whose correlation is 1 or -1.
    """

    name: str
    role: Role
    label: str
    group: str = ""
    at_zero: bool = False
    held: bool = False
    perfect: bool = False


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """What stays known of an estimation sample whose data have been removed.

    Attributes
    ----------
    n_obs : int
    group_counts : tuple of GroupCounts
    signature : str
        `e(datasignature)`.
    warnings : tuple of str
        What there was to say about a fit in trouble.
    p_mixture : float or None
        Of the test against no random effects by the mixture of chi2 distributions.
    """

    n_obs: int
    group_counts: tuple[GroupCounts, ...]
    signature: str
    warnings: tuple[str, ...]
    p_mixture: float | None = None


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
    settings : Settings
        How it was asked for.
    uncertainty : Uncertainty
        What the standard errors are made of.
    method : str
        The engine's; `intmethod` is what the command calls it.
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
    technique : str
        `e(technique)`.
    fitted : bool
        False where these are the starting values.
    facts : SampleFacts or None
        In place of the data, where these have been removed.
    """

    command: Command
    kind: ModelKind
    design: Design
    problem: Problem
    fit: Fit
    settings: Settings
    uncertainty: Uncertainty
    method: Method
    n_points: int | None
    parameters: tuple[Parameter, ...]
    positions: Index
    categories: Array
    value_labels: dict[str, dict[float, str]]
    log: tuple[str, ...]
    notes: tuple[str, ...]
    n_user_constraints: int = 0
    technique: str = "nr"
    fitted: bool = True
    facts: SampleFacts | None = None

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
    def equation(self) -> str:
        """The name of the equation: the dependent variable."""
        return self.command.depvar.variable

    @property
    def intmethod(self) -> str:
        """The integration method by the name that the command has for it."""
        option = self.command.options.get("intmethod")
        return self.method if option is None else str(option.value)

    @property
    def n_obs(self) -> int:
        """Observations in the estimation sample; with frequency weights, those that they count."""
        if self.facts is not None:
            return self.facts.n_obs
        return observations(len(self.design.y), self.design.weights, self.design.groupings)

    @property
    def n_surveyed(self) -> int:
        """`e(N)`: as `n_obs`, but of a survey with a subpopulation all observations of the survey.

        Source: [SVY] svy estimation, stored results.
        """
        survey = self.uncertainty.survey
        return self.n_obs if survey is None or survey.n_surveyed is None else survey.n_surveyed

    @property
    def group_counts(self) -> tuple[GroupCounts, ...]:
        """The groups of every level, highest first."""
        if self.facts is not None:
            return self.facts.group_counts
        return group_counts(self.design.weights, self.design.groupings)

    @property
    def v_modelbased(self) -> Array | None:
        """The inverse of the observed information where `v` is something else, shape (k, k)."""
        v = self.fit.modelbased
        return None if v is None else v[np.ix_(self.positions, self.positions)]

    @property
    def constraints(self) -> LinearConstraints | None:
        """Constraints on b; None without any."""
        found = self.fit.constraints
        return None if found is None else LinearConstraints(found.matrix[:, self.positions], found.values)

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


def name_parameters(
    command: Command, kind: ModelKind, ancillary: tuple[str, ...], design: Design, problem: Problem
) -> tuple[tuple[Parameter, ...], Index]:
    """The parameters in the order of `e(b)`, and their positions among the fit's estimates.

    The engine has coefficients, elements of Sigma and the family's parameters in this order. `e(b)`
    has ancillary parameters before the variances, and a residual variance after them.
    """
    names = [column.name for column in design.fixed if column.state == "estimated"]
    coefficients = [Parameter(name, "coefficient", name) for name in names]
    components = _components(design, problem)
    own = [Parameter(f"/{name}", "ancillary", f"/{name}") for name in ancillary]
    if kind.family == "gaussian":
        label = f"var(e.{command.depvar.variable})"
        own = [Parameter(f"/{label}", "residual", label)]
    p, m = len(coefficients), len(components)
    positions = np.arange(p + m + len(own))
    if kind.family == "gaussian":
        return (*coefficients, *components, *own), positions
    order = np.concatenate([positions[:p], positions[p + m :], positions[p : p + m]])
    return (*coefficients, *own, *components), order


def _components(design: Design, problem: Problem) -> list[Parameter]:
    """Variances and covariances, in the order of the structure's entries."""
    if problem.structure is None:
        return []
    places = [
        (level.grouping.path, equation, column)
        for level in design.levels
        for equation in level.equations
        for column in equation.columns
    ]
    components = []
    for row, column in problem.structure.entries:
        path, equation, effect = places[row]
        role: Role = "variance" if row == column else "covariance"
        what = "var" if row == column else "cov"
        if equation.factor:
            path = f"{path}>{equation.factor}"
            label, address = "var(_cons)", f"/var(_cons[{path}])"
        elif equation.covariance in ("identity", "exchangeable") and len(equation.columns) > 1:
            # One parameter for all effects of the equation: all are named.
            shared = " ".join(c.name for c in equation.columns)
            label, address = f"{what}({shared})", f"/{what}({shared}[{path}])"
        elif row == column:
            label, address = f"var({effect.name})", f"/var({effect.name}[{path}])"
        else:
            # The effect that comes first in the equation is named first.
            first, second = places[min(row, column)][2].name, places[max(row, column)][2].name
            label, address = f"cov({first},{second})", f"/cov({first}[{path}],{second}[{path}])"
        components.append(Parameter(address, role, label, path))
    return components


def mark_boundary(parameters: tuple[Parameter, ...], problem: Problem, fit: Fit) -> tuple[Parameter, ...]:
    """The same parameters, with variances at zero and correlations of one marked as such."""
    if problem.structure is None:
        return parameters
    entries = problem.structure.entries
    zero = {r for (r, _), at_zero in zip(entries, fit.at_zero, strict=True) if at_zero}
    sigma = dict(zip(entries, fit.estimates[problem.p :], strict=False))
    of_component = iter(entries)
    marked = []
    for parameter in parameters:
        if parameter.role in ("variance", "covariance"):
            row, column = next(of_component)
            at_zero = row in zero or column in zero
            perfect = parameter.role == "covariance" and not at_zero and _is_perfect(sigma, row, column)
            marked.append(replace(parameter, at_zero=at_zero, perfect=perfect))
        else:
            marked.append(parameter)
    return tuple(marked)


def mark_held(parameters: tuple[Parameter, ...], positions: Index, fit: Fit) -> tuple[Parameter, ...]:
    """The same parameters, with those that constraints give a value marked as such."""
    if not fit.held:
        return parameters
    return tuple(replace(p, held=fit.held[k]) for p, k in zip(parameters, positions, strict=True))


def _is_perfect(sigma: dict[tuple[int, int], float], row: int, column: int) -> bool:
    """Whether a covariance is the product of the standard deviations."""
    # Exchangeable effects have one variance, which is that of the column.
    first = sigma[column, column]
    second = sigma.get((row, row), first)
    return bool(1.0 - (sigma[row, column] / first) * (sigma[row, column] / second) < _PERFECT)
