"""Formulas in two forms at once: LaTeX that MathJax, KaTeX and amsmath set, and plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Formula", "join", "matrix", "name", "number", "subscripted", "symbol", "words"]

# What is special in LaTeX's text or in its math; as math, since MathJax takes no macros in \text{}.
_MATH = {
    "\\": r"\backslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "~": r"{\sim}",
    "^": r"{\wedge}",
    "<": "{<}",
    ">": "{>}",
    "|": r"\vert{}",
    '"': "{''}",
    "`": r"{\prime}",
    "-": r"\text{-}",
}
# amsmath's matrices have so many columns unless they are told otherwise.
_WIDEST_PMATRIX = 10
_PLAIN = re.compile("([" + re.escape("".join(_MATH)) + "])")


@dataclass(frozen=True, slots=True)
class Formula:
    """A part of a formula.

    Attributes
    ----------
    tex : str
        In LaTeX's math mode.
    plain : str
        As text on one line.
    """

    tex: str
    plain: str

    def __add__(self, other: Formula) -> Formula:
        return Formula(self.tex + other.tex, self.plain + other.plain)


def symbol(tex: str, plain: str | None = None) -> Formula:
    """A formula as it is written; the plain form is the same unless it is given."""
    return Formula(tex, tex if plain is None else plain)


def words(text: str) -> Formula:
    """Text in a formula, with everything that is special in LaTeX escaped."""
    parts = []
    for part in _PLAIN.split(text):
        if part:
            parts.append(_MATH.get(part) or rf"\text{{{part}}}")
    return Formula("".join(parts), text)


def name(text: str) -> Formula:
    """The name of a variable, upright."""
    if text.isascii() and re.fullmatch(r"\w+", text):
        escaped = text.replace("_", r"\_")
        return Formula(rf"\mathrm{{{escaped}}}", text)
    return words(text)


def number(value: float, digits: int = 4) -> Formula:
    """A number in so many significant digits, as a power of ten where it is very large or small."""
    text = f"{value:.{digits}g}"
    if "e" not in text:
        # Zeros at the end are kept, so that numbers of one precision look alike.
        text = f"{value:#.{digits}g}".rstrip(".") if value else "0"
        return Formula(text, text)
    mantissa, exponent = text.split("e")
    return Formula(rf"{mantissa} \times 10^{{{int(exponent)}}}", text)


def subscripted(base: Formula, *subscripts: str | Formula) -> Formula:
    """A symbol with subscripts: `u` and `0`, `j` make u_{0j} and u0[j].

    Parameters
    ----------
    base : Formula
    *subscripts : str or Formula
        Numbers and words first, index letters last; empty ones are left out. The last one is set in
        brackets in the plain form.
    """
    parts = [symbol(s) if isinstance(s, str) else s for s in subscripts]
    if not any(part.tex for part in parts):
        return base
    tex = "".join(part.tex for part in parts)
    *first, last = parts
    letters = f"[{','.join(last.plain)}]" if last.plain else ""
    return Formula(rf"{base.tex}_{{{tex}}}", base.plain + "".join(part.plain for part in first) + letters)


def join(parts: Iterable[Formula], between: str, plain: str | None = None) -> Formula:
    """Parts with the same thing between them."""
    parts = list(parts)
    return Formula(
        between.join(part.tex for part in parts),
        (between if plain is None else plain).join(part.plain for part in parts),
    )


def matrix(rows: Sequence[Sequence[Formula]]) -> Formula:
    """A matrix in parentheses; a column is written as one row with a prime in the plain form."""
    body = r" \\ ".join(" & ".join(cell.tex for cell in row) for row in rows)
    width = max(len(row) for row in rows)
    tex = rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
    if width > _WIDEST_PMATRIX:
        tex = rf"\left( \begin{{array}}{{{'c' * width}}} {body} \end{{array}} \right)"
    if all(len(row) == 1 for row in rows):
        return Formula(tex, f"({', '.join(row[0].plain for row in rows)})'")
    return Formula(tex, f"[{'; '.join(', '.join(cell.plain for cell in row) for row in rows)}]")
