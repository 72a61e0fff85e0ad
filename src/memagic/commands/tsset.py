"""The commands `tsset` and `xtset`: what time-series operators refer to, and the report on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memagic.data.names import match_name
from memagic.data.panel import PanelSummary, describe, panel_summary
from memagic.data.variables import Variables
from memagic.errors import CommandError
from memagic.spec.tree import TimeSettings
from memagic.spec.tsset import parse_tsset

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TimeReport", "set_time"]


@dataclass(frozen=True, slots=True)
class TimeReport:
    """What `tsset` shows."""

    summary: PanelSummary

    def __str__(self) -> str:
        """The manual's lines."""
        settings = self.summary.settings
        if not settings.time:
            return f"Panel variable: {settings.panel} ({self.summary.balance})"
        low, high = (
            f"{v:.10g}" if math.isfinite(v) else "." for v in (self.summary.first, self.summary.last)
        )
        facts = [("Panel variable", f"{settings.panel} ({self.summary.balance})")] if settings.panel else []
        gaps = ", but with gaps" if self.summary.gaps else ""
        facts.append(("Time variable", f"{settings.time}, {low} to {high}{gaps}"))
        facts.append(("Delta", f"{settings.delta:g} {'unit' if settings.delta == 1.0 else 'units'}"))
        width = max(len(label) for label, _ in facts)
        return "\n".join(f"{label:>{width}}: {words}" for label, words in facts)

    def __repr__(self) -> str:
        return str(self)


def set_time(
    text: str,
    data: Callable[[], pd.DataFrame],
    current: TimeSettings | None,
    abbreviations: bool,
) -> tuple[TimeSettings | None, TimeReport | None]:
    """Carry out ``tsset ...``.

    Parameters
    ----------
    text : str
    data : callable
        Gives the data in use.
    current : TimeSettings or None
        What is set.
    abbreviations : bool
        Whether names of variables may be shortened.

    Returns
    -------
    settings : TimeSettings or None
        What is set from now on.
    report : TimeReport or None
        What to show; nothing after ``tsset, clear``.

    Raises
    ------
    CommandError
        ``time variable not set`` or a variable that is not there, r(111); times that come twice or are
        no whole numbers, r(451); a variable that is not numeric, r(109).
    """
    command = parse_tsset(text)
    if command.clear:
        return None, None
    if not command.names:
        if current is None:
            hint = "type tsset timevar or tsset panelvar timevar"
            raise CommandError(111, "time variable not set", hint=hint)
        return current, _report(data(), current)
    frame = data()
    known = [name for name in frame.columns if isinstance(name, str)]
    names = [
        match_name(name, known, span, abbreviations=abbreviations)
        for name, span in zip(command.names, command.spans, strict=True)
    ]
    if command.name == "xtset" and len(names) == 1:
        settings = TimeSettings("", names[0])
    else:
        settings = TimeSettings(names[-1], names[0] if len(names) > 1 else "", command.delta)
    try:
        return settings, _report(frame, settings)
    except CommandError as error:
        if error.span is None:
            error.span = command.spans[-1]
        raise


def _report(frame: pd.DataFrame, settings: TimeSettings) -> TimeReport:
    variables = Variables(frame, settings)
    if not settings.time:
        return TimeReport(panel_summary(settings, variables.groups(settings.panel)))
    return TimeReport(describe(settings, variables.panel(), variables.numbers(settings.time)))
