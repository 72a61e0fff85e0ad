"""The design of a model: estimation sample, response, columns of both equations, groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.data.coded import CodedTerm, coded_terms, compact, dense, moments
from memagic.data.collinear import judged
from memagic.data.levels import DesignLevel, Grouping, RandomEffects, make_levels, refuse_zero, touched
from memagic.data.origin import Origin, make_origin
from memagic.data.perfect import has_pure_level, prune_perfect
from memagic.data.sample import Dropped, cluster_variable, estimation_sample
from memagic.data.terms import Column, expand_with_bases
from memagic.data.variables import Variables
from memagic.data.weight_scaling import scale_weights
from memagic.data.weights import Weights, make_weights
from memagic.errors import CommandError
from memagic.spec.tree import Command, Option

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.intp]

__all__ = [
    "Design",
    "DesignLevel",
    "Grouping",
    "RandomEffects",
    "assemble",
    "fixed_matrix",
    "has_constant",
    "make_design",
    "refuse_response",
    "with_bases",
]


@dataclass(frozen=True, slots=True)
class Design:
    """Arrays over the n observations of the estimation sample, and the names that go with them.

    Attributes
    ----------
    sample : ndarray of bool, shape (N,)
        Which rows of the frame are in the estimation sample.
    y : ndarray, shape (n,)
    x : ndarray, shape (n, p)
        Columns of the fixed-effects equation that are estimated, the constant last.
    fixed : tuple of Column
        All columns of that equation, the omitted ones among them.
    offset : ndarray, shape (n,), or None
    trials : ndarray, shape (n,), or float
    levels : tuple of DesignLevel
        Highest first.
    notes : tuple of str
        What the data made necessary, in the manual's words.
    weights : Weights or None
    clusters : ndarray of int, shape (n,), or None
        Codes of the variable of vce(cluster).
    with_bases : tuple of Column
        `fixed` with the base levels in their places.
    index : Index, shape (N,), or None
        The labels of the frame's rows.
    dropped : Dropped or None
        Why rows are not in the sample.
    origin : Origin
        What predictions for other rows are held against.
    covariates : mapping of str to ndarray, shape (n,)
        The variables that the columns of both equations are made of.
    """

    sample: Mask
    y: Array
    x: Array
    fixed: tuple[Column, ...]
    offset: Array | None
    trials: Array | float
    levels: tuple[DesignLevel, ...]
    notes: tuple[str, ...]
    weights: Weights | None = None
    clusters: Index | None = None
    with_bases: tuple[Column, ...] = ()
    covariates: Mapping[str, Array] = field(default_factory=dict)
    index: pd.Index | None = None
    dropped: Dropped | None = None
    origin: Origin = field(default_factory=Origin)

    @property
    def groupings(self) -> tuple[Grouping, ...]:
        """The groups of every level, highest first."""
        return tuple(level.grouping for level in self.levels)


def make_design(
    command: Command,
    frame: pd.DataFrame,
    trials: float | str | None,
    *,
    binary: bool = False,
    cutpoints: bool = False,
) -> Design:
    """The design of `command` on `frame`.

    Parameters
    ----------
    command : Command
    frame : DataFrame
        Not changed.
    trials : float or str, optional
        Number of trials of a binomial response, or the variable that holds it.
    binary : bool
        Whether the response is a success wherever it is not zero; perfect predictors of it are then
        left out, unless the command says `asis`.
    cutpoints : bool
        Whether the model has cutpoints, which take the place of the constant.

    Raises
    ------
    CommandError
        A variable is not there, r(111), or of the wrong type, r(109) or r(452); no observations are
        left, r(2000); values are infinite or too large, r(459); the dependent variable is among the
        covariates, or a random-effects equation has no effects or one twice, r(198).
    """
    refuse_response(command)
    variables = Variables(frame, command.time)
    sample, codes, dropped = estimation_sample(command, variables, trials)
    notes: list[str] = []
    everything = expand_with_bases(variables, command.fixed.terms, sample)
    columns = [column for column in everything if column.state != "base"]
    terms = coded_terms(variables, _estimated(columns), sample)
    if binary and "asis" not in command.fixed.options:
        kept = _without_perfect(variables, command.depvar.variable, columns, terms, sample, notes)
        if kept is not sample:
            sample, terms = kept, coded_terms(variables, _estimated(columns), kept)
            dropped = dropped.also("perfectly predicted", dropped.used - int(np.count_nonzero(sample)))
    n, p = int(np.count_nonzero(sample)), len(_estimated(columns))
    centred, keep = has_constant(command) or cutpoints, "collinear" in command.options
    fixed = judged(columns, moments(terms, n, p, centre=centred), centred, notes, keep)
    fixed = fixed[:-1] if cutpoints else fixed
    if len([column for column in _estimated(fixed) if column.factors]) < p:
        x = fixed_matrix(variables, fixed, sample)
    else:
        x = _matrix(terms, n, ones=len(_estimated(fixed)) - p)
    design = assemble(command, variables, sample, codes, trials, fixed, x)
    refuse_zero(command.random, design.levels, touched(design.levels))
    return replace(design, notes=tuple(notes), with_bases=with_bases(everything, fixed), dropped=dropped)


def has_constant(command: Command) -> bool:
    """Whether the fixed-effects equation has one."""
    return "noconstant" not in command.fixed.options


def assemble(
    command: Command,
    variables: Variables,
    sample: Mask,
    codes: dict[str, Index],
    trials: float | str | None,
    fixed: tuple[Column, ...],
    x: Array,
) -> Design:
    """The design of a sample and of columns that are known.

    Parameters
    ----------
    command : Command
    variables : Variables
    sample : ndarray of bool, shape (N,)
    codes : dict of str to ndarray of int, shape (N,)
        Of the group variables.
    trials : float or str, optional
        As in `make_design`.
    fixed : tuple of Column
        All columns of the fixed-effects equation, as they turned out.
    x : ndarray, shape (n, p)
        Those of them that are estimated.

    Raises
    ------
    CommandError
        As `make_design`, for all that is not the sample's or the columns' own.
    """
    offset = _offset(
        variables, sample, command.fixed.options.get("offset"), command.fixed.options.get("exposure")
    )
    levels = make_levels(variables, command.random, codes, sample)
    clusters = cluster_variable(command)
    weights = make_weights(command, variables, sample, [level.grouping for level in levels])
    if "pwscale" in command.options:
        groupings = tuple(level.grouping for level in levels)
        weights = scale_weights(weights, groupings, command.options["pwscale"])
    own = [c for level in levels for e in level.equations if not e.factor for c in e.columns]
    return Design(
        sample=sample,
        y=variables.numbers(command.depvar.variable)[sample],
        x=x,
        fixed=fixed,
        offset=offset,
        trials=variables.numbers(trials)[sample] if isinstance(trials, str) else float(trials or 1.0),
        levels=levels,
        notes=(),
        weights=weights,
        clusters=None if clusters is None else codes[clusters[0]][sample],
        covariates=_covariates(variables, fixed, levels, sample),
        index=variables.frame.index,
        origin=make_origin(variables, sample, [*fixed, *own], [command.depvar.variable]),
    )


def _estimated(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.state == "estimated"]


def fixed_matrix(variables: Variables, fixed: Sequence[Column], sample: Mask) -> Array:
    """The estimated columns of the fixed-effects equation, shape (n, p)."""
    kept = _estimated(fixed)
    ones = sum(not column.factors for column in kept)
    terms = coded_terms(variables, kept[: len(kept) - ones], sample)
    return _matrix(terms, int(np.count_nonzero(sample)), ones)


def _matrix(terms: Sequence[CodedTerm], n: int, ones: int) -> Array:
    """The columns of the terms and, if there is one, the constant."""
    matrix = dense(terms, n, extra=ones)
    matrix[:, matrix.shape[1] - ones :] = 1.0
    return matrix


def _covariates(
    variables: Variables, fixed: tuple[Column, ...], levels: tuple[DesignLevel, ...], sample: Mask
) -> dict[str, Array]:
    """The variables of all columns but those of `R.varname`, which may be text."""
    columns = [*fixed]
    for equation in (equation for level in levels for equation in level.equations):
        columns += [] if equation.factor else equation.columns
    names = dict.fromkeys(name for column in columns for name, _ in column.factors)
    return {name: variables.numbers(name)[sample] for name in names}


def with_bases(everything: list[Column], fixed: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns of the equation as they turned out, and the base levels among them."""
    found = iter(fixed)
    return (*(column if column.state == "base" else next(found) for column in everything), *found)


def refuse_response(command: Command) -> None:
    """Refuse the dependent variable on the right-hand side, which would fit perfectly."""
    name = command.depvar.variable
    equations = [("covariates", command.fixed.terms)]
    equations += [("random effects", equation.terms) for equation in command.random]
    for where, terms in equations:
        for factor in (factor for term in terms for factor in term.operands):
            if factor.variable == name:
                raise CommandError(198, f"depvar {name} may not be among the {where}", span=factor.span)


def _offset(
    variables: Variables, sample: Mask, offset: Option | None, exposure: Option | None
) -> Array | None:
    if offset is not None and exposure is not None:
        raise CommandError(198, "only one of offset() or exposure() may be specified", span=exposure.span)
    if offset is not None:
        return variables.numbers(str(offset.value))[sample]
    if exposure is not None:
        values = variables.numbers(str(exposure.value))[sample]
        if np.any(values <= 0.0):
            raise CommandError(459, "exposure() must be greater than zero", span=exposure.argument_span)
        return np.log(values)
    return None


def _without_perfect(
    variables: Variables,
    depvar: str,
    columns: list[Column],
    terms: Sequence[CodedTerm],
    sample: Mask,
    notes: list[str],
) -> Mask:
    """The sample without perfectly predicted rows; their columns are marked in `columns`.

    `terms` are those of the columns that are estimated so far.
    """
    outcome = variables.numbers(depvar)[sample] != 0.0
    if outcome.all() or not outcome.any() or not columns:
        return sample
    used = [j for j, column in enumerate(columns) if column.state == "estimated"]
    names = [columns[j].name for j in used]
    counted = [term for term in terms if term.codes is not None and term.values is None]
    others = [term for term in terms if term.codes is None or term.values is not None]
    if not any(has_pure_level(outcome, term.codes) for term in counted if term.codes is not None):
        # Most factors have no such level, which counting tells without a column for each.
        apart, places = compact(others)
        if not prune_perfect(outcome, dense(apart, len(outcome)), [names[k] for k in places]).notes:
            return sample
    pruned = prune_perfect(outcome, dense(terms, len(outcome)), names)
    if not pruned.notes:
        return sample
    notes += pruned.notes
    for k in np.flatnonzero(~pruned.columns):
        columns[used[k]] = columns[used[k]].omitted("omitted")
    kept = sample.copy()
    kept[sample] = pruned.rows
    return kept
