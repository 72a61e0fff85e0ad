"""What one group adds to the log likelihood of a fit, by any rule and any standard deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from memagic.engine.integrand import Integrand, group_problem, integrand
from memagic.engine.nodes import Method
from memagic.engine.problem import Problem
from memagic.errors import CommandError
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]

__all__ = ["METHODS", "Groups", "group_integrand", "groups_of"]

METHODS: tuple[Method, ...] = get_args(Method)
# A standard deviation of zero has no integrand to show.
_LEAST = 1e-3


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a fit with one random effect, and where its estimates are.

    Attributes
    ----------
    effect : str
        ``_cons[district]``.
    variable : str
        The group variable.
    sizes : tuple of int
        Observations by group, in the order of the group variable's values.
    values : tuple of str
        These values.
    problem : Problem
    theta : ndarray, shape (d,)
    sigma : float
        The estimated standard deviation.
    method : str
        The fit's own.
    n_points : int
    """

    effect: str
    variable: str
    sizes: tuple[int, ...]
    values: tuple[str, ...]
    problem: Problem
    theta: Array
    sigma: float
    method: Method
    n_points: int


def groups_of(estimates: Estimates) -> Groups:
    """The groups of a fit whose integrands have one dimension.

    Raises
    ------
    CommandError
        The fit has no random effect, or more than one or several levels, r(198).
    """
    design, problem = estimates.design, estimates.problem
    if len(design.levels) != 1 or design.levels[0].z.shape[1] != 1:
        hint = "fit the model with a random intercept at one level, || group:, and look at that"
        what = "no random effects" if not design.levels else "more than one random effect"
        raise CommandError(198, f"the integrand has one dimension to show; the model has {what}", hint=hint)
    (level,) = design.levels
    omega = float(problem.unpack(estimates.fit.theta).omega[0])
    return Groups(
        effect=f"{level.columns[0].name}[{level.grouping.path}]",
        variable=level.grouping.name,
        sizes=tuple(int(n) for n in level.grouping.sizes),
        values=tuple(
            f"{value:g}" if isinstance(value, float) else str(value) for value in level.grouping.values
        ),
        problem=problem,
        theta=estimates.fit.theta,
        sigma=max(abs(omega), _LEAST),
        method=estimates.method,
        n_points=estimates.n_points or 7,
    )


def group_integrand(
    groups: Groups, group: int, method: Method, n_points: int, sigma: float | None = None
) -> Integrand:
    """The integrand of one group at the estimates.

    Parameters
    ----------
    groups : Groups
    group : int
        1 for the first value of the group variable.
    method : str
    n_points : int
    sigma : float, optional
        A standard deviation in place of the estimated one.

    Raises
    ------
    CommandError
        No such group, r(459), or no such rule, r(198).
    """
    if not 1 <= group <= len(groups.sizes):
        hint = f"groups are numbered 1 to {len(groups.sizes)} in the order of {groups.variable}"
        raise CommandError(459, f"group {group} not found", hint=hint)
    if method not in METHODS:
        raise CommandError(198, f"intmethod({method}) not allowed", hint=f"methods are {', '.join(METHODS)}")
    if n_points < 1 or not (sigma is None or (np.isfinite(sigma) and sigma > 0.0)):
        raise CommandError(198, "points and standard deviation must be greater than zero")
    theta = groups.theta.copy()
    theta[groups.problem.p] = groups.sigma if sigma is None else sigma
    return integrand(group_problem(groups.problem, group - 1), theta, method, n_points)
