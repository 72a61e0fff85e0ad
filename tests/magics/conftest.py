"""A shell that has the extension, without history, fresh for every test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from traitlets.config import Config


class Shell:
    """What the tests do with a shell."""

    def __init__(self) -> None:
        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        config.InteractiveShell.colors = "nocolor"
        self.ip = InteractiveShell(config=config)

    def cell(self, source: str) -> ExecutionResult:
        return self.ip.run_cell(source, store_history=False)

    def value(self, source: str) -> Any:
        """The cell's value; errors of the cell are raised here."""
        result = self.cell(source)
        result.raise_error()
        return result.result

    def error(self, source: str) -> Any:
        """The error a cell ends in."""
        result = self.cell(source)
        error = result.error_in_exec or result.error_before_exec
        assert error is not None, "no error"
        return error

    def __getitem__(self, name: str) -> Any:
        return self.ip.user_ns[name]

    def __setitem__(self, name: str, value: object) -> None:
        self.ip.user_ns[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self.ip.user_ns


@pytest.fixture(scope="package")
def one_shell() -> Shell:
    return Shell()


@pytest.fixture
def shell(one_shell: Shell) -> Iterator[Shell]:
    one_shell.ip.run_line_magic("load_ext", "memagic")
    yield one_shell
    one_shell.ip.run_line_magic("unload_ext", "memagic")
    # What %config has set stays in the shell's configuration, for the next loading.
    one_shell.ip.config.pop("MeMagic", None)
    one_shell.ip.reset(new_session=False)


@pytest.fixture
def df() -> pd.DataFrame:
    """A small frame, on which a logistic model with a random intercept is fitted in no time."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(15), 8)
    x = rng.normal(size=g.size)
    y = rng.random(g.size) < 1 / (1 + np.exp(-x - rng.normal(size=15)[g]))
    return pd.DataFrame({"y": y.astype(int), "x": x, "g": g})
