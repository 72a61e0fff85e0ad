"""Whether the number of integration points suffices: the fit repeated with others.

Source: [XT] quadchk, whose rule of thumb is that relative differences below 1e-4 do no harm and
those above 1e-2 cast doubt on the fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import g
from memagic.display.grid_table import GridRow, GridTable
from memagic.engine.crossed.nested import dimensions, nested_problem
from memagic.engine.fit import refit
from memagic.engine.quadrature import affordable
from memagic.engine.start import NotFeasible
from memagic.errors import CommandError
from memagic.postestimation.shown import Shown
from memagic.results.estimates import Estimates

Array = NDArray[np.float64]

__all__ = ["QuadratureCheck", "quadchk"]

_HARMLESS = 1e-4
_DOUBTFUL = 1e-2
# As intpoints() takes them; with one point there are no moments to adapt to.
_FEWEST, _MOST = 2, 195
_STEP = 4


@dataclass(frozen=True, slots=True, repr=False)
class QuadratureCheck(Shown):
    """Estimates at several numbers of integration points.

    Attributes
    ----------
    names : tuple of str, length k
        The parameters' addresses in `_b[]`.
    points : tuple of int, length c
        Integration points: those of the fit first, then those it is compared to.
    log_likelihood : ndarray, shape (c,)
        nan where the fit failed.
    b : ndarray, shape (c, k)
    converged : tuple of bool, length c
    differs : ndarray, shape (c, k + 1)
        Relative differences to the first row, of the log likelihood and of b; nan for variances at
        zero and what goes with them.
    reason : str
        Why there is nothing to check; empty where there is.
    """

    names: tuple[str, ...]
    points: tuple[int, ...]
    log_likelihood: Array
    b: Array
    converged: tuple[bool, ...]
    differs: Array
    reason: str = ""

    @property
    def judges(self) -> tuple[int, ...]:
        """Positions of the fits that the first is judged by: those with more points, if there are any.

        What fewer points would do says little about the points that were used.
        """
        more = tuple(k for k, n in enumerate(self.points) if n > self.points[0])
        return more or tuple(range(1, len(self.points)))

    @property
    def largest(self) -> float:
        """The largest relative difference, in size, between the fit and its judges; nan without any."""
        told = self.differs[list(self.judges)]
        sizes = np.abs(told[np.isfinite(told)])
        return float(sizes.max()) if len(sizes) else float("nan")

    @property
    def trustworthy(self) -> bool:
        """Whether the fit and its judges converged and no relative difference reaches 1e-4."""
        return not self.reason and not self._failed and self.largest < _HARMLESS

    @property
    def _failed(self) -> list[int]:
        return sorted(self.points[k] for k in (0, *self.judges) if not self.converged[k])

    @property
    def verdict(self) -> str:
        """One sentence on whether the quadrature can be trusted."""
        if self.reason:
            return self.reason
        more = f"refit with more integration points, intpoints({max(self.points)}) or beyond"
        if self._failed:
            failed = ", ".join(map(str, self._failed))
            return f"The quadrature cannot be trusted: with {failed} points the fit did not converge; {more}."
        others = ", ".join(str(self.points[k]) for k in self.judges)
        change = f"the largest relative difference to {others} points is {self.largest:.1e}"
        if self.largest < _HARMLESS:
            return f"The quadrature can be trusted: {change}, below 1e-4."
        if self.largest < _DOUBTFUL:
            return (
                f"The quadrature can be trusted to a few digits: {change}, between 1e-4 and 1e-2; {more}"
                ", if more digits matter."
            )
        return f"The quadrature cannot be trusted: {change}, not below 1e-2; {more}."

    def grid(self) -> GridTable:
        """Log likelihood and estimates in rows, numbers of points in columns."""
        if self.reason:
            return GridTable("Quadrature check", notes=(self.reason,))
        heads = [f"Fitted\n{self.points[0]} points", *(f"Refitted\n{n} points" for n in self.points[1:])]
        values = np.column_stack([self.log_likelihood, self.b])
        rows: list[GridRow] = []
        for j, name in enumerate(("Log likelihood", *self.names)):
            width = 10 if j == 0 else 9
            shown = tuple(g(value, width) for value in values[:, j])
            rows.append(GridRow(name.lstrip("/"), shown, ruled=j == 1))
            relative = ("", *(_relative(value) for value in self.differs[1:, j]))
            rows.append(GridRow("relative difference", relative, indented=True))
        return GridTable("Quadrature check", tuple(heads), tuple(rows), (self.verdict,))


def _relative(value: float) -> str:
    return f"{value:.1e}" if np.isfinite(value) else "."


def quadchk(
    estimates: Estimates,
    points: Sequence[float] | None = None,
    stream: Callable[[str], None] | None = None,
) -> QuadratureCheck:
    """Fit the model again from its estimates with other numbers of integration points.

    Parameters
    ----------
    estimates : Estimates
    points : sequence of int, optional
        Four fewer and four more than the fit has, if not given.
    stream : callable, optional
        Given a line before each fit.

    Raises
    ------
    CommandError
        Numbers of points that are no such numbers or take too long, r(198); starting values in place
        of estimates, r(301).
    """
    if not estimates.fitted:
        raise CommandError(301, "last estimates not found", hint="noestimate showed starting values")
    chosen = None if points is None else _checked(points)
    reason = _nothing_to_check(estimates)
    if reason:
        return _without_points(estimates, reason)
    own = estimates.settings.n_points
    others = _default_points(estimates) if chosen is None else [n for n in chosen if n != own]
    if not others:
        raise CommandError(
            198, f"the model was fitted with {own} points: choose other numbers", hint="quadchk 5 9"
        )
    _check_nodes(estimates, max(others))
    log_likelihoods, rows, converged = (
        [estimates.fit.log_likelihood],
        [estimates.b],
        [estimates.fit.converged],
    )
    for n in others:
        if stream is not None:
            stream(f"Refitting model with intpoints({n}) ...")
        try:
            again = refit(estimates.problem, replace(estimates.settings, n_points=n), estimates.fit)
        except NotFeasible:
            log_likelihoods.append(np.nan)
            rows.append(np.full(len(estimates.parameters), np.nan))
            converged.append(False)
            continue
        log_likelihoods.append(again.log_likelihood)
        rows.append(again.estimates[estimates.positions])
        converged.append(again.converged)
    b, values = np.array(rows), np.array(log_likelihoods)
    return QuadratureCheck(
        names=tuple(parameter.name for parameter in estimates.parameters),
        points=(own, *others),
        log_likelihood=values,
        b=b,
        converged=tuple(converged),
        differs=_differences(estimates, np.column_stack([values, b])),
    )


def _nothing_to_check(estimates: Estimates) -> str:
    if estimates.problem.structure is None:
        return "The model has no random effects: nothing is integrated, and there is nothing to check."
    if estimates.problem.family.closed_form:
        return (
            "The log likelihood of a Gaussian response with the identity link has a closed form: nothing is"
            " integrated by quadrature, and there is nothing to check."
        )
    if estimates.n_points is None:
        return (
            f"intmethod({estimates.intmethod}) has no number of points to vary; refit with"
            " intmethod(mvaghermite) to see whether the approximation suffices."
        )
    return ""


def _without_points(estimates: Estimates, reason: str) -> QuadratureCheck:
    k = len(estimates.parameters)
    return QuadratureCheck(
        names=tuple(parameter.name for parameter in estimates.parameters),
        points=(),
        log_likelihood=np.empty(0),
        b=np.empty((0, k)),
        converged=(),
        differs=np.empty((0, k + 1)),
        reason=reason,
    )


def _checked(points: Sequence[float]) -> list[int]:
    """The numbers without repetition, in their order."""
    if not points:
        raise CommandError(198, "numbers of integration points required", hint="quadchk 5 9")
    for n in points:
        if not isinstance(n, int | np.integer) or not _FEWEST <= n <= _MOST:
            raise CommandError(
                198,
                f"{n} is not a number of integration points",
                hint=f"whole numbers from {_FEWEST} to {_MOST}",
            )
    return list(dict.fromkeys(int(n) for n in points))


def _default_points(estimates: Estimates) -> list[int]:
    own = estimates.settings.n_points
    near = (max(own - _STEP, _FEWEST), min(own + _STEP, _MOST))
    return [n for n in near if n != own and affordable(nested_problem(estimates.problem), n)]


def _check_nodes(estimates: Estimates, points: int) -> None:
    if not affordable(nested_problem(estimates.problem), points):
        q = dimensions(estimates.problem)
        raise CommandError(
            198,
            f"{points} points in each of {q} dimensions make {points**q:,} nodes an observation",
            hint="fewer points",
        )


def _differences(estimates: Estimates, values: Array) -> Array:
    """Differences to the first row, relative to it; nan where that is zero."""
    first = values[0].copy()
    at_zero = np.array([False, *(parameter.at_zero for parameter in estimates.parameters)])
    first[at_zero | (first == 0.0)] = np.nan
    return np.asarray((values - first) / np.abs(first))
