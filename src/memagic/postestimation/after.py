"""The methods of a result that test, combine and check its estimates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from memagic.errors import CommandError
from memagic.spec.keywords import options_text

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from memagic.data.sources import Data
    from memagic.postestimation.contrasts import ContrastResult
    from memagic.postestimation.for_marginaleffects import Scale
    from memagic.postestimation.likelihood_ratio_result import LikelihoodRatio
    from memagic.postestimation.lincom import Combined
    from memagic.postestimation.margins_result import Margins
    from memagic.postestimation.nonlinear import NonlinearCombination, NonlinearTest
    from memagic.postestimation.profile import Profile
    from memagic.postestimation.quadchk import QuadratureCheck
    from memagic.postestimation.wald_result import WaldResult
    from memagic.results.estimates import Estimates

__all__ = ["AfterEstimation"]

_Result = TypeVar("_Result")


class AfterEstimation:
    """What can be asked of estimates. Texts are those of the commands, options after a comma.

    Options may also be keyword arguments, as those of `memagic.meglm`: ``fit.margins(dydx="age")``,
    ``fit.lincom("1.urban", or_=True)``.

    All raise CommandError for what is wrong with the text: a name that is not there, r(111), a syntax
    error, r(198).

    Attributes
    ----------
    estimates : Estimates
    """

    estimates: Estimates

    def test(self, text: str = "", **options: object) -> WaldResult:
        """Test linear hypotheses together: ``"age"``, ``"(1.urban = age) (_cons = 1)"``."""
        from memagic.postestimation.typed import run_test

        return _located(run_test, "test", text, options, self.estimates)

    def wald_test(self, text: str = "", **options: object) -> WaldResult:
        """The same as `test`, under statsmodels' name for it."""
        return self.test(text, **options)

    def testparm(self, text: str, **options: object) -> WaldResult:
        """Test that all coefficients of some terms are zero: ``"i.children"``."""
        from memagic.postestimation.typed import run_test

        return _located(run_test, "testparm", text, options, self.estimates)

    def lincom(self, text: str, **options: object) -> Combined:
        """A linear combination with its standard error: ``"1.urban - age, or"``."""
        from memagic.postestimation.typed import run_lincom

        return _located(run_lincom, "lincom", text, options, self.estimates)

    def t_test(self, text: str, **options: object) -> Combined:
        """A linear combination with its test, under statsmodels' name for it and also in its form.

        ``"age = .1"`` and ``"1.urban = age"`` are the differences of the two sides.
        """
        from memagic.postestimation.typed import run_t_test

        return _located(run_t_test, "lincom", text, options, self.estimates)

    def nlcom(self, text: str, **options: object) -> NonlinearCombination:
        """Functions of the estimates by the delta method: ``"(ratio: _b[x]/_b[z])"``."""
        from memagic.postestimation.typed import run_nlcom

        return _located(run_nlcom, "nlcom", text, options, self.estimates)

    def testnl(self, text: str) -> NonlinearTest:
        """Test nonlinear hypotheses: ``"_b[x]*_b[z] = 1"``."""
        from memagic.postestimation.typed import run_testnl

        return _located(run_testnl, "testnl", text, {}, self.estimates)

    def contrast(self, text: str, **options: object) -> ContrastResult:
        """Contrasts of factor variables: ``"a##b"``, ``"r.g, mcompare(sidak)"``."""
        from memagic.postestimation.typed import run_contrast

        return _located(run_contrast, "contrast", text, options, self.estimates)

    def pwcompare(self, text: str, **options: object) -> ContrastResult:
        """Pairwise comparisons of the levels of factor variables: ``"g, effects"``."""
        from memagic.postestimation.typed import run_contrast

        return _located(run_contrast, "pwcompare", text, options, self.estimates)

    def margins(self, text: str = "", data: Data | None = None, **options: object) -> Margins:
        """Margins of responses or derivatives: ``"i.urban, at(age=(-10 0 10))"``, ``", dydx(*)"``.

        Or, by keywords, ``margins("i.urban", at="age=(-10 0 10)")`` and ``margins(dydx="*")``.

        Parameters
        ----------
        text : str
        data : DataFrame, optional
            The data that were fitted, where the text names variables that the model has not.
        **options
            Of the command, by their names.
        """
        from memagic.postestimation.margins_result import Margins

        found = self._margins(text, data, options)
        if not isinstance(found, Margins):
            hint = "compare_margins has contrasts and pairwise comparisons"
            raise CommandError(198, "margins are not compared here", hint=hint)
        return found

    def compare_margins(self, text: str = "", data: Data | None = None, **options: object) -> ContrastResult:
        """Contrasts or pairwise comparisons of margins: ``"r.urban"``, ``"children, pwcompare"``.

        Parameters
        ----------
        text : str
            As of `margins`, with an operator of contrasts, option contrast() or pwcompare().
        data : DataFrame, optional
            As of `margins`.
        **options
            As of `margins`.
        """
        from memagic.postestimation.contrasts import ContrastResult

        found = self._margins(text, data, options)
        if not isinstance(found, ContrastResult):
            hint = "type r.g in the marginlist, or option contrast or pwcompare"
            raise CommandError(198, "nothing is compared", hint=hint)
        return found

    def for_marginaleffects(self, scale: Scale = "marginal", data: Data | None = None) -> Any:
        """The result as the package marginaleffects takes models: ``avg_slopes(fit.for_marginaleffects())``.

        Needs ``pip install "memagic[marginaleffects]"``. Factor variables are compared with their lowest
        level, and weights are a column: ``avg_slopes(..., wts="_weights")``.

        Parameters
        ----------
        scale : {"marginal", "fixedonly", "xb"}
            Means averaged over the random effects, means at random effects of zero, or the linear
            predictor; the categories of an ordinal response are groups.
        data : DataFrame, optional
            The data that were fitted, whose other variables ``by=`` may name.

        Raises
        ------
        CommandError
            The package is not there, r(601); another scale, r(198); a model with an offset or numbers
            of trials, which the package has no place for, r(498).
        """
        from memagic.data.sources import find_data
        from memagic.postestimation.for_marginaleffects import for_marginaleffects

        return for_marginaleffects(self.estimates, scale, None if data is None else find_data(data))

    def _margins(self, text: str, data: Data | None, options: dict[str, object]) -> Margins | ContrastResult:
        from memagic.data.sources import find_data
        from memagic.postestimation.typed import run_margins

        frame = None if data is None else find_data(data)
        try:
            return _located(partial(run_margins, frame=frame), "margins", text, options, self.estimates)
        except CommandError as error:
            if error.rc == 111 and data is None:
                error.hint = (
                    error.hint or "the model has no such variable; data= is the DataFrame that has it"
                )
            raise

    def lrtest(
        self,
        other: AfterEstimation | None = None,
        *,
        df: int | None = None,
        force: bool = False,
        mixture: bool = False,
        bootstrap: int = 0,
        seed: int = 0,
        workers: int = 1,
        executor: Executor | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> LikelihoodRatio:
        """The likelihood-ratio test against another result, the larger or the smaller model.

        Parameters
        ----------
        other : MEResults, optional
            The same model without random effects, if not given: the test of the line below the table.
        df : int, optional
            Degrees of freedom; the difference of the models' ranks by default, `e(df_c)` without
            another result.
        force : bool
            Leave out the checks.
        mixture : bool
            Also refer it to the mixture of chi2 distributions that variances at zero call for.
        bootstrap : int
            Replications of a parametric bootstrap under the smaller model, if any.
        seed : int
            Of the bootstrap.
        workers : int
            Processes that carry the bootstrap out; with 1, none but this one.
        executor : concurrent.futures.Executor, optional
            In place of `workers`; it stays open. No choice of workers changes a number.
        progress : callable, optional
            Told how many replications are done and how many there are.

        Raises
        ------
        CommandError
            Models that do not compare, r(498).
        """
        from memagic.postestimation.bootstrap import (
            bootstrapped,
            refittable,
            refittable_pair,
            refittable_without_effects,
        )
        from memagic.postestimation.likelihood_ratio import against_no_effects, likelihood_ratio

        run = partial(
            bootstrapped,
            replications=bootstrap,
            seed=seed,
            workers=workers,
            executor=executor,
            progress=progress,
        )
        if other is None:
            test = against_no_effects("this", self.estimates, df=df, mixture=mixture)
            if not bootstrap:
                return test
            return run(test, refittable_without_effects(self.estimates), refittable(self.estimates))
        pair = (("this", self.estimates), ("other", other.estimates))
        test = likelihood_ratio(*pair, df=df, force=force, mixture=mixture)
        if not bootstrap:
            return test
        small, large = (one for _, one in (pair if test.smaller == "this" else pair[::-1]))
        return run(test, *refittable_pair(small, large))

    def profile(
        self,
        parameter: str,
        *,
        level: float = 95.0,
        points: int = 15,
        progress: Callable[[int, int], None] | None = None,
    ) -> Profile:
        """The profile log likelihood of a parameter, and the limits that it gives.

        Parameters
        ----------
        parameter : str
            Its address in `params`: ``/var(_cons[district])``.
        level : float
            Confidence level in percent.
        points : int
            Values at which the model is fitted with the parameter held.
        progress : callable, optional
            Told how many fits are done and how many there are.

        Raises
        ------
        CommandError
            No such parameter, r(111), one that constraints hold, or a number out of range, r(198).
        """
        from memagic.postestimation.profile import profile

        return profile(self.estimates, parameter, level=level, points=points, progress=progress)

    def quadchk(self, points: Sequence[int] | None = None) -> QuadratureCheck:
        """Fit again with other numbers of integration points, and tell whether these suffice.

        Parameters
        ----------
        points : sequence of int, optional
            Four fewer and four more than the fit has, if not given.

        Raises
        ------
        CommandError
            Wrong numbers of points, r(198).
        """
        from memagic.postestimation.quadchk import quadchk

        return quadchk(self.estimates, points)


def _located(
    run: Callable[[str, Estimates], _Result],
    name: str,
    text: str,
    options: dict[str, object],
    estimates: Estimates,
) -> _Result:
    """What a command gives, whose options are in its text and by keyword."""
    command = f"{name} {text}{options_text(options)}".rstrip()
    try:
        return run(command, estimates)
    except CommandError as error:
        raise error.located(command) from None
