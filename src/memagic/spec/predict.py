"""The grammar of `predict`: new variables, rows, one statistic and its options.

Source: [ME] meglm postestimation, Syntax for predict.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from memagic.errors import CommandError, closest
from memagic.spec.expression import read_expression
from memagic.spec.prediction import (
    ALLOWED,
    CONDITIONAL,
    MODIFIERS,
    STATISTICS,
    USAGE,
    PredictOption,
    Request,
    check_request,
)
from memagic.spec.qualifiers import read_rows

if TYPE_CHECKING:
    from memagic.spec.cursor import Cursor
    from memagic.spec.prediction import Conditional
    from memagic.spec.tree import Expression, RowRange, Span

__all__ = ["NewNames", "PredictCommand", "read_predict"]

_TYPES = ("float", "double")
_OTHER_TYPES = ("byte", "int", "long", "str")


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
    statistics = [(span, name) for name, (_, span) in found.items() if name in ALLOWED and name != "reses"]
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
        raise _incorrect(spec, token.span, USAGE[spec.kind])
    inner = cursor.inside()
    span = cursor.span_from(first)
    value = _value(inner, spec, span)
    if not inner.done:
        raise _incorrect(spec, inner.here(), USAGE[spec.kind])
    found[spec.name] = (value, span)


def _value(inner: Cursor, spec: PredictOption, span: Span) -> object:
    if spec.kind == "names":
        return _new_names(inner)
    if spec.kind == "conditional":
        if not inner.at(*CONDITIONAL):
            raise _incorrect(spec, span, USAGE[spec.kind])
        return inner.take().text
    ordered = spec.kind == "outcome" and inner.at("#")
    if ordered:
        inner.take()
    negative = spec.kind == "outcome" and not ordered and inner.at("-")
    if negative:
        inner.take()
    number = None if inner.done else inner.number()
    if number is None:
        raise _incorrect(spec, span, USAGE[spec.kind])
    number = -number if negative else number
    whole = float(number).is_integer()
    if (ordered or spec.kind == "integer") and not whole:
        raise _incorrect(spec, span, USAGE[spec.kind])
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
        if name not in ALLOWED and name not in ALLOWED[statistic]:
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
