"""Fit the manual's first model and print its table."""

from __future__ import annotations

import memagic
from memagic import datasets

COMMAND = "melogit c_use i.urban age i.children || district:"


def main() -> None:
    """Print the command and what it estimates."""
    print(f". {COMMAND}\n")
    print(memagic.run(COMMAND, data=datasets.load("bangladesh")))


if __name__ == "__main__":
    main()
