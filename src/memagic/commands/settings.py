"""Options of an estimation command to the engine's settings: integration, maximization, stopping."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from memagic.commands.integration import integration_method
from memagic.engine.fit import Settings
from memagic.engine.maximize import Search, Stopping
from memagic.errors import CommandError
from memagic.spec.tree import Command, Option, Technique

__all__ = ["engine_settings", "technique_words"]


def engine_settings(command: Command) -> Settings:
    """Integration, techniques and stopping rules; starting values need the names of the parameters.

    Raises
    ------
    CommandError
        Points for a method that has none, or one point where moments are needed, r(198).
    """
    options = command.options
    method = integration_method(command)
    points = options.get("intpoints")
    n_points = 7 if points is None else _integer(points)
    if points is not None and method == "laplace":
        named = options["intmethod"].value if "intmethod" in options else method
        raise CommandError(
            198, f"option intpoints() is not allowed with intmethod({named})", span=points.span
        )
    if points is not None and n_points == 1 and method == "mvaghermite":
        raise CommandError(
            198,
            "intmethod(mvaghermite) needs at least two integration points",
            span=points.span,
            hint="with one point there is no variance to adapt to; type intmethod(laplace)",
        )
    return Settings(
        method,
        n_points,
        _stopping(options),
        _search(options),
        numerical="dnumerical" in options,
        estimate="noestimate" not in options,
    )


def technique_words(command: Command) -> str:
    """`e(technique)`: the techniques, with their turns where there are several."""
    techniques = _techniques(command.options)
    if len(techniques) == 1:
        return techniques[0].name
    return " ".join(f"{technique.name} {technique.iterations}" for technique in techniques)


def _stopping(options: dict[str, Option]) -> Stopping:
    default = Stopping()
    stopping = Stopping(
        iterate=_integer(options["iterate"]) if "iterate" in options else default.iterate,
        tolerance=_real(options["tolerance"]) if "tolerance" in options else default.tolerance,
        ltolerance=_real(options["ltolerance"]) if "ltolerance" in options else default.ltolerance,
        nrtolerance=_real(options["nrtolerance"]) if "nrtolerance" in options else default.nrtolerance,
    )
    return replace(stopping, nrtolerance=None) if "nonrtolerance" in options else stopping


def _search(options: dict[str, Option]) -> Search:
    turns = tuple((technique.name, technique.iterations) for technique in _techniques(options))
    return Search(turns, "difficult" in options)


def _techniques(options: dict[str, Option]) -> tuple[Technique, ...]:
    if "technique" not in options:
        return (Technique("nr"),)
    return cast("tuple[Technique, ...]", options["technique"].value)


def _integer(option: Option) -> int:
    assert isinstance(option.value, int)
    return option.value


def _real(option: Option) -> float:
    assert isinstance(option.value, (int, float))
    return float(option.value)
