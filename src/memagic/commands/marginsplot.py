"""The command `marginsplot`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from memagic.errors import CommandError
from memagic.postestimation.margins_result import Margins
from memagic.spec.command_options import Allowed, Given, chosen_word, confidence_level, split_options
from memagic.spec.cursor import Cursor

if TYPE_CHECKING:
    from memagic.plots.margins import Drawn, Look

__all__ = ["marginsplot"]

_ALLOWED = {
    "xdimension": Allowed(4, "required"),
    "plotdimension": Allowed(7, "required"),
    "bydimension": Allowed(5, "required"),
    "recast": Allowed(6, "required"),
    "recastci": Allowed(8, "required"),
    "level": Allowed(1, "required"),
    "title": Allowed(3, "required"),
    "name": Allowed(4, "required"),
    "allxlabels": Allowed(4),
    "nolabels": Allowed(5),
    "noci": Allowed(4),
    "horizontal": Allowed(3),
}
_SHAPES = {"connected": 3, "line": 4, "scatter": 2, "bar": 3}
_INTERVALS = {"rcap": 4, "rspike": 6, "rarea": 5, "rline": 5}


def marginsplot(text: str, found: Margins | None, stream: Callable[[str], None] | None = None) -> Drawn:
    """Draw the last margins.

    Parameters
    ----------
    text : str
    found : Margins or None
    stream : callable, optional
        Given the line that names the variables of the figure.

    Returns
    -------
    Axes or tuple of Axes
        Several with bydimension().

    Raises
    ------
    CommandError
        No margins yet, r(301); an option that is not there or a dimension the margins do not have, r(198);
        a figure of that name, r(110).
    """
    from memagic.plots.margins import draw_margins, draw_panels, identified_by

    cursor = Cursor(text)
    cursor.take()
    body, options = split_options(cursor, _ALLOWED)
    if not body.done:
        raise body.invalid(hint="type marginsplot, or marginsplot, xdimension(x) noci horizontal")
    given = {option.name: option for option in options}
    look = _look(given, options)
    names = _name(given["name"]) if "name" in given else None
    if found is None:
        raise CommandError(301, "last margins not found", hint="type margins first")
    if stream is not None:
        stream(identified_by(found))
    axis = _words(given, "xdimension")
    if len(axis) > 1:
        hint = "the others make lines, or panels with bydimension()"
        raise CommandError(198, "xdimension() takes one variable", span=given["xdimension"].span, hint=hint)
    x, lines, panels = (
        (axis[0] if axis else None),
        _words(given, "plotdimension"),
        _words(given, "bydimension"),
    )
    if names is not None:
        names.check()
    drawn: Drawn
    if panels:
        drawn = draw_panels(found, panels, xdimension=x, plotdimension=lines, look=look)
    else:
        drawn = draw_margins(found, xdimension=x, plotdimension=lines, look=look)
    if names is not None:
        names.give(drawn)
    return drawn


def _look(given: Mapping[str, Given], options: tuple[Given, ...]) -> Look:
    from memagic.plots.margins import IntervalShape, Look, Shape

    if "noci" in given:
        for name in ("level", "recastci"):
            if name in given:
                message = f"options noci and {name}() may not be combined"
                raise CommandError(198, message, span=given[name].span)
    shape = chosen_word(given["recast"], _SHAPES, "") if "recast" in given else "connected"
    interval = chosen_word(given["recastci"], _INTERVALS, "") if "recastci" in given else "rcap"
    return Look(
        shape=cast("Shape", shape),
        interval_shape=cast("IntervalShape", interval),
        intervals="noci" not in given,
        horizontal="horizontal" in given,
        level=confidence_level(options) if "level" in given else None,
        all_x_labels="allxlabels" in given,
        labels="nolabels" not in given,
        title=_title(given["title"]) if "title" in given else None,
    )


def _words(given: Mapping[str, Given], name: str) -> list[str]:
    """The dimensions in an option's parentheses."""
    if name not in given:
        return []
    inner = given[name].inner
    words = [] if inner is None else inner.words().split()
    if not words:
        raise CommandError(198, f"option {name}() incorrectly specified", span=given[name].span)
    return words


def _title(option: Given) -> str:
    inner = option.inner
    assert inner is not None
    if inner.at_kind("string") and inner.stop == inner.position + 1:
        return inner.take().text[1:-1]
    return inner.words()


@dataclass(frozen=True, slots=True)
class _FigureName:
    """`name()`: what matplotlib knows the figure by, and whether another of that name goes."""

    name: str
    replaces: bool
    span: tuple[int, int]

    def check(self) -> None:
        """Refuse the name of a figure that is not to go."""
        from memagic.plots.style import figure_names

        if self.name in figure_names() and not self.replaces:
            hint = f"type name({self.name}, replace)"
            raise CommandError(110, f"graph {self.name} already exists", span=self.span, hint=hint)

    def give(self, drawn: Drawn) -> None:
        """Name what was drawn."""
        from memagic.plots.style import name_figure

        name_figure(drawn[0] if isinstance(drawn, tuple) else drawn, self.name)


def _name(option: Given) -> _FigureName:
    inner = option.inner
    assert inner is not None
    if inner.at_kind("name"):
        name = inner.take().text
        replaces = False
        if inner.at(","):
            inner.take()
            replaces = inner.at("replace")
            if replaces:
                inner.take()
        if inner.done:
            return _FigureName(name, replaces, option.span)
    hint = "type name(figure1) or name(figure1, replace)"
    raise CommandError(198, "option name() incorrectly specified", span=option.span, hint=hint)
