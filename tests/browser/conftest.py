"""One JupyterLab and one browser for all tests; a fresh page and fresh kernels for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.browser.lab import PATIENCE, THEMES, Lab, Notebook, chromium

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"

# Nothing but the tests' own server is to be reached, and nothing of the user's to be read.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

Opener = Callable[[Sequence[str]], Notebook]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS), timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    """A window tall enough that no cell is left out because it is out of sight."""
    lab.theme(THEMES[0])
    page = browser.new_page(viewport={"width": 1280, "height": 2400})
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()
    lab.end_kernels()


@pytest.fixture
def opened(lab: Lab, page: Page, request: pytest.FixtureRequest) -> Opener:
    """Opens a notebook of the given code cells."""
    numbers = count()

    def open_cells(cells: Sequence[str]) -> Notebook:
        path = lab.write(f"{request.node.originalname}{next(numbers)}", cells)
        return lab.open(page, path)

    return open_cells


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures are kept for someone to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS
