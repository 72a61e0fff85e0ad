"""Widgets that leave something to read where there is no kernel behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

__all__ = ["StaticBox"]


class StaticBox(ipywidgets.VBox):  # type: ignore[misc]
    """A column of widgets with a static form: in exports, on GitHub, after the kernel is gone.

    Parameters
    ----------
    children : sequence of Widget
    static : callable
        Gives the mimebundle to show in place of the widgets, ``text/plain`` and ``text/html``.
    """

    def __init__(self, children: Sequence[Any], static: Callable[[], dict[str, str]]) -> None:
        super().__init__(list(children))
        self._static = static

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The live view for front ends that have one, and the static form for all others."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return {**bundle, **self._static()}
