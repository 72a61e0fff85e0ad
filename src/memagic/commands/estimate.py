"""Fitting a model: the iteration log on the way, and the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.commands.iteration_log import IterationLog, shown_details
from memagic.commands.model import Model
from memagic.commands.settings import technique_words
from memagic.display.formats import g
from memagic.engine.crossed.system import TooLarge
from memagic.engine.events import Event, Listener, silent
from memagic.engine.fit import Fit, StoppedFit, fit
from memagic.engine.grid import StoppedGrid
from memagic.engine.start import NotFeasible
from memagic.errors import Break, CommandError
from memagic.results import MEResults
from memagic.results.diagnosis import diagnose_from_afar
from memagic.results.estimates import Estimates, mark_boundary, mark_held

if TYPE_CHECKING:
    from memagic.display.log_lines import Progress

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["fit_model", "fit_with_log", "result_of"]


class Stopped(KeyboardInterrupt):
    """The user interrupted a fit; `so_far` is where it stood, `lines` its log."""

    def __init__(self, so_far: Fit, lines: tuple[str, ...]) -> None:
        super().__init__(so_far, lines)
        self.so_far = so_far
        self.lines = lines


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
    except (np.linalg.LinAlgError, OverflowError) as error:
        hint = "rescale variables of very large or very small values"
        raise CommandError(1400, "numerical overflow", hint=hint) from error
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
