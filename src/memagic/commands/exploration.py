"""A model's start, to be explored: the log likelihood over a grid, and fits from its nodes.

Source: manual [ME] meglm, Remarks, 'Obtaining better starting values'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from memagic.commands.estimate import fit_model
from memagic.commands.model import Model
from memagic.commands.settings import engine_settings
from memagic.commands.starting import DEFAULT_GRID, grid_axes, grid_name, start_settings
from memagic.engine.events import Event, Iteration, StageStarted, silent
from memagic.engine.fit import make_objective
from memagic.engine.grid import grid_nodes, value_at
from memagic.engine.objective import Objective
from memagic.engine.restricted import space_of
from memagic.engine.space import Space, to_reported
from memagic.engine.start import NotFeasible, starting_point
from memagic.errors import CommandError
from memagic.results import MEResults
from memagic.spec.parser import parse_command
from memagic.spec.printer import unparse
from memagic.spec.tree import Command
from memagic.widgets.exploration import Axis, Component, Estimated, Exploration, Node, Step, Texts

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Ground", "explore", "fit_from", "log_likelihood_at", "nodes_of", "survey", "texts_of"]

# Options about the start, and those that go without a fit.
_START = ("startgrid", "from", "noestimate", "widget")
# Variances beyond which a grid over all of them is large, and only the first ones are proposed.
_MOST_AXES = 3


@dataclass(frozen=True, slots=True)
class Ground:
    """A model at its start, ready to be evaluated elsewhere.

    Attributes
    ----------
    model : Model
    command : Command
        Without what it says of the start.
    start : ndarray, shape (d,)
        The start without a grid, as it is reported.
    space : Space
    objective : Objective
        Over what the maximizer moves in.
    components : tuple of Component
        What a grid may vary: variances, covariances and residual variance that no constraint holds.
    places : ndarray of int
        Where the engine has each component.
    """

    model: Model
    command: Command
    start: Array
    space: Space
    objective: Objective
    components: tuple[Component, ...]
    places: Index


def survey(model: Model) -> Ground:
    """Fit the model that gives the starting values, and list what a grid may vary.

    Raises
    ------
    CommandError
        No variance can be varied, r(198); ``initial values not feasible``, r(1400), for the model
        without random effects.
    """
    problem, settings = model.problem, model.settings
    space = space_of(problem, model.constraints)
    try:
        start = starting_point(problem, settings.start, silent, model.constraints).values
    except NotFeasible:
        raise CommandError(1400, "initial values not feasible") from None
    components, places = [], []
    for parameter, position in zip(model.parameters, model.positions, strict=True):
        held = bool(space.held) and space.held[position]
        if parameter.role in ("coefficient", "ancillary") or held:
            continue
        components.append(
            Component(
                name=grid_name(parameter),
                address=parameter.name,
                covariance=parameter.role == "covariance",
                start=float(start[position]),
            )
        )
        places.append(position)
    if not components:
        hint = "the model has no variances, or constraints hold them all"
        raise CommandError(198, "there are no starting values to explore", hint=hint)
    options = {name: option for name, option in model.command.options.items() if name not in _START}
    return Ground(
        model=model,
        command=replace(model.command, options=options),
        start=start,
        space=space,
        objective=space.objective(make_objective(problem, settings)),
        components=tuple(components),
        places=np.array(places, dtype=np.intp),
    )


def explore(model: Model, keep: Callable[[MEResults], None] | None = None) -> Exploration:
    """Everything that the explorer of a model's start needs.

    Parameters
    ----------
    model : Model
    keep : callable, optional
        Makes a result the last estimates.

    Raises
    ------
    CommandError
        As `survey`.
    """
    ground = survey(model)

    def keep_it(result: Estimated) -> None:
        assert keep is not None
        assert isinstance(result, MEResults)
        keep(result)

    return Exploration(
        command=unparse(ground.command),
        components=ground.components,
        axes=_first_axes(ground),
        nodes=lambda axes: nodes_of(ground, axes),
        value=lambda node: log_likelihood_at(ground, node),
        fit=lambda node, line, step: fit_from(ground, node, line, step),
        texts=lambda axes, node: texts_of(ground, axes, node),
        keep=None if keep is None else keep_it,
    )


def nodes_of(ground: Ground, axes: Sequence[Axis]) -> tuple[Node, ...]:
    """The nodes that `startgrid()` with these axes has, numbered as the iteration log numbers them.

    Raises
    ------
    CommandError
        What `startgrid()` refuses, r(198).
    """
    command = parse_command(_with_option(ground, _startgrid(ground, axes)))
    try:
        engine_axes = grid_axes(command, ground.model.parameters, ground.model.positions)
    except CommandError as error:
        raise error.located(command.text) from None
    points = [ground.start, *grid_nodes(ground.start, engine_axes)]
    return tuple(
        Node(number, tuple(float(value) for value in point[ground.places]))
        for number, point in enumerate(points)
    )


def log_likelihood_at(ground: Ground, node: Node) -> float:
    """The log likelihood at a node, nan where it is not feasible."""
    values = ground.start.copy()
    values[ground.places] = node.values
    return value_at(ground.space, ground.objective, values)


def fit_from(
    ground: Ground,
    node: Node,
    line: Callable[[str], None] | None = None,
    step: Callable[[Step], None] | None = None,
) -> MEResults:
    """Maximize from a node: what the command with the node's `from()` does.

    Parameters
    ----------
    ground : Ground
    node : Node
    line : callable, optional
        Given each line of the iteration log as it comes.
    step : callable, optional
        Given each iteration of the full model.

    Raises
    ------
    CommandError
        ``initial values not feasible``, r(1400).
    """
    if not isfinite(log_likelihood_at(ground, node)):
        raise CommandError(1400, "initial values not feasible", hint="choose another node")
    model = ground.model
    command = parse_command(_with_option(ground, _from(ground, node)))
    start = start_settings(command, model.parameters, model.positions, {})
    settings = replace(engine_settings(command), start=start)
    stage = ""

    def hear(event: Event) -> None:
        nonlocal stage
        if isinstance(event, StageStarted):
            stage = event.stage
        elif isinstance(event, Iteration) and stage == "full" and step is not None:
            step(_step(ground, event))

    return fit_model(replace(model, command=command, settings=settings), line, listener=hear)


def texts_of(ground: Ground, axes: Sequence[Axis], node: Node) -> Texts:
    """What to type for a grid with these axes, and for a start at the node."""
    grid, given = _startgrid(ground, axes), _from(ground, node)
    return Texts(grid, given, _with_option(ground, grid), _with_option(ground, given))


def _startgrid(ground: Ground, axes: Sequence[Axis]) -> str:
    """``startgrid(.1 1 10 _cons[district])``; components with the same values share one."""
    parts = []
    for values, members in groupby(axes, key=lambda axis: axis.values):
        names = [ground.components[axis.component].name for axis in members]
        parts.append(f"startgrid({' '.join([*map(_number, values), *names])})")
    return " ".join(parts)


def _from(ground: Ground, node: Node) -> str:
    """``from(/var(_cons[district]) = .1)``: the node, and what the command itself gives."""
    names = {
        int(k): parameter.name
        for k, parameter in zip(ground.model.positions, ground.model.parameters, strict=True)
    }
    given = {names[position]: value for position, value in ground.model.settings.start.given}
    given |= {c.address: value for c, value in zip(ground.components, node.values, strict=True)}
    return f"from({' '.join(f'{name} = {_number(value)}' for name, value in given.items())})"


def _with_option(ground: Ground, option: str) -> str:
    """The command's text with one more option."""
    command = ground.command
    has_options = bool(command.options or (command.random and command.random[-1].options))
    return f"{unparse(command)}{' ' if has_options else ', '}{option}"


def _number(value: float) -> str:
    """All digits of a number, without a zero before the point."""
    text = str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return text.replace("-0.", "-.", 1) if text.startswith("-0.") else text.removeprefix("0") or "0"


def _first_axes(ground: Ground) -> tuple[Axis, ...]:
    """The grid that the command asks for, else the default one of the first variances."""
    asked = ground.model.settings.start.grid
    place = {int(position): k for k, position in enumerate(ground.places)}
    axes = tuple(Axis(place[a.position], a.values) for a in asked if a.position in place)
    if axes:
        return axes
    variances = [k for k, component in enumerate(ground.components) if not component.covariance]
    return tuple(Axis(k, DEFAULT_GRID) for k in (variances or [0])[:_MOST_AXES])


def _step(ground: Ground, event: Iteration) -> Step:
    assert event.detail is not None
    reported = to_reported(ground.model.problem, event.detail.theta)[ground.places]
    remark = "not concave" if event.not_concave else "backed up" if event.backed_up else ""
    return Step(event.number, event.value, tuple(float(value) for value in reported), remark)
