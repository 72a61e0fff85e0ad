"""What may be typed at a place of the commands that fit no model: one table, an entry a command.

A command is added by its entry in `SHAPES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memagic.spec.context_equations import in_expression, in_weight
from memagic.spec.expected import Expected, Place, Source, place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memagic.spec.scanner import Token

__all__ = ["SHAPES", "Shape", "Takes", "in_command", "shape_of"]


@dataclass(frozen=True, slots=True)
class Takes:
    """Words of the language, and names that the session knows."""

    words: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """What follows the name of a command.

    Attributes
    ----------
    names : Takes
        What may stand there, as often as you like.
    once : bool
        Whether it may stand only once.
    subcommands : mapping of str to Shape
        Words that may come first, each with what follows it. Their first letters are enough; where
        several begin with them, the one that comes first is meant.
    options : mapping of str to Takes or None
        What they take between parentheses; None for those that stand alone.
    condition : bool
        Whether `if` may follow the names.
    """

    names: Takes = Takes()
    once: bool = False
    subcommands: Mapping[str, Shape] = field(default_factory=dict)
    options: Mapping[str, Takes | None] = field(default_factory=dict)
    condition: bool = False


_NOTHING = Takes()
_VARIABLE = Takes(sources=("variable",))
_RESULTS = Takes(sources=("result",))
_TIME = Shape(_VARIABLE, options={"delta": _NOTHING, "clear": None})

_ADJUSTED = Takes(("bonferroni", "holm", "sidak", "noadjust"))
_CONTRAST = Shape(
    _VARIABLE,
    options={
        "mcompare": Takes(("bonferroni", "sidak", "scheffe", "noadjust")),
        **dict.fromkeys(("effects", "cieffects", "pveffects")),
        "level": _NOTHING,
    },
)

SHAPES: dict[str, Shape] = {
    "use": Shape(Takes(sources=("data",)), once=True, options={"clear": None}),
    "estimates": Shape(
        subcommands={
            "store": Shape(options={"title": _NOTHING}),
            "replay": Shape(_RESULTS, once=True),
            "restore": Shape(_RESULTS, once=True),
            "dir": Shape(),
            "drop": Shape(Takes(("_all",), ("result",))),
            "clear": Shape(),
            "table": Shape(
                Takes(("_all",), ("result",)),
                options={
                    "se": None,
                    "star": None,
                    "stats": Takes(("N", "ll", "df_m", "aic", "bic", "chi2", "p")),
                    "eform": None,
                    **dict.fromkeys(("t", "p")),
                    **dict.fromkeys(("b", "keep", "drop"), _NOTHING),
                },
            ),
            "stats": Shape(Takes(("_all",), ("result",)), options={"n": _NOTHING}),
            "save": Shape(options={"replace": None, "remove_data": None}),
            "use": Shape(),
        }
    ),
    "svyset": Shape(
        Takes(("_n",), ("variable",)),
        once=True,
        options={
            "strata": _VARIABLE,
            "fpc": _VARIABLE,
            "weight": _VARIABLE,
            "singleunit": Takes(("missing", "certainty", "scaled", "centered")),
            "vce": Takes(("linearized",)),
            "dof": _NOTHING,
            "clear": None,
        },
    ),
    "tsset": _TIME,
    "xtset": _TIME,
    "quadchk": Shape(),
    "test": Shape(
        options={"accumulate": None, "mtest": _ADJUSTED, "nosvyadjust": None, "coef": None, "df": _NOTHING}
    ),
    "testparm": Shape(_VARIABLE, options={"equal": None, "nosvyadjust": None, "df": _NOTHING}),
    "lincom": Shape(options={"or": None, "irr": None, "eform": None, "level": _NOTHING}),
    "nlcom": Shape(options={"level": _NOTHING}),
    "testnl": Shape(),
    "contrast": _CONTRAST,
    "pwcompare": _CONTRAST,
    "lrtest": Shape(
        _RESULTS,
        options={
            **dict.fromkeys(("stats", "dir", "force", "mixture")),
            **dict.fromkeys(("df", "bootstrap", "seed", "workers"), _NOTHING),
        },
    ),
    "margins": Shape(
        _VARIABLE,
        options={
            **dict.fromkeys(("at", "over", "within", "subpop", "dydx", "eyex", "dyex", "eydx"), _VARIABLE),
            "expression": _VARIABLE,
            "vce": Takes(("delta", "unconditional")),
            "contrast": Takes(("effects", "cieffects", "pveffects", "nowald", "atcontrast(")),
            "pwcompare": Takes(("effects", "cieffects", "pveffects")),
            "mcompare": Takes(("noadjust", "bonferroni", "sidak", "scheffe")),
            "post": None,
            "predict": Takes(("mu", "pr", "xb", "eta", "outcome(", "conditional(fixedonly)", "nooffset")),
            **dict.fromkeys(("atmeans", "asbalanced", "noatlegend")),
            "level": _NOTHING,
        },
        condition=True,
    ),
    "marginsplot": Shape(
        options={
            **dict.fromkeys(("xdimension", "plotdimension", "bydimension"), _VARIABLE),
            "recast": Takes(("connected", "line", "scatter", "bar")),
            "recastci": Takes(("rcap", "rspike", "rarea", "rline")),
            **dict.fromkeys(("level", "title", "name"), _NOTHING),
            **dict.fromkeys(("allxlabels", "nolabels", "noci", "horizontal")),
        }
    ),
    "constraint": Shape(
        subcommands={"dir": Shape(), "drop": Shape(Takes(("_all",), ("constraint",)))},
    ),
    "matrix": Shape(
        subcommands={
            "list": Shape(Takes(sources=("matrix",)), once=True),
            "dir": Shape(),
            "drop": Shape(Takes(("_all",), ("matrix",))),
        }
    ),
    "set": Shape(subcommands={"varabbrev": Shape(Takes(("on", "off")), once=True)}),
    "help": Shape(Takes(sources=("topic",)), once=True),
}

_SHORT = {"estimates": 3, "matrix": 3}


def shape_of(name: str) -> Shape | None:
    """The entry of a command, by its name or a short form of it."""
    for full, shape in SHAPES.items():
        if full.startswith(name) and len(name) >= _SHORT.get(full, len(full)):
            return shape
    return None


def in_command(shape: Shape, tokens: Sequence[Token]) -> Expected | None:
    """What may be typed after these tokens, which follow the command's name."""
    here = place(tokens)
    start = here.start
    first = tokens[0] if tokens else None
    if shape.subcommands and first is not None and first.kind == "name":
        found = next((sub for word, sub in shape.subcommands.items() if word.startswith(first.text)), None)
        return None if found is None else in_command(found, tokens[1:])
    if here.comma is not None:
        return _in_options(shape, tokens, here)
    if here.opened and tokens[here.opened[0]].text == "[":
        return in_weight(tokens[here.opened[0] + 1 :])
    part = tokens[start:]
    condition = next((k for k, token in enumerate(part) if token.text == "if"), None)
    if shape.condition and condition is not None:
        return in_expression(part[condition + 1 :])
    if here.opened or (part and (shape.once or part[-1].text == ",")):
        return None
    if not part and shape.subcommands:
        return Expected(words=tuple(shape.subcommands), kind="value", sources=shape.names.sources)
    words = (*shape.names.words, *(("if",) if shape.condition and part else ()))
    if not words and not shape.names.sources:
        return None
    return Expected(words=words, sources=shape.names.sources)


def _in_options(shape: Shape, tokens: Sequence[Token], here: Place) -> Expected | None:
    """The names of options that are not given yet, or what stands between their parentheses."""
    assert here.comma is not None
    if here.opened:
        word = tokens[here.opened[0] - 1].text
        takes = next((t for name, t in shape.options.items() if name.startswith(word)), None)
        return None if takes is None else Expected(words=takes.words, sources=takes.sources)
    given = [token.text for token in tokens[here.comma + 1 :] if token.kind == "name"]
    words = tuple(
        name if takes is None else f"{name}("
        for name, takes in shape.options.items()
        if not any(name.startswith(word) for word in given)
    )
    return Expected(words=words, kind="option")
