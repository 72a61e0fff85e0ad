"""Which model a command's name, family() and link() ask for, and what it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from memagic.engine import covariance
from memagic.engine.covariance import CovarianceStructure
from memagic.engine.families import (
    BinomialCloglog,
    BinomialLogit,
    BinomialProbit,
    Family,
    GammaLog,
    GaussianIdentity,
    GaussianLog,
    NegativeBinomialConstant,
    NegativeBinomialMean,
    OrdinalCloglog,
    OrdinalLogit,
    OrdinalProbit,
    PoissonLog,
)
from memagic.errors import CommandError
from memagic.spec.tree import Command

__all__ = ["FAMILY_LINKS", "ModelKind", "ancillary_names", "covariance_structure", "density", "model_kind"]


@dataclass(frozen=True, slots=True)
class ModelKind:
    """A family with its link, and the words for it.

    Attributes
    ----------
    family, link : str
        As `e(family)` and `e(link)` have them.
    dispersion : str
        "mean" or "constant" for the negative binomial family, else empty.
    trials : float, str or None
        Number of binomial trials or the variable that holds it; None where there are none.
    title : str
        First line of the header.
    lines : tuple of (str, str)
        Family, link and dispersion as the header shows them.
    name : str
        `e(model)`, which is also what the test against the model without random effects calls that.
    """

    family: str
    link: str
    dispersion: str
    trials: float | str | None
    title: str
    lines: tuple[tuple[str, str], ...]
    name: str


_DEFAULT_LINK = {
    "gaussian": "identity",
    "bernoulli": "logit",
    "binomial": "logit",
    "gamma": "log",
    "nbinomial": "log",
    "ordinal": "logit",
    "poisson": "log",
}

# By family and link: the name of the model without random effects.
_NAMES = {
    ("gaussian", "identity"): "linear",
    ("gaussian", "log"): "gaussian",
    ("bernoulli", "logit"): "logistic",
    ("bernoulli", "probit"): "probit",
    ("bernoulli", "cloglog"): "cloglog",
    ("binomial", "logit"): "logistic",
    ("binomial", "probit"): "probit",
    ("binomial", "cloglog"): "cloglog",
    ("gamma", "log"): "gamma",
    ("nbinomial", "log"): "nbinomial",
    ("ordinal", "logit"): "ologit",
    ("ordinal", "probit"): "oprobit",
    ("ordinal", "cloglog"): "ocloglog",
    ("poisson", "log"): "Poisson",
}

FAMILY_LINKS = tuple(_NAMES)
"""Every family with every link that it goes with."""

_DENSITIES: dict[tuple[str, str], Family] = {
    ("gaussian", "identity"): GaussianIdentity(),
    ("gaussian", "log"): GaussianLog(),
    ("bernoulli", "logit"): BinomialLogit(),
    ("bernoulli", "probit"): BinomialProbit(),
    ("bernoulli", "cloglog"): BinomialCloglog(),
    ("binomial", "logit"): BinomialLogit(),
    ("binomial", "probit"): BinomialProbit(),
    ("binomial", "cloglog"): BinomialCloglog(),
    ("gamma", "log"): GammaLog(),
    ("poisson", "log"): PoissonLog(),
}

_DISPERSED: dict[str, Family] = {"mean": NegativeBinomialMean(), "constant": NegativeBinomialConstant()}

_ORDINAL: dict[str, Callable[[int], Family]] = {
    "logit": OrdinalLogit,
    "probit": OrdinalProbit,
    "cloglog": OrdinalCloglog,
}

# Names of the family's own parameters, apart from a residual variance, by family and dispersion; the
# cutpoints of an ordinal one are counted.
_ANCILLARY: dict[tuple[str, str], tuple[str, ...]] = {
    ("bernoulli", ""): (),
    ("binomial", ""): (),
    ("gamma", ""): ("logs",),
    ("gaussian", ""): (),
    ("nbinomial", "constant"): ("lndelta",),
    ("nbinomial", "mean"): ("lnalpha",),
    ("poisson", ""): (),
}

_STRUCTURES: dict[str, Callable[[int], CovarianceStructure]] = {
    "independent": covariance.independent,
    "identity": covariance.identity,
    "exchangeable": covariance.exchangeable,
    "unstructured": covariance.unstructured,
    # Unstructured ones with constraints on their elements.
    "fixed": covariance.unstructured,
    "pattern": covariance.unstructured,
}

_LINK_WORDS = {
    "identity": "Identity",
    "log": "Log",
    "logit": "Logit",
    "probit": "Probit",
    "cloglog": "Complementary log-log",
}

_CONVENIENCE = {
    "melogit": ("bernoulli", "logit", "Mixed-effects logistic regression"),
    "meprobit": ("bernoulli", "probit", "Mixed-effects probit regression"),
    "mecloglog": ("bernoulli", "cloglog", "Mixed-effects cloglog regression"),
    "meologit": ("ordinal", "logit", "Mixed-effects ologit regression"),
    "meoprobit": ("ordinal", "probit", "Mixed-effects oprobit regression"),
    "mepoisson": ("poisson", "log", "Mixed-effects Poisson regression"),
    "menbreg": ("nbinomial", "log", "Mixed-effects nbinomial regression"),
}


def model_kind(command: Command) -> ModelKind:
    """The model that a command asks for.

    Raises
    ------
    CommandError
        The family does not go with the link, r(198).
    """
    trials: float | str | None = None
    dispersion = ""
    if command.name in _CONVENIENCE:
        family, link, title = _CONVENIENCE[command.name]
        binomial, chosen = command.options.get("binomial"), command.options.get("dispersion")
        if binomial is not None:
            family, trials = "binomial", _trials(binomial.value)
        if family == "nbinomial":
            dispersion = "mean" if chosen is None else str(chosen.value)
    else:
        title = "Mixed-effects GLM"
        family, link, argument = _family_and_link(command)
        if family == "binomial":
            trials = 1.0 if argument is None else argument
        elif family == "nbinomial":
            dispersion = "mean" if argument is None else str(argument)
    lines: tuple[tuple[str, str], ...] = ()
    if command.name == "meglm":
        lines = (("Family", family.capitalize()), ("Link", _LINK_WORDS[link]))
    if dispersion:
        lines = (*lines, ("Overdispersion", dispersion))
    if trials is not None:
        shown = trials if isinstance(trials, str) else f"{trials:g}"
        lines = (*lines, ("Binomial variable" if isinstance(trials, str) else "Binomial trials", shown))
    return ModelKind(family, link, dispersion, trials, title, lines, _NAMES[family, link])


def density(kind: ModelKind, n_categories: int) -> Family:
    """The engine's family; `n_categories` counts the categories of an ordinal response."""
    if kind.family == "ordinal":
        return _ORDINAL[kind.link](n_categories)
    if kind.family == "nbinomial":
        return _DISPERSED[kind.dispersion]
    return _DENSITIES[kind.family, kind.link]


def ancillary_names(kind: ModelKind, n_categories: int) -> tuple[str, ...]:
    """Names of the family's own parameters, apart from a residual variance."""
    if kind.family == "ordinal":
        return tuple(f"cut{k}" for k in range(1, n_categories))
    return _ANCILLARY[kind.family, kind.dispersion]


def covariance_structure(sets: Iterable[tuple[str, int]]) -> CovarianceStructure:
    """The engine's structure of one level.

    Parameters
    ----------
    sets : iterable of (str, int)
        The kind and the number of effects of each of the level's equations.
    """
    structures = [_STRUCTURES[kind](q) for kind, q in sets]
    return structures[0] if len(structures) == 1 else covariance.block_diagonal(structures)


def _trials(value: object) -> float | str:
    assert isinstance(value, (float, int, str))
    return value if isinstance(value, str) else float(value)


def _family_and_link(command: Command) -> tuple[str, str, float | str | None]:
    """Family, link, and what stands beside the family's name."""
    given, link_given = command.options.get("family"), command.options.get("link")
    family, argument = "gaussian", None
    if given is not None:
        assert isinstance(given.value, tuple)
        family = given.value[0]
        argument = _trials(given.value[1]) if len(given.value) > 1 else None
    link = _DEFAULT_LINK[family] if link_given is None else str(link_given.value)
    if (family, link) not in _NAMES:
        assert link_given is not None
        fitting = [pair[1] for pair in _NAMES if pair[0] == family]
        raise CommandError(
            198,
            f"family({family}) may not be combined with link({link})",
            span=link_given.span,
            hint=f"family({family}) goes with link {' or '.join(fitting)}",
        )
    return family, link, argument
