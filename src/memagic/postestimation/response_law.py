"""The distribution of the response and its link, as formulas.

Source: manual [ME] meglm, table of `family()` and `link()`, and Methods and formulas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from memagic.display.mathematics import Formula, join, name, subscripted, symbol
from memagic.postestimation.indexing import Indexing
from memagic.postestimation.symbols import Symbols
from memagic.results.estimates import Estimates

# Left, relation, right.
_Line = tuple[Formula, Formula, tuple[Formula, ...]]

__all__ = ["Law", "law"]

# Elements of a sequence that are all written.
_FEW = 3
_SIM, _EQUALS = symbol(r"\sim", "~"), symbol("=")


@dataclass(frozen=True, slots=True)
class Law:
    """What is said of the response before and after the linear predictor.

    Attributes
    ----------
    before : list of lines
    left : Formula
        What the linear predictor is equal to.
    last : list of terms
        What is added to it.
    after : list of lines
    """

    before: list[_Line]
    left: Formula
    last: list[tuple[bool, Formula]]
    after: list[_Line]


def law(estimates: Estimates, indexing: Indexing, symbols: Symbols) -> Law:
    """The lines of the family and the link."""
    kind = estimates.kind
    y = subscripted(name(estimates.command.depvar.variable), indexing.full)
    mean = subscripted(symbol(r"\mu", "mu"), indexing.full)
    if kind.family == "gaussian":
        return _gaussian(kind.link, y, mean, indexing, symbols)
    if kind.family == "ordinal":
        return _ordinal(estimates, y, indexing, symbols)
    if kind.family in ("bernoulli", "binomial"):
        p = subscripted(symbol("p"), indexing.full)
        return Law([_binary(kind.trials, y, p, indexing)], _link(kind.link, p), [], [])
    return Law([_positive(estimates, y, mean, symbols)], _link(kind.link, mean), [], [])


def _link(link: str, mean: Formula) -> Formula:
    if link == "logit":
        return symbol(r"\operatorname{logit}(", "logit(") + mean + symbol(")")
    if link == "probit":
        return symbol(r"\Phi^{-1}(", "invnormal(") + mean + symbol(")")
    if link == "cloglog":
        return symbol(r"\ln\{-\ln(1 - ", "ln(-ln(1 - ") + mean + symbol(r")\}", "))")
    return symbol(r"\ln(", "ln(") + mean + symbol(")")


def _gaussian(link: str, y: Formula, mean: Formula, indexing: Indexing, symbols: Symbols) -> Law:
    e = subscripted(symbol("e"), indexing.full)
    variance = symbols.residual_variance()
    normal = Formula(rf"N\left( 0,\ {variance.tex} \right)", f"N(0, {variance.plain})")
    after: list[_Line] = [(e, _SIM, (normal,))]
    if link == "identity":
        return Law([], y, [(False, e)], after)
    return Law([(y, _EQUALS, (mean + symbol(" + ") + e,))], _link(link, mean), [], after)


def _binary(trials: float | str | None, y: Formula, p: Formula, indexing: Indexing) -> _Line:
    given = symbol(r" \mid ", " | ") + p
    if trials is None:
        return y + given, _SIM, (symbol(r"\operatorname{Bernoulli}(", "Bernoulli(") + p + symbol(")"),)
    if isinstance(trials, str):
        shown = subscripted(name(trials), indexing.variables.get(trials, indexing.full))
    else:
        shown = symbol(f"{trials:g}")
    law_ = symbol(r"\operatorname{Binomial}(", "Binomial(") + shown + symbol(r",\, ", ", ") + p + symbol(")")
    return y + given, _SIM, (law_,)


def _positive(estimates: Estimates, y: Formula, mean: Formula, symbols: Symbols) -> _Line:
    """Counts, and the gamma distribution, with their variances where a parameter enters them."""
    family = estimates.kind.family
    left = y + symbol(r" \mid ", " | ") + mean
    if family == "poisson":
        return left, _SIM, (symbol(r"\operatorname{Poisson}(", "Poisson(") + mean + symbol(")"),)
    own = symbols.own(0)
    between = symbol(r",\, ", ", ")
    variance = symbol(r",\qquad \operatorname{Var}(", ",  Var(") + left + symbol(") = ")
    if family == "gamma":
        head = symbol(r"\operatorname{Gamma}(", "Gamma(")
        spread = _square(own) + symbol(r"\, ", " ") + _square(mean)
    else:
        head = symbol(r"\operatorname{NegBinomial}(", "NegBinomial(")
        times = symbol(r"\, ", " ") + mean if estimates.kind.dispersion == "mean" else symbol("")
        spread = mean + symbol(r"\,(1 + ", " (1 + ") + own + times + symbol(")")
    return left, _SIM, (head + mean + between + own + symbol(")") + variance + spread,)


def _square(base: Formula) -> Formula:
    plain = base.plain
    return Formula(rf"{base.tex}^2", f"{plain}^2")


def _ordinal(estimates: Estimates, y: Formula, indexing: Indexing, symbols: Symbols) -> Law:
    """Cumulative probabilities by category."""
    values = estimates.categories
    plain = np.array_equal(values, np.arange(1, len(values) + 1))
    category = symbol("c") if plain else symbol("y_c", "y_c")
    probability = symbol(r"\Pr(", "Pr(") + y + symbol(r" \le ", " <= ") + category + symbol(")")
    eta = subscripted(symbol(r"\eta", "eta"), indexing.full)
    last = len(values) - 1
    cut = symbol(r"\kappa_c - ", "kappa_c - ") + eta + symbol(r",\qquad c = ", ",  c = ")
    cut += _sequence([symbol(str(k)) for k in range(1, last + 1)])
    before: list[_Line] = [(_link(estimates.kind.link, probability), _EQUALS, (cut,))]
    after: list[_Line] = []
    if not plain:
        shown = [symbol(f"{value:g}") for value in values]
        after.append((_vector(symbol("y"), last + 1), _EQUALS, (_parenthesized(shown),)))
    if any(symbols.own_is_number(k) for k in range(last)):
        shown = [symbols.own(k) for k in range(last)]
        after.append((_vector(symbol(r"\kappa", "kappa"), last), _EQUALS, (_parenthesized(shown),)))
    return Law(before, eta, [], after)


def _sequence(parts: list[Formula]) -> Formula:
    """All of a few, or the first and the last."""
    if len(parts) > _FEW:
        parts = [parts[0], symbol(r"\dots", "..."), parts[-1]]
    return join(parts, r",\, ", ", ")


def _vector(base: Formula, length: int) -> Formula:
    """(y_1, ..., y_n)."""
    elements = [Formula(f"{base.tex}_{{{k}}}", f"{base.plain}_{k}") for k in range(1, length + 1)]
    return symbol("(") + _sequence(elements) + symbol(")")


def _parenthesized(parts: list[Formula]) -> Formula:
    return symbol("(") + join(parts, r",\, ", ", ") + symbol(")")
