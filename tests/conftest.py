"""What several test files share: data, fitted models, and a guard on random numbers."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
import pytest

import memagic
from memagic import datasets
from memagic.results import MEResults

# What is beside the tests in a checkout, and may be missing where the installed package is tested.
CHECKOUT = Path(__file__).resolve().parents[1]

# The documentation's tests run the scripts that make it.
collect_ignore = [] if (CHECKOUT / "scripts" / "make_docs.py").exists() else ["test_docs.py"]

# Data that may not go into the package lie next to the checkout.
SHARED = CHECKOUT.parent / "shared"

# Property tests put the global generator into a known state and back; drawing from it is not allowed.
_STATE = {"get_state", "set_state", "seed"}


@pytest.fixture(scope="session", autouse=True)
def no_global_random_numbers() -> Iterator[None]:
    """Every draw comes from a generator with a seed: a draw from numpy's global one fails."""

    def refuse(*args: object, **options: object) -> NoReturn:
        raise AssertionError("a random number was drawn from numpy's global generator")

    owner = np.random.mtrand._rand
    with pytest.MonkeyPatch.context() as patch:
        for name in dir(np.random):
            function = getattr(np.random, name)
            if getattr(function, "__self__", None) is owner and name not in _STATE:
                patch.setattr(np.random, name, refuse)
        yield


@pytest.fixture(scope="session")
def checkout() -> Callable[[str], Path]:
    """A file of the checkout; skips where the tests are run without one."""

    def find(name: str) -> Path:
        path = CHECKOUT / name
        if not path.exists():
            pytest.skip(f"{name} is not beside the tests, as it is in a checkout")
        return path

    return find


@cache
def _frame(name: str) -> pd.DataFrame | None:
    if name in datasets.names():
        frame = datasets.load(name)
        # What the manual generates before its example.
        return frame.assign(attain_gt_6=(frame["attain"] > 6).astype("int8")) if "attain" in frame else frame
    path = SHARED / "data" / f"{name}.csv"
    return pd.read_csv(path) if path.is_file() else None


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], pd.DataFrame]:
    """A data set of the package, or one of ../shared/data; skips where that is not there."""

    def load(name: str) -> pd.DataFrame:
        frame = _frame(name)
        if frame is None:
            pytest.skip(f"{name}.csv may not be shipped, and ../shared/data does not have it")
        return frame

    return load


@pytest.fixture(scope="session")
def fitted(shared_data: Callable[[str], pd.DataFrame]) -> Callable[[str, str], MEResults]:
    """The result of a command on a named data set, fitted once a session."""

    @cache
    def fit(command: str, name: str) -> MEResults:
        return memagic.run(command, data=shared_data(name))

    return fit


@pytest.fixture(scope="module")
def new_processes() -> Iterator[None]:
    """New processes can be started, whatever other tests have left behind."""
    with pytest.MonkeyPatch.context() as patch:
        if not hasattr(sys.modules["__main__"], "__spec__"):
            # A shell in a test leaves a main module that lacks what new processes are told of it.
            patch.setattr(sys.modules["__main__"], "__spec__", None, raising=False)
        yield


@pytest.fixture(scope="module")
def processes(new_processes: None) -> Iterator[Executor]:
    """A pool of two processes."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool
