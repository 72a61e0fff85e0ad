"""The widgets in JupyterLab: pressed by mouse and keyboard, and what they show then."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import expect
from tests.browser.lab import Notebook, plain

pytestmark = pytest.mark.browser

LOAD = "%load_ext memagic\n%use bangladesh"
MODEL = "c_use i.urban age || district:"

Opener = Callable[[Sequence[str]], Notebook]


def test_replay(opened: Opener) -> None:
    # A fit from here on would be noticed: there is nothing left to fit with.
    no_more = (
        "import memagic.engine.fit, memagic.commands.estimate as c\nc.fit = memagic.engine.fit.fit = None"
    )
    notebook = opened([LOAD, f"%melogit {MODEL}", no_more, "%melogit, widget", "%melogit, or level(90)"])
    notebook.run_all(4)
    table = notebook.output(3).locator("table.memagic-table")
    expect(table).to_contain_text("Coefficient")
    expect(table).to_contain_text("[95% conf. interval]")
    box = notebook.output(3)
    command = box.get_by_label("Command", exact=True)
    expect(command).to_have_value("%melogit")

    box.get_by_label("Scale", exact=True).select_option(label="Odds ratios (or)")
    expect(table).to_contain_text("Odds ratio")
    expect(command).to_have_value("%melogit, or")

    level = box.get_by_label("Level", exact=True)
    level.focus()
    notebook.page.keyboard.press("Control+a")
    notebook.page.keyboard.type("90")
    notebook.page.keyboard.press("Tab")
    expect(table).to_contain_text("[90% conf. interval]")
    expect(command).to_have_value("%melogit, or level(90)")
    # What it tells to type shows the same numbers.
    assert plain(table.inner_text()) == plain(notebook.output(4).locator("table").inner_text())

    box.locator(".noUi-handle").focus()
    notebook.page.keyboard.press("ArrowRight")
    expect(table).to_contain_text("[95% conf. interval]")
    expect(command).to_have_value("%melogit, or")


def test_start_grid(opened: Opener) -> None:
    command = f"%melogit {MODEL} i.urban, startgrid(.1 1 10) widget"
    notebook = opened([LOAD, command, "%melogit"])
    notebook.run(0)
    notebook.run(1)
    box = notebook.output(1)
    expect(notebook.button("Stop")).to_be_disabled()
    notebook.button("Run grid").click()
    status = box.get_by_role("status")
    expect(status).to_have_text("10 nodes are evaluated.")
    nodes = box.get_by_role("group", name="Log likelihood at the nodes of the grid")
    rows = nodes.locator("tbody tr")
    expect(rows).to_have_count(10)
    values = [float(row.split()[-1].replace(",", "")) for row in rows.all_inner_texts()]
    heads = nodes.locator("tbody th").all_inner_texts()
    (best,) = (k for k, head in enumerate(heads) if "best" in head)
    assert values[best] == max(values)
    choice = box.get_by_label("Node", exact=True)
    assert plain(choice.evaluate("e => e.selectedOptions[0].text")) == f"The best: grid node {best}"

    notebook.button("Fit from here").click()
    expect(status).to_have_text(f"The fit from grid node {best} converged.")
    result = box.get_by_role("group", name="Table of estimates")
    expect(result).to_contain_text("var(1.urban)")
    notebook.button("Use as last estimates").click()
    expect(status).to_have_text("The fit is the last estimates now.")
    notebook.run(2)
    again = notebook.output(2).get_by_role("group", name="Table of estimates")
    assert plain(again.inner_text()) == plain(result.inner_text())


def test_stop_of_a_longer_grid(opened: Opener) -> None:
    # Data and points enough that the grid takes a minute.
    frame = 'pd.concat([memagic.datasets.load("bangladesh")] * 40)'
    source = f'memagic.explore_start("melogit {MODEL}, startgrid(.01(.01)9) intpoints(100)", {frame})'
    notebook = opened([f"import memagic\nimport pandas as pd\n{source}"])
    notebook.run(0)
    box = notebook.output(0)
    notebook.button("Run grid").click()
    rows = box.locator("table.memagic-table tbody tr")
    notebook.until(lambda: rows.count() >= 3, "rows of the table")
    notebook.button("Stop").click()
    expect(box.get_by_role("status")).to_have_text("Stopped.")
    so_far = re.search(r"(\d+) of 901 nodes so far\.", plain(box.inner_text()))
    assert so_far is not None
    assert 3 <= int(so_far[1]) < 901
    expect(rows).to_have_count(int(so_far[1]))
    expect(notebook.button("Fit from here")).to_be_enabled()
    expect(notebook.button("Run grid")).to_be_enabled()
    expect(notebook.button("Stop")).to_be_disabled()
