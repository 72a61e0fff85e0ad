"""Print a file of constraints for pip: the oldest versions that pyproject.toml admits.

    python scripts/floors.py >minimum.txt
    pip install -c minimum.txt -e '.[test,plots,tables]'

What is asked for as `name>=1.2` becomes `name==1.2`.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"

# Packages of others' packages: their newer versions warn about how the oldest versions above use them.
OF_THE_TIME = {"pyparsing": "<3.3"}  # matplotlib 3.8

_FLOOR = re.compile(r"(?P<name>[\w.-]+)(?:\[[\w,.-]+\])?\s*>=\s*(?P<version>[\w.]+)")


def floors(path: Path = PYPROJECT) -> dict[str, str]:
    """The oldest version of every package that the project or one of its extras asks for.

    Raises
    ------
    ValueError
        Two different floors of one package.
    """
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    found: dict[str, str] = {}
    for group in (project["dependencies"], *project["optional-dependencies"].values()):
        for requirement in group:
            match = _FLOOR.match(requirement)
            if match and found.setdefault(match["name"], match["version"]) != match["version"]:
                raise ValueError(
                    f"{match['name']} has two floors: {found[match['name']]}, {match['version']}"
                )
    return found


def main() -> None:
    """Print one constraint a line."""
    for name, version in sorted(floors().items()):
        print(f"{name}=={version}")
    for name, limit in OF_THE_TIME.items():
        print(f"{name}{limit}")


if __name__ == "__main__":
    main()
