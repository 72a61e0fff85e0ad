"""Numbers as the manual prints them: the general format %w.0g, fixed decimals, counts; names on one line."""

from __future__ import annotations

from math import isfinite

__all__ = ["MISSING", "clean", "count", "f", "g"]

MISSING = "."

_SMALLEST_FIXED = 1e-5  # below it, scientific notation has a digit more in the same width


def g(value: float, width: int = 9) -> str:
    """Write a number in the general format ``%w.0g``, without the padding.

    As many digits as fit are kept. Two places are set aside for a sign and a decimal point, whether
    or not there is one, so that ``%9.0g`` has seven digits before it turns to scientific notation.

    Parameters
    ----------
    value : float
        The number; nan and the infinities are missing.
    width : int
        The width that is never exceeded, at least 8.

    Returns
    -------
    str
        For example ``.7322765``, ``-.0264981``, ``25337.48``, ``1.35e-32``, or ``.`` for missing.
    """
    if not isfinite(value):
        return MISSING
    size = abs(value)
    if size == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits = width - 2
    if size >= _SMALLEST_FIXED:
        whole = len(str(int(size))) if size >= 1 else 0
        if whole <= digits:
            text = f"{size:.{digits - whole}f}"
            if "." in text:
                text = text.rstrip("0").rstrip(".")
            # Rounding up may have carried into one digit more than there is room for.
            if "." in text or len(text) <= digits:
                return sign + text.removeprefix("0")
    return _scientific(value, width)


def f(value: float, width: int, decimals: int, commas: bool = False) -> str:
    """Write a number with fixed decimals, ``%w.df``, without the padding.

    Parameters
    ----------
    value : float
        The number; nan and the infinities are missing.
    width : int
        A number too long for it is written in scientific notation instead.
    decimals : int
        Digits after the point.
    commas : bool
        Whether thousands are set apart by commas.

    Returns
    -------
    str
        For example ``-11.43``; a negative number that rounds to zero keeps its sign, ``-0.00``.
    """
    if not isfinite(value):
        return MISSING
    text = f"{value:,.{decimals}f}" if commas else f"{value:.{decimals}f}"
    if len(text) <= width:
        return text
    return _scientific(value, max(width, 8))


def count(value: int) -> str:
    """Write a count with commas: ``1,934``."""
    return f"{value:,d}"


def _scientific(value: float, width: int) -> str:
    # The sign has its place reserved. Unlike fixed notation, this one keeps its trailing zeros.
    decimals = width - 7
    text = f"{abs(value):.{decimals}e}"
    if len(text) >= width:  # an exponent of three digits
        text = f"{abs(value):.{decimals - 1}e}"
    return f"-{text}" if value < 0 else text


def clean(text: str) -> str:
    """Keep a name on one line: control characters and runs of blanks become one blank."""
    if text.isprintable() and "  " not in text:
        return text
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
