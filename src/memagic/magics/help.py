"""What ``%melogit?`` shows, made from the table of options."""

from __future__ import annotations

from memagic.magics.arguments import FLAGS
from memagic.spec.options import OptionSpec, Scope, options_of

__all__ = [
    "DEFINITION_HELP",
    "ESTIMATES_HELP",
    "PREFIX_HELP",
    "QUADCHK_HELP",
    "SCRIPT_HELP",
    "SURVEY_HELP",
    "TSSET_HELP",
    "USE_HELP",
    "command_help",
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
%use df               a DataFrame of the notebook (pandas, polars, Arrow), also dotted: results.frame
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

TSSET_HELP = """Tell what time is, for the time-series operators L. F. D. S.

%tsset year           one series
%tsset firm year      panels; %xtset does the same
%tsset year, delta(2) observations two units of time apart
%tsset                what is set
%tsset, clear         nothing any more

Then L.x is x one period before, L2.x two, L(0/2).x are x, L.x and L2.x; F. leads, D. differences, S12.
seasonal ones, iL.g a factor variable one period before. A period that is not there gives a missing value.
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

PREFIX_HELP = """Prefixes of a command:

%quietly melogit y x || school:         show nothing
%capture melogit y x || school:         show nothing, and go on after an error: its code is in _rc
%capture noisily melogit y x || school: the same, with what the command shows
%by region: melogit y x || school:      for each region, in sorted data; ", rc0" goes on after an error
%bysort region: melogit y x || school:  the same, sorting first
"""

SCRIPT_HELP = """Several commands, one a line, as in a do-file:

%%me
use bangladesh
quietly melogit c_use age || district:     // a comment
estimates store r_int
melogit c_use age ///
    || district: i.urban, covariance(unstructured)
estimates table r_int .

%%me df     uses the DataFrame first. A command goes on after ///, and in lines that begin with || or
a comma. The first error ends the cell.
"""

DEFINITION_HELP = {
    "set": """Set how commands are read.

%set varabbrev off    names of variables in full only
%set varabbrev on     their first letters are enough where no other variable starts with them
""",
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
