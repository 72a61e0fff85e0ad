"""What README.md shows is what happens: its first cell, its picture, its code, its links."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import memagic

Checkout = Callable[[str], Path]

PICTURES = ("docs/images/first-cell-light.png", "docs/images/first-cell-dark.png")


@pytest.fixture
def readme(checkout: Checkout) -> str:
    # Beside tests that are run without a checkout there is no page either.
    return checkout("README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.M | re.S)


def test_the_first_cell_shows_what_the_picture_is_said_to_show(readme: str) -> None:
    shell = InteractiveShell()
    try:
        done = shell.run_cell(blocks(readme, "python")[0])
        assert done.success
        assert isinstance(done.result, memagic.MEResults)
        printed = str(done.result)
    finally:
        shell.run_line_magic("unload_ext", "memagic")
    (alternative,) = re.findall(r'alt="([^"]*)"', readme)
    numbers = re.findall(r"-?\d[\d,.]*\d|\b\d\b", alternative)
    assert len(numbers) >= 6
    for number in numbers:
        assert number in printed, number


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_are_there_and_small(name: str, readme: str, checkout: Checkout) -> None:
    assert f'"{name}"' in readme
    content = checkout(name).read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(content) < 120_000
    width, height = struct.unpack(">II", content[16:24])
    (shown,) = re.findall(r'width="(\d+)"', readme)
    # Drawn at twice the size that the page gives it.
    assert width == 2 * int(shown)
    assert 0.5 < height / width < 1.2


def test_the_code_runs(readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pytest.importorskip("maketables")
    monkeypatch.chdir(tmp_path)
    # As it is printed: with no name but those that it makes itself.
    names: dict[str, object] = {}
    exec(compile(blocks(readme, "python")[1], "README.md", "exec"), names)
    pyplot.close("all")
    assert isinstance(names["fit"], memagic.MEResults)
    assert (tmp_path / "fit.mefit").is_file()


def test_links_lead_somewhere(readme: str, checkout: Checkout) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", readme)
    assert len(links) >= 8
    for link in links:
        assert checkout(link).exists()


def test_the_speeds_are_the_measured_ones(readme: str, checkout: Checkout) -> None:
    measured = {}
    for line in checkout("docs/performance.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) in (6, 7):
            measured[cells[0]] = cells
    rows = re.findall(r"^\|.*\(`([\w-]+)`\) \| ([\d,]+) \| ([\d.]+) \| ([\d.]+) \|$", readme, flags=re.M)
    assert len(rows) >= 5
    for case, size, ours, theirs in rows:
        cells = measured[case]
        assert size == cells[1]
        for said, exact in ((ours, cells[2]), (theirs, cells[-2])):
            assert float(said) == pytest.approx(float(exact), rel=0.05), case
