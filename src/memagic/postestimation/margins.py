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
from memagic.errors import CommandError, closest
from memagic.postestimation.factor_levels import base_level, factor_names, level_word, levels_of
from memagic.postestimation.hypotheses import check_fitted
from memagic.postestimation.marginal_response import Response, Valued, link_of, response_at, slope_at
from memagic.postestimation.margins_at import AtPoint, at_points, fixed_at, settings_of
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

Cell = tuple[tuple[str, float], ...]

_NOT_APPROPRIATE = {"pr": ("bernoulli", "ordinal")}


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
    predictions = _predictions(estimates, command)
    job = _job(estimates, command, frame)
    variables = _derived(estimates, command)
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
    for cells in _cells(job.estimates, job.command):
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


def _cells(estimates: Estimates, command: MarginsCommand) -> list[list[Cell]]:
    """The combinations of levels of every term of the marginlist; one without levels if there is none."""
    if not command.terms:
        return [[()]]
    found: list[list[Cell]] = []
    for term in command.terms:
        sets = []
        for operand in term.operands:
            levels = levels_of(estimates, operand.variable, operand.span)
            if operand.levels is not None:
                lost = [level for level in operand.levels if level not in levels]
                if lost:
                    message = f"{lost[0]:g}.{operand.variable} not found in the estimation sample"
                    raise CommandError(322, message, span=operand.span)
                levels = np.array(operand.levels)
            sets.append([(operand.variable, float(level)) for level in levels])
        found.append(list(product(*sets)))
    return found


def _derived(estimates: Estimates, command: MarginsCommand) -> tuple[str, ...]:
    """The variables of the derivatives, in the order typed."""
    factors = factor_names(estimates)
    covariates = list(estimates.design.covariates)
    lists = {
        "_all": covariates,
        "_factor": [name for name in covariates if name in factors],
        "_continuous": [name for name in covariates if name not in factors],
    }
    found: dict[str, None] = {}
    for name, span in command.variables:
        if name not in lists and name not in covariates:
            message = f"variable {name} not found in list of covariates"
            raise CommandError(322, message, span=span, hint=closest(name, covariates))
        for one in lists.get(name, [name]):
            if command.derivative in ("eyex", "dyex") and one in factors:
                if name in lists:
                    continue
                message = f"option {command.derivative}() not allowed with factor variables"
                raise CommandError(198, message, span=span, hint=f"type dydx({one}) or eydx({one})")
            found[one] = None
    if command.derivative and not found:
        raise CommandError(
            198, f"option {command.derivative}() has no variable", span=command.variables[0][1]
        )
    fixed = {f.variable for term in command.terms for f in term.operands}
    for name in found:
        if name in fixed:
            message = f"{name} may not be both in the marginlist and in {command.derivative}()"
            raise CommandError(198, message, span=command.terms[0].span)
    return tuple(found)


def _predictions(estimates: Estimates, command: MarginsCommand) -> tuple[tuple[Prediction, Response], ...]:
    given = command.predictions
    if not given:
        given = (Prediction(),)
        if estimates.kind.family == "ordinal":
            given = tuple(
                Prediction("mu", outcome=f"{value:g}", text=f"outcome({value:g})")
                for value in estimates.categories
            )
    return tuple((one, _response(estimates, one)) for one in given)


def _response(estimates: Estimates, prediction: Prediction) -> Response:
    """The response that a prediction is.

    Raises
    ------
    CommandError
        A statistic or an outcome that the model has not, r(198).
    """
    family = estimates.kind.family
    if prediction.statistic in ("xb", "eta"):
        return Response("identity", marginal=False, offset=prediction.offset)
    if prediction.statistic == "pr" and family not in _NOT_APPROPRIATE["pr"]:
        hint = "type predict(mu)"
        raise CommandError(
            198, f"option pr not allowed with family {family}", span=prediction.span, hint=hint
        )
    marginal = not prediction.fixed_only
    if family == "ordinal":
        k = _outcome(estimates, prediction)
        last = len(estimates.categories) - 1
        terms: list[tuple[float, int | None, float]] = []
        # Pr(y = k) = F(cut_k - eta) - F(cut_(k-1) - eta).
        terms += [(1.0, k, -1.0)] if k < last else []
        terms += [(-1.0, k - 1, -1.0)] if k > 0 else []
        constant = 1.0 if k == last else 0.0
        return Response(link_of(estimates), constant, tuple(terms), marginal, prediction.offset)
    if prediction.outcome is not None:
        hint = "outcomes are those of an ordinal response"
        raise CommandError(198, "option outcome() not allowed", span=prediction.span, hint=hint)
    binomial = family == "binomial"
    return Response(link_of(estimates), marginal=marginal, offset=prediction.offset, trials=binomial)


def _outcome(estimates: Estimates, prediction: Prediction) -> int:
    text = prediction.outcome or "#1"
    categories = estimates.categories
    try:
        by_order = text.startswith("#")
        k = int(text[1:]) - 1 if by_order else int(np.flatnonzero(categories == float(text))[0])
    except (ValueError, IndexError):
        k = -1
    if not 0 <= k < len(categories):
        shown = ", ".join(f"{value:g}" for value in categories)
        message = f"outcome({text}) not found"
        raise CommandError(111, message, span=prediction.span, hint=f"outcomes are {shown}")
    return k


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
    # Indicators of R.varname have the same variance in every row only where it is one for all.
    alike &= not any(e.factor for level in estimates.design.levels for e in level.equations)
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
        predictions=tuple(_words(estimates, one) for one, _ in predictions),
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


def _words(estimates: Estimates, prediction: Prediction) -> str:
    """The line ``Expression``."""
    typed = f"predict({prediction.text})"
    if prediction.statistic in ("xb", "eta"):
        return f"Linear prediction, fixed portion only, {typed}"
    lead = "Marginal predicted mean" if estimates.design.levels else "Predicted mean"
    if estimates.kind.family == "ordinal":
        value = estimates.categories[_outcome(estimates, prediction)]
        what = f"Pr({estimates.command.depvar.variable}=={value:g})"
        lead = f"Marginal predicted {what}" if estimates.design.levels else what
    elif prediction.statistic == "pr":
        lead = lead.replace("mean", "probability")
    if prediction.fixed_only:
        lead = lead.replace("Marginal predicted", "Predicted") + ", fixed portion only"
    return f"{lead}, {typed}"


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
