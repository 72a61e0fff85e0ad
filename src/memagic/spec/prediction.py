"""What may be predicted: one table of statistics and options, and a request for one of them.

Source: [ME] meglm postestimation, Syntax for predict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from memagic.errors import CommandError, closest

__all__ = [
    "ALLOWED",
    "CONDITIONAL",
    "MODIFIERS",
    "STATISTICS",
    "USAGE",
    "Conditional",
    "Kind",
    "PredictOption",
    "Request",
    "check_request",
]

Conditional: TypeAlias = Literal["ebmeans", "ebmodes", "fixedonly"]
Kind: TypeAlias = Literal["flag", "conditional", "outcome", "integer", "real", "names"]


@dataclass(frozen=True, slots=True)
class PredictOption:
    """An option of `predict`.

    Attributes
    ----------
    name : str
        In full.
    minimum : int
        How many of its letters must be typed.
    help : str
    kind : str
        What stands between its parentheses; a flag has none.
    """

    name: str
    minimum: int
    help: str
    kind: Kind = "flag"


def _option(word: str, text: str, kind: Kind = "flag") -> PredictOption:
    """From a word whose required letters are capital; all of one without any."""
    return PredictOption(word.lower(), sum(map(str.isupper, word)) or len(word), text, kind)


STATISTICS = (
    _option("mu", "mean response; the default"),
    _option("pr", "probabilities, of binary and ordinal responses"),
    _option("eta", "linear predictor, the random effects included"),
    _option("xb", "linear predictor of the fixed part alone"),
    _option("stdp", "standard error of the linear predictor of the fixed part"),
    _option("DENsity", "density of the response"),
    _option("DISTribution", "distribution function of the response"),
    _option("RESiduals", "response less mean, of Gaussian responses"),
    _option("PEArson", "Pearson residuals"),
    _option("DEViance", "deviance residuals"),
    _option("ANScombe", "Anscombe residuals"),
    _option("reffects", "predicted random effects, a variable for each"),
    _option("SCores", "scores, a variable for each parameter"),
)
MODIFIERS = (
    _option("CONDitional", "random effects: ebmeans, ebmodes or fixedonly for zero", "conditional"),
    _option("marginal", "integrate over the random effects"),
    _option("NOOFFset", "leave out the offset or exposure"),
    _option("OUTcome", "category of an ordinal response: #1, #2, ... or its value", "outcome"),
    _option("ebmeans", "reffects: posterior means; the default"),
    _option("ebmodes", "reffects: posterior modes"),
    _option("reses", "reffects: new variables for their standard errors", "names"),
    _option("INTPoints", "integration points", "integer"),
    _option("ITERate", "most iterations of the search for the random effects", "integer"),
    _option("TOLerance", "tolerance of that search", "real"),
)
_FREE = ("conditional", "marginal", "nooffset", "intpoints", "iterate", "tolerance")
_EFFECTS = ("intpoints", "iterate", "tolerance")
# What goes with each statistic.
ALLOWED: dict[str, tuple[str, ...]] = {
    "mu": ("outcome", *_FREE),
    "pr": ("outcome", *_FREE),
    "eta": _FREE,
    "xb": ("nooffset",),
    "stdp": (),
    "density": _FREE,
    "distribution": _FREE,
    "residuals": _FREE,
    "pearson": tuple(name for name in _FREE if name != "marginal"),
    "deviance": tuple(name for name in _FREE if name != "marginal"),
    "anscombe": tuple(name for name in _FREE if name != "marginal"),
    "reffects": ("ebmeans", "ebmodes", "reses", *_EFFECTS),
    "reses": ("ebmodes", *_EFFECTS),
    "scores": (),
}
USAGE: dict[Kind, str] = {
    "conditional": "type conditional(ebmeans), conditional(ebmodes) or conditional(fixedonly)",
    "outcome": "type outcome(#1) for the first category, or a category's value",
    "integer": "it takes a whole number",
    "real": "it takes a number greater than zero",
    "names": "type a stub, reses(se*), or a name for each random effect",
}
CONDITIONAL: tuple[Conditional, ...] = ("ebmeans", "ebmodes", "fixedonly")


@dataclass(frozen=True, slots=True)
class Request:
    """What to predict.

    Attributes
    ----------
    statistic : str
        One of `STATISTICS`, or "reses" for the standard errors of the random effects.
    outcome : int, float or None
        Category of an ordinal response: its number, from 1, as an int, or its value as a float; None
        for all of them.
    conditional : str
        What the random effects are; of `reffects` which they are.
    marginal : bool
        Whether the statistic is integrated over the prior of the random effects.
    offset : bool
    n_points, iterate : int or None
        None for those of the estimation.
    tolerance : float or None
    """

    statistic: str = "mu"
    outcome: int | float | None = None
    conditional: Conditional = "ebmeans"
    marginal: bool = False
    offset: bool = True
    n_points: int | None = None
    iterate: int | None = None
    tolerance: float | None = None


def check_request(request: Request) -> None:
    """Refuse what does not go together, whichever way it was asked for.

    Raises
    ------
    CommandError
        r(198).
    """
    statistic = request.statistic
    if statistic not in ALLOWED:
        hint = closest(statistic, ALLOWED) or f"statistics are {', '.join(ALLOWED)}"
        raise CommandError(198, f"statistic {statistic} not allowed", hint=hint)
    if request.conditional not in CONDITIONAL:
        raise CommandError(198, f"conditional({request.conditional}) not allowed", hint=USAGE["conditional"])
    given = {
        "outcome": request.outcome is not None,
        "marginal": request.marginal,
        "nooffset": not request.offset,
        "intpoints": request.n_points is not None,
        "iterate": request.iterate is not None,
        "tolerance": request.tolerance is not None,
    }
    for name, there in given.items():
        if there and name not in ALLOWED[statistic]:
            raise CommandError(198, f"option {name} may not be combined with {statistic}")
    if request.n_points is not None and not 1 <= request.n_points <= 195:
        raise CommandError(198, "intpoints() must be between 1 and 195 inclusive")
    if request.iterate is not None and request.iterate < 0:
        raise CommandError(198, "iterate() must not be negative")
    if request.tolerance is not None and not request.tolerance > 0.0:
        raise CommandError(198, "tolerance() must be greater than zero")
    searching = not request.marginal and request.conditional != "fixedonly"
    for name in ("iterate", "tolerance"):
        if given[name] and not searching:
            raise CommandError(198, f"option {name}() has nothing to do: no random effects are predicted")
    if given["intpoints"] and not request.marginal and request.conditional != "ebmeans":
        raise CommandError(198, "option intpoints() has nothing to do: nothing is integrated")
