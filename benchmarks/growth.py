"""How time and memory grow: a two-level logit by 7 points, groups of 50, from 10,000 rows on.

``python benchmarks/growth.py [ROWS ...]``
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from cases import logit_intercept
from peak_memory import memory

import memagic

COMMAND = "melogit y x i.t || g:"
ROWS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
PATIENCE = 10.0


def one(rows: int) -> None:
    """Median seconds of a warm fit, and MB at its peak above the data; in a process of its own."""
    memagic.run("melogit c_use age || district:", data="bangladesh")
    frame = logit_intercept(rows)
    before = memory("VmRSS")
    memagic.run(COMMAND, data=frame)
    peak = memory("VmHWM") - before
    times: list[float] = []
    while len(times) < 3 and sum(times) < PATIENCE:
        start = time.perf_counter()
        memagic.run(COMMAND, data=frame)
        times.append(time.perf_counter() - start)
    seconds = statistics.median(times)
    print(
        f"{rows:12,}  {seconds:8.3f} s  {1e6 * seconds / rows:6.2f} s a million  {peak:7.0f} MB", flush=True
    )


def main() -> None:
    """Each size in a new process."""
    if sys.argv[1:2] == ["--one"]:
        one(int(sys.argv[2]))
        return
    for rows in [int(float(text)) for text in sys.argv[1:]] or ROWS:
        subprocess.run([sys.executable, __file__, "--one", str(rows)], check=True)


if __name__ == "__main__":
    main()
