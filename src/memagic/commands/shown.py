"""The display options among those of a command."""

from __future__ import annotations

from memagic.display.report import Wrap
from memagic.results.display_options import DisplayOptions, Exponentiated
from memagic.spec.tree import Option

__all__ = ["display_options"]


def display_options(options: dict[str, Option]) -> DisplayOptions:
    """The display options among a command's or a replay's options."""
    scales: tuple[Exponentiated, ...] = ("or", "irr", "eform")
    scale: Exponentiated = next((name for name in scales if name in options), "")
    level = options["level"].value if "level" in options else 95.0
    assert isinstance(level, (int, float))
    return DisplayOptions(
        exponentiated=scale,
        level=float(level),
        header="noheader" not in options,
        table="notable" not in options,
        group="nogroup" not in options,
        labels="nofvlabel" not in options,
        constraints="nocnsreport" not in options,
        legend="coeflegend" in options,
        all_bases="allbaselevels" in options,
        empty="noemptycells" not in options,
        omitted="noomitted" not in options,
        squish="vsquish" in options,
        wrap=_wrap(options),
        bases="baselevels" in options,
        intervals="noci" not in options,
        p_values="nopvalues" not in options,
        widget="widget" in options,
    )


def _wrap(options: dict[str, Option]) -> Wrap:
    """`fvwrap()` and `fvwrapon()`."""
    lines = options["fvwrap"].value if "fvwrap" in options else 1
    assert isinstance(lines, int)
    on_width = "fvwrapon" in options and options["fvwrapon"].value == "width"
    return Wrap(lines, "width" if on_width else "word")
