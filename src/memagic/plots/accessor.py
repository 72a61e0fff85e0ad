"""`fit.plot`: the figures of a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memagic.errors import CommandError
from memagic.results.estimates import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from memagic.postestimation.random_effects import Statistic
    from memagic.results.display_options import Exponentiated

__all__ = ["Plots"]

_UNITS = {"logit": " (log odds)", "log": " (log scale)"}


class Plots:
    """Figures of a result. Each method draws on one Axes, those given or new ones, and returns them.

    Parameters
    ----------
    estimates : Estimates
    """

    def __init__(self, estimates: Estimates) -> None:
        self._estimates = estimates

    def __repr__(self) -> str:
        return "<figures: effects(), coefficients(), fit_by_group(), profile(parameter)>"

    def effects(
        self,
        level: str | None = None,
        effect: str | None = None,
        *,
        statistic: Statistic = "ebmeans",
        confidence: float = 95.0,
        ax: Axes | None = None,
    ) -> Axes:
        """The random effects of the groups in the order of their size, with intervals.

        Parameters
        ----------
        level : str, optional
            A group variable, or a path such as ``school>class``; the highest level by default.
        effect : str, optional
            ``_cons`` by default, or else the first.
        statistic : {"ebmeans", "ebmodes"}
        confidence : float
            In percent: how many standard errors an interval has.
        ax : Axes, optional

        Raises
        ------
        CommandError
            No such level or effect, r(111), or numbers out of range, r(198).
        """
        from memagic.plots.effects import Words, draw_effects, effect_column
        from memagic.postestimation.random_effects import random_effects
        from memagic.results.display_options import check_level
        from memagic.results.inference import table_numbers

        check_level(confidence)
        critical = table_numbers(self._estimates, confidence).critical
        found = random_effects(self._estimates, statistic)
        groups = found.level(level)
        column = effect_column(groups.effects, effect)
        what = "means" if statistic == "ebmeans" else "modes"
        title = f"Posterior {what} with {confidence:g}% intervals"
        words = Words(self._effect_words(groups.effects[column]), title)
        return draw_effects(groups, column, critical, words, ax)

    def _effect_words(self, name: str) -> str:
        """``Random coefficient of age (log odds)``."""
        from memagic.postestimation.coefficients import column_words

        estimates = self._estimates
        unit = _UNITS.get(estimates.kind.link, "")
        if name == "_cons":
            return f"Random intercept{unit}"
        columns = (column for level in estimates.design.levels for column in level.columns)
        column = next(column for column in columns if column.name == name)
        return f"Random coefficient of {column_words(column, estimates.value_labels)}{unit}"

    def coefficients(
        self,
        *,
        or_: bool = False,
        irr: bool = False,
        eform: bool = False,
        level: float = 95.0,
        constant: bool = False,
        ax: Axes | None = None,
    ) -> Axes:
        """The coefficients of the fixed-effects equation with their confidence intervals.

        Parameters
        ----------
        or_, irr, eform : bool
            Exponentiated coefficients, on a log axis.
        level : float
            Confidence level in percent.
        constant : bool
            Whether to show the constant.
        ax : Axes, optional

        Raises
        ------
        CommandError
            More than one scale, a scale that is not the model's, or a level out of range, r(198);
            no coefficients, r(111).
        """
        from memagic.plots.coefficients import draw_coefficients
        from memagic.postestimation.coefficients import coefficient_intervals

        given: dict[Exponentiated, bool] = {"or": or_, "irr": irr, "eform": eform}
        chosen = [scale for scale, wanted in given.items() if wanted]
        if len(chosen) > 1:
            raise CommandError(198, f"only one of {' and '.join(chosen)} may be specified")
        scale = chosen[0] if chosen else ""
        found = coefficient_intervals(self._estimates, scale, level=level, constant=constant)
        if not found.names:
            raise CommandError(111, "the model has no coefficients", hint="constant=True shows the constant")
        return draw_coefficients(found, ax)

    def fit_by_group(self, level: str | None = None, *, ax: Axes | None = None) -> Axes:
        """Observed against fitted means of the groups, the random effects at their posterior means.

        Parameters
        ----------
        level : str, optional
            A group variable; the highest level by default.
        ax : Axes, optional

        Raises
        ------
        CommandError
            No such level, r(111).
        """
        from memagic.plots.by_group import draw_fit_by_group
        from memagic.postestimation.group_fit import group_fit

        return draw_fit_by_group(group_fit(self._estimates, level), ax)

    def profile(
        self,
        parameter: str,
        *,
        level: float = 95.0,
        points: int = 15,
        progress: Callable[[int, int], None] | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """The profile log likelihood of a parameter, such as ``/var(_cons[district])``.

        Parameters
        ----------
        parameter : str
            Its address in `params`.
        level : float
            Confidence level in percent.
        points : int
            Values at which the model is fitted with the parameter held.
        progress : callable, optional
            Told how many fits are done and how many there are.
        ax : Axes, optional

        Raises
        ------
        CommandError
            No such parameter, r(111), one that constraints hold, or a number out of range, r(198).
        """
        from memagic.plots.profiles import draw_profile
        from memagic.postestimation.profile import profile

        found = profile(self._estimates, parameter, level=level, points=points, progress=progress)
        return draw_profile(found, ax)
