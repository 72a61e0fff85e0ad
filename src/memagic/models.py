"""Which model a command's name, family() and link() ask for, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass

from memagic.engine.families import (
    BinomialCloglog,
    BinomialLogit,
    BinomialProbit,
    Family,
    GaussianIdentity,
    GaussianLog,
    PoissonLog,
)
from memagic.errors import CommandError
from memagic.spec.tree import Command

__all__ = ["ModelKind", "model_kind"]


@dataclass(frozen=True, slots=True)
class ModelKind:
    """A family with its link, and the words for it.

    Attributes
    ----------
    family, link : str
        As `e(family)` and `e(link)` have them.
    density : Family
        The engine's family.
    ancillary : tuple of str
        Names of the family's own parameters that are reported as such, such as ``lnalpha``.
    trials : float, str or None
        Number of binomial trials or the variable that holds it; None where there are none.
    title : str
        First line of the header.
    lines : tuple of (str, str)
        Family and link as meglm's header shows them.
    model : str
        `e(model)`, the name of the model without random effects.
    comparison : str
        That model's name in the line of the likelihood-ratio test.
    """

    family: str
    link: str
    density: Family
    ancillary: tuple[str, ...]
    trials: float | str | None
    title: str
    lines: tuple[tuple[str, str], ...]
    model: str
    comparison: str


_DEFAULT_LINK = {"gaussian": "identity", "bernoulli": "logit", "binomial": "logit", "poisson": "log"}

_DENSITIES: dict[tuple[str, str], Family] = {
    ("gaussian", "identity"): GaussianIdentity(),
    ("gaussian", "log"): GaussianLog(),
    ("bernoulli", "logit"): BinomialLogit(),
    ("bernoulli", "probit"): BinomialProbit(),
    ("bernoulli", "cloglog"): BinomialCloglog(),
    ("poisson", "log"): PoissonLog(),
}

# e(model) and the comparison model's name.
_NAMES = {
    ("gaussian", "identity"): ("linear", "linear"),
    ("gaussian", "log"): ("gaussian", "gaussian"),
    ("bernoulli", "logit"): ("logistic", "logistic"),
    ("bernoulli", "probit"): ("probit", "probit"),
    ("bernoulli", "cloglog"): ("cloglog", "cloglog"),
    ("poisson", "log"): ("Poisson", "Poisson"),
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
    "mepoisson": ("poisson", "log", "Mixed-effects Poisson regression"),
}


def model_kind(command: Command) -> ModelKind:
    """The model that a command asks for.

    Raises
    ------
    CommandError
        The family does not go with the link, r(198).
    """
    trials: float | str | None = None
    if command.name in _CONVENIENCE:
        family, link, title = _CONVENIENCE[command.name]
        binomial = command.options.get("binomial")
        if binomial is not None:
            family, trials = "binomial", _trials(binomial.value)
    else:
        title = "Mixed-effects GLM"
        family, link, trials = _family_and_link(command)
    key = ("bernoulli" if family == "binomial" else family, link)
    model, comparison = _NAMES[key]
    lines: tuple[tuple[str, str], ...] = ()
    if command.name == "meglm":
        lines = (("Family", family.capitalize()), ("Link", _LINK_WORDS[link]))
    if trials is not None:
        shown = trials if isinstance(trials, str) else f"{trials:g}"
        lines = (*lines, ("Binomial variable" if isinstance(trials, str) else "Binomial trials", shown))
    return ModelKind(family, link, _DENSITIES[key], (), trials, title, lines, model, comparison)


def _trials(value: object) -> float | str:
    assert isinstance(value, (float, int, str))
    return value if isinstance(value, str) else float(value)


def _family_and_link(command: Command) -> tuple[str, str, float | str | None]:
    given, link_given = command.options.get("family"), command.options.get("link")
    family, trials = "gaussian", None
    if given is not None:
        assert isinstance(given.value, tuple)
        family = given.value[0]
        if family == "binomial":
            trials = _trials(given.value[1]) if len(given.value) > 1 else 1.0
    link = _DEFAULT_LINK[family] if link_given is None else str(link_given.value)
    key = ("bernoulli" if family == "binomial" else family, link)
    if key not in _DENSITIES:
        assert link_given is not None
        fitting = [pair[1] for pair in _DENSITIES if pair[0] == key[0]]
        raise CommandError(
            198,
            f"family({family}) may not be combined with link({link})",
            span=link_given.span,
            hint=f"family({family}) goes with link {' or '.join(fitting)}",
        )
    return family, link, trials
