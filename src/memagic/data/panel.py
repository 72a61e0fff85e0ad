"""Time within panels: which row is a period before another, for the time-series operators.

Source: [U] 11.4.4 Time-series varlists; [TS] tsset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from memagic.errors import CommandError
from memagic.spec.tree import TimeOperator, TimeSettings

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Balance = Literal["strongly balanced", "weakly balanced", "balanced", "unbalanced"]

__all__ = ["Balance", "Panel", "PanelSummary", "describe", "make_panel", "panel_summary"]

# Positions in time are whole numbers, which doubles hold up to this size.
_LATEST = 2.0**53


@dataclass(frozen=True, slots=True)
class Panel:
    """The rows of a frame in the order of panel and time.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        Rows that have a panel and a time, sorted by them.
    keys : ndarray of int, shape (m,)
        A number for each, which grows by one with a period; panels are further apart than any lag.
    span : int
        Periods from the first to the last.
    size : int
        N, the rows of the frame.
    """

    rows: Index
    keys: NDArray[np.int64]
    span: int
    size: int

    def apply(self, operator: TimeOperator, values: Array) -> Array:
        """The values under a time-series operator; nan where a period that it needs is not there.

        Parameters
        ----------
        operator : TimeOperator
        values : ndarray, shape (N,)

        Returns
        -------
        ndarray, shape (N,)
        """
        sorted_values = values[self.rows]
        # Infinite values of the data are told apart later; their differences are no numbers.
        with np.errstate(invalid="ignore"):
            for span in (*[1] * operator.difference, *operator.seasonal):
                sorted_values = sorted_values - self._lagged(sorted_values, span)
        if operator.lag:
            sorted_values = self._lagged(sorted_values, operator.lag)
        result = np.full(self.size, np.nan)
        result[self.rows] = sorted_values
        return result

    def _lagged(self, values: Array, lag: int) -> Array:
        """Sorted values `lag` periods before."""
        lagged = np.full(len(values), np.nan)
        if abs(lag) > self.span or not len(values):
            return lagged
        wanted = self.keys - lag
        at = np.searchsorted(self.keys, wanted)
        at[at == len(values)] = 0
        there = self.keys[at] == wanted
        lagged[there] = values[at[there]]
        return lagged


def make_panel(settings: TimeSettings, time: Array, codes: Index | None) -> Panel:
    """The order of the rows in time.

    Parameters
    ----------
    settings : TimeSettings
    time : ndarray, shape (N,)
        The time variable, nan where it is missing.
    codes : ndarray of int, shape (N,), or None
        The panels, -1 where that is missing; None for one series.

    Raises
    ------
    CommandError
        Times are not whole numbers of periods, or come twice in a panel, r(451).
    """
    periods = _periods(settings, time)
    there = ~np.isnan(periods)
    owner = np.zeros(len(time), dtype=np.int64) if codes is None else codes.astype(np.int64)
    rows = np.flatnonzero(there & (owner >= 0))
    if not len(rows):
        return Panel(rows, np.empty(0, dtype=np.int64), 0, len(time))
    first, last = periods[rows].min(), periods[rows].max()
    span = int(last - first)
    if (int(owner[rows].max()) + 1) * _width(span) >= 2**62:
        hint = "set the time between observations by delta()"
        raise CommandError(451, f"time variable {settings.time} covers too many periods", hint=hint)
    keys = owner[rows] * _width(span) + (periods[rows] - first).astype(np.int64)
    order = np.argsort(keys, kind="stable")
    rows, keys = rows[order], keys[order]
    again = np.flatnonzero(keys[1:] == keys[:-1])
    if len(again):
        message = f"repeated time values {'within panel' if settings.panel else 'in sample'}"
        hint = f"{settings.time} = {time[rows[again[0]]]:g} comes twice"
        hint += " in a panel" if settings.panel else "; for several series type tsset panelvar timevar"
        raise CommandError(451, message, hint=hint)
    return Panel(rows, keys, span, len(time))


def _width(span: int) -> int:
    """How far panels are apart: no lag within the span of time leads from one to another."""
    return 2 * span + 2


def _periods(settings: TimeSettings, time: Array) -> Array:
    """The time variable in periods."""
    present = ~np.isnan(time)
    periods = time / settings.delta
    if not np.all(np.abs(periods[present]) <= _LATEST):
        raise CommandError(451, f"values of time variable {settings.time} are too large")
    whole = np.round(periods)
    # A step such as .1 is not exact in binary.
    if np.any(np.abs(periods - whole)[present] > 1e-6):
        if settings.delta == 1.0:
            hint = "set the time between observations by delta(), or make a variable that counts periods"
            raise CommandError(451, "time variable must contain only integer values", hint=hint)
        raise CommandError(451, "time values with period less than delta() found")
    return whole


@dataclass(frozen=True, slots=True)
class PanelSummary:
    """What `tsset` reports.

    Attributes
    ----------
    settings : TimeSettings
    balance : str
        Empty without a panel variable.
    first, last : float
        Of the time variable; nan without observations.
    gaps : bool
        Whether periods are missing within a panel.
    """

    settings: TimeSettings
    balance: Balance | Literal[""]
    first: float
    last: float
    gaps: bool


def describe(settings: TimeSettings, panel: Panel, time: Array) -> PanelSummary:
    """Range, gaps and balance of the panels.

    Parameters
    ----------
    settings : TimeSettings
    panel : Panel
    time : ndarray, shape (N,)
    """
    if not len(panel.rows):
        return PanelSummary(settings, "unbalanced" if settings.panel else "", np.nan, np.nan, False)
    owner, period = np.divmod(panel.keys, _width(panel.span))
    gaps = bool(np.any((np.diff(period) != 1) & (owner[1:] == owner[:-1])))
    balance: Balance | Literal[""] = ""
    if settings.panel:
        sizes = np.unique(owner, return_counts=True)[1]
        balance = "unbalanced"
        if sizes.min() == sizes.max():
            table = period.reshape(len(sizes), sizes[0])
            balance = "strongly balanced" if np.all(table == table[0]) else "weakly balanced"
    used = time[panel.rows]
    return PanelSummary(settings, balance, float(used.min()), float(used.max()), gaps)


def panel_summary(settings: TimeSettings, codes: Index) -> PanelSummary:
    """What is known of panels without a time variable.

    Parameters
    ----------
    settings : TimeSettings
    codes : ndarray of int, shape (N,)
        The panels, -1 where that is missing.
    """
    sizes = np.bincount(codes[codes >= 0])
    same = len(sizes) > 0 and sizes.min() == sizes.max()
    return PanelSummary(settings, "balanced" if same else "unbalanced", np.nan, np.nan, False)
