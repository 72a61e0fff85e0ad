"""The variables that tell margins apart, and their values: what a figure has on its axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memagic.errors import CommandError, closest
from memagic.postestimation.margins_result import Margins

__all__ = ["Dimension", "Layout", "dimensions", "layout"]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One variable.

    Attributes
    ----------
    name : str
        ``_at``, ``_predict`` and ``_deriv`` for what is no variable.
    values : tuple of float or str, length m
        By margin.
    labels : dict
        Words for the values.
    """

    name: str
    values: tuple[float | str, ...]
    labels: dict[float | str, str]

    @property
    def distinct(self) -> tuple[float | str, ...]:
        """The values in the order in which they come."""
        return tuple(dict.fromkeys(self.values))

    def word(self, value: float | str) -> str:
        """The label of a value, or the value."""
        return self.labels.get(value) or (value if isinstance(value, str) else f"{value:g}")


def dimensions(found: Margins) -> tuple[Dimension, ...]:
    """The variables with more than one value, those of `at()` first."""
    made: list[Dimension] = _of_at(found)
    for part in ("over", "cell"):
        names = dict.fromkeys(name for row in found.rows for name, _ in getattr(row, part))
        for name in names:
            values = tuple(dict(getattr(row, part)).get(name, "asobserved") for row in found.rows)
            labels = _words(found, name)
            made.append(Dimension(name, values, labels))
    if found.derivative:
        names_of = tuple(_derivative(found, k) for k in range(len(found.rows)))
        made.append(Dimension("_deriv", names_of, {}))
    if len(found.predictions) > 1:
        words: dict[float | str, str] = {
            float(k): words.split(", predict(")[0] for k, words in enumerate(found.predictions, 1)
        }
        made.append(Dimension("_predict", tuple(row.prediction + 1.0 for row in found.rows), words))
    return tuple(one for one in made if len(one.distinct) > 1)


def _derivative(found: Margins, k: int) -> str:
    row = found.rows[k]
    if row.level is None:
        return row.variable
    return f"{row.variable}: {found.value_labels.get(row.variable, {}).get(row.level) or f'{row.level:g}'}"


def _words(found: Margins, name: str) -> dict[float | str, str]:
    return dict(found.value_labels.get(name, {}).items())


def _of_at(found: Margins) -> list[Dimension]:
    """The variables of `at()` that differ between points; the points' numbers where these do not tell all."""
    if len(found.at) < 2:
        return []
    points = [{name: value for name, value, _ in point} for point in found.at]
    names = list(points[0])
    alike = all(list(point) == names and None not in point.values() for point in points)
    varying = [name for name in names if alike and len({point[name] for point in points}) > 1]
    told = {tuple(point[name] for name in varying) for point in points} if varying else set()
    if len(told) < len(points):
        return [Dimension("_at", tuple(row.at + 1.0 for row in found.rows), {})]
    made = []
    for name in varying:
        values = tuple(float(points[row.at][name] or 0.0) for row in found.rows)
        labels = _words(found, name)
        made.append(Dimension(name, values, labels))
    return made


@dataclass(frozen=True, slots=True)
class Layout:
    """Which variables are where in a figure.

    Attributes
    ----------
    x : Dimension or None
        Of the axis; None where there is one margin in a line only.
    lines, panels : tuple of Dimension
        What tells lines apart, and panels.
    """

    x: Dimension | None
    lines: tuple[Dimension, ...]
    panels: tuple[Dimension, ...] = ()


def layout(
    found: tuple[Dimension, ...],
    x: str | None = None,
    lines: Sequence[str] = (),
    panels: Sequence[str] = (),
) -> Layout:
    """Where the variables go: one to the axis, those named to lines and panels, the others to lines.

    Parameters
    ----------
    found : tuple of Dimension
    x : str, optional
        By default the first variable that is named for nothing else, those of `at()` first.
    lines, panels : sequence of str

    Raises
    ------
    CommandError
        No such variable, or one in two places, r(198).
    """
    taken: dict[str, str] = {}
    placed = [("xdimension", [] if x is None else [x]), ("plotdimension", lines), ("bydimension", panels)]
    for option, names in placed:
        for name in names:
            _found(found, option, name)
            if name in taken:
                message = f"{name} is both in {taken[name]}() and in {option}()"
                raise CommandError(198, message)
            taken[name] = option
    own = {one.name: one for one in found}
    free = [one for one in found if one.name not in taken]
    axis = own[x] if x is not None else (free.pop(0) if free else None)
    return Layout(axis, (*(own[name] for name in lines), *free), tuple(own[name] for name in panels))


def _found(found: tuple[Dimension, ...], option: str, name: str) -> None:
    names = [one.name for one in found]
    if name not in names:
        hint = closest(name, names) or f"dimensions are {', '.join(names) or 'none'}"
        raise CommandError(198, f"{option}({name}) is no dimension of the margins", hint=hint)
