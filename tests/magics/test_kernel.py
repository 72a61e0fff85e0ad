"""A real kernel: what a notebook front end is sent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

# Slow enough to be interrupted, and quick to give up where it is not.
SLOW = "c_use age || district: urban age, covariance(unstructured) intpoints(30)"


class Kernel:
    """A kernel that has the extension loaded."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def send(self, source: str) -> str:
        # What is sent after a cell that fails is run, however soon it comes.
        return str(self.client.execute(source, store_history=False, stop_on_error=False))

    def messages(self, sent: str) -> Iterator[tuple[str, Any]]:
        """Kind and content of every message until the kernel is idle again."""
        while True:
            message = self.client.get_iopub_msg(timeout=30)
            if message["parent_header"].get("msg_id") != sent:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return
            if kind not in ("status", "execute_input"):
                yield kind, content

    def run(self, source: str) -> list[tuple[str, Any]]:
        shown = [
            pair for pair in self.messages(self.send(source)) if pair[0] not in ("status", "execute_input")
        ]
        self.client.get_shell_msg(timeout=30)
        return shown

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    kernel.run("%load_ext memagic")
    yield kernel
    kernel.close()


@pytest.fixture(autouse=True)
def data(kernel: Kernel) -> None:
    kernel.run("%reset -f\n%use bangladesh")


def test_the_log_grows_and_is_emptied(kernel: Kernel) -> None:
    shown = kernel.run("%melogit c_use age || district:")
    kinds = [kind for kind, _ in shown]
    assert kinds[0] == "display_data"
    assert set(kinds[1:-1]) == {"update_display_data"}
    assert kinds[-1] == "execute_result"
    assert len({content["transient"]["display_id"] for _, content in shown[:-1]}) == 1
    texts = [content["data"]["text/plain"] for _, content in shown[:-1]]
    assert texts[0] == texts[-1] == ""
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts[:-1]))
    assert "Fitting full model:\n\nIteration 0:" in texts[-2]
    result = shown[-1][1]["data"]
    assert set(result) == {"text/plain", "text/html"}
    assert "<details" in result["text/html"]


def test_replay_automagic_and_out(kernel: Kernel) -> None:
    kinds = [kind for kind, _ in kernel.run("melogit -o fit c_use age || district:")]
    assert kinds[-1] == "execute_result"
    ((kind, content),) = kernel.run("%melogit, or level(90)")
    assert kind == "execute_result"
    assert "Odds ratio" in content["data"]["text/plain"]
    ((_, content),) = kernel.run("fit.nobs")
    assert content["data"]["text/plain"] == "1934"


def test_an_error(kernel: Kernel) -> None:
    ((kind, content),) = kernel.run("%melogit c_use i.urbn || district:\nprint('not reached')")
    assert kind == "error"
    assert content["ename"] == "CommandError"
    assert content["traceback"] == [
        "melogit c_use i.urbn || district:",
        "              ^^^^^^",
        "variable urbn not found",
        "hint: did you mean urban?",
        "r(111);",
    ]


def test_an_interrupt(kernel: Kernel) -> None:
    kernel.run("%melogit -q -o before c_use age || district:")
    sent = kernel.send(f"%melogit -o after {SLOW}")
    shown: list[tuple[str, Any]] = []
    for kind, content in kernel.messages(sent):
        shown.append((kind, content))
        if kind == "update_display_data" and "Refining" in content["data"]["text/plain"]:
            break
    else:
        pytest.fail("the fit was too quick to be interrupted")
    time.sleep(0.1)
    kernel.manager.interrupt_kernel()
    shown += kernel.messages(sent)
    kernel.client.get_shell_msg(timeout=30)
    kind, content = shown[-1]
    assert kind == "error"
    assert content["traceback"] == ["--Break--", "r(1);"]
    logs = [content["data"]["text/plain"] for kind, content in shown if kind == "update_display_data"]
    assert "Refining starting values:" in logs[-1]
    ((_, content),) = kernel.run("'after' in globals()")
    assert content["data"]["text/plain"] == "False"
    ((_, content),) = kernel.run("r = %melogit\nstr(r) == str(before.replay())")
    assert content["data"]["text/plain"] == "True"


def test_an_interrupt_shows_and_keeps_what_the_fit_has_reached(kernel: Kernel) -> None:
    kernel.run("before = %melogit -o before c_use age || district:")
    sent = kernel.send(f"%melogit -o after {SLOW}")
    shown: list[tuple[str, Any]] = []
    for kind, content in kernel.messages(sent):
        shown.append((kind, content))
        if (
            kind == "update_display_data"
            and "Fitting full model:\n\nIteration 0" in content["data"]["text/plain"]
        ):
            break
    else:
        pytest.fail("the fit was too quick to be interrupted")
    kernel.manager.interrupt_kernel()
    shown += kernel.messages(sent)
    kernel.client.get_shell_msg(timeout=30)
    kind, content = shown[-1]
    assert kind == "error"
    hint = "hint: the fit so far is in _stopped: option from(_stopped) goes on from there"
    assert content["traceback"] == ["--Break--", hint, "r(1);"]
    ((_, content),) = [item for item in shown if item[0] == "display_data" and "Std. err." in str(item[1])]
    assert "the fit was interrupted after iteration" in content["data"]["text/html"]
    ((_, content),) = kernel.run("_stopped.converged, 'after' in globals()")
    assert content["data"]["text/plain"] == "(False, False)"
    ((_, content),) = kernel.run("r = %melogit\nstr(r) == str(before.replay())")
    assert content["data"]["text/plain"] == "True"


def test_a_notebook_stores_the_error_and_the_last_log() -> None:
    cells = ["%load_ext memagic\n%use bangladesh", "%melogit c_use age || district:", "%melogit c_use agee"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, kernel_name="python3").execute()
    log, result = notebook.cells[1].outputs
    assert log.data == {"text/plain": "", "text/html": ""}
    assert result.output_type == "execute_result"
    (error,) = notebook.cells[2].outputs
    assert (error.output_type, error.ename) == ("error", "CommandError")
    assert len(error.traceback) == 5
    assert "site-packages" not in str(error)


def test_every_command_of_a_cell_is_shown_once(kernel: Kernel) -> None:
    shown = kernel.run("%melogit c_use age || district:\nfor _ in range(2):\n    %test age\n%estat icc")
    texts = [(kind, content["data"]["text/plain"]) for kind, content in shown]
    tables = [(kind, text) for kind, text in texts if "update" not in kind and text]
    assert [kind for kind, _ in tables] == ["display_data"] * 3 + ["execute_result"]
    words = ["Mixed-effects logistic", "[c_use]age = 0", "[c_use]age = 0", "intraclass"]
    assert all(word in text for word, (_, text) in zip(words, tables, strict=True))
    # The log is emptied before its table follows.
    assert texts[[text for _, text in texts].index(tables[0][1]) - 1] == ("update_display_data", "")
