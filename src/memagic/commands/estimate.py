"""The estimation commands: from a parsed command and a frame to a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast, get_args

from memagic.commands.constrained import Definitions, constraints_of
from memagic.commands.response import checked_response
from memagic.data.design import Design, DesignLevel, make_design
from memagic.data.variables import Variables
from memagic.display.log_lines import (
    FITTING_FIXED,
    FITTING_FULL,
    REFINING,
    Remark,
    grid_line,
    iteration_line,
    section,
)
from memagic.engine import covariance
from memagic.engine.events import Event, GridNode, Iteration, StageStarted
from memagic.engine.fit import NotFeasible, Settings, fit
from memagic.engine.maximize import Stopping
from memagic.engine.nodes import Method
from memagic.engine.problem import Level, Problem
from memagic.errors import CommandError
from memagic.models import ModelKind, ancillary_names, density, model_kind
from memagic.results import MEResults
from memagic.results.estimates import Estimates, name_parameters
from memagic.results.report import DisplayOptions, Exponentiated
from memagic.results.results import check_scale
from memagic.spec.tree import Command, Option

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["display_options", "estimate"]

_STAGES = {"fixed": FITTING_FIXED, "grid": REFINING, "full": FITTING_FULL}

_STRUCTURES = {
    "independent": covariance.independent,
    "identity": covariance.identity,
    "exchangeable": covariance.exchangeable,
    "unstructured": covariance.unstructured,
    # Unstructured ones with constraints on their elements.
    "fixed": covariance.unstructured,
    "pattern": covariance.unstructured,
}

# Nodes a cluster beyond which a fit takes hours where seven points in one dimension take a second.
_MOST_NODES = 1_000_000


def estimate(
    command: Command,
    frame: pd.DataFrame,
    stream: Callable[[str], None] | None = None,
    definitions: Definitions | None = None,
) -> MEResults:
    """Fit the model of `command` on `frame`.

    Parameters
    ----------
    command : Command
    frame : DataFrame
        Not changed.
    stream : callable, optional
        Given each line of notes and of the iteration log as it comes.
    definitions : Definitions, optional
        The constraints and matrices that the command may refer to.

    Raises
    ------
    CommandError
        Anything in the command or the data that does not allow the fit.
    """
    _refuse_what_is_missing(command)
    kind = model_kind(command)
    shown = display_options(command.options)
    check_scale(kind.link, kind.family, shown.exponentiated)
    settings = _settings(command)
    design = make_design(
        command,
        frame,
        kind.trials,
        binary=kind.family == "bernoulli",
        cutpoints=kind.family == "ordinal",
    )
    span = command.depvar.span
    response = checked_response(kind, command.depvar.name, design.y, design.trials, span)
    _check_size(design, kind)
    notes = (*design.notes, *response.notes)
    problem = Problem(
        family=density(kind, len(response.categories)),
        y=response.y,
        x=design.x,
        offset=design.offset,
        trials=design.trials,
        levels=tuple(_level(level) for level in design.levels),
    )
    _check_nodes(command, settings, problem)
    ancillary = ancillary_names(kind, len(response.categories))
    parameters, positions = name_parameters(command, kind, ancillary, design, None, problem)
    constraints, n_user = constraints_of(
        command, design, problem, parameters, positions, definitions or Definitions()
    )
    log = _Log(stream, quiet="nolog" in command.options)
    log.notes(notes)
    try:
        fitted = fit(problem, settings, log.hear, constraints)
    except NotFeasible:
        raise CommandError(1400, "initial values not feasible") from None
    variables = Variables(frame)
    used = {name for column in design.fixed for name, _ in column.factors}
    parameters, positions = name_parameters(command, kind, ancillary, design, fitted, problem)
    estimates = Estimates(
        command=command,
        kind=kind,
        design=design,
        problem=problem,
        fit=fitted,
        method=settings.method,
        n_points=None if settings.method == "laplace" else settings.n_points,
        parameters=parameters,
        positions=positions,
        categories=response.categories,
        value_labels={name: labels for name in used if (labels := variables.value_labels(name))},
        log=tuple(log.lines),
        notes=notes,
        n_user_constraints=n_user,
    )
    return MEResults(estimates, shown)


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
    )


class _Log:
    """Turns the engine's events into lines, keeps them, and hands them on as they come."""

    def __init__(self, stream: Callable[[str], None] | None, quiet: bool) -> None:
        self.lines: list[str] = []
        self._stream = stream
        self._quiet = quiet

    def notes(self, notes: tuple[str, ...]) -> None:
        if self._stream is not None:
            for note in notes:
                self._stream(note)

    def hear(self, event: Event) -> None:
        if self._quiet:
            return
        if isinstance(event, StageStarted):
            self._add(*section(_STAGES[event.stage]))
        elif isinstance(event, GridNode):
            self._add(grid_line(event.number, event.value))
        else:
            self._add(iteration_line(event.number, event.value, _remark(event)))

    def _add(self, *lines: str) -> None:
        self.lines.extend(lines)
        if self._stream is not None:
            for line in lines:
                self._stream(line)


def _remark(event: Iteration) -> Remark:
    if event.not_concave:
        return "not concave"
    return "backed up" if event.backed_up else ""


def _refuse_what_is_missing(command: Command) -> None:
    """Refuse what the language can say and the estimation cannot do."""
    for equation in command.random:
        if equation.factor is not None:
            raise CommandError(
                198, "crossed random effects, R.varname, are not supported", span=equation.factor_span
            )
    if command.fixed.weight is not None:
        raise CommandError(101, "weights are not supported", span=command.fixed.weight.span)


def _settings(command: Command) -> Settings:
    """Integration and stopping rules.

    Raises
    ------
    CommandError
        Points for a method that has none, or one point where moments are needed, r(198).
    """
    options = command.options
    method = _method(options.get("intmethod"))
    points = options.get("intpoints")
    n_points = 7 if points is None else _integer(points)
    if points is not None and method == "laplace":
        raise CommandError(198, "option intpoints() is not allowed with intmethod(laplace)", span=points.span)
    if points is not None and n_points == 1 and method == "mvaghermite":
        raise CommandError(
            198,
            "intmethod(mvaghermite) needs at least two integration points",
            span=points.span,
            hint="with one point there is no variance to adapt to; type intmethod(laplace)",
        )
    default = Stopping()
    stopping = Stopping(
        iterate=_integer(options["iterate"]) if "iterate" in options else default.iterate,
        tolerance=_real(options["tolerance"]) if "tolerance" in options else default.tolerance,
        ltolerance=_real(options["ltolerance"]) if "ltolerance" in options else default.ltolerance,
        nrtolerance=_real(options["nrtolerance"]) if "nrtolerance" in options else default.nrtolerance,
    )
    if "nonrtolerance" in options:
        stopping = replace(stopping, nrtolerance=None)
    return Settings(method, n_points, stopping)


def _method(option: Option | None) -> Method:
    chosen = "mvaghermite" if option is None else option.value
    for method in get_args(Method):
        if method == chosen:
            return cast("Method", method)
    raise ValueError(chosen)


def _integer(option: Option) -> int:
    assert isinstance(option.value, int)
    return option.value


def _real(option: Option) -> float:
    assert isinstance(option.value, (int, float))
    return float(option.value)


def _level(level: DesignLevel) -> Level:
    """A level as the engine takes it."""
    structures = [_STRUCTURES[e.covariance](len(e.columns)) for e in level.equations]
    structure = structures[0] if len(structures) == 1 else covariance.block_diagonal(structures)
    return Level(level.grouping.codes, level.z, structure)


def _check_size(design: Design, kind: ModelKind) -> None:
    """Refuse samples with no more observations than coefficients."""
    if len(design.y) <= design.x.shape[1] and kind.family == "gaussian":
        raise CommandError(
            2001,
            "insufficient observations",
            hint=f"{len(design.y)} observations, {design.x.shape[1]} coefficients",
        )


def _check_nodes(command: Command, settings: Settings, problem: Problem) -> None:
    """Refuse rules whose nodes cannot be evaluated in reasonable time, before starting."""
    if problem.structure is None or problem.family.closed_form or settings.method == "laplace":
        return
    nodes = settings.n_points**problem.structure.q
    if nodes > _MOST_NODES:
        q, points = problem.structure.q, settings.n_points
        option = command.options.get("intpoints")
        raise CommandError(
            198,
            f"{points} points in each of {q} dimensions make {nodes:,} nodes an observation",
            span=command.random[0].span if option is None else option.span,
            hint="fewer points with intpoints(), or intmethod(laplace)",
        )
