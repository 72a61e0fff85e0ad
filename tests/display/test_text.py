"""The text of a report, character by character."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from memagic.display.report import (
    Block,
    CoefficientTable,
    ComparisonTest,
    GroupSummary,
    Header,
    Report,
    Row,
    WaldTest,
)
from memagic.display.text import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPECTED = Path(__file__).parent / "expected"


def table(*rows: Row, depvar: str = "y", **options: bool) -> CoefficientTable:
    return CoefficientTable(depvar, "Coefficient", "Std. err.", "z", 95.0, (Block(rows),), **options)


def row(label: str, *, indented: bool = False) -> Row:
    return Row("estimate", label, label, 0.5, 0.25, 2.0, 0.046, 0.01, 0.99, indented=indented)


def variances(*labels: str, title: str | None = None) -> CoefficientTable:
    rows = tuple(replace(row(label), z=None, p=None) for label in labels)
    block = Block(rows, title=title, flush=True)
    return CoefficientTable("y", "Coefficient", "Std. err.", "z", 95.0, (block,))


def lines(of: CoefficientTable) -> list[str]:
    return to_text(Report(table=of)).split("\n")


@pytest.mark.parametrize("name", sorted(path.stem for path in EXPECTED.glob("*.txt")))
def test_example(name: str, examples: Mapping[str, Report]) -> None:
    assert to_text(examples[name]) + "\n" == (EXPECTED / f"{name}.txt").read_text()


def test_no_line_has_trailing_blanks(report: Report) -> None:
    text = to_text(report)
    assert all(line == line.rstrip() for line in text.split("\n"))
    assert text == text.strip("\n")


def test_a_long_name_widens_the_table() -> None:
    rule, head, _, *body, _ = lines(table(row("perc_empl_white_women"), row("_cons")))
    assert len(rule) == 87
    assert head.startswith("                    y | Coefficient  Std. err.")
    assert body[0].startswith("perc_empl_white_women |         .5        .25     2.00   0.046")
    assert body[1].startswith("                _cons |         .5")


def test_a_long_interaction_widens_the_table_and_is_broken_only_past_the_limit() -> None:
    heading = Row("heading", "AgentType#c.Congruence1")
    assert lines(table(heading, row("RL", indented=True)))[3:5] == [
        "AgentType#c.Congruence1 |",
        "                    RL  |         .5        .25     2.00   0.046          .01         .99",
    ]
    product = row("c.body_mass_index#c.body_mass_index#c.age")
    body = lines(table(product))[3:5]
    assert body[0] == "c.body_mass_index#|".rjust(34)
    assert body[1].startswith(f"{'c.body_mass_index#c.age':>32} |         .5")


def test_without_stretch_names_are_shortened() -> None:
    rule, head, _, body, _ = lines(table(row("perc_empl_white_women"), depvar="y" * 14, stretch=False))
    assert len(rule) == 78
    assert head.startswith("yyyyyyyyyy~y | Coefficient")
    assert body.startswith("perc_empl_~n |         .5")


def test_a_very_long_level_is_shortened() -> None:
    body = lines(table(Row("heading", "region"), row("r" * 50 + "z", indented=True)))[4]
    assert body.startswith("r" * 29 + "~z  |         .5")


def test_labels_against_the_bar() -> None:
    shown = lines(variances("var(e.weight)", "cov(x,_cons)", "cov(1.urban,_cons)", title="family>subject"))
    assert [line.partition("|")[0] for line in shown[3:-1]] == [
        "family>      ",
        "subject      ",
        "var(e.weight)",
        " cov(x,_cons)",
        " cov(1.urban,",
        "       _cons)",
    ]
    wide = lines(variances("var(2.treatment)"))
    assert wide[3].startswith(" var(2.treatment)|         .5        .25                   ")


def test_blank_lines_around_factors() -> None:
    rows = (
        row("a"),
        row("b"),
        Row("heading", "g"),
        row("1", indented=True),
        Row("heading", "h"),
        row("1", indented=True),
        row("c.a#c.b"),
        row("_cons"),
        Row("state", "expos", "", 1.0, note="(exposure)"),
    )
    labels = [line.partition("|")[0].strip() for line in lines(table(*rows))[3:-1]]
    assert labels == ["a", "b", "", "g", "1", "", "h", "1", "", "c.a#c.b", "", "_cons", "expos"]
    squished = [line.partition("|")[0].strip() for line in lines(table(*rows, squish=True))[3:-1]]
    assert squished == [label for label in labels if label]


def test_held_coefficients() -> None:
    rows = [Row("state", "x", "x", 0.0, note=note) for note in ("(omitted)", "(base)", "(empty)")]
    assert lines(table(*rows, Row("state", "off", "", 1.0, note="(offset)")))[3:-1] == [
        "           x |          0  (omitted)",
        "           x |          0  (base)",
        "           x |          0  (empty)",
        "         off |          1  (offset)",
    ]


def test_missing_standard_error() -> None:
    body = lines(table(Row("estimate", "x", "x", -18.03693, nan, nan, nan, nan, nan)))[3]
    assert body == "           x |  -18.03693          .        .       .            .           ."


def test_legend() -> None:
    assert lines(table(row("_cons"), Row("state", "x", "o.x", 0.0, note="(omitted)"), legend=True))[1:-1] == [
        "           y | Coefficient  Legend",
        "-------------+----------------------------------------------------------------",
        "       _cons |         .5  _b[_cons]",
        "           x |          0  (omitted)",
    ]


def test_without_intervals_and_without_p_values() -> None:
    held = Row("state", "x", "x", 0.0, note="(base)")
    assert lines(table(held, row("_cons"), intervals=False)) == [
        "-----------------------------------------------------",
        "           y | Coefficient  Std. err.      z    P>|z|",
        "-------------+---------------------------------------",
        "           x |          0  (base)",
        "       _cons |         .5        .25     2.00   0.046",
        "-----------------------------------------------------",
    ]
    assert lines(table(row("_cons"), p_values=False))[1:4] == [
        "           y | Coefficient  Std. err.    [95% conf. interval]",
        "-------------+-----------------------------------------------",
        "       _cons |         .5        .25          .01         .99",
    ]
    assert lines(table(row("_cons"), p_values=False, intervals=False)) == [
        "-------------------------------------",
        "           y | Coefficient  Std. err.",
        "-------------+-----------------------",
        "       _cons |         .5        .25",
        "-------------------------------------",
    ]


def test_other_levels_of_confidence() -> None:
    head = lines(replace(table(row("x")), level=99.9))[1]
    assert head.endswith("    P>|z|   [99.9% conf. interval]")
    assert len(head) == 78


HEADER = Header(
    title="Mixed-effects tobit regression",
    model=(),
    n_obs=1205,
    groups=(),
    integration=None,
    wald=WaldTest(0, nan, nan),
    ll_label="Log likelihood",
    ll=-99.5,
    counts=(("Uncensored", 1000), ("Left-censored", 205)),
)


def test_header_without_groups_and_integration() -> None:
    assert to_text(Report(header=HEADER)).split("\n") == [
        "Mixed-effects tobit regression                  Number of obs     =      1,205",
        "                                                Uncensored        =      1,000",
        "                                                Left-censored     =        205",
        "",
        "                                                Wald chi2(0)      =          .",
        "Log likelihood = -99.5                          Prob > chi2       =          .",
    ]
    bare = replace(HEADER, counts=(), wald=None)
    assert to_text(Report(header=bare)).split("\n")[1:] == ["", "Log likelihood = -99.5"]


def test_long_names_in_the_header_keep_the_numbers_in_place() -> None:
    group = GroupSummary("g" * 40, 3, 1, 3435.0, 10_000)
    text = to_text(Report(header=replace(HEADER, groups=(group,))))
    assert f"Group variable: {'g' * 40}\n{'':48}Number of groups  =          3\n" in text
    assert f"{'avg':>65} =    3,435.0" in text
    two = to_text(Report(header=replace(HEADER, groups=(group, replace(group, name="b")))))
    body = [line for line in two.split("\n") if " | " in line]
    assert len({line.index("|") for line in body}) == 1


def test_no_header_and_no_table(examples: Mapping[str, Report]) -> None:
    full = examples["melogit-1"]
    assert to_text(replace(full, header=None)).startswith("-" * 78 + "\n       c_use |")
    assert to_text(replace(full, table=None)).split("\n")[-2].startswith("Log likelihood")
    assert to_text(Report()) == ""


def test_comparison_and_what_follows() -> None:
    test = ComparisonTest("exponential", 2.01e6, 1, 0.0, True)
    report = Report(comparison=test, warnings=("Warning: Convergence not achieved.",))
    assert to_text(report).split("\n") == [
        "LR test vs. exponential model: chibar2(01) = 2.0e+06  Prob >= chibar2 = 0.0000",
        "Warning: Convergence not achieved.",
    ]
    long = to_text(Report(comparison=replace(test, model="m" * 40)))
    assert "= 2.0e+06  Prob >=" in long
