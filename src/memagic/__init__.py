"""Stata's multilevel mixed-effects models in a notebook, without Stata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memagic import datasets
    from memagic.api import (
        explore_integrand,
        explore_start,
        load,
        mecloglog,
        meglm,
        melogit,
        menbreg,
        meologit,
        meoprobit,
        mepoisson,
        meprobit,
        run,
    )
    from memagic.errors import Break, CommandError
    from memagic.magics import load_ipython_extension, unload_ipython_extension
    from memagic.results import MEResults
    from memagic.session import Session

__version__ = "0.1.0"

__all__ = [
    "Break",
    "CommandError",
    "MEResults",
    "Session",
    "__version__",
    "datasets",
    "explore_integrand",
    "explore_start",
    "load",
    "load_ipython_extension",
    "mecloglog",
    "meglm",
    "melogit",
    "menbreg",
    "meologit",
    "meoprobit",
    "mepoisson",
    "meprobit",
    "run",
    "unload_ipython_extension",
]

_HOMES = {
    "Break": "memagic.errors",
    "CommandError": "memagic.errors",
    "MEResults": "memagic.results",
    "Session": "memagic.session",
    "load_ipython_extension": "memagic.magics",
    "unload_ipython_extension": "memagic.magics",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: the import of the package stays light."""
    if name not in __all__:
        raise AttributeError(f"module 'memagic' has no attribute {name!r}")
    from importlib import import_module

    if name == "datasets":
        return import_module("memagic.datasets")
    value = getattr(import_module(_HOMES.get(name, "memagic.api")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What there is, whether imported yet or not."""
    return sorted({*globals(), *__all__})
