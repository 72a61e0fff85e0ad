"""The estimation commands: from a parsed command and a frame to a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from memagic.commands.starting import start_settings
from memagic.commands.variance import standard_errors
from memagic.data.design import Design, make_design
from memagic.data.variables import Variables
from memagic.display.formats import g
from memagic.display.report import Wrap
from memagic.engine.constraints import LinearConstraints
from memagic.engine.crossed.system import TooLarge
from memagic.engine.events import Event, Listener, silent
from memagic.engine.fit import Fit, Settings, StoppedFit, fit
from memagic.engine.grid import StoppedGrid
from memagic.engine.problem import Problem
from memagic.engine.start import NotFeasible
from memagic.errors import Break, CommandError
from memagic.models import ModelKind, ancillary_names, density, model_kind
from memagic.results import MEResults
from memagic.results.display_options import DisplayOptions, Exponentiated, check_scale
from memagic.results.estimates import Estimates, Parameter, mark_boundary, mark_held, name_parameters
from memagic.results.uncertainty import Uncertainty
from memagic.spec.tree import Command, Option

if TYPE_CHECKING:
    import pandas as pd

    from memagic.display.log_lines import Progress

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Model", "display_options", "fit_model", "prepare"]

# Least eigenvalue of X'X, scaled to a unit diagonal, that is more than rounding.
_ROUNDING = 1e-15


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


def prepare(command: Command, frame: pd.DataFrame, definitions: Definitions) -> Model:
    """Everything that a command says about its model and its data, without fitting it.

    Raises
    ------
    CommandError
        Anything in the command or the data that does not allow the fit.
    """
    kind = model_kind(command)
    check_integration(command, kind)
    shown = display_options(command.options)
    scale = command.options.get(shown.exponentiated)
    check_scale(kind.link, kind.family, shown.exponentiated, None if scale is None else scale.span)
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
    _check_size(design, kind)
    _check_rank(command, design)
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


def fit_model(
    model: Model,
    stream: Callable[[str], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
    listener: Listener = silent,
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

    Raises
    ------
    CommandError
        ``initial values not feasible``, r(1400).
    Break
        A keyboard interrupt, with the estimates so far.
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
        fitted = fit(model.problem, settings, hear, model.constraints)
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
        raise Break(_result(model, stop.so_far, log.lines)) from None
    return _result(model, fitted, log.lines)


def _as_start(model: Model, values: Array) -> str:
    """``from(/var(_cons[district]) = .1)`` for the variances and covariances of a start."""
    pairs = [
        f"{parameter.name} = {g(float(values[position]))}"
        for parameter, position in zip(model.parameters, model.positions, strict=True)
        if parameter.role in ("variance", "covariance", "residual")
    ]
    return f"from({' '.join(pairs)})"


def _result(model: Model, fitted: Fit, log: Sequence[str]) -> MEResults:
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
    return MEResults(estimates, model.options)


def display_options(options: dict[str, Option]) -> DisplayOptions:
    """The display options among a command's or a replay's options."""
    scales: tuple[Exponentiated, ...] = ("or", "irr", "eform")
    scale: Exponentiated = next((name for name in scales if name in options), "")
    level = options["level"].value if "level" in options else 95.0
    assert isinstance(level, (int, float))
    return DisplayOptions(
        exponentiated=scale,
        level=float(level),
        header="noheader" not in options,
        table="notable" not in options,
        group="nogroup" not in options,
        labels="nofvlabel" not in options,
        constraints="nocnsreport" not in options,
        legend="coeflegend" in options,
        all_bases="allbaselevels" in options,
        empty="noemptycells" not in options,
        omitted="noomitted" not in options,
        squish="vsquish" in options,
        wrap=_wrap(options),
        bases="baselevels" in options,
        intervals="noci" not in options,
        p_values="nopvalues" not in options,
        widget="widget" in options,
    )


def _wrap(options: dict[str, Option]) -> Wrap:
    """`fvwrap()` and `fvwrapon()`."""
    lines = options["fvwrap"].value if "fvwrap" in options else 1
    assert isinstance(lines, int)
    on_width = "fvwrapon" in options and options["fvwrapon"].value == "width"
    return Wrap(lines, "width" if on_width else "word")


def _check_size(design: Design, kind: ModelKind) -> None:
    """Refuse samples with no more observations than coefficients."""
    if len(design.y) <= design.x.shape[1] and kind.family == "gaussian":
        raise CommandError(
            2001,
            "insufficient observations",
            hint=f"{len(design.y)} observations, {design.x.shape[1]} coefficients",
        )


def _check_rank(command: Command, design: Design) -> None:
    """Refuse columns kept by `collinear` that others determine to the last digit."""
    if "collinear" not in command.options or design.x.shape[1] < 2:
        return
    scale = np.sqrt(np.maximum(np.einsum("ij,ij->j", design.x, design.x), 1e-300))
    least = np.linalg.eigvalsh((design.x / scale).T @ (design.x / scale))[0]
    if least < _ROUNDING * design.x.shape[1]:
        raise CommandError(
            430,
            "Hessian is singular: the fixed-effects equation has collinear variables",
            span=command.options["collinear"].span,
            hint="without option collinear those that others determine are omitted",
        )
