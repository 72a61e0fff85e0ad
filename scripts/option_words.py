"""What the options of the commands after estimation take and do, in words, for the pages of the commands.

The parser's own tables say which options there are and how they may be shortened; the tests compare.
"""

from __future__ import annotations

__all__ = ["WORDS"]

_LEVEL = ("#", "confidence level")
_DF = ("#", "refer an F to # degrees of freedom")
_SURVEY = ("", "under svy, leave F unadjusted")
_COMPARISONS = {
    "mcompare": ("bonferroni | sidak | scheffe | noadjust", "adjustment for the number of comparisons"),
    "effects": ("", "show comparisons with tests and limits"),
    "cieffects": ("", "show comparisons with limits"),
    "pveffects": ("", "show comparisons with tests"),
    "level": _LEVEL,
}

WORDS: dict[str, dict[str, tuple[str, str]]] = {
    "test": {
        "accumulate": ("", "add to the hypotheses of the last test"),
        "mtest": ("bonferroni | holm | sidak", "also test each hypothesis by itself"),
        "nosvyadjust": _SURVEY,
        "coef": ("", "show the estimates under the hypotheses"),
        "df": _DF,
    },
    "testparm": {
        "equal": ("", "the coefficients equal each other, rather than zero"),
        "nosvyadjust": _SURVEY,
        "df": _DF,
    },
    "lincom": {
        "or": ("", "exponentiate, as an odds ratio"),
        "irr": ("", "exponentiate, as an incidence-rate ratio"),
        "eform": ("", "exponentiate"),
        "level": _LEVEL,
    },
    "nlcom": {"level": _LEVEL},
    "contrast": _COMPARISONS,
    "pwcompare": _COMPARISONS,
    "lrtest": {
        "stats": ("", "also log likelihoods, AIC and BIC"),
        "dir": ("", "also what the models are"),
        "df": ("#", "other degrees of freedom than the difference of the ranks"),
        "force": ("", "leave out the checks that the models compare"),
        "mixture": ("", "also the mixture of chi2 distributions for variances at zero"),
        "bootstrap": ("#", "also # replications simulated under the smaller model"),
        "seed": ("#", "of the simulation"),
        "workers": ("#", "threads of the simulation"),
    },
    "margins": {
        "at": ("x=# ...", "covariates at these values; statistics and generate() too"),
        "atmeans": ("", "covariates at their means"),
        "over": ("varlist", "margins by groups of the data"),
        "dydx": ("varlist", "derivatives, or differences from the base of factors; * for all"),
        "eyex": ("varlist", "elasticities"),
        "dyex": ("varlist", "dy by relative changes of x"),
        "eydx": ("varlist", "relative changes of y by dx"),
        "predict": ("statistic", "of which prediction: mu, xb, pr outcome(); conditional(fixedonly)"),
        "level": _LEVEL,
        "noatlegend": ("", "leave out the legend of at()"),
        "asbalanced": ("", "levels of factors weigh equally"),
        "expression": ("exp", "of predict(), xb(), _b[] and variables"),
        "post": ("", "make the margins the last estimates"),
        "within": ("varlist", "factors that are nested in these"),
        "subpop": ("varname or if exp", "average over a part of the data"),
        "vce": ("delta | unconditional", "the latter takes the covariates as sampled"),
        "contrast": ("suboptions", "show contrasts: effects, cieffects, pveffects, nowald, atcontrast()"),
        "pwcompare": ("suboptions", "show all pairs: effects, cieffects, pveffects"),
        "mcompare": ("method", "adjustment for the number of comparisons, as of pwcompare"),
    },
    "marginsplot": {
        "xdimension": ("varname", "the variable of the axis"),
        "plotdimension": ("varlist", "variables that tell lines apart"),
        "bydimension": ("varlist", "variables with a panel for each value"),
        "recast": ("connected | line | scatter | bar", "how margins are drawn"),
        "recastci": ("rcap | rspike | rarea | rline", "how limits are drawn"),
        "level": _LEVEL,
        "title": ("text", "title of the figure"),
        "name": ("word, replace", "keep the figure under this name"),
        "allxlabels": ("", "a label at every value of the axis"),
        "nolabels": ("", "values rather than value labels"),
        "noci": ("", "no limits"),
        "horizontal": ("", "margins on the horizontal axis"),
    },
}
"""By command and option: what stands in its parentheses, and what it does."""
