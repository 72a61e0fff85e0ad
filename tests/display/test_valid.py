"""HTML that a strict parser takes, and LaTeX that compiles, whatever names and labels say."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import html5lib
import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import Session
from memagic.display.html import to_html
from memagic.display.latex import to_latex
from memagic.display.report import Block, CoefficientTable, GroupSummary, Header, Report, Row, WaldTest
from memagic.results import MEResults

NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></pre></details><b>",
    "a&b &lt; \\input{x} 50% $x_1^2$ {#~}",
)


def tags(fragment: str) -> list[str]:
    """The elements of a fragment, by a parser that takes nothing but valid HTML."""
    page = f'<!DOCTYPE html><html lang="en"><head><title>t</title></head><body>{fragment}</body></html>'
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    return [element.tag for element in tree.iter() if isinstance(element.tag, str)]


def test_examples_are_valid(report: Report) -> None:
    assert "table" in tags(to_html(report))


def labelled(labels: tuple[str, ...]) -> pd.DataFrame:
    """Data whose labels, as those of a .dta file, may say anything."""
    rng = np.random.default_rng(3)
    group = np.arange(160) // 8
    frame = pd.DataFrame({"g": group, "x": rng.normal(size=160)})
    frame["f"] = pd.Categorical.from_codes(rng.integers(0, 4, 160), categories=list(labels))
    frame["y"] = rng.binomial(1, 0.5, 160)
    frame["site"] = [labels[k % 4] + str(k) for k in group]
    frame.attrs["title"] = labels[0]
    return frame


def shown(frame: pd.DataFrame) -> Iterator[str]:
    """Everything that shows itself as HTML and can have words of the data in it."""
    session = Session(frame)
    result = session.run("melogit y i.f x || site:")
    assert isinstance(result, MEResults)
    for value in (
        result,
        session.run("melogit, or baselevels"),
        session.run("quadchk 5"),
        result.diagram(),
        result.explore(),
        result.explore_integrand(),
        session.explore_start("melogit y i.f x || site:"),
        session.run("bysort f: melogit y x || site:"),
    ):
        yield value._repr_mimebundle_()["text/html"]
    session.run('estimates store a, title("<b>bold</b>")')
    for command in ("estimates dir", "estimates table a .", "estimates replay a"):
        yield session.run(command)._repr_mimebundle_()["text/html"]


def test_labels_cannot_inject_html() -> None:
    harmless = [tags(html) for html in shown(labelled(("one", "two", "three", "four")))]
    assert [tags(html) for html in shown(labelled(NASTY))] == harmless


def hostile(name: str) -> Report:
    rows = (
        Row("heading", name),
        Row("estimate", name, name, 1.5, 0.5, 3.0, 0.003, 0.5, 2.5, indented=True),
        Row("state", name, name, 0.0, note=name),
    )
    group = GroupSummary(name, 2, 1, 2.0, 3)
    return Report(
        header=Header(
            name, ((name, name),), 10, (group, group), (name, 7), WaldTest(1, 2.0, 0.1), name, -1.5
        ),
        constraints=(name,),
        table=CoefficientTable(name, name, name, "z", 95.0, (Block(rows), Block(rows[1:2], title=name))),
        notes=(name,),
        warnings=(name,),
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_compiles(examples: Mapping[str, Report], tmp_path: Path) -> None:
    reports = [*examples.values(), *(hostile(name) for name in (*NASTY, "[2em]*", "--- ?`!` ''"))]
    labels = memagic.run("melogit y i.f x || site:", labelled(NASTY)).to_latex()
    body = "\n".join([*(to_latex(report) for report in reports), labels])
    source = (
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\extrafloats{200}\n"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )
    (tmp_path / "tables.tex").write_text(source, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "tables.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "tables.pdf").stat().st_size > 10_000
