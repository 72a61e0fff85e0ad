"""Keyword arguments of Python as the options of a command."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["options_text"]


def options_text(options: Mapping[str, object]) -> str:
    """True for a flag, any other value in parentheses; None and False for nothing.

    A trailing underscore is dropped, as Python's own words need one: ``or_``.
    """
    words = []
    for name, value in options.items():
        name = name.rstrip("_")
        if value is True:
            words.append(name)
        elif value is not None and value is not False:
            words.append(f"{name}({value})")
    # A second comma separates options too, so that these may follow options of the text.
    return f", {' '.join(words)} " if words else ""
