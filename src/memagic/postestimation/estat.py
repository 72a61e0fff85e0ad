"""The subcommands of `estat`, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from memagic.errors import CommandError, closest
from memagic.postestimation.deviations import deviations
from memagic.postestimation.icc import NOT_VALID, icc
from memagic.postestimation.information import information_criteria
from memagic.postestimation.matrices import estimator_matrix
from memagic.postestimation.shown import Shown
from memagic.postestimation.summaries import group_table, sample_summary
from memagic.results.estimates import Estimates
from memagic.spec.estat import ELSEWHERE, SUBCOMMANDS

__all__ = ["estat"]

_FUNCTIONS: dict[str, Callable[..., Shown]] = {
    "icc": icc,
    "sd": deviations,
    "group": group_table,
    "ic": information_criteria,
    "vce": estimator_matrix,
    "summarize": sample_summary,
}


def estat(estimates: Estimates, which: str, **options: Any) -> Shown:
    """Carry out a subcommand.

    Parameters
    ----------
    estimates : Estimates
    which : str
        icc, sd, group, ic, vce or summarize.
    **options
        Those of the subcommand by name: ``level=90``, ``n=60``, ``correlation=True``, ``verbose=True``.

    Raises
    ------
    CommandError
        The subcommand is that of other commands, r(321), or of none, r(198), or does not have the option.
    """
    if not estimates.fitted:
        raise CommandError(301, "last estimates not found", hint="noestimate showed starting values")
    if which in ELSEWHERE:
        raise CommandError(321, NOT_VALID, hint=ELSEWHERE[which])
    if which not in _FUNCTIONS:
        hint = closest(which, _FUNCTIONS) or f"subcommands are {', '.join(_FUNCTIONS)}"
        raise CommandError(198, f"estat {which} not found", hint=hint)
    known = {option.name for option in SUBCOMMANDS[which].options}
    for name in options:
        if name not in known:
            hint = f"estat {which} takes {', '.join(sorted(known)) or 'no options'}"
            raise CommandError(198, f"option {name} not allowed", hint=hint)
    return _FUNCTIONS[which](estimates, **options)
