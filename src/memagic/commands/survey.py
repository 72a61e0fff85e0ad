"""The prefix `svy:`: stage weights to levels, the design of the sample, linearized standard errors."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.commands.define import Listing
from memagic.commands.model import Model, prepare
from memagic.commands.survey_sample import Sample, drawn_sample, overall_weight
from memagic.data.evaluate import condition_mask, row_range_mask
from memagic.data.variables import Variables
from memagic.engine.sandwich import Variance
from memagic.errors import CommandError, closest
from memagic.results.uncertainty import SurveyFacts, Uncertainty
from memagic.spec.qualifiers import WEIGHTS, check_weights
from memagic.spec.survey import OBSERVATIONS, SurveyDesign, SurveyPrefix, parse_survey
from memagic.spec.tree import Binary, Call, Command, Expression, Name, Option, RandomEquation, Unary, Weight

if TYPE_CHECKING:
    import pandas as pd

    from memagic.commands.constrained import Definitions

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

__all__ = ["prepare_survey", "survey_command"]

_SINGLE_UNIT = "Note: Missing standard errors because of stratum with single sampling unit."


def survey_command(
    text: str, design: SurveyDesign | None, frame: pd.DataFrame | None
) -> tuple[SurveyDesign | None, Listing]:
    """Run ``svyset``: what is set from now on, and the report.

    Parameters
    ----------
    text : str
    design : SurveyDesign or None
        What is set.
    frame : DataFrame or None
        The data in use, which have to have the variables.

    Raises
    ------
    CommandError
        A variable that is not there, r(111), or what is wrong with the text, r(198).
    """
    parsed = parse_survey(text)
    if parsed == "clear":
        design = None
    elif parsed != "report":
        for variable, span in parsed.variables:
            if frame is not None and variable not in frame.columns:
                hint = closest(variable, map(str, frame.columns))
                raise CommandError(111, f"variable {variable} not found", span=span, hint=hint)
        design = parsed
    return design, Listing("(no survey design set)" if design is None else _description(design))


def _description(design: SurveyDesign) -> str:
    """The design as `svyset` reports it."""
    first = design.stages[0]
    lines = []
    if first.fpc is None and len(design.stages) > 1:
        lines += [
            "note: stage 1 is sampled with replacement; further stages will be ignored for",
            "      variance estimation.",
            "",
        ]
    has_stage_weights = any(stage.weight for stage in design.stages)
    facts = [
        ("Sampling weights", "<none>" if design.weight is None else _words(design.weight.expression)),
        ("VCE", "linearized"),
        ("Single unit", design.single),
        *([("Design df", str(design.df))] if design.df is not None else []),
    ]
    for number, stage in enumerate(design.stages, start=1):
        unit = "<observations>" if stage.unit == OBSERVATIONS else stage.unit
        facts += [
            (f"Strata {number}", stage.strata or "<one>"),
            (f"Sampling unit {number}", unit),
            (f"FPC {number}", stage.fpc or "<zero>"),
        ]
        if has_stage_weights:
            facts.append((f"Weight {number}", stage.weight or "<none>"))
    width = max(len(label) for label, _ in facts)
    lines += [f"{label:>{width}}: {value}" for label, value in facts]
    return "\n".join(lines)


def _words(expression: Expression) -> str:
    return expression.name if isinstance(expression, Name) else "= exp"


def prepare_survey(
    prefix: SurveyPrefix,
    command: Command,
    design: SurveyDesign,
    frame: pd.DataFrame,
    definitions: Definitions,
) -> Model:
    """Everything about the model of a command under a survey design, without fitting it.

    Observations outside a subpopulation are not estimated from, but their sampling units count.

    Raises
    ------
    CommandError
        Weights or vce() in the command, r(198); stage weights that no level takes, r(459); a design
        variable that is not there, r(111); groups that are not nested within the sampling units,
        r(459).
    """
    _refuse_own(command)
    variables = Variables(frame, command.time)
    for name, _ in design.variables:
        if name not in frame.columns:
            raise CommandError(111, f"variable {name} not found", hint="svyset names it")
    known = _all_of([_known(name) for name, _ in design.variables])
    in_design = _joined(command.fixed.condition, known)
    weighted = _with_weights(command, design)
    check_weights(weighted)
    inside = prefix.subpopulation
    if isinstance(inside, Name):
        # A missing value is not zero, and is outside all the same.
        inside = Binary("&", inside, _known(inside.name))
    fitted = replace(weighted, fixed=replace(weighted.fixed, condition=_joined(in_design, inside)))
    model = prepare(_quiet(fitted), frame, definitions)
    rows = _design_rows(command, in_design, inside, variables, model.design.sample)
    sample = drawn_sample(design, variables, rows)
    facts = _facts(prefix, design, sample, overall_weight(design, variables), rows, model.design.sample)
    units = _units_of_groups(model, sample, rows)
    variance = Variance("linearized", units, sample.n_units, design=sample.design)
    notes = (*model.notes, f"(running {command.name} on estimation sample)")
    if design.single == "missing" and (np.bincount(sample.design.stratum) == 1).any():
        notes = (*notes, _SINGLE_UNIT)
    return replace(
        model,
        settings=replace(model.settings, variance=variance),
        uncertainty=Uncertainty("linearized", pseudo=True, survey=facts),
        notes=notes,
    )


def _refuse_own(command: Command) -> None:
    hint = "weights are a part of the design: svyset psu, weight(varname)"
    if command.fixed.weight is not None:
        span = command.fixed.weight.span
        raise CommandError(198, "weights not allowed with the svy prefix", span=span, hint=hint)
    for equation in command.random:
        for kind in WEIGHTS:
            if kind in equation.options:
                span = equation.options[kind].span
                message = f"option {kind}() not allowed with the svy prefix"
                raise CommandError(198, message, span=span, hint=hint)
    if "vce" in command.options:
        span = command.options["vce"].span
        raise CommandError(198, "option vce() not allowed with the svy prefix", span=span)


def _quiet(command: Command) -> Command:
    """Without a log, unless it asks for one."""
    if "log" in command.options:
        return command
    return replace(command, options={**command.options, "nolog": Option("nolog", True)})


# --- conditions as syntax ---------------------------------------------------------------------


def _known(name: str) -> Expression:
    return Unary("!", Call("missing", (Name(name),)))


def _all_of(conditions: list[Expression]) -> Expression | None:
    return reduce(lambda a, b: Binary("&", a, b), conditions) if conditions else None


def _joined(*conditions: Expression | None) -> Expression | None:
    return _all_of([condition for condition in conditions if condition is not None])


# --- weights ----------------------------------------------------------------------------------


def _with_weights(command: Command, design: SurveyDesign) -> Command:
    """The command with the weights of the stages at the levels whose groups are their units."""
    fixed, random = command.fixed, command.random
    if design.weight is not None and random:
        raise CommandError(
            459,
            "survey final weights not allowed with multilevel models",
            hint="svyset the weight of every stage: svyset psu, weight(w2) || _n, weight(w1)",
        )
    staged = [stage for stage in design.stages if stage.weight is not None]
    if not random:
        parts: list[Expression] = [Name(str(stage.weight)) for stage in staged]
        if design.weight is not None:
            parts.append(design.weight.expression)
        weight = reduce(lambda a, b: Binary("*", a, b), parts) if parts else None
        return command if weight is None else replace(command, fixed=replace(fixed, weight=_sampling(weight)))
    for stage in staged:
        name = str(stage.weight)
        if stage.unit == OBSERVATIONS:
            fixed = replace(fixed, weight=_sampling(Name(name)))
            continue
        at = [k for k, equation in enumerate(random) if equation.level == stage.unit]
        if not at:
            levels = ", ".join(dict.fromkeys(equation.level for equation in random))
            raise CommandError(
                459,
                f"weights of {stage.unit} have no level in the model",
                span=random[0].level_span,
                hint=f"the levels are {levels}; a stage's weight goes to the level of its units",
            )
        random = _with_level_weight(random, at[0], name)
    return replace(command, fixed=fixed, random=random)


def _sampling(expression: Expression) -> Weight:
    return Weight("pweight", expression)


def _with_level_weight(random: tuple[RandomEquation, ...], at: int, name: str) -> tuple[RandomEquation, ...]:
    equation = random[at]
    option = Option("pweight", name, name, equation.level_span, equation.level_span)
    changed = replace(equation, options={**equation.options, "pweight": option})
    return (*random[:at], changed, *random[at + 1 :])


# --- the design of the sample -----------------------------------------------------------------


def _design_rows(
    command: Command,
    condition: Expression | None,
    inside: Expression | None,
    variables: Variables,
    fitted: Mask,
) -> Mask:
    """The rows whose units count: those estimated from, and those outside the subpopulation."""
    rows = np.ones(len(variables.frame), dtype=bool)
    if condition is not None:
        rows &= condition_mask(condition, variables)
    if command.fixed.rows is not None:
        rows &= row_range_mask(command.fixed.rows, len(rows))
    if inside is None:
        return fitted.copy()
    return np.asarray(fitted | (rows & ~condition_mask(inside, variables)))


def _units_of_groups(model: Model, sample: Sample, rows: Mask) -> Index:
    """The sampling unit of every top-level group, or of every observation."""
    of_row = sample.unit[model.design.sample[rows]]
    if not model.design.levels:
        return of_row
    top = model.design.levels[0].grouping
    of_group = np.empty(len(top.sizes), dtype=np.intp)
    of_group[top.codes] = of_row
    if (of_group[top.codes] != of_row).any():
        raise CommandError(
            459,
            "highest-level groups are not nested within the primary sampling units",
            span=model.command.random[0].level_span,
            hint=f"all observations of a {top.name} have to be in the same unit of the first stage",
        )
    return of_group


def _facts(
    prefix: SurveyPrefix, design: SurveyDesign, sample: Sample, overall: Array, rows: Mask, fitted: Mask
) -> SurveyFacts:
    n_strata = len(sample.design.fraction)
    df = prefix.df or design.df or sample.n_units - n_strata
    population = float(overall[rows].sum())
    if prefix.subpopulation is None:
        return SurveyFacts(n_strata, sample.n_units, population, df)
    within = float(overall[fitted].sum())
    n, n_within = int(np.count_nonzero(rows)), int(np.count_nonzero(fitted))
    return SurveyFacts(n_strata, sample.n_units, population, df, n_within, within, n)
