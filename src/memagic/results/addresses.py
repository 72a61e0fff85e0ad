"""The ways to name a parameter."""

from __future__ import annotations

import re
from collections.abc import Sequence

from memagic.results.estimates import Parameter

__all__ = ["COMPONENT", "EFFECT", "address_key", "addresses_of"]

COMPONENT = re.compile(r"/(?P<what>var|cov)\((?P<inside>.*)\)", re.DOTALL)
EFFECT = re.compile(r"(?P<names>[^\[\]]+)\[(?P<path>[^\[\]]+)\]")
# The indicator of a level may be typed as `1.g`, `1b.g`, `i1.g`; an interaction in any order.
_LEVEL = re.compile(r"i?(\d+)b?n?\.")


def addresses_of(parameters: Sequence[Parameter]) -> dict[str, int]:
    """Every way to name a parameter, with its position among `parameters`.

    Besides its own address a variance has that of each effect that shares it, covariances may be
    named in either order, and a level by its own variable or by the path from the top. A name that
    means two parameters means none.
    """
    found: dict[str, int] = {parameter.name: k for k, parameter in enumerate(parameters)}
    short: dict[str, list[int]] = {}
    for k, parameter in enumerate(parameters):
        if parameter.role not in ("variance", "covariance"):
            continue
        for levels in ({parameter.group}, {parameter.group.rsplit(">", 1)[-1]}):
            for level in levels:
                for alias in _aliases(parameter, level):
                    short.setdefault(alias, []).append(k)
    for alias, owners in short.items():
        if len(set(owners)) == 1:
            found.setdefault(alias, owners[0])
    return found


def _aliases(parameter: Parameter, level: str) -> list[str]:
    match = COMPONENT.fullmatch(parameter.name)
    assert match is not None
    effects = [effect["names"].strip(",").split() for effect in EFFECT.finditer(match["inside"])]
    joined = [f"{' '.join(names)}[{level}]" for names in effects]
    if match["what"] == "var":
        return [f"/var({joined[0]})", *(f"/var({name}[{level}])" for name in effects[0])]
    if len(effects) == 1:
        shared = effects[0]
        pairs = [(a, b) for a in shared for b in shared if a != b]
        return [f"/cov({joined[0]})", *(f"/cov({a}[{level}],{b}[{level}])" for a, b in pairs)]
    return [f"/cov({joined[0]},{joined[1]})", f"/cov({joined[1]},{joined[0]})"]


def address_key(name: str) -> str:
    """A name by which spellings of one parameter are equal."""
    if name.startswith("/"):
        return name
    operands = [_LEVEL.sub(r"\1.", operand) for operand in name.split("#")]
    return "#".join(sorted(operand.removeprefix("c.") for operand in operands))
