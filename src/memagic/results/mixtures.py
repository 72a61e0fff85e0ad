"""Which mixture of chi2 distributions a likelihood-ratio statistic has where variances are zero.

Source: Self and Liang (1987, JASA 82), Stram and Lee (1994, Biometrics 50).
"""

from __future__ import annotations

import numpy as np

from memagic.errors import CommandError
from memagic.results.cones import covariance_weights, orthant_weights
from memagic.results.distributions import binomial_mixture
from memagic.results.estimates import Estimates, Parameter
from memagic.results.null_information import null_information

__all__ = ["boundary_mixture", "mixture_without_effects"]

Weights = dict[int, float]
_HINT = "option bootstrap(#) simulates the distribution"
_EFFECTS = ("variance", "covariance")
# Orthants of more dimensions have no closed form.
_MOST = 3


def boundary_mixture(small: Estimates, large: Estimates) -> tuple[Weights, str]:
    """Weights of the mixture by degrees of freedom, and the reason in words.

    One variance more, with c covariances with effects that both models have, gives 0.5 chi2(c) + 0.5
    chi2(c + 1). Where the smaller model has no random effects, `mixture_without_effects` has the weights.
    Else variances that are independent of all other effects are zero each with probability one half, as
    if their estimates were uncorrelated: where one takes up what another leaves, as those of nested
    levels do, large statistics are rarer, and the p-value errs on the side of caution. Other parameters
    of the larger model add their degrees of freedom to each part.

    Raises
    ------
    CommandError
        The models are not nested by their parameters, or the mixture has no known weights, r(498).
    """
    _check_constraints(small)
    _check_constraints(large)
    names = {parameter.name for parameter in small.parameters}
    missing = names - {parameter.name for parameter in large.parameters}
    if missing:
        lost = ", ".join(sorted(missing)[:3])
        message = f"models are not nested: {lost} of the smaller is not in the larger"
        raise CommandError(498, message, hint=_HINT)
    extra = [parameter for parameter in large.parameters if parameter.name not in names]
    fixed = sum(parameter.role not in _EFFECTS for parameter in extra)
    if not small.problem.levels and large.problem.levels:
        weights, reason = mixture_without_effects(large)
        return {df + fixed: weight for df, weight in weights.items()}, reason
    variances = [parameter for parameter in extra if parameter.role == "variance"]
    joined = _joined_covariances(large, names)
    covariances = sum(parameter.role == "covariance" for parameter in extra)
    others = fixed + covariances - len(joined)
    if not variances:
        return {others: 1.0}, "no variance of the larger model is zero in the smaller one"
    if not joined:
        return binomial_mixture(others, len(variances)), _independent(variances)
    if len(variances) > 1 or "both" in joined:
        raise _unknown(variances)
    c = len(joined)
    plural = "covariance" if c == 1 else f"{c} covariances"
    shown = _shown(variances)
    return binomial_mixture(others + c, 1), f"{shown} and its {plural} are zero in the smaller model"


def mixture_without_effects(large: Estimates) -> tuple[Weights, str]:
    """The mixture against the same model without random effects, and the reason in words.

    The weights of two or three variances, or of two variances and their covariance, are by what the
    data tell of them at zero, `null_information`; those of more variances as if their estimates were
    uncorrelated. They cost about as much as one evaluation of the likelihood without random effects.

    Raises
    ------
    CommandError
        The mixture has no known weights, r(498).
    """
    _check_constraints(large)
    elements = [parameter for parameter in large.parameters if parameter.role in _EFFECTS]
    variances = [parameter for parameter in elements if parameter.role == "variance"]
    if len(variances) == len(elements):
        weighted = large.problem.weighted
        if len(variances) == 1 or len(variances) > _MOST or weighted:
            return binomial_mixture(0, len(variances)), _independent(variances)
        return orthant_weights(_regular(large, variances)), _independent(variances)
    pair = len(variances) == 2 and len(elements) == 3
    if not pair or large.problem.weighted or _joined_covariances(large, set()) != ["both"]:
        raise _unknown(variances)
    order = [k for k, one in enumerate(elements) if one.role == "variance"]
    order += [k for k, one in enumerate(elements) if one.role == "covariance"]
    information = _regular(large, variances)[np.ix_(order, order)]
    reason = f"{_shown(variances)} and their covariance are zero in the smaller model"
    return covariance_weights(information), reason


def _regular(large: Estimates, variances: list[Parameter]) -> np.ndarray:
    """The information, which has to tell the elements apart."""
    with np.errstate(over="ignore", invalid="ignore"):
        information = null_information(large)
    deviations = np.sqrt(np.maximum(np.diag(information), 0.0))
    if not (deviations > 0.0).all():
        raise _unknown(variances)
    scaled = information / np.outer(deviations, deviations)
    if not np.isfinite(scaled).all() or np.linalg.eigvalsh(scaled)[0] < 1e-8:
        raise _unknown(variances)
    return information


def _check_constraints(estimates: Estimates) -> None:
    if estimates.fit.constraints is not None:
        raise CommandError(498, "no mixture is known for models with constraints", hint=_HINT)


def _unknown(variances: list[Parameter]) -> CommandError:
    message = f"no weights are known where {_shown(variances)} and their covariances are zero"
    return CommandError(498, message, hint=_HINT)


def _shown(variances: list[Parameter]) -> str:
    return " and ".join(parameter.name.lstrip("/") for parameter in variances)


def _independent(variances: list[Parameter]) -> str:
    verb = "is" if len(variances) == 1 else "are independent of each other and both"
    verb = verb if len(variances) < 3 else "are independent of each other and all"
    return f"{_shown(variances)} {verb} zero in the smaller model"


def _joined_covariances(large: Estimates, names: set[str]) -> list[str]:
    """Which new covariances involve a new variance: ``one`` or ``both`` of their effects."""
    problem = large.problem
    if problem.structure is None:
        return []
    components = [p for p in large.parameters if p.role in ("variance", "covariance")]
    pairs = list(zip(problem.structure.entries, components, strict=True))
    new = {r for (r, c), p in pairs if r == c and p.name not in names}
    joined = []
    for (r, c), parameter in pairs:
        if r != c and parameter.name not in names:
            if parameter.name.count("[") == 1:
                # Exchangeable effects share one variance and one covariance.
                joined += ["both"] if c in new or r in new else []
            elif r in new or c in new:
                joined.append("both" if r in new and c in new else "one")
    return joined
