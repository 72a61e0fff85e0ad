"""Keyword arguments of Python as the options of a command."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real

from memagic.errors import CommandError

__all__ = ["options_text"]


def options_text(options: Mapping[str, object]) -> str:
    """True for a flag, words and numbers in parentheses; None and False for nothing.

    Several of them, in a list or tuple, are one option, ``dydx(x z)``, but for those that may be given
    again and again: ``at(x=0) at(x=1)``. A trailing underscore is dropped, as Python's own words need
    one: ``or_``.

    Raises
    ------
    CommandError
        A value of another type, r(198).
    """
    words: list[str] = []
    for name, value in options.items():
        name = name.rstrip("_")
        if _is_flag(value):
            words += [name] if value else []
        elif value is not None:
            words += [f"{name}({argument})" for argument in _arguments(name, value)]
    # A second comma separates options too, so that these may follow options of the text.
    return f", {' '.join(words)} " if words else ""


def _is_flag(value: object) -> bool:
    """Whether it is true or false, also NumPy's, which this part of the package does not know."""
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")


def _arguments(name: str, value: object) -> list[str]:
    """What goes into the option's parentheses, for each time that it is given."""
    if not isinstance(value, list | tuple):
        return [_word(name, value)]
    every = [_word(name, one) for one in value]
    if every and (name == "at" or (len(name) >= 4 and "predict".startswith(name))):
        return every
    return [" ".join(every)]


def _word(name: str, value: object) -> str:
    if isinstance(value, str) or (isinstance(value, Real) and not _is_flag(value)):
        return str(value)
    hint = f'type {name}="..." with what goes into the parentheses of {name}(), or a list of words or numbers'
    raise CommandError(198, f"option {name} may not be of type {type(value).__name__}", hint=hint)
