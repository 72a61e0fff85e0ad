"""The one table of options: which there are, how they may be shortened, what they take."""

from __future__ import annotations

from memagic.spec.option import OptionSpec, Scope, choices_of, flag

__all__ = ["COMMANDS", "DISPERSIONS", "EXCLUSIVE", "OPTIONS", "options_of"]

COMMANDS = (
    "meglm",
    "melogit",
    "meprobit",
    "mecloglog",
    "meologit",
    "meoprobit",
    "mepoisson",
    "menbreg",
)
_COUNTS = frozenset({"meglm", "mepoisson", "menbreg"})
_BINOMIAL: frozenset[str] = frozenset({"melogit", "meprobit", "mecloglog"})
_MEGLM = frozenset({"meglm"})

_UNLIMITED = float("inf")
_POSITIVE = (0.0, _UNLIMITED)
_NOT_MEGLM = frozenset(COMMANDS) - _MEGLM

# Of the negative binomial family, in family() and in dispersion().
DISPERSIONS = choices_of("mean", "CONStant")

OPTIONS: tuple[OptionSpec, ...] = (
    # The fixed-effects equation.
    flag("NOCONStant", "fixed", "suppress the constant term"),
    flag("ASIS", "fixed", "retain perfect predictor variables", commands=_BINOMIAL | {"meglm"}),
    OptionSpec(
        "exposure",
        3,
        "fixed",
        "varname",
        "include ln(varname) with its coefficient constrained to 1",
        _COUNTS,
    ),
    OptionSpec("offset", 3, "fixed", "varname", "include varname with its coefficient constrained to 1"),
    # A random-effects equation.
    OptionSpec(
        "covariance",
        3,
        "random",
        "vartype",
        "variance-covariance structure of the random effects",
        choices=choices_of("INDependent", "EXChangeable", "IDentity", "UNstructured", "FIXed", "PATtern"),
    ),
    flag("NOCONStant", "random", "suppress the random intercept"),
    OptionSpec("fweight", 2, "random", "varname", "frequency weights at higher levels"),
    OptionSpec("iweight", 2, "random", "varname", "importance weights at higher levels"),
    OptionSpec("pweight", 2, "random", "varname", "sampling weights at higher levels"),
    # The model.
    OptionSpec(
        "family",
        1,
        "global",
        "family",
        "distribution of the response",
        _MEGLM,
        choices_of("GAUssian", "BErnoulli", "BInomial", "GAMma", "NBinomial", "Ordinal", "Poisson"),
    ),
    OptionSpec(
        "link",
        1,
        "global",
        "choice",
        "link function",
        _MEGLM,
        choices_of("IDENtity", "LOG", "LOGIT", "PROBit", "CLOGlog"),
    ),
    OptionSpec("binomial", 3, "global", "trials", "number of binomial trials", _BINOMIAL),
    OptionSpec(
        "dispersion",
        1,
        "global",
        "choice",
        "what the overdispersion is proportional to",
        frozenset({"menbreg"}),
        DISPERSIONS,
    ),
    OptionSpec("constraints", 5, "global", "numlist", "apply linear constraints", limits=(1, 1999)),
    OptionSpec(
        "pwscale",
        3,
        "global",
        "choice",
        "scale of the observations' sampling weights in a two-level model",
        choices=choices_of("SIZE", "EFFECTIVE", "GK"),
    ),
    # The standard errors.
    OptionSpec(
        "vce",
        3,
        "global",
        "vcetype",
        "how standard errors are estimated",
        choices=choices_of("OIM", "OPG", "Robust", "CLuster"),
    ),
    # What is shown.
    OptionSpec("level", 2, "global", "real", "confidence level", _MEGLM, limits=(10, 99.99), replay=True),
    OptionSpec("level", 1, "global", "real", "confidence level", _NOT_MEGLM, limits=(10, 99.99), replay=True),
    flag("EFORM", "global", "report exponentiated coefficients", replay=True),
    flag(
        "IRR",
        "global",
        "report incidence-rate ratios",
        commands=_COUNTS,
        replay=True,
    ),
    flag(
        "OR",
        "global",
        "report odds ratios",
        commands=frozenset({"meglm", "melogit", "meologit"}),
        replay=True,
    ),
    flag("NOCNSReport", "global", "do not display constraints", replay=True),
    flag("NOHEADer", "global", "suppress the header", replay=True),
    flag("NOTABle", "global", "suppress the coefficient table", replay=True),
    flag("NOGRoup", "global", "suppress the table of groups", replay=True),
    flag("NOFVLABel", "global", "show the values of factor variables, not their labels", replay=True),
    flag("ALLBASElevels", "global", "show all base levels, those of interactions too", replay=True),
    flag("NOEMPTYcells", "global", "do not show interactions without observations", replay=True),
    flag("NOOMITted", "global", "do not show omitted variables", replay=True),
    flag("VSQUISH", "global", "leave out the blank lines around factor variables", replay=True),
    OptionSpec(
        "fvwrap",
        6,
        "global",
        "integer",
        "lines that a long value label may take",
        limits=(0, 99),
        replay=True,
    ),
    OptionSpec(
        "fvwrapon",
        8,
        "global",
        "choice",
        "where a long value label is broken",
        choices=choices_of("WORD", "WIDTH"),
        replay=True,
    ),
    flag("COEFLegend", "global", "show the names of the parameters instead of statistics", replay=True),
    flag("BASElevels", "global", "show the base levels of factor variables", replay=True),
    flag("NOCI", "global", "suppress confidence intervals", replay=True),
    flag("NOPValues", "global", "suppress p-values and their test statistics", replay=True),
    flag("WIDGET", "global", "show the table with controls to explore it, in a notebook", replay=True),
    # Integration.
    OptionSpec(
        "intmethod",
        4,
        "global",
        "choice",
        "integration method",
        choices=choices_of("MVaghermite", "MCaghermite", "PCAghermite", "Ghermite", "Laplace", "PCLaplace"),
    ),
    OptionSpec("intpoints", 4, "global", "integer", "number of integration points", limits=(1, 195)),
    # Maximization.
    flag("DIFficult", "global", "use another step where the likelihood is not concave"),
    OptionSpec(
        "technique",
        4,
        "global",
        "techniques",
        "maximization techniques",
        choices=choices_of("NR", "BHHH", "DFP", "BFGS"),
    ),
    OptionSpec("iterate", 4, "global", "integer", "most iterations", limits=(0, 16000)),
    flag("LOG", "global", "show the iteration log"),
    flag("NOLOG", "global", "suppress the iteration log"),
    OptionSpec("tolerance", 3, "global", "real", "tolerance for the coefficients", limits=_POSITIVE),
    OptionSpec("ltolerance", 4, "global", "real", "tolerance for the log likelihood", limits=_POSITIVE),
    OptionSpec("nrtolerance", 5, "global", "real", "tolerance for the scaled gradient", limits=_POSITIVE),
    flag("NONRTOLerance", "global", "ignore the scaled gradient"),
    flag("TRace", "global", "show the parameters at each iteration"),
    flag("GRADient", "global", "show the gradient at each iteration"),
    flag("SHOWSTEP", "global", "show the steps within each iteration"),
    flag("HESSian", "global", "show the negative Hessian at each iteration"),
    flag("SHOWTOLerance", "global", "show what the tolerances are compared with"),
    flag("DNUMERICAL", "global", "use numerical derivatives"),
    flag("COLlinear", "global", "keep collinear variables"),
    # Starting values.
    OptionSpec("from", 4, "global", "initial", "initial values"),
    OptionSpec(
        "startvalues",
        6,
        "global",
        "start",
        "method for obtaining starting values",
        choices=choices_of("ZERO", "CONSTANTONLY", "FIXEDONLY", "IV"),
    ),
    OptionSpec(
        "startgrid",
        6,
        "global",
        "grid",
        "search a grid for better starting values",
        bare=True,
        repeated=True,
    ),
    flag("NOESTimate", "global", "show starting values without fitting the model"),
)

# Options of which one command takes at most one.
EXCLUSIVE: tuple[tuple[str, ...], ...] = (
    ("or", "irr", "eform"),
    ("log", "nolog"),
    ("nrtolerance", "nonrtolerance"),
)


def options_of(command: str, *scopes: Scope) -> list[OptionSpec]:
    """The options that `command` takes in these scopes, in the table's order."""
    return [spec for spec in OPTIONS if spec.scope in scopes and spec.allows(command)]
