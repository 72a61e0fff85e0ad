"""What there is help on: one table, an entry a topic.

A command gets its help by an entry in `TOPICS`, and its examples by one in `examples.EXAMPLES`.
"""

from __future__ import annotations

from memagic.display.help_page import HelpTable
from memagic.magics.topic import Topic
from memagic.magics.topics_of_estimation import ESTIMATION_TOPICS
from memagic.magics.topics_of_tests import TEST_TOPICS
from memagic.spec.estat import SUBCOMMANDS, Subcommand
from memagic.spec.prediction import MODIFIERS, STATISTICS, PredictOption

__all__ = ["TOPICS"]


def _prediction(one: PredictOption) -> tuple[str, str, str]:
    """An option of predict as typed, its short form, what it does."""
    words = {"conditional": "name", "outcome": "#k or value", "names": "names", "integer": "#", "real": "#"}
    word = words.get(one.kind)
    short = f"({one.name[: one.minimum]})" if one.minimum < len(one.name) else ""
    return one.name if word is None else f"{one.name}({word})", short, one.help


def _estat_options(subcommand: Subcommand) -> list[str]:
    options = " ".join(f"{o.name}(#)" if o.number else o.name for o in subcommand.options)
    return [f"[, {options}]"] if options else []


TOPICS: dict[str, Topic] = {
    "use": Topic(
        "Data",
        "Put data in use",
        (
            ("%use name", "an example data set, or a DataFrame of the notebook"),
            ("%use path/to/file.dta", "a Stata data set"),
            ("%use -o df name", "the same, and let the variable df of the notebook be these data"),
            ("%use -o df", "let it be the data in use, with all that %predict has added"),
            ("%use", "what is in use"),
        ),
        notes=(
            "DataFrames may be of pandas, polars or Arrow, and their names dotted. A DataFrame of the "
            "notebook goes before an example of the same name. Nothing but %predict changes it, which adds "
            "variables. A command sees what the name stands for when the command runs. Option clear does "
            "nothing: data in use need no permission to go.",
        ),
    ),
    "tsset": Topic(
        "Data",
        "Tell what time is, for the time-series operators L. F. D. S.",
        (
            ("%tsset timevar", "one series"),
            ("%tsset panelvar timevar", "panels; %xtset does the same"),
            ("%tsset timevar, delta(#)", "observations # units of time apart"),
            ("%tsset", "what is set"),
            ("%tsset, clear", "nothing any more"),
        ),
        notes=(
            "Then L.x is x one period before, L2.x two, L(0/2).x are x, L.x and L2.x; F. leads, D. "
            "differences, S12. seasonal ones, iL.g a factor variable one period before. A period that is "
            "not there gives a missing value.",
        ),
        names=("tsset", "xtset"),
    ),
    **ESTIMATION_TOPICS,
    "quadchk": Topic(
        "After a fit",
        "Check whether the integration points of the last estimates suffice",
        (
            ("%quadchk", "fit again with four points fewer and four more"),
            ("%quadchk # # ...", "fit again with these numbers of points"),
            ("%quadchk -o name", "keep the result in the variable name"),
        ),
        notes=("Relative differences below 1e-4 do no harm; those above 1e-2 cast doubt on the fit.",),
    ),
    **TEST_TOPICS,
    "estimates": Topic(
        "After a fit",
        "Keep estimates under names, and put them side by side",
        (
            ("%estimates store name", "keep the last estimates; option title(text) says more"),
            ("%estimates restore name", "make them the last estimates again"),
            ("%estimates dir", "which there are"),
            ("%estimates replay name", "show them again"),
            ("%estimates drop names", "forget them; _all forgets all"),
            ("%estimates table names [, options]", "several side by side; a point is the last estimates"),
            ("%estimates stats names [, n(#)]", "their log likelihoods, AIC and BIC; n() is for BIC"),
            ('%estimates save "file" [, options]', "write the last estimates to a file"),
            ('%estimates use "file"', "make those of a file the last estimates"),
        ),
        (
            HelpTable(
                "Options of estimates table",
                (
                    ("b(format)", "", "another format of estimates, as %9.4f or %9.0g"),
                    ("se", "", "standard errors below the coefficients; se(format) in another format"),
                    ("t", "", "test statistics below; t(format)"),
                    ("p", "", "p-values below; p(format)"),
                    ("star(numlist)", "", "stars at these levels; .05 .01 .001 without parentheses"),
                    ("stats(names)", "(s)", "scalars of e() below, as ll N aic bic"),
                    ("eform", "(ef)", "exponentiated coefficients"),
                    ("keep(names)", "", "these parameters only"),
                    ("drop(names)", "", "all but these parameters"),
                ),
            ),
            HelpTable(
                "Options of estimates save",
                (
                    ("replace", "", "save over a file"),
                    ("remove_data", "", "leave out the estimation sample: no predictions or margins then"),
                ),
            ),
        ),
        (
            "A file has no code in it, and a damaged one is refused; .mefit is added to a name without "
            "an extension. From Python: fit.save(), memagic.load().",
            "Results in variables of the notebook are found by their names, too. est is short for "
            "estimates, sto for store, res for restore, r for replay, tab for table.",
        ),
        others=("est",),
    ),
    "predict": Topic(
        "After a fit",
        "Add predictions to the data in use, as new variables",
        (
            ("%predict [float | double] newvar [if] [in] [, statistic options]", "one new variable"),
            ("%predict stub* [if] [in], reffects | scores", "as many as it takes: stub1, stub2, ..."),
        ),
        (
            HelpTable("Statistics", tuple(map(_prediction, STATISTICS))),
            HelpTable("Options", tuple(map(_prediction, MODIFIERS))),
        ),
        (
            "Random effects are at their posterior means, if no option says otherwise; those of groups that "
            "the estimates do not know are zero. From Python: fit.predict().",
            "A DataFrame of pandas in use, or the one that -d names, is given the new variables itself; a "
            "note says so where the last estimates are of other data. Of an example, a .dta file and a table "
            "of polars or Arrow there is a copy in use, which %use -o df makes the DataFrame df. e(sample) "
            "finds the rows by the index of the data, after a sort, too.",
        ),
    ),
    "estat": Topic(
        "After a fit",
        "More of the last estimates",
        tuple(
            (f"%estat {' '.join([name, *_estat_options(one)])}", one.help)
            for name, one in SUBCOMMANDS.items()
        ),
    ),
    "svyset": Topic(
        "Surveys",
        "Describe a survey design, for commands with the prefix svy:",
        (
            ("%svyset psu [pw=varname] [, options]", "units of the first stage, and an overall weight"),
            ("%svyset psu, weight(varname) || _n, weight(varname)", "weights by stage"),
            ("%svyset", "what is set"),
            ("%svyset, clear", "set nothing"),
        ),
        (
            HelpTable(
                "Options",
                (
                    ("strata(varname)", "(str)", "strata of a stage"),
                    ("fpc(varname)", "", "finite population correction of a stage"),
                    ("weight(varname)", "", "weights of a stage"),
                    (
                        "singleunit(name)",
                        "(single)",
                        "strata with one unit: missing, certainty, scaled, centered",
                    ),
                    ("dof(#)", "", "design degrees of freedom"),
                ),
            ),
        ),
        ("A stage's weight goes to the level whose group variable its units have; _n are the observations.",),
    ),
    "svy": Topic(
        "Surveys",
        "Estimate under the design that svyset describes: linearized standard errors",
        (
            ("%svy: command", "an estimation command"),
            ("%svy, subpop(varname): command", "where varname is not 0; also subpop(if exp)"),
            ("%svy, dof(#): command", "other design degrees of freedom"),
        ),
        notes=("Weights and vce() are a part of the design, not of the command.",),
        names=("svy:",),
    ),
    "constraint": Topic(
        "Definitions",
        "Linear constraints, which option constraints() refers to by number",
        (
            ("%constraint # exp = exp", "define one, as [c_use]age = 0 or 1.children = 2*2.children"),
            ("%constraint dir", "all of them"),
            ("%constraint drop #", "forget one of them, or _all"),
        ),
        notes=("Variances are named as in coefficient legends: /var(_cons[district]) = .5",),
    ),
    "matrix": Topic(
        "Definitions",
        "Matrices, which covariance(fixed(A)) and from(A) refer to by name",
        (
            ("%matrix name = (#, # \\ #, #)", "define one; a point for a missing value"),
            ("%matrix list name", "show it"),
            ("%matrix dir", "all of them"),
            ("%matrix drop name", "forget one of them, or _all"),
        ),
        notes=("Arrays and DataFrames of the notebook are found by their names, too.",),
    ),
    "prefixes": Topic(
        "Prefixes and scripts",
        "Show less, go on after errors, repeat a command by groups",
        (
            ("%quietly command", "show nothing; flags may stand before or after the command's name"),
            ("%capture command", "show nothing, and go on after an error: its code is in _rc"),
            ("%capture noisily command", "the same, with what the command shows"),
            ("%by varlist: command", "for each group, in sorted data"),
            ("%by varlist, rc0: command", "the same, going on after an error"),
            ("%bysort varlist: command", "for each group, sorting first"),
        ),
        names=("quietly", "noisily", "capture", "by", "bysort"),
        others=("qui", "cap", "bys"),
    ),
    "me": Topic(
        "Prefixes and scripts",
        "Several commands, one a line, as in a do-file",
        (("%%me [DataFrame]", "the commands are in the lines below; they use the DataFrame"),),
        notes=(
            "A command goes on after ///, and in lines that begin with || or a comma. The first error ends "
            "the cell.",
        ),
        names=("%%me",),
    ),
    "set": Topic(
        "Settings and help",
        "Set how commands are read and errors are shown",
        (
            ("%set varabbrev off", "names of variables in full only"),
            ("%set varabbrev on", "their first letters are enough where no other variable has them"),
            ("%config MeMagic", "all settings with their values"),
            ("%config MeMagic.threads = 2", "blocks of the data that a fit works on at once"),
            ("%config MeMagic.tracebacks = True", "errors show where in the package they were raised"),
        ),
    ),
    "help": Topic(
        "Settings and help",
        "Show help",
        (
            ("%help", "every command in one line"),
            ("%help command", "one command, its options and examples; %command? shows the same"),
        ),
    ),
}
"""Topics by name, in the order in which the list of all commands has them."""
