"""A command put together with its data: the model that is to be fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.commands.arrays import engine_problem
from memagic.commands.constrained import Definitions, constraints_of
from memagic.commands.integration import check_integration, check_nodes, crossed_notes
from memagic.commands.response import Response, checked_response
from memagic.commands.settings import engine_settings
from memagic.commands.shown import display_options
from memagic.commands.size import check_rank, check_size
from memagic.commands.starting import start_settings
from memagic.commands.variance import StandardErrors, standard_errors
from memagic.data.design import Design, make_design
from memagic.data.responses import response_words
from memagic.engine.constraints import LinearConstraints
from memagic.engine.fit import Settings
from memagic.engine.parted import PartedProblem
from memagic.engine.problem import Problem
from memagic.models import ModelKind, ancillary_names, density, model_kind
from memagic.results.display_options import DisplayOptions, check_scale
from memagic.results.estimates import Parameter, SampleFacts, name_parameters
from memagic.results.uncertainty import Uncertainty
from memagic.spec.tree import Command

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["Elsewhere", "Model", "kind_and_options", "labels_of", "named_model", "prepare"]


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
    words = partial(response_words, command, frame)
    response = checked_response(kind, command.depvar.variable, design.y, design.trials, span, words)
    check_size(len(design.y), design.x.shape[1], kind)
    if "collinear" in command.options:
        check_rank(command, design.x.T @ design.x)
    problem = engine_problem(design, density(kind, len(response.categories)), response.y)
    errors = standard_errors(command, design)
    check_nodes(command, settings, problem)
    model = named_model(command, kind, shown, design, response, problem, settings, errors, definitions)
    return replace(
        model,
        value_labels=labels_of(design, design.origin.words),
        notes=(*crossed_notes(command, settings, problem), *model.notes),
    )


def labels_of(design: Design, words: Mapping[str, Mapping[float, str]]) -> dict[str, dict[float, str]]:
    """The words of those variables that the fixed-effects equation has."""
    used = {name for column in design.fixed for name, _ in column.factors}
    return {name: dict(own) for name, own in words.items() if name in used}


def named_model(
    command: Command,
    kind: ModelKind,
    shown: DisplayOptions,
    design: Design,
    response: Response,
    problem: Problem,
    settings: Settings,
    errors: StandardErrors,
    definitions: Definitions,
) -> Model:
    """The names of the parameters, their constraints and starting values, of a problem that is put together.

    Raises
    ------
    CommandError
        What is wrong with the constraints or the starting values.
    """
    ancillary = ancillary_names(kind, len(response.categories))
    parameters, positions = name_parameters(command, kind, ancillary, design, problem)
    constraints, n_user = constraints_of(command, design, problem, parameters, positions, definitions)
    start = start_settings(command, parameters, positions, definitions.matrices)
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
        value_labels={},
        notes=(*design.notes, *response.notes),
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
