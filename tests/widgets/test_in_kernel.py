"""The explorer in a real kernel: what its thread sends reaches the page, and the kernel stays free."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

SECONDS = 60.0
SOURCE = """
import memagic
explorer = memagic.explore_start("melogit c_use age || district:, startgrid(.1(.05)1)", "bangladesh")
explorer.run()
"""


@pytest.fixture
def client() -> Iterator[BlockingKernelClient]:
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_updates_from_the_thread_arrive(client: BlockingKernelClient) -> None:
    client.execute(SOURCE, reply=True, timeout=SECONDS)
    # The kernel answers whether or not the grid still runs.
    client.execute("explorer.status.value", reply=True, timeout=SECONDS)
    shown: list[str] = []
    last = '<p role="status" style="margin:.2em 0">20 nodes are evaluated.</p>'
    end = monotonic() + SECONDS
    while monotonic() < end and last not in shown:
        message = client.get_iopub_msg(timeout=SECONDS)
        if message["msg_type"] in ("comm_msg", "comm_open"):
            state = message["content"]["data"].get("state", {})
            shown.append(str(state.get("value", "")))
    assert last in shown
    assert any("20 of 20 nodes" in words for words in shown)
    assert any("Grid node 19" in words for words in shown)
