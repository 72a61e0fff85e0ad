"""Which rows of a frame are those of an estimation sample, whatever has happened to the frame since.

The rule. Unique labels of the user's own, in an index of the same name, are believed: values may have been
edited. Row numbers are not, for every frame has them, and they are given anew after a sort; nor are labels
that occur twice. There the values decide, at the sample's labels and, in a frame of as many rows, at its
places. Compared are the response, the covariates and the groups that the design keeps:

- All are as they were: these are the rows.
- Together they are the same rows in another order: refused.
- The response is as it was, or all but the response: these are the rows, and the rest was edited. But a sort,
  of all rows or within groups, must not have put back what is as it was: some of it is in no order within
  the groups, or together it is different in all rows.
- Anything else is refused: these are other data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

# Values that were calculated twice or went through text are the same.
_SAME = 1e-12
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
    fitted, current = _labels(design), frame.index
    place = np.flatnonzero(design.sample).astype(np.intp)
    unique = fitted.is_unique and current.is_unique
    at = _found(fitted[place], current) if unique else np.full(len(place), -1, dtype=np.intp)
    some = bool((at >= 0).any())
    own = unique and not (_is_numbering(fitted) or _is_numbering(current))
    if own and some and list(fitted.names) == list(current.names):
        return at
    trials = [at] if some else []
    renewed = len(fitted) == len(current) and current.is_unique
    if not own and (renewed or fitted.equals(current[: len(fitted)])) and not np.array_equal(at, place):
        # The rows where they were, perhaps with others after them.
        trials.append(place)
    refusals = []
    for trial in trials:
        refusal = _refusal(design, command, frame, trial)
        if refusal is None:
            return trial
        refusals.append(refusal)
    raise refusals[0] if refusals else _no_labels(unique)


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
    """Whether labels are row numbers: integers without a name, or 0, 1, ... under any."""
    if index.nlevels > 1:
        # The frames that were put one below another had row numbers each.
        unnamed = [k for k, name in enumerate(index.names) if name is None]
        return any(_is_numbering(index.get_level_values(k)) for k in unnamed)
    if index.inferred_type != "integer" or not len(index):
        return False
    return index.name is None or (int(index.min()) == 0 and int(index.max()) == len(index) - 1)


def _no_labels(unique: bool) -> CommandError:
    if unique:
        hint = f"no label of the index is one of the estimation sample's: {_AGAIN}"
        return CommandError(322, "the last estimates are of other data", hint=hint)
    hint = f"the frame's rows have changed, and labels that occur twice do not tell them: {_AGAIN}"
    return CommandError(322, "the data have changed since estimation", hint=hint)


# --- values -----------------------------------------------------------------------------------


def _refusal(design: Design, command: Command, frame: pd.DataFrame, at: Index) -> CommandError | None:
    """Why rows are not those of the sample, r(322), if their values say so."""
    there = at >= 0
    kept: list[Array] = []
    edited: list[str] = []
    moved: dict[str, tuple[Array, Array]] = {}
    for name, before, now in _compared(design, command, frame, at[there], there):
        if now is not None and _equal(before, now):
            kept.append(now)
            continue
        edited.append(name)
        if now is not None:
            moved[name] = before, now
    if not edited and kept:
        return None
    if moved and _reordered(list(moved.values()), kept):
        hint = (
            f"the values of {', '.join(list(moved)[:5])} are at other rows: the rows have been reordered and "
            f"have no index that tells them apart: {_AGAIN}"
        )
        return CommandError(322, "the data have changed since estimation", hint=hint)
    response = command.depvar.variable
    groups = (
        design.groupings[-1].codes[there] if design.groupings else np.zeros(len(at[there]), dtype=np.intp)
    )
    told = _in_no_order(kept, groups) or (bool(there.all()) and _all_different(kept))
    if told and (response not in edited or edited == [response]):
        return None
    hint = (
        f"the rows have other values of {', '.join(edited[:5])}, as those of another frame or in another "
        f"order: {_AGAIN}"
    )
    return CommandError(322, "the last estimates are of other data", hint=hint)


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

    if before.dtype.kind not in "biuf" or now.dtype.kind not in "biuf":
        # What was text or numbers still is: only the array's type may be another one.
        before, now = np.asarray(before, dtype=object), np.asarray(now, dtype=object)
    elif np.float32 in (before.dtype, now.dtype):
        before, now = before.astype(np.float32), now.astype(np.float32)
    codes = pd.factorize(np.concatenate([before, now]))[0].astype(float)
    return codes[: len(before)], codes[len(before) :]


def _equal(a: Array, b: Array) -> bool:
    """Whether values are the same, or were before one side went through single precision."""
    if np.array_equal(a, b) or np.isclose(a, b, rtol=_SAME, atol=0.0).all():
        return True
    with np.errstate(over="ignore"):
        single_a, single_b = a.astype(np.float32), b.astype(np.float32)
    return np.array_equal(single_a, single_b) and (np.array_equal(single_a, a) or np.array_equal(single_b, b))


def _reordered(moved: Sequence[tuple[Array, Array]], kept: Sequence[Array]) -> bool:
    """Whether the rows of all variables, moved and kept, are the same in another order."""
    before, now = [*(pair[0] for pair in moved), *kept], [*(pair[1] for pair in moved), *kept]
    # Each by itself is sorted sooner than all together.
    if not all(_equal(np.sort(a), np.sort(b)) for a, b in moved):
        return False
    first, second = np.lexsort(before), np.lexsort(now)
    return all(_equal(a[first], b[second]) for a, b in zip(before, now, strict=True))


def _in_no_order(kept: Sequence[Array], groups: Index) -> bool:
    """Whether one of the variables both rises and falls within groups, where a sort would not have put it."""
    order = np.argsort(groups, kind="stable")
    within = np.diff(groups[order]) == 0
    steps = (np.diff(values[order])[within] for values in kept)
    return any((step > 0.0).any() and (step < 0.0).any() for step in steps)


def _all_different(kept: Sequence[Array]) -> bool:
    """Whether the variables together are different in all rows."""
    import pandas as pd

    return bool(kept) and not pd.DataFrame(dict(enumerate(kept))).duplicated().any()
