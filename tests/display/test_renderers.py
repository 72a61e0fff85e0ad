"""HTML and LaTeX show the text's numbers, hold up against hostile names, and are well formed."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagic.display.html import to_html
from memagic.display.latex import to_latex
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

VOID = {"col", "br"}
NUMBER = re.compile(r"(?<![\w.])-?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[+-]\d+)?(?!\w)|(?<=\s)\.(?=\s|$)")


class Page(HTMLParser):
    """Checks that tags nest, and collects the tables' cells."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)
        if "td" in self.open:
            self.cells[-1] += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def text_cells(report: Report) -> list[str]:
    """Collect the numbers of the text's coefficient table, row by row."""
    body = to_text(replace(report, header=None, log=(), notes_before=())).split("\n")
    rows = (
        line.partition("|")[2]
        for line in body
        if "|" in line and "Std. err." not in line and "P>|" not in line
    )
    return [cell for row in rows for cell in NUMBER.findall(f" {row} ")]


def html_cells(report: Report) -> list[str]:
    page = Page(to_html(replace(report, header=None)))
    return [cell for cell in page.cells if NUMBER.fullmatch(cell) or cell == "."]


def latex_cells(report: Report) -> list[str]:
    source = to_latex(replace(report, header=None))
    body = source.partition(r"\toprule")[2].partition(r"\bottomrule")[0]
    cells = (
        cell.strip().removesuffix(r"\\").strip().strip("$")
        for line in body.split("\n")
        for cell in line.split(" & ")[1:]
    )
    return [cell for cell in cells if NUMBER.fullmatch(cell) or cell == "."]


numbers = st.one_of(st.none(), st.floats(allow_nan=True, width=32))
rows = st.builds(
    Row,
    st.just("estimate"),
    st.sampled_from(["x", "_cons", "1.urban"]),
    st.just("x"),
    st.floats(allow_nan=True),
    numbers,
    numbers,
    st.one_of(st.none(), st.floats(0, 1)),
    numbers,
    numbers,
    indented=st.booleans(),
)


@given(st.lists(rows, min_size=1, max_size=6), st.booleans(), st.booleans())
def test_the_same_numbers_everywhere(some: list[Row], intervals: bool, p_values: bool) -> None:
    table = CoefficientTable(
        "y",
        "Coefficient",
        "Std. err.",
        "z",
        95.0,
        (Block(tuple(some)),),
        intervals=intervals,
        p_values=p_values,
    )
    report = Report(table=table)
    expected = text_cells(report)
    assert html_cells(report) == expected
    assert latex_cells(report) == expected


def test_the_same_numbers_in_the_examples(report: Report) -> None:
    expected = text_cells(report)
    assert expected
    assert html_cells(report) == expected
    assert latex_cells(report) == expected


def test_header_and_comparison_everywhere(report: Report) -> None:
    bare = replace(report, table=None, log=())
    shown = set(NUMBER.findall(f" {to_text(bare)} "))
    assert shown
    # In the source of LaTeX the minus sign is set in math.
    latex = to_latex(bare).replace("$", " ")
    for number in shown:
        if number != ".":
            assert number in unescape(to_html(bare))
            assert number in latex


def test_structure_of_the_table(examples: Mapping[str, Report]) -> None:
    source = to_html(examples["melogit-2"])
    page = Page(source)
    heads = page.attributes("th")
    assert all(head["scope"] in {"col", "colgroup", "row", "rowgroup"} for head in heads)
    assert [head["colspan"] for head in heads if head["scope"] == "colgroup"] == ["2"]
    assert len(page.attributes("tbody")) == 3
    assert len(page.attributes("caption")) == 1
    assert {"scope": "row", "title": "_b[1.children]"} in heads
    assert len(source) < 40_000
    assert "http" not in source


def test_no_fixed_colours(report: Report) -> None:
    style = to_html(report).partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"#[0-9a-f]{3,6}\b|rgba?\(|hsl", style)
    assert not re.search(r"\b(?:black|white|gr[ae]y|red|blue)\b(?!-)", style)


def test_log_is_folded(examples: Mapping[str, Report]) -> None:
    source = to_html(examples["meglm-4"])
    assert '<details class="memagic-log"><summary>Iteration log</summary><pre>Fitting fixed' in source
    assert "<details" not in to_html(examples["meglm-1"])


def test_group_table(examples: Mapping[str, Report]) -> None:
    page = Page(to_html(examples["meglm-3"]))
    assert page.cells[:8] == ["28", "18", "57.1", "137", "135", "1", "11.9", "28"]
    assert len(page.attributes("table")) == 2


def test_legend(examples: Mapping[str, Report]) -> None:
    full = examples["melogit-1"]
    assert full.table is not None
    coded = replace(full, table=replace(full.table, legend=True))
    cells = Page(to_html(coded)).cells
    assert cells[:2] == [".7322765", "_b[1.urban]"]
    assert r".7322765 & \multicolumn{1}{l}{\_b{[}1.urban]} \\" in to_latex(coded)


def test_latex_of_an_example(examples: Mapping[str, Report]) -> None:
    source = to_latex(examples["melogit-2"])
    assert source.startswith("% needs \\usepackage{booktabs}\n\\begin{table}[htbp]\n")
    assert r"c\_use & Coefficient & Std. err. & $z$ & $P>|z|$ & \multicolumn{2}{c}{{[}95\% conf" in source
    assert "\\quad cov(1.urban,\\_cons) & $-.4058861$ & .1755414 & $-2.31$ & 0.021 & $-.7499408$" in source
    assert source.count(r"\midrule") == 3
    assert source.endswith("\\end{minipage}\n\\end{table}\n")


ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></div>",
    "</pre></details><b>",
    "' onmouseover='alert(1)",
    "a&b &lt;",
    "\\input{/etc/passwd}",
    "50% & more \\\\ $x_1^2$ {#~}",
    "[2em]*",
    "one\ntwo\tthree\x1b[31m\u2028",
]


def hostile(name: str) -> Report:
    rows = (
        Row("heading", name, name),
        Row("estimate", name, name, 1.5, 0.5, 3.0, 0.003, 0.5, 2.5, indented=True),
        Row("state", name, name, 0.0, note=name),
    )
    blocks = (Block(rows), Block(rows[1:2], title=name, flush=True))
    group = GroupSummary(name, 2, 1, 2.0, 3)
    return Report(
        notes_before=(name,),
        log=(name,),
        header=Header(
            title=name,
            model=((name, name),),
            n_obs=10,
            groups=(group, group),
            integration=(name, 7),
            wald=WaldTest(1, 2.0, 0.1),
            ll_label=name,
            ll=-1.5,
            vce=name,
        ),
        constraints=(name,),
        table=CoefficientTable(name, name, name.replace("\n", " "), "z", 95.0, blocks),
        notes=(name,),
        comparison=ComparisonTest(name, 1.0, 2, 0.5, False),
        warnings=(name,),
    )


@pytest.mark.parametrize("name", ATTACKS)
def test_names_are_escaped_in_html(name: str) -> None:
    harmless = Page(to_html(hostile("harmless")))
    page = Page(to_html(hostile(name)))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert [set(attrs) for _, attrs in page.tags] == [set(attrs) for _, attrs in harmless.tags]


@given(st.text(max_size=20))
def test_any_name_leaves_the_structure_alone(name: str) -> None:
    page = Page(to_html(hostile(f"x{name}")))
    assert len(page.attributes("table")) == 2
    assert len(page.attributes("tr")) == 10
    to_text(hostile(name))


@pytest.mark.parametrize("name", ATTACKS)
def test_names_are_escaped_in_latex(name: str) -> None:
    source = to_latex(hostile(name))
    plain = to_latex(hostile("harmless"))
    body = source.partition("\n")[2]
    for command in (r"\input", r"\begin", r"\end", r"\multicolumn", r"\\"):
        assert body.count(command) == plain.count(command)
    # No special character but those of the table itself.
    assert len(re.findall(r"(?<!\\)&", body)) == len(re.findall(r"(?<!\\)&", plain))
    assert len(re.findall(r"(?<!\\)%", body)) == 0
    assert len(re.findall(r"(?<!\\)\$", body)) == len(re.findall(r"(?<!\\)\$", plain))
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", body):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize("name", ATTACKS)
def test_names_stay_on_one_line_in_the_table(name: str) -> None:
    report = hostile(name)
    table = to_text(Report(table=report.table))
    assert "\x1b" not in table
    assert all("|" in line or set(line) <= {"-", "+"} for line in table.split("\n"))
