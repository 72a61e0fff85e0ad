"""Linear functions of the parameters in words: ``[y]x1 - 2*[y]x2``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memagic.results.posted import AnyEstimates, Posted

Array = NDArray[np.float64]

__all__ = ["equation_names", "linear_words", "plain_number"]


def equation_names(estimates: AnyEstimates) -> list[str]:
    """Names with their equation, which is that of the dependent variable or none."""
    if isinstance(estimates, Posted):
        pairs = [name.rpartition(":") for name in estimates.names]
        return [f"[{equation}]{name}" if equation else name for equation, _, name in pairs]
    equation = f"[{estimates.equation}]"
    return [
        f"{equation}{p.name}" if p.role == "coefficient" else f"[/]{p.name.removeprefix('/')}"
        for p in estimates.parameters
    ]


def linear_words(row: Array, names: Sequence[str]) -> str:
    """``[y]x1 - 2*[y]x2``."""
    text = ""
    for coefficient, name in zip(row, names, strict=True):
        if coefficient:
            sign = "-" if coefficient < 0.0 else "+"
            size = "" if abs(coefficient) == 1.0 else f"{plain_number(abs(coefficient))}*"
            lead = f" {sign} " if text else sign.replace("+", "")
            text += f"{lead}{size}{name}"
    return text


def plain_number(value: float) -> str:
    """A number as the manual writes it, without a zero before the point."""
    text = f"{value:.9g}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
