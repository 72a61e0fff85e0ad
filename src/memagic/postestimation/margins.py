"""Margins of responses and of their derivatives, with standard errors by the delta method.

Source: [R] margins, Methods and formulas; [ME] meglm postestimation, margins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from memagic.postestimation.factor_levels import base_level, factor_names, level_word, levels_of
from memagic.postestimation.hypotheses import check_fitted
from memagic.postestimation.marginal_response import Valued
from memagic.postestimation.margins_at import fixed_at, settings_of
from memagic.postestimation.margins_formula import Answer, slope_of, value_of
from memagic.postestimation.margins_job import Job, answers_of, make_job
from memagic.postestimation.margins_request import Cell, cells_of, derived_variables
from memagic.postestimation.margins_result import MarginRow, Margins
from memagic.postestimation.margins_variance import check_unconditional, contribution, unconditional
from memagic.postestimation.scenes import Scene
from memagic.results.estimates import Estimates
from memagic.spec.margins import Derivative, MarginsCommand

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["margins"]


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """One margin: what it is of, its value and gradient, and what each sampled unit moves it by."""

    row: MarginRow
    value: float
    gradient: Array
    moved: Array


def margins(estimates: Estimates, command: MarginsCommand, frame: pd.DataFrame | None = None) -> Margins:
    """Margins of a response.

    Parameters
    ----------
    estimates : Estimates
    command : MarginsCommand
    frame : DataFrame, optional
        The data that were fitted: `if`, over(), expression() and generate() may use variables that the
        model has not.

    Raises
    ------
    CommandError
        A variable that is not in the model, r(322); a prediction that is not the model's, r(198); no
        observations, r(2000); vce(unconditional) of estimates without robust standard errors, r(198).
    """
    check_fitted(estimates)
    if command.unconditional:
        check_unconditional(estimates)
    job = make_job(estimates, command, frame)
    answers = answers_of(job)
    variables = derived_variables(estimates, command)
    found: list[_Found] = []
    all_fixed = True
    for number, at, over, index, cell in _places(job, len(answers)):
        answer = answers[number][1]
        scene, weights = job.weighted(job.scene(job.points[at], index, cell), answer)
        all_fixed &= all(fixed_at(scene.settings, name) for name in estimates.design.covariates)
        for variable, level, one in _values(job, scene, answer, variables):
            moved = np.empty(0)
            if command.unconditional:
                moved = contribution(estimates, scene.rows, weights, one.value)
            row = MarginRow(number, at, over, cell, variable, level)
            found.append(_Found(row, float(weights @ one.value), weights @ one.gradient, moved))
    if variables:
        found.sort(key=lambda one: _place(one.row, variables))
    return _result(job, answers, tuple(found), all_fixed)


def _places(job: Job, n_answers: int) -> Iterator[tuple[int, int, Cell, Index, Cell]]:
    """Response, point, group with its rows, and cell of every margin, in the order of the table."""
    for cells in cells_of(job.estimates, job.command):
        for number, at, (over, index), cell in product(
            range(n_answers), range(len(job.points)), job.groups, cells
        ):
            if job.occurs(index, cell):
                yield number, at, over, index, cell


def _place(row: MarginRow, variables: tuple[str, ...]) -> tuple[int, float]:
    """Derivatives are shown variable by variable, and level by level; ties keep their order."""
    return variables.index(row.variable), -1.0 if row.level is None else row.level


# --- numbers ------------------------------------------------------------------------------------


def _values(
    job: Job, scene: Scene, answer: Answer, variables: tuple[str, ...]
) -> Iterator[tuple[str, float | None, Valued]]:
    """The response by row, or one change for each derivative, with the variable and its level."""
    kind = job.command.derivative
    if not kind:
        yield "", None, value_of(scene, answer, job.part)
        return
    for name in variables:
        if name in factor_names(job.estimates):
            base = base_level(job.estimates, name)
            low = value_of(scene.with_setting(name, base), answer, job.part)
            for level in levels_of(job.estimates, name):
                if level == base:
                    continue
                high = value_of(scene.with_setting(name, float(level)), answer, job.part)
                yield name, float(level), _change(high, low, kind)
        else:
            value, slope = slope_of(scene, answer, job.part, name)
            yield name, None, _elasticity(value, slope, scene.value(name), kind)


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
    job: Job, answers: tuple[tuple[str, Answer], ...], found: tuple[_Found, ...], all_fixed: bool
) -> Margins:
    estimates, command = job.estimates, job.command
    uncertainty = estimates.uncertainty
    rows = tuple(one.row for one in found)
    b = np.array([one.value for one in found])
    jacobian = np.array([one.gradient for one in found])
    if command.unconditional:
        v = unconditional(estimates, jacobian, np.column_stack([one.moved for one in found]))
    else:
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
        uncertainty=uncertainty,
        derivative=command.derivative,
        all_fixed=all_fixed,
        n_obs=_counted(job, np.arange(len(estimates.problem.y)) if command.subpopulation else job.sample),
        n_subpopulation=_counted(job, job.sample) if command.subpopulation else None,
        unconditional=command.unconditional,
        predictions=tuple(words for words, _ in answers),
        at=_at_values(job) if command.at or command.atmeans or command.asbalanced else (),
        legend=command.legend,
        over=tuple(dict.fromkeys(name for row in rows for name, _ in row.over)),
        nested=bool(command.within),
        value_labels={name: _labels(estimates, name) for name in names if name},
    )


def _labels(estimates: Estimates, name: str) -> dict[float, str]:
    if name not in factor_names(estimates):
        return {}
    return {float(level): level_word(estimates, name, float(level)) for level in levels_of(estimates, name)}


def _counted(job: Job, rows: Index) -> int:
    weights = job.estimates.design.weights
    if weights is None or weights.kind != "fweight":
        return len(rows)
    overall = job.estimates.problem.overall_weight
    assert overall is not None
    return round(float(overall[rows].sum()))


def _at_values(job: Job) -> tuple[tuple[tuple[str, Any, str], ...], ...]:
    """Variable, value and statistic of every point; values that differ between rows are None."""
    found = []
    for point in job.points:
        settings = settings_of(job.estimates, point, job.sample, job.sample, job.evaluated)
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
