"""Completion through a real kernel, as a front end asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from jupyter_client.manager import start_new_kernel


class Kernel:
    """A kernel that has the extension and data loaded."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def run(self, source: str) -> None:
        reply = self.client.execute_interactive(
            source, store_history=False, output_hook=lambda _: None, timeout=60
        )
        assert reply["content"]["status"] == "ok", reply["content"]

    def matches(self, source: str) -> list[str]:
        """The texts that a cell with a caret would have after each completion, from the replaced place on."""
        place = source.index("^")
        code = source.replace("^", "")
        self.client.complete(code, place)
        reply = self.client.get_shell_msg(timeout=30)["content"]
        assert reply["status"] == "ok"
        start = reply["cursor_start"]
        typed = code[start:place]
        assert all(match.startswith(typed) for match in reply["matches"])
        return list(reply["matches"])

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    kernel = Kernel()
    kernel.run("import pandas as pd\n%load_ext memagic\n%use bangladesh")
    kernel.run("other = pd.DataFrame({'income': [1.0], 'sex': [0]})")
    kernel.run("%quietly melogit c_use || district:\n%estimates store r_int")
    yield kernel
    kernel.close()


@pytest.mark.parametrize(
    ("cell", "match"),
    [
        ("%melogit c_u^", "c_use"),
        ("%melogit c_use i.ur^", "urban"),
        ("%melogit c_use age || dis^", "district"),
        ("%melogit c_use age || district:, cov^", "covariance("),
        ("%melogit c_use age || district:, covariance(un^)", "unstructured"),
        ("%melogit, lev^", "level("),
        ("%%melogit\nc_use i.ur^\n  || district:", "urban"),
        ("%%melogit other\nsex inc^", "income"),
        ("%%me\nquietly melogit c_use age ///\n   || dist^", "district"),
        ("%quietly melogit c_use ag^", "age"),
        ("%melogit -d other sex inc^", "income"),
        ("%use ban^", "bangladesh"),
        ("%use oth^", "other"),
        ("%estimates restore r_^", "r_int"),
        ("%help melo^", "melogit"),
        ("x = 1\n%melogit c_use chil^", "children"),
    ],
)
def test_completion(cell: str, match: str, kernel: Kernel) -> None:
    found = kernel.matches(cell)
    assert any(one.rsplit(".")[-1] == match for one in found), found


def test_python_is_left_alone(kernel: Kernel) -> None:
    assert "other" in kernel.matches("oth^")
    assert not any("district" in one for one in kernel.matches("dist^"))


def test_unloading_takes_it_away(kernel: Kernel) -> None:
    kernel.run("%unload_ext memagic")
    assert "c_use" not in kernel.matches("%melogit c_u^")
    kernel.run("%load_ext memagic\n%use bangladesh")
    assert "c_use" in kernel.matches("%melogit c_u^")
