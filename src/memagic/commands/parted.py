"""Estimation commands on data in partitions: the model is put together here, its rows stay there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memagic.commands.arrays import engine_problem
from memagic.commands.constrained import Definitions
from memagic.commands.integration import too_many_nodes
from memagic.commands.model import Elsewhere, Model, kind_and_options, labels_of, named_model
from memagic.commands.part_limits import refuse_in_parts
from memagic.commands.part_shell import DesignFacts, design_facts, shell_design, shell_problem
from memagic.commands.response import Response, checked_response
from memagic.commands.settings import engine_settings
from memagic.commands.size import check_rank, check_size
from memagic.commands.variance import standard_errors
from memagic.data.collinear import judged
from memagic.data.design import Design, has_constant, refuse_response, with_bases
from memagic.data.levels import refuse_zero
from memagic.data.part_rows import (
    PartSummary,
    merged_levels,
    open_part,
    part_design,
    part_extremes,
    part_moments,
    part_summary,
    with_levels,
)
from memagic.data.partitions import Partitions
from memagic.data.perfect import Extremes, prune
from memagic.data.responses import response_words
from memagic.data.sample import ALL, Dropped
from memagic.data.terms import Column, expand_with_bases
from memagic.data.variables import Variables
from memagic.engine.families import Family
from memagic.engine.fit import Settings
from memagic.engine.parted import PartedProblem, RowSums, row_sums
from memagic.engine.problem import Problem
from memagic.engine.quadrature import affordable_nodes
from memagic.engine.workers import OnWorkers
from memagic.errors import CommandError
from memagic.models import ModelKind, density, model_kind
from memagic.results.estimates import SampleFacts
from memagic.spec.tree import Command

Array = NDArray[np.float64]
Values = tuple[tuple[Column, float], ...]

__all__ = ["prepare_in_parts"]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The fixed-effects equation over all parts.

    Attributes
    ----------
    everything : list of Column
        Bases among them.
    fixed : tuple of Column
        As they turned out.
    left_out : tuple of (Column, float)
        Perfect predictors, and the value whose rows are not in the sample.
    notes : tuple of str
    """

    everything: list[Column]
    fixed: tuple[Column, ...]
    left_out: Values
    notes: tuple[str, ...]


def prepare_in_parts(command: Command, data: Partitions, definitions: Definitions) -> Model:
    """`prepare` for data that stay on the workers of a cluster.

    Parameters
    ----------
    command : Command
    data : Partitions
        Every group of the highest level is in one partition.
    definitions : Definitions

    Raises
    ------
    CommandError
        As `prepare`; what needs all rows in one place, or a group in two partitions, r(198).
    """
    refuse_in_parts(command)
    refuse_response(command)
    kind, shown = kind_and_options(command)
    settings = engine_settings(command)
    opened = data.each(open_part, data.futures(_used(command, data)), command, kind.trials)
    summaries: list[PartSummary] = data.gathered(part_summary, opened, command, kind.trials)
    summary = _merged(command, summaries)
    words = summary.labels.get(command.depvar.variable) if response_words(command, data.empty()) else None
    response = _response(kind, command, summary, words or {})
    opened = data.each(with_levels, opened, summary.levels)
    columns = _columns(command, kind, data, opened, Variables(data.empty(), levels=summary.levels))
    designs = data.each(part_design, opened, command, kind.trials, columns.fixed, columns.left_out)
    found: list[DesignFacts | None] = data.gathered(design_facts, designs)
    there = [(part, facts) for part, facts in zip(designs, found, strict=True) if facts is not None]
    if not there:
        raise CommandError(2000, "no observations")
    whole = reduce(add, [facts for _, facts in there])
    refuse_zero(command.random, whole.template.levels, whole.touched)
    design = shell_design(whole, _dropped(summary.dropped, whole.n), columns.notes)
    design = replace(design, with_bases=with_bases(columns.everything, columns.fixed))
    family = density(kind, len(response.categories))
    problems = data.each(_problem, [part for part, _ in there], family, kind.family, response.categories)
    return _model(
        command, kind, design, response, shown, settings, definitions, _Data(data, problems, whole, summary)
    )


@dataclass(frozen=True, slots=True)
class _Data:
    """What is known of the data once the problems are made."""

    partitions: Partitions
    problems: list[Any]
    facts: DesignFacts
    summary: PartSummary


def _model(
    command: Command,
    kind: ModelKind,
    design: Design,
    response: Response,
    shown: Any,
    settings: Settings,
    definitions: Definitions,
    data: _Data,
) -> Model:
    """Names and settings, and the problem that is elsewhere."""
    family = density(kind, len(response.categories))
    problem = shell_problem(design, family)
    home = OnWorkers(data.partitions.client, data.problems)
    sums: RowSums = reduce(add, home.each(row_sums))
    check_size(sums.n, len(sums.x), kind)
    check_rank(command, sums.x)
    _check_nodes(command, settings, problem, sums.largest)
    errors = standard_errors(command, design)
    model = named_model(command, kind, shown, design, response, problem, settings, errors, definitions)
    return replace(
        model,
        value_labels=labels_of(design, data.summary.labels),
        elsewhere=Elsewhere(
            PartedProblem(family, problem.structures, sums, home),
            SampleFacts(data.facts.n_obs, data.facts.counts, _signature(command, data.facts), ()),
        ),
    )


def _used(command: Command, data: Partitions) -> list[str]:
    """The columns that a command names anywhere; others are not read."""
    words: set[object] = set()
    waiting: list[object] = [replace(command, text="")]
    while waiting:
        one = waiting.pop()
        if is_dataclass(one):
            waiting += [getattr(one, f.name) for f in fields(one)]
        elif isinstance(one, dict):
            waiting += [*one.values()]
        elif isinstance(one, tuple | list):
            waiting += one
        elif isinstance(one, str):
            words.add(one)
    trials = model_kind(command).trials
    return [name for name in data.frame.columns if name in words or name == trials]


def _merged(command: Command, summaries: Sequence[PartSummary]) -> PartSummary:
    """What is known of all parts together."""
    labels: dict[str, dict[float, str]] = {}
    for summary in (summary for summary in summaries if summary.n):
        for name, words in summary.labels.items():
            if labels.setdefault(name, words) != words:
                hint = f'df.categorize(columns=["{name}"]) gives all partitions the same'
                raise CommandError(198, f"partitions have other categories of {name}", hint=hint)
    tops = [top for summary in summaries for top in summary.tops.tolist()]
    if len(set(tops)) < len(tops):
        equation, seen = command.random[0], set[object]()
        twice = next(top for top in tops if top in seen or seen.add(top))  # type: ignore[func-returns-value]
        raise CommandError(
            198,
            f"{equation.level} {twice} is in more than one partition",
            span=equation.level_span,
            hint=f'df.shuffle("{equation.level}") puts every {equation.level} into one',
        )
    n = sum(summary.n for summary in summaries)
    if n == 0:
        hint = "no observation satisfies if and has all variables"
        raise CommandError(2000, "no observations", hint=hint)
    return PartSummary(
        n=n,
        dropped=reduce(add, [summary.dropped for summary in summaries]),
        levels=merged_levels(summaries),
        labels=labels,
        tops=np.empty(0),
        response=np.concatenate([summary.response for summary in summaries]),
    )


def _dropped(dropped: Dropped, n: int) -> Dropped:
    """With the rows that perfect predictors have taken away."""
    return dropped.also("perfectly predicted", dropped.used - n)


def _response(kind: ModelKind, command: Command, summary: PartSummary, words: dict[float, str]) -> Response:
    """What the family asks of the response, of rows that show all there is."""
    trials = summary.response[:, 1] if isinstance(kind.trials, str) else float(kind.trials or 1.0)
    name, span = command.depvar.variable, command.depvar.span
    return checked_response(kind, name, summary.response[:, 0], trials, span, lambda: words)


def _columns(
    command: Command, kind: ModelKind, data: Partitions, opened: list[Any], known: Variables
) -> _Columns:
    """The columns of the fixed-effects equation, by sums over all parts."""
    everything = expand_with_bases(known, command.fixed.terms, np.zeros(0, dtype=bool))
    columns = [column for column in everything if column.state != "base"]
    notes: list[str] = []
    left_out: Values = ()
    if kind.family == "bernoulli" and "asis" not in command.fixed.options:
        left_out = _perfect(command, data, opened, columns, notes)
    cutpoints = kind.family == "ordinal"
    centre = has_constant(command) or cutpoints
    used = [column for column in columns if column.state == "estimated"]
    sums = reduce(add, data.gathered(part_moments, opened, used, left_out, centre))
    fixed = judged(columns, sums, centre, notes, "collinear" in command.options)
    return _Columns(everything, fixed[:-1] if cutpoints else fixed, left_out, tuple(notes))


def _perfect(
    command: Command, data: Partitions, opened: list[Any], columns: list[Column], notes: list[str]
) -> Values:
    """Perfect predictors, which are marked in `columns`, and their values that are not in the sample."""
    used = [j for j, column in enumerate(columns) if column.state == "estimated"]
    tested = [columns[j] for j in used]
    if not tested:
        return ()
    looked: dict[int, Extremes] = {}

    def look(j: int, left_out: Sequence[tuple[int, float]]) -> Extremes:
        if len(left_out) not in looked:
            values = tuple((tested[k], value) for k, value in left_out)
            parts = data.gathered(part_extremes, opened, command.depvar.variable, tested, values)
            looked[len(left_out)] = reduce(add, parts)
        return looked[len(left_out)].only(j)

    found = prune([column.name for column in tested], look, lambda j, value: None)
    notes += found.notes
    for j, stays in zip(used, found.columns, strict=True):
        if not stays:
            columns[j] = columns[j].omitted("omitted")
    return tuple((tested[j], value) for j, value in found.values)


def _problem(design: Design, family: Family, name: str, categories: Array) -> Problem:
    """A part's arrays as the engine takes them; where the part lives."""
    y = design.y
    if name == "bernoulli":
        y = (y != 0.0).astype(float)
    elif name == "ordinal":
        y = np.searchsorted(categories, y).astype(float)
    return engine_problem(design, family, y)


def _check_nodes(command: Command, settings: Settings, problem: Problem, largest: int) -> None:
    """As `check_nodes`, by the size of the largest group."""
    structure = problem.structure
    if structure is None or problem.family.closed_form or settings.method == "laplace":
        return
    if not affordable_nodes(settings.n_points**structure.q, largest):
        raise too_many_nodes(command, structure.q, settings.n_points)


def _signature(command: Command, facts: DesignFacts) -> str:
    """`e(datasignature)`: observations, variables, and a checksum of those of the parts."""
    names = {command.depvar.variable, *facts.template.covariates}
    names |= {equation.level for equation in command.random if equation.level != ALL}
    digest = hashlib.blake2b(facts.digest, digest_size=8)
    return f"{facts.n_obs}:{len(names)}:{digest.hexdigest()}"
