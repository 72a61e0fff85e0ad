"""The engine's events as the lines of the iteration log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from memagic.display.formats import g
from memagic.display.log_lines import (
    FITTING_CONSTANT,
    FITTING_FIXED,
    FITTING_FULL,
    REFINING,
    Progress,
    Remark,
    grid_line,
    grid_progress,
    iteration_line,
    iteration_progress,
    section,
)
from memagic.engine.events import Detail, Event, GridNode, Iteration, StageStarted, TechniqueSet
from memagic.engine.problem import Problem
from memagic.engine.space import to_reported
from memagic.results.estimates import Parameter
from memagic.spec.tree import Option

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["IterationLog", "Shown", "shown_details"]

_STAGES = {
    "constant": FITTING_CONSTANT,
    "fixed": FITTING_FIXED,
    "grid": REFINING,
    "full": FITTING_FULL,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the log shows of each iteration of the model that is fitted, besides the log likelihood."""

    trace: bool = False
    gradient: bool = False
    hessian: bool = False
    step: bool = False
    tolerance: bool = False


def shown_details(options: dict[str, Option]) -> Shown:
    """What the command's options ask the log to show."""
    return Shown(
        trace="trace" in options,
        gradient="gradient" in options,
        hessian="hessian" in options,
        step="showstep" in options,
        tolerance="showtolerance" in options,
    )


@dataclass(slots=True)
class IterationLog:
    """Turns events into lines, keeps them, and hands them on as they come.

    Attributes
    ----------
    problem : Problem
    parameters : sequence of Parameter
        In the order of `e(b)`.
    positions : ndarray of int
        Where the engine has each of them.
    stream : callable or None
    quiet : bool
        Without a log.
    shown : Shown
    progress : callable or None
        Told how far the grid and the iterations are, also without a log.
    tolerance : float or None
        What the scaled gradient has to fall below.
    pseudo : bool
        Whether it is a pseudolikelihood.
    lines : list of str
    """

    problem: Problem
    parameters: Sequence[Parameter]
    positions: Index
    stream: Callable[[str], None] | None
    quiet: bool
    shown: Shown
    progress: Callable[[Progress], None] | None = None
    tolerance: float | None = None
    pseudo: bool = False
    lines: list[str] = field(default_factory=list)
    _stage: str = ""

    def notes(self, notes: tuple[str, ...]) -> None:
        """Hand notes on; they are not a part of the log."""
        if self.stream is not None:
            for note in notes:
                self.stream(note)

    def hear(self, event: Event) -> None:
        """Listen to the engine."""
        if isinstance(event, StageStarted):
            self._stage = event.stage
        if self.progress is not None:
            self._tell(event, self.progress)
        if self.quiet:
            return
        if isinstance(event, StageStarted):
            self._add(*section(_STAGES[event.stage]))
        elif isinstance(event, GridNode):
            self._add(grid_line(event.number, event.value, pseudo=self.pseudo))
        elif isinstance(event, TechniqueSet):
            self._add(f"({'setting' if event.first else 'switching'} technique to {event.technique})")
        else:
            detail = event.detail
            # The models that only give starting values have other parameters.
            detailed = detail is not None and self._stage not in ("constant", "fixed")
            if detail is not None and detailed:
                self._add(*self._steps(detail))
            self._add(iteration_line(event.number, event.value, _remark(event), pseudo=self.pseudo))
            if detail is not None and detailed:
                self._add(*self._details(detail))

    def _tell(self, event: Event, progress: Callable[[Progress], None]) -> None:
        if isinstance(event, GridNode) and event.total > 1:
            progress(grid_progress(event.number + 1, event.total))
        elif isinstance(event, Iteration) and self._stage == "full" and event.detail is not None:
            progress(iteration_progress(event.number, event.detail.scaled_gradient, self.tolerance))

    def _add(self, *lines: str) -> None:
        self.lines.extend(lines)
        if self.stream is not None:
            for line in lines:
                self.stream(line)

    def _steps(self, detail: Detail) -> list[str]:
        if not self.shown.step:
            return []
        return [
            f"  step {number}:  length = {g(length)}  Log likelihood = {g(value, 10)}"
            for number, (length, value) in enumerate(detail.trials, start=1)
        ]

    def _details(self, detail: Detail) -> list[str]:
        """Parameters are shown as they are reported, derivatives as the maximizer has them."""
        lines: list[str] = []
        order, names = self._free(detail.free)
        if self.shown.trace:
            reported = to_reported(self.problem, detail.theta)[self.positions]
            labels = [parameter.name for parameter in self.parameters]
            lines += ["Coefficient vector:", *_columns(labels, reported), ""]
        if self.shown.gradient:
            length = float(np.linalg.norm(detail.gradient))
            head = f"Gradient vector (length = {g(length)}):"
            lines += [head, *_columns(names, detail.gradient[order]), ""]
        if self.shown.hessian:
            information = -detail.hessian[np.ix_(order, order)]
            lines.append("Negative Hessian:")
            width = max((len(name) for name in names), default=0)
            for k, name in enumerate(names):
                numbers = "".join(f"{g(float(value)):>12}" for value in information[k, : k + 1])
                lines.append(f"  {name:>{width}} {numbers}")
            lines.append("")
        if self.shown.tolerance:
            lines += [
                f"  tolerance   {g(detail.change):>12}  relative change of the parameters",
                f"  ltolerance  {g(detail.gain):>12}  relative change of the log likelihood",
                f"  nrtolerance {g(detail.scaled_gradient):>12}  g*inv(-H)*g'",
            ]
        return lines

    def _free(self, free: Index | None) -> tuple[Index, list[str]]:
        """Where derivatives are in the order of `e(b)`, and the names of what they are in.

        Under constraints variances and covariances are on the scale that constraints need.
        """
        if free is None:
            return self.positions, self._names()
        place = {int(position): k for k, position in enumerate(free)}
        shown = [
            (place[int(position)], parameter)
            for position, parameter in zip(self.positions, self.parameters, strict=True)
            if int(position) in place
        ]
        own = ("coefficient", "ancillary")
        names = [parameter.name if parameter.role in own else f"/gamma{k + 1}" for k, parameter in shown]
        return np.array([k for k, _ in shown], dtype=np.intp), names

    def _names(self) -> list[str]:
        """The parameters as the maximizer has them: standard deviations or elements of a factor."""
        p, m = self.problem.p, self.problem.n_omega
        names: list[str] = []
        for position, parameter in zip(self.positions, self.parameters, strict=True):
            if p <= position < p + m:
                names.append(f"/omega{position - p + 1}")
            elif parameter.role == "residual":
                names.append(f"/lnsd({parameter.label[4:-1]})")
            else:
                names.append(parameter.name)
        return names


def _columns(names: Sequence[str], values: Array) -> list[str]:
    width = max((len(name) for name in names), default=0)
    return [f"  {name:>{width}} {g(float(value)):>12}" for name, value in zip(names, values, strict=True)]


def _remark(event: Iteration) -> Remark:
    if event.not_concave:
        return "not concave"
    return "backed up" if event.backed_up else ""
