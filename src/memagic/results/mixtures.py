"""Which mixture of chi2 distributions a likelihood-ratio statistic has where variances are zero.

Source: Self and Liang (1987, JASA 82), Stram and Lee (1994, Biometrics 50).
"""

from __future__ import annotations

from memagic.errors import CommandError
from memagic.results.distributions import binomial_mixture
from memagic.results.estimates import Estimates

__all__ = ["boundary_mixture", "mixture_without_effects"]

Weights = dict[int, float]
_HINT = "option bootstrap(#) simulates the distribution"


def boundary_mixture(small: Estimates, large: Estimates) -> tuple[Weights, str]:
    """Weights of the mixture by degrees of freedom, and the reason in words.

    One variance more, with c covariances with effects that both models have, gives 0.5 chi2(c) + 0.5
    chi2(c + 1). Variances that are independent of all other effects are zero each with probability one
    half, as if their estimates were uncorrelated: where one takes up what another leaves, as those of
    nested levels do, large statistics are rarer, and the p-value errs on the side of caution. Other
    parameters of the larger model add their degrees of freedom to each part.

    Raises
    ------
    CommandError
        The models are not nested by their parameters, or the mixture has no known weights, r(498).
    """
    if small.fit.constraints is not None:
        raise _constrained()
    names = {parameter.name for parameter in small.parameters}
    missing = names - {parameter.name for parameter in large.parameters}
    if missing:
        lost = ", ".join(sorted(missing)[:3])
        raise CommandError(
            498, f"models are not nested: {lost} of the smaller is not in the larger", hint=_HINT
        )
    return _mixture(names, large)


def mixture_without_effects(large: Estimates) -> tuple[Weights, str]:
    """The same against the model without random effects: all variances and covariances are zero there.

    Raises
    ------
    CommandError
        The mixture has no known weights, r(498).
    """
    effects = ("variance", "covariance")
    return _mixture({p.name for p in large.parameters if p.role not in effects}, large)


def _constrained() -> CommandError:
    return CommandError(498, "no mixture is known for models with constraints", hint=_HINT)


def _mixture(names: set[str], large: Estimates) -> tuple[Weights, str]:
    """The mixture where the parameters that are not among `names` are zero."""
    if large.fit.constraints is not None:
        raise _constrained()
    extra = [parameter for parameter in large.parameters if parameter.name not in names]
    variances = [parameter for parameter in extra if parameter.role == "variance"]
    fixed = sum(parameter.role in ("coefficient", "ancillary") for parameter in extra)
    joined = _joined_covariances(large, names)
    covariances = sum(parameter.role == "covariance" for parameter in extra)
    others = fixed + covariances - len(joined)
    if not variances:
        return {others: 1.0}, "no variance of the larger model is zero in the smaller one"
    shown = " and ".join(parameter.name.lstrip("/") for parameter in variances)
    if not joined:
        verb = "is" if len(variances) == 1 else "are independent of each other and both"
        verb = verb if len(variances) < 3 else "are independent of each other and all"
        reason = f"{shown} {verb} zero in the smaller model"
        return binomial_mixture(others, len(variances)), reason
    if len(variances) > 1 or "both" in joined:
        raise CommandError(
            498, f"no weights are known where {shown} and their covariances are zero", hint=_HINT
        )
    c = len(joined)
    plural = "covariance" if c == 1 else f"{c} covariances"
    return binomial_mixture(others + c, 1), f"{shown} and its {plural} are zero in the smaller model"


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
