"""The estimation commands: from a parsed command and a frame to a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.commands.arrays import engine_problem
from memagic.commands.constrained import Definitions, constraints_of
from memagic.commands.integration import check_integration, check_nodes, crossed_notes
from memagic.commands.iteration_log import IterationLog, shown_details
from memagic.commands.response import checked_response
from memagic.commands.settings import engine_settings, technique_words
from memagic.commands.shown import display_options
from memagic.commands.size import check_rank, check_size
from memagic.commands.starting import start_settings
from memagic.commands.variance import standard_errors
from memagic.data.design import Design, make_design
from memagic.data.variables import Variables
from memagic.display.formats import g
from memagic.engine.constraints import LinearConstraints
from memagic.engine.crossed.system import TooLarge
from memagic.engine.events import Event, Listener, silent
from memagic.engine.fit import Fit, Settings, StoppedFit, fit
from memagic.engine.grid import StoppedGrid
from memagic.engine.parted import PartedProblem
from memagic.engine.problem import Problem
from memagic.engine.start import NotFeasible
from memagic.errors import Break, CommandError
from memagic.models import ModelKind, ancillary_names, density, model_kind
from memagic.results import MEResults
from memagic.results.diagnosis import diagnose_from_afar
from memagic.results.display_options import DisplayOptions, check_scale
from memagic.results.estimates import (
    Estimates,
    Parameter,
    SampleFacts,
    mark_boundary,
    mark_held,
    name_parameters,
)
from memagic.results.uncertainty import Uncertainty
from memagic.spec.tree import Command

if TYPE_CHECKING:
    import pandas as pd

    from memagic.display.log_lines import Progress

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = [
    "Elsewhere",
    "Model",
    "fit_model",
    "fit_with_log",
    "kind_and_options",
    "prepare",
    "result_of",
]


@dataclass(frozen=True, slots=True)
class Model:
    """A command on its data, ready to be fitted: names on one side, the engine's arrays on the other.

    Attributes
    ----------
    command : Command
    kind : ModelKind
    design : Design
    problem : Problem
    parameters : tuple of Parameter
        In the order of `e(b)`.
    positions : ndarray of int
        Where the engine has each of them, among (beta, elements of Sigma, phi).
    constraints : LinearConstraints or None
    n_user_constraints : int
    settings : Settings
    uncertainty : Uncertainty
    options : DisplayOptions
    categories : ndarray, shape (c,)
        Values of an ordinal response.
    value_labels : dict
        Of the factor variables, by name and level.
    notes : tuple of str
        What there is to say before the fit.
    elsewhere : Elsewhere or None
        Where the data are, if `design` and `problem` have none of their own.
    """

    command: Command
    kind: ModelKind
    design: Design
    problem: Problem
    parameters: tuple[Parameter, ...]
    positions: Index
    constraints: LinearConstraints | None
    n_user_constraints: int
    settings: Settings
    uncertainty: Uncertainty
    options: DisplayOptions
    categories: Array
    value_labels: dict[str, dict[float, str]]
    notes: tuple[str, ...]
    elsewhere: Elsewhere | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Data that stay where they are.

    Attributes
    ----------
    problem : PartedProblem
    facts : SampleFacts
        What is known of them here.
    """

    problem: PartedProblem
    facts: SampleFacts


class Stopped(KeyboardInterrupt):
    """The user interrupted a fit; `so_far` is where it stood, `lines` its log."""

    def __init__(self, so_far: Fit, lines: tuple[str, ...]) -> None:
        super().__init__(so_far, lines)
        self.so_far = so_far
        self.lines = lines


def prepare(command: Command, frame: pd.DataFrame, definitions: Definitions) -> Model:
    """Everything that a command says about its model and its data, without fitting it.

    Raises
    ------
    CommandError
        Anything in the command or the data that does not allow the fit.
    """
    kind, shown = kind_and_options(command)
    settings = engine_settings(command)
    design = make_design(
        command,
        frame,
        kind.trials,
        binary=kind.family == "bernoulli",
        cutpoints=kind.family == "ordinal",
    )
    span = command.depvar.span
    response = checked_response(kind, command.depvar.variable, design.y, design.trials, span)
    check_size(len(design.y), design.x.shape[1], kind)
    if "collinear" in command.options:
        check_rank(command, design.x.T @ design.x)
    notes = (*design.notes, *response.notes)
    problem = engine_problem(design, density(kind, len(response.categories)), response.y)
    errors = standard_errors(command, design)
    check_nodes(command, settings, problem)
    notes = (*crossed_notes(command, settings, problem), *notes)
    ancillary = ancillary_names(kind, len(response.categories))
    parameters, positions = name_parameters(command, kind, ancillary, design, problem)
    constraints, n_user = constraints_of(command, design, problem, parameters, positions, definitions)
    start = start_settings(command, parameters, positions, definitions.matrices)
    variables = Variables(frame, command.time)
    used = {name for column in design.fixed for name, _ in column.factors}
    return Model(
        command=command,
        kind=kind,
        design=design,
        problem=problem,
        parameters=tuple(parameters),
        positions=positions,
        constraints=constraints,
        n_user_constraints=n_user,
        settings=replace(settings, start=start, variance=errors.variance),
        uncertainty=errors.uncertainty,
        options=shown,
        categories=response.categories,
        value_labels={name: labels for name in used if (labels := variables.value_labels(name))},
        notes=notes,
    )


def kind_and_options(command: Command) -> tuple[ModelKind, DisplayOptions]:
    """The model that a command asks for and how it is shown.

    Raises
    ------
    CommandError
        What does not go together, r(198).
    """
    kind = model_kind(command)
    check_integration(command, kind)
    shown = display_options(command.options)
    scale = command.options.get(shown.exponentiated)
    check_scale(kind.link, kind.family, shown.exponentiated, None if scale is None else scale.span)
    return kind, shown


def fit_model(
    model: Model,
    stream: Callable[[str], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
    listener: Listener = silent,
    executor: Executor | None = None,
) -> MEResults:
    """Fit what `prepare` has made.

    Parameters
    ----------
    model : Model
    stream : callable, optional
        Given each line of notes and of the iteration log as it comes.
    progress : callable, optional
        Told how far the fit is.
    listener : callable, optional
        Told what the engine tells.
    executor : Executor, optional
        What works on parts of the data.

    Raises
    ------
    CommandError
        ``initial values not feasible``, r(1400).
    Break
        A keyboard interrupt, with the estimates so far.
    """
    try:
        fitted, lines = fit_with_log(model, stream, progress, listener, executor)
    except Stopped as stop:
        raise Break(result_of(model, stop.so_far, stop.lines)) from None
    return result_of(model, fitted, lines)


def fit_with_log(
    model: Model,
    stream: Callable[[str], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
    listener: Listener = silent,
    executor: Executor | None = None,
) -> tuple[Fit, tuple[str, ...]]:
    """What `fit_model` makes a result of: the fit, and the lines of its log.

    Raises
    ------
    CommandError
        As `fit_model`.
    Stopped
        On a keyboard interrupt.
    """
    command, settings = model.command, model.settings
    log = IterationLog(
        model.problem,
        model.parameters,
        model.positions,
        stream,
        "nolog" in command.options,
        shown_details(command.options),
        progress,
        settings.stopping.nrtolerance,
        model.uncertainty.pseudo,
    )
    log.notes(model.notes)

    def hear(event: Event) -> None:
        log.hear(event)
        listener(event)

    try:
        problem = model.problem if model.elsewhere is None else model.elsewhere.problem
        fitted = fit(problem, settings, hear, model.constraints, executor)
    except NotFeasible:
        raise CommandError(1400, "initial values not feasible") from None
    except (np.linalg.LinAlgError, OverflowError):
        hint = "rescale variables of very large or very small values"
        raise CommandError(1400, "numerical overflow", hint=hint) from None
    except TooLarge as error:
        raise CommandError(
            950,
            "insufficient memory",
            span=command.random[0].span,
            hint=f"besides the factor with the most values, {error.columns:,} effects are coupled",
        ) from None
    except StoppedGrid as stop:
        raise Break(hint=f"the best node so far is {_as_start(model, stop.best)}") from None
    except StoppedFit as stop:
        raise Stopped(stop.so_far, tuple(log.lines)) from None
    return fitted, tuple(log.lines)


def _as_start(model: Model, values: Array) -> str:
    """``from(/var(_cons[district]) = .1)`` for the variances and covariances of a start."""
    pairs = [
        f"{parameter.name} = {g(float(values[position]))}"
        for parameter, position in zip(model.parameters, model.positions, strict=True)
        if parameter.role in ("variance", "covariance", "residual")
    ]
    return f"from({' '.join(pairs)})"


def result_of(model: Model, fitted: Fit, log: Sequence[str]) -> MEResults:
    """The fit under the names of the command."""
    command, settings = model.command, model.settings
    held = mark_held(model.parameters, model.positions, fitted)
    estimates = Estimates(
        command=command,
        kind=model.kind,
        design=model.design,
        problem=model.problem,
        fit=fitted,
        settings=settings,
        uncertainty=model.uncertainty,
        method=settings.method,
        n_points=None if settings.method == "laplace" else settings.n_points,
        parameters=mark_boundary(held, model.problem, fitted),
        positions=model.positions,
        categories=model.categories,
        value_labels=model.value_labels,
        log=tuple(log),
        notes=model.notes,
        n_user_constraints=model.n_user_constraints,
        technique=technique_words(command),
        fitted=settings.estimate,
    )
    if model.elsewhere is not None:
        facts = model.elsewhere.facts
        warnings = diagnose_from_afar(estimates) if estimates.fitted else ()
        estimates = replace(estimates, facts=replace(facts, warnings=warnings))
    return MEResults(estimates, model.options)
