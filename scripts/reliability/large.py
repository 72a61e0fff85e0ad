"""A million rows: seconds, and peak memory above the data."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from memagic import Session


def million(rows: int = 1_000_000, groups: int = 10_000, seed: int = 1) -> pd.DataFrame:
    """A binary response, two covariates, one factor, and groups."""
    rng = np.random.default_rng(seed)
    g = rng.integers(0, groups, rows)
    x, k, t = rng.normal(size=rows), rng.integers(0, 3, rows), rng.integers(0, 2, groups)[g]
    eta = 0.5 * x - 0.4 * t + 0.2 * k - 0.5 + rng.normal(scale=0.7, size=groups)[g]
    y = (rng.random(rows) < 1.0 / (1.0 + np.exp(-eta))).astype(np.int8)
    return pd.DataFrame({"y": y, "x": x, "t": t.astype(np.int8), "k": k.astype(np.int8), "g": g})


def peak() -> float:
    """The most memory that the process has held, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def survey(rows: int, seed: int) -> str:
    """Each command on the same data, one after the other; the peak only ever grows."""
    Session("bangladesh").run("melogit c_use age || district:")  # what is imported late
    frame = million(rows, max(10, rows // 100), seed)
    session, lines = Session(frame), [f"{rows:,} rows, seed {seed}"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million"
        steps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("melogit y x i.k t || g:", lambda: session.run("melogit y x i.k t || g:")),
            ("its table", lambda: str(session.last)),
            ("predict p", lambda: session.run("predict p")),
            ("predict pm, marginal", lambda: session.run("predict pm, marginal")),
            ("predict u, reffects reses(s)", lambda: session.run("predict u, reffects reses(s)")),
            ("estat icc", lambda: str(session.run("estat icc"))),
            ("estat group", lambda: str(session.run("estat group"))),
            ("estat summarize", lambda: str(session.run("estat summarize"))),
            ("margins k", lambda: str(session.run("margins k"))),
            ("margins, dydx(x)", lambda: str(session.run("margins, dydx(x)"))),
            ("lrtest, mixture", lambda: str(session.run("lrtest, mixture"))),
            ("estimates save", lambda: session.run(f'estimates save "{path}"')),
            ("estimates use", lambda: session.run(f'estimates use "{path}"')),
            ("the table of those", lambda: str(session.last)),
        )
        base = peak()
        for name, step in steps:
            before, start, work = peak(), time.perf_counter(), time.process_time()
            step()
            grown, seconds = peak() - before, time.perf_counter() - start
            cpu = time.process_time() - work
            memory = f"peak {peak() - base:5.0f} MB above the data (+{grown:.0f})"
            lines.append(f"{name:30} {seconds:6.2f} s, of the processor {cpu:6.2f} s   {memory}")
        size = sum(one.stat().st_size for one in Path(folder).iterdir()) / 1e6
        lines.append(f"file {size:.1f} MB, data {frame.memory_usage().sum() / 1e6:.0f} MB")
    return "\n".join(lines)
