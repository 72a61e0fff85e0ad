"""The help on the estimation commands, from the table of options."""

from __future__ import annotations

from memagic.display.help_page import HelpTable
from memagic.magics.arguments import FLAGS
from memagic.magics.topic import Topic
from memagic.spec.option import OptionSpec, Scope
from memagic.spec.options import COMMANDS, options_of

__all__ = ["ESTIMATION_TOPICS"]

_TITLES = {
    "meglm": "Multilevel mixed-effects generalized linear model",
    "melogit": "Multilevel mixed-effects logistic regression",
    "meprobit": "Multilevel mixed-effects probit regression",
    "mecloglog": "Multilevel mixed-effects complementary log-log regression",
    "meologit": "Multilevel mixed-effects ordered logistic regression",
    "meoprobit": "Multilevel mixed-effects ordered probit regression",
    "mepoisson": "Multilevel mixed-effects Poisson regression",
    "menbreg": "Multilevel mixed-effects negative binomial regression",
}

_SCOPES: tuple[tuple[str, Scope], ...] = (
    ("Options of the fixed-effects equation", "fixed"),
    ("Options of a random-effects equation", "random"),
    ("Options of the command", "global"),
)

_WORDS = {
    "integer": "#",
    "real": "#",
    "varname": "varname",
    "trials": "varname or #",
    "choice": "name",
    "family": "name",
    "vartype": "vartype",
    "vcetype": "vcetype",
    "numlist": "numlist",
    "techniques": "name # name # ...",
    "start": "name",
    "grid": "numlist covspec",
    "initial": "name = # ... or matrix",
}


def _estimation(name: str) -> Topic:
    tables = [HelpTable("Flags", tuple((flag, "", text) for flag, text in FLAGS))]
    tables += [HelpTable(title, tuple(map(_row, options_of(name, scope)))) for title, scope in _SCOPES]
    return Topic(
        "Estimation",
        _TITLES[name],
        (
            (
                f"%{name} [flags] depvar [indepvars] [if] [in] [weight] [, options] "
                "[|| group: [varlist] [, options]] ...",
                "fit a model",
            ),
            (f"%{name} [, options]", "the last estimates again, without fitting"),
            (f"%%{name} [DataFrame] [flags]", "the command in the lines below, as many as you like"),
        ),
        tuple(tables),
        (
            "Short forms are in parentheses. Options marked * may follow the command's name alone, in a "
            "replay.",
        ),
    )


def _row(spec: OptionSpec) -> tuple[str, str, str]:
    """An option as typed, its short form, what it does."""
    word = _WORDS.get(spec.kind)
    typed = spec.name if word is None else f"{spec.name}({word})"
    short = f"({spec.name[: spec.minimum]})" if spec.minimum < len(spec.name) else ""
    text = spec.help + (" *" if spec.replay else "")
    if spec.choices:
        text += ": " + ", ".join(choice.name for choice in spec.choices)
    return typed, short, text


ESTIMATION_TOPICS = {name: _estimation(name) for name in COMMANDS}
"""Topics by the names of the commands."""
