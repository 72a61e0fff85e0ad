"""The likelihood-ratio line below the table, and the notes on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memagic.display.formats import clean, f

if TYPE_CHECKING:
    from memagic.display.report import ComparisonTest

__all__ = ["ComparisonCells", "comparison_cells"]

_OFFER = "lrtest, mixture gives the p-value of the mixture of chi2 distributions:"
_CONSERVATIVE = "Note: LR test is conservative and provided only for reference."


@dataclass(frozen=True, slots=True)
class ComparisonCells:
    """The likelihood-ratio line: its two halves and the note below, empty if there is none.

    `offer` tells of the p-value of the mixture of chi2 distributions, for a notebook alone.
    """

    left: str
    right: str
    note: str
    offer: str = ""


def comparison_cells(test: ComparisonTest) -> ComparisonCells:
    """Format the likelihood-ratio line.

    Parameters
    ----------
    test : ComparisonTest
        The numbers.

    Returns
    -------
    ComparisonCells
        The same as strings; the note is due unless a single variance is tested.
    """
    name, relation, df = ("chibar2", ">=", "01") if test.boundary else ("chi2", ">", str(test.df))
    return ComparisonCells(
        left=f"LR test vs. {clean(test.model)} model: {name}({df}) = {f(test.chi2, 8, 2)}",
        right=f"Prob {relation} {name} = {f(test.p, 6, 4)}",
        note="" if test.boundary or test.df == 0 else _CONSERVATIVE,
        offer="" if test.p_mixture is None else f"{_OFFER} {f(test.p_mixture, 6, 4)}",
    )
