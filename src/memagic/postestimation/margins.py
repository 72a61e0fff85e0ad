"""Margins of responses and of their derivatives, with standard errors by the delta method.

Source: [R] margins, Methods and formulas; [ME] meglm postestimation, margins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.data.evaluate import condition_mask, evaluate
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.postestimation.factor_levels import base_level, factor_names, level_word, levels_of
from memagic.postestimation.hypotheses import check_fitted
from memagic.postestimation.marginal_response import Response, Valued, response_at, slope_at
from memagic.postestimation.margins_at import AtPoint, at_points, fixed_at, settings_of
from memagic.postestimation.margins_request import (
    Cell,
    cells_of,
    derived_variables,
    prediction_words,
    predictions_of,
)
from memagic.postestimation.margins_result import MarginRow, Margins
from memagic.postestimation.scenes import RandomPart, Scene, random_part
from memagic.results.estimates import Estimates
from memagic.spec.margins import Derivative, MarginsCommand, Prediction
from memagic.spec.tree import Expression

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["margins"]


@dataclass(frozen=True, slots=True)
class _Job:
    """All that the cells of one command share."""

    estimates: Estimates
    command: MarginsCommand
    points: tuple[AtPoint, ...]
    groups: tuple[tuple[Cell, Index], ...]
    sample: Index
    part: RandomPart
    evaluate: Callable[[Expression], Array]


def margins(estimates: Estimates, command: MarginsCommand, frame: pd.DataFrame | None = None) -> Margins:
    """Margins of a response.

    Parameters
    ----------
    estimates : Estimates
    command : MarginsCommand
    frame : DataFrame, optional
        The data that were fitted: `if`, over() and generate() may use variables that the model has not.

    Raises
    ------
    CommandError
        A variable that is not in the model, r(322); a prediction that is not the model's, r(198); no
        observations, r(2000).
    """
    check_fitted(estimates)
    predictions = predictions_of(estimates, command)
    job = _job(estimates, command, frame)
    variables = derived_variables(estimates, command)
    rows: list[MarginRow] = []
    values: list[float] = []
    gradients: list[Array] = []
    all_fixed = True
    for number, at, over, index, cell in _places(job, predictions):
        scene = _scene(job, job.points[at], index, cell)
        all_fixed &= all(fixed_at(scene.settings, name) for name in estimates.design.covariates)
        response = predictions[number][1]
        scene, weights = _weighted(scene, response)
        for variable, level, value, gradient in _values(job, scene, weights, response, variables):
            rows.append(MarginRow(number, at, over, cell, variable, level))
            values.append(value)
            gradients.append(gradient)
    order = list(range(len(rows)))
    if variables:
        order.sort(key=lambda k: _place(rows[k], variables))
    jacobian = np.array([gradients[k] for k in order])
    return _result(
        job,
        predictions,
        tuple(rows[k] for k in order),
        np.array([values[k] for k in order]),
        jacobian,
        all_fixed,
    )


def _places(
    job: _Job, predictions: tuple[tuple[Prediction, Response], ...]
) -> Iterator[tuple[int, int, Cell, Index, Cell]]:
    """Prediction, point, group with its rows, and cell of every margin, in the order of the table."""
    for cells in cells_of(job.estimates, job.command):
        for number, at, (over, index), cell in product(
            range(len(predictions)), range(len(job.points)), job.groups, cells
        ):
            yield number, at, over, index, cell


def _place(row: MarginRow, variables: tuple[str, ...]) -> tuple[int, float]:
    """Derivatives are shown variable by variable, and level by level; ties keep their order."""
    return variables.index(row.variable), -1.0 if row.level is None else row.level


# --- what is asked for --------------------------------------------------------------------------


def _job(estimates: Estimates, command: MarginsCommand, frame: pd.DataFrame | None) -> _Job:
    usable = frame if frame is not None and len(frame) == len(estimates.design.sample) else None
    n = len(estimates.problem.y)
    shared: list[Variables] = []

    def variables() -> Variables:
        import pandas as pd

        if not shared:
            if usable is None:
                shared.append(Variables(pd.DataFrame(dict(estimates.design.covariates))))
            else:
                part = usable[estimates.design.sample]
                part.attrs = usable.attrs
                shared.append(Variables(part))
        return shared[0]

    sample = np.arange(n)
    if command.condition is not None:
        sample = sample[condition_mask(command.condition, variables())]
    if not len(sample):
        raise CommandError(2000, "no observations")
    groups: list[tuple[Cell, Index]] = [((), sample)]
    if command.over:
        columns = []
        for name, span in command.over:
            known = name in estimates.design.covariates
            values = estimates.design.covariates[name] if known else variables().numbers(name, span)
            if np.any(values[sample] < 0.0) or np.any(values[sample] != np.floor(values[sample])):
                message = f"{name}:  over() variables must be nonnegative integers"
                raise CommandError(459, message, span=span)
            columns.append(values)
        groups = []
        names = [name for name, _ in command.over]
        for chosen in product(*(np.unique(column[sample]) for column in columns)):
            inside = np.all([c[sample] == v for c, v in zip(columns, chosen, strict=True)], axis=0)
            if inside.any():
                groups.append((tuple(zip(names, map(float, chosen), strict=True)), sample[inside]))
    points = at_points(estimates, command.at, command.atmeans, command.asbalanced)

    def values_of(tree: Expression) -> Array:
        return np.asarray(evaluate(tree, variables()), dtype=float)

    return _Job(estimates, command, points, tuple(groups), sample, random_part(estimates), values_of)


# --- numbers ------------------------------------------------------------------------------------


def _scene(job: _Job, point: AtPoint, index: Index, cell: Cell) -> Scene:
    settings = settings_of(job.estimates, point, index, job.sample, job.evaluate)
    return Scene(job.estimates, index, {**settings, **dict(cell)})


def _weighted(scene: Scene, response: Response) -> tuple[Scene, Array]:
    """The scene with the rows' weights, which sum to one; one row where all are alike."""
    estimates, rows = scene.estimates, scene.rows
    overall = estimates.problem.overall_weight
    weights = np.ones(len(rows)) if overall is None else overall[rows]
    alike = all(fixed_at(scene.settings, name) for name in estimates.design.covariates)
    alike &= estimates.problem.offset is None or not response.offset
    alike &= np.ndim(estimates.problem.trials) == 0 or not response.trials
    if alike:
        return replace(scene, rows=rows[:1]), np.ones(1)
    return scene, weights / weights.sum()


def _values(
    job: _Job, scene: Scene, weights: Array, response: Response, variables: tuple[str, ...]
) -> Iterator[tuple[str, float | None, float, Array]]:
    """A margin, or one for each derivative: variable, level, value and gradient."""
    kind = job.command.derivative
    if not kind:
        found = response_at(scene, response, job.part)
        yield "", None, float(weights @ found.value), weights @ found.gradient
        return
    for name in variables:
        if name in factor_names(job.estimates):
            base = base_level(job.estimates, name)
            low = response_at(scene.with_setting(name, base), response, job.part)
            for level in levels_of(job.estimates, name):
                if level == base:
                    continue
                high = response_at(scene.with_setting(name, float(level)), response, job.part)
                change = _change(high, low, kind)
                yield name, float(level), float(weights @ change.value), weights @ change.gradient
        else:
            value, slope = slope_at(scene, response, job.part, name)
            change = _elasticity(value, slope, scene.value(name), kind)
            yield name, None, float(weights @ change.value), weights @ change.gradient


def _change(high: Valued, low: Valued, kind: Derivative) -> Valued:
    if kind == "dydx":
        return Valued(high.value - low.value, high.gradient - low.gradient)
    with np.errstate(all="ignore"):
        return Valued(
            np.log(high.value) - np.log(low.value),
            high.gradient / high.value[:, None] - low.gradient / low.value[:, None],
        )


def _elasticity(value: Valued, slope: Valued, x: Array, kind: Derivative) -> Valued:
    """The derivative as it is, or in logarithms of the response (ey), the variable (ex), or both."""
    found, gradient = slope.value, slope.gradient
    if kind in ("eyex", "eydx"):
        with np.errstate(all="ignore"):
            gradient = gradient / value.value[:, None] - value.gradient * (found / value.value**2)[:, None]
            found = found / value.value
    if kind in ("eyex", "dyex"):
        found, gradient = found * x, gradient * x[:, None]
    return Valued(found, gradient)


def _result(
    job: _Job,
    predictions: tuple[tuple[Prediction, Response], ...],
    rows: tuple[MarginRow, ...],
    b: Array,
    jacobian: Array,
    all_fixed: bool,
) -> Margins:
    estimates, command = job.estimates, job.command
    uncertainty = estimates.uncertainty
    v = jacobian @ estimates.v @ jacobian.T
    se = np.sqrt(np.maximum(np.diag(v), 0.0))
    known = (se > 0.0) & np.isfinite(b)
    z = np.where(known, b / np.where(known, se, 1.0), np.nan)
    half = np.where(known, uncertainty.critical(command.level) * se, np.nan)
    names = {name for row in rows for name, _ in (*row.over, *row.cell)} | {row.variable for row in rows}
    return Margins(
        rows=rows,
        b=b,
        v=v,
        jacobian=jacobian,
        parameters=tuple(p.name for p in estimates.parameters),
        z=z,
        p=uncertainty.two_sided(z),
        lower=b - half,
        upper=b + half,
        level=command.level,
        statistic=uncertainty.statistic,
        derivative=command.derivative,
        all_fixed=all_fixed,
        n_obs=_n_obs(job),
        vce=uncertainty.word or "OIM",
        predictions=tuple(prediction_words(estimates, one) for one, _ in predictions),
        at=_at_values(job) if command.at or command.atmeans or command.asbalanced else (),
        legend=command.legend,
        over=tuple(name for name, _ in command.over),
        value_labels={name: _labels(estimates, name) for name in names if name},
    )


def _labels(estimates: Estimates, name: str) -> dict[float, str]:
    if name not in factor_names(estimates):
        return {}
    return {float(level): level_word(estimates, name, float(level)) for level in levels_of(estimates, name)}


def _n_obs(job: _Job) -> int:
    weights = job.estimates.design.weights
    if weights is None or weights.kind != "fweight":
        return len(job.sample)
    overall = job.estimates.problem.overall_weight
    assert overall is not None
    return round(float(overall[job.sample].sum()))


def _at_values(job: _Job) -> tuple[tuple[tuple[str, Any, str], ...], ...]:
    """Variable, value and statistic of every point; values that differ between rows are None."""
    found = []
    for point in job.points:
        settings = settings_of(job.estimates, point, job.sample, job.sample, job.evaluate)
        items: list[tuple[str, Any, str]] = []
        for name, fixed in point.items():
            value = settings[name]
            note = fixed.statistic
            if isinstance(value, np.ndarray):
                items.append((name, None, fixed.text))
            elif isinstance(value, float):
                several = (
                    note and len(job.groups) > 1 and not note.startswith("o") and note not in ("zero", "base")
                )
                items.append((name, None if several else value, note))
            else:
                items += [
                    (f"{level:g}.{name}", share, note if note != "asbalanced" else "asbalanced")
                    for level, share in value.of.items()
                ]
        found.append(tuple(items))
    return tuple(found)
