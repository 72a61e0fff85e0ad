"""What ``%melogit?`` shows, made from the table of options."""

from __future__ import annotations

from memagic.magics.arguments import FLAGS
from memagic.spec.estat import SUBCOMMANDS
from memagic.spec.options import OptionSpec, Scope, options_of
from memagic.spec.prediction import MODIFIERS, STATISTICS, PredictOption

__all__ = [
    "DEFINITION_HELP",
    "ESTIMATES_HELP",
    "QUADCHK_HELP",
    "SURVEY_HELP",
    "USE_HELP",
    "command_help",
    "estat_help",
    "predict_help",
]

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

_EXAMPLES = {
    "meglm": "c_use i.urban age || district: i.urban, covariance(unstructured) family(bernoulli)",
    "meologit": "thk prethk cc##tv || school: || class:",
    "meoprobit": "thk prethk cc##tv || school: || class:",
    "menbreg": "visits i.treated, exposure(days) || clinic:, irr",
    "mepoisson": "visits i.treated, exposure(days) || clinic:, irr",
}
_EXAMPLE = "c_use i.urban age i.children || district: i.urban, covariance(unstructured)"

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
    "numlist": "numlist",
    "techniques": "name # name # ...",
    "start": "name",
    "grid": "numlist covspec",
    "initial": "name = # ... or matrix",
}

USE_HELP = """Put data in use.

%use bangladesh       an example data set
%use df               a DataFrame of the notebook, also dotted: results.frame
%use path/to/file.dta a Stata data set
%use                  what is in use

A DataFrame of the notebook goes before an example of the same name. It is never changed. A command sees
what the name stands for when the command runs.
"""


QUADCHK_HELP = """Check whether the integration points of the last estimates suffice.

%quadchk              fit again with four points fewer and four more
%quadchk 5 9 15       fit again with these numbers of points
%quadchk -o check     keep the result in the variable check

Relative differences below 1e-4 do no harm; those above 1e-2 cast doubt on the fit.
"""

ESTIMATES_HELP = """Keep estimates under names, and put them side by side.

%estimates store r_int                        keep the last estimates; title(text) says more
%estimates restore r_int                      make them the last estimates again
%estimates dir                                which there are
%estimates replay r_int                       show them again
%estimates drop r_int                         forget them; _all forgets all
%estimates table r_int r_urban, se stats(ll N aic bic)

table takes the options se, star or star(.05 .01 .001), stats() and eform; a point is the last estimates.
Results in variables of the notebook are found by their names, too. est is short for estimates,
sto for store, res for restore, r for replay, tab for table.
"""

SURVEY_HELP = """Estimate under the survey design that %svyset describes: linearized standard errors.

%svy: melogit y x || school:
%svy, subpop(female): melogit y x || school:     also subpop(if age > 30), dof(#)

Weights and vce() are a part of the design, not of the command.
"""

DEFINITION_HELP = {
    "svyset": """Describe a survey design, for commands with the prefix svy:

%svyset psu [pw=w], strata(s) fpc(f)      units of the first stage, and an overall weight
%svyset school, weight(w2) || _n, weight(w1)     weights by stage, for models with random effects
%svyset               what is set
%svyset, clear        set nothing

A stage's weight goes to the level whose group variable its units have; _n are the observations.
Other options: singleunit(missing | certainty | scaled | centered), dof(#).
""",
    "constraint": """Define, list and drop linear constraints, which option constraints(1 2) refers to.

%constraint 1 [c_use]age = 0
%constraint 2 1.children = 2*2.children
%constraint 3 /var(_cons[district]) = .5
%constraint dir       all of them
%constraint drop 1    one of them, or _all
""",
    "matrix": """Define, list and drop matrices, which covariance(fixed(A)) and from(A) refer to.

%matrix A = (1, . \\ 0, 1)     a point for a missing value
%matrix list A
%matrix dir          all of them
%matrix drop A       one of them, or _all

Arrays and DataFrames of the notebook are found by their names, too.
""",
}


def command_help(name: str) -> str:
    """The help text of an estimation command."""
    example = _EXAMPLES.get(name, _EXAMPLE)
    lines = [
        _TITLES[name],
        "",
        f"%{name} [flags] depvar [indepvars] [if] [in] [, options] [|| group: [varlist] [, options]]",
        f"%{name} [, options]     the last estimates again, without fitting",
        f"%%{name} [DataFrame] [flags]     the command in the lines below, as many as you like",
        "",
        "Flags",
        *_aligned([(flag, "", text) for flag, text in FLAGS]),
    ]
    for title, scope in _SCOPES:
        lines += ["", title, *_aligned([_row(spec) for spec in options_of(name, scope)])]
    lines += [
        "",
        "Short forms are in parentheses. Options marked * may follow the command's name alone, in a replay.",
        "",
        "Example",
        f"  %{name} {example}",
        "",
    ]
    return "\n".join(lines)


def predict_help() -> str:
    """The help text of `predict`."""
    words = {"conditional": "name", "outcome": "#k or value", "names": "names", "integer": "#", "real": "#"}

    def rows(options: tuple[PredictOption, ...]) -> list[tuple[str, str, str]]:
        found = []
        for one in options:
            word = words.get(one.kind)
            short = f"({one.name[: one.minimum]})" if one.minimum < len(one.name) else ""
            found.append((one.name if word is None else f"{one.name}({word})", short, one.help))
        return found

    lines = [
        "Add predictions to the data in use, as new variables",
        "",
        "%predict [float | double] newvar [if] [in] [, statistic options]",
        "%predict stub* [if] [in], reffects | scores     as many variables as it takes: stub1, stub2, ...",
        "",
        "Statistics",
        *_aligned(rows(STATISTICS)),
        "",
        "Options",
        *_aligned(rows(MODIFIERS)),
        "",
        "Random effects are at their posterior means, if no option says otherwise; those of groups that the",
        "estimates do not know are zero. From Python: fit.predict().",
        "",
    ]
    return "\n".join(lines)


def estat_help() -> str:
    """The help text of `estat`."""
    rows = []
    for name, one in SUBCOMMANDS.items():
        options = " ".join(f"{o.name}(#)" if o.number else o.name for o in one.options)
        rows.append((f"%estat {name}{f' [, {options}]' if options else ''}", "", one.help))
    return "\n".join(["More of the last estimates", "", *_aligned(rows), ""])


def _row(spec: OptionSpec) -> tuple[str, str, str]:
    """An option as typed, its short form, what it does."""
    word = _WORDS.get(spec.kind)
    typed = spec.name if word is None else f"{spec.name}({word})"
    short = f"({spec.name[: spec.minimum]})" if spec.minimum < len(spec.name) else ""
    text = spec.help + (" *" if spec.replay else "")
    if spec.choices:
        text += ": " + ", ".join(choice.name for choice in spec.choices)
    return typed, short, text


def _aligned(rows: list[tuple[str, str, str]]) -> list[str]:
    first, second = (max(len(row[k]) for row in rows) for k in (0, 1))
    gap = "  " if second else ""
    return [f"  {a:<{first}}  {b:<{second}}{gap}{c}" for a, b, c in rows]
