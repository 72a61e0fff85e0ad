"""Repeat the reliability sweep of docs/reliability.md, all of it or one part.

``python -m scripts.reliability PART [--seed S] [--count N]``, from the checkout
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """What a part does, how often by default, and the function of (count, seed) that does it."""

    about: str
    count: int
    survey: Callable[[int, int], str]


def _wrong_turns(count: int, seed: int) -> str:
    from scripts.reliability import attempts, wrong_turns

    return attempts.report(wrong_turns.survey(count, seed))


def _wrong_data(count: int, seed: int) -> str:
    from scripts.reliability import attempts, wrong_data

    return attempts.report(wrong_data.survey())


def _kernel(count: int, seed: int) -> str:
    from scripts.reliability import kernel_fuzz

    return kernel_fuzz.survey(count, count, seed)


def _models(count: int, seed: int) -> str:
    from scripts.reliability import random_models

    return random_models.survey(count, seed)


def _interrupts(count: int, seed: int) -> str:
    from scripts.reliability import interrupts

    return interrupts.survey(count, seed)


def _kernel_interrupts(count: int, seed: int) -> str:
    from scripts.reliability import kernel_interrupts

    return kernel_interrupts.survey(count, seed)


def _large(count: int, seed: int) -> str:
    from scripts.reliability import large

    return large.survey(count, seed)


PARTS = {
    "wrong-turns": Part("damaged commands in twelve situations; a count of each", 12, _wrong_turns),
    "wrong-data": Part("commands on frames with defects", 1, _wrong_data),
    "kernel": Part("the compiled kernel against textbook formulas (needs mpmath)", 300, _kernel),
    "models": Part("random models against brute force", 100, _models),
    "interrupts": Part("interrupts and kills at random moments", 50, _interrupts),
    "kernel-interrupts": Part("interrupts of a real kernel", 50, _kernel_interrupts),
    "large": Part("a count of rows: seconds and memory", 1_000_000, _large),
}


def main() -> None:
    """Run what the command line names and print its seed and findings."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int)
    given = parser.parse_args()
    for name, part in PARTS.items():
        if given.part in (name, "all"):
            count = part.count if given.count is None else given.count
            start = time.perf_counter()
            print(f"== {name}: {part.about}; count {count}, seed {given.seed}", flush=True)
            print(part.survey(count, given.seed))
            print(f"== {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
