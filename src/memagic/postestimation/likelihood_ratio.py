"""Likelihood-ratio tests of nested models: `lrtest`, with the mixture distributions of variances at zero.

Source: [R] lrtest; Self and Liang (1987), Stram and Lee (1994) for the mixtures.
"""

from __future__ import annotations

import numpy as np

from memagic.data.same_rows import by_labels
from memagic.errors import CommandError
from memagic.postestimation.hypotheses import check_fitted
from memagic.postestimation.likelihood_ratio_result import LikelihoodRatio, Mixture
from memagic.results.distributions import chi2_tail, mixture_tail
from memagic.results.estimates import Estimates
from memagic.results.inference import rank, rank_without_effects
from memagic.results.mixtures import boundary_mixture, mixture_without_effects
from memagic.results.report import comparison

__all__ = ["against_no_effects", "likelihood_ratio"]

# Share of the log likelihood that is rounding: it is a sum over groups, each good to about 1e-15 of its
# size, and Newton's last step leaves less than 1e-10 of it to the maximum.
_ROUNDING = 1e-9
# A statistic that prints as zero.
_NOTHING = 0.005


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
    ranks = {id(one): rank(one) for _, one in (first, second)}
    sizes = {id(one): (ranks[id(one)], len(one.parameters)) for _, one in (first, second)}
    small, large = sorted((first, second), key=lambda pair: sizes[id(pair[1])])
    found = ranks[id(large[1])] - ranks[id(small[1])]
    at_zero = _at_zero(large[1], small[1])
    if df is None and found == 0 and not at_zero:
        equal = ranks[id(small[1])]
        hint = "the models have as many parameters; df(#) gives the degrees of freedom"
        raise CommandError(498, f"df(unrestricted) = df(restricted) = {equal}", hint=hint)
    if sizes[id(small[1])] == sizes[id(large[1])] and _chi2(small[1], large[1]) < 0.0:
        small, large = large, small
    chosen = found if df is None else df
    chi2 = _chi2(small[1], large[1])
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
        p=_tail(chosen, chi2),
        boundary=more,
        at_zero=at_zero,
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
    smaller = f"{test.model} model"
    return LikelihoodRatio(
        smaller=smaller,
        larger=name,
        chi2=test.chi2,
        df=chosen,
        p=_tail(chosen, test.chi2),
        boundary=True,
        # One variance alone is counted, as the line below the table does.
        at_zero=() if test.boundary else _at_zero(estimates, None),
        models=(
            (smaller, estimates.n_obs, float("nan"), plain, rank_without_effects(estimates)),
            (name, estimates.n_obs, float("nan"), estimates.fit.log_likelihood, rank(estimates)),
        ),
        mixture=held,
    )


def _same_observations(a: Estimates, b: Estimates) -> bool:
    """Whether the responses are the same, in their order or by the labels of the frames' rows."""
    if a.problem.y.shape != b.problem.y.shape:
        return False
    if np.array_equal(a.problem.y, b.problem.y):
        return True
    at = by_labels(a.design, b.design)
    return at is not None and np.array_equal(a.problem.y, b.problem.y[at])


def _chi2(small: Estimates, large: Estimates) -> float:
    """Twice the difference of the log likelihoods; zero where that is rounding."""
    lower, upper = small.fit.log_likelihood, large.fit.log_likelihood
    difference = upper - lower
    return 0.0 if abs(difference) <= _ROUNDING * max(1.0, abs(upper)) else 2.0 * difference


def _tail(df: int, chi2: float) -> float:
    """P(chi2(df) > chi2); of models that are the same but for what is at zero, 1 for no difference."""
    if df == 0:
        return 1.0 if chi2 < _NOTHING else float("nan")
    return chi2_tail(df, chi2)


def _at_zero(large: Estimates, small: Estimates | None) -> tuple[str, ...]:
    """The variances at zero that the larger model has alone; none where the other is not within it."""
    names = set() if small is None else {parameter.name for parameter in small.parameters}
    if not names <= {parameter.name for parameter in large.parameters}:
        return ()
    return tuple(
        parameter.name.lstrip("/")
        for parameter in large.parameters
        if parameter.role == "variance" and parameter.at_zero and parameter.name not in names
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
    if not _same_observations(a, b):
        reordered = np.array_equal(np.sort(a.problem.y), np.sort(b.problem.y))
        told = "fit both to data in one order, if only the order differs; " if reordered else ""
        raise CommandError(498, "the estimation samples differ", hint=f"{told}{hint}")
    if (a.kind.family, a.kind.link, a.kind.dispersion) != (b.kind.family, b.kind.link, b.kind.dispersion):
        names = f"{a.kind.name} vs. {b.kind.name}"
        raise CommandError(498, f"test involves different estimators: {names}", hint=hint)
