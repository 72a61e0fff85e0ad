"""Draw the pictures of README.md: what its first cell shows, in a light and a dark page.

    python -m scripts.make_pictures

Needs what `make test-browser` needs. The cell is run as a notebook runs it, and its HTML drawn by Chromium.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Literal

from IPython.core.formatters import DisplayFormatter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from tests.browser.lab import chromium

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"

# Text and background of the page, as code hosts have them.
SCHEMES: dict[Literal["light", "dark"], tuple[str, str]] = {
    "light": ("#1f2328", "#ffffff"),
    "dark": ("#e6edf3", "#0d1117"),
}
# Pixels of the picture for one of the page, and the shades of a text.
SCALE, SHADES = 2, 48

PAGE = """<!doctype html><meta charset="utf-8"><style>
body{{margin:0;color:{color};background:{background};font:14px/1.4 "Helvetica Neue",Arial,"Liberation Sans",
 "DejaVu Sans",sans-serif}}
main{{display:inline-block;padding:14px 18px}}
</style><main>{html}</main>"""


def main() -> None:
    """Write both pictures and say how large they are."""
    html = shown(first_cell((ROOT / "README.md").read_text(encoding="utf-8")))
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        for scheme in SCHEMES:
            path = IMAGES / f"first-cell-{scheme}.png"
            width, height = draw(browser, html, scheme, path)
            size = f"{width} x {height}, {path.stat().st_size / 1000:.0f} kB"
            print(f'{path.name}: {size}; in README.md width="{width // SCALE}"')
        browser.close()


def first_cell(text: str) -> str:
    """The first block of Python in a page of Markdown."""
    match = re.search(r"^```python\n(.*?)^```$", text, flags=re.M | re.S)
    assert match is not None
    return match.group(1)


def shown(cell: str) -> str:
    """The HTML that a cell's last line shows."""
    shell = InteractiveShell.instance()
    with capture_output():
        result = shell.run_cell(cell).result
    data, _ = DisplayFormatter(parent=shell).format(result)
    return str(data["text/html"])


def draw(browser: Browser, html: str, scheme: Literal["light", "dark"], path: Path) -> tuple[int, int]:
    """Draw some HTML, cut to what it covers; width and height in pixels."""
    color, background = SCHEMES[scheme]
    page = browser.new_page(
        viewport={"width": 1000, "height": 900}, device_scale_factor=SCALE, color_scheme=scheme
    )
    page.set_content(PAGE.format(color=color, background=background, html=html))
    picture = Image.open(io.BytesIO(page.locator("main").screenshot())).convert("RGB")
    page.close()
    few = picture.quantize(SHADES, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    return few.size


if __name__ == "__main__":
    main()
