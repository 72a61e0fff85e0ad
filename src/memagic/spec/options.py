"""The one table of options: which there are, how they may be shortened, what they take."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from memagic.errors import CommandError, closest
from memagic.spec.lacking import lacking_hint

__all__ = [
    "COMMANDS",
    "DISPERSIONS",
    "DISPLAY_OPTIONS",
    "EXCLUSIVE",
    "OPTIONS",
    "Choice",
    "Kind",
    "OptionSpec",
    "Scope",
    "find_option",
    "options_of",
]

Scope = Literal["fixed", "random", "global"]
Kind = Literal[
    "flag",
    "integer",
    "real",
    "varname",
    "trials",
    "choice",
    "family",
    "vartype",
    "vcetype",
    "numlist",
    "techniques",
    "start",
    "grid",
    "initial",
]

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


@dataclass(frozen=True, slots=True)
class Choice:
    """A word an option takes; it may be shortened to its first `minimum` letters."""

    name: str
    minimum: int


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """An option as the manual describes it.

    Parameters
    ----------
    name : str
        In full.
    minimum : int
        How many letters of the name must be typed.
    scope : {"fixed", "random", "global"}
        The fixed-effects equation's, a random-effects equation's, or the whole command's.
    kind : str
        What stands between the parentheses; a flag has none.
    help : str
        What it does, in a few words.
    commands : frozenset of str, optional
        The commands that have it; None stands for all.
    choices : tuple of Choice
        The words it takes, for the kinds that take words.
    limits : tuple of float, optional
        The smallest and the largest number it takes.
    replay : bool
        Whether it only changes what is shown, so that it may follow a command name alone.
    bare : bool
        Whether it may stand without its parentheses.
    repeated : bool
        Whether it may be given more than once.
    """

    name: str
    minimum: int
    scope: Scope
    kind: Kind
    help: str
    commands: frozenset[str] | None = None
    choices: tuple[Choice, ...] = ()
    limits: tuple[float, float] | None = None
    replay: bool = False
    bare: bool = False
    repeated: bool = False

    @property
    def shown(self) -> str:
        """The name as messages have it: with parentheses where it takes something."""
        return self.name if self.kind == "flag" else f"{self.name}()"

    def allows(self, command: str) -> bool:
        return self.commands is None or command in self.commands


def _choices(*words: str) -> tuple[Choice, ...]:
    """Choices from words whose required letters are capital, as in ``UNstructured``."""
    return tuple(Choice(word.lower(), max(1, sum(map(str.isupper, word)))) for word in words)


def _flag(
    word: str, scope: Scope, text: str, *, commands: frozenset[str] | None = None, replay: bool = False
) -> OptionSpec:
    """A flag from a word whose required letters are capital."""
    return OptionSpec(word.lower(), sum(map(str.isupper, word)), scope, "flag", text, commands, replay=replay)


_UNLIMITED = float("inf")
_POSITIVE = (0.0, _UNLIMITED)
_NOT_MEGLM = frozenset(COMMANDS) - _MEGLM

# Of the negative binomial family, in family() and in dispersion().
DISPERSIONS = _choices("mean", "CONStant")

OPTIONS: tuple[OptionSpec, ...] = (
    # The fixed-effects equation.
    _flag("NOCONStant", "fixed", "suppress the constant term"),
    _flag("ASIS", "fixed", "retain perfect predictor variables", commands=_BINOMIAL | {"meglm"}),
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
        choices=_choices("INDependent", "EXChangeable", "IDentity", "UNstructured", "FIXed", "PATtern"),
    ),
    _flag("NOCONStant", "random", "suppress the random intercept"),
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
        _choices("GAUssian", "BErnoulli", "BInomial", "GAMma", "NBinomial", "Ordinal", "Poisson"),
    ),
    OptionSpec(
        "link",
        1,
        "global",
        "choice",
        "link function",
        _MEGLM,
        _choices("IDENtity", "LOG", "LOGIT", "PROBit", "CLOGlog"),
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
        choices=_choices("SIZE", "EFFECTIVE", "GK"),
    ),
    # The standard errors.
    OptionSpec(
        "vce",
        3,
        "global",
        "vcetype",
        "how standard errors are estimated",
        choices=_choices("OIM", "OPG", "Robust", "CLuster"),
    ),
    # What is shown.
    OptionSpec("level", 2, "global", "real", "confidence level", _MEGLM, limits=(10, 99.99), replay=True),
    OptionSpec("level", 1, "global", "real", "confidence level", _NOT_MEGLM, limits=(10, 99.99), replay=True),
    _flag("EFORM", "global", "report exponentiated coefficients", replay=True),
    _flag(
        "IRR",
        "global",
        "report incidence-rate ratios",
        commands=_COUNTS,
        replay=True,
    ),
    _flag(
        "OR",
        "global",
        "report odds ratios",
        commands=frozenset({"meglm", "melogit", "meologit"}),
        replay=True,
    ),
    _flag("NOCNSReport", "global", "do not display constraints", replay=True),
    _flag("NOHEADer", "global", "suppress the header", replay=True),
    _flag("NOTABle", "global", "suppress the coefficient table", replay=True),
    _flag("NOGRoup", "global", "suppress the table of groups", replay=True),
    _flag("NOFVLABel", "global", "show the values of factor variables, not their labels", replay=True),
    _flag("ALLBASElevels", "global", "show all base levels, those of interactions too", replay=True),
    _flag("NOEMPTYcells", "global", "do not show interactions without observations", replay=True),
    _flag("NOOMITted", "global", "do not show omitted variables", replay=True),
    _flag("VSQUISH", "global", "leave out the blank lines around factor variables", replay=True),
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
        choices=_choices("WORD", "WIDTH"),
        replay=True,
    ),
    _flag("COEFLegend", "global", "show the names of the parameters instead of statistics", replay=True),
    _flag("BASElevels", "global", "show the base levels of factor variables", replay=True),
    _flag("NOCI", "global", "suppress confidence intervals", replay=True),
    _flag("NOPValues", "global", "suppress p-values and their test statistics", replay=True),
    _flag("WIDGET", "global", "show the table with controls to explore it, in a notebook", replay=True),
    # Integration.
    OptionSpec(
        "intmethod",
        4,
        "global",
        "choice",
        "integration method",
        choices=_choices("MVaghermite", "MCaghermite", "PCAghermite", "Ghermite", "Laplace", "PCLaplace"),
    ),
    OptionSpec("intpoints", 4, "global", "integer", "number of integration points", limits=(1, 195)),
    # Maximization.
    _flag("DIFficult", "global", "use another step where the likelihood is not concave"),
    OptionSpec(
        "technique",
        4,
        "global",
        "techniques",
        "maximization techniques",
        choices=_choices("NR", "BHHH", "DFP", "BFGS"),
    ),
    OptionSpec("iterate", 4, "global", "integer", "most iterations", limits=(0, 16000)),
    _flag("LOG", "global", "show the iteration log"),
    _flag("NOLOG", "global", "suppress the iteration log"),
    OptionSpec("tolerance", 3, "global", "real", "tolerance for the coefficients", limits=_POSITIVE),
    OptionSpec("ltolerance", 4, "global", "real", "tolerance for the log likelihood", limits=_POSITIVE),
    OptionSpec("nrtolerance", 5, "global", "real", "tolerance for the scaled gradient", limits=_POSITIVE),
    _flag("NONRTOLerance", "global", "ignore the scaled gradient"),
    _flag("TRace", "global", "show the parameters at each iteration"),
    _flag("GRADient", "global", "show the gradient at each iteration"),
    _flag("SHOWSTEP", "global", "show the steps within each iteration"),
    _flag("HESSian", "global", "show the negative Hessian at each iteration"),
    _flag("SHOWTOLerance", "global", "show what the tolerances are compared with"),
    _flag("DNUMERICAL", "global", "use numerical derivatives"),
    _flag("COLlinear", "global", "keep collinear variables"),
    # Starting values.
    OptionSpec("from", 4, "global", "initial", "initial values"),
    OptionSpec(
        "startvalues",
        6,
        "global",
        "start",
        "method for obtaining starting values",
        choices=_choices("ZERO", "CONSTANTONLY", "FIXEDONLY", "IV"),
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
    _flag("NOESTimate", "global", "show starting values without fitting the model"),
)

# Options of which one command takes at most one.
EXCLUSIVE: tuple[tuple[str, ...], ...] = (
    ("or", "irr", "eform"),
    ("log", "nolog"),
    ("nrtolerance", "nonrtolerance"),
)

DISPLAY_OPTIONS = frozenset(spec.name for spec in OPTIONS if spec.replay)


def options_of(command: str, *scopes: Scope) -> list[OptionSpec]:
    """The options that `command` takes in these scopes, in the table's order."""
    return [spec for spec in OPTIONS if spec.scope in scopes and spec.allows(command)]


def find_option(
    typed: str, command: str, scopes: tuple[Scope, ...], span: tuple[int, int], *, argument: bool = False
) -> OptionSpec:
    """The option that a word stands for.

    Parameters
    ----------
    typed : str
        The option's name, perhaps shortened.
    command : str
        The full name of the command.
    scopes : tuple of {"fixed", "random", "global"}
        Where the word stands.
    span : tuple of int
        Its place, for the error.
    argument : bool
        Whether parentheses follow.

    Returns
    -------
    OptionSpec
        The one option of the command that it shortens.

    Raises
    ------
    CommandError
        r(198) if there is none.
    """
    here = options_of(command, *scopes)
    for spec in here:
        if len(typed) >= spec.minimum and spec.name.startswith(typed):
            return spec
    shown = f"{typed}()" if argument else typed
    raise CommandError(
        198, f"option {shown} not allowed", span=span, hint=_hint(typed, command, scopes, here)
    )


def _hint(typed: str, command: str, scopes: tuple[Scope, ...], here: list[OptionSpec]) -> str | None:
    """What may have been meant: a longer form, another place, another command, or a near name."""
    if typed in ("if", "in"):
        return "if and in stand before the comma"
    longer = [spec for spec in here if spec.name.startswith(typed)]
    if longer:
        return "the shortest form is " + " or ".join(spec.name[: spec.minimum] for spec in longer)
    for spec in OPTIONS:
        if len(typed) >= spec.minimum and spec.name.startswith(typed):
            if not spec.allows(command):
                takers = [name for name in COMMANDS if spec.allows(name)]
                return f"{spec.shown} is an option of {', '.join(takers)}"
            if spec.scope not in scopes:
                place = "before the first ||" if spec.scope == "fixed" else "after a level: || level: , ..."
                return f"{spec.shown} belongs {place}"
    if lacking := lacking_hint(typed):
        return lacking
    # Also against the first letters: `covv` is far from the whole of `covariance`.
    begun = {spec.name[: len(typed)]: spec.name for spec in here}
    near = get_close_matches(typed.lower(), begun, n=1, cutoff=0.7)
    if hint := closest(typed.lower(), [spec.name for spec in here]):
        return hint
    if near:
        return f"did you mean {begun[near[0]]}?"
    return "variables stand before the comma, separated by blanks" if "fixed" in scopes else None
