"""What a family asks of the response variable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from memagic.data.responses import recoding_hint
from memagic.errors import CommandError
from memagic.models import ModelKind

Array = NDArray[np.float64]
Span = tuple[int, int]

__all__ = ["Response", "checked_response"]

# More categories than this are a sign of a response that is not ordinal.
_MOST_CATEGORIES = 100


@dataclass(frozen=True, slots=True)
class Response:
    """The response as the engine takes it.

    Attributes
    ----------
    y : ndarray, shape (n,)
        0 and 1 for a Bernoulli response, codes 0..C-1 for an ordinal one.
    categories : ndarray, shape (C,)
        The values of an ordinal response; empty for others.
    notes : tuple of str
    """

    y: Array
    categories: Array
    notes: tuple[str, ...] = ()


def checked_response(
    kind: ModelKind,
    name: str,
    y: Array,
    trials: Array | float,
    span: Span,
    words: Callable[[], Mapping[float, str]] = dict,
) -> Response:
    """Check the response and prepare it; `words` gives the categories that its values stand for.

    Raises
    ------
    CommandError
        The response is impossible for the family, r(459) or r(498), or does not vary, r(2000).
    """
    if kind.family == "binomial":
        return _binomial(name, y, trials, span)
    try:
        return _CHECKS[kind.family](name, y, span)
    except CommandError as error:
        if kind.family == "bernoulli":
            error.hint = error.hint or recoding_hint(name, y, words())
        raise


def _bernoulli(name: str, y: Array, span: Span) -> Response:
    outcome = (y != 0.0).astype(float)
    if outcome.min() == outcome.max():
        raise CommandError(
            2000,
            "outcome does not vary; remember:\n"
            "                                  0 = negative outcome,\n"
            "        all other nonmissing values = positive outcome",
            span=span,
        )
    return Response(outcome, np.empty(0))


def _binomial(name: str, y: Array, trials: Array | float, span: Span) -> Response:
    r = np.asarray(trials)
    whole = np.all(y == np.floor(y)) and np.all(r == np.floor(r))
    if not whole or np.any(y < 0.0) or np.any(y > r) or np.any(r <= 0.0):
        raise CommandError(
            459,
            f"{name} must be a whole number between 0 and the number of trials",
            span=span,
            hint="name the number of trials, family(binomial trials)" if np.any(y > r) else None,
        )
    if np.all(y == 0.0) or np.all(y == r):
        raise CommandError(2000, "outcome does not vary", span=span)
    return Response(y, np.empty(0))


def _counts(name: str, y: Array, span: Span) -> Response:
    if np.any(y < 0.0):
        raise CommandError(459, f"{name} must be greater than or equal to zero", span=span)
    if not y.any():
        raise CommandError(498, f"{name} is zero for all observations", span=span)
    if np.any(y != np.floor(y)):
        note = "note: you are responsible for interpretation of noncount dep. variable."
        return Response(y, np.empty(0), (note,))
    return Response(y, np.empty(0))


def _whole_counts(name: str, y: Array, span: Span) -> Response:
    if np.any(y != np.floor(y)):
        raise CommandError(
            459, f"{name} must be whole numbers", span=span, hint="family(poisson) takes any response"
        )
    return _counts(name, y, span)


def _ordinal(name: str, y: Array, span: Span) -> Response:
    categories, codes = np.unique(y, return_inverse=True)
    if len(categories) < 2:
        raise CommandError(2000, f"outcome does not vary: {name} is {y[0]:g} throughout", span=span)
    if len(categories) > _MOST_CATEGORIES:
        raise CommandError(
            459,
            f"{name} has {len(categories):,} categories",
            span=span,
            hint="an ordinal response has few; is it continuous?",
        )
    return Response(codes.reshape(len(y)).astype(float), categories)


def _gamma(name: str, y: Array, span: Span) -> Response:
    if np.any(y <= 0.0):
        raise CommandError(459, f"{name} must be greater than zero", span=span)
    return _gaussian(name, y, span)


def _gaussian(name: str, y: Array, span: Span) -> Response:
    if y.min() == y.max():
        raise CommandError(2000, f"outcome does not vary: {name} is {y[0]:g} throughout", span=span)
    return Response(y, np.empty(0))


_CHECKS: dict[str, Callable[[str, Array, Span], Response]] = {
    "bernoulli": _bernoulli,
    "gamma": _gamma,
    "gaussian": _gaussian,
    "nbinomial": _whole_counts,
    "ordinal": _ordinal,
    "poisson": _counts,
}
