"""The block above the table in words and digits, which all renderers only place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memagic.display.formats import clean, count, f, g

if TYPE_CHECKING:
    from memagic.display.report import GroupSummary, Header

__all__ = ["Fact", "HeaderCells", "header_cells"]

Fact = tuple[str, str]
"""A label and its value, such as ("Number of obs", "1,934")."""


@dataclass(frozen=True, slots=True)
class GroupCells:
    """One group variable with its formatted number and sizes."""

    name: str
    n_groups: str
    minimum: str
    average: str
    maximum: str


@dataclass(frozen=True, slots=True)
class HeaderCells:
    """The block above the table. `right` starts with the number of observations.

    `fit` has the joint test, `likelihood` the log likelihood, `left` the facts at the left that
    `svy:` adds. Empty fields are not shown.
    """

    title: str
    model: tuple[Fact, ...]
    left: tuple[Fact, ...]
    right: tuple[Fact, ...]
    groups: tuple[GroupCells, ...]
    integration: tuple[Fact, ...]
    fit: tuple[Fact, ...]
    likelihood: Fact | None
    vce: str
    survey: bool


def header_cells(header: Header) -> HeaderCells:
    """Format the block above the table.

    Parameters
    ----------
    header : Header
        The numbers.

    Returns
    -------
    HeaderCells
        The same as strings.
    """
    right = [("Number of obs", count(header.n_obs))]
    right += [(clean(label), count(n)) for label, n in header.counts]
    model = tuple((clean(label), clean(words)) for label, words in header.model)
    if header.survey is not None:
        design = header.survey
        right.append(("Population size", _size(design.population)))
        if design.n_subpopulation is not None and design.subpopulation is not None:
            right.append(("Subpop. no. obs", count(design.n_subpopulation)))
            right.append(("Subpop. size", _size(design.subpopulation)))
        return HeaderCells(
            title=clean(header.title),
            model=model,
            left=(("Number of strata", count(design.n_strata)), ("Number of PSUs", count(design.n_psu))),
            right=tuple(right),
            groups=(),
            integration=(),
            fit=(
                ("Design df", count(design.design_df)),
                (f"F({design.f_df[0]}, {design.f_df[1]})", f(design.f, 8, 2)),
                ("Prob > F", f(design.p, 6, 4)),
            ),
            likelihood=None,
            vce=clean(header.vce),
            survey=True,
        )
    integration: tuple[Fact, ...] = ()
    if header.integration is not None:
        method, points = header.integration
        integration = (("Integration method", clean(method)),)
        if points is not None:
            integration += (("Integration pts.", count(points)),)
    fit: tuple[Fact, ...] = ()
    if header.wald is not None:
        wald = header.wald
        fit = ((f"Wald chi2({wald.df})", f(wald.chi2, 8, 2)), ("Prob > chi2", f(wald.p, 6, 4)))
    return HeaderCells(
        title=clean(header.title),
        model=model,
        left=(),
        right=tuple(right),
        groups=tuple(_group(group) for group in header.groups),
        integration=integration,
        fit=fit,
        likelihood=(clean(header.ll_label), g(header.ll, 10)),
        vce=clean(header.vce),
        survey=False,
    )


def _size(population: float) -> str:
    """A sum of weights need not be whole; where it is, decimals would only distract."""
    return f(population, 14, 0 if float(population).is_integer() else 2, commas=True)


def _group(group: GroupSummary) -> GroupCells:
    return GroupCells(
        name=clean(group.name),
        n_groups=count(group.n_groups),
        minimum=count(group.minimum),
        average=f(group.average, 11, 1, commas=True),
        maximum=count(group.maximum),
    )
