"""What everyone can use: an accessibility check of tables and widgets, and a notebook with many results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from tests.browser.lab import THEMES, Lab, Notebook

pytestmark = pytest.mark.browser

LOAD = "%load_ext memagic\n%use bangladesh"
MODEL = "c_use i.urban age || district:"
SHOWN = [
    LOAD,
    f"%melogit {MODEL}",
    "%melogit, or baselevels",
    "%melogit, coeflegend",
    "%quadchk 5",
    "%quietly melogit c_use age || district:\n%estimates store age",
    "%estimates table age .",
    "%melogit c_use age || district:, widget",
    f"%melogit {MODEL} i.urban, startgrid(.1 1) widget",
    "import memagic\nmemagic.run('melogit c_use age || district:', 'bangladesh').explore_integrand()",
]

Opener = Callable[[Sequence[str]], Notebook]


@pytest.mark.parametrize("theme", THEMES)
def test_no_violation(lab: Lab, page: Page, screenshots: Path, theme: str) -> None:
    lab.theme(theme)
    page.set_viewport_size({"width": 1280, "height": 9000})
    notebook = lab.open(page, lab.write(f"access-{theme.split()[-1].lower()}", SHOWN))
    notebook.run_all(len(SHOWN) - 1)
    notebook.button("Run grid").click()
    notebook.until(lambda: "nodes are evaluated." in notebook.text(8), "the grid")
    page.screenshot(path=screenshots / f"outputs-{theme.split()[-1].lower()}.png")
    # The program around them is JupyterLab's own. So are the handles of ipywidgets' sliders, which have no
    # name of their own: a field with a name beside them takes the same values.
    shown = {"include": [[".jp-OutputArea-output"]], "exclude": [[".noUi-handle"]]}
    found = Axe().run(page, context=shown)
    told = [
        f"{violation['id']}: {violation['help']}: {node['html'][:300]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
    for line in told:
        print(line)
    assert told == []


def test_a_notebook_with_fifty_results(lab: Lab, page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [LOAD, *([f"%melogit {MODEL} i.urban, covariance(unstructured)"] * 50)]
    path = lab.write("fifty", cells)
    page.set_viewport_size({"width": 1280, "height": 2000})
    notebook = lab.open(page, path)
    notebook.run_all(50)
    notebook.save()
    size = path.stat().st_size
    outputs = [cell["outputs"] for cell in json.loads(path.read_text())["cells"][1:]]
    assert all(len(output) == 2 for output in outputs)
    assert size / 50 < 40_000
    start = time.perf_counter()
    again = lab.open(page, path)
    again.output(1).get_by_role("group", name="Table of estimates").wait_for()
    seconds = time.perf_counter() - start
    with capsys.disabled():
        print(f" {size / 50 / 1000:.1f} kB a result, opened in {seconds:.1f} s ", end="")
