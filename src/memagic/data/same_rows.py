"""Which rows of a frame are those of an estimation sample, whatever has happened to the frame since.

The rule. Labels of the frame's index tell the rows wherever they are unique. Labels of the user's own are
believed: values may have been edited. Row numbers 0, 1, ... are not, for any frame has them, and one that
was sorted and numbered anew looks as if nothing had happened. There the values decide, and also where labels
occur twice in an index that is the same as before. Compared are the response, the covariates and the groups
that the design keeps:

- All are as they were: these are the rows.
- Some variable has the same values at other rows: the rows have been reordered, and are refused.
- The response is as it was, or all but the response: these are the rows, and the rest was edited. One of
  the variables that are as they were has to tell: it is not in order of its values, nor the same throughout
  every group, since a sort, of all rows or within groups, puts such a one back.
- Anything else is refused: these are other data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.data.design import Design
from memagic.data.new_rows import as_numbers
from memagic.data.sample import ALL
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.tree import Command

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Index = NDArray[np.intp]

__all__ = ["by_labels", "gone_note", "same_order", "sample_rows", "whole_sample"]

# Values that went through single precision and back are the same.
_SAME = 1e-6
_AGAIN = "fit again, or keep the index of the frame"


def sample_rows(design: Design, command: Command, frame: pd.DataFrame) -> Index:
    """Where the observations of the estimation sample are in a frame, by the rule above.

    Parameters
    ----------
    design : Design
    command : Command
        That the design was made for.
    frame : DataFrame
        Not changed.

    Returns
    -------
    ndarray of int, shape (n,)
        Positions among the frame's rows; -1 for an observation that is not there any more.

    Raises
    ------
    CommandError
        None is there, the rows cannot be told apart, or there is no sample, r(322).
    """
    place = np.flatnonzero(design.sample).astype(np.intp)
    fitted, current = _labels(design), frame.index
    if fitted.is_unique and current.is_unique:
        unchanged = fitted.equals(current)
        at = place if unchanged else _found(fitted[place], current)
        if (at < 0).all():
            hint = f"they are of {len(fitted):,} rows, the data have {len(frame):,}"
            raise CommandError(322, "the last estimates are of other data", hint=hint)
        if not _is_numbering(fitted) and not _is_numbering(current):
            return at
    elif fitted.equals(current[: len(fitted)]):
        # The same rows as before, perhaps with others after them.
        at = place
    else:
        hint = f"the frame's rows have changed, and labels that occur twice do not tell them: {_AGAIN}"
        raise CommandError(322, "the data have changed since estimation", hint=hint)
    _check_values(design, command, frame, at)
    return at


def whole_sample(design: Design, command: Command, frame: pd.DataFrame) -> Index:
    """As `sample_rows`, where all observations have to be there; shape (n,).

    Raises
    ------
    CommandError
        As `sample_rows`, and where some observations are gone, r(322).
    """
    at = sample_rows(design, command, frame)
    gone = int(np.count_nonzero(at < 0))
    if gone:
        hint = f"{gone:,} of the {len(at):,} observations are not in the data any more: fit again"
        raise CommandError(322, "the data have changed since estimation", hint=hint)
    return at


def gone_note(at: Index) -> tuple[str, ...]:
    """A line about observations that are not there any more; nothing if all are.

    Parameters
    ----------
    at : ndarray of int, shape (n,)
        As of `sample_rows`.
    """
    gone = int(np.count_nonzero(at < 0))
    if not gone:
        return ()
    verb = "is" if gone == 1 else "are"
    return (f"({gone:,} of the {len(at):,} observations of the estimation sample {verb} not in the data)",)


def by_labels(first: Design, second: Design) -> Index | None:
    """Where the observations of one sample are in another one, by the labels of their rows.

    Returns
    -------
    ndarray of int, shape (n,), or None
        Positions in the second sample; None where the labels are not the same or not unique.
    """
    a = _labels(first)[np.flatnonzero(first.sample)]
    b = _labels(second)[np.flatnonzero(second.sample)]
    if len(a) != len(b) or not (a.is_unique and b.is_unique):
        return None
    at = _found(a, b)
    return None if (at < 0).any() else at


def same_order(first: Design, second: Design) -> bool:
    """Whether two samples have the same rows in the same order, by all variables that both designs keep."""
    shared = [name for name in first.covariates if name in second.covariates]
    groups = {grouping.name: grouping for grouping in second.groupings}
    return (
        np.array_equal(first.sample, second.sample)
        and np.array_equal(first.y, second.y)
        and all(np.array_equal(first.covariates[name], second.covariates[name]) for name in shared)
        and all(
            np.array_equal(*_codes(mine.values[mine.codes], other.values[other.codes]))
            for mine in first.groupings
            if mine.name != ALL and (other := groups.get(mine.name)) is not None
        )
    )


# --- labels -----------------------------------------------------------------------------------


def _labels(design: Design) -> pd.Index:
    import pandas as pd

    return pd.RangeIndex(len(design.sample)) if design.index is None else design.index


def _found(labels: pd.Index, among: pd.Index) -> Index:
    """Positions of labels among others, -1 where they are not, shape (n,)."""
    if labels.nlevels != among.nlevels:
        return np.full(len(labels), -1, dtype=np.intp)
    return np.asarray(among.get_indexer(labels), dtype=np.intp)


def _is_numbering(index: pd.Index) -> bool:
    """Whether unique labels are the numbers of the rows, in any order."""
    from pandas.api.types import is_integer_dtype

    if index.nlevels > 1 or not is_integer_dtype(index.dtype):
        return False
    return not len(index) or (int(index.min()) == 0 and int(index.max()) == len(index) - 1)


# --- values -----------------------------------------------------------------------------------


def _check_values(design: Design, command: Command, frame: pd.DataFrame, at: Index) -> None:
    """Refuse rows whose values say that they are others.

    Raises
    ------
    CommandError
        r(322).
    """
    there = at >= 0
    edited, kept = [], []
    for name, before, now in _compared(design, command, frame, at[there], there):
        if now is not None and _equal(before, now):
            kept.append(now)
            continue
        if now is not None and _equal(np.sort(before), np.sort(now)):
            raise _reordered(name)
        edited.append(name)
    response = command.depvar.variable
    if not edited and kept:
        return
    groups = design.groupings[-1].codes[there] if design.groupings else None
    if any(_tells(now, groups) for now in kept) and (response not in edited or edited == [response]):
        return
    hint = (
        f"the rows have other values of {', '.join(edited[:5])}, as those of another frame or in another "
        f"order: {_AGAIN}"
    )
    raise CommandError(322, "the last estimates are of other data", hint=hint)


def _reordered(name: str) -> CommandError:
    hint = (
        f"the values of {name} are at other rows: the rows have been reordered and have no index that "
        f"tells them apart: {_AGAIN}"
    )
    return CommandError(322, "the data have changed since estimation", hint=hint)


def _compared(
    design: Design, command: Command, frame: pd.DataFrame, rows: Index, there: NDArray[np.bool_]
) -> Iterator[tuple[str, Array, Array | None]]:
    """Variables as they were and as they are in the frame; None where they cannot be read any more.

    `rows` are those of the frame, `there` says of which observations.
    """
    try:
        numbers = Variables(as_numbers(frame, design), command.time)
    except CommandError:
        numbers = Variables(frame, command.time)
    plain = Variables(frame)
    for name, before in ((command.depvar.variable, design.y), *design.covariates.items()):
        try:
            yield name, np.asarray(before[there], dtype=float), numbers.numbers(name)[rows]
        except CommandError:
            yield name, np.asarray(before[there], dtype=float), None
    for grouping in design.groupings:
        if grouping.name == ALL:
            continue
        try:
            now = plain.series(grouping.name).to_numpy()[rows]
            yield grouping.name, *_codes(grouping.values[grouping.codes[there]], now)
        except (CommandError, TypeError):
            yield grouping.name, grouping.codes[there].astype(float), None


def _codes(before: NDArray[np.generic], now: NDArray[np.generic]) -> tuple[Array, Array]:
    """Numbers for values of any kind, the same for the same ones; each shape (n,)."""
    import pandas as pd

    if before.dtype.kind in "biuf" and now.dtype.kind in "biuf":
        return before.astype(float), now.astype(float)
    # What was text or numbers still is: only the array's type may be another one.
    both = np.concatenate([np.asarray(before, dtype=object), np.asarray(now, dtype=object)])
    codes = pd.factorize(both)[0].astype(float)
    return codes[: len(before)], codes[len(before) :]


def _equal(a: Array, b: Array) -> bool:
    return np.array_equal(a, b) or bool(np.isclose(a, b, rtol=_SAME, atol=0.0, equal_nan=True).all())


def _tells(values: Array, groups: Index | None) -> bool:
    """Whether values that are as they were show that their rows are.

    Not those that rise or fall all along, nor those that are the same throughout every group: a sort may have
    brought them where they are.
    """
    steps = np.diff(values)
    if (steps >= 0.0).all() or (steps <= 0.0).all():
        return False
    if groups is None:
        return True
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    return not _equal(values, values[first][group])
