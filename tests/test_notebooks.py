"""What is stored of the notebooks: small, without widgets that only a kernel could show, and true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LABS = [path for path in NOTEBOOKS if path.name.startswith("lab")]
LIVE = "application/vnd.jupyter.widget-view+json"

# With a fraction or an exponent, or thousands with their comma: others count things.
_NUMBER = re.compile(r"(?<![\w.,])(?:\d*\.\d+(?:e[-+]\d+)?|\d+e[-+]\d+|\d{1,3}(?:,\d{3})+)(?![\w])")
_ANY_NUMBER = re.compile(r"(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]\d+)?")
# How many cells away what is said may stand.
_NEAR = 5

Cell = dict[str, Any]


def cells_of(path: Path) -> list[Cell]:
    found: list[Cell] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


def text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def shown(cell: Cell) -> Iterator[str]:
    """A code cell's source, and its outputs as text."""
    yield text(cell["source"])
    for output in cell["outputs"]:
        yield text(output.get("text", ""))
        for kind, value in output.get("data", {}).items():
            if kind in ("text/plain", "text/html"):
                yield re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", " ", text(value), flags=re.S)


def numbers(words: str) -> Iterator[float]:
    for match in _ANY_NUMBER.finditer(words):
        yield float(match.group().replace(",", ""))


def half_unit(number: str) -> float:
    """Half a unit of the last digit that is written."""
    mantissa, _, exponent = number.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 0.5000001 * 10.0 ** (int(exponent or 0) - decimals)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_stored_needs_no_kernel(path: Path) -> None:
    assert path.stat().st_size < 300_000
    assert "widgets" not in json.loads(path.read_text(encoding="utf-8"))["metadata"]
    code = [cell for cell in cells_of(path) if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        for output in cell["outputs"]:
            assert LIVE not in output.get("data", {})
            assert output["output_type"] != "error" or "raises-exception" in cell["metadata"]["tags"]


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_numbers_in_the_text_stand_in_an_output_nearby(path: Path) -> None:
    cells = cells_of(path)
    missing = []
    for k, cell in enumerate(cells):
        if cell["cell_type"] != "markdown":
            continue
        near = [c for c in cells[max(k - _NEAR, 0) : k + _NEAR] if c["cell_type"] == "code"]
        known = [value for c in near for words in shown(c) for value in numbers(words)]
        for match in _NUMBER.finditer(text(cell["source"])):
            number = match.group()
            value, tolerance = float(number.replace(",", "")), half_unit(number)
            if not any(abs(value - v) <= tolerance for v in known):
                missing.append((k, number))
    assert not missing


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_answers_can_be_hidden(path: Path) -> None:
    cells = cells_of(path)
    answers = [cell for cell in cells if "answer" in cell["metadata"].get("tags", [])]
    texts = [text(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    exercises = sum(len(re.findall(r"^\*\*Exercise \d", words, flags=re.M)) for words in texts)
    assert exercises >= 4
    assert sum(cell["cell_type"] == "markdown" for cell in answers) == exercises
    for cell in answers:
        if cell["cell_type"] == "markdown":
            assert text(cell["source"]).startswith("<details><summary>Answer</summary>")
        else:
            assert cell["metadata"]["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
            assert {"hide-input", "hide-output"} <= set(cell["metadata"]["tags"])
