"""The grammar of `predict`: new variables, rows, one statistic and its options.

Source: [ME] meglm postestimation, Syntax for predict.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from memagic.errors import CommandError, closest
from memagic.spec.expression import read_expression
from memagic.spec.qualifiers import read_rows

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.tree import Expression, RowRange, Span

__all__ = [
    "MODIFIERS",
    "STATISTICS",
    "Conditional",
    "NewNames",
    "PredictCommand",
    "PredictOption",
    "Request",
    "check_request",
    "read_predict",
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
_TYPES = ("float", "double")
_OTHER_TYPES = ("byte", "int", "long", "str")
_FREE = ("conditional", "marginal", "nooffset", "intpoints", "iterate", "tolerance")
_EFFECTS = ("intpoints", "iterate", "tolerance")
# What goes with each statistic.
_ALLOWED: dict[str, tuple[str, ...]] = {
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
_USAGE: dict[Kind, str] = {
    "conditional": "type conditional(ebmeans), conditional(ebmodes) or conditional(fixedonly)",
    "outcome": "type outcome(#1) for the first category, or a category's value",
    "integer": "it takes a whole number",
    "real": "it takes a number greater than zero",
    "names": "type a stub, reses(se*), or a name for each random effect",
}
_CONDITIONAL: tuple[Conditional, ...] = ("ebmeans", "ebmodes", "fixedonly")


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


@dataclass(frozen=True, slots=True)
class NewNames:
    """Names of new variables, or a stub that is numbered.

    Attributes
    ----------
    names : tuple of (str, span)
    stub : str
        Empty where names were typed.
    span : tuple of int
    """

    names: tuple[tuple[str, Span], ...]
    stub: str
    span: Span


@dataclass(frozen=True, slots=True)
class PredictCommand:
    """What was typed.

    Attributes
    ----------
    dtype : str
        "float" or "double".
    new : NewNames
    condition : Expression or None
    rows : RowRange or None
    request : Request
    assumed : bool
        Whether the statistic is the default because none was typed.
    ses : NewNames or None
        For the standard errors of the random effects.
    """

    dtype: str
    new: NewNames
    condition: Expression | None = None
    rows: RowRange | None = None
    request: Request = field(default_factory=Request)
    assumed: bool = False
    ses: NewNames | None = None


def read_predict(cursor: Cursor) -> PredictCommand:
    """Read ``predict [type] newvar [if] [in] [, statistic options]``.

    Raises
    ------
    CommandError
        r(198) for what has no place; r(100) without a name.
    """
    cursor.take()
    body = cursor.part(cursor.position, cursor.find(","))
    cursor.position = body.stop
    dtype = _dtype(body)
    new = _new_names(body)
    condition: Expression | None = None
    rows: RowRange | None = None
    while not body.done:
        if body.at("if") and condition is None:
            body.take()
            condition = read_expression(body)
        elif body.at("in") and rows is None:
            rows = read_rows(body)
        else:
            raise body.invalid(hint="type predict newvar [if] [in] [, statistic options]")
    found: dict[str, tuple[object, Span]] = {}
    while not cursor.done:
        if cursor.at(","):
            cursor.take()
            continue
        _read_option(cursor, found)
    statistics = [(span, name) for name, (_, span) in found.items() if name in _ALLOWED and name != "reses"]
    if len(statistics) > 1:
        (_, one), (span, two) = sorted(statistics)[:2]
        raise CommandError(198, f"only one statistic may be specified: {one} or {two}", span=span)
    request = _request(statistics[0][1] if statistics else "mu", found)
    ses = cast("NewNames | None", found["reses"][0] if "reses" in found else None)
    return PredictCommand(dtype, new, condition, rows, request, not statistics, ses)


def _dtype(body: Cursor) -> str:
    named = body.at_kind("name", ahead=1) and not body.at("if", "in", ahead=1)
    if body.at(*_TYPES) and named:
        return body.take().text
    if body.at(*_OTHER_TYPES) and named:
        hint = "predictions are real numbers: type float or double, or leave it out for double"
        token = body.take()
        raise CommandError(198, f"type {token.text} not allowed", span=token.span, hint=hint)
    return "double"


def _new_names(body: Cursor) -> NewNames:
    first = body.position
    names: list[tuple[str, Span]] = []
    while body.at_kind("name") and not body.at("if", "in"):
        token = body.take()
        if body.at("*") and body.joined(0):
            body.take()
            if names or (not body.done and not body.at("if", "in")):
                raise body.invalid(body.span_from(first), "type one stub, b*, or names alone")
            return NewNames((), token.text, body.span_from(first))
        names.append((token.text, token.span))
    if not names:
        hint = "type a name for the new variable: predict mu"
        raise CommandError(100, "newvarlist required", span=body.here(), hint=hint)
    seen: set[str] = set()
    for name, span in names:
        if name in seen:
            raise CommandError(198, f"{name} is there twice among the new variables", span=span)
        seen.add(name)
    return NewNames(tuple(names), "", body.span_from(first))


def _read_option(cursor: Cursor, found: dict[str, tuple[object, Span]]) -> None:
    first = cursor.position
    token = cursor.take()
    known = (*STATISTICS, *MODIFIERS)
    spec = next((s for s in known if len(token.text) >= s.minimum and s.name.startswith(token.text)), None)
    if token.kind != "name" or spec is None:
        longer = [s for s in known if s.name.startswith(token.text)]
        hint = closest(token.text, [s.name for s in known])
        if longer:
            hint = "the shortest form is " + " or ".join(s.name[: s.minimum] for s in longer)
        raise CommandError(198, f"option {token.text} not allowed", span=token.span, hint=hint)
    if spec.name in found:
        raise CommandError(198, f"option {spec.name} specified more than once", span=token.span)
    if spec.kind == "flag":
        if cursor.at("("):
            cursor.inside()
            raise _incorrect(spec, cursor.span_from(first), f"{spec.name} takes no parentheses")
        found[spec.name] = (True, token.span)
        return
    if not cursor.at("("):
        raise _incorrect(spec, token.span, _USAGE[spec.kind])
    inner = cursor.inside()
    span = cursor.span_from(first)
    value = _value(inner, spec, span)
    if not inner.done:
        raise _incorrect(spec, inner.here(), _USAGE[spec.kind])
    found[spec.name] = (value, span)


def _value(inner: Cursor, spec: PredictOption, span: Span) -> object:
    if spec.kind == "names":
        return _new_names(inner)
    if spec.kind == "conditional":
        if not inner.at(*_CONDITIONAL):
            raise _incorrect(spec, span, _USAGE[spec.kind])
        return inner.take().text
    ordered = spec.kind == "outcome" and inner.at("#")
    if ordered:
        inner.take()
    negative = spec.kind == "outcome" and not ordered and inner.at("-")
    if negative:
        inner.take()
    number = None if inner.done else inner.number()
    if number is None:
        raise _incorrect(spec, span, _USAGE[spec.kind])
    number = -number if negative else number
    whole = float(number).is_integer()
    if (ordered or spec.kind == "integer") and not whole:
        raise _incorrect(spec, span, _USAGE[spec.kind])
    if spec.kind == "outcome":
        return int(number) if ordered else float(number)
    return int(number) if spec.kind == "integer" else number


def _incorrect(spec: PredictOption, span: Span, hint: str) -> CommandError:
    return CommandError(198, f"option {spec.name}() incorrectly specified", span=span, hint=hint)


def _request(statistic: str, found: dict[str, tuple[object, Span]]) -> Request:
    """The request, of options that go together."""
    given = {name: value for name, (value, _) in found.items()}
    if "reses" in given and statistic != "reffects":
        raise CommandError(198, "option reses() needs reffects", span=found["reses"][1])
    for name, (_, span) in found.items():
        if name not in _ALLOWED and name not in _ALLOWED[statistic]:
            raise CommandError(198, f"option {name} may not be combined with {statistic}", span=span)
    for one, two in (("conditional", "marginal"), ("ebmeans", "ebmodes")):
        if one in given and two in given:
            span = max(found[one][1], found[two][1])
            raise CommandError(198, f"options {one} and {two} may not be combined", span=span)
    request = Request(
        statistic=statistic,
        outcome=cast("int | float | None", given.get("outcome")),
        conditional=cast("Conditional", given.get("conditional", "ebmeans")),
        marginal="marginal" in given,
        offset="nooffset" not in given,
        n_points=cast("int | None", given.get("intpoints")),
        iterate=cast("int | None", given.get("iterate")),
        tolerance=cast("float | None", given.get("tolerance")),
    )
    if "ebmodes" in given:
        request = replace(request, conditional="ebmodes")
    try:
        check_request(request)
    except CommandError as error:
        error.span = next((span for name, (_, span) in found.items() if name in error.message), None)
        raise
    return request


def check_request(request: Request) -> None:
    """Refuse what does not go together, whichever way it was asked for.

    Raises
    ------
    CommandError
        r(198).
    """
    statistic = request.statistic
    if statistic not in _ALLOWED:
        hint = closest(statistic, _ALLOWED) or f"statistics are {', '.join(_ALLOWED)}"
        raise CommandError(198, f"statistic {statistic} not allowed", hint=hint)
    if request.conditional not in _CONDITIONAL:
        raise CommandError(198, f"conditional({request.conditional}) not allowed", hint=_USAGE["conditional"])
    given = {
        "outcome": request.outcome is not None,
        "marginal": request.marginal,
        "nooffset": not request.offset,
        "intpoints": request.n_points is not None,
        "iterate": request.iterate is not None,
        "tolerance": request.tolerance is not None,
    }
    for name, there in given.items():
        if there and name not in _ALLOWED[statistic]:
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
