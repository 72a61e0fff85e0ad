"""The log of a slow fit while it runs, and its Stop button."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import expect
from tests.browser.lab import Notebook

pytestmark = pytest.mark.browser

LOAD = "%load_ext memagic\n%use bangladesh"
SLOW = "c_use age || district: urban age, covariance(unstructured) intpoints(30)"

Opener = Callable[[Sequence[str]], Notebook]


def test_stop_by_the_keyboard(opened: Opener) -> None:
    notebook = opened([LOAD, f"%melogit {SLOW}", "_stopped.converged"])
    notebook.run(0)
    notebook.start(1)
    box = notebook.output(1)
    # Before the first iteration of the full model there is nothing to keep.
    expect(box).to_contain_text(re.compile(r"Fitting full model:\s+Iteration 0:"))
    expect(box.get_by_role("status")).to_contain_text("so far)")
    stop = box.locator("button.memagic-stop")
    expect(stop).to_be_visible()
    stop.focus()
    notebook.page.keyboard.press("Enter")
    expect(box).to_contain_text("--Break--")
    notebook.ended(1)
    text = notebook.text(1)
    assert "the fit was interrupted after iteration" in text
    assert "r(1);" in text
    expect(stop).to_have_count(0)
    expect(box.get_by_role("group", name="Table of estimates")).to_contain_text("var(urban)")
    notebook.run(2)
    assert notebook.text(2).endswith("False")
