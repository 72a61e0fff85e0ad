"""Measure fits and the cold start, next to those of glmm and gpboost from PyPI where they can do it.

``python benchmarks/run.py [--case NAME ...] [--repeat N] [--short] [--no-cold-start] [--r]``
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from cases import CASES
from gpboost_peer import fit_gpboost, has_gpboost
from r_peers import PACKAGES, r_fields

import memagic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from cases import Case, Formula

COLD_START = Path(__file__).with_name("cold_start.py")
PEAK_MEMORY = Path(__file__).with_name("peak_memory.py")
# A slow case is not repeated for ever: at least three fits, then no more than this many seconds.
PATIENCE = 60.0
# Fits of milliseconds are repeated for so many seconds.
AT_LEAST, TURN = 3.0, 0.2
# Elements that stay in the second-level cache.
CHUNK = 1 << 16


@dataclass(frozen=True)
class Measured:
    """Median seconds of a warm fit, and the log likelihood that it ends at."""

    seconds: float
    llf: float


def measure(fits: Sequence[Callable[[], float]], repeat: int) -> list[Measured]:
    """Time fits, which return their log likelihoods, by turns, after one run each that does not count.

    A machine that is shared is slow for minutes at a time: by turns, of which each is so long that a fit
    is warm in most of it, all are slow together.
    """
    llf = [fit() for fit in fits]
    times: list[list[float]] = [[] for _ in fits]
    turns = spent = 0.0
    while (turns < repeat and (turns < 3 or spent < PATIENCE)) or spent < AT_LEAST:
        for fit, own in zip(fits, times, strict=True):
            end = time.perf_counter() + TURN
            while True:
                start = time.perf_counter()
                fit()
                own.append(time.perf_counter() - start)
                if time.perf_counter() >= end:
                    break
        turns += 1
        spent = sum(map(sum, times))
    return [Measured(statistics.median(own), value) for own, value in zip(times, llf, strict=True)]


def limit(case: Case, rows: int, iterations: int) -> float:
    """Seconds of the exponentials alone: one for every row and node in every iteration."""
    elements = rows * case.nodes
    eta = np.linspace(-3.0, 3.0, min(elements, CHUNK))
    out = np.empty_like(eta)

    def once() -> float:
        start = time.perf_counter()
        for _ in range(max(1, round(elements / CHUNK))):
            np.exp(eta, out=out)
        return time.perf_counter() - start

    return iterations * min(once() for _ in range(10))


def glmm_fit(formula: Formula, frame: pd.DataFrame) -> Callable[[], float]:
    """The same likelihood with as many quadrature points, standard errors included."""
    import glmm

    frame = frame.assign(**{name: frame[name].astype("category") for name in formula.factors})
    # The refits for likelihood-ratio tables and the degrees of freedom that it would add are switched off.
    offset = None if formula.log_exposure is None else frame[formula.log_exposure].to_numpy()

    def fit() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = glmm.fit(
                frame,
                formula.formula,
                formula.family,
                nagq=formula.points,
                offset=offset,
                satterthwaite=False,
                reml=False if formula.family == "gaussian" else None,
                anova_test="Wald",
            )
        return float(fitted.loglik)

    return fit


def row(case: Case, frame: pd.DataFrame, repeat: int) -> list[str]:
    """One line of the table."""
    fits = {"memagic": lambda: float(memagic.run(case.command, data=frame).llf)}
    if case.formula is not None and find_spec("glmm") is not None:
        fits["glmm"] = glmm_fit(case.formula, frame)
    boosted = case.boosted
    if boosted is not None and has_gpboost():
        fits["gpboost"] = lambda: fit_gpboost(boosted, frame)
    found = dict(zip(fits, measure(list(fits.values()), repeat), strict=True))
    ours = found["memagic"]
    line = [case.name, f"{len(frame):,}", f"{peak_memory(case):.0f}", f"{ours.seconds:.4f}"]
    iterations = int(memagic.run(case.command, data=frame).e["ic"])
    least = limit(case, len(frame), iterations) if case.nodes else 0.0
    line += [f"{least:.5f}", f"{ours.seconds / least:.1f}"] if case.nodes else ["-", "-"]
    if "glmm" not in found:
        line += ["no such model" if case.formula is None else "not installed", "-", f"{ours.llf:.4f}", "-"]
    else:
        theirs = found["glmm"]
        line += [f"{theirs.seconds:.4f}", f"{ours.seconds / theirs.seconds:.2f}"]
        line += [f"{ours.llf:.4f}", f"{theirs.llf:.4f}"]
    if "gpboost" not in found:
        return [*line, "-", "-", "-"]
    theirs = found["gpboost"]
    return [*line, f"{theirs.seconds:.4f}", f"{ours.seconds / theirs.seconds:.2f}", f"{theirs.llf:.4f}"]


def peak_memory(case: Case) -> float:
    """MB that a fit needs above its data, at its peak."""
    done = subprocess.run(
        [sys.executable, str(PEAK_MEMORY), case.name], check=True, capture_output=True, text=True, timeout=600
    )
    return float(done.stdout)


def cold_start(repeat: int) -> list[list[str]]:
    """Median seconds of each stage over new processes, and of the whole with the interpreter's own start."""
    stages: dict[str, list[float]] = {}
    for _ in range(repeat):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, str(COLD_START)], check=True, capture_output=True, text=True, timeout=300
        )
        wall = time.perf_counter() - start
        measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        for stage, seconds in {**measured, "in all": wall}.items():
            stages.setdefault(stage, []).append(seconds)
    return [[stage, f"{statistics.median(times):.3f}"] for stage, times in stages.items()]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain table: the first column to the left, the others to the right."""
    every = [head, *rows]
    widths = [max(len(line[column]) for line in every) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in every
    )


def machine() -> str:
    """The machine and the versions, so that a number can be read later."""
    parts = [
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    ]
    for name in ("memagic", "numpy", "scipy", "pandas", "statsmodels", "ipython", "glmm", "gpboost"):
        try:
            parts.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            parts.append(f"{name} not installed")
    return ", ".join(parts)


def main() -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(description="Measure fits and the cold start.")
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="without the cases that take minutes")
    parser.add_argument("--no-cold-start", action="store_true")
    parser.add_argument("--r", action="store_true", help="with R's lme4 and glmmTMB")
    options = parser.parse_args()

    print(machine(), end="\n\n")
    lines = []
    for case in CASES:
        if options.case and case.name not in options.case:
            continue
        if options.short and case.long:
            continue
        frame = case.data()
        if frame is None:
            print(f"{case.name}: its data are not here, left out")
            continue
        lines.append(row(case, frame, options.repeat) + (r_fields(case.formula, frame) if options.r else []))
    print("Median seconds of a warm fit; ratio: memagic to glmm, below 1 where memagic is faster;")
    print("limit: the exponentials alone, one a row, node and iteration; times: memagic to that limit;")
    print("MB: memagic's peak above the data, in a process of its own")
    head = ["case", "rows", "MB", "memagic", "limit", "times", "glmm", "ratio", "ll memagic", "ll glmm"]
    head += ["gpboost", "ratio", "ll gpboost"]
    if options.r:
        head += [title for package in PACKAGES for title in (package, f"ll {package}")]
    print(table(head, lines))
    if not options.no_cold_start:
        print("\nMedian seconds from a new process to the first table")
        print(table(["stage", "memagic"], cold_start(options.repeat)))


if __name__ == "__main__":
    main()
