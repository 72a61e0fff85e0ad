"""A model in mathematics: distribution, link, linear predictor by level, random effects.

Source: manual [ME] meglm, Introduction and Methods and formulas; letters as Goldstein (2011),
Multilevel Statistical Models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from memagic.data.terms import Column
from memagic.display.mathematics import Formula, join, matrix, name, subscripted, symbol, words
from memagic.errors import CommandError
from memagic.postestimation.indexing import Indexing, index_letters
from memagic.postestimation.response_law import law
from memagic.postestimation.symbols import EffectSet, Symbols, effect_sets
from memagic.results.estimates import Estimates

__all__ = ["Equation", "Line", "equation"]

# Characters of a line's plain form after which it is broken.
_WIDTH = 74
_PLUS, _MINUS = symbol(" + "), symbol(" - ")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what stands left of the relation, and what right of it, perhaps in several rows."""

    left: Formula
    relation: Formula
    rows: tuple[Formula, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Equation:
    """A model in mathematics.

    It is set in a notebook; `str()` gives its LaTeX, for a document with amsmath.

    Attributes
    ----------
    lines : tuple of Line
    """

    lines: tuple[Line, ...]

    def to_latex(self) -> str:
        """LaTeX source: an `aligned` environment in display math."""
        rows = []
        for line in self.lines:
            first, *others = line.rows
            rows.append(f"{line.left.tex} &{line.relation.tex} {first.tex}")
            # Without anything before it, a plus would be a sign.
            rows += [rf"&\qquad {{}}{row.tex}" for row in others]
        body = " \\\\\n".join(rows)
        return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"

    def to_text(self) -> str:
        """Plain text."""
        width = max(len(line.left.plain) for line in self.lines)
        rows = []
        for line in self.lines:
            first, *others = line.rows
            relation = line.relation.plain
            rows.append(f"{line.left.plain:>{width}} {relation:1} {first.plain}")
            rows += [" " * (width + 5) + row.plain.lstrip() for row in others]
        return "\n".join(row.rstrip() for row in rows)

    def __str__(self) -> str:
        return self.to_latex()

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_latex_(self) -> str:
        return self.to_latex()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.to_text(), "text/latex": self.to_latex()}


def equation(estimates: Estimates, *, numbers: bool = False) -> Equation:
    """The equations of a fitted model.

    Parameters
    ----------
    estimates : Estimates
    numbers : bool
        Estimates, rounded to four digits, in place of symbols.

    Raises
    ------
    CommandError
        Numbers where there are only starting values, r(301).
    """
    if numbers and not estimates.fitted:
        raise CommandError(301, "last estimates not found", hint="noestimate showed starting values")
    indexing = index_letters(estimates.design)
    sets = effect_sets(estimates.design.levels)
    symbols = Symbols(estimates, sets, numbers)
    response = law(estimates, indexing, symbols)
    parts = [_fixed_part(estimates, indexing, symbols)]
    parts += [_random_part(estimates, indexing, effects) for effects in sets]
    parts[-1] = [*parts[-1], *response.last]
    lines = [*(Line(*line) for line in response.before)]
    lines.append(Line(response.left, symbol("="), _broken(parts)))
    lines += [Line(*line) for line in response.after]
    lines += [_distribution(effects, indexing, symbols) for effects in sets]
    if estimates.design.levels:
        lines.append(Line(symbol(""), symbol(""), (_words(indexing.words),)))
    return Equation(tuple(lines))


# A term with its sign: whether it is subtracted, and what.
_Term = tuple[bool, Formula]


def _fixed_part(estimates: Estimates, indexing: Indexing, symbols: Symbols) -> list[_Term]:
    """The coefficients with their columns, the constant first, and the offset."""
    columns = [column for column in estimates.design.fixed if column.state == "estimated"]
    order = sorted(range(len(columns)), key=lambda k: columns[k].name != "_cons")
    terms: list[_Term] = []
    for k in order:
        coefficient = symbols.coefficient(k)
        negative = symbols.is_number(k) and coefficient.plain.startswith("-")
        if symbols.is_number(k) and symbols.value(k) == 0.0:
            continue
        if negative:
            coefficient = Formula(coefficient.tex[1:], coefficient.plain[1:])
        terms.append((negative, _times(coefficient, columns[k], estimates, indexing)))
    options = estimates.command.fixed.options
    if "offset" in options:
        terms.append((False, _variable(str(options["offset"].value), indexing)))
    if "exposure" in options:
        inner = _variable(str(options["exposure"].value), indexing)
        terms.append((False, symbol(r"\ln(", "ln(") + inner + symbol(")")))
    return terms


def _random_part(estimates: Estimates, indexing: Indexing, effects: EffectSet) -> list[_Term]:
    columns = [column for level in estimates.design.levels for column in level.columns]
    terms = []
    for effect, position in zip(_effects(effects, indexing), effects.columns, strict=True):
        if effects.factor:
            terms.append((False, effect))
        else:
            terms.append((False, _times(effect, columns[position], estimates, indexing)))
    return terms


def _effects(effects: EffectSet, indexing: Indexing) -> list[Formula]:
    """The symbols of the random effects: u_{0j}, u_{1j}."""
    letters = (
        indexing.factors[effects.path, effects.factor] if effects.factor else indexing.groups[effects.path]
    )
    q = len(effects.columns)
    digits = [str(k) if q > 1 else "" for k in range(q)]
    between = "," if q > 10 else ""
    return [
        subscripted(symbol(effects.letter), symbol(f"{digit}{between if digit else ''}", digit), letters)
        if digit
        else subscripted(symbol(effects.letter), letters)
        for digit in digits
    ]


def _distribution(effects: EffectSet, indexing: Indexing, symbols: Symbols) -> Line:
    """The normal distribution of one set of random effects."""
    shown = _effects(effects, indexing)
    q = len(shown)
    if q == 1:
        left, mean = shown[0], symbol("0")
        variance = symbols.covariance(effects.columns[0], effects.columns[0])
    else:
        left, mean = matrix([[effect] for effect in shown]), symbol(r"\mathbf{0}", "0")
        if effects.covariance == "identity":
            variance = symbols.covariance(effects.columns[0], effects.columns[0])
            variance += symbol(rf"\,\mathbf{{I}}_{{{q}}}", f" I({q})")
        else:
            variance = matrix([[symbols.covariance(r, c) for c in effects.columns] for r in effects.columns])
    normal = Formula(rf"N\left( {mean.tex},\ {variance.tex} \right)", f"N({mean.plain}, {variance.plain})")
    return Line(left, symbol(r"\sim", "~"), (normal,))


def _times(coefficient: Formula, column: Column, estimates: Estimates, indexing: Indexing) -> Formula:
    """A coefficient times its column; the constant is left out."""
    if not column.factors:
        return coefficient
    factors = [_operand(variable, level, estimates, indexing) for variable, level in column.factors]
    product = join(factors, r"\, ", " ")
    return Formula(rf"{coefficient.tex}\, {product.tex}", f"{coefficient.plain} {product.plain}")


def _operand(variable: str, level: float | None, estimates: Estimates, indexing: Indexing) -> Formula:
    """A variable, or the indicator of one of its values."""
    shown = _variable(variable, indexing)
    if level is None:
        return shown
    label = estimates.value_labels.get(variable, {}).get(level)
    value = symbol(f"{level:g}") if label is None else words(label)
    return symbol(r"\mathbf{1}(", "1(") + shown + symbol(" = ") + value + symbol(")")


def _variable(variable: str, indexing: Indexing) -> Formula:
    return subscripted(name(variable), indexing.variables.get(variable, indexing.full))


def _broken(parts: Sequence[Sequence[_Term]]) -> tuple[Formula, ...]:
    """All terms on one line if they fit, else the fixed part and the levels on lines of their own."""
    everything = [term for part in parts for term in part]
    if not everything:
        return (symbol("0"),)
    whole = _sum(everything, leading=True)
    if len(whole.plain) <= _WIDTH:
        return (whole,)
    fixed, *levels = parts
    random = [term for part in levels for term in part]
    if len(_sum(random, leading=False).plain) <= _WIDTH:
        levels = [random]
    rows: list[Formula] = []
    for part in (fixed, *levels):
        row: list[_Term] = []
        for term in part:
            if row and len(_sum([*row, term], leading=not rows).plain) > _WIDTH:
                rows.append(_sum(row, leading=not rows))
                row = []
            row.append(term)
        if row:
            rows.append(_sum(row, leading=not rows))
    return tuple(rows)


def _sum(terms: Sequence[_Term], *, leading: bool) -> Formula:
    """Terms with their signs; a sum that leads has no plus before it."""
    total = symbol("")
    for negative, term in terms:
        if leading:
            total = symbol("-") + term if negative else term
            leading = False
        else:
            total = total + (_MINUS if negative else _PLUS) + term
    return total


def _words(parts: tuple[tuple[str, str], ...]) -> Formula:
    """What the letters stand for."""
    return join([words(text) + symbol(r"\ ", " ") + symbol(letter) for text, letter in parts], r"\ ", " ")
