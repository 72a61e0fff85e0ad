"""Peak memory of one case in a process of its own, in MB above that of its data and imports.

``python benchmarks/peak_memory.py NAME``
"""

from __future__ import annotations

import resource
import sys

from cases import CASES

import memagic


def peak() -> float:
    """The process's peak so far, in MB."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main() -> None:
    """Fit the case twice over: a small model first, so that imports are not counted."""
    (case,) = [case for case in CASES if case.name == sys.argv[1]]
    memagic.run("melogit c_use age || district:", data="bangladesh")
    frame = case.data()
    assert frame is not None
    before = peak()
    memagic.run(case.command, data=frame)
    print(peak() - before)


if __name__ == "__main__":
    main()
