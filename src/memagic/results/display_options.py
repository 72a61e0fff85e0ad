"""How a result is shown: the options of a replay, and which of them a model takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from memagic.display.report import Wrap
from memagic.errors import CommandError
from memagic.spec.options import OPTIONS

__all__ = ["DisplayOptions", "Exponentiated", "check_level", "check_scale"]

Exponentiated = Literal["", "or", "irr", "eform"]


@dataclass(frozen=True, slots=True)
class DisplayOptions:
    """The options that a replay takes.

    Attributes
    ----------
    exponentiated : {"", "or", "irr", "eform"}
    level : float
        Confidence level in percent.
    header, table, group, labels, constraints : bool
        Whether to show the header, the table, the summary of groups, value labels, and constraints.
    legend : bool
        Whether the table has the parameters' names in place of statistics.
    bases : bool
        Whether to show the base levels of factor variables.
    intervals, p_values : bool
        Whether to show confidence intervals, and p-values with their test statistics.
    widget : bool
        Whether a notebook shows the result with controls.
    all_bases, empty, omitted : bool
        Whether to show base levels, also those of interactions, empty cells and omitted variables.
    squish : bool
        Whether to leave out the blank lines around factor variables.
    wrap : Wrap
        How long value labels are broken.
    """

    exponentiated: Exponentiated = ""
    level: float = 95.0
    header: bool = True
    table: bool = True
    group: bool = True
    labels: bool = True
    constraints: bool = True
    legend: bool = False
    bases: bool = False
    intervals: bool = True
    p_values: bool = True
    widget: bool = False
    all_bases: bool = False
    empty: bool = True
    omitted: bool = True
    squish: bool = False
    wrap: Wrap = field(default_factory=Wrap)


def check_scale(link: str, family: str, scale: Exponentiated, span: tuple[int, int] | None = None) -> None:
    """Refuse odds ratios without a logit link and rate ratios without counts.

    Parameters
    ----------
    link, family : str
    scale : {"", "or", "irr", "eform"}
    span : tuple of int, optional
        The place of the option.

    Raises
    ------
    CommandError
        r(198).
    """
    if scale == "or" and link != "logit":
        hint = "odds ratios are for logistic models only"
        raise CommandError(198, "option or not allowed", span=span, hint=hint)
    if scale == "irr" and family not in ("poisson", "nbinomial"):
        hint = "incidence-rate ratios are for count models only"
        raise CommandError(198, "option irr not allowed", span=span, hint=hint)


def check_level(level: float) -> None:
    """Refuse confidence levels out of the limits of the option `level()`.

    Raises
    ------
    CommandError
        r(198).
    """
    low, high = next(spec.limits for spec in OPTIONS if spec.name == "level" and spec.limits)
    if not low <= level <= high:
        raise CommandError(198, f"level() must be between {low:g} and {high:g} inclusive")
