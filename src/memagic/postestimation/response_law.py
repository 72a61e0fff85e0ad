"""The distribution of the response and its link, as formulas.

Source: manual [ME] meglm, table of `family()` and `link()`, and Methods and formulas.
"""

from __future__ import annotations

from collections.abc import Callable
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
# What stands before and after the mean in a link other than the identity.
_LINKS: dict[str, tuple[Formula, Formula]] = {
    "log": (symbol(r"\ln(", "ln("), symbol(")")),
    "logit": (symbol(r"\operatorname{logit}(", "logit("), symbol(")")),
    "probit": (symbol(r"\Phi^{-1}(", "invnormal("), symbol(")")),
    "cloglog": (symbol(r"\ln\{-\ln(1 - ", "ln(-ln(1 - "), symbol(r")\}", "))")),
}


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
    y = subscripted(name(estimates.command.depvar.variable), indexing.full)
    return _LAWS[estimates.kind.family](estimates, y, indexing, symbols)


def _link(link: str, mean: Formula) -> Formula:
    before, after = _LINKS[link]
    return before + mean + after


def _mean(indexing: Indexing) -> Formula:
    return subscripted(symbol(r"\mu", "mu"), indexing.full)


def _gaussian(estimates: Estimates, y: Formula, indexing: Indexing, symbols: Symbols) -> Law:
    link, mean = estimates.kind.link, _mean(indexing)
    e = subscripted(symbol("e"), indexing.full)
    variance = symbols.residual_variance()
    normal = Formula(rf"N\left( 0,\ {variance.tex} \right)", f"N(0, {variance.plain})")
    after: list[_Line] = [(e, _SIM, (normal,))]
    if link == "identity":
        return Law([], y, [(False, e)], after)
    return Law([(y, _EQUALS, (mean + symbol(" + ") + e,))], _link(link, mean), [], after)


def _successes(estimates: Estimates, y: Formula, indexing: Indexing, symbols: Symbols) -> Law:
    kind, p = estimates.kind, subscripted(symbol("p"), indexing.full)
    return Law([_binary(kind.trials, y, p, indexing)], _link(kind.link, p), [], [])


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


def _poisson(estimates: Estimates, y: Formula, indexing: Indexing, symbols: Symbols) -> Law:
    mean = _mean(indexing)
    head = symbol(r"\operatorname{Poisson}(", "Poisson(")
    line = (y + symbol(r" \mid ", " | ") + mean, _SIM, (head + mean + symbol(")"),))
    return Law([line], _link(estimates.kind.link, mean), [], [])


def _gamma(estimates: Estimates, y: Formula, indexing: Indexing, symbols: Symbols) -> Law:
    mean, own = _mean(indexing), symbols.own(0)
    head = symbol(r"\operatorname{Gamma}(", "Gamma(")
    variance = _square(own) + symbol(r"\, ", " ") + _square(mean)
    return Law([_dispersed(y, mean, head, own, variance)], _link(estimates.kind.link, mean), [], [])


def _negative_binomial(estimates: Estimates, y: Formula, indexing: Indexing, symbols: Symbols) -> Law:
    mean, own = _mean(indexing), symbols.own(0)
    head = symbol(r"\operatorname{NegBinomial}(", "NegBinomial(")
    times = {"mean": symbol(r"\, ", " ") + mean, "constant": symbol("")}[estimates.kind.dispersion]
    variance = mean + symbol(r"\,(1 + ", " (1 + ") + own + times + symbol(")")
    return Law([_dispersed(y, mean, head, own, variance)], _link(estimates.kind.link, mean), [], [])


def _dispersed(y: Formula, mean: Formula, head: Formula, own: Formula, variance: Formula) -> _Line:
    """The law of a family with a parameter of its own, and its variance."""
    left = y + symbol(r" \mid ", " | ") + mean
    parameters = head + mean + symbol(r",\, ", ", ") + own + symbol(")")
    words = symbol(r",\qquad \operatorname{Var}(", ",  Var(") + left + symbol(") = ")
    return left, _SIM, (parameters + words + variance,)


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


_LAWS: dict[str, Callable[[Estimates, Formula, Indexing, Symbols], Law]] = {
    "bernoulli": _successes,
    "binomial": _successes,
    "gamma": _gamma,
    "gaussian": _gaussian,
    "nbinomial": _negative_binomial,
    "ordinal": _ordinal,
    "poisson": _poisson,
}
