"""A result as one set of display options shows it, as a table or as a widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from memagic.display.html import to_html
from memagic.display.latex import to_latex
from memagic.display.report import Report
from memagic.display.rich import Rich
from memagic.display.text import to_text
from memagic.results.display_options import DisplayOptions
from memagic.results.estimates import Estimates

if TYPE_CHECKING:
    from memagic.widgets.replay import ReplayExplorer

__all__ = ["Replay", "explorer"]


class Replay(Rich):
    """A result as one set of display options shows it.

    It shows itself as a rich table in a notebook and as the manual's text elsewhere.

    Parameters
    ----------
    report : Report
    live : callable, optional
        Makes the widget that a notebook shows in its place.
    """

    def __init__(self, report: Report, live: Callable[[], ReplayExplorer] | None = None) -> None:
        self._report = report
        self._live = live

    def to_text(self) -> str:
        """The manual's text."""
        return to_text(self._report)

    def to_html(self) -> str:
        """One HTML fragment."""
        return to_html(self._report)

    def to_latex(self) -> str:
        """A LaTeX table; needs the package booktabs."""
        return to_latex(self._report)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if self._live is not None:
            return self._live()._repr_mimebundle_()
        return super()._repr_mimebundle_()


def explorer(
    estimates: Estimates, options: DisplayOptions, beside: Mapping[str, Estimates], *, log: bool = False
) -> ReplayExplorer:
    """The widget that shows a result in other ways."""
    # The package of the widgets is slow to import.
    from memagic.widgets.replay import explore

    return explore(estimates, options, beside, log=log)
