"""The command predict: predictions as new variables of the data in use."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memagic.commands.estimated import expression_with_estimates
from memagic.data.evaluate import condition_mask, row_range_mask
from memagic.errors import CommandError
from memagic.postestimation.predict import Prediction, predict
from memagic.postestimation.rows import rows_of
from memagic.spec.cursor import Cursor
from memagic.spec.predict import NewNames, PredictCommand, read_predict
from memagic.spec.prediction import Request

if TYPE_CHECKING:
    import pandas as pd

    from memagic.results import MEResults

Mask = NDArray[np.bool_]

__all__ = ["NewVariables", "add_predictions", "added_elsewhere"]


@dataclass(frozen=True, slots=True)
class NewVariables:
    """Variables that a command has added.

    Attributes
    ----------
    names : tuple of str
    labels : tuple of str
        What each is.
    notes : tuple of str
        What was assumed and done.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.notes)

    def __repr__(self) -> str:
        return str(self)


def add_predictions(text: str, result: MEResults, frame: pd.DataFrame) -> NewVariables:
    """Carry out ``predict [type] newvar [if] [in] [, statistic options]``.

    Parameters
    ----------
    text : str
    result : MEResults
        The last estimates.
    frame : DataFrame
        Given the new variables, once all are there.

    Raises
    ------
    CommandError
        What is wrong with the command, r(198); ``variable p already defined``, r(110); too few or too
        many names, r(102) or r(103).
    """
    command = read_predict(Cursor(text))
    _refuse_defined(command, frame)
    rows, gone = _selected(command, result, frame)
    notes = ["(option mu assumed)"] if command.assumed else []
    notes += gone
    request = command.request
    ordinal = result.estimates.kind.family == "ordinal" and request.statistic in ("mu", "pr")
    if ordinal and request.outcome is None and len(command.new.names) == 1:
        request = replace(request, outcome=1)
        notes.append("(option outcome(#1) assumed)")
    found = _predict(result, frame, rows, request)
    names = _names(command.new, len(found.columns))
    labels, values = found.labels, found.values
    if command.ses is not None:
        errors = _predict(result, frame, rows, replace(request, statistic="reses"))
        names += _names(command.ses, len(errors.columns))
        labels += errors.labels
        values = np.column_stack([values, errors.values])
    if len(set(names)) < len(names):
        raise CommandError(198, "a name is there twice among the new variables")
    _refuse_names(names, command.new, frame)
    notes += [*found.notes, *(f"note: {warning}" for warning in found.warnings)]
    columns = np.full((len(frame), len(names)), np.nan)
    columns[rows] = values
    if missing := int(np.isnan(columns).any(axis=1).sum()):
        notes.append(f"({missing:,} missing value{'' if missing == 1 else 's'} generated)")
    _add(frame, names, labels, columns.astype(np.float32 if command.dtype == "float" else np.float64))
    return NewVariables(names, labels, tuple(notes))


def added_elsewhere(
    text: str, result: MEResults, frame: pd.DataFrame, name: str, fitted: str
) -> NewVariables:
    """As `add_predictions`, for data in use that are not those of the last estimates; it says so first.

    Parameters
    ----------
    text : str
    result : MEResults
    frame : DataFrame
        The data in use.
    name : str
        What these are called.
    fitted : str
        What the data of the estimates are called; nothing if they have no name.

    Raises
    ------
    CommandError
        As `add_predictions`; where a variable is not found the hint tells which data were looked at.
    """
    where = f"the last estimates are of {fitted or 'other data'}, but {name} is in use"
    try:
        found = add_predictions(text, result, frame)
    except CommandError as error:
        if error.rc == 111:
            told = f": type %use {fitted} first, or -d {fitted} before the new variable" if fitted else ""
            error.hint = f"{where}{told}"
        raise
    return replace(found, notes=(f"note: {where}, and gets the new variables", *found.notes))


def _predict(result: MEResults, frame: pd.DataFrame, rows: Mask, request: Request) -> Prediction:
    if request.statistic != "scores":
        return predict(result.estimates, rows_of(result.estimates, frame[rows]), request)
    # Scores are found by their place in the whole frame.
    found = predict(result.estimates, rows_of(result.estimates, frame), request)
    return replace(found, values=found.values[rows])


def _selected(
    command: PredictCommand, result: MEResults, frame: pd.DataFrame
) -> tuple[Mask, tuple[str, ...]]:
    """Rows that `if` and `in` leave, and notes on the estimation sample."""
    rows = np.ones(len(frame), dtype=bool)
    notes: tuple[str, ...] = ()
    if command.condition is not None:
        tree, notes = expression_with_estimates(command.condition, result, frame)
        rows &= condition_mask(tree, frame)
    if command.rows is not None:
        rows &= row_range_mask(command.rows, len(frame))
    return rows, notes


def _refuse_defined(command: PredictCommand, frame: pd.DataFrame) -> None:
    if frame.columns.nlevels > 1:
        message = "the columns of the data have names of several levels"
        raise CommandError(198, message, span=command.new.span, hint="flatten them: df.columns = [...]")
    for new in (command.new, command.ses):
        for name, span in () if new is None else new.names:
            if name in frame.columns:
                raise _defined(name, span)


def _refuse_names(names: tuple[str, ...], new: NewNames, frame: pd.DataFrame) -> None:
    for name in names:
        if name in frame.columns:
            raise _defined(name, new.span)


def _defined(name: str, span: tuple[int, int]) -> CommandError:
    hint = "predict never replaces a variable: choose another name"
    return CommandError(110, f"variable {name} already defined", span=span, hint=hint)


def _names(new: NewNames, wanted: int) -> tuple[str, ...]:
    if new.stub:
        return tuple(f"{new.stub}{k}" for k in range(1, wanted + 1))
    if len(new.names) == wanted:
        return tuple(name for name, _ in new.names)
    hint = (
        f"{wanted} needed: name them all or type a stub, {new.names[0][0]}*" if wanted > 1 else "one needed"
    )
    if len(new.names) < wanted:
        raise CommandError(102, "too few variables specified", span=new.span, hint=hint)
    raise CommandError(103, "too many variables specified", span=new.span, hint=hint)


def _add(
    frame: pd.DataFrame, names: tuple[str, ...], labels: tuple[str, ...], columns: NDArray[np.floating]
) -> None:
    import pandas as pd

    with warnings.catch_warnings():
        # Of many columns that are added one by one; there is no other way to add them in place.
        warnings.simplefilter("ignore", pd.errors.PerformanceWarning)
        try:
            for name, column in zip(names, columns.T, strict=True):
                # An assignment by name would warn where the frame was cut from another one.
                frame.insert(len(frame.columns), name, column.copy())
        except BaseException:
            # All or none: an interrupt may come between two.
            for name in frame.columns.intersection(list(names)):
                del frame[name]
            raise
    words = frame.attrs.get("variable_labels")
    if isinstance(words, dict):
        words.update(zip(names, labels, strict=True))
