"""What commands store, in words: for the pages of the commands. The tests compare the names with results."""

from __future__ import annotations

from typing import TypeAlias

Names: TypeAlias = dict[str, str]

__all__ = ["ESTIMATION", "R", "estimation_names"]

ESTIMATION: dict[str, Names] = {
    "Scalars": {
        "N": "number of observations",
        "k": "number of parameters",
        "k_dv": "number of dependent variables",
        "k_eq": "number of equations: the coefficients are one, each other parameter is one",
        "k_eq_model": "equations of the overall test",
        "k_cat": "number of categories of an ordinal response",
        "k_f": "number of coefficients of the fixed-effects equation",
        "k_r": "number of variances and covariances",
        "k_rs": "number of variances",
        "k_rc": "number of covariances",
        "df_m": "degrees of freedom of the overall test",
        "ll": "log likelihood",
        "chi2": "statistic of the overall Wald test; under svy there is F instead",
        "F": "statistic of the overall test (under svy)",
        "p": "its p-value",
        "ll_c": "log likelihood of the model without random effects",
        "chi2_c": "likelihood-ratio statistic against that model",
        "df_c": "its degrees of freedom",
        "p_c": "its p-value",
        "N_clust": "number of clusters",
        "rank": "rank of e(V), without what is at the boundary",
        "ic": "number of iterations",
        "rc": "return code: 0, or 430 where the fit has not converged",
        "converged": "1 if the fit has converged, else 0",
        "n_quad": "number of integration points a dimension",
        "N_strata": "number of strata (under svy)",
        "N_psu": "number of primary sampling units (under svy)",
        "N_pop": "estimated size of the population (under svy)",
        "N_sub": "observations in the subpopulation (under svy)",
        "N_subpop": "estimated size of the subpopulation (under svy)",
        "df_r": "design degrees of freedom (under svy)",
    },
    "Texts": {
        "cmd": "the command that does the work, as the manual has it",
        "cmd2": "the command as typed",
        "cmdline": "the whole command as typed",
        "depvar": "the dependent variable",
        "covariates": "the covariates",
        "ivars": "the group variables, highest level first",
        "model": "the model",
        "title": "the title of the output",
        "link": "the link",
        "family": "the family",
        "dispersion": "mean or constant (negative binomial)",
        "binomial": "number or variable of trials",
        "offset": "the offset",
        "intmethod": "the integration method",
        "wtype": "the kind of weight",
        "wexp": "its expression",
        "fweight2": "frequency weights of the second level, of the third under fweight3, and so on",
        "iweight2": "importance weights, in the same way",
        "pweight2": "sampling weights, in the same way",
        "prefix": "svy, under that prefix",
        "clustvar": "the cluster variable",
        "chi2type": "Wald (not under svy)",
        "vce": "how standard errors are estimated",
        "vcetype": "their name in the table",
        "opt": "kind of optimization",
        "which": "max: the criterion is maximized",
        "ml_method": "kind of derivatives",
        "technique": "the maximization technique",
        "singularHmethod": "what is done where the log likelihood is not concave",
        "properties": "b V",
        "datasignature": "a checksum of the data that the estimates depend on",
        "datasignaturevars": "the variables in it",
    },
    "Matrices": {
        "b": "the estimates, with zeros for base levels and omitted variables",
        "V": "their covariance",
        "V_modelbased": "the inverse information, where e(V) is a sandwich",
        "Cns": "the constraints",
        "gradient": "the gradient, in the parameters as they are reported",
        "ilog": "the log likelihood by iteration, the last 20",
        "cat": "the categories of an ordinal response",
        "N_g": "number of groups by level",
        "g_min": "smallest group by level",
        "g_avg": "mean size of groups by level",
        "g_max": "largest group by level",
    },
    "Functions": {
        "sample": "which observations are used, with the index of the data; in conditions found by it"
    },
}
"""`e()` after estimation: what is not there does not apply to the model."""

_TABLE = {"b": "the values", "V": "their covariance"}

R: dict[str, Names] = {
    "test": {
        "p": "p-value",
        "chi2": "statistic; F under svy or with df()",
        "F": "statistic, under svy or with df()",
        "df": "degrees of freedom",
        "df_r": "denominator degrees of freedom of F",
        "drop": "1 if a hypothesis follows from others, else 0",
        "dropped_1": "which one, then dropped_2, ...",
        "mtmethod": "how mtest() adjusts",
        "mtest": "single tests, one a row",
    },
    "lincom": {
        "estimate": "the combination",
        "se": "its standard error",
        "z": "test statistic",
        "t": "test statistic, under svy",
        "p": "p-value",
        "lb": "lower limit",
        "ub": "upper limit",
        "level": "confidence level",
        "df": "degrees of freedom, under svy",
    },
    "nlcom": {"N": "number of observations", **_TABLE, "df_r": "degrees of freedom, under svy"},
    "testnl": {
        "p": "p-value",
        "chi2": "statistic",
        "F": "statistic, under svy",
        "df": "degrees of freedom",
        "df_r": "denominator degrees of freedom of F",
    },
    "contrast": {
        **_TABLE,
        "chi2": "statistics of the joint tests, by term",
        "F": "the same under svy",
        "df": "their degrees of freedom",
        "p": "their p-values",
        "level": "confidence level",
        "mcmethod": "how mcompare() adjusts",
    },
    "lrtest": {
        "chi2": "likelihood-ratio statistic",
        "df": "degrees of freedom",
        "p": "p-value",
        "p_mixture": "p-value by the mixture",
        "p_bootstrap": "p-value by simulation",
        "N_reps": "replications of the bootstrap",
    },
    "margins": {
        "N": "number of observations",
        **_TABLE,
        "table": "values, standard errors, tests and limits",
        "Jacobian": "derivatives of the margins in the estimates",
        "at": "the settings of at()",
        "level": "confidence level",
        "title": "title of the output",
        "expression": "the prediction or expression",
        "derivatives": "the kind of derivative",
        "vce": "delta or unconditional",
        "N_sub": "observations in the subpopulation",
    },
    "estat icc": {
        "level": "confidence level",
        "icc2": "intraclass correlation of the lowest groups, icc3 of those above, ...",
        "se2": "its standard error",
        "ci2": "its limits",
        "label2": "its name",
    },
    "estat sd": {**_TABLE, "table": "values, standard errors and limits"},
    "estat group": {
        "N_g": "number of groups by level",
        "g_min": "smallest group",
        "g_avg": "mean size",
        "g_max": "largest group",
    },
    "estat ic": {"S": "N, log likelihoods, degrees of freedom, AIC and BIC"},
    "estat vce": {"V": "the covariance, or the correlation where that is asked for"},
    "estat summarize": {"N": "number of observations", "stats": "mean, sd, min and max by variable"},
}
"""`r()` by command."""

R["testparm"] = {name: R["test"][name] for name in ("p", "chi2", "F", "df", "df_r", "drop")}
R["pwcompare"] = {name: R["contrast"][name] for name in ("b", "V", "level", "mcmethod")}

OTHERWISE: dict[str, str] = {
    "use": "The data in use, in the session. The frame that is named is never changed.",
    "tsset": "The settings of time, which other data in use take away again.",
    "predict": "New variables in the data in use; `fit.predict()` gives them back instead.",
    "marginsplot": "Nothing; the value is the matplotlib Axes, or a tuple of them.",
    "quadchk": "Nothing in the session; the value has the log likelihoods and estimates by number of points.",
    "estimates": "Estimates under their names, in the session; `save` writes a file.",
    "svyset": "The survey design, in the session.",
    "svy": "All that the estimation command stores, with N_strata, N_psu, N_pop and df_r.",
    "constraint": "The constraint under its number, in the session.",
    "matrix": "The matrix under its name, in the session.",
    "prefixes": "What the command after the prefix stores; capture also the return code, in `_rc`.",
    "me": "What the commands store; the last estimates are those of the last estimation command.",
    "set": "The setting, for the session.",
    "help": "Nothing.",
}
"""What is stored by commands that have neither `e()` nor `r()`."""


def estimation_names() -> set[str]:
    """All names of `e()`."""
    return {name for names in ESTIMATION.values() for name in names}
