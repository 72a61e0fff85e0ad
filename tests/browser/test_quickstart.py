"""The quick start runs whole in JupyterLab, and shows the manual's numbers."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page
from tests.browser.lab import THEMES, Lab

pytestmark = pytest.mark.browser

QUICKSTART = Path(__file__).resolve().parents[2] / "notebooks" / "quickstart.ipynb"

# Places of cells, and what their output shows. [ME] melogit, examples 1 and 2.
SHOWN = {
    3: (
        "Log likelihood -1206.8322",
        "urban .7322765 .1194857 6.13 0.000",
        "_cons -1.68929 .1477592 -11.43 0.000",
        "var(_cons) .2156188 .0733225",
    ),
    5: ("Odds ratio", "[90% conf. interval]", "urban 2.07981 .2485075 6.13 0.000"),
    7: ("Log likelihood -1199.315",),
    16: ("variable urbn not found", "hint: did you mean urban?", "r(111);"),
    21: ("Log likelihood = -1206.8322",),
}
LAST = 21


@pytest.mark.parametrize("theme", THEMES)
def test_the_quick_start_runs(lab: Lab, page: Page, screenshots: Path, theme: str) -> None:
    name = theme.split()[-1].lower()
    copy = nbformat.read(QUICKSTART, as_version=4)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    path = lab.root / f"quickstart-{name}.ipynb"
    nbformat.write(copy, path)
    lab.theme(theme)
    # So tall that all of it is in the window at once.
    page.set_viewport_size({"width": 1280, "height": 6000})
    notebook = lab.open(page, path)
    notebook.run_all(LAST)
    page.screenshot(path=screenshots / f"quickstart-{name}.png")
    dark = page.locator("body").get_attribute("data-jp-theme-light") == "false"
    assert dark == (theme == THEMES[1])
    for place, shown in SHOWN.items():
        text = notebook.text(place)
        for words in shown:
            assert words in text, text
    # The log folds open by the keyboard, and the live one has left nothing behind.
    summary = notebook.output(3).locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert "Fitting full model:" in notebook.text(3)
    assert notebook.output(3).locator("pre").count() == 1
