"""Names of parameters in the files of published numbers."""

from __future__ import annotations

import re

__all__ = ["address"]


def address(name: str) -> str:
    """The name in `_b[]` of a row of the file: ``var(_cons)[id]`` is ``/var(_cons[id])``."""
    name = name.replace("0bn.", "0.")
    match = re.fullmatch(r"(var|cov)\(([^)]*)\)(?:\[(.*)\])?", name)
    if match is None:
        return name
    kind, effects, group = match.groups()
    if group is None:
        return f"/{name}"
    return f"/{kind}({','.join(f'{effect}[{group}]' for effect in effects.split(','))})"
