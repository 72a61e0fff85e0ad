"""Likelihood-ratio tests of nested models: `lrtest`, with the mixture distributions of variances at zero.

Source: [R] lrtest; Self and Liang (1987), Stram and Lee (1994) for the mixtures.
"""

from __future__ import annotations

import numpy as np

from memagic.errors import CommandError
from memagic.postestimation.hypotheses import check_fitted
from memagic.postestimation.likelihood_ratio_result import LikelihoodRatio, Mixture
from memagic.results.distributions import chi2_tail, mixture_tail
from memagic.results.estimates import Estimates
from memagic.results.inference import rank
from memagic.results.mixtures import boundary_mixture, mixture_without_effects
from memagic.results.report import comparison

__all__ = ["against_no_effects", "likelihood_ratio"]


def likelihood_ratio(
    first: tuple[str, Estimates],
    second: tuple[str, Estimates],
    *,
    df: int | None = None,
    force: bool = False,
    mixture: bool = False,
) -> LikelihoodRatio:
    """Test the smaller of two models against the larger; their order does not matter.

    Parameters
    ----------
    first, second : (str, Estimates)
        With their names.
    df : int, optional
        Degrees of freedom; the difference of the models' ranks by default.
    force : bool
        Leave out the checks.
    mixture : bool
        Also refer the statistic to the mixture of chi2 distributions that variances at zero call for.

    Raises
    ------
    CommandError
        Models that do not compare, r(498), or starting values, r(301).
    """
    for _, estimates in (first, second):
        check_fitted(estimates)
    if not force:
        _check(first[1], second[1])
    ranks = {id(one): rank(one.v) for _, one in (first, second)}
    small, large = sorted((first, second), key=lambda pair: ranks[id(pair[1])])
    found = ranks[id(large[1])] - ranks[id(small[1])]
    if df is None and found == 0:
        equal = ranks[id(small[1])]
        hint = "the models have as many parameters; df(#) gives the degrees of freedom"
        raise CommandError(498, f"df(unrestricted) = df(restricted) = {equal}", hint=hint)
    if df is not None and found == 0 and small[1].fit.log_likelihood > large[1].fit.log_likelihood:
        small, large = large, small
    chosen = found if df is None else df
    chi2 = 2.0 * (large[1].fit.log_likelihood - small[1].fit.log_likelihood)
    held = None
    if mixture:
        weights, reason = boundary_mixture(small[1], large[1])
        held = Mixture(tuple(weights.items()), reason, mixture_tail(weights, chi2))
    more = _count(large[1], "variance") > _count(small[1], "variance")
    return LikelihoodRatio(
        smaller=small[0],
        larger=large[0],
        chi2=chi2,
        df=chosen,
        p=chi2_tail(chosen, chi2),
        boundary=more,
        models=tuple(
            (name, one.n_obs, float("nan"), one.fit.log_likelihood, ranks[id(one)])
            for name, one in (small, large)
        ),
        mixture=held,
    )


def against_no_effects(
    name: str, estimates: Estimates, *, df: int | None = None, mixture: bool = False
) -> LikelihoodRatio:
    """Test a model against itself without random effects: the line below its table.

    Parameters
    ----------
    name : str
        Of the result.
    estimates : Estimates
    df : int, optional
        Degrees of freedom; `e(df_c)` by default.
    mixture : bool
        Also refer the statistic to the mixture of chi2 distributions that variances at zero call for.

    Raises
    ------
    CommandError
        There is no such test, or the mixture has no known weights, r(498); starting values, r(301).
    """
    check_fitted(estimates)
    if not estimates.problem.levels:
        raise CommandError(498, "the model has no random effects", hint="name two results: lrtest A B")
    test = comparison(estimates)
    plain = estimates.fit.log_likelihood_plain
    if test is None or plain is None:
        why = "robust or clustered standard errors, sampling weights or constraints"
        raise CommandError(
            498, "no LR test against the model without random effects", hint=f"there is none after {why}"
        )
    chosen = test.df if df is None else df
    held = None
    if mixture:
        weights, reason = mixture_without_effects(estimates)
        reason = reason.replace("the smaller model", f"the {test.model} model")
        held = Mixture(tuple(weights.items()), reason, mixture_tail(weights, test.chi2))
    free = rank(estimates.v)
    smaller = f"{test.model} model"
    return LikelihoodRatio(
        smaller=smaller,
        larger=name,
        chi2=test.chi2,
        df=chosen,
        p=chi2_tail(chosen, test.chi2) if chosen else float("nan"),
        boundary=True,
        models=(
            (smaller, estimates.n_obs, float("nan"), plain, free - test.df),
            (name, estimates.n_obs, float("nan"), estimates.fit.log_likelihood, free),
        ),
        mixture=held,
    )


def _count(estimates: Estimates, role: str) -> int:
    return sum(parameter.role == role for parameter in estimates.parameters)


def _check(a: Estimates, b: Estimates) -> None:
    """Refuse what makes a likelihood-ratio test invalid.

    Raises
    ------
    CommandError
        r(498).
    """
    hint = "option force tests regardless"
    for one in (a, b):
        uncertainty = one.uncertainty
        if uncertainty.survey is not None:
            raise CommandError(
                498, "lrtest is not appropriate with survey estimation results", hint="use test"
            )
        weights = one.design.weights
        if weights is not None and weights.kind == "pweight":
            raise CommandError(498, "LR test likely invalid for models with pweights", hint=hint)
        if uncertainty.kind in ("robust", "cluster"):
            raise CommandError(
                498, f"LR test likely invalid for models with {uncertainty.kind} vce", hint=hint
            )
    if a.command.depvar.variable != b.command.depvar.variable:
        names = f"{a.command.depvar.variable} vs. {b.command.depvar.variable}"
        raise CommandError(498, f"dependent variables differ: {names}", hint=hint)
    if a.n_obs != b.n_obs:
        raise CommandError(498, f"observations differ: {a.n_obs} vs. {b.n_obs}", hint=hint)
    if a.problem.y.shape != b.problem.y.shape or not np.array_equal(a.problem.y, b.problem.y):
        raise CommandError(498, "the estimation samples differ", hint=hint)
    if (a.kind.family, a.kind.link, a.kind.dispersion) != (b.kind.family, b.kind.link, b.kind.dispersion):
        names = f"{a.kind.name} vs. {b.kind.name}"
        raise CommandError(498, f"test involves different estimators: {names}", hint=hint)
