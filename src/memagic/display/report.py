"""What a command has to show, as plain numbers and words: the one source of text, HTML and LaTeX.

Nothing is formatted here. A number is a float or int, `nan` is the manual's missing value (shown as
`.`), and None is a field that stays blank.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "Block",
    "CoefficientTable",
    "ComparisonTest",
    "GroupSummary",
    "Header",
    "Report",
    "Row",
    "SurveyDesign",
    "WaldTest",
    "Wrap",
]


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """Groups of one level: their number and the sizes of the groups in observations."""

    name: str
    n_groups: int
    minimum: int
    average: float
    maximum: int


@dataclass(frozen=True, slots=True)
class WaldTest:
    """Joint test of the fixed-effects coefficients; chi2 and p are nan with no covariates."""

    df: int
    chi2: float
    p: float


@dataclass(frozen=True, slots=True)
class SurveyDesign:
    """What a header shows under `svy:` in place of groups, integration, Wald test and likelihood.

    `f_df` is the pair of degrees of freedom of the joint F test; f and p are nan with no covariates.
    A subpopulation has its number of observations and its size.
    """

    n_strata: int
    n_psu: int
    population: float
    design_df: int
    f: float
    f_df: tuple[int, int]
    p: float
    n_subpopulation: int | None = None
    subpopulation: float | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The block above the coefficient table.

    `model` has the lines under the title as (label, words), such as ("Family", "Bernoulli").
    `groups` is empty where there is no random-effects equation or `nogroup` was given; one entry
    is shown as lines, several as a table. `integration` is the method and its points (None for
    methods that have none), and None where nothing is integrated. `counts` stand under the number
    of observations, such as ("Uncensored", 120). `vce` is the line that tells how the standard
    errors were adjusted, "(Std. err. adjusted for 148 clusters in id_school)". With `survey`, the
    design replaces groups, integration, Wald test and likelihood.
    """

    title: str
    model: tuple[tuple[str, str], ...]
    n_obs: int
    groups: tuple[GroupSummary, ...]
    integration: tuple[str, int | None] | None
    wald: WaldTest | None
    ll_label: str
    ll: float
    counts: tuple[tuple[str, int], ...] = ()
    vce: str = ""
    survey: SurveyDesign | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the coefficient table.

    `kind` is "estimate" for numbers, "heading" for the name above the levels of a factor, and
    "state" for a coefficient that is held, with `note` in words: "(omitted)", "(base)", "(empty)",
    "(offset)", "(exposure)" after the number `b`. `name` is the address of the parameter in `_b[]`.
    A level of a factor under its heading has `indented` set, a variable's lag under its name `under`.
    `z` and `p` are None where the manual leaves them blank.
    """

    kind: Literal["estimate", "heading", "state"]
    label: str
    name: str = ""
    b: float | None = None
    se: float | None = None
    z: float | None = None
    p: float | None = None
    lower: float | None = None
    upper: float | None = None
    note: str = ""
    indented: bool = False
    under: bool = False


@dataclass(frozen=True, slots=True)
class Wrap:
    """How value labels that are too long for their column are shown.

    They take up to `lines` lines, broken between words or at the column's width; what is left is
    abbreviated. With 0 or 1 a label has one line.
    """

    lines: int = 1
    on: Literal["word", "width"] = "word"


@dataclass(frozen=True, slots=True)
class Block:
    """Rows between two rules. `title` stands above them, flush left, such as a group's name.

    In the fixed-effects block, `title` is None and blank lines are set around factors by the
    renderer. `flush` rows have their label flush against the bar: `var(_cons)|`.
    """

    rows: tuple[Row, ...]
    title: str | None = None
    flush: bool = False


@dataclass(frozen=True, slots=True)
class CoefficientTable:
    r"""The table of estimates. `level` is the confidence level in percent.

    `se_title` is "Std. err.", or two lines such as "Robust\nstd. err.". `legend` replaces all but
    the estimates by the parameters' addresses (option `coeflegend`), `squish` leaves out the blank
    lines around factors (`vsquish`), and `stretch` off keeps the column of names at 12 characters
    (`nolstretch`). `intervals` off leaves out the confidence limits (`noci`), `p_values` off the
    p-values and their statistics (`nopvalues`). `adjustment` is a word over the tests and the limits:
    "Bonferroni".
    """

    depvar: str
    estimate_title: str
    se_title: str
    statistic: Literal["z", "t"]
    level: float
    blocks: tuple[Block, ...]
    legend: bool = False
    squish: bool = False
    stretch: bool = True
    intervals: bool = True
    p_values: bool = True
    adjustment: str = ""
    wrap: Wrap = Wrap()


@dataclass(frozen=True, slots=True)
class ComparisonTest:
    """The likelihood-ratio line. `boundary` marks one variance tested: chibar2(01), half the tail.

    `p_mixture` is the p-value of the mixture of chi2 distributions where several variances are tested
    and it is known: the manual's text has no place for it, a notebook offers it under the line.
    """

    model: str
    chi2: float
    df: int
    p: float
    boundary: bool
    p_mixture: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All that an estimation command shows, from the notes to the last line.

    `log` holds the iteration log line by line as it was streamed. `constraints` are the lines
    between header and table, such as "( 1)  [c_use]_cons = 0". `notes` are under the table,
    before the comparison; `warnings` come last. `title` heads a report without a header.
    """

    notes_before: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    header: Header | None = None
    constraints: tuple[str, ...] = ()
    table: CoefficientTable | None = None
    notes: tuple[str, ...] = ()
    comparison: ComparisonTest | None = None
    warnings: tuple[str, ...] = field(default=())
    title: str = ""
