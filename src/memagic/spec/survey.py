"""The survey design in text: ``svyset psu, weight(w2) || _n, weight(w0)``, and the prefix ``svy:``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, cast

from memagic.errors import CommandError
from memagic.spec.cursor import Cursor
from memagic.spec.expression import read_expression, unexpected
from memagic.spec.parser import read_command
from memagic.spec.qualifiers import read_weight
from memagic.spec.tree import Command, Expression, Name, Weight

if TYPE_CHECKING:
    from memagic.spec.tree import Span

SingleUnit = Literal["missing", "certainty", "scaled", "centered"]

__all__ = ["OBSERVATIONS", "Stage", "SurveyDesign", "SurveyPrefix", "parse_survey", "parse_survey_command"]

OBSERVATIONS = "_n"
"""The sampling unit of a stage at which observations were drawn."""

# Options of a stage and their least letters.
_OF_STAGE = (("strata", 3), ("fpc", 3), ("weight", 6))
_SINGLE: tuple[tuple[SingleUnit, int], ...] = (
    ("missing", 3),
    ("certainty", 3),
    ("scaled", 3),
    ("centered", 3),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of sampling: the variable of its units, and those that describe it."""

    unit: str
    strata: str | None = None
    fpc: str | None = None
    weight: str | None = None
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class SurveyDesign:
    """What `svyset` sets.

    Attributes
    ----------
    stages : tuple of Stage
        The first one has the primary sampling units.
    weight : Weight or None
        An observation's weight in all.
    single : str
        What a stratum with one unit contributes to the variance.
    df : int or None
        Design degrees of freedom where they are not units less strata.
    """

    stages: tuple[Stage, ...]
    weight: Weight | None = None
    single: SingleUnit = "missing"
    df: int | None = None

    @property
    def variables(self) -> tuple[tuple[str, Span], ...]:
        """The variables of the stages with the place of their stage."""
        return tuple(
            (name, stage.span)
            for stage in self.stages
            for name in (stage.unit, stage.strata, stage.fpc, stage.weight)
            if name is not None and name != OBSERVATIONS
        )


@dataclass(frozen=True, slots=True)
class SurveyPrefix:
    """The prefix's own options: the subpopulation, and other degrees of freedom."""

    subpopulation: Expression | None = None
    df: int | None = None


def parse_survey(text: str) -> SurveyDesign | Literal["report", "clear"]:
    """Read ``svyset``, alone, with ``, clear``, or with a design.

    Raises
    ------
    CommandError
        r(198).
    """
    try:
        cursor = Cursor(text)
        cursor.take()
        if cursor.done:
            return "report"
        if cursor.at(",") and cursor.at("clear", ahead=1) and cursor.stop == cursor.position + 2:
            return "clear"
        return _design(cursor)
    except CommandError as error:
        error.located(text)
        raise


def _design(cursor: Cursor) -> SurveyDesign:
    design = SurveyDesign(())
    while True:
        part = cursor.part(cursor.position, cursor.find("||"))
        cursor.position = part.stop
        design = _stage(part, design)
        if cursor.done:
            return design
        cursor.take()


def _stage(part: Cursor, design: SurveyDesign) -> SurveyDesign:
    first = part.position
    if part.at("[") and not design.stages:
        # Without units the observations were drawn.
        unit = OBSERVATIONS
    elif part.at_kind("name"):
        unit = part.take().text
    else:
        raise part.invalid(hint="type the variable of the sampling units, or _n for the observations")
    if part.at("["):
        weight = read_weight(part)
        if weight.kind != "pweight" or design.stages:
            hint = "a stage has its weight in weight(varname)" if design.stages else "type [pw=varname]"
            raise CommandError(101, "weights not allowed", span=weight.span, hint=hint)
        design = replace(design, weight=weight)
    if not part.done and not part.at(","):
        raise part.invalid(hint="options follow a comma: svyset psu, weight(w)")
    if not part.done:
        part.take()
    stage = Stage(unit)
    while not part.done:
        design, stage = _option(part, design, stage)
    stage = replace(stage, span=part.span_from(first))
    return replace(design, stages=(*design.stages, stage))


def _option(part: Cursor, design: SurveyDesign, stage: Stage) -> tuple[SurveyDesign, Stage]:
    if not part.at_kind("name"):
        raise part.invalid()
    word = part.take()
    if not part.at("("):
        raise CommandError(198, f"option {word.text} not allowed", span=word.span, hint=_HINT)
    inside = part.inside()
    for name, least in _OF_STAGE:
        if len(word.text) >= least and name.startswith(word.text):
            if getattr(stage, name) is not None:
                raise CommandError(198, f"option {name}() specified twice", span=word.span)
            if not inside.at_kind("name") or inside.stop != inside.position + 1:
                raise inside.invalid(hint=f"type {name}(varname)")
            return design, _with(stage, name, inside.take().text)
    given = inside.words()
    if len(word.text) >= 6 and "singleunit".startswith(word.text):
        for choice, least in _SINGLE:
            if len(given) >= least and choice.startswith(given):
                return replace(design, single=choice), stage
        raise CommandError(
            198,
            f"singleunit({given}) not allowed",
            span=word.span,
            hint="it is missing, certainty, scaled or centered",
        )
    if word.text == "dof":
        return replace(design, df=_whole(inside)), stage
    if word.text == "vce" and len(given) >= 3 and "linearized".startswith(given):
        return design, stage
    shown = f"{word.text}({given})" if word.text == "vce" else f"option {word.text}()"
    raise CommandError(198, f"{shown} not allowed", span=word.span, hint=_HINT)


def _with(stage: Stage, name: str, variable: str) -> Stage:
    if name == "strata":
        return replace(stage, strata=variable)
    return replace(stage, fpc=variable) if name == "fpc" else replace(stage, weight=variable)


_HINT = "options are strata(), fpc() and weight() of a stage, singleunit(), dof() and vce(linearized)"


def _whole(inside: Cursor) -> int:
    first = inside.position
    value = inside.number()
    if value is None or not inside.done or value < 1 or value != int(value):
        raise CommandError(198, "dof() needs a positive integer", span=inside.span_from(first))
    return int(value)


def parse_survey_command(text: str) -> tuple[SurveyPrefix, Command]:
    """Read ``svy [linearized] [, subpop(...) dof(#)]: command``.

    Raises
    ------
    CommandError
        r(198), or what is wrong with the command.
    """
    try:
        cursor = Cursor(text)
        cursor.take()
        if cursor.at_kind("name") and "linearized".startswith(cursor.tokens[cursor.position].text):
            cursor.take()
        prefix = SurveyPrefix()
        if cursor.at(","):
            cursor.take()
            while not cursor.done and not cursor.at(":"):
                prefix = _prefix_option(cursor, prefix)
        if not cursor.at(":"):
            raise cursor.invalid(hint="a colon goes before the command: svy: meglm y x || school:")
        cursor.take()
        return prefix, read_command(cursor)
    except CommandError as error:
        error.located(text)
        raise


def _prefix_option(cursor: Cursor, prefix: SurveyPrefix) -> SurveyPrefix:
    if not cursor.at_kind("name") or not cursor.at("(", ahead=1):
        raise cursor.invalid(hint="options of svy are subpop() and dof()")
    word = cursor.take()
    inside = cursor.inside()
    if len(word.text) >= 3 and "subpop".startswith(word.text):
        return replace(prefix, subpopulation=_subpopulation(inside))
    if word.text == "dof":
        return replace(prefix, df=_whole(inside))
    hint = "options of svy are subpop() and dof()"
    raise CommandError(198, f"option {word.text}() not allowed", span=word.span, hint=hint)


def _subpopulation(inside: Cursor) -> Expression:
    """``subpop(varname)``, where it is not zero, or ``subpop(if exp)``."""
    if inside.at("if"):
        inside.take()
        expression = read_expression(inside)
        if not inside.done:
            raise unexpected(inside)
        return expression
    if not inside.at_kind("name") or inside.stop != inside.position + 1:
        raise inside.invalid(hint="type subpop(varname) or subpop(if exp)")
    token = inside.take()
    return cast("Expression", Name(token.text, token.span))
