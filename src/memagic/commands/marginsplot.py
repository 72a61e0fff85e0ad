"""The command `marginsplot`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.postestimation.margins_result import Margins
from memagic.spec.command_options import Allowed, split_options
from memagic.spec.cursor import Cursor

if TYPE_CHECKING:
    from memagic.plots.margins import Drawn

__all__ = ["marginsplot"]

_ALLOWED = {
    "xdimension": Allowed(4, "required"),
    "noci": Allowed(4),
    "horizontal": Allowed(3),
}


def marginsplot(text: str, found: Margins | None, stream: Callable[[str], None] | None = None) -> Drawn:
    """Draw the last margins.

    Parameters
    ----------
    text : str
    found : Margins or None
    stream : callable, optional
        Given the line that names the variables of the figure.

    Raises
    ------
    CommandError
        No margins yet, r(301); an option that is not there or a dimension the margins do not have, r(198).
    """
    from memagic.plots.margins import draw_margins, identified_by

    cursor = Cursor(text)
    cursor.take()
    body, options = split_options(cursor, _ALLOWED)
    if not body.done:
        raise body.invalid(hint="type marginsplot, or marginsplot, xdimension(x) noci horizontal")
    if found is None:
        raise CommandError(301, "last margins not found", hint="type margins first")
    given = {option.name: option for option in options}
    chosen = None
    if "xdimension" in given:
        inner = given["xdimension"].inner
        chosen = "" if inner is None else inner.words()
    if stream is not None:
        stream(identified_by(found))
    return draw_margins(
        found, xdimension=chosen, intervals="noci" not in given, horizontal="horizontal" in given
    )
