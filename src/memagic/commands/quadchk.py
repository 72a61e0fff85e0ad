"""The command quadchk: numbers of integration points to try."""

from __future__ import annotations

from collections.abc import Callable

from memagic.errors import CommandError
from memagic.postestimation.quadchk import QuadratureCheck, quadchk
from memagic.results.estimates import Estimates
from memagic.spec.cursor import Cursor
from memagic.spec.numlist import read_numlist

__all__ = ["check_quadrature"]


def check_quadrature(
    text: str, estimates: Estimates, stream: Callable[[str], None] | None = None
) -> QuadratureCheck:
    """Run ``quadchk`` or ``quadchk numlist`` on estimates.

    Parameters
    ----------
    text : str
    estimates : Estimates
    stream : callable, optional
        Given a line before each fit.

    Raises
    ------
    CommandError
        Wrong numbers of points, r(198).
    """
    cursor = Cursor(text)
    cursor.take()
    if cursor.done:
        return quadchk(estimates, stream=stream)
    first = cursor.position
    try:
        numbers = read_numlist(cursor)
    except CommandError as error:
        # To quadchk a word that is no number is an error of syntax.
        error.rc = 198
        error.hint = error.hint or "type quadchk alone, or with numbers of points: quadchk 5 9"
        raise
    points = [int(number) if float(number).is_integer() else number for number in numbers]
    try:
        return quadchk(estimates, points, stream)
    except CommandError as error:
        error.span = error.span or cursor.span_from(first)
        raise
