"""Put the documentation's sources together in a folder, for Sphinx: ``python -m scripts.make_docs FOLDER``.

Pages of docs/ as they are, pages that are made from the package's tables, the notebooks, and the files
that pages name: a link to a file of the repository becomes one to a page with its text. So pages can be
read in the repository as well.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path, PurePosixPath

from scripts.make_api_pages import api_pages
from scripts.make_command_pages import index_page, pages
from scripts.make_data_page import data_page

__all__ = ["assemble", "links"]

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

_LINK = re.compile(r"(?<!\!)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]+)(?P<place>#[^)\s]*)?\)")
_LANGUAGES = {".py": "python", ".R": "r", ".json": "json", ".toml": "toml", ".md": "markdown"}


def assemble(target: Path) -> None:
    """Write all sources into a folder, which is made anew."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        # The pages of docs/ are one folder higher there.
        text = notebook.read_text(encoding="utf-8").replace("](../docs/", "](../")
        _write(target / "notebooks" / notebook.name, text)
    shutil.copy(DOCS / "conf.py", target)
    shutil.copytree(DOCS / "_static", target / "_static")
    named: set[Path] = set()
    for source in sorted(DOCS.glob("*.md")):
        text, files = _for_the_site(source.read_text(encoding="utf-8"))
        named |= files
        _write(target / source.name, text)
    made = {"data.md": data_page(), "commands/index.md": index_page()}
    made |= {f"commands/{name}.md": text for name, text in pages().items()}
    made |= {f"api/{name}.md": text for name, text in api_pages().items()}
    for name, text in made.items():
        _write(target / name, text)
    for path in sorted(named):
        _write(target / "source" / f"{_page_name(path)}.md", _source_page(path))


def links(text: str) -> list[str]:
    """Targets of a page's links, without those into the web and within the page."""
    found = [match["target"] for match in _LINK.finditer(_without_code(text))]
    return [target for target in found if "://" not in target and not target.startswith("mailto:")]


def _without_code(text: str) -> str:
    return re.sub(r"^(`{3,}).*?^\1", "", text, flags=re.S | re.M)


def _for_the_site(text: str) -> tuple[str, set[Path]]:
    """A page with its links to files of the repository as links to pages, and those files."""
    files: set[Path] = set()

    def link(match: re.Match[str]) -> str:
        target = match["target"]
        if not target.startswith("../"):
            return match[0]
        path = ROOT / target.removeprefix("../")
        if path.suffix == ".ipynb":
            return f"[{match['text']}]({target.removeprefix('../')})"
        if path.is_dir():
            # A folder has no page: its name is enough.
            return match["text"]
        files.add(path)
        return f"[{match['text']}](source/{_page_name(path)}.md)"

    return _LINK.sub(link, text), files


def _page_name(path: Path) -> str:
    return str(PurePosixPath(path.relative_to(ROOT)))


def _source_page(path: Path) -> str:
    """A page with a file's text."""
    language = _LANGUAGES.get(path.suffix, "text")
    text = path.read_text(encoding="utf-8")
    fence = "`" * 6
    return f"---\norphan: true\n---\n\n# {_page_name(path)}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    assemble(Path(sys.argv[1]))
