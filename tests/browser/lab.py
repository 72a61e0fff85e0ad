"""JupyterLab of the tests' own, and a notebook in it as a user sees it: cells, outputs, keys and buttons."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator, Page, expect

TOKEN = "of-the-tests"
# Milliseconds for whatever the page is waited for: a busy machine with two cores is slow.
PATIENCE = 60_000
_START = 120.0

THEMES = ("JupyterLab Light", "JupyterLab Dark")

_NOTIFICATIONS = {
    "fetchNews": "false",
    "checkForUpdates": False,
    "doNotDisturbMode": True,
}


def chromium() -> str:
    """The browser's program.

    Raises
    ------
    RuntimeError
        There is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    raise RuntimeError("no Chromium on the path: apt-get install --no-install-recommends chromium")


class Lab:
    """A server that keeps all its files below one folder and touches nothing of the user's.

    Parameters
    ----------
    home : Path
        An empty folder.

    Attributes
    ----------
    root : Path
        Where its notebooks lie.
    """

    def __init__(self, home: Path) -> None:
        self.root = home / "notebooks"
        self._settings = home / "settings"
        folders = {
            "JUPYTER_CONFIG_DIR": home / "config",
            "JUPYTER_DATA_DIR": home / "data",
            "JUPYTER_RUNTIME_DIR": home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": self._settings,
            "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
            "IPYTHONDIR": home / "ipython",
        }
        for folder in (self.root, *folders.values()):
            folder.mkdir(parents=True)
        self._workspaces = count()
        self._setting("notification", _NOTIFICATIONS)
        self._log = home / "server.log"
        environment = {**os.environ, **{name: str(folder) for name, folder in folders.items()}}
        self._port = _free_port()
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
        ]
        command += [f"--ServerApp.port={self._port}", "--ServerApp.port_retries=0"]
        command += [f"--ServerApp.root_dir={self.root}", f"--IdentityProvider.token={TOKEN}"]
        command += ["--ServerApp.terminals_enabled=False", "--LabApp.extension_manager=readonly"]
        with self._log.open("w") as log:
            self._server = subprocess.Popen(
                command, env=environment, cwd=self.root, stdout=log, stderr=subprocess.STDOUT
            )
        self._wait()

    def url(self, path: str) -> str:
        """An address of the server."""
        return f"http://127.0.0.1:{self._port}/{path}"

    def theme(self, name: str) -> None:
        """Set the theme of pages that are opened from now on."""
        self._setting("themes", {"theme": name})

    def write(self, name: str, cells: Sequence[str]) -> Path:
        """Write a notebook of these code cells."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path = self.root / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    def open(self, page: Page, path: Path) -> Notebook:
        """Open a notebook, and wait until its kernel is there and listens to the page."""
        name = str(path.relative_to(self.root))
        page.goto(self.url(f"lab/workspaces/w{next(self._workspaces)}/tree/{name}?token={TOKEN}&reset"))
        notebook = Notebook(page)

        def listens() -> bool:
            kernels = [session["kernel"] for session in self._ask("api/sessions") if session["path"] == name]
            return any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels)

        notebook.until(listens, "the kernel")
        notebook.idle()
        return notebook

    def end_kernels(self) -> None:
        """Shut down all kernels, to have their memory back."""
        for session in self._ask("api/sessions"):
            self._ask(f"api/sessions/{session['id']}", "DELETE")

    def close(self) -> None:
        self._server.terminate()
        try:
            self._server.wait(20)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()

    def _setting(self, plugin: str, values: dict[str, object]) -> None:
        folder = self._settings / "@jupyterlab" / "apputils-extension"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{plugin}.jupyterlab-settings").write_text(json.dumps(values))

    def _ask(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(
            self.url(path), method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def _wait(self) -> None:
        end = time.monotonic() + _START
        while time.monotonic() < end and self._server.poll() is None:
            try:
                self._ask("api/status")
            except OSError:
                time.sleep(0.2)
            else:
                return
        self._server.kill()
        self._server.wait()
        raise RuntimeError(f"JupyterLab has not started:\n{self._log.read_text()[-3000:]}")


class Notebook:
    """A notebook that a page is opening.

    Parameters
    ----------
    page : Page
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator(".jp-NotebookPanel")
        self.panel.locator(".jp-Cell").first.wait_for()

    def idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        indicator = self.panel.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        indicator.wait_for(state="attached")

    def cell(self, number: int) -> Locator:
        """A cell by its place from 0, text cells counted."""
        return self.panel.locator(f'.jp-Cell[data-windowed-list-index="{number}"]')

    def output(self, number: int) -> Locator:
        """All outputs of a cell."""
        return self.cell(number).locator(".jp-OutputArea").first

    def text(self, number: int) -> str:
        """The visible text of a cell's outputs, blanks of any kind and number as one blank."""
        return plain(self.output(number).inner_text())

    def start(self, number: int) -> None:
        """Run a cell by the keyboard, and do not wait for its end."""
        self.cell(number).locator(".jp-InputArea-editor").click()
        self.page.keyboard.press("Shift+Enter")

    def run(self, number: int) -> None:
        """Run a cell by the keyboard and wait for its end."""
        self.start(number)
        self.ended(number)

    def ended(self, number: int) -> None:
        """Wait until a cell has its number."""
        expect(self.cell(number).locator(".jp-InputPrompt").first).to_have_text(re.compile(r"^\[\d+\]:$"))

    def run_all(self, last: int) -> None:
        """Run all cells from the menu; `last` is the place of the last code cell."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.ended(last)

    def save(self) -> None:
        self.page.keyboard.press("Control+s")
        expect(self.page.locator("#jp-main-dock-panel .lm-TabBar-tab.jp-mod-dirty")).to_have_count(0)

    def button(self, description: str) -> Locator:
        """A widget's button by the words on it."""
        return self.panel.locator("button.jupyter-button").get_by_text(description, exact=True)

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE / 1000) -> None:
        """Wait for something that is not one element."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"still waiting: {what}"
            self.page.wait_for_timeout(50)


def plain(text: str) -> str:
    """Text with blanks of any kind and number as one blank."""
    return " ".join(text.split())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
