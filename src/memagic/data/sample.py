"""The estimation sample: the rows that are selected and have every variable of the command."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from memagic.data.evaluate import condition_mask, row_range_mask
from memagic.data.responses import refuse_text
from memagic.data.variables import Variables, check_range
from memagic.data.weights import weighted_rows
from memagic.errors import CommandError
from memagic.spec.tree import Command, VarianceEstimator

Mask = NDArray[np.bool_]
Index = NDArray[np.intp]
Span = tuple[int, int]

__all__ = ["ALL", "Dropped", "Rows", "cluster_variable", "estimation_sample", "selected_rows"]

# The level that is one group of all observations.
ALL = "_all"


@dataclass(frozen=True, slots=True)
class Dropped:
    """How the rows of the data became the estimation sample.

    Attributes
    ----------
    rows : int
        N, in the data.
    reasons : tuple of (str, int)
        Why rows are not used and how many; each row counts once, for its first reason.
    """

    rows: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def used(self) -> int:
        """Rows of the estimation sample."""
        return self.rows - sum(count for _, count in self.reasons)

    def also(self, reason: str, count: int) -> Dropped:
        """The same with one more reason, unless it concerns no row."""
        return replace(self, reasons=(*self.reasons, (reason, count))) if count else self

    def __add__(self, other: Dropped) -> Dropped:
        """Those of two parts of the data together."""
        reasons = dict(self.reasons)
        for reason, count in other.reasons:
            reasons[reason] = reasons.get(reason, 0) + count
        return Dropped(self.rows + other.rows, tuple(reasons.items()))

    def __str__(self) -> str:
        lines = [("rows in the data", self.rows)]
        lines += [(f"not used: {reason}", -count) for reason, count in self.reasons]
        lines.append(("rows in the estimation sample", self.used))
        width = max(len(f"{count:,}") for _, count in lines)
        return "\n".join(f"{count:>{width},}  {words}" for words, count in lines)

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows are estimated from.

    Attributes
    ----------
    sample : ndarray of bool, shape (N,)
    codes : dict of str to ndarray of int, shape (N,)
        By group variable, by variable of `R.varname` and by that of vce(cluster); -1 where it is missing.
    dropped : Dropped
        Why the other rows are not in the sample.
    numeric : dict of str to span
        The variables that enter as numbers, and where they are first named.
    """

    sample: Mask
    codes: dict[str, Index]
    dropped: Dropped
    numeric: dict[str, Span | None]


def estimation_sample(
    command: Command, variables: Variables, trials: float | str | None
) -> tuple[Mask, dict[str, Index], Dropped]:
    """Which rows are estimated from, and the codes of the group variables.

    Parameters
    ----------
    command : Command
    variables : Variables
    trials : float or str, optional
        Number of trials of a binomial response, or the variable that holds it.

    Returns
    -------
    sample : ndarray of bool, shape (N,)
    codes : dict of str to ndarray of int, shape (N,)
        By group variable, by variable of `R.varname` and by that of vce(cluster); -1 where it is missing.
    dropped : Dropped
        Why the other rows are not in the sample.

    Raises
    ------
    CommandError
        A variable is not there, r(111), or of the wrong type, r(109); no rows are left, r(2000);
        values in them are infinite or too large, r(459); weights are negative, r(402), or frequencies
        that are no integers, r(401).
    """
    rows = selected_rows(command, variables, trials)
    if not rows.sample.any():
        hint = _why_empty(command, variables, rows.numeric, rows.codes)
        raise CommandError(2000, "no observations", hint=hint)
    return rows.sample, rows.codes, rows.dropped


def selected_rows(command: Command, variables: Variables, trials: float | str | None) -> Rows:
    """The same, of a part of the data, of which no row may be in the sample.

    Raises
    ------
    CommandError
        As `estimation_sample`, but for r(2000).
    """
    sample, dropped = _selected(command, variables)
    weighted = weighted_rows(command, variables, sample)
    dropped = dropped.also("the weight is missing or zero", int(np.count_nonzero(sample & ~weighted)))
    sample = weighted
    refuse_text(command, variables)
    numeric = _numeric(command, trials)
    for name, span in numeric.items():
        missing = np.isnan(variables.numbers(name, span))
        if missing.any():
            dropped = dropped.also(f"{name} is missing", int(np.count_nonzero(sample & missing)))
            sample = sample & ~missing
    codes: dict[str, Index] = {}
    clusters = cluster_variable(command)
    if clusters is not None:
        codes[clusters[0]] = variables.groups(*clusters)
        sample = sample & (codes[clusters[0]] >= 0)
    for equation in command.random:
        used = [(equation.level, equation.level_span)] if equation.level != ALL else []
        if equation.factor is not None:
            used.append((equation.factor, equation.factor_span))
        for name, span in used:
            if name not in codes:
                codes[name] = variables.groups(name, span)
                present = codes[name] >= 0
                dropped = dropped.also(f"{name} is missing", int(np.count_nonzero(sample & ~present)))
                sample = sample & present
    rows = slice(None) if sample.all() else sample
    for name, span in numeric.items():
        check_range(variables.numbers(name)[rows], name, span)
    return Rows(sample, codes, dropped, numeric)


def cluster_variable(command: Command) -> tuple[str, Span] | None:
    """The variable of ``vce(cluster clustvar)`` and its place."""
    option = command.options.get("vce")
    if option is None or not isinstance(option.value, VarianceEstimator) or option.value.cluster is None:
        return None
    return option.value.cluster, option.argument_span


def _numeric(command: Command, trials: float | str | None) -> dict[str, Span | None]:
    """The variables that enter as numbers, with the places where they come first."""
    terms = [*command.fixed.terms, *(term for equation in command.random for term in equation.terms)]
    used: dict[str, Span | None] = {command.depvar.variable: command.depvar.span}
    for term in terms:
        for factor in term.operands:
            used.setdefault(factor.variable, factor.span)
    for name in ("offset", "exposure"):
        if name in command.fixed.options:
            option = command.fixed.options[name]
            used.setdefault(str(option.value), option.argument_span)
    if isinstance(trials, str):
        used.setdefault(trials, _trials_span(command))
    return used


def _trials_span(command: Command) -> Span | None:
    for name in ("binomial", "family"):
        if name in command.options:
            return command.options[name].argument_span
    return None


def _selected(command: Command, variables: Variables) -> tuple[Mask, Dropped]:
    """Rows that `if` and `in` leave."""
    n = len(variables.frame)
    sample = np.ones(n, dtype=bool)
    dropped = Dropped(n, ())
    if command.fixed.condition is not None:
        chosen = condition_mask(command.fixed.condition, variables)
        dropped = dropped.also("the condition after if is not true", int(np.count_nonzero(~chosen)))
        sample &= chosen
    if command.fixed.rows is not None:
        chosen = row_range_mask(command.fixed.rows, n)
        dropped = dropped.also("outside of the range after in", int(np.count_nonzero(sample & ~chosen)))
        sample &= chosen
    return sample, dropped


def _why_empty(
    command: Command, variables: Variables, numeric: dict[str, Span | None], codes: dict[str, Index]
) -> str | None:
    """A hint that names a variable that is missing throughout."""
    missing = {name: np.isnan(variables.numbers(name)) for name in numeric}
    missing |= {name: groups < 0 for name, groups in codes.items()}
    for name, rows in missing.items():
        if len(rows) and rows.all():
            return f"{name} is missing in every observation"
    if command.fixed.condition is not None or command.fixed.rows is not None:
        return "no observation satisfies if and in and has all variables"
    if command.fixed.weight is not None:
        return "no observation has a weight above zero and all variables"
    return None
