"""The estimation commands: from a parsed command and a frame to a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memagic.commands.models import ModelKind, model_kind
from memagic.commands.response import checked_response
from memagic.data.design import Design, make_design
from memagic.display.log_lines import grid_line, iteration_line, section
from memagic.engine import covariance
from memagic.engine.events import Event, GridNode, Iteration, StageStarted
from memagic.engine.fit import NotFeasible, Settings, fit
from memagic.engine.maximize import Stopping
from memagic.engine.nodes import Method
from memagic.engine.problem import Problem
from memagic.errors import CommandError
from memagic.results import MEResults
from memagic.spec.tree import Command, Covariance

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["estimate"]

_STAGES = {
    "fixed": "Fitting fixed-effects model:",
    "grid": "Refining starting values:",
    "full": "Fitting full model:",
}

_STRUCTURES = {
    "independent": covariance.independent,
    "identity": covariance.identity,
    "exchangeable": covariance.exchangeable,
    "unstructured": covariance.unstructured,
}

# A rule of this many nodes a cluster takes minutes where a usual one takes a second.
_MOST_NODES = 1_000_000


def estimate(command: Command, frame: pd.DataFrame, stream: Callable[[str], None] | None = None) -> MEResults:
    """Fit the model of `command` on `frame`.

    Parameters
    ----------
    command : Command
    frame : DataFrame
        Not changed.
    stream : callable, optional
        Given each line of notes and of the iteration log as it comes.

    Raises
    ------
    CommandError
        Anything in the command or the data that does not allow the fit.
    """
    _refuse_what_is_missing(command)
    kind = model_kind(command)
    design = make_design(command, frame, kind.trials)
    y, response_notes = checked_response(
        kind, command.depvar.name, design.y, design.trials, command.depvar.span
    )
    notes = (*design.notes, *response_notes)
    settings = _settings(command)
    problem = _problem(command, kind, design, y, settings)
    log = _Log(stream, quiet="nolog" in command.options)
    log.notes(notes)
    try:
        fitted = fit(problem, settings, log.hear)
    except NotFeasible:
        raise CommandError(1400, "initial values not feasible") from None
    return MEResults(
        command=command,
        kind=kind,
        design=design,
        fit=fitted,
        method=settings.method,
        n_points=settings.n_points,
        notes=notes,
        log=tuple(log.lines),
        labels=frame,
    )
