"""Peak memory of one case in a process of its own, in MB above that of its data and imports.

Read from /proc, so on Linux only.

``python benchmarks/peak_memory.py NAME``
"""

from __future__ import annotations

import sys
from pathlib import Path

from cases import CASES

import memagic


def memory(name: str) -> float:
    """A line of the process's status in MB: VmRSS is what it has now, VmHWM its peak."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith(name)]
    return float(line.split()[1]) / 1024.0


def main() -> None:
    """Fit the case after a small model, so that imports are not counted."""
    (case,) = [case for case in CASES if case.name == sys.argv[1]]
    memagic.run("melogit c_use age || district:", data="bangladesh")
    frame = case.data()
    assert frame is not None
    before = memory("VmRSS")
    memagic.run(case.command, data=frame)
    print(memory("VmHWM") - before)


if __name__ == "__main__":
    main()
