"""Option lists: ``covariance(unstructured) or level(90)``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from memagic.errors import CommandError, closest
from memagic.spec.find_option import find_option
from memagic.spec.numlist import read_numlist, signed_number
from memagic.spec.options import DISPERSIONS, EXCLUSIVE
from memagic.spec.starts import read_grid, read_initial, read_start, read_techniques
from memagic.spec.tree import Covariance, GridSearch, Option, VarianceEstimator

if TYPE_CHECKING:
    from typing import Literal

    from memagic.spec.cursor import Cursor
    from memagic.spec.option import Choice, OptionSpec, Scope
    from memagic.spec.tree import Span

__all__ = ["add_option", "check_exclusive", "read_options"]


def read_options(cursor: Cursor, command: str, scopes: tuple[Scope, ...]) -> list[tuple[OptionSpec, Option]]:
    """Read options to the end of `cursor`.

    Parameters
    ----------
    cursor : Cursor
        Just after the comma.
    command : str
        The full name of the command.
    scopes : tuple of {"fixed", "random", "global"}
        What may stand here.

    Returns
    -------
    list of (OptionSpec, Option)
        In the order of the text.
    """
    found: list[tuple[OptionSpec, Option]] = []
    while not cursor.done:
        if cursor.at(","):
            # A second comma separates, as in a list over several lines: , cov(un) , or
            cursor.take()
            continue
        if not cursor.at_kind("name"):
            raise cursor.invalid(hint=_stray(cursor))
        found.append(_option(cursor, command, scopes))
    return found


def add_option(options: dict[str, Option], spec: OptionSpec, option: Option) -> None:
    """Put an option among those of its equation or command, where most may stand once."""
    before = options.get(spec.name)
    if before is not None and spec.repeated:
        assert isinstance(before.value, tuple)
        assert isinstance(option.value, tuple)
        options[spec.name] = replace(option, value=before.value + option.value)
        return
    if before is not None:
        raise CommandError(198, f"option {spec.shown} specified more than once", span=option.span)
    options[spec.name] = option


def check_exclusive(options: dict[str, Option]) -> None:
    """Refuse options that contradict each other."""
    for group in EXCLUSIVE:
        given = sorted((options[name].span, name) for name in group if name in options)
        if len(given) > 1:
            names = " and ".join(name for _, name in given)
            raise CommandError(198, f"options {names} may not be combined", span=given[-1][0])


def _stray(cursor: Cursor) -> str | None:
    if cursor.at("|"):
        return "type || before the next level"
    if cursor.at(":"):
        return "type || before a level"
    if cursor.at("="):
        return "an option's value goes between parentheses: level(90)"
    if cursor.at_kind("digits"):
        return "options are words; a range of observations is in 1/10"
    if cursor.at_kind("string"):
        return "options stand without quotes"
    return None


def _option(cursor: Cursor, command: str, scopes: tuple[Scope, ...]) -> tuple[OptionSpec, Option]:
    first = cursor.position
    word = cursor.take()
    spec = find_option(word.text, command, scopes, word.span, argument=cursor.at("("))
    if spec.kind == "flag":
        if cursor.at("("):
            cursor.inside()
            raise _incorrect(spec, cursor.span_from(first), f"{spec.name} takes no parentheses")
        return spec, Option(spec.name, True, None, word.span)
    if not cursor.at("("):
        if spec.bare:
            return spec, Option(spec.name, (GridSearch(span=word.span),), None, word.span)
        raise _incorrect(spec, word.span, _usage(spec))
    inner = cursor.inside()
    span = cursor.span_from(first)
    if inner.done:
        raise _incorrect(spec, span, _usage(spec))
    argument, argument_first = inner.words(), inner.position
    value = _value(inner, spec)
    if not inner.done:
        raise _incorrect(spec, inner.here(), _usage(spec))
    return spec, Option(spec.name, value, argument, span, inner.span_from(argument_first))


def _value(cursor: Cursor, spec: OptionSpec) -> object:
    """The value between the parentheses, by the option's kind."""
    match spec.kind:
        case "integer" | "real":
            return _number(cursor, spec)
        case "varname":
            return _varname(cursor, spec)
        case "trials":
            return _trials(cursor, spec)
        case "family":
            return _family(cursor, spec)
        case "vartype":
            return _covariance(cursor, spec)
        case "vcetype":
            return _variance(cursor, spec)
        case "numlist":
            return _numbers(cursor, spec)
        case "techniques":
            return read_techniques(cursor, spec)
        case "start":
            return read_start(cursor, spec)
        case "grid":
            return (read_grid(cursor),)
        case "initial":
            return read_initial(cursor)
        case _:
            return _choice(cursor, spec)


def _covariance(cursor: Cursor, spec: OptionSpec) -> Covariance:
    """A structure; two of them take the name of a matrix."""
    word = _choice(cursor, spec)
    if word not in ("fixed", "pattern"):
        kind = cast("Literal['independent', 'identity', 'exchangeable', 'unstructured']", word)
        return Covariance(kind)
    usage = f"type covariance({word}(matname))"
    if not cursor.at("("):
        raise _incorrect(spec, cursor.here(), usage)
    inner = cursor.inside()
    if not inner.at_kind("name"):
        raise _incorrect(spec, inner.here(), usage)
    matrix = inner.take().text
    if not inner.done:
        raise _incorrect(spec, inner.here(), usage)
    return Covariance(cast("Literal['fixed', 'pattern']", word), matrix)


def _variance(cursor: Cursor, spec: OptionSpec) -> VarianceEstimator:
    """How standard errors are estimated; for clusters, with their variable."""
    word = cast("Literal['oim', 'opg', 'robust', 'cluster']", _choice(cursor, spec))
    if word != "cluster":
        return VarianceEstimator(word)
    if not cursor.at_kind("name"):
        raise _incorrect(spec, cursor.here(), "type vce(cluster clustvar)")
    return VarianceEstimator(word, cursor.take().text)


def _numbers(cursor: Cursor, spec: OptionSpec) -> tuple[int, ...]:
    """Whole numbers, each once."""
    first = cursor.position
    numbers = read_numlist(cursor)
    low, high = spec.limits or (-float("inf"), float("inf"))
    if any(not low <= number <= high or number != int(number) for number in numbers):
        message = f"{spec.shown} takes integers between {low:g} and {high:g}"
        raise CommandError(198, message, span=cursor.span_from(first))
    return tuple(dict.fromkeys(int(number) for number in numbers))


def _family(cursor: Cursor, spec: OptionSpec) -> tuple[float | str, ...]:
    """A family, with the number of trials or the kind of dispersion where it takes one."""
    word = _choice(cursor, spec)
    if cursor.done:
        return (word,)
    if word == "binomial":
        return (word, _trials(cursor, spec))
    if word == "nbinomial":
        return (word, _choice(cursor, replace(spec, choices=DISPERSIONS)))
    return (word,)


def _number(cursor: Cursor, spec: OptionSpec) -> float | int:
    first = cursor.position
    value = signed_number(cursor)
    if value is None:
        raise _incorrect(spec, cursor.here(), _usage(spec))
    whole = spec.kind == "integer"
    low, high = spec.limits or (-float("inf"), float("inf"))
    if not low <= value <= high or (whole and value != int(value)):
        noun = "an integer " if whole else ""
        if high == float("inf"):
            wanted = f"{noun}{low:g} or greater"
        else:
            wanted = f"{noun}between {low:g} and {high:g} inclusive"
        raise CommandError(198, f"{spec.shown} must be {wanted}", span=cursor.span_from(first))
    return int(value) if whole else value


def _varname(cursor: Cursor, spec: OptionSpec) -> str:
    if not cursor.at_kind("name"):
        raise _incorrect(spec, cursor.here(), _usage(spec))
    return cursor.take().text


def _trials(cursor: Cursor, spec: OptionSpec) -> float | str:
    """A number of binomial trials: the same for all, or a variable."""
    if cursor.at_kind("name"):
        return cursor.take().text
    first = cursor.position
    value = signed_number(cursor)
    if value is None:
        raise _incorrect(spec, cursor.here(), _usage(spec))
    if value < 1 or value != int(value):
        message = "the number of binomial trials must be a positive integer"
        raise CommandError(198, message, span=cursor.span_from(first))
    return value


def _choice(cursor: Cursor, spec: OptionSpec) -> str:
    """One of the option's words, perhaps shortened."""
    words = [choice.name for choice in spec.choices]
    if not cursor.at_kind("name"):
        raise _incorrect(spec, cursor.here(), _usage(spec))
    token = cursor.take()
    for choice in spec.choices:
        if _shortens(token.text, choice):
            return choice.name
    hint = closest(token.text, words) or f"{spec.shown} takes {', '.join(words)}"
    raise CommandError(198, f"{spec.name}({token.text}) not allowed", span=token.span, hint=hint)


def _shortens(typed: str, choice: Choice) -> bool:
    return len(typed) >= choice.minimum and choice.name.startswith(typed)


def _usage(spec: OptionSpec) -> str:
    """How the option is typed."""
    match spec.kind:
        case "integer" | "real":
            inside = "#"
        case "varname" | "numlist":
            inside = spec.kind
        case "trials":
            inside = "# or varname"
        case "techniques":
            inside = "nr), or several in turn such as technique(bhhh 10 nr 1000"
        case "start":
            inside = "zero, constantonly, fixedonly or iv"
        case "grid":
            inside = ".1 1 10 _cons[id]"
        case "initial":
            inside = "name = # name = # ..."
        case _:
            return f"type {spec.name}({spec.choices[0].name}), or another of " + ", ".join(
                choice.name for choice in spec.choices[1:]
            )
    return f"type {spec.name}({inside})"


def _incorrect(spec: OptionSpec, span: Span, hint: str) -> CommandError:
    return CommandError(198, f"option {spec.shown} incorrectly specified", span=span, hint=hint)
