"""Profile log likelihoods: the maximum over all other parameters, one parameter held at a value.

Source: Pawitan (2001), In All Likelihood, 3.4 and 3.5; Venzon and Moolgavkar (1988), Applied
Statistics 37, 87-94, for the limits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import g
from memagic.display.grid_table import GridRow, GridTable
from memagic.engine.constraints import InconsistentConstraints, LinearConstraints, combined
from memagic.engine.fit import Fit, refit
from memagic.engine.start import NotFeasible
from memagic.errors import CommandError, closest
from memagic.postestimation.shown import Shown
from memagic.postestimation.without import vanishing, without
from memagic.results.display_options import check_level
from memagic.results.estimates import Estimates, Parameter
from memagic.results.inference import table_numbers

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

__all__ = ["Profile", "profile"]

_FEWEST, _MOST = 5, 200
# Wald limits of this many times the quantile usually contain those of the likelihood.
_BEYOND = 1.3
_MAX_EXTENSIONS = 12
# Standard errors between zero and a variance whose lower limit may be zero.
_NEAR_ZERO = 4.0
# Limits are found to this error of the signed root of the likelihood ratio.
_CLOSE = 1e-4
_MAX_STEPS = 8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Profile(Shown):
    """A profile log likelihood.

    Attributes
    ----------
    parameter : Parameter
    estimate : float
    llf : float
        The log likelihood at the estimates.
    values : ndarray, shape (g,)
        Where the parameter was held, in increasing order, the estimate among them.
    log_likelihood : ndarray, shape (g,)
        nan where the fit failed.
    quadratic : ndarray, shape (g,)
        What the standard error alone would have it be: quadratic in the parameter, or in its log for
        variances, as their limits are. nan for a variance at zero.
    level : float
        Confidence level in percent.
    cutoff : float
        The log likelihood at the limits: llf less half the quantile of chi-squared with one degree
        of freedom.
    limits : tuple of float
        Where the profile meets the cutoff; zero for a variance that it does not rule out to be zero,
        and nan for a limit that was not found.
    """

    parameter: Parameter
    estimate: float
    llf: float
    values: Array
    log_likelihood: Array
    quadratic: Array
    level: float
    cutoff: float
    limits: tuple[float, float]

    def grid(self) -> GridTable:
        """The log likelihood by the value at which the parameter was held."""
        rows = []
        for value, ll in zip(self.values, self.log_likelihood, strict=True):
            drop = "estimate" if value == self.estimate else g(ll - self.llf, 8)
            rows.append(GridRow(g(value), (g(ll, 10), drop)))
        low, high = (g(limit) if np.isfinite(limit) else "none" for limit in self.limits)
        return GridTable(
            f"Profile log likelihood of {self.parameter.name}",
            ("Log\nlikelihood", "Less its\nmaximum"),
            tuple(rows),
            (f"{self.level:g}% limits by the likelihood: {low} to {high}",),
        )


def profile(
    estimates: Estimates,
    parameter: str,
    *,
    level: float = 95.0,
    points: int = 15,
    progress: Progress | None = None,
) -> Profile:
    """The profile log likelihood about the estimate, and the limits that it gives.

    Parameters
    ----------
    estimates : Estimates
    parameter : str
        Its address in `_b[]`.
    level : float
        Confidence level in percent.
    points : int
        Values, from beyond one limit to beyond the other; those that the search for the limits needs
        come on top.
    progress : callable, optional
        Told how many fits are done, and how many there will be about.

    Raises
    ------
    CommandError
        Starting values in place of estimates, r(301); no such parameter, r(111); one that constraints
        hold, or a number out of range, r(198).
    """
    if not estimates.fitted:
        raise CommandError(301, "last estimates not found", hint="noestimate showed starting values")
    check_level(level)
    if not _FEWEST <= points <= _MOST:
        raise CommandError(198, f"points must be between {_FEWEST} and {_MOST}")
    position = _find(estimates, parameter)
    search = _Search(estimates, position, points, progress)
    critical = table_numbers(estimates, level).critical
    ends = [search.reach(side, critical) for side in (-1.0, 1.0)]
    search.fill(ends[0], ends[1], points)
    limits = (search.limit(-1.0, critical), search.limit(1.0, critical))
    search.finish()
    values = np.array(sorted(search.log_likelihood))
    return Profile(
        parameter=estimates.parameters[position],
        estimate=search.estimate,
        llf=search.llf,
        values=values,
        log_likelihood=np.array([search.log_likelihood[value] for value in values]),
        quadratic=_quadratic(search, values, float(estimates.se[position])),
        level=level,
        cutoff=search.llf - 0.5 * critical**2,
        limits=limits,
    )


def _find(estimates: Estimates, name: str) -> int:
    """The position of a parameter; the slash before its name may be left out."""
    names = [parameter.name for parameter in estimates.parameters]
    for candidate in (name, f"/{name}"):
        if candidate in names:
            position = names.index(candidate)
            if estimates.parameters[position].held:
                raise CommandError(198, f"{candidate} is constrained: there is nothing to vary")
            return position
    hint = closest(name, names) or f"parameters are {', '.join(names)}"
    raise CommandError(111, f"parameter {name} not found", hint=hint)


def _quadratic(search: _Search, values: Array, se: float) -> Array:
    if se <= 0.0 or (search.positive and search.estimate <= 0.0):
        return np.full(len(values), np.nan)
    if not search.positive:
        return search.llf - 0.5 * ((values - search.estimate) / se) ** 2
    with np.errstate(divide="ignore"):
        steps = (np.log(values) - np.log(search.estimate)) / (se / search.estimate)
    return np.asarray(search.llf - 0.5 * steps**2)


class _Search:
    """Fits with one parameter held at ever new values, each from the nearest one so far."""

    def __init__(self, estimates: Estimates, position: int, points: int, progress: Progress | None) -> None:
        self._estimates = estimates
        self._place = int(estimates.positions[position])
        self._progress = progress
        self._done, self._expected = 0, points + 5
        self._fits: dict[float, Fit] = {}
        self._se = float(estimates.se[position])
        parameter = estimates.parameters[position]
        self.positive = parameter.role in ("variance", "residual")
        self._may_vanish = parameter.role == "variance"
        # A variance at zero is zero, and not what the maximizer left of it.
        self.estimate = 0.0 if parameter.at_zero else float(estimates.b[position])
        self.llf = estimates.fit.log_likelihood
        self.log_likelihood = {self.estimate: self.llf}
        self._fits[self.estimate] = estimates.fit

    def reach(self, side: float, critical: float) -> float:
        """A value on one side at which the log likelihood is below the cutoff, if there is one."""
        step = _BEYOND * critical
        value = self.estimate
        for _ in range(_MAX_EXTENSIONS):
            value = self._wald(side * step)
            if self.estimate == 0.0 and self.positive:
                if side < 0.0:
                    return 0.0
                value = self._unit() * step
            # A variance whose lower limit may be zero is looked at there.
            near_zero = self._may_vanish and self.estimate < _NEAR_ZERO * self._se
            if side < 0.0 and near_zero and self._root(0.0) < critical:
                return 0.0
            root = self._root(value)
            if not np.isfinite(root) or root > critical:
                break
            step *= 1.6
        return value

    def fill(self, low: float, high: float, points: int) -> None:
        """Values from one end to the other, from the estimate outwards."""
        forward: Callable[[Array], Array] = np.sqrt if self.positive else np.asarray
        ends = forward(np.array([low, high]))
        grid = np.linspace(ends[0], ends[1], points)[1:-1]
        grid = grid**2 if self.positive else grid
        for value in sorted(grid, key=lambda v: abs(v - self.estimate)):
            self._fit(float(value))

    def limit(self, side: float, critical: float) -> float:
        """Where the signed root of the likelihood ratio is the quantile, by regula falsi."""
        known = [(v, self._root(v)) for v in self.log_likelihood if side * (v - self.estimate) >= 0.0]
        inside = [v for v, root in known if root <= critical]
        outside = [v for v, root in known if root > critical]
        near = max(inside, key=lambda v: side * v)
        if not outside:
            return 0.0 if side < 0.0 and self._may_vanish and near == 0.0 else float("nan")
        far = min(outside, key=lambda v: side * v)
        ends = {near: self._root(near) - critical, far: self._root(far) - critical}
        for _ in range(_MAX_STEPS):
            value = near - ends[near] * (far - near) / (ends[far] - ends[near])
            miss = self._root(value) - critical
            if not np.isfinite(miss):
                return float("nan")
            if abs(miss) < _CLOSE:
                return value
            near, far = (value, far) if miss < 0.0 else (near, value)
            ends = {near: self._root(near) - critical, far: self._root(far) - critical}
        return value

    def finish(self) -> None:
        if self._progress is not None:
            self._progress(self._done, self._done)

    def _wald(self, deviate: float) -> float:
        """The value so many standard errors away, by way of the log for variances."""
        if not self.positive:
            return self.estimate + deviate * (self._se or max(abs(self.estimate), 1.0))
        if self.estimate == 0.0:
            return 0.0
        relative = min(max(self._se / self.estimate, 1e-3), 2.0)
        return self.estimate * float(np.exp(np.clip(deviate * relative, -50.0, 50.0)))

    def _unit(self) -> float:
        """A small variance, on the scale of the effect's column of Z, to begin at where it is zero."""
        problem = self._estimates.problem
        assert problem.structure is not None
        row = problem.structure.entries[self._place - problem.p][0]
        spread = float(np.var(problem.y)) if problem.family.closed_form else 1.0
        return 0.02 * spread / float(problem.mean_square_z[row])

    def _root(self, value: float) -> float:
        return float(np.sqrt(max(2.0 * (self.llf - self._fit(value)), 0.0)))

    def _fit(self, value: float) -> float:
        """The profile log likelihood at a value."""
        if value not in self.log_likelihood:
            try:
                found = self._without() if value == 0.0 and self._may_vanish else self._held(value)
                converged = found is not None and found.converged
            except (NotFeasible, InconsistentConstraints, np.linalg.LinAlgError):
                found, converged = None, False
            self.log_likelihood[value] = found.log_likelihood if found and converged else float("nan")
            if found and converged and value != 0.0:
                self._fits[value] = found
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, max(self._expected, self._done))
        return self.log_likelihood[value]

    def _held(self, value: float) -> Fit:
        fit = self._estimates.fit
        row = np.zeros((1, len(fit.estimates)))
        row[0, self._place] = 1.0
        held = LinearConstraints(row, np.array([value]))
        constraints = held if fit.constraints is None else combined(fit.constraints, held)
        nearest = min(self._fits, key=lambda v: abs(v - value))
        start = self._start(self._fits[nearest].estimates, value)
        before = replace(fit, estimates=start, constraints=constraints)
        return refit(self._estimates.problem, self._estimates.settings, before)

    def _start(self, near: Array, value: float) -> Array:
        """The nearest estimates with the parameter at its value, and correlations as they were."""
        problem = self._estimates.problem
        start = near.copy()
        entry = self._place - problem.p
        if problem.structure is not None and 0 <= entry < problem.n_omega:
            row, column = problem.structure.entries[entry]
            if row == column and near[self._place] > 0.0:
                ratio = np.sqrt(value / near[self._place])
                for k, (r, c) in enumerate(problem.structure.entries):
                    if r != c and row in (r, c):
                        start[problem.p + k] *= ratio
        start[self._place] = value
        return start

    def _without(self) -> Fit:
        """The fit of the model without the effects whose variance is zero."""
        estimates = self._estimates
        assert estimates.problem.structure is not None
        row = estimates.problem.structure.entries[self._place - estimates.problem.p][0]
        reduced = without(estimates, vanishing(estimates, row))
        before = replace(
            estimates.fit,
            estimates=estimates.fit.estimates[reduced.kept],
            constraints=reduced.constraints,
        )
        return refit(reduced.problem, estimates.settings, before)
