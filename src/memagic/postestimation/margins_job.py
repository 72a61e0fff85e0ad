"""What the cells of one `margins` command share: points, groups, the sample, the variables at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from memagic.data.evaluate import condition_mask, evaluate
from memagic.data.same_rows import whole_sample
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.postestimation.margins_at import AtPoint, at_points, fixed_at, settings_of
from memagic.postestimation.margins_formula import Answer, FormulaResponse
from memagic.postestimation.margins_request import (
    Cell,
    covariate,
    prediction_words,
    predictions_of,
    response_of,
)
from memagic.postestimation.scenes import RandomPart, Scene, Setting, Shares, random_part
from memagic.results.estimates import Estimates
from memagic.results.stored import estimation_results
from memagic.spec.margins import MarginsCommand
from memagic.spec.tree import Expression

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Index = NDArray[np.intp]

_Value = TypeVar("_Value", bound=NDArray[Any])

__all__ = ["Job", "answers_of", "groups_of", "make_job"]


class _Columns:
    """The variables of the estimation sample, read from the frame when the first is asked for.

    Where the frame does not have the sample's rows any more, only those that the model has are known.
    """

    def __init__(self, estimates: Estimates, frame: pd.DataFrame | None) -> None:
        self._estimates, self._frame = estimates, frame
        self._read: Variables | None = None
        self._other: CommandError | None = None

    def _variables(self) -> Variables:
        import pandas as pd

        if self._read is None:
            design, frame = self._estimates.design, self._frame
            if frame is not None:
                try:
                    part = frame.iloc[whole_sample(design, self._estimates.command, frame)]
                    part.attrs = frame.attrs
                    self._read = Variables(part)
                    return self._read
                except CommandError as error:
                    self._other = error
            self._read = Variables(pd.DataFrame(dict(design.covariates)))
        return self._read

    def _of(self, read: Callable[[Variables], _Value], span: tuple[int, int] | None) -> _Value:
        variables = self._variables()
        try:
            return read(variables)
        except CommandError as error:
            if self._other is None:
                raise
            # It is not the model's, and the frame that may have it is another one.
            other, span = self._other, error.span or span
            raise CommandError(other.rc, other.message, span=span, hint=other.hint) from None

    def numbers(self, name: str, span: tuple[int, int]) -> Array:
        return self._of(lambda known: np.asarray(known.numbers(name, span), dtype=float), span)

    def evaluated(self, tree: Expression) -> Array:
        return self._of(lambda known: np.asarray(evaluate(tree, known), dtype=float), None)

    def true(self, condition: Expression) -> NDArray[np.bool_]:
        return self._of(lambda known: condition_mask(condition, known), None)


@dataclass(frozen=True, slots=True)
class Job:
    """One command on its estimates.

    Attributes
    ----------
    estimates : Estimates
    command : MarginsCommand
    points : tuple of AtPoint
    groups : tuple of (Cell, ndarray of int)
        Values of the variables of over() or within(), and their rows.
    sample : ndarray of int
        The rows that are averaged over.
    part : RandomPart
    evaluated : callable
        An expression for all rows of the estimation sample.
    numbers : callable
        A variable for all rows of the estimation sample.
    """

    estimates: Estimates
    command: MarginsCommand
    points: tuple[AtPoint, ...]
    groups: tuple[tuple[Cell, Index], ...]
    sample: Index
    part: RandomPart
    evaluated: Callable[[Expression], Array]
    numbers: Callable[[str, tuple[int, int]], Array]

    def scene(self, point: AtPoint, index: Index, cell: Cell) -> Scene:
        """The rows of a group at one point and at the levels of a cell."""
        settings = settings_of(self.estimates, point, index, self.sample, self.evaluated)
        if self.command.within:
            settings = {name: self._nested(name, one, point, index) for name, one in settings.items()}
        return Scene(self.estimates, index, {**settings, **dict(cell)})

    def _nested(self, name: str, setting: Setting, point: AtPoint, index: Index) -> Setting:
        """A balanced factor has the levels only that its group has."""
        if not isinstance(setting, Shares) or point[name].statistic.removeprefix("o") != "asbalanced":
            return setting
        there = np.unique(self.estimates.design.covariates[name][index])
        return Shares({float(level): 1.0 / len(there) for level in there})

    def occurs(self, index: Index, cell: Cell) -> bool:
        """Whether a group has observations with the levels of a cell; all do but those of within()."""
        if not self.command.within or not cell:
            return True
        columns = self.estimates.design.covariates
        return bool(np.all([columns[name][index] == level for name, level in cell], axis=0).any())

    def weighted(self, scene: Scene, answer: Answer) -> tuple[Scene, Array]:
        """The scene with the rows' weights, which sum to one; one row where all are alike."""
        problem, rows = self.estimates.problem, scene.rows
        covariates = self.estimates.design.covariates
        overall = problem.overall_weight
        weights = np.ones(len(rows)) if overall is None else overall[rows]
        alike = all(fixed_at(scene.settings, name) for name in covariates)
        alike &= problem.offset is None or not answer.offset
        alike &= np.ndim(problem.trials) == 0 or not answer.trials
        alike &= not (isinstance(answer, FormulaResponse) and answer.columns(covariates))
        if alike:
            return replace(scene, rows=rows[:1]), np.ones(1)
        return scene, weights / weights.sum()


def make_job(estimates: Estimates, command: MarginsCommand, frame: pd.DataFrame | None) -> Job:
    """What a command asks for.

    Raises
    ------
    CommandError
        No observations, r(2000); groups that are no nonnegative integers, r(459); variables of a frame that
        does not have the rows of the estimation sample any more, r(322).
    """
    columns = _Columns(estimates, frame)
    sample = np.arange(len(estimates.problem.y))
    conditions = command.subpopulation
    conditions += () if command.condition is None else (command.condition,)
    for condition in conditions:
        sample = sample[columns.true(condition)[sample]]
    if not len(sample):
        raise CommandError(2000, "no observations")
    points = at_points(
        estimates, command.at, command.atmeans, command.asbalanced, abbreviations=command.abbreviations
    )
    groups = tuple(groups_of(estimates, command, sample, columns.numbers))
    part = random_part(estimates)
    return Job(estimates, command, points, groups, sample, part, columns.evaluated, columns.numbers)


def groups_of(
    estimates: Estimates,
    command: MarginsCommand,
    sample: Index,
    numbers: Callable[[str, tuple[int, int]], Array],
) -> Iterator[tuple[Cell, Index]]:
    """The groups of over() or within() that occur, with their rows; all rows without either."""
    given = command.over or command.within
    option = "over" if command.over else "within"
    if not given:
        yield (), sample
        return
    names, columns = [], []
    for typed, span in given:
        name = covariate(estimates, typed, abbreviations=command.abbreviations) or typed
        known = estimates.design.covariates
        values = known[name] if name in known else numbers(name, span)
        if np.any(values[sample] < 0.0) or np.any(values[sample] != np.floor(values[sample])):
            message = f"{name}:  {option}() variables must be nonnegative integers"
            raise CommandError(459, message, span=span)
        names.append(name)
        columns.append(values)
    for chosen in product(*(np.unique(column[sample]) for column in columns)):
        inside = np.all([c[sample] == v for c, v in zip(columns, chosen, strict=True)], axis=0)
        if inside.any():
            yield tuple(zip(names, map(float, chosen), strict=True)), sample[inside]


def answers_of(job: Job) -> tuple[tuple[str, Answer], ...]:
    """The responses of a command: in words, and as they are computed.

    Raises
    ------
    CommandError
        A prediction that is not the model's, r(198).
    """
    estimates, formula = job.estimates, job.command.formula
    if formula is None:
        found = predictions_of(estimates, job.command)
        return tuple((prediction_words(estimates, one), response) for one, response in found)
    responses = {name: response_of(estimates, one) for name, one in formula.predictions.items()}
    stored = estimation_results(estimates).scalars
    return ((formula.text, FormulaResponse(formula, responses, stored, job.numbers)),)
